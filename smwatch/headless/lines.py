"""An event, an alarm or a source's health as one line: a JSON object, or text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from smwatch.events.event import UNREADABLE, Arrival, Event, uuid_of
from smwatch.events.links import told_at
from smwatch.events.recent import Recent
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.sources.source import Status
from smwatch.visible import harmless_json, unpiled, visible


class Behind(NamedTuple):
    """What an alarm's line tells of an event behind it; all of it "" where the event is no longer in memory."""

    id: str = ""
    account: str = ""
    region: str = ""


class _EventLine(msgspec.Struct, gc=False, tag_field="type", tag="event"):
    id: str
    time: datetime
    name: str
    source: str | None
    secret: str | None
    secret_arn: str | None
    principal: str | None
    identity: str | None
    source_ip: str | None
    user_agent: str | None
    region: str | None
    account: str | None
    read_only: bool
    error_code: str | None
    error_message: str | None
    seen_by: str
    seen_at: datetime
    supersedes: str | None
    shared_id: str | None
    record: msgspec.Raw | str


class _AlarmLine(msgspec.Struct, tag_field="type", tag="alarm"):
    group: str
    rule: str
    severity: str
    state: str
    title: str
    secret: str | None
    principal: str | None
    identity: str | None
    session: str | None
    region: str | None
    account: str | None
    about: Mapping[str, str]
    mitre: Sequence[str]
    count: int
    counted: str
    secrets: Sequence[Secret]
    first_at: datetime
    last_at: datetime
    event_ids: Sequence[str]
    why: str
    facts: Sequence[str]
    next: Sequence[str]
    note: str | None
    closed_by: str | None
    muted_until: datetime | None


class _GapLine(msgspec.Struct):
    start: datetime
    end: datetime
    reason: str


class _StatusLine(msgspec.Struct, tag_field="type", tag="status"):
    source: str
    state: str
    message: str | None
    lag_s: float | None
    complete_to: datetime | None
    lag_max_s: float | None
    last_good_at: datetime | None
    gaps: Sequence[_GapLine]
    late_events: int
    progress: str | None
    calls: int


def event_line(arrival: Arrival) -> str:
    """One event as a JSON object on one line; what the record does not say is null."""
    return event_bytes(arrival).decode()


def event_bytes(arrival: Arrival) -> bytes:
    """The same as it is written, in UTF-8."""
    event = arrival.event
    call, caller, odd = event.call, event.caller, event.odd_id
    # Positional: serves "replay".
    return _bytes(
        _EventLine(
            odd or uuid_of(event.key),
            told_at(arrival) if odd or arrival.moved else _moments[event.seconds],
            call.name,
            call.source or None,
            call.secret.name if call.secret else None,
            call.secret_arn or None,
            caller.principal.name or None,
            caller.principal.issuer or None,
            caller.came.source_ip or None,
            caller.came.user_agent or None,
            caller.region or None,
            caller.account or None,
            call.read_only,
            call.error_code or None,
            call.error_message or None,
            event.seen_by,
            event.seen_at,
            event.corrects or None if odd else None,
            arrival.shared_id or None,
            _untouched(arrival),
        )
    )


def alarm_line(alarm: Alarm, behind: Sequence[Behind], *, new: bool) -> str:
    """One alarm as a JSON object on one line; `updated` is an open alarm that was told of before it changed.

    So `updated` is a state of the lines, not of the alarm: `new` says that this is the first line since it opened.
    `behind` tells of the events behind it. Region and account are the secret's, else those that the events share: null
    where they are of several.
    """
    secret, about = alarm.secret, dict(alarm.about)
    account, region = (secret.account, secret.region) if secret else (about.get("account"), about.get("region"))
    return _line(
        _AlarmLine(
            group=alarm.group,
            rule=alarm.rule,
            severity=alarm.severity,
            state="updated" if alarm.open and not new else alarm.state,
            title=alarm.title,
            secret=alarm.secret.name if alarm.secret else None,
            principal=alarm.principal or None,
            identity=alarm.identity or None,
            session=alarm.session or None,
            region=region or _shared(each.region for each in behind),
            account=account or _shared(each.account for each in behind),
            about=about,
            mitre=alarm.mitre,
            count=alarm.count,
            counted=alarm.counted,
            secrets=alarm.secrets,
            first_at=alarm.first_at,
            last_at=alarm.last_at,
            event_ids=[each.id for each in behind if each.id],
            why=alarm.why,
            facts=alarm.facts,
            next=alarm.next,
            note=alarm.note or None,
            closed_by=alarm.closed_by or None if alarm.state is AlarmState.CLOSED else None,
            muted_until=alarm.muted_until,
        )
    )


def _shared(values: Iterable[str]) -> str | None:
    """The one value that there is, if there is no other."""
    known = {value for value in values if value}
    return known.pop() if len(known) == 1 else None


def status_line(status: Status) -> str:
    """One source's health as a JSON object on one line."""
    return _line(
        _StatusLine(
            source=status.source,
            state=status.state,
            message=status.message or None,
            lag_s=status.lag.total_seconds() if status.lag is not None else None,
            complete_to=status.complete_to,
            lag_max_s=status.lag_max.total_seconds() if status.lag_max is not None else None,
            last_good_at=status.last_good_at,
            gaps=[_GapLine(gap.span.start, gap.span.end, gap.reason) for gap in status.gaps],
            late_events=status.late_events,
            progress=status.progress or None,
            calls=status.calls,
        )
    )


def event_text(event: Event) -> str:
    """One event as a line for a person, harmless on a terminal."""
    result = f"{event.error_code}: {event.error_message}".strip(": ") if event.failed else "ok"
    secret = event.secret.name if event.secret else "-"
    who = f"{event.principal.kind} {event.principal.name}"
    fields = (
        f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        f"{event.name:<20}",
        f"{secret:<28}",
        f"{who:<24}",
        event.source_ip or "-",
    )
    return unpiled(visible("  ".join((*fields, event.region or "-", result))))


def alarm_text(alarm: Alarm) -> str:
    """One alarm as a line for a person, harmless on a terminal."""
    secret = alarm.secret
    about = " ".join(filter(None, (f"{secret.name} ({secret.region})" if secret else alarm.whereof, alarm.principal)))
    when = f"first {alarm.first_at:%Y-%m-%dT%H:%M:%SZ} last {alarm.last_at:%Y-%m-%dT%H:%M:%SZ}"
    line = f"▲ {alarm.severity.upper()}  {alarm.title}  {about}  ×{alarm.count}  {when}  {alarm.state}"
    return unpiled(visible(line))


_moments: Recent[int, datetime] = Recent(lambda second: datetime.fromtimestamp(second, UTC), 1_024)
_encode = msgspec.json.Encoder().encode
_DEL = 0x7F


def _line(value: msgspec.Struct) -> str:
    return _bytes(value).decode()


def _bytes(value: msgspec.Struct) -> bytes:
    """The value as JSON that may go to a terminal: of ASCII text in JSON only DEL could act there."""
    line = _encode(value)
    return line if line.isascii() and _DEL not in line else harmless_json(line.decode()).encode()


def _untouched(arrival: Arrival) -> msgspec.Raw | str:
    if arrival.event.call.name == UNREADABLE and not arrival.record:
        return arrival.raw.encode("utf-8", "replace").decode()
    # A line break in JSON can only stand between tokens, so a space there changes nothing but the layout.
    raw = arrival.raw.strip("\ufeff").replace("\r", " ").replace("\n", " ")
    return msgspec.Raw(raw)
