"""Everyone who dealt with one secret: who got the value, who was refused, who changed something."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from smwatch.dossier.bounded import SLACK, Sampled
from smwatch.dossier.dealings import DECRYPT, SECONDS, Dealings, Dealt, moment_of
from smwatch.dossier.outcome import Outcome
from smwatch.events.call import Came
from smwatch.events.event import Event
from smwatch.events.principal import Principal

USERS, TRACES = 1000, 32
"""Principals kept, and traces of each."""
WIDE = 1 << 32
"""Seconds from this one on, as only records that somebody made up have, take eight bytes each instead of four."""
DAY, WEEK = timedelta(days=1), timedelta(days=7)
NEW = DAY
"""A principal is new for this long, if the secret has been known for as long before."""


class Trace(msgspec.Struct, frozen=True):
    """From where and with what a principal came."""

    access_key: str
    session: str
    source_ip: str
    user_agent: str
    last: int
    """Seconds since the epoch."""

    @property
    def last_at(self) -> datetime:
        """When it was seen last."""
        return datetime.fromtimestamp(self.last, UTC)


class User(Dealt, frozen=True):
    """One principal's dealings with the secret, over all its sessions and keys."""

    principal: Principal
    last_read_key: int
    """0 for none, as for the next one."""
    last_write_key: int
    new: bool
    """Seen for the first time lately, at a secret that has been known for longer."""
    sessions: int
    source_ips: int
    user_agents: int
    """Distinct ones among `traces`."""
    traces: tuple[Trace, ...]
    """From where and with what it came, the last seen first."""

    @property
    def last_write_at(self) -> datetime | None:
        """When it last changed something."""
        return moment_of(self.last_write_key) if self.last_write_key else None

    @property
    def last_read_at(self) -> datetime | None:
        """When it last got the value."""
        return moment_of(self.last_read_key) if self.last_read_key else None


class Disclosure(msgspec.Struct, frozen=True):
    """Whether the value has been given out: every successful read is a disclosure."""

    reads: int
    readers: int
    """Distinct principals that got the value."""
    first_at: datetime | None
    last_at: datetime | None
    last_by: Principal | None
    decrypts: int
    """Values decrypted by KMS for principals without a recorded read (a batch by filter names no secret)."""


class Consumer(msgspec.Struct, frozen=True):
    """A principal that will break, or has broken, when the secret goes."""

    user: User
    today: bool
    """It got the value within the last 24 hours, not just within 7 days."""
    broken: bool
    """It has asked for the value within 7 days, and been refused because the secret is marked for deletion."""


class _Ways(msgspec.Struct, gc=False, eq=False):
    """In how many ways one came to a secret, and in which seconds last: of the last TRACES of them all is known.

    Serves "memory-varied" and "memory-flat": half of what a dict of them takes, or a fifth with the keys of the events.
    """

    came: tuple[Came, ...]
    seconds: array[int]

    def note(self, came: Came, second: int) -> None:
        """It came so in this second."""
        if second >= WIDE:
            self.seconds = array("Q", self.seconds)
        try:
            at = self.came.index(came)
        except ValueError:
            self.came += (came,)
            self.seconds += array(self.seconds.typecode, (second,))
            if len(self.came) > TRACES + TRACES // SLACK:
                self._cut()
        else:
            if second > self.seconds[at]:
                self.seconds[at] = second

    def _cut(self) -> None:
        newest = _newest(zip(self.came, self.seconds, strict=True))
        self.came = tuple([came for came, _ in newest])
        self.seconds = array(self.seconds.typecode, [second for _, second in newest])


