"""Callers and calls that records have in common: worked out once, and found again by the strings they depend on."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count

import msgspec

from smwatch.events.call import Call, Caller, Came
from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS
from smwatch.events.header import Header, Identity, whole
from smwatch.events.naming import KMS, SECRETS_MANAGER, Naming, named_by, named_in_denial, naming_of
from smwatch.events.principal import Principal, is_role_in_session, principal_of, principal_of_arn
from smwatch.events.recent import Marked, Recent, mark_of
from smwatch.events.scope import reads_only
from smwatch.events.secret import Named, Names, Secret, is_secret_arn
from smwatch.events.tidy import LONGEST, clipped

LATELY = 100_000
"""Records after which callers that none of them had are forgotten, or will be after as many more: one that comes less
often costs next to nothing to make again, and each session has some that never come back. Serves "memory-flat".
"""
_ACCOUNTS = 10**12
SERVICE_EVENT = "AwsServiceEvent"
"""The type of what an AWS service does by itself."""
_SERVICES = ".amazonaws.com"
"""The end of what stands for a source address where an AWS service calls."""

_Text = str | None
By = tuple[bytes, _Text, _Text, _Text, _Text, bool | _Text, _Text, _Text]
"""userIdentity as it is written; recipientAccountId, Region, user agent, VPC endpoint, whether the credentials are of a
console; the source of what AWS does by itself; source address. All that a caller is made of, and that rules ask of it.
"""
_Named = tuple[str, _Text, _Text, _Text, _Text, _Text]
"""ARN (a role's without the session), invokedBy, ARN of the session issuer; recipientAccountId, Region, user agent."""
_From = tuple[Header, str, bool]
"""All that a caller is made of; the address as the caller has it, and whether it has characters that ADDRESS lacks."""
KnownCaller = tuple[Caller, int, bytes, bool]
"""A caller; its number, or 0 if its texts are not whole; the account in the key; whether Secrets Manager called for it.
"""


class Client(msgspec.Struct, gc=False):
    """What callers have in common that differ in their sessions, access keys and addresses alone."""

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


_About = tuple[_Text, _Text, *Naming, bool, bool]
"""Owner and Region; names; whether the call is KMS's, and whether it succeeded."""


class Subject(msgspec.Struct, gc=False):
    """What calls are about that name the same in one way."""

    secret: Secret | None = None
    others: tuple[Secret, ...] = ()
    arn: str = ""
    names: str = ""
    """What these are searched by."""
    searched: tuple[str | None, str] = None, ""
    """What the last kind of such calls is searched by, and its search text: calls of many versions have one."""


_Kind = tuple[str, str, str, bool]
"""Names of event and source, what they are searched by, and whether such calls change nothing, going by them."""
_With = tuple[Header, Caller]
"""All that a call is made of; of the caller only whose the secret is."""
KnownCall = tuple[Call, int]
"""A call; its number, or 0 if it is a batch's."""
_numbers = count(1)
"""Of callers and calls, of all readers."""
_NO_IDENTITY = Identity()


class Known:
    """Callers and calls, found by the strings that tell them apart: an event costs little more than two look-ups.

    One that is new is put together from parts that are mostly known, as a caller comes from many addresses, and a
    secret is asked for in many ways.
    """

    def __init__(self, remember: int) -> None:
        """`remember` is how many callers and calls; half as many of what calls are made of."""
        # So many that most events in the store share theirs: serves "memory-varied".
        parts = remember // 2
        self.strings: Recent[_Text, str] = Recent(_kept, parts)
        self.texts: Recent[str, str] = Recent(str, parts)
        self.callers: Marked[tuple[By, Header], KnownCaller] = Marked(self._make_caller, remember)
        self.calls: Marked[_With, KnownCall] = Marked(self._make_call, remember)
        self.names = Names(changed=self._forget)
        self._remember = remember
        # Of these, equal ones are one object.
        self._addresses: dict[str, str] = {}
        self._principals: dict[Principal, Principal] = {}
        self._clients: Marked[_From, KnownCaller] = Marked(self._first_caller, remember)
        """By all that a caller is made of but its address: one of those that differ in that alone."""
        self._roles: Marked[_Named, Client | None] = Marked(self._make_named, remember)
        """What the sessions of a role have in common, by its ARN in these."""
        self._named: Marked[_Named, Client | None] = Marked(self._make_named, remember)
        """The same of all others whom their ARN names, by that."""
        self._kinds: Recent[tuple[_Text, _Text], _Kind] = Recent(self._make_kind, parts // 4)
        self._subjects: Marked[_About, Subject] = Marked(self._make_subject, parts)

    def age(self) -> None:
        """Forget the callers that were not asked for since this was called last."""
        for parts in (self.callers, self._clients, self._roles, self._named, self.texts):
            parts.age()
        self._addresses.clear()
        self._principals.clear()

    def _make_caller(self, key: tuple[By, Header]) -> KnownCaller:
        by, header = key
        # Most addresses are plain: then another caller is looked for that differs in its address alone. Serves "parse".
        source_ip = by[-1]
        address = self._addresses.get(source_ip or "")
        if address is None:
            if not source_ip or source_ip.strip(ADDRESS) or len(source_ip) > LONGEST:
                return self._first_caller((header, self.strings[source_ip], bool(source_ip)))
            if len(self._addresses) >= self._remember:
                self._addresses.clear()
            address = self._addresses[source_ip] = source_ip
        mark = mark_of(by[:-1])
        alike = self._clients.get(mark)
        if alike is None:
            alike = self._clients.made(mark, (header, address, False))
        caller, number, account, for_secrets_manager = alike
        came = caller.came
        if came.source_ip == address:
            return alike
        access_key = came.access_key
        if access_key.strip(ACCESS_KEY):
            return self._first_caller((header, address, False))
        came = Came(access_key, came.session, address, came.user_agent)
        caller = Caller(caller.principal, caller.account, caller.region, caller.text, came)
        return caller, number and next(_numbers), account, for_secrets_manager

    def _forget(self, secret: Secret | None) -> None:
        """Forget the calls that are about a secret, as its names may be another's; without one, all of them."""
        if secret is None:
            self._subjects.forget()
            self.calls.forget()
        else:
            self._subjects.forget_if(lambda about: about.secret == secret or secret in about.others)
            self.calls.forget_if(lambda known: known[0].secret == secret or secret in known[0].others)

    def _make_call(self, key: _With) -> KnownCall:
        header, caller = key
        if header.source == KMS:
            whole(header)  # for whom the call is made
        strings, owner, region = self.strings, caller.account or caller.principal.account, caller.region
        name, source, of_both, read_only = self._kinds[header.name, header.source]
        code, message = strings[header.error_code], strings[header.error_message]
        found, typed, told, named = naming_of(header)
        said, of_kms = header.read_only, source == KMS
        key_of_subject = owner, region, found, typed, told, named, of_kms, not (code or message)
        mark = mark_of(key_of_subject)
        about = self._subjects.get(mark) or self._subjects.made(mark, key_of_subject)
        if message and found is None and about.secret is None and not of_kms and (denied := named_in_denial(message)):
            about = self._subjects.of((owner, region, denied, None, None, None, False, False))
        of_such, text = about.searched
        if of_such != of_both:
            names = about.names
            text = of_both if names in of_both else f"{of_both}\n{names}" if of_both else names
            about.searched = of_both, text
        if code or message:
            text = self.texts[search_text(text, code, message)]
        if said is not None:
            read_only = said is True or said == "true" or (read_only and said is not False and said != "false")
        number = 0 if about.others else next(_numbers)
        return Call(name, source, about.secret, about.others, about.arn, code, message, text, read_only), number

    def _make_kind(self, key: tuple[_Text, _Text]) -> _Kind:
        name, source = self.strings[key[0]], self.strings[key[1]]
        return name, source, search_text(name, source), reads_only(source, name)

    def _first_caller(self, key: _From) -> KnownCaller:
        header, address, odd = key
        identity = whole(header).identity or _NO_IDENTITY
        arn, session, invoked_by = identity.arn or "", identity.session, identity.invoked_by
        issuer = session.issuer.arn if session is not None and session.issuer is not None else None
        account, region, agent = header.account, header.region, header.user_agent
        # Most sessions of a role come once: what they have in common is worked out once, and found before it is asked
        # whether the ARN is one of a session. Serves "parse".
        role, _, name = arn.rpartition("/")
        of_role = role, invoked_by, issuer, account, region, agent
        mark = mark_of(of_role)
        known = self._roles.get(mark) if name else None
        if known is None and name and is_role_in_session(role):
            known = self._roles.made(mark, of_role)
        if known is not None:
            by = known.principal
            by = Principal(by.kind, by.name, by.identity, name, arn, by.account, by.invoked_by)
        else:
            known = self._named.of((arn, invoked_by, issuer, account, region, agent)) if arn else None
            if known is None:
                by = principal_of(identity, recipient=account or "", service=_service(header))
                known = self._calling(by, account, region, agent, whole=False)
            by = known.principal
        if len(self._principals) > self._remember:
            self._principals.clear()
        by = self._principals.setdefault(by, by)
        small, text, told = by.arn.lower(), known.text, identity.access_key or ""
        if small not in text:
            text = f"{small}\n{text}"
        access_key = told if len(told) <= LONGEST else clipped(told)
        if odd or access_key.strip(ACCESS_KEY):
            text = self.texts[f"{text}\n{address}\n{access_key}".lower()]
        came = Came(access_key, by.session, address, known.user_agent)
        caller = Caller(by, known.account, known.region, text, came)
        number = next(_numbers) if known.whole and access_key == told else 0
        return caller, number, known.account_bytes, SECRETS_MANAGER in (invoked_by, header.source_ip)

    def _make_named(self, key: _Named) -> Client | None:
        arn, invoked_by, issuer, account, region, agent = key
        by = principal_of_arn(arn, invoked_by or "", issuer or "", account or "")
        if by is None:
            return None
        strings = self.strings
        name, identity, own_account = strings[by.name], strings[by.identity], strings[by.account]
        invoked_by, shared = strings[by.invoked_by], strings[by.shared_role]
        by = Principal(by.kind, name, identity, by.session, by.arn, own_account, invoked_by, shared)
        return self._calling(by, account, region, agent, whole=self.strings[agent] == (agent or ""))

    def _calling(self, by: Principal, account: _Text, region: _Text, agent: _Text, *, whole: bool) -> Client:
        account, region, agent = self.strings[account], self.strings[region], self.strings[agent]
        names = by.issuer, by.identity, by.name, by.session, by.account, by.invoked_by, by.kind.value
        text = search_text(*names, agent, region, account)
        return Client(by, account, bytes_of_account(account), region, agent, text, whole)

    def _make_subject(self, key: _About) -> Subject:
        owner, region, found, typed, told, named, of_kms, succeeded = key
        if found is None and of_kms:
            found = (Named(told, "", True, True),) if told and is_secret_arn(told) else ()
        elif found is None:
            found = named_by(typed, told, named, succeeded=succeeded)
        if not found:
            return Subject()
        secret, arn = self.names.secret(found[0], owner or "", region or ""), _kept(found[0].arn)
        if len(found) == 1:
            return Subject(secret, (), arn, search_text(arn, secret.name))
        others = [self.names.secret(one, owner or "", region or "") for one in found[1:]]
        self.names.together((secret, *others))
        secret, *others = dict.fromkeys((secret, *others))
        return Subject(secret, tuple(others), arn, search_text(arn, secret.name, *(other.name for other in others)))


def _kept(text: _Text) -> str:
    return "" if text is None else text if len(text) <= LONGEST else clipped(text)


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
    if header.source_ip and header.source_ip.endswith(_SERVICES):
        return header.source_ip
    return header.source or "" if header.type == SERVICE_EVENT else ""
