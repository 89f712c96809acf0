"""The conditions of a rule beside its pattern: a trait of the event, a pattern, or what else has happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from smwatch import patterns
from smwatch.patterns import Pattern
from smwatch.rules.dimension import Dimension, read_dimension
from smwatch.rules.period import Period, period
from smwatch.rules.times import EVER
from smwatch.rules.trait import TRAITS
from smwatch.rules.wrong import Wrongs


class Look(StrEnum):
    """How a lookup relates the event to a fact; the value is its key in a rule."""

    SEEN = "seen"
    """The fact is known from the event's second or the period before it."""
    NEW = "new"
    """The fact is not known from the period before the event's second, though somebody was watching."""
    FOLLOWS = "follows"
    """The fact comes in the event's second or the period after it."""
    NEAR = "near"
    """The fact comes in the period before or after the event."""
    STEADY = "steady"
    """The fact is known from the period before the event's second, and of none of its `of` for the first time ever."""


class Condition:
    """What a rule asks beside its pattern: a Trait, Matches, Lookup, Any or All."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Trait(Condition):
    """A trait that the event must have, or must not."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Matches(Condition):
    """A filter pattern that the record must match."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Lookup(Condition):
    """A question about what else has happened."""

    look: Look
    fact: str
    """The name of a fact, or a filter pattern."""
    same: tuple[Dimension, ...]
    """What the fact and the event must have in common."""
    within: Period | None = None
    """How far from the event; None for ever."""
    ago: Period = Period(0)  # noqa: RUF009  a value like any other
    """For SEEN: at least how long before the event."""
    warmup: Period = Period(0)  # noqa: RUF009  a value like any other
    """For NEW and STEADY: for how much of the period that account and Region must have been watched."""
    of: Dimension | None = None
    """For STEADY: who, or what, must be the same ones."""

    @property
    def seconds(self) -> int:
        """How many seconds from the event it looks; EVER for all that is known."""
        return int(self.within) if self.within is not None else EVER


@dataclass(frozen=True, slots=True)
class Any(Condition):
    """Several lookups of which one must hold."""

    parts: tuple[Lookup, ...]


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Several conditions that must all hold."""

    parts: tuple[Condition, ...]


_LOOKS = tuple(Look)
_KEYS = {"within", "same", "ago", "warmup", "of"}
_GO_WITH = {"ago": (Look.SEEN,), "warmup": (Look.NEW, Look.STEADY), "of": (Look.STEADY,)}
_DEEPEST = 10
"""Lists within lists: more say nothing more."""


def condition(written: object, depth: int = 0) -> Condition:
    """Read a condition as TOML has it; a WrongError says all that is wrong with it.

    `"trait"` and `"!trait"`, `"{ pattern }"`, `{seen = "fact", within = "24h", same = ["secret"]}` (also new, follows,
    near, steady; for seen, follows and near several facts of which one will do), and a list of conditions that must
    all hold.
    """
    match written:
        case str():
            return _of_text(written)
        case list() if depth >= _DEEPEST:
            raise ValueError("conditions are nested too deep")
        case list() if written:
            wrongs = Wrongs()
            deeper = partial(condition, depth=depth + 1)
            parts = [wrongs.read((number,), deeper, part) for number, part in enumerate(written)]
            wrongs.raise_any()
            return All(tuple(part for part in parts if part is not None))
        case Mapping():
            return _lookup(written)
        case _:
            raise ValueError(
                "a condition is a trait, a filter pattern, a table with seen, new, follows, near or steady, or a list"
            )


def lookups(*conditions: Condition) -> tuple[Lookup, ...]:
    """The lookups in these conditions, however deep."""
    found: list[Lookup] = []
    for each in conditions:
        if isinstance(each, Lookup):
            found.append(each)
        elif isinstance(each, All | Any):
            found += lookups(*each.parts)
    return tuple(found)


