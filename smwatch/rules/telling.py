"""What an alarm tells beside its evidence: who still reads the secret, what was changed before, who deleted it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, compress, count
from operator import ne
from typing import NamedTuple, TypeAlias, assert_never

from smwatch.events.secret import Secret
from smwatch.rules.answer import Watched, Whenever
from smwatch.rules.causes import CHANGES, causes, causes_of
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value, dimension
from smwatch.rules.envelope import Rule, Telling
from smwatch.rules.group import Group, Known
from smwatch.rules.period import DAY, HOUR
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.timers import Deadlines
from smwatch.rules.times import EVER, Times
from smwatch.rules.vigil import Want
from smwatch.rules.world import World

READERS = 7 * DAY
"""How far back somebody who read the secret counts as one who needs it."""
UNSETTLED = 2 * HOUR
"""So much of that need not have been watched: the newest events are settled some time after they come."""
REACH = {
    Telling.READERS: READERS,
    Telling.CHANGES: CHANGES,
    Telling.DELETION: EVER,
    Telling.PROTECTED: EVER,
    Telling.VALUES: 0,
}
SHORTEST = 7 * DAY
"""Of the recovery windows that AWS lets one ask for: who chooses it, chooses to leave little time."""
NAMED, PROTECTED = 6, 50
"""Readers, and secrets, that are named."""
LISTED = 100
"""Values of an alarm that are told one by one: the newest."""

_BY_EVIDENCE = frozenset((Telling.DELETION, Telling.VALUES))
"""What hangs on the last of the evidence, or on all of it."""

_SECRET, _KEY = DIMENSIONS["secret"], DIMENSIONS["key"]


Seen: TypeAlias = tuple[int, int, Value]
"""The first and the last second in which one of the values was seen that an alarm counts, and that value."""


class Told(NamedTuple):
    """What is told of an alarm by when its evidence began alone: it stands while more and more of that comes."""

    first_at: int
    sentences: Mapping[Telling, tuple[str, ...]]


def tell(rule: Rule, world: World, values: Mapping[Dimension, Value], first_at: int) -> Told:
    """What is told of an alarm whose evidence began in this second, but for its deletion and the values it counts."""
    stay = (telling for telling in rule.tell if telling not in _BY_EVIDENCE)
    return Told(first_at, {each: tuple(_told(each, rule, world, values, first_at, first_at)) for each in stay})


def sentences(told: Told, rule: Rule, world: World, values: Mapping[Dimension, Value], last_at: int) -> tuple[str, ...]:
    """All the sentences for an alarm of which so much is told and whose evidence ends in this second."""
    found: list[str] = []
    for telling in rule.tell:
        known = told.sentences.get(telling)
        found += known if known is not None else _told(telling, rule, world, values, told.first_at, last_at)
    return tuple(found)


def values_alone(rule: Rule) -> bool:
    """Whether alarms of a rule tell of nothing but the values that they count."""
    return rule.tell == (Telling.VALUES,)


def lasting(rule: Rule) -> bool:
    """Whether what comes after the evidence began changes nothing that is told."""
    return _BY_EVIDENCE.isdisjoint(rule.tell)


def told_of(rule: Rule, world: World, values: Mapping[Dimension, Value]) -> Iterator[Watched]:
    """The facts behind what an alarm tells; there may be more of them once its secret's keys are known."""
    for telling in rule.tell:
        match telling:
            case Telling.READERS:
                yield from _some(_readers_of(world, values))
            case Telling.CHANGES:
                yield from causes_of(world, values)
            case Telling.DELETION:
                if (deadlines := world.deadlines(values)) is not None:
                    yield deadlines
                yield from _some(_of_secret(world, "deletions", values))
            case Telling.PROTECTED:
                yield from map(Whenever, _some(_secrets_of(world, values)))
            case Telling.VALUES:
                pass  # they are the evidence itself
            case _:
                assert_never(telling)


def reach(rule: Rule) -> tuple[int, int]:
    """How many seconds before the first and after the last evidence what is told can still change."""
    return max((REACH[telling] for telling in rule.tell), default=0), 0


def _told(
    telling: Telling, rule: Rule, world: World, values: Mapping[Dimension, Value], first_at: int, last_at: int
) -> Iterator[str]:
    match telling:
        case Telling.READERS:
            if isinstance(known := _readers_of(world, values), Group):
                want = wanted(rule, values, first_at)
                yield _readers(known, first_at, watched=want is not None and world.vigil.enough(want))
        case Telling.CHANGES:
            yield from causes(world, values, first_at)
        case Telling.DELETION:
            known = _of_secret(world, "deletions", values)
            if isinstance(known, Times) and known.notes:  # of most secrets nobody asks further
                yield from _deletion(known, world.deadlines(values), last_at)
        case Telling.PROTECTED:
            if isinstance(known := _secrets_of(world, values), Group) and known.members:
                names = sorted({secret.name for secret in known.members if isinstance(secret, Secret)})
                yield f"known to hang on it: {_some_of(names, PROTECTED)}"
        case Telling.VALUES:
            pass
        case _:
            assert_never(telling)


