"""Callers and calls that records have in common: worked out once, and found again by the strings they depend on."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count

from smwatch.events.call import Call, Caller
from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS
from smwatch.events.header import Header, Identity, Issuer, OnBehalfOf, Session
from smwatch.events.naming import KMS, Naming, named_by, named_in_denial, naming_of
from smwatch.events.principal import Principal, principal_of, principal_of_arn
from smwatch.events.recent import Marked, Recent
from smwatch.events.scope import reads_only
from smwatch.events.secret import Named, Names, Secret, is_secret_arn
from smwatch.events.tidy import clipped

_ACCOUNTS = 10**12

_Text = str | None
_Who = tuple[_Text, _Text, _Text, _Text]
"""ARN, invokedBy, ARN of the session issuer, recipientAccountId."""
_Client = tuple[_Text, _Text, _Text, _Text, _Text, _Text]
"""The same, Region and user agent."""
_Unnamed = tuple[tuple[_Text, ...], str, _Text, _Text, _Text]
"""All of userIdentity, service, recipientAccountId, Region, user agent."""
_Known = tuple[Principal, str, str, str, bytes, str, bool]
"""Principal, account, Region, user agent, account in the key, caller_text; whether its texts are whole."""
_From = tuple[*_Client, _Text, _Text, _Text, _Text, _Text, bool | _Text]
"""The same as a _Client; source address, access key, type of identity, what credentials were given to, VPC endpoint and
whether they are of a console's session.
"""
KnownCaller = tuple[Caller, bytes, int]
"""A caller, the account in the key; its number, or 0 if its texts are not whole."""
_About = tuple[_Text, _Text, *Naming, bool, bool]
"""Owner and Region; names; whether the call is KMS's, and whether it succeeded."""
_Secrets = tuple[Secret | None, tuple[Secret, ...], str, str]
"""Secret, others, secret_arn, and what they are searched by."""
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
        self.callers: Marked[_From, KnownCaller | None] = Marked(self._make_caller, remember)
        """None where the ARN does not tell who it is; see `unnamed`."""
        self.calls: Marked[_With, KnownCall] = Marked(self._make_call, remember)
        self.names = Names(changed=self._forget)
        self._addresses: Recent[_Text, _Text] = Recent(_plain_address, remember)
        self._access_keys: Recent[_Text, _Text] = Recent(_plain_access_key, parts)
        self._principals: Marked[_Who, Principal | None] = Marked(self._make_principal, parts)
        self._clients: Marked[_Client, _Known | None] = Marked(self._make_client, parts // 4)
        self._unnamed: Recent[_Unnamed, _Known] = Recent(self._make_unnamed, parts)
        self._secrets: Marked[_About, _Secrets] = Marked(self._make_secrets, parts)

    def unnamed(self, header: Header, identity: Identity) -> KnownCaller:
        """The caller whom no ARN names."""
        session, behalf = identity.session, identity.on_behalf_of
        issuer = session.issuer if session else None
        who = (
            *(identity.type, identity.principal_id, identity.arn, identity.account, identity.user_name),
            *(identity.invoked_by, identity.provider),
            *((issuer.arn, issuer.user_name) if issuer else (None, None)),
            *((behalf.user_id, behalf.store_arn) if behalf else (None, None)),
        )
        known = self._unnamed[who, _service(header), header.account, header.region, header.user_agent]
        return self._caller(known, header.source_ip, identity.access_key)

    def _forget(self, secret: Secret | None) -> None:
        """Forget the calls that are about a secret, as its names may be another's; without one, all of them."""
        if secret is None:
            self._secrets.forget()
            self.calls.forget()
        else:
            self._secrets.forget_if(lambda found: found[0] == secret or secret in found[1])
            self.calls.forget_if(lambda known: known[0].secret == secret or secret in known[0].others)

    def _make_caller(self, key: _From) -> KnownCaller | None:
        known = self._clients.of(key[:6])
        return None if known is None else self._caller(known, key[6], key[7])

    def _caller(self, known: _Known, source_ip: _Text, access_key: _Text) -> KnownCaller:
        principal, account, region, agent, account_bytes, text, whole = known
        address, key = self._addresses[source_ip], self._access_keys[access_key]
        if address is None or key is None:
            address = self.strings[source_ip] if address is None else address
            key = self.strings[access_key] if key is None else key
            text = self.texts[f"{text}\n{address}\n{key}".lower()]
        number = next(_numbers) if whole and key == (access_key or "") else 0
        came = key, principal.session, address, agent
        return Caller(principal, account, region, agent, text, address, key, came), account_bytes, number

    def _make_call(self, key: _With) -> KnownCall:
        header, owner, region = key
        strings = self.strings
        name, source = strings[header.name], strings[header.source]
        code, message = strings[header.error_code], strings[header.error_message]
        found, typed, told, named = naming_of(header)
        said, of_kms = header.read_only, source == KMS
        about = self._secrets.of((owner, region, found, typed, told, named, of_kms, not (code or message)))
        if message and found is None and about[0] is None and not of_kms and (denied := named_in_denial(message)):
            about = self._secrets.of((owner, region, denied, None, None, None, False, False))
        secret, others, arn, names = about
        # Interned, as calls of a secret's many versions have one text.
        text = self.texts[search_text(name, source, names, code, message)]
        read_only = reads_only(source, name)
        if said is not None:
            read_only = said is True or said == "true" or (read_only and said is not False and said != "false")
        number = 0 if others else next(_numbers)
        return Call(name, source, secret, others, arn, code, message, text, read_only), number

    def _make_principal(self, key: _Who) -> Principal | None:
        arn, invoked_by, issuer, account = key
        by = principal_of_arn(arn or "", invoked_by or "", issuer or "", account or "")
        if by is None:
            return None
        strings = self.strings  # a role has many sessions: they share what they can
        name, identity, account = strings[by.name], strings[by.identity], strings[by.account]
        invoked_by, shared = strings[by.invoked_by], strings[by.shared_role]
        return Principal(by.kind, name, identity, by.session, by.arn, account, invoked_by, shared)

    def _make_client(self, key: _Client) -> _Known | None:
        arn, invoked_by, issuer, account, region, agent = key
        principal = self._principals.of((arn, invoked_by, issuer, account))
        if principal is None:
            return None
        whole = principal.arn == arn and self.strings[agent] == (agent or "")
        return self._calling(principal, account, region, agent, whole=whole)

    def _make_unnamed(self, key: _Unnamed) -> _Known:
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
        return self._calling(principal, account, region, agent, whole=False)

    def _calling(self, by: Principal, account: _Text, region: _Text, agent: _Text, *, whole: bool) -> _Known:
        account, region, agent = self.strings[account], self.strings[region], self.strings[agent]
        names = by.arn, by.issuer, by.identity, by.name, by.session, by.account, by.invoked_by, by.kind.value
        text = search_text(*names, agent, region, account)
        return by, account, region, agent, bytes_of_account(account), text, whole

    def _make_secrets(self, key: _About) -> _Secrets:
        owner, region, found, typed, told, named, of_kms, succeeded = key
        if found is None and of_kms:
            found = (Named(told, "", True, True),) if told and is_secret_arn(told) else ()
        elif found is None:
            found = named_by(typed, told, named, succeeded=succeeded)
        if not found:
            return None, (), "", ""
        secrets = [self.names.secret(one, owner or "", region or "") for one in found]
        if len(secrets) > 1:
            self.names.together(secrets)
            secrets = list(dict.fromkeys(secrets))
        arn = self.strings[found[0].arn]
        return secrets[0], tuple(secrets[1:]), arn, search_text(arn, *(secret.name for secret in secrets))


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
