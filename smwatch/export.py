"""What the journal holds, for somebody else: JSON lines, a spreadsheet, a report for the incident's file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from smwatch.dossier import SecretDossier
from smwatch.events.event import Arrival, Event
from smwatch.jsonl import event_line
from smwatch.rules.alarm import Alarm, urgency
from smwatch.sources.coverage import Coverage, Gap
from smwatch.store import Store
from smwatch.visible import visible

COLUMNS = (
    "time", "name", "secret", "principal_kind", "principal", "identity", "session", "access_key", "source_ip",
    "region", "account", "read_only", "error_code", "error_message", "user_agent", "source", "secret_arn", "seen_by",
    "seen_at", "id",
)  # fmt: skip
"""The columns of a CSV export."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def jsonl_lines(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """Event lines as `smwatch tail --json` prints them; `smwatch replay` reads them back."""
    return (event_line(arrival) + "\n" for arrival in arrivals)


def csv_lines(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """A heading and one line an event; no cell can run as a formula in a spreadsheet."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(COLUMNS)
    for arrival in arrivals:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        writer.writerow([_cell(value) for value in _row(arrival.event)])
    yield line.getvalue()


def _row(event: Event) -> tuple[str, ...]:
    who = event.principal
    return (
        _iso(event.at), event.name, event.secret.name if event.secret else "", who.kind, who.name, who.identity,
        who.session, event.access_key, event.source_ip, event.region, event.account, str(event.read_only).lower(),
        event.error_code, event.error_message, event.user_agent, event.source, event.secret_arn, event.seen_by,
        _iso(event.seen_at), event.id,
    )  # fmt: skip


def _cell(text: str) -> str:
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def report_lines(
    store: Store, *, since: datetime, now: datetime, coverage: Sequence[tuple[str, Coverage]], filter_text: str = ""
) -> Iterator[str]:
    """A report in Markdown on all that is in the store: how complete it is, alarms, secrets, principals."""
    events = store.events
    yield f"# Use of secrets, {_iso(since)} to {_iso(now)}\n\n"
    yield f"{len(events):,} events of {len(store.secrets):,} secrets by {len(store.principals):,} principals"
    yield f", filtered by {_code(filter_text)}" if filter_text else ""
    yield f"; {store.dropped:,} older ones left out" if store.dropped else ""
    yield ". Times are UTC.\n\n## How complete this is\n\n"
    for source, held in coverage:
        whole = held.complete_to(since)
        yield f"- {_code(source)}: " + (f"complete up to {_iso(whole)}\n" if whole > since else "not read whole\n")
        yield from (f"  - not read: {_period(gap)}, {_plain(gap.reason)}\n" for gap in held.gaps)
    if not coverage:
        yield "- The journal does not say: nothing was read from AWS.\n"
    yield "\n## Alarms\n\n"
    alarms = sorted((alarm for alarm in store.alarms.values() if alarm.count and alarm.last_at >= since), key=urgency)
    yield from (_alarm(alarm) for alarm in alarms)
    yield "None.\n\n" if not alarms else ""
    yield "## Secrets\n\n| secret | state | reads | readers | denied | last used |\n|---|---|---:|---:|---:|---|\n"
    for _, dossier in sorted(store.secrets.items()):
        yield _secret(dossier, now)
    yield "\n## Principals\n\n"
    yield "| principal | identity | events | denied | writes | secrets |\n|---|---|---:|---:|---:|---:|\n"
    for identity, principal in sorted(store.principals.items(), key=lambda item: -item[1].events):
        name = f"{principal.principal.kind} {principal.principal.name}"
        counts = (principal.events, principal.denied, principal.writes, len(principal.secrets))
        yield f"| {_plain(name)} | {_plain(identity)} | {' | '.join(f'{count:,}' for count in counts)} |\n"


def _alarm(alarm: Alarm) -> str:
    about = ", ".join(filter(None, (alarm.secret.name if alarm.secret else "", alarm.principal)))
    times = f"first {_iso(alarm.first_at)}, last {_iso(alarm.last_at)}"
    lines = [
        f"### {alarm.severity.upper()}: {_plain(alarm.title)}" + (f" ({_plain(about)})" if about else ""),
        "",
        f"{alarm.rule}, {alarm.state}; {alarm.count:,} {_plain(alarm.counted)}, {times}.",
        _plain(alarm.why),
        *(f"- {_plain(fact)}" for fact in alarm.facts),
        *((f"Note: {_plain(alarm.note)}",) if alarm.note else ()),
        "",
        *(f"    {visible(command)}" for command in alarm.next),
        "",
        "",
    ]
    return "\n".join(lines)


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
        _iso(last) if last else "",
    )
    return f"| {' | '.join(cells)} |\n"


def _plain(text: str) -> str:
    """Text from records as it reads, whatever it holds: no Markdown, no HTML, no line breaks."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-.!|~&$" else char for char in visible(text))


def _code(text: str) -> str:
    return "`" + visible(text).replace("`", "'") + "`"


def _period(gap: Gap) -> str:
    return f"{_iso(gap.span.start)} to {_iso(gap.span.end)}"


def _iso(at: datetime) -> str:
    return f"{at - timedelta(microseconds=at.microsecond):%Y-%m-%dT%H:%M:%SZ}"