def _some(known: Known | None) -> Iterator[Known]:
    if known is not None:
        yield known


def _of_secret(world: World, fact: str, values: Mapping[Dimension, Value], of: str = "") -> Known | None:
    return world.known(fact, (_SECRET,), values, dimension(of) if of else None)


def _readers_of(world: World, values: Mapping[Dimension, Value]) -> Known | None:
    return _of_secret(world, "reads", values, "identity")


def _secrets_of(world: World, values: Mapping[Dimension, Value]) -> Known | None:
    """The secrets that are known to be protected by the key that the alarm is about."""
    return world.known("uses_for_secrets", (_KEY,), values)


def wanted(rule: Rule, values: Mapping[Dimension, Value], first_at: int) -> Want | None:
    """For how long somebody must have been watching for what is told to be said without reserve."""
    secret = values.get(_SECRET)
    if Telling.READERS not in rule.tell or not isinstance(secret, Secret):
        return None
    return Want((secret.account, secret.region), first_at - READERS, first_at, READERS - UNSETTLED)


def _readers(known: Group, first_at: int, *, watched: bool) -> str:
    readers = sorted(_short(str(reader)) for reader in known.among(first_at - READERS, first_at))
    if not readers:
        reserve = "" if watched else ", not all of which were watched"
        return f"nobody is known to have read it in the 7 days before{reserve}"
    return f"read in the 7 days before by {_some_of(readers, NAMED)}"


def _some_of(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _deletion(known: Times, deadlines: Deadlines | None, last_at: int) -> Iterator[str]:
    earlier = [note for note in known.notes or () if note[0] >> SECOND_BITS <= last_at]
    for key, name, who in earlier[-1:]:
        deleted_at = key >> SECOND_BITS
        until = deadlines.set_at(deleted_at) if deadlines is not None else None
        ends = f", its recovery window ends {_clock(until)}" if until is not None else ""
        if until is not None and until - deleted_at < SHORTEST + DAY:  # windows are days
            ends += " (7 days, the shortest there is)"
        yield f"{name} by {who or 'somebody'} at {_clock(deleted_at)}{ends}"


class Listing:
    """A sentence for each of the values that an alarm counts: what somebody has to see to, one by one.

    One more event changes one of them or two: serves the rows "rules-trouble" and "burst-trouble" of the benchmarks.
    """

    __slots__ = ("_newest", "_told")

    def __init__(self) -> None:
        self._newest: Sequence[Seen] = ()
        """What was told of last."""
        self._told: list[str] = []

    def of(self, newest: Sequence[Seen], values: int) -> tuple[str, ...]:
        """What to say of so many `values`, of which these are the newest LISTED, or all."""
        # Where there are more than are told of, each that comes moves all others by a place.
        since = bisect_left(self._newest, newest[0]) if newest else 0
        before, told = self._newest[since:], self._told[since:][: len(newest)]
        told += [""] * (len(newest) - len(told))
        for place in chain(compress(count(), map(ne, newest, before)), range(len(before), len(newest))):
            first, last, value = newest[place]
            told[place] = _seen(value, first, last)
        self._newest, self._told = newest, told
        if (more := values - len(told)) > 0:
            return f"{more:,} more, earlier than these", *told
        return tuple(told)


# An alarm that lists a hundred values says the same of nearly all of them after each event.
@lru_cache(8192)
def _seen(value: Value, first: int, last: int) -> str:
    name = _named(value)
    until = f"{_minute(last // 60)}:{last % 60:02}Z"
    if first == last:
        return f"{name}: {until}"
    return f"{name}: first {_minute(first // 60)}:{first % 60:02}Z, last {until}"


def _named(value: Value) -> str:
    if isinstance(value, Secret):
        return f"{value.name} in {value.region}" if value.region else value.name
    return value


def _short(identity: str) -> str:
    """What a person calls an identity: the last part of its ARN."""
    return identity.rpartition("/")[2] or identity


def _clock(second: int) -> str:
    minute, second = divmod(min(second, _LAST), 60)
    return f"{_minute(minute)}:{second:02}Z"


# Nearly all that an alarm lists is of the same minutes as the rest, and as what others list.
@lru_cache(8192)
def _minute(minute: int) -> str:
    return f"{datetime.fromtimestamp(60 * minute, UTC):%Y-%m-%d %H:%M}"


_LAST = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())
"""Of the seconds that have a date: a recovery window may end later, if a record says so."""