def traits(*conditions: Condition) -> tuple[Trait, ...]:
    """The traits in these conditions, however deep."""
    found: list[Trait] = []
    for each in conditions:
        if isinstance(each, Trait):
            found.append(each)
        elif isinstance(each, All):
            found += traits(*each.parts)
    return tuple(found)


def historic(condition: Condition, *, distinct: bool = False) -> bool:
    """Whether a condition asks what else has happened, or is known.

    Rules with `distinct` ask that of values, which don't tell all accounts of their events: who is a stranger they ask
    of each event, by the lists alone.
    """
    asked = [TRAITS[trait.name] for trait in traits(condition)]
    return bool(lookups(condition)) or any(
        trait.history or (trait.foreign is not None and not distinct) for trait in asked
    )


def of_values(condition: Condition) -> bool:
    """Whether it can be asked of the values of an event, without the event."""
    match condition:
        case Lookup() | Any():
            return True
        case Trait(name):
            return bool(TRAITS[name].history)
        case All(parts):
            return all(map(of_values, parts))
        case _:
            return False


def timeless(condition: Condition) -> bool:
    """Whether what else has happened answers it alike for all events with the same values, whenever each happened."""
    return isinstance(condition, Trait) and condition.name == "rotation_actor"


def _of_text(text: str) -> Condition:
    if text.lstrip().startswith("{"):
        return Matches(patterns.compile(text))
    name = text.removeprefix("!")
    if name not in TRAITS:
        raise ValueError(f"there is no trait {name!r}: use one of {', '.join(sorted(TRAITS))}")
    return Trait(name, negated=name != text)


def _lookup(written: Mapping[str, object]) -> Lookup | Any:
    wrongs = Wrongs()
    asked = [look for look in _LOOKS if look in written]
    _see_keys(written, asked, wrongs)
    facts: list[str | None] = []
    for each in asked:
        value = written[each]
        if isinstance(value, list) and value and each not in (Look.NEW, Look.STEADY):
            facts += [wrongs.read((each.value, number), _fact, one) for number, one in enumerate(value)]
        else:
            facts.append(wrongs.read((each.value,), _fact, value))
    names = written.get("same", ["secret"])
    if not isinstance(names, list) or not names:
        wrongs.note(("same",), "is a list of dimensions")
        names = []
    same = [wrongs.read(("same", number), read_dimension, name) for number, name in enumerate(names)]
    periods = {key: wrongs.read((key,), period, written[key]) for key in ("within", "ago", "warmup") if key in written}
    of = wrongs.read(("of",), read_dimension, written["of"]) if "of" in written else None
    whole = of is not None and of not in same and len(same) == 1 and "within" in written
    if Look.STEADY in asked and not whole and not wrongs.problems:
        wrongs.note((), "steady needs within, same with one dimension, and another one as of")
    wrongs.raise_any()
    (look,) = asked
    found = tuple(
        Lookup(
            look=look,
            fact=fact,
            same=tuple(each for each in same if each is not None),
            within=periods.get("within"),
            ago=periods.get("ago") or Period(0),
            warmup=periods.get("warmup") or Period(0),
            of=of,
        )
        for fact in facts
        if fact is not None
    )
    return Any(found) if isinstance(written[look], list) else found[0]


def _see_keys(written: Mapping[str, object], asked: Sequence[Look], wrongs: Wrongs) -> None:
    """Note which keys of a lookup there are none of, or that don't go together."""
    if len(asked) != 1:
        wrongs.note((), "a lookup has exactly one of seen, new, follows, near and steady")
    for key in written:
        if key not in _KEYS and key not in _LOOKS:
            wrongs.note((key,), "a lookup has no such key: use within, same, ago, warmup and of")
    for key, looks in _GO_WITH.items():
        if key in written and not set(looks).intersection(asked):
            wrongs.note((key,), f"goes with {' and '.join(looks)}")


def _fact(written: object) -> str:
    """The name of a fact, or the filter pattern in the place of one."""
    if not isinstance(written, str) or not written:
        raise ValueError("names a fact or holds a filter pattern")
    if written.lstrip().startswith("{"):
        patterns.compile(written)
    return written
