"""All keys, the filter language and the glyphs, on one page."""

from __future__ import annotations

from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, heading, line, paragraph
from smwatch.tui.text import fit, wrap

FILTERS = (
    ("prod payments", "both words, anywhere in the event"),
    ("-lambda", "without this word"),
    ('"marked for"', "words together, with the space"),
    ("name:Get*", "a field with a glob: name secret user ip region account error agent id"),
    ("user:ci,deploy", "one of several values"),
    ("error denied", "calls that failed; only those that were not allowed"),
    ("read write alarm", "calls for a value; that change something; that belong to an alarm"),
    ("{ $.errorCode = * }", "a CloudWatch Logs filter pattern, on the whole record"),
)
GLYPHS = (
    ("▲", "bad", "belongs to an open alarm, critical or high"),
    ("△", "warn", "belongs to a lesser or acknowledged alarm"),
    ("✗", "warn", "the call did not succeed"),
    ("•", "key", "the call changes something"),
    ("+", "warn", "came later than its source usually takes"),
    ("◆", "key", "marked with m"),
    ("›", "strong", "the cursor"),
)


def help_page(keys: KeyTable, width: int) -> list[Line]:
    """Everything a person can press or type."""
    lines: list[Line] = []
    for title, rows in keys.table():
        lines += heading(title)[0 if lines else 1 :]
        for pressed, told in rows:
            first, *rest = wrap(told, max(10, width - 16))
            lines.append(line(Piece(f"  {fit(pressed, 13)} ", "key"), Piece(first)))
            lines += [line(" " * 16, Piece(part)) for part in rest]
    lines += heading("filter")
    for example, told in FILTERS:
        lines.append(line(Piece(f"  {fit(example, 20)} ", "command"), Piece(told)))
    lines += heading("signs")
    for glyph, role, told in GLYPHS:
        lines.append(line(Piece(f"  {glyph}   ", role), Piece(told)))
    lines += heading("principals")
    lines += paragraph(
        "ROOT root user, USER IAM user, ROLE role, FED federated, SSO Identity Center, SVC AWS service, "
        "XACCT another account, ?? not recorded",
        width,
        indent=2,
    )
    return lines
