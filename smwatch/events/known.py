"""Callers and calls that records have in common: worked out once, and found again by the strings they depend on."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from itertools import count

import msgspec

from smwatch.events.call import Call, Caller
from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS
from smwatch.events.header import Header, Identity, Issuer, OnBehalfOf, Session
from smwatch.events.naming import KMS, Naming, named_by, named_in_denial, naming_of
from smwatch.events.principal import Principal, principal_of, principal_of_arn, role_and_session
from smwatch.events.recent import Marked, Recent
from smwatch.events.scope import reads_only
from smwatch.events.secret import Named, Names, Secret, is_secret_arn
from smwatch.events.tidy import LONGEST, clipped

_ACCOUNTS = 10**12

_Text = str | None
_From = tuple[_Text, _Text, _Text, _Text, _Text, _Text, _Text, _Text, _Text, _Text, bool | _Text]
"""ARN, invokedBy, ARN of the session issuer, recipientAccountId, Region, user agent, access key; type of identity, what
credentials were given to, VPC endpoint and whether they are of a console's session.
"""
_Role = tuple[str, _Text, _Text, _Text, _Text, _Text]
"""The first six of these, the ARN without the session."""
_Unnamed = tuple[tuple[_Text, ...], str, _Text, _Text, _Text, _Text]
"""All of userIdentity, service, recipientAccountId, Region, user agent, access key."""
KnownCaller = tuple[Caller, int]
"""A caller; its number, or 0 if its texts are not whole."""


class Client(msgspec.Struct, gc=False):
    """What callers have in common that differ in their addresses alone."""

    principal: Principal
    account: str
    account_bytes: bytes
    """The account in the key."""
    region: str
    user_agent: str
    text: str
    """Lower-case search text of all of these."""
    whole: bool
    """Whether all texts are as in the record."""
    access_key: str = ""
    callers: dict[_Text, KnownCaller] = msgspec.field(default_factory=dict)
    """By source address: those seen lately."""


_About = tuple[_Text, _Text, *Naming, bool, bool]
"""Owner and Region; names; whether the call is KMS's, and whether it succeeded."""
_Secrets = tuple[Secret | None, tuple[Secret, ...], str, str]
"""Secret, others, secret_arn, and what they are searched by."""
_Kind = tuple[str, str, str, bool]
"""Names of event and source, what they are searched by, and whether such calls change nothing, going by them."""
_With = tuple[Header, str, str]
"""The record's header, owner and Region: all that a call is made of."""
KnownCall = tuple[Call, int]
"""A call; its number, or 0 if it is a batch's."""
_numbers = count(1)
"""Of callers and calls, of all readers."""


