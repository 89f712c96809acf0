"""CloudTrail records as events: never refuses one, names the same thing the same way, and is fast."""

from __future__ import annotations

from binascii import Error as HexError
from binascii import unhexlify
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from smwatch.events import moments
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, UNREADABLE, Arrival, Event, SeenBy
from smwatch.events.naming import names_in
from smwatch.events.principal import Kind, Principal, principal_of
from smwatch.events.recent import Recent
from smwatch.events.redact import redact
from smwatch.events.scope import reads_only
from smwatch.events.secret import Names, Secret
from smwatch.record import Record, decode, encode

LONGEST = 2048
"""Longer strings of a record are clipped in its event: as long as a secret's ARN or name may be."""

_MISSING_ID = "no eventID: "
_HEADER = (
    "eventTime",
    "eventID",
    "eventName",
    "eventSource",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "recipientAccountId",
    "errorCode",
    "errorMessage",
)
_header = itemgetter(*_HEADER[:-2])
_ACCOUNTS = 10**12


class Reader:
    """Reads records one after the other, remembering what helps to read the next: strings, principals, secret names.

    What it remembers is bounded; it may be kept for as long as the program runs. It belongs to one event loop.
    """

    def __init__(self, remember: int = 8192) -> None:
        self._names = Names()
        self._strings: Recent[str, str] = Recent(_clipped, remember)
        self._texts: Recent[str, str] = Recent(lambda text: text, remember)
        self._principals: Recent[Principal, Principal] = Recent(lambda principal: principal, remember)
        self._seconds: Recent[str, int | None] = Recent(moments.seconds, 1024)

    def read(self, raw: str, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Arrival:
        """Read one JSON text, whatever it holds.

        `at` is when a wrapper around the record says that it happened, for records that don't say so. An EventBridge
        envelope is unwrapped. What is not a JSON object becomes an UNREADABLE event with the reason as its error.
        """
        try:
            record = decode(raw)
        except ValueError as error:
            return Arrival(self._unreadable(raw, str(error), seen_by, seen_at, at), {}, raw)
        record = unwrapped(record)
        return Arrival(self.event(record, seen_by=seen_by, seen_at=seen_at, at=at), record, raw)

    def event(self, record: Record, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Event:
        """The event of a record that is already decoded."""
        when, event_id, name, source, region, ip, agent, recipient, code, message = map(_text, map(record.get, _HEADER))
        strings = self._strings
        name, source, region, agent = strings[name], strings[source], strings[region], strings[agent]
        ip, account, code, message = strings[ip], strings[recipient], strings[code], strings[message]

        identity = record.get("userIdentity")
        if not isinstance(identity, dict):
            identity = {"principalId": identity} if isinstance(identity, str) else {}
        access_key = identity.get("accessKeyId")
        access_key = strings[access_key] if type(access_key) is str else ""
        principal = self._principal(identity, account, self._service(record, ip, source))

        secrets, arn = self._secrets(record, account or principal.account, region)
        read_only = record.get("readOnly")
        if type(read_only) is not bool:
            read_only = reads_only(source, name) if read_only not in ("true", "false") else read_only == "true"

        id128, odd_id = _id(event_id, record)
        seconds = self._seconds[when or _text(record.get("@timestamp"))]
        if seconds is None:
            seconds = moments.seconds_of_datetime(at) if at else 0
        return Event(
            seconds << ID_BITS + ACCOUNT_BITS | id128 << ACCOUNT_BITS | _account(account),
            name,
            source,
            secrets[0] if secrets else None,
            principal,
            read_only,
            seen_by,
            seen_at,
            secrets[1:],
            arn,
            access_key,
            ip,
            agent,
            region,
            account,
            code,
            message,
            odd_id,
            self._call_text(name, source, secrets, arn, code, message),
            self._caller_text(principal, agent, region, account, ip, access_key),
        )

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs of secrets since last asked that turned out to be one: what was said of the first is the second's."""
        return self._names.renamed()

    def _unreadable(self, raw: str, reason: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Event:
        digest = _digest(raw.encode("utf-8", "surrogatepass"))
        seconds = moments.seconds_of_datetime(at) if at else 0
        return Event(
            seconds << ID_BITS + ACCOUNT_BITS | digest << ACCOUNT_BITS | _account(""),
            UNREADABLE,
            "",
            None,
            self._principals[Principal(Kind.UNKNOWN, "", "")],
            False,
            seen_by,
            seen_at,
            error_message=self._strings[reason],
            odd_id=f"{_MISSING_ID}{digest:032x}",
            call_text=f"{UNREADABLE}\n{reason}".lower(),
        )

    def _service(self, record: Record, ip: str, source: str) -> str:
        if ip.endswith(".amazonaws.com"):
            return ip
        return source if record.get("eventType") == "AwsServiceEvent" else ""

    def _principal(self, identity: dict[str, Any], account: str, service: str) -> Principal:
        return self._principals[principal_of(identity, recipient=account, service=service)]

    def _secrets(self, record: Record, account: str, region: str) -> tuple[tuple[Secret, ...], str]:
        named = names_in(record)
        if not named:
            return (), ""
        secrets = tuple(dict.fromkeys(self._names.secret(one, account, region) for one in named))
        return secrets, self._strings[named[0].arn]

    def _call_text(self, name: str, source: str, secrets: tuple[Secret, ...], arn: str, code: str, message: str) -> str:
        names = (secret.name for secret in secrets if secret.name not in arn)
        return self._texts["\n".join(filter(None, (name, source, arn, *names, code, message))).lower()]

    def _caller_text(self, by: Principal, agent: str, region: str, account: str, ip: str, access_key: str) -> str:
        words = [by.kind.value, by.name, by.identity, by.session, by.arn, by.account, by.invoked_by]
        words += [agent, region, account]
        words += [odd for odd, plain in ((ip, ip.lower()), (access_key, access_key.upper())) if odd != plain]
        return self._texts["\n".join(filter(None, words)).lower()]


def unwrapped(record: Record) -> Record:
    """The record inside an EventBridge envelope; any other as it is."""
    detail = record.get("detail")
    if isinstance(detail, dict) and "eventName" not in record and ("eventName" in detail or "eventSource" in detail):
        return detail
    return record


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(value: Any) -> str:
    """A header field as text: strings as they are, null as "", other things as their JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return encode(redact(value), ordered=True)


def _id(event_id: str, record: Record) -> tuple[int, str]:
    """The 128 bits of an eventID and the text of one that is not a canonical UUID."""
    if len(event_id) == 36 and event_id[8:24:5] == "----" and event_id == event_id.lower():
        try:
            bits = unhexlify(event_id.replace("-", ""))
        except (HexError, ValueError):
            bits = b""
        if len(bits) == 16:
            return int.from_bytes(bits), ""
    if event_id:
        return _digest(event_id.encode("utf-8", "surrogatepass")), event_id
    digest = _digest(encode(record, ordered=True).encode())
    return digest, f"{_MISSING_ID}{digest:032x}"


def _digest(data: bytes, bits: int = ID_BITS) -> int:
    return int.from_bytes(blake2b(data, digest_size=bits // 8).digest())


def _account(account: str) -> int:
    """An account as ACCOUNT_BITS bits: its number, or above all numbers a digest of what is no account."""
    if len(account) == 12 and account.isascii() and account.isdecimal():
        return int(account)
    return _ACCOUNTS + _digest(account.encode("utf-8", "surrogatepass"), 64) % ((1 << ACCOUNT_BITS) - _ACCOUNTS)
