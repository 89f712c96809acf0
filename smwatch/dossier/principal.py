"""Everything that one principal did: the blast radius when it is not to be trusted any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from smwatch.dossier.bounded import Sampled, latest
from smwatch.dossier.dealings import Dealings, Failure, Trace, moment_of
from smwatch.dossier.outcome import Outcome
from smwatch.events.event import Arrival
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret

SECRETS, SEEN = 5000, 64
"""Secrets kept for a principal (beyond that a fixed sample, the rest counted together), and values of other kinds."""


class Touched(msgspec.Struct, frozen=True):
    """A secret that the principal reached for, and what came of it."""

    secret: Secret
    reads: int
    """Successful ones: the value is known to the principal."""
    denied: int
    deleted: int
    """Reads refused because the secret is marked for deletion or not there."""
    failed: int
    writes: int
    calls: int
    decrypts: int
    """Values decrypted by KMS on the principal's behalf: the second witness of a read."""
    first_key: int
    last_key: int
    last_failure: Failure | None
    traces: tuple[Trace, ...]

    @property
    def first_at(self) -> datetime:
        """When it was first touched."""
        return moment_of(self.first_key)

    @property
    def last_at(self) -> datetime:
        """When it was last touched."""
        return moment_of(self.last_key)

    @property
    def exposed(self) -> bool:
        """Whether the principal got the value."""
        return bool(self.reads or self.decrypts)


class Seen(msgspec.Struct, frozen=True):
    """Something a principal came with or from, and when last."""

    value: str
    last_key: int

    @property
    def last_at(self) -> datetime:
        """When it was last seen."""
        return moment_of(self.last_key)


class PrincipalDossier:
    """What events tell about one principal: the same whatever order they come in, each noted once."""

    __slots__ = (
        "_agents",
        "_ips",
        "_keys",
        "_others",
        "_regions",
        "_secrets",
        "_sessions",
        "denied",
        "events",
        "first_key",
        "last_key",
        "principal",
        "writes",
    )

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        """As the newest event has it: the identity is stable, session and ARN are that event's."""
        self.events = 0
        self.denied = 0
        self.writes = 0
        self.first_key = self.last_key = 0
        self._secrets: Sampled[Secret, Dealings] = Sampled(SECRETS)
        self._others: Dealings | None = None
        self._keys: dict[str, int] = {}
        self._sessions: dict[str, int] = {}
        self._ips: dict[str, int] = {}
        self._agents: dict[str, int] = {}
        self._regions: dict[str, int] = {}

    # -- events in

    def note(self, arrival: Arrival, *, child: bool = False) -> None:
        """Take in an event; `child` says that a BatchGetSecretValue which is noted too has caused it."""
        event = arrival.event
        key = event.key
        self.events += 1
        if key > self.last_key:
            self.last_key, self.principal = key, event.principal
        if key < self.first_key or not self.first_key:
            self.first_key = key
        if event.error_code.startswith("AccessDenied"):
            self.denied += 1
        elif not event.read_only and not event.failed:
            self.writes += 1
        if event.access_key:
            latest(self._keys, event.access_key, key, SEEN)
        if event.principal.session:
            latest(self._sessions, event.principal.session, key, SEEN)
        if event.source_ip:
            latest(self._ips, event.source_ip, key, SEEN)
        if event.user_agent:
            latest(self._agents, event.user_agent, key, SEEN)
        if event.region:
            latest(self._regions, event.region, key, SEEN)
        secret = event.secret
        if secret is not None:
            (self._secrets.get(secret) or self._new(secret)).note(arrival, child)
            for secret in event.others:
                (self._secrets.get(secret) or self._new(secret)).note(arrival, child)

    def folded(self, renames: Mapping[Secret, Secret]) -> PrincipalDossier:
        """The same dossier after what looked like two secrets has turned out to be one; itself if it knows neither."""
        if renames.keys().isdisjoint(self._secrets):
            return self
        folded = PrincipalDossier(self.principal)
        for name in self.__slots__:
            if name not in ("_secrets", "_others"):
                setattr(folded, name, getattr(self, name))
        if self._others is not None:
            folded._others = Dealings()
            folded._others.absorb(self._others)
        for secret, dealings in self._secrets.items():
            right = renames.get(secret, secret)
            (folded._secrets.get(right) or folded._new(right)).absorb(dealings)
        return folded

    # -- reading

    @property
    def secrets(self) -> tuple[Touched, ...]:
        """Every secret it touched, in the order it came to them."""
        found = sorted(self._secrets.items(), key=lambda kv: (kv[1].first, kv[0]))
        return tuple(_touched(secret, dealings) for secret, dealings in found)

    @property
    def others(self) -> int:
        """Events on secrets beyond the SECRETS that are kept."""
        return self._others.calls if self._others is not None else 0

    @property
    def access_keys(self) -> tuple[Seen, ...]:
        """Access keys it used, the last seen first; so for the others below."""
        return _seen(self._keys)

    @property
    def sessions(self) -> tuple[Seen, ...]:
        """Role session names."""
        return _seen(self._sessions)

    @property
    def source_ips(self) -> tuple[Seen, ...]:
        """Source IP addresses, or the names of services that called for it."""
        return _seen(self._ips)

    @property
    def user_agents(self) -> tuple[Seen, ...]:
        """User agents."""
        return _seen(self._agents)

    @property
    def regions(self) -> tuple[Seen, ...]:
        """AWS regions."""
        return _seen(self._regions)

    # -- how

    def _new(self, secret: Secret) -> Dealings:
        surplus = self._secrets.surplus(secret)
        if surplus is not None:
            if self._others is None:
                self._others = Dealings()
            if surplus == secret:
                return self._others
            self._others.absorb(self._secrets.pop(surplus))
        dealings = self._secrets[secret] = Dealings()
        return dealings


def _touched(secret: Secret, dealings: Dealings) -> Touched:
    failures = dealings.failures
    return Touched(
        secret=secret,
        reads=dealings.reads,
        denied=dealings.denied,
        deleted=failures.get(Outcome.DELETED, 0) + failures.get(Outcome.MISSING, 0),
        failed=failures.get(Outcome.FAILED, 0),
        writes=dealings.writes,
        calls=dealings.calls,
        decrypts=dealings.decrypts,
        first_key=dealings.first,
        last_key=dealings.last,
        last_failure=dealings.last_failure,
        traces=dealings.shown_traces(),
    )


def _seen(known: dict[str, int]) -> tuple[Seen, ...]:
    return tuple(Seen(value, key) for value, key in sorted(known.items(), key=lambda kv: (-kv[1], kv[0])))
