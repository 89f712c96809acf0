"""What an empty stream says: empty and broken are different things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smwatch.sources.source import State, Status
from smwatch.tui.health import Health, ranked
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import BLANK, Line, Piece, line, paragraph
from smwatch.tui.text import wrap
from smwatch.tui.times import Zone, moment, period

TIPS = 22
"""Columns from which it is said what the things to try do."""


def empty_lines(
    statuses: Sequence[Status],
    *,
    total: int,
    query: str,
    asked_since: datetime | None,
    now: datetime,
    zone: Zone,
    width: int,
    keys: KeyTable,
    reaches_back: bool,
) -> list[Line]:
    """What was asked, when it was last read, how late the sources usually are, and what to try."""
    if query and total:
        return [
            BLANK,
            *paragraph(f"None of the {total:,} events in memory matches", width, "strong"),
            *paragraph(query, width, "link", indent=2),
            BLANK,
            *paragraph(f"{keys.one('watch.clear')} takes the filter away; again puts it back.", width, "quiet"),
        ]
    since = f" since {moment(asked_since, zone, now)}" if asked_since is not None else ""
    found = ranked(statuses, now)
    lines = [BLANK, *_first(found, since, width), BLANK]
    for each in found:
        status = each.status
        lines += [line(Piece(f"{each.glyph} {status.label} {status.region} ", each.role), Piece(each.word, each.role))]
        if status.last_good_at is not None:
            lines += paragraph(f"last read {period(now - status.last_good_at)} ago", width, "quiet", indent=2)
        if each.progress:
            lines += paragraph(each.progress, width, "quiet", indent=2)
        if status.message:
            lines += paragraph(status.message, width, each.role, indent=2)
    if not found:
        lines += paragraph("The sources have not answered yet.", width, "quiet")
    lines += [BLANK]
    if any(each.fine for each in found) or not found:
        lines += paragraph(
            "CloudTrail hands out events some 2 to 10 minutes after they happen, a log group a little sooner: "
            "what has just happened is not here yet.",
            width,
            "quiet",
        )
    lines += [BLANK, *paragraph("To try:", width, "quiet")]
    if reaches_back:
        week = keys.one("watch.window_7d")
        lines += _tip(week, "key", "the last 7 days, from AWS where need be", width)
    for command, what in (
        ("smwatch doctor", "check credentials, trail, log group and permissions"),
        ("smwatch setup", "set up trail, log group and alarm in AWS"),
        ("smwatch demo", "see a scripted incident, without AWS"),
    ):
        lines += _tip(command, "command", what, width)
    return lines


def _first(found: Sequence[Health], since: str, width: int) -> list[Line]:
    """What an empty stream means: nothing happened, or nobody knows yet, or nobody can."""
    if found and all(each.role == "bad" for each in found):
        return paragraph(f"What happened{since} can't be read.", width, "bad")
    if all(each.status.state is State.STARTING and each.status.last_good_at is None for each in found):
        return paragraph(f"What happened{since} is being asked for.", width, "strong")
    return paragraph(f"No Secrets Manager events{since}.", width, "strong")


def _tip(what: str, role: str, words: str, width: int) -> list[Line]:
    """What to try, and what that does, which goes on under itself."""
    first, *rest = wrap(words, max(8, width - TIPS))
    return [
        line(Piece(f"  {what}".ljust(TIPS), role), Piece(first, "quiet")),
        *(line(" " * TIPS, Piece(part, "quiet")) for part in rest),
    ]
