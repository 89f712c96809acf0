"""CloudTrail records as events: never refuses one, names the same thing the same way, and is fast."""

from __future__ import annotations

from binascii import unhexlify
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b

import msgspec

from smwatch.events import moments
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, UNREADABLE, Arrival, Event, SeenBy
from smwatch.events.header import Header, Identity, decode_header, header_of, unwrapped
from smwatch.events.naming import KMS, SECRETS_MANAGER, named_by, names_in, resource_arn
from smwatch.events.principal import Kind, Principal, principal_of, principal_of_arn
from smwatch.events.recent import Recent
from smwatch.events.scope import reads_only
from smwatch.events.secret import Named, Names, Secret
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
_Unnamed = tuple[tuple[_Text, _Text, _Text, _Text, _Text], str, _Text, _Text, _Text]
"""Fields of userIdentity, service, recipientAccountId, Region, user agent."""
_Caller = tuple[Principal, str, str, str, bytes, str]
"""Principal, account, Region, user agent, account in the key, caller_text."""
_About = tuple[_Text, _Text, _Text, _Text, _Text, _Text, tuple[Named, ...] | None, _Text, _Text, _Text]
"""Name, source, error code and message, owner, Region; names of secrets, or what was typed, ARN and name told."""
_Call = tuple[str, str, Secret | None, tuple[Secret, ...], str, str, str, str, bool]
"""Name, source, secret, others, secret_arn, error code, error message, call_text, whether it reads only by its name."""


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
        self._times: Recent[_Text, bytes | None] = Recent(_time_of_text, 1024)
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
                    return Arrival(self._event(header, raw, seen_by, seen_at, at), raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # what is odd is looked at closely
        try:
            record = decode(raw)
        except ValueError as error:
            return Arrival(self._unreadable(raw, str(error), seen_by, seen_at, at), raw, {})
        record = unwrapped(record)
        return Arrival(self._event(header_of(record), raw, seen_by, seen_at, at), raw, record)

    def event(self, record: Record, *, seen_by: SeenBy, seen_at: datetime, at: datetime | None = None) -> Event:
        """The event of a record that is already decoded and unwrapped."""
        return self._event(header_of(record), "" if record.get("eventID") else encode(record), seen_by, seen_at, at)

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs of secrets since last asked that turned out to be one: what was said of the first is the second's."""
        return self._names.renamed()

    def _event(self, header: Header, raw: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Event:
        identity = header.identity or _NO_IDENTITY
        session = identity.session
        issuer = session.issuer.arn if session and session.issuer else None
        account, region, agent = header.account, header.region, header.user_agent
        caller = self._callers[identity.arn, identity.invoked_by, issuer, account, region, agent]
        if caller is None:
            caller = self._caller(header, identity)
        principal, account, region, agent, account_bytes, caller_text = caller

        address = self._addresses[header.source_ip]
        access_key = self._access_keys[identity.access_key]
        if address is None or access_key is None:
            address, access_key = self._strings[header.source_ip], self._strings[identity.access_key]
            caller_text = self._texts[f"{caller_text}\n{address}\n{access_key}".lower()]

        typed = arn = named = None
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
        elif source == KMS and parameters and parameters.context and identity.invoked_by == SECRETS_MANAGER:
            arn = parameters.context.secret_arn
        owner = account or principal.account
        code, message = header.error_code, header.error_message
        found = None if typed or arn else names_in(header)
        call = self._calls[header.name, source, code, message, owner, region, found, typed, arn, named]
        name, source, secret, others, secret_arn, code, message, call_text, read_only = call
        if (said := header.read_only) is not None:
            read_only = said is True or said == "true" or (read_only and said is not False and said != "false")

        time_bytes = self._times[header.time or header.timestamp] or _time_bytes(at)
        event_id, odd_id = header.id or "", ""
        digits = event_id.replace("-", "")
        try:
            id_bytes = unhexlify(digits)
        except ValueError:
            id_bytes = b""
        if id_bytes.hex() != digits or len(event_id) != 36 or event_id[8:24:5] != "----":
            id_bytes, odd_id = _odd_id(event_id, raw)
        return Event(
            _number(time_bytes + id_bytes + account_bytes),
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

    def _make_principal(self, key: _Who) -> Principal | None:
        arn, invoked_by, issuer, account = key
        return principal_of_arn(arn or "", self._strings[invoked_by], issuer or "", account or "")

    def _make_caller(self, key: _Client) -> _Caller | None:
        """What `_event` looks up by ARN; None where the ARN does not tell who it is."""
        arn, invoked_by, issuer, account, region, agent = key
        principal = self._principals[arn, invoked_by, issuer, account]
        return self._calling(principal, account, region, agent) if principal else None

    def _caller(self, header: Header, identity: Identity) -> _Caller:
        """The caller whom no ARN names."""
        if identity.session or identity.on_behalf_of or identity.provider:
            principal = principal_of(identity, recipient=header.account or "")
            return self._calling(principal, header.account, header.region, header.user_agent)
        who = identity.type, identity.principal_id, identity.account, identity.user_name, identity.invoked_by
        return self._unnamed[who, _service(header), header.account, header.region, header.user_agent]

    def _make_unnamed(self, key: _Unnamed) -> _Caller:
        (kind, principal_id, own_account, user_name, invoked_by), service, account, region, agent = key
        identity = Identity(kind, principal_id, None, own_account, None, user_name, None, invoked_by)
        principal = principal_of(identity, recipient=account or "", service=service)
        return self._calling(principal, account, region, agent)

    def _calling(self, by: Principal, account: _Text, region: _Text, agent: _Text) -> _Caller:
        account, region, agent = self._strings[account], self._strings[region], self._strings[agent]
        names = (by.kind.value, by.name, by.identity, by.session, by.arn, by.account, by.invoked_by)
        text = _search_text(*names, agent, region, account)
        return by, account, region, agent, _account_bytes(account), text

    def _make_call(self, key: _About) -> _Call:
        strings = self._strings
        name, source, code, message = strings[key[0]], strings[key[1]], strings[key[2]], strings[key[3]]
        owner, region, found, typed, told, named = key[4] or "", key[5] or "", *key[6:]
        if found is None:
            found = named_by(typed, told, named, succeeded=source == KMS or not (code or message))
        read_only = reads_only(source, name)
        if not found:
            return name, source, None, (), "", code, message, _search_text(name, source, code, message), read_only
        secret = self._names.secret(found[0], owner, region)
        others = {self._names.secret(one, owner, region): None for one in found[1:]}
        others.pop(secret, None)
        arn = strings[found[0].arn]
        names = [one.name for one in (secret, *others) if one.name not in arn]
        text = _search_text(name, source, arn, *names, code, message)
        return name, source, secret, tuple(others), arn, code, message, text, read_only

    def _unreadable(self, raw: str, reason: str, seen_by: SeenBy, seen_at: datetime, at: datetime | None) -> Event:
        digest = _digest(raw)
        return Event(
            _number(_time_bytes(at) + digest + _account_bytes("")),
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
    """An address as it is; None for one with capitals, which a search in lower case would miss."""
    address = _kept(text)
    return address if address == address.lower() else None


def _plain_access_key(text: _Text) -> _Text:
    """An access key as it is; None for one that is not all capitals and digits."""
    key = _kept(text)
    return key if key.isascii() and key == key.upper() else None


def _search_text(*words: str) -> str:
    return "\n".join(filter(None, words)).lower()


_number = int.from_bytes  # big-endian, so that keys sort by time first


def _time_of_text(text: _Text) -> bytes | None:
    """The first part of the key for an eventTime; None for what is no time."""
    seconds = moments.seconds_of_text(text) if text else None
    return None if seconds is None else seconds.to_bytes(8)


def _time_bytes(at: datetime | None) -> bytes:
    return moments.seconds_of_datetime(at).to_bytes(8) if at else bytes(8)


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
