"""The report for the incident's file, in Markdown."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from smwatch.amount import amount
from smwatch.dossier import SecretDossier
from smwatch.events.event import Event
from smwatch.evidence.export import iso
from smwatch.rules.alarm import Alarm, urgency
from smwatch.sources.coverage import Coverage, Gap, Span
from smwatch.sources.source import delivered_within
from smwatch.store.store import Store
from smwatch.visible import visible

TIMELINE = 2000
"""Lines of the timeline."""


def report_lines(
    store: Store,
    alarms: Iterable[Alarm],
    *,
    since: datetime,
    now: datetime,
    coverage: Sequence[tuple[str, Coverage]],
    filter_text: str,
    kept_from: datetime | None,
) -> Iterator[str]:
    """A report in Markdown on all that is in the store, in the order a reader of it asks.

    How complete it is; the alarms, with what people noted; what happened, in order; the secrets; the principals. From
    before `kept_from` the journal holds no events any more.
    """
    events = store.events
    yield f"# Use of secrets, {iso(since)} to {iso(now)}\n\n"
    yield f"{amount(len(events), 'events')} of {amount(len(store.secrets), 'secrets')}"
    yield f" by {amount(len(store.principals), 'principals')}"
    yield f", filtered by {_code(filter_text)}" if filter_text else ""
    yield f"; {store.dropped:,} older ones left out" if store.dropped else ""
    yield ". Times are UTC.\n\n## How complete this is\n\n"
    for source, held in coverage:
        late = max(delivered_within(source), held.lags.delivery or timedelta())
        whole = held.told_to(since, late)
        yield f"- {_code(source)}: " + (f"complete up to {iso(whole)}\n" if whole > since else "not read whole\n")
        yield from (
            f"  - read whole: {iso(span.start)} to {iso(span.end)}\n" for span in _later(held, whole, since, late)
        )
        yield from (
            f"  - not read: {_period(gap)}, {_plain(gap.reason)}\n"
            for gap in (each.happened(since, late) for each in held.gaps)
        )
    if coverage and kept_from is not None and kept_from > since:
        yield f"- Events from before {iso(kept_from)} are deleted (`[journal] retention`); their alarms are kept.\n"
    if not coverage:
        yield "- The journal does not say: nothing was read from AWS.\n"
    yield "\n## Alarms\n\n"
    told = sorted((alarm for alarm in alarms if alarm.count and alarm.last_at >= since), key=urgency)
    yield from (_alarm(alarm) for alarm in told)
    yield "None.\n\n" if not told else ""
    yield from _timeline(events, {key for alarm in told for key in alarm.event_keys}, whole=bool(filter_text))
    yield "\n## Secrets\n\n| secret | state | reads | readers | denied | last used |\n|---|---|---:|---:|---:|---|\n"
    for _, dossier in sorted(store.secrets.items()):
        yield _secret(dossier, now)
    yield "\n## Principals\n\n"
    yield "| principal | identity | events | denied | writes | secrets |\n|---|---|---:|---:|---:|---:|\n"
    for identity, principal in sorted(store.principals.items(), key=lambda item: -item[1].events):
        name = f"{principal.principal.kind} {principal.principal.name}"
        counts = (principal.events, principal.denied, principal.writes, len(principal.secrets))
        yield f"| {_plain(name)} | {_plain(identity)} | {' | '.join(f'{count:,}' for count in counts)} |\n"


def _later(held: Coverage, whole: datetime, since: datetime, late: timedelta) -> Iterator[Span]:
    """What happened when nothing is missing, after what is missing from `whole` or `since` on."""
    known = max(whole, since)
    for span in held.settled:
        told = held.told_to(span.start, late)
        if known < span.start < told:
            yield Span(span.start, told)
            known = told


def _alarm(alarm: Alarm) -> str:
    about = ", ".join(filter(None, (alarm.whereof, alarm.principal)))
    times = f"first {iso(alarm.first_at)}, last {iso(alarm.last_at)}"
    lines = [
        f"### {alarm.severity.upper()}: {_plain(alarm.title)}" + (f" ({_plain(about)})" if about else ""),
        "",
        f"{alarm.rule}, {alarm.state}; {_plain(alarm.amount)}, {times}.",
        _plain(alarm.why),
        *(f"- {_plain(fact)}" for fact in alarm.facts),
        *((f"Note: {_plain(alarm.note)}",) if alarm.note else ()),
        "",
        *(f"    {visible(command)}" for command in alarm.next),
        "",
        "",
    ]
    return "\n".join(lines)


def _timeline(events: Sequence[Event], evidence: Container[int], *, whole: bool) -> Iterator[str]:
    """What happened, one line for each run of equal calls: all of it, or what is not an ordinary read."""
    told = [each for each in events if whole or each.failed or not each.read_only or each.key in evidence]
    yield "## Timeline\n\n"
    if not told:
        yield "Nothing but reads that succeeded and belong to no alarm.\n"
        return
    if not whole:
        yield "Calls that failed, that changed something, or that belong to an alarm (▲).\n\n"
    yield "| time | | event | secret | principal | from | result | times |\n|---|---|---|---|---|---|---|---:|\n"
    runs = groupby(told, key=lambda each: (each.name, each.secret, each.principal.identity, each.error_code))
    for i, (_, run) in enumerate(runs):
        if i == TIMELINE:
            yield f"\n{sum(1 for _ in run) + sum(1 for _, more in runs for _ in more):,} later events left out.\n"
            return
        yield _run(list(run), evidence)


def _run(run: Sequence[Event], evidence: Container[int]) -> str:
    first, last = run[0], run[-1]
    until = f" to {last.at:%H:%M:%S}" if len(run) > 1 else ""
    cells = (
        f"{iso(first.at)}{until}",
        "▲" if any(each.key in evidence for each in run) else "",
        _plain(first.name),
        _plain(first.secret.name if first.secret else ""),
        _plain(f"{first.principal.kind} {first.principal.name}"),
        _plain(first.source_ip),
        _plain(first.error_code or ("failed" if first.failed else "ok")),
        f"{len(run):,}",
    )
    return f"| {' | '.join(cells)} |\n"


def _secret(dossier: SecretDossier, now: datetime) -> str:
    users = dossier.users(now)
    last = max((user.last_at for user in users), default=None)
    state = dossier.lifecycle(now).state
    cells = (
        _plain(dossier.secret.name),
        _plain(str(state)),
        f"{sum(user.reads for user in users):,}",
        f"{sum(1 for user in users if user.reads):,}",
        f"{sum(user.denied for user in users):,}",
        iso(last) if last else "",
    )
    return f"| {' | '.join(cells)} |\n"


def _plain(text: str) -> str:
    """Text from records as it reads, whatever it holds: no Markdown, no HTML, no line breaks.

    A hyphen is Markdown where a line begins with it alone, and most names have some.
    """
    shown = "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+.!|~&$" else char for char in visible(text))
    return f"\\{shown}" if shown.startswith("-") else shown


def _code(text: str) -> str:
    return "`" + visible(text).replace("`", "'") + "`"


def _period(gap: Gap) -> str:
    return f"{iso(gap.span.start)} to {iso(gap.span.end)}"
