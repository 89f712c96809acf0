"""CloudTrail records as events: never refuses one, names the same thing the same way, and is fast."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from smwatch.events import moments
from smwatch.events.call import Call, Caller
from smwatch.events.event import CALLER_BITS, UNREADABLE, Arrival, Event, SeenBy
from smwatch.events.header import ODD, QUICK, Header, encode_identity, header_of, unread_header, unwrapped
from smwatch.events.known import LATELY, SERVICE_EVENT, Known, bytes_of_account, digest_of, search_text
from smwatch.events.naming import KMS
from smwatch.events.principal import Kind, Principal
from smwatch.events.recent import Recent, mark_of
from smwatch.events.secret import Lesson, Secret
from smwatch.events.tidy import LONGEST
from smwatch.record import Record, decode, encode

_NO_ID = "no eventID: "
_NOBODY = Principal(Kind.UNKNOWN, "", "")


class Reader:
    """Reads records one after the other, remembering what helps to read the next: strings, principals, secret names.

    What it remembers is bounded; it may be kept for as long as the program runs. It belongs to one event loop.
    """

    def __init__(self, remember: int = 8192) -> None:
        self._known = Known(remember)
        self._lately = 0
        """Records since callers were forgotten last."""
        self._names = self._known.names
        self.renames = self._names.renames
        """What `renamed` will say: to be looked at after each record. Serves "ingest"."""
        self._minutes: Recent[str, int] = Recent(_minute, 1024)
        self._when: str | None = None
        self._moment = b""
        """The last eventTime, and the key's part for it: where many are of one second, they follow one another."""

    def read(self, raw: str, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Arrival:
        """Read one JSON text, whatever it holds.

        `at` is when a wrapper around the record says that it happened, for records that don't say so. An EventBridge
        envelope is unwrapped. What is not a JSON object becomes an UNREADABLE event with the reason as its error.
        """
        if len(raw) <= QUICK:
            # Not suppress(): to call it takes as long as two steps of what is done. Serves "parse".
            try:
                header = unread_header(raw)
                who = bytes(header.identity)
                if len(who) <= LONGEST:  # so that all of its texts are whole
                    return self._arrival(header, who, raw, seen_by, seen_at, at)
            except ODD:
                pass
        try:
            record = decode(raw)
        except ValueError as error:
            return Arrival(self._unreadable(raw, str(error), seen_by, seen_at, at), raw, {})
        record = unwrapped(record)
        arrival = self._decoded(record, raw, seen_by, seen_at, at)
        arrival.decoded, arrival.likeness = record, None
        return arrival

    def event(self, record: Record, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Event:
        """The event of a record that is already decoded and unwrapped."""
        raw = "" if record.get("eventID") else encode(record)
        return self._decoded(record, raw, seen_by, seen_at, at).event

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs of secrets since last asked that turned out to be one: what was said of the first is the second's."""
        return self._names.renamed()

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """What has shown that events were about other secrets; see `teach`."""
        return self._names.lessons

    def teach(self, lessons: Iterable[Lesson]) -> None:
        """Before anything is read: what has shown mistakes to another reader, so that they are not made again."""
        self._names.teach(lessons)

    def tell_of(self, secrets: Iterable[Secret]) -> None:
        """Before anything is read: what alarms are about that another reader's events have led to.

        Should events that are read here turn out not to be about one of these, that makes this `mistaken`: the alarms
        need not be of such events.
        """
        self._names.tell_of(secrets)

    @property
    def mistaken(self) -> bool:
        """Whether events have turned out to be about other secrets than they were read to be about.

        Then `renamed` does not say so: the records are to be read again, by this same reader. It is for whoever does
        that to reset it.
        """
        return self._names.mistaken

    @mistaken.setter
    def mistaken(self, mistaken: bool) -> None:
        self._names.mistaken = mistaken

    def _decoded(self, record: Record, raw: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Arrival:
        header = header_of(record)
        return self._arrival(header, b"tidied" + encode_identity(header.identity), raw, seen_by, seen_at, at)

    def _arrival(
        self, header: Header, who: bytes, raw: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None
    ) -> Arrival:
        """The event of a header, step by step: by whom, what of which secret, when, and under which key.

        `who` stands for its userIdentity. In one piece, with no call for a step: serves "parse".
        """
        known, kept = self._known, None
        self._lately += 1
        if self._lately >= LATELY:
            self._lately = 0
            known.age()
        source, account, region = header.source, header.account, header.region
        by = (
            who,
            account,
            region,
            header.user_agent,
            header.vpc_endpoint,
            header.from_console,
            source if header.type == SERVICE_EVENT else None,
            header.source_ip,
        )
        mark = mark_of(by)
        known_caller = known.callers.get(mark)
        if known_caller is None:
            known_caller, kept = known.callers.made(mark, (by, header)), header
        caller, caller_number, account_bytes, for_secrets_manager = known_caller

        asks = (
            header.name,
            source,
            header.error_code,
            header.error_message,
            account or caller.principal.account,
            region,
            header.parameters,
            header.response,
            header.extra,
            header.details,
            header.resources,
            header.read_only,
            header.type,
            for_secrets_manager if source == KMS else None,
        )
        mark = mark_of(asks)
        known_call = known.calls.get(mark)
        if known_call is None:
            known_call, kept = known.calls.made(mark, (header, caller)), header
        call, call_number = known_call

        when = header.time or header.timestamp or ""
        if when == self._when:
            moment = self._moment
        else:
            try:  # as in 2026-11-23T14:05:31Z
                moment = (self._minutes[when[:17]] + _SECONDS[when[17:]]).to_bytes(8)
                self._when, self._moment = when, moment
            except KeyError:
                moment = _odd_time(when, at)
        event_id, odd_id = header.id or "", ""
        digits = event_id.replace("-", "")
        try:
            id_bytes = unhexlify(digits)
        except ValueError:
            id_bytes = b""
        if id_bytes.hex() != digits or len(event_id) != 36 or event_id[8:24:5] != "----":
            id_bytes, odd_id = _odd_id(event_id, raw)
        elif header.addendum is not None and (original := _uuid_bytes(header.addendum.original)):
            id_bytes, odd_id = original, event_id if original != id_bytes else ""
        key = _number(moment + id_bytes + account_bytes)
        event = Event(key, call, caller, seen_by, seen_at, odd_id)
        # Both numbers in one, which no other two have.
        likeness = call_number << CALLER_BITS | caller_number if call_number and caller_number else None
        return Arrival(event, raw, None, kept, None, header.shared_id or "", False, 0, likeness)

    def _unreadable(self, raw: str, reason: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Event:
        digest = digest_of(raw)
        key = _number(_odd_time("", at) + digest + bytes_of_account(""))
        known = self._known
        text = known.texts[search_text(UNREADABLE, reason)]
        call = Call(UNREADABLE, error_message=known.strings[reason], text=text)
        return Event(key, call, Caller(_NOBODY), seen_by, seen_at, _NO_ID + digest.hex())


_number = int.from_bytes  # big-endian, so that keys sort by time first


_SECONDS = {f"{second:02}Z": second for second in range(60)}


def _minute(text: str) -> int:
    """The seconds since the epoch up to an eventTime's minute, as in 2026-11-23T14:05; a KeyError for other texts."""
    seconds = moments.seconds_of_text(f"{text}00Z") if len(text) == 17 and text[16] == ":" else None
    if seconds is None or seconds % 60:
        raise KeyError(text)
    return seconds


def _odd_time(text: str, at: datetime | None) -> bytes:
    seconds = moments.seconds_of_text(text)
    if seconds is None:
        seconds = moments.seconds_of_datetime(at) if at else 0
    return seconds.to_bytes(8)


def _uuid_bytes(text: str | None) -> bytes:
    """The bytes of a canonical UUID; none of anything else."""
    try:
        found = UUID(text or "")
    except ValueError:
        return b""
    return found.bytes if str(found) == text else b""


def _odd_id(event_id: str, raw: str) -> tuple[bytes, str]:
    """Key part and text for an eventID that is no canonical UUID; a missing one comes from the whole record."""
    if event_id:
        return digest_of(event_id), event_id
    with suppress(ValueError, RecursionError):  # for where only a header could be read
        raw = encode(unwrapped(decode(raw)), ordered=True)
    digest = digest_of(raw)
    return digest, _NO_ID + digest.hex()
