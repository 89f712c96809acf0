"""Everything smwatch depends on, in order, with what is wrong and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from smwatch.setup import machine
from smwatch.setup.checks import Checks
from smwatch.setup.finding import Finding, State, broken, unknown
from smwatch.setup.render import as_json
from smwatch.setup.seeing import NO_REGION, Seen, Unread
from smwatch.visible import visible

_MARKS = {State.OK: "✓", State.WARN: "!", State.BROKEN: "✗", State.UNKNOWN: "?"}


def examine(seen: Seen) -> tuple[Finding, ...]:
    """Return the findings for what was seen; pure."""
    return tuple(_findings(seen))


def _findings(seen: Seen) -> Iterator[Finding]:
    yield machine.credentials(seen)
    yield machine.clock(seen)
    if isinstance(seen.identity, Unread):
        if seen.identity.code == NO_REGION:
            yield broken("region", seen.identity.why, "export AWS_REGION=eu-west-1")
        yield unknown("account", "Nothing in AWS can be looked at before that works.")
    for region in seen.regions:
        for finding in Checks(region, seen.profile).findings():
            yield msgspec.structs.replace(finding, region=region.place.region)
    yield from machine.terminal(seen.terminal)
    yield machine.journal(seen.journal)


def is_broken(findings: Sequence[Finding]) -> bool:
    """Whether anything does not work."""
    return any(finding.state is State.BROKEN for finding in findings)


def findings_text(findings: Sequence[Finding], width: int) -> str:
    """Return the findings as a table, each broken one with its command below."""
    import textwrap

    several = len({finding.region for finding in findings if finding.region}) > 1
    lines = []
    for finding in findings:
        place = f"{finding.region:14} " if several else ""
        head = f"{_MARKS[finding.state]} {finding.state:8}{place}{finding.check:14}"
        paper = textwrap.TextWrapper(
            max(width, 60),
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.append(paper.fill(visible(finding.message)) or head)
        if finding.mend:
            lines.append(f"{' ' * len(head)}→ {visible(finding.mend)}")
    counts = {state: sum(finding.state is state for finding in findings) for state in State}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return "\n".join([*lines, "", told])


def findings_json(findings: Sequence[Finding]) -> str:
    """Return the findings as one JSON object."""
    return as_json({"broken": is_broken(findings), "findings": findings})
