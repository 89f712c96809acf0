"""One event: who, from where, with what, how it ended, and the record itself."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from smwatch.events import moments
from smwatch.events.event import UNREADABLE, Event
from smwatch.events.links import BATCH, READ, same_call, shared_id
from smwatch.events.principal import Kind, Principal
from smwatch.record import Number, Record, encode
from smwatch.tui.columns import SEEN, called, late_by
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, fields, heading, line, paragraph
from smwatch.tui.pages.targets import ToEvent, ToFold, ToPrincipal, ToSecret, ToValue
from smwatch.tui.text import visible
from smwatch.tui.times import FULL, Zone, period, written
from smwatch.visible import harmless_json

KINDS = {
    Kind.ROOT: "the root user",
    Kind.USER: "IAM user",
    Kind.ROLE: "role",
    Kind.FEDERATED: "federated user",
    Kind.IDENTITY_CENTER: "Identity Center user",
    Kind.SERVICE: "AWS service",
    Kind.OTHER_ACCOUNT: "another account",
    Kind.UNKNOWN: "unknown kind of principal",
}
Path = tuple[str | int, ...]
"""Where in a JSON document: keys and indexes."""
LONG_TEXT = 4000
"""Characters shown of one value of a record; the journal and a copy hold all of it."""


def told(event: Event) -> str:
    """What happened, as a sentence."""
    if event.name == UNREADABLE:
        return f"This is no CloudTrail record: {event.error_message}"
    who = called(event.principal) or "somebody"
    what = f"{event.name} on {event.secret.name}" if event.secret is not None else event.name
    if event.error_code:
        return f"{who}: {what} was refused with {event.error_code}"
    if event.error_message:
        return f"{who}: {what} failed"
    if event.name == BATCH and event.secret is None:
        return f"{who} got the values of what a filter selects, 20 secrets at most; the record names none"
    if event.name in (READ, BATCH) and event.secret is not None:
        more = f" and of {len(event.others)} more" if event.others else ""
        return f"{who} got the value of {event.secret.name}{more}"
    return f"{who}: {what} succeeded"


def event_lines(
    event: Event,
    record: Record | None,
    now: datetime,
    zone: Zone,
    watching_since: datetime | None,
    width: int,
    others: Sequence[tuple[Event, bool]],
    keys: KeyTable,
) -> list[Line]:
    """Who, from where, with what, and how it ended.

    `others` are what other accounts have recorded of the same call, each with whether it is in memory.
    """
    principal = event.principal
    lines = paragraph(told(event), width, "bad" if event.failed else "strong")
    if event.error_message and event.name != UNREADABLE:
        lines += paragraph(event.error_message, width, "warn")
    lines += fields([("happened", _happened(event, now, zone), ""), ("first seen", _seen(event, now, zone), "")], width)
    if late := late_by(event, watching_since):
        lines += fields([("", f"late: it took {period(late)} to be seen", "warn")], width)
    if event.name == UNREADABLE:
        return lines
    lines += _principal(principal, width)
    lines += fields(_session(record, zone, now), width)
    lines += fields(
        [
            ("from", event.source_ip, "link", ToValue("ip", event.source_ip)),
            ("with", event.user_agent, ""),
            ("access key", key_words(event.access_key), "link", ToValue("user", event.access_key)),
            ("region", event.region, ""),
            ("account", event.account, ""),
        ],
        width,
    )
    if event.secret is not None:
        name = f"{event.secret.name}  {event.secret.region}"
        lines.append(line(Piece(f"{'secret':<12}", "label"), Piece(name, "link"), target=ToSecret(event.secret)))
        lines += [
            line(" " * 12, Piece(f"{other.name}  {other.region}", "link"), target=ToSecret(other))
            for other in event.others
        ]
    lines += fields([("event id", event.id, "quiet"), ("source", event.source, "quiet")], width)
    lines += fields(_links(event, record, zone, now), width)
    return lines + fields(_others(event, record, others, keys), width)


def _links(event: Event, record: Record | None, zone: Zone, now: datetime) -> list[tuple[str, str, str]]:
    """Which record this one corrects, and why it came late."""
    addendum = (record or {}).get("addendum")
    why = addendum.get("reason") if isinstance(addendum, dict) else None
    fields_changed = addendum.get("updatedFields") if isinstance(addendum, dict) else None
    told = moments.seconds((record or {}).get("eventTime"))
    moved = told is not None and told != event.seconds
    corrects = event.corrects if event.odd_id else ""
    return [
        ("corrects", f"{corrects}, counted as one with it" if corrects else "", "warn"),
        ("addendum", ": ".join(filter(None, (_words(why), _words(fields_changed)))), "quiet"),
        ("its own time", written(told, zone.absolute, now, FULL) if told is not None and moved else "", "warn"),
    ]


def _others(
    event: Event, record: Record | None, others: Sequence[tuple[Event, bool]], keys: KeyTable
) -> Iterator[tuple[str, str, str] | tuple[str, str, str, object]]:
    """What other accounts have recorded of the same call."""
    shared = shared_id(record or {})
    if shared is None:
        return
    yield "shared id", shared, "quiet"
    key = keys.everywhere("watch.other_record", "details.other_record")
    for other, in_memory in others:
        counted = "counted once" if same_call(event, other) else f"counted apart, under {called(other.principal)}"
        told = f"account {other.account or 'unknown'} has recorded this call, too ({counted})"
        if not in_memory:
            yield "also seen", f"{told}; that event {other.id} has left the memory", "quiet"
        else:
            yield "also seen", f"{told}{f'; {key} goes there' if key else ''}", "link", ToEvent(other.key)
    if not others:
        yield "", "what another account has recorded of this call has not been seen here", "quiet"


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _happened(event: Event, now: datetime, zone: Zone) -> str:
    shown = zone.absolute
    ago = f", {period(now - event.at)} ago" if event.seconds and event.at <= now else ""
    return f"{written(event.seconds, shown, now, FULL)} {shown.title()}{ago}" if event.seconds else "unknown"


def _seen(event: Event, now: datetime, zone: Zone) -> str:
    shown = zone.absolute
    delay = f", {period(event.seen_at - event.at)} after it happened" if event.seconds else ""
    seen = written(int(event.seen_at.timestamp()), shown, now, FULL)
    return f"{seen} {shown.title()} by {SEEN[event.seen_by]}{delay}"


def _principal(principal: Principal, width: int) -> list[Line]:
    if not principal.name and not principal.arn:
        return fields([("who", "not recorded", "quiet")], width)
    target = ToPrincipal(principal.identity) if principal.identity else None
    lines = [
        line(
            Piece(f"{'who':<12}", "label"),
            Piece(principal.name, "link" if target else ""),
            Piece(f"  {KINDS[principal.kind]}", "quiet"),
            target=target,
        )
    ]
    return lines + fields(
        [
            ("session", principal.session, ""),
            ("arn", principal.arn, "quiet"),
            ("acting for", principal.invoked_by, ""),
            ("its account", principal.account, ""),
        ],
        width,
    )


def key_words(access_key: str) -> str:
    """An access key, and whether it is a long-term one."""
    if not access_key:
        return ""
    kind = {"AKIA": "long-term", "ASIA": "temporary"}.get(access_key[:4])
    return f"{access_key} ({kind})" if kind else access_key


def _session(record: Record | None, zone: Zone, now: datetime) -> Iterator[tuple[str, str, str]]:
    """What only the record tells of the session and the way it took."""
    if record is None:
        return
    context = _inside(record, "userIdentity", "sessionContext")
    attributes = _inside(context, "attributes")
    if created := _text(attributes, "creationDate"):
        signed_in_at = moments.seconds(created)
        told = f"{written(signed_in_at, zone.absolute, now, FULL)} {zone.absolute.title()}" if signed_in_at else created
        yield "signed in", told, ""
    if mfa := _text(attributes, "mfaAuthenticated"):
        yield "MFA", {"true": "yes", "false": "no"}.get(mfa, mfa), ""
    if _text(record, "sessionCredentialFromConsole") == "true":
        yield "console", "credentials of a console session", ""
    if identity := _text(context, "sourceIdentity"):
        yield "identity", identity, ""
    if endpoint := _text(record, "vpcEndpointId"):
        yield "endpoint", endpoint, ""
    if version := _text(_inside(record, "tlsDetails"), "tlsVersion"):
        yield "TLS", version, "quiet"


def _inside(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any, name: str) -> str:
    found = _inside(value, name)
    return found if isinstance(found, str) else str(found).lower() if isinstance(found, bool) else ""


# -- the record as JSON


def json_lines(value: Any, width: int, folded: Collection[Path], root: Path = ()) -> list[Line]:
    """A document as JSON, one line a value; objects and lists that are not empty lead to being folded.

    `root` tells the paths of several documents on one page apart.
    """
    return list(_Json(width, folded, len(root)).lines(value, root, "", ""))


class _Json:
    """Writes a document for a width."""

    def __init__(self, width: int, folded: Collection[Path], root: int) -> None:
        self._width, self._folded, self._root = width, folded, root

    def lines(self, value: Any, path: Path, name: str, comma: str) -> Iterator[Line]:
        """The lines of one value, under its name in the object around it."""
        indent = "  " * (len(path) - self._root)
        head = [Piece(indent)] + ([Piece(f'"{name}"', "json-key"), Piece(": ")] if name else [])
        if not isinstance(value, dict | list) or not value:
            yield from self._scalar(value, head, comma)
            return
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        if path in self._folded:
            inside = f"{len(value)} {'keys' if isinstance(value, dict) else 'items'}"
            yield line(*head, f"{opening} … {closing}{comma}", Piece(f"  {inside}", "quiet"), target=ToFold(path))
            return
        yield line(*head, opening, target=ToFold(path))
        named = isinstance(value, dict)
        items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        for i, (key, item) in enumerate(items):
            comma_here = "," if i < len(items) - 1 else ""
            yield from self.lines(item, (*path, key), _escaped(str(key)) if named else "", comma_here)
        yield line(indent, closing + comma)

    def _scalar(self, value: Any, head: list[Piece], comma: str) -> Iterator[Line]:
        text, role = _scalar(value)
        hanging = sum(len(piece.text) for piece in head)
        room = max(8, self._width - hanging - 1)
        parts = [text[i : i + room] for i in range(0, min(len(text), LONG_TEXT), room)] or [""]
        if len(text) > LONG_TEXT:
            parts.append("…")
        parts[-1] += comma
        yield line(*head, Piece(parts[0], role))
        for part in parts[1:]:
            yield line(" " * hanging, Piece(part, role))


def _scalar(value: Any) -> tuple[str, str]:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value], "json-word"
        case Number():
            return value.text, "json-number"
        case int() | float():
            return str(value), "json-number"
        case str():
            return f'"{_escaped(value)}"', "json-text"
        case datetime():
            return f'"{value.isoformat()}"', "json-text"
        case _:
            return ("{}" if isinstance(value, dict) else "[]"), ""


def _escaped(text: str) -> str:
    """Text as JSON writes it, so that what is invisible is spelled out; without the quotes."""
    return msgspec.json.encode(text.encode(errors="replace").decode()).decode()[1:-1]


def record_page(
    event: Event, record: Record | None, width: int, keys: KeyTable, folded: Collection[Path]
) -> list[Line]:
    """The section with the whole record."""
    if event.name == UNREADABLE:
        why = "It is not shown: what can't be read can't be searched for the values of secrets, either."
        how = f"{keys.one('watch.export')} writes it to a file as it came."
        return heading("record") + paragraph(f"{why} {how}", width, "quiet")
    lines = heading("record", ", ".join(filter(None, (f"{keys.one('page.choose')} folds", keys.copies))))
    if record is None:
        return [*lines, line(Piece("The journal no longer holds the record of this event.", "quiet"))]
    return lines + json_lines(record, width, folded)


# -- what can be copied


def as_json(record: Record) -> str:
    """The record as indented JSON, which does no harm where it is pasted."""
    return harmless_json(msgspec.json.format(encode(record), indent=2))


def as_command(event: Event) -> str:
    """The command that finds the event again in AWS; what is not plain text has no place in a shell and is left out."""
    found = event.id if event.id.isascii() and event.id.isprintable() else ""
    attribute = f"AttributeKey=EventId,AttributeValue={found}"
    region = event.region if event.region.isascii() and event.region.isprintable() else ""
    options = f" --region {shlex.quote(region)}" if region else ""
    return f"aws cloudtrail lookup-events --lookup-attributes {shlex.quote(attribute)}{options}"


def as_ticket(event: Event) -> str:
    """One line for a ticket or a chat: when, who, what, from where, how it ended."""
    at = written(event.seconds, Zone.UTC, event.seen_at, "%Y-%m-%dT%H:%M:%SZ")
    secret = event.secret.name if event.secret is not None else "-"
    ended = " ".join(filter(None, (event.error_code, event.error_message))) or "ok"
    parts = (at, event.name, secret, called(event.principal), event.source_ip, event.region, ended, event.id)
    return " | ".join(visible(" ".join(part.split())) for part in parts)