class _User(Dealings, gc=False, eq=False, kw_only=True):
    principal: Principal
    trace: Came | None = None
    """The only one, as long as there is no other: with most secrets it stays at that. Serves "memory-varied"."""
    traced: int = 0
    """The key of when that was seen last."""
    more: _Ways | None = None
    """All of them, once there are more."""

    @property
    def traces(self) -> Mapping[Came, int]:
        """From where and with what it came, and the seconds of when last."""
        if self.more is not None:
            return dict(zip(self.more.came, self.more.seconds, strict=True))
        return {self.trace: self.traced >> SECONDS} if self.trace is not None else {}

    def note_trace(self, trace: Came, key: int) -> None:
        """Note that it came so."""
        if self.more is None:
            if self.trace is None or self.trace == trace:
                self.trace = trace
                if key > self.traced:
                    self.traced = key
                return
            second = self.traced >> SECONDS
            self.more = _Ways((self.trace,), array("I" if second < WIDE else "Q", (second,)))
            self.trace = None
        self.more.note(trace, key >> SECONDS)

    @property
    def identity(self) -> str:
        return self.principal.identity

    @property
    def reads_or_tries(self) -> bool:
        refused = self.refused
        if refused is None:
            return bool(self.reads)
        return bool(self.reads or refused.denied or self.failed(Outcome.DELETED, Outcome.MISSING, Outcome.FAILED))

    @property
    def last_refused(self) -> int:
        return self.refused.last_refused if self.refused is not None else 0

    @property
    def last_wanted(self) -> int:
        return max(self.last_read, self.last_refused)

    def shown(self, known_since: int, now: datetime) -> User:
        first = moment_of(self.first)
        traces = tuple(_traced(came, second) for came, second in _newest(self.traces.items()))
        return self.told(
            User,
            principal=self.principal,
            last_read_key=self.last_read,
            last_write_key=self.last_write,
            new=now - first < NEW <= first - moment_of(known_since),
            sessions=len({trace.session for trace in traces if trace.session}),
            source_ips=len({trace.source_ip for trace in traces if trace.source_ip}),
            user_agents=len({trace.user_agent for trace in traces if trace.user_agent}),
            traces=traces,
        )


