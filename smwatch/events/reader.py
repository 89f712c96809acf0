"""CloudTrail records as events: never refuses one, names the same thing the same way, and is fast."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from itertools import count
from uuid import UUID

import msgspec

from smwatch.events import moments
from smwatch.events.event import (
    ACCESS_KEY,
    ACCOUNT_BITS,
    ADDRESS,
    ID_BITS,
    UNREADABLE,
    Arrival,
    Event,
    SeenBy,
)
from smwatch.events.header import (
    Header,
    Identity,
    Issuer,
    OnBehalfOf,
    Session,
    decode_header,
    header_of,
    unwrapped,
)
from smwatch.events.naming import KMS, SECRETS_MANAGER, named_by, named_in_denial, names_in, resource_arn
from smwatch.events.principal import Kind, Principal, principal_of, principal_of_arn
from smwatch.events.recent import Recent
from smwatch.events.scope import reads_only
from smwatch.events.secret import Lesson, Named, Names, Secret, is_secret_arn
from smwatch.events.tidy import clipped
from smwatch.record import Record, decode, encode

QUICK = 8192
"""Records with more characters are read the long way, which clips their strings, so that none is remembered whole."""

_NO_ID = "no eventID: "
_ACCOUNTS = 10**12
_NOBODY = Principal(Kind.UNKNOWN, "", "")

_Text = str | None
_Who = tuple[_Text, _Text, _Text, _Text]
"""ARN, invokedBy, ARN of the session issuer, recipientAccountId."""
_Client = tuple[_Text, _Text, _Text, _Text, _Text, _Text]
"""The same, Region and user agent."""
_Unnamed = tuple[tuple[_Text, ...], str, _Text, _Text, _Text]
"""All of userIdentity, service, recipientAccountId, Region, user agent."""
_Caller = tuple[Principal, str, str, str, bytes, str, int]
"""Principal, account, Region, user agent, account in the key, caller_text; its number, or 0 if its texts are not whole.
"""
_About = tuple[_Text, _Text, _Text, _Text, _Text, _Text, tuple[Named, ...] | None, _Text, _Text, _Text]
"""Name, source, error code and message, owner, Region; names of secrets, or what was typed, ARN and name told."""
_Call = tuple[str, str, Secret | None, tuple[Secret, ...], str, str, str, str, int, bool]
"""Name, source, secret, others, secret_arn, error code, error message, call_text; its number, or 0 if it is a batch's;
whether it reads only by its name.
"""
_numbers = count(1)
"""Of callers and calls, of all readers."""


class Reader:
    """Reads records one after the other, remembering what helps to read the next: strings, principals, secret names.

    What it remembers is bounded; it may be kept for as long as the program runs. It belongs to one event loop.
    """

    # What many events have in common, the caller and the call, is worked out once and found again by the few strings
    # that it depends on: an event costs little more than those look-ups.

    def __init__(self, remember: int = 4096) -> None:
        self._strings: Recent[_Text, str] = Recent(_kept, remember)
        self._addresses: Recent[_Text, _Text] = Recent(_plain_address, remember)
        self._access_keys: Recent[_Text, _Text] = Recent(_plain_access_key, remember)
        self._texts: Recent[str, str] = Recent(str, remember)
        self._minutes: Recent[str, int] = Recent(_minute, 1024)
        self._principals: Recent[_Who, Principal | None] = Recent(self._make_principal, remember)
        self._callers: Recent[_Client, _Caller | None] = Recent(self._make_caller, remember)
        self._unnamed: Recent[_Unnamed, _Caller] = Recent(self._make_unnamed, remember)
        self._calls: Recent[_About, _Call] = Recent(self._make_call, remember)
        self._names = Names(changed=self._calls.forget)

    def read(self, raw: str, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Arrival:
        """Read one JSON text, whatever it holds.

        `at` is when a wrapper around the record says that it happened, for records that don't say so. An EventBridge
        envelope is unwrapped. What is not a JSON object becomes an UNREADABLE event with the reason as its error.
        """
        try:
            if len(raw) <= QUICK:
                header = decode_header(raw)
                if header.detail is None and header.odd is None:
                    return self._arrival(header, raw, seen_by, seen_at, at)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # what is odd is looked at closely
        try:
            record = decode(raw)
        except ValueError as error:
            return Arrival(self._unreadable(raw, str(error), seen_by, seen_at, at), raw, {})
        record = unwrapped(record)
        arrival = self._arrival(header_of(record), raw, seen_by, seen_at, at)
        arrival.decoded, arrival.header, arrival.likeness = record, None, None
        return arrival

    def event(self, record: Record, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Event:
        """The event of a record that is already decoded and unwrapped."""
        raw = "" if record.get("eventID") else encode(record)
        return self._arrival(header_of(record), raw, seen_by, seen_at, at).event

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

    def _arrival(self, header: Header, raw: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Arrival:
        identity = header.identity or _NO_IDENTITY
        caller, account, region, agent = None, header.account, header.region, header.user_agent
        if identity.arn:
            session = identity.session
            issuer = session.issuer.arn if session and session.issuer else None
            caller = self._callers[identity.arn, identity.invoked_by, issuer, account, region, agent]
        if caller is None:
            caller = self._caller(header, identity)
        principal, account, region, agent, account_bytes, caller_text, caller_number = caller

        address = self._addresses[header.source_ip]
        access_key = self._access_keys[identity.access_key]
        if address is None or access_key is None:
            address, access_key = self._strings[header.source_ip], self._strings[identity.access_key]
            caller_text = self._texts[f"{caller_text}\n{address}\n{access_key}".lower()]

        code, message = header.error_code, header.error_message
        typed = arn = named = plain = None
        source, parameters = header.source, header.parameters
        if source == SECRETS_MANAGER:
            if parameters:
                typed = parameters.secret_id or parameters.name
            if answer := header.response:
                arn, named = answer.told_arn, answer.told_name
            if not arn and (answer := header.extra):
                arn, named = answer.told_arn, named or answer.told_name
            if not arn and header.resources:
                arn = resource_arn(header)
            plain = typed or arn or (message and not (parameters or header.extra or header.details))
        elif source == KMS and parameters and parameters.context and identity.invoked_by == SECRETS_MANAGER:
            plain = arn = parameters.context.secret_arn
        found = None if plain else names_in(header)
        owner = account or principal.account
        call = self._calls[header.name, source, code, message, owner, region, found, typed, arn, named]
        name, source, secret, others, secret_arn, code, message, call_text, call_number, read_only = call
        if (said := header.read_only) is not None:
            read_only = said is True or said == "true" or (read_only and said is not False and said != "false")

        when = header.time or header.timestamp or ""
        try:
            seconds = self._minutes[when[:17]] + _SECONDS[when[17:]]
        except KeyError:
            seconds = _odd_time(when, at)
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
        event = Event(
            _number(seconds.to_bytes(8) + id_bytes + account_bytes),
            name,
            source,
            secret,
            principal,
            read_only,
            seen_by,
            seen_at,
            others,
            secret_arn,
            access_key,
            address,
            agent,
            region,
            account,
            code,
            message,
            odd_id,
            call_text,
            caller_text,
        )
        arrival = Arrival(event, raw, None, header)
        if header.shared_id:
            arrival.shared_id = header.shared_id
        resources = header.resources
        if caller_number and call_number and access_key == (identity.access_key or ""):
            keys = version = stage = context = None
            if parameters is not None:
                version, stage, context = parameters.version_id, parameters.version_stage, parameters.context
                if parameters.key_id is not None or parameters.kms_key_id is not None:
                    keys = parameters.key_id, parameters.kms_key_id
            arrival.likeness = (
                call_number,
                caller_number,
                access_key or identity.access_key,
                address,
                version,
                stage,
                keys,
                context and context.secret_arn,
                (resources[0].arn if len(resources) == 1 else tuple([one.arn for one in resources]))
                if resources
                else 0,
                header.type,
                identity.type,
                identity.scope and identity.scope.issuer_type,
                header.from_console,
                header.vpc_endpoint,
            )
        return arrival

    def _make_principal(self, key: _Who) -> Principal | None:
        arn, invoked_by, issuer, account = key
        by = principal_of_arn(arn or "", invoked_by or "", issuer or "", account or "")
        if by is None:
            return None
        strings = self._strings  # a role has many sessions: they share what they can
        name, identity, account = strings[by.name], strings[by.identity], strings[by.account]
        invoked_by, shared = strings[by.invoked_by], strings[by.shared_role]
        return Principal(by.kind, name, identity, by.session, by.arn, account, invoked_by, shared)

    def _make_caller(self, key: _Client) -> _Caller | None:
        """What `_arrival` looks up by ARN; None where the ARN does not tell who it is."""
        arn, invoked_by, issuer, account, region, agent = key
        principal = self._principals[arn, invoked_by, issuer, account]
        if principal is None:
            return None
        kept = principal.arn == arn and self._strings[agent] == (agent or "")
        return self._calling(principal, account, region, agent, number=next(_numbers) if kept else 0)

    def _caller(self, header: Header, identity: Identity) -> _Caller:
        """The caller whom no ARN names."""
        session, behalf = identity.session, identity.on_behalf_of
        issuer = session.issuer if session else None
        who = (
            *(identity.type, identity.principal_id, identity.arn, identity.account, identity.user_name),
            *(identity.invoked_by, identity.provider),
            *((issuer.arn, issuer.user_name) if issuer else (None, None)),
            *((behalf.user_id, behalf.store_arn) if behalf else (None, None)),
        )
        return self._unnamed[who, _service(header), header.account, header.region, header.user_agent]

    def _make_unnamed(self, key: _Unnamed) -> _Caller:
        who, service, account, region, agent = key
        kind, principal_id, arn, own_account, user_name, invoked_by, provider, *issuer, person, store_arn = who
        identity = Identity(
            type=kind,
            principal_id=principal_id,
            arn=arn,
            account=own_account,
            user_name=user_name,
            session=Session(Issuer(*issuer)),
            invoked_by=invoked_by,
            provider=provider,
            on_behalf_of=OnBehalfOf(person, store_arn),
        )
        principal = principal_of(identity, recipient=account or "", service=service)
        return self._calling(principal, account, region, agent, number=0)

    def _calling(self, by: Principal, account: _Text, region: _Text, agent: _Text, *, number: int) -> _Caller:
        account, region, agent = self._strings[account], self._strings[region], self._strings[agent]
        names = by.arn, by.issuer, by.identity, by.name, by.session, by.account, by.invoked_by, by.kind.value
        text = _search_text(*names, agent, region, account)
        return by, account, region, agent, _account_bytes(account), text, number

    def _make_call(self, key: _About) -> _Call:
        strings = self._strings
        name, source, code, message = strings[key[0]], strings[key[1]], strings[key[2]], strings[key[3]]
        owner, region, found, typed, told, named = key[4] or "", key[5] or "", *key[6:]
        if found is None and source == KMS:
            found = (Named(told, "", True, True),) if told and is_secret_arn(told) else ()
        elif found is None:
            found = named_by(typed, told, named, succeeded=not (code or message)) or named_in_denial(message)
        read_only = reads_only(source, name)
        if not found:
            text = _search_text(name, source, code, message)
            return name, source, None, (), "", code, message, text, next(_numbers), read_only
        secret, *others = self._secrets(found, owner, region)
        arn = strings[found[0].arn]
        text = _search_text(name, source, arn, secret.name, *(one.name for one in others), code, message)
        number = 0 if others else next(_numbers)
        return name, source, secret, tuple(others), arn, code, message, text, number, read_only

    def _secrets(self, found: tuple[Named, ...], owner: str, region: str) -> Iterable[Secret]:
        secrets = [self._names.secret(one, owner, region) for one in found]
        if len(secrets) == 1:
            return secrets
        self._names.together(secrets)
        return dict.fromkeys(secrets)

    def _unreadable(self, raw: str, reason: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Event:
        digest = _digest(raw)
        return Event(
            _number(_odd_time("", at).to_bytes(8) + digest + _account_bytes("")),
            UNREADABLE,
            "",
            None,
            _NOBODY,
            False,
            seen_by,
            seen_at,
            error_message=self._strings[reason],
            odd_id=_NO_ID + digest.hex(),
            call_text=self._texts[_search_text(UNREADABLE, reason)],
        )


_NO_IDENTITY = Identity()


def _kept(text: _Text) -> str:
    return "" if text is None else clipped(text)


def _plain_address(text: _Text) -> _Text:
    """An IP address as it is; None for anything else, which is searched with the rest of the caller."""
    address = _kept(text)
    return None if address.strip(ADDRESS) else address


def _plain_access_key(text: _Text) -> _Text:
    """An access key as it is; None for one that is not all capitals and digits."""
    key = _kept(text)
    return None if key.strip(ACCESS_KEY) else key


def _search_text(*words: str) -> str:
    """One text in which each of `words` is found, in lower case, and no longer than need be."""
    text = ""
    for word in words:
        small = word.lower()
        if small not in text:
            text = f"{text}\n{small}" if text else small
    return text


_number = int.from_bytes  # big-endian, so that keys sort by time first


_SECONDS = {f"{second:02}Z": second for second in range(60)}


def _minute(text: str) -> int:
    """The seconds since the epoch up to an eventTime's minute, as in 2026-11-23T14:05; a KeyError for other texts."""
    seconds = moments.seconds_of_text(f"{text}00Z") if len(text) == 17 and text[16] == ":" else None
    if seconds is None or seconds % 60:
        raise KeyError(text)
    return seconds


def _odd_time(text: str, at: datetime | None) -> int:
    seconds = moments.seconds_of_text(text)
    if seconds is None:
        seconds = moments.seconds_of_datetime(at) if at else 0
    return seconds


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
        return _digest(event_id), event_id
    with suppress(ValueError, RecursionError):  # for where only a header could be read
        raw = encode(unwrapped(decode(raw)), ordered=True)
    digest = _digest(raw)
    return digest, _NO_ID + digest.hex()


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ID_BITS // 8).digest()


def _account_bytes(account: str) -> bytes:
    """The last part of the key: an account's number, or above all numbers a digest of what is no account."""
    if len(account) == 12 and account.isascii() and account.isdecimal():
        number = int(account)
    else:
        number = _ACCOUNTS + _number(_digest(account)) % ((1 << ACCOUNT_BITS) - _ACCOUNTS)
    return number.to_bytes(ACCOUNT_BITS // 8)


def _service(header: Header) -> str:
    """The AWS service that a record without a named caller comes from."""
    if header.source_ip and header.source_ip.endswith(".amazonaws.com"):
        return header.source_ip
    return header.source or "" if header.type == "AwsServiceEvent" else ""
