"""Everything that one principal did: the blast radius when it is not to be trusted any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import msgpack

from smwatch.dossier.again import Again
from smwatch.dossier.bounded import Sampled, latest, newest
from smwatch.dossier.dealings import SECONDS, Dealings, changes, moment_of
from smwatch.dossier.outcome import Outcome, failure
from smwatch.dossier.touched import Secrets
from smwatch.events.call import Came
from smwatch.events.event import Arrival, Event
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret

SECRETS, SEEN, CAME = 5000, 64, 64
"""Secrets kept for a principal (beyond that a fixed sample, the rest counted together), values of other kinds, and what
it came with that waits to be sorted into these."""
_CAME = "access_key", "session", "source_ip", "user_agent"
_NONE = msgpack.encode({})
_decoder = msgpack.Decoder(dict[str, int])


class Seen(msgspec.Struct, frozen=True):
    """Something a principal came with or from, and when last."""

    value: str
    last: int
    """Seconds since the epoch."""

    @property
    def last_at(self) -> datetime:
        """When it was last seen."""
        return datetime.fromtimestamp(self.last, UTC)


class PrincipalDossier:
    """What events tell about one principal: the same whatever order they come in, each noted once."""

    __slots__ = (
        "_came",
        "_others",
        "_regions",
        "_secrets",
        "_seen",
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
        # What it came with and from is noted in one go, and sorted out into its four kinds later.
        self._came: dict[Came, int] = {}
        self._seen = [_NONE] * len(_CAME)
        """The values of each, the last seen first, with the seconds of when: as bytes in a fifth of what a dict takes,
        as they are seldom looked at. Serves "memory-flat"."""
        self._regions: dict[str, int] = {}

    # -- events in

    def note(self, arrival: Arrival) -> None:
        """Take in an event that was not noted before."""
        event, call = arrival.event, arrival.event.call
        how = None
        if call.error_code or call.error_message:
            how = failure(arrival)
            self.denied += how is Outcome.DENIED
        elif not call.read_only and changes(event):
            self.writes += 1
        self._count(event, how, 1, event.key, event.key)

    def note_again(self, known: Again) -> None:
        """Take in events that are alike, and were not noted before."""
        self._count(known.event, None, known.times, known.first, known.last)

    def _count(self, event: Event, how: Outcome | None, times: int, first: int, last: int) -> None:
        call, caller = event.call, event.caller
        principal = caller.principal
        self.events += times
        if last > self.last_key:
            self.last_key, self.principal = last, principal
        if first < self.first_key or not self.first_key:
            self.first_key = first
        came, regions, region = self._came, self._regions, caller.region
        seen = came.get(caller.came)
        if seen is None:
            came[caller.came] = last
            if len(came) > CAME:
                self._sort_out()
        elif last > seen:
            came[caller.came] = last
        if region in regions:
            if last > regions[region]:
                regions[region] = last
        elif region:
            latest(regions, region, last, SEEN)
        secret = call.secret
        if secret is not None:
            (self._secrets.get(secret) or self._new(secret, first)).note(event, how, times, first, last)
            for secret in call.others:
                (self._secrets.get(secret) or self._new(secret, first)).note(event, how, times, first, last)

    def folded(self, renames: Mapping[Secret, Secret]) -> PrincipalDossier:
        """The same dossier after what looked like two secrets has turned out to be one; itself if it knows neither."""
        if renames.keys().isdisjoint(self._secrets):
            return self
        self._sort_out()
        folded = PrincipalDossier(self.principal)
        folded.events, folded.denied, folded.writes = self.events, self.denied, self.writes
        folded.first_key, folded.last_key = self.first_key, self.last_key
        folded._seen, folded._regions = self._seen, self._regions
        if self._others is not None:
            folded._others = Dealings(self._others.first, self._others.first)
            folded._others.absorb(self._others)
        for secret, dealings in self._secrets.items():
            right = renames.get(secret, secret)
            (folded._secrets.get(right) or folded._new(right, dealings.first)).absorb(dealings)
        return folded

    # -- reading

    @property
    def secrets(self) -> Secrets:
        """Every secret it touched, in the order it came to them."""
        return Secrets(self._secrets)

    @property
    def first_at(self) -> datetime:
        """When it was first seen."""
        return moment_of(self.first_key)

    @property
    def last_at(self) -> datetime:
        """When it was last seen."""
        return moment_of(self.last_key)

    @property
    def others(self) -> int:
        """Events on secrets beyond the SECRETS that are kept."""
        return self._others.calls if self._others is not None else 0

    @property
    def access_keys(self) -> tuple[Seen, ...]:
        """Access keys it used, the last seen first; so for the others below."""
        return self._newest(0)

    @property
    def sessions(self) -> tuple[Seen, ...]:
        """Role session names."""
        return self._newest(1)

    @property
    def source_ips(self) -> tuple[Seen, ...]:
        """Source IP addresses, or the names of services that called for it."""
        return self._newest(2)

    @property
    def user_agents(self) -> tuple[Seen, ...]:
        """User agents."""
        return self._newest(3)

    @property
    def regions(self) -> tuple[Seen, ...]:
        """AWS regions."""
        return tuple(Seen(region, key >> SECONDS) for region, key in newest(self._regions, SEEN))

    # -- how

    def _new(self, secret: Secret, key: int) -> Dealings:
        surplus = self._secrets.surplus(secret)
        if surplus is not None:
            gone = self._secrets.pop(surplus) if surplus != secret else None
            if self._others is None:
                first = gone.first if gone is not None else key
                self._others = Dealings(first, first)
            if gone is None:
                return self._others
            self._others.absorb(gone)
        dealings = self._secrets[secret] = Dealings(key, key)
        return dealings

    def _sort_out(self) -> None:
        """Move what the principal came with and from into a memory for each of the four."""
        if not self._came:
            return
        for which, kind in enumerate(_CAME):
            known = _decoder.decode(self._seen[which])
            for came, key in self._came.items():
                if value := getattr(came, kind):
                    known[value] = max(key >> SECONDS, known.get(value, 0))
            last = sorted(known.items(), key=lambda each: (each[1], each[0]), reverse=True)
            self._seen[which] = msgpack.encode(dict(last[:SEEN]))
        self._came.clear()

    def _newest(self, which: int) -> tuple[Seen, ...]:
        self._sort_out()
        return tuple(Seen(value, last) for value, last in _decoder.decode(self._seen[which]).items())