class Users:
    """Everyone's dealings with a secret: of USERS each (a fixed sample if there are more), of the rest together."""

    __slots__ = ("_kept", "_others")

    def __init__(self) -> None:
        self._kept: Sampled[str, _User] = Sampled(USERS)
        self._others: Dealings | None = None

    def note(self, event: Event, how: Outcome | None, times: int, first: int, last: int) -> None:
        """Count an event, or as many that succeeded and are alike: see `Dealings.note`."""
        caller = event.caller
        principal = caller.principal
        user = self._kept.get(principal.identity) or self._new(principal, first)
        if user is None:
            if self._others is None:
                self._others = Dealings(first, first)
            self._others.note(event, how, times, first, last)
            return
        if last > user.last:
            user.principal = principal
        user.note(event, how, times, first, last)
        if event.call.name != DECRYPT:  # there, sourceIPAddress and userAgent are the service's own
            user.note_trace(caller.came, last)

    def absorb(self, other: Users) -> None:
        """Count what `other` has counted too."""
        for identity, theirs in other._kept.items():
            mine = self._kept.get(identity) or self._new(theirs.principal, theirs.first)
            if mine is None:
                self._count_among_others(theirs)
                continue
            if theirs.last > mine.last:
                mine.principal = theirs.principal
            mine.absorb(theirs)
            for trace, second in theirs.traces.items():
                mine.note_trace(trace, second << SECONDS)
        if other._others is not None:
            self._count_among_others(other._others)

    @property
    def others(self) -> int:
        """Events of principals beyond those kept."""
        return self._others.calls if self._others is not None else 0

    def disclosure(self) -> Disclosure:
        """Whether the value has been given out, to how many and to whom last."""
        readers = [user for user in self._kept.values() if user.last_read]
        everyone = list(self._all())
        last = max(readers, key=lambda user: user.last_read, default=None)
        first_key = min((user.first_read for user in everyone if user.first_read), default=0)
        last_key = max((user.last_read for user in everyone), default=0)
        return Disclosure(
            reads=sum(user.reads for user in everyone),
            readers=len(readers),
            first_at=moment_of(first_key) if first_key else None,
            last_at=moment_of(last_key) if last_key else None,
            last_by=last.principal if last is not None else None,
            decrypts=sum(user.decrypts for user in everyone if not user.last_read),
        )

    # Of a thousand each takes 15 us to tell: whoever shows a dozen asks for no more, and how many there are. Serves
    # "longest stall of the event loop".

    def ranked(self, now: datetime) -> tuple[User, ...]:
        """Those with most reads, successful or not, first."""
        return self._shown(_most_first(self._kept.values()), now)

    def readers(self, now: datetime, most: int | None = None) -> tuple[User, ...]:
        """The same of those who got the value or tried to: so many at most, or all."""
        return self._shown(_most_first(self._reading())[:most], now)

    @property
    def number_of_readers(self) -> int:
        """How many there are."""
        return len(self._reading())

    def consumers(self, now: datetime, most: int | None = None) -> tuple[Consumer, ...]:
        """Those that got the value within the last 7 days or would have if it were not for a deletion, latest first."""
        day, week = (int((now - period).timestamp()) << SECONDS for period in (DAY, WEEK))
        found = sorted(self._consuming(now), key=lambda user: (-user.last_wanted, user.identity))[:most]
        return tuple(
            Consumer(shown, user.last_read >= day, user.last_refused >= week)
            for user, shown in zip(found, self._shown(found, now), strict=True)
        )

    def number_of_consumers(self, now: datetime) -> int:
        """How many there are."""
        return len(self._consuming(now))

    def doers(self, now: datetime, most: int | None = None) -> tuple[User, ...]:
        """Those that changed something, the latest first."""
        return self._shown(sorted(self._doing(), key=lambda user: (-user.last_write, user.identity))[:most], now)

    @property
    def number_of_doers(self) -> int:
        """How many there are."""
        return len(self._doing())

    def first_reads(self) -> Iterator[tuple[int, Principal]]:
        """The key of each principal's first successful read."""
        return ((user.first_read, user.principal) for user in self._kept.values() if user.first_read)

    def _reading(self) -> list[_User]:
        return [user for user in self._kept.values() if user.reads_or_tries]

    def _consuming(self, now: datetime) -> list[_User]:
        week = int((now - WEEK).timestamp()) << SECONDS
        return [user for user in self._kept.values() if user.last_wanted >= week]

    def _doing(self) -> list[_User]:
        return [user for user in self._kept.values() if user.writes]

    def _all(self) -> Iterator[Dealings]:
        yield from self._kept.values()
        if self._others is not None:
            yield self._others

    def _shown(self, users: list[_User], now: datetime) -> tuple[User, ...]:
        known_since = min((user.first for user in self._all()), default=0)
        return tuple(user.shown(known_since, now) for user in users)

    def _new(self, principal: Principal, key: int) -> _User | None:
        """Room for a principal not seen before; None if it is counted among the others."""
        identity = principal.identity
        surplus = self._kept.surplus(identity)
        if surplus == identity:
            return None
        if surplus is not None:
            self._count_among_others(self._kept.pop(surplus))
        user = self._kept[identity] = _User(key, key, principal=principal)
        return user

    def _count_among_others(self, dealings: Dealings) -> None:
        if self._others is None:
            self._others = Dealings(dealings.first, dealings.first)
        self._others.absorb(dealings)


def _newest(ways: Iterable[tuple[Came, int]]) -> list[tuple[Came, int]]:
    """The last TRACES of them, newest first; of one second always the same ones."""
    return sorted(ways, key=lambda way: (way[1], *msgspec.structs.astuple(way[0])), reverse=True)[:TRACES]


def _traced(came: Came, second: int) -> Trace:
    return Trace(came.access_key, came.session, came.source_ip, came.user_agent, second)


def _most_first(users: Iterable[_User]) -> list[_User]:
    return sorted(users, key=lambda user: (-user.tried, -user.calls, -user.last, user.identity))