class Known:
    """Callers and calls, found by the strings that tell them apart: an event costs little more than two look-ups.

    One that is new is put together from parts that are mostly known, as a caller comes from many addresses, and a
    secret is asked for in many ways.
    """

    def __init__(self, remember: int) -> None:
        """`remember` is how many callers and calls; half as many of their parts."""
        # So many that most events in the store share theirs: serves "memory-varied".
        parts = remember // 2
        self.strings: Recent[_Text, str] = Recent(_kept, parts)
        self.texts: Recent[str, str] = Recent(str, parts)
        # They become older with `_make_room`: never by themselves, as each has a caller that is counted.
        self.clients: Marked[_From, Client | None] = Marked(self._make_client, 2 * remember)
        """None where the ARN does not tell who it is; see `unnamed`."""
        self.calls: Marked[_With, KnownCall] = Marked(self._make_call, remember)
        self.names = Names(changed=self._forget)
        self._remember = remember
        self._callers = 0
        """How many were made, or remembered again, since clients became older."""
        self._gone: dict[Hashable, Client | None] = {}
        """Forgotten clients, let go of one by one: serves "longest stall of the event loop"."""
        # Of these, equal ones are one object.
        self._addresses: dict[str, str] = {}
        self._principals: dict[Principal, Principal] = {}
        self._roles: Marked[_Role, Client | None] = Marked(self._make_role, remember)
        self._unnamed: Recent[_Unnamed, Client] = Recent(self._make_unnamed, parts)
        self._kinds: Recent[tuple[_Text, _Text], _Kind] = Recent(self._make_kind, parts // 4)
        self._secrets: Marked[_About, _Secrets] = Marked(self._make_secrets, parts)

    def client(self, mark: Hashable, key: _From) -> Client | None:
        """The client with this key, as for `Marked.made`; None where its ARN does not tell who it is: see `unnamed`."""
        client = self.clients.made(mark, key)
        if client is not None and client.callers:  # it had become older
            if len(client.callers) > self._remember // 2:
                client.callers.clear()
            self._callers += len(client.callers)
            if self._callers > self._remember:
                self._make_room()
        return client

    def unnamed(self, header: Header, identity: Identity) -> Client:
        """The client whom no ARN names."""
        session, behalf = identity.session, identity.on_behalf_of
        issuer = session.issuer if session else None
        who = (
            *(identity.type, identity.principal_id, identity.arn, identity.account, identity.user_name),
            *(identity.invoked_by, identity.provider),
            *((issuer.arn, issuer.user_name) if issuer else (None, None)),
            *((behalf.user_id, behalf.store_arn) if behalf else (None, None)),
        )
        key = who, _service(header), header.account, header.region, header.user_agent, identity.access_key
        return self._unnamed[key]

    def caller(self, client: Client, source_ip: _Text) -> KnownCaller:
        """The caller of a client at an address that it was not seen at lately."""
        self._callers += 1
        if self._callers > self._remember:
            self._make_room()
        if self._gone:
            self._gone.popitem()
        address, text, key, agent = source_ip or "", client.text, client.access_key, client.user_agent
        if address.strip(ADDRESS) or key.strip(ACCESS_KEY) or len(address) > LONGEST:
            address = self.strings[address]
            text = self.texts[f"{text}\n{address}\n{key}".lower()]
        else:
            address = self._addresses.setdefault(address, address)
            source_ip = source_ip and address
        principal = client.principal
        came = key, principal.session, address, agent
        caller = Caller(principal, client.account, client.region, agent, text, address, key, came)
        known = client.callers[source_ip] = caller, next(_numbers) if client.whole else 0
        return known

    def _make_room(self) -> None:
        """Forget the clients that were not asked for in a long while, and what they are made of."""
        self._callers = 0
        if len(self._addresses) > self._remember:
            self._addresses.clear()
        self._principals.clear()
        self._gone = self.clients.aged()
        self._unnamed.forget()

    def _forget(self, secret: Secret | None) -> None:
        """Forget the calls that are about a secret, as its names may be another's; without one, all of them."""
        if secret is None:
            self._secrets.forget()
            self.calls.forget()
        else:
            self._secrets.forget_if(lambda found: found[0] == secret or secret in found[1])
            self.calls.forget_if(lambda known: known[0].secret == secret or secret in known[0].others)

    def _make_call(self, key: _With) -> KnownCall:
        header, owner, region = key
        strings = self.strings
        name, source, of_both, read_only = self._kinds[header.name, header.source]
        code, message = strings[header.error_code], strings[header.error_message]
        found, typed, told, named = naming_of(header)
        said, of_kms = header.read_only, source == KMS
        about = self._secrets.of((owner, region, found, typed, told, named, of_kms, not (code or message)))
        if message and found is None and about[0] is None and not of_kms and (denied := named_in_denial(message)):
            about = self._secrets.of((owner, region, denied, None, None, None, False, False))
        secret, others, arn, names = about
        # Interned, as calls of a secret's many versions have one text.
        text = self.texts[search_text(of_both, names, code, message)]
        if said is not None:
            read_only = said is True or said == "true" or (read_only and said is not False and said != "false")
        number = 0 if others else next(_numbers)
        return Call(name, source, secret, others, arn, code, message, text, read_only), number

    def _make_kind(self, key: tuple[_Text, _Text]) -> _Kind:
        name, source = self.strings[key[0]], self.strings[key[1]]
        return name, source, search_text(name, source), reads_only(source, name)

    def _make_client(self, key: _From) -> Client | None:
        arn = key[0] or ""
        role, session = role_and_session(arn)
        known = self._roles.of((role or arn, *key[1:6]))
        if known is None:
            return None
        by = known.principal
        if role:
            # Most sessions of a role come once: what they have in common is worked out once. Serves "parse".
            by = Principal(by.kind, by.name, by.identity, session, arn, by.account, by.invoked_by)
            by = self._principals.setdefault(by, by)
        return _with_key(known, by, key[6])

    def _make_role(self, key: _Role) -> Client | None:
        """A client without its access key; of a role, what its sessions have in common."""
        arn, invoked_by, issuer, account, region, agent = key
        by = principal_of_arn(arn, invoked_by or "", issuer or "", account or "")
        if by is None:
            return None
        strings = self.strings
        name, identity, own_account = strings[by.name], strings[by.identity], strings[by.account]
        invoked_by, shared = strings[by.invoked_by], strings[by.shared_role]
        by = Principal(by.kind, name, identity, by.session, by.arn, own_account, invoked_by, shared)
        return self._calling(by, account, region, agent, whole=self.strings[agent] == (agent or ""))

    def _make_unnamed(self, key: _Unnamed) -> Client:
        who, service, account, region, agent, access_key = key
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
        return _with_key(self._calling(principal, account, region, agent, whole=False), principal, access_key)

    def _calling(self, by: Principal, account: _Text, region: _Text, agent: _Text, *, whole: bool) -> Client:
        account, region, agent = self.strings[account], self.strings[region], self.strings[agent]
        names = by.issuer, by.identity, by.name, by.session, by.account, by.invoked_by, by.kind.value
        text = search_text(*names, agent, region, account)
        return Client(by, account, bytes_of_account(account), region, agent, text, whole)

    def _make_secrets(self, key: _About) -> _Secrets:
        owner, region, found, typed, told, named, of_kms, succeeded = key
        if found is None and of_kms:
            found = (Named(told, "", True, True),) if told and is_secret_arn(told) else ()
        elif found is None:
            found = named_by(typed, told, named, succeeded=succeeded)
        if not found:
            return None, (), "", ""
        secret, arn = self.names.secret(found[0], owner or "", region or ""), self.strings[found[0].arn]
        if len(found) == 1:
            return secret, (), arn, search_text(arn, secret.name)
        others = [self.names.secret(one, owner or "", region or "") for one in found[1:]]
        self.names.together((secret, *others))
        secret, *others = dict.fromkeys((secret, *others))
        return secret, tuple(others), arn, search_text(arn, secret.name, *(other.name for other in others))


def _kept(text: _Text) -> str:
    return "" if text is None else clipped(text)


def _with_key(known: Client, by: Principal, access_key: _Text) -> Client:
    """The same client by its principal, found by the ARN of that as well, with an access key."""
    arn, text, key = by.arn.lower(), known.text, _kept(access_key)
    if arn not in text:
        text = f"{arn}\n{text}"
    whole = known.whole and key == (access_key or "")
    return Client(by, known.account, known.account_bytes, known.region, known.user_agent, text, whole, key)


def search_text(*words: str) -> str:
    """One text in which each of `words` is found, in lower case, and no longer than need be."""
    text = ""
    for word in words:
        small = word.lower()
        if small not in text:
            text = f"{text}\n{small}" if text else small
    return text


def digest_of(text: str) -> bytes:
    """What stands for a text where a key has room for an eventID."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ID_BITS // 8).digest()


def bytes_of_account(account: str) -> bytes:
    """The last part of the key: an account's number, or above all numbers a digest of what is no account."""
    if len(account) == 12 and account.isascii() and account.isdecimal():
        number = int(account)
    else:
        number = _ACCOUNTS + int.from_bytes(digest_of(account)) % ((1 << ACCOUNT_BITS) - _ACCOUNTS)
    return number.to_bytes(ACCOUNT_BITS // 8)


def _service(header: Header) -> str:
    """The AWS service that a record without a named caller comes from."""
    if header.source_ip and header.source_ip.endswith(".amazonaws.com"):
        return header.source_ip
    return header.source or "" if header.type == "AwsServiceEvent" else ""
