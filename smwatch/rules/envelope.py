"""Rules: a filter pattern in a small envelope; read by `decoding`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from smwatch import patterns
from smwatch.patterns import Pattern
from smwatch.rules.alarm import Severity
from smwatch.rules.condition import Condition, lookups, traits
from smwatch.rules.dimension import Dimension
from smwatch.rules.period import Period
from smwatch.rules.trait import TRAITS


class Patterns(tuple[Pattern, ...]):
    """Filter patterns of which one must match."""

    __slots__ = ()


class Grade(Struct, frozen=True, forbid_unknown_fields=True, rename={"condition": "if"}):
    """Events with this condition are worse, or less bad, than the rule says; the first that holds counts."""

    condition: Condition
    severity: Severity
    title: str = ""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """An escalation: more of it, or nearer the end, is worse. Each step asks again for attention.

    One that is less bad than the rule itself stands beside it: over a longer period, say, fewer are bad enough.
    """

    severity: Severity
    min: int = 0
    within: Period = Period(0)
    lead: Period = Period(0)
    title: str = ""


class Count(Struct, frozen=True, forbid_unknown_fields=True):
    """At least `min` events within a period."""

    min: int
    within: Period


class Habit(Struct, frozen=True, forbid_unknown_fields=True):
    """Not an alarm for a principal that did nearly as much on `days` different days of the period before."""

    days: int = 3
    within: Period = Period(14 * 86400)
    factor: float = 1.5


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """And at least this share of all values known by then: of the same account and Region, where `by` has those.

    Nothing is a share of all until that account and Region has been watched for `warmup`: at the start little is known.
    """

    least: float
    known: tuple[str, ...]
    """The facts, named or as patterns, that show a value."""
    warmup: Period = Period(0)


class Distinct(Struct, frozen=True, forbid_unknown_fields=True):
    """At least `min` different values within a period; 1: each of them is evidence, and one alarm counts them."""

    of: Dimension
    min: int
    within: Period
    habit: Habit | None = None
    share: Share | None = None


class FirstSeen(Struct, frozen=True, forbid_unknown_fields=True):
    """The values come together for the first time within a period.

    Nothing is new until `warmup` of that period has been watched, in that account and Region: at the start everything
    would be.
    """

    of: tuple[Dimension, ...]
    within: Period
    warmup: Period = Period(0)
    fact: str = ""
    """What counts as having been seen, where that is more than what the rule itself is about."""


class Sequence(Struct, frozen=True, forbid_unknown_fields=True):
    """The event comes `within` a period after a fact (or before it, with `then`), having something in common with it.

    With `min`, so many events since the last such fact within `burst`: the fact starts the count anew. With `then`,
    `min` is how many different values of `of` the fact has.
    """

    within: Period
    after: str = ""
    then: str = ""
    same: tuple[Dimension, ...] = ()
    min: int = 1
    burst: Period = Period(0)
    of: Dimension | None = None

    @property
    def fact(self) -> str:
        """The fact, whichever side of the event it is on."""
        return self.after or self.then


class Absence(Struct, frozen=True, forbid_unknown_fields=True):
    """The fact does not come within a period after the event."""

    until: str
    within: Period
    same: tuple[Dimension, ...]


class Timer(Struct, frozen=True, forbid_unknown_fields=True):
    """The event still comes when less than `lead` is left to a deadline that an earlier one, the start, has set."""

    start: Patterns
    """What sets the deadline."""
    at: str
    """Selector of the deadline in the start's record."""
    days: str
    """Selector of the days to the deadline, for records that lack it."""
    default_days: int
    """The days to the deadline where neither is said."""
    same: tuple[Dimension, ...]
    lead: Period
    recent: Period
    """How long before the lead an event still counts."""


class Silence(Struct, frozen=True, forbid_unknown_fields=True):
    """A source brings no new events: for longer than `after`, and than `factor` times what is usual (p99 of a day)."""

    after: Period
    factor: float
    arm: int
    """Events a day below which silence is usual."""


class Telling(StrEnum):
    """What else an alarm can say of its secret."""

    READERS = "readers"
    """Who has read it in the days before."""
    CHANGES = "changes"
    """The last changes before, of the secret, its key and what the principal may do: likely causes."""
    DELETION = "deletion"
    """Who deleted it, and when."""
    PROTECTED = "protected"
    """Which secrets hang on the key."""
    VALUES = "values"
    """Each of the different values that are counted, with the first time and the last."""


class Closing(Struct, frozen=True, forbid_unknown_fields=True):
    """What ends an alarm: evidence up to then is dealt with."""

    when: str
    """The name of a fact, or a filter pattern."""
    same: tuple[Dimension, ...]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of the catalogue; see the fields of its parts for what TOML may hold."""

    id: str
    title: str
    severity: Severity
    why: str
    """Why it matters, for someone woken by it."""
    when: Patterns = Patterns()
    """Which records are evidence, as far as a filter pattern can say."""
    only: tuple[Condition, ...] = ()
    """And all of these."""
    unless: tuple[Condition, ...] = ()
    """And none of these."""
    by: tuple[Dimension, ...]
    """What makes one alarm."""
    grade: tuple[Grade, ...] = ()
    count: Count | None = None
    distinct: Distinct | None = None
    first_seen: FirstSeen | None = None
    sequence: Sequence | None = None
    absence: Absence | None = None
    timer: Timer | None = None
    silence: Silence | None = None
    escalate: tuple[Step, ...] = ()
    closed_by: Closing | None = None
    tell: tuple[Telling, ...] = ()
    export: Patterns = Patterns()
    """What to give AWS instead of `when`, where the rest of the rule cannot go with it and `when` alone is too wide."""
    next: tuple[str, ...] = ()
    """Commands to run next; {secret} and other holes are filled in and shell-quoted."""
    mitre: tuple[str, ...] = ()
    noise: str = ""
    """Known false positives."""
    note: str = ""

    @property
    def kind(self) -> str:
        """The stateful wrapper's name, or match."""
        return next((name for name in WRAPPERS if getattr(self, name) is not None), "match")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition it has."""
        return (*self.only, *self.unless, *(grade.condition for grade in self.grade))

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts it refers to, by name or pattern."""
        named = [lookup.fact for lookup in lookups(*self.conditions)]
        named += [part.fact for part in (self.sequence,) if part]
        named += [part.fact for part in (self.first_seen,) if part and part.fact]
        named += [part.until for part in (self.absence,) if part]
        named += [part.when for part in (self.closed_by,) if part]
        named += self.distinct.share.known if self.distinct and self.distinct.share else ()
        named += [fact for telling in self.tell for fact, _ in TELLINGS[telling]]
        for trait in traits(*self.conditions):
            named += [fact for fact, _ in TRAITS[trait.name].history]
        return tuple(dict.fromkeys(named))


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of event that rules look back (or forward) to."""

    when: Patterns
    says: str = ""
    """What it says where it ends an alarm, e.g. "the secret was restored"."""
    notes: bool = False
    """Whether alarms tell which event it was and who made it: for what happens seldom."""


def own_fact(rule: Rule) -> str:
    """What the fact is called by which a rule knows what was seen before: by default what its own pattern matched."""
    return (rule.first_seen.fact if rule.first_seen is not None else "") or f"rule {rule.id}"


def anonymous_fact(pattern: str) -> Fact:
    """The fact that a rule gives as a filter pattern instead of a name."""
    return Fact(Patterns([patterns.compile(pattern)]))


WRAPPERS = ("count", "distinct", "first_seen", "sequence", "absence", "timer", "silence")
TELLINGS: Mapping[Telling, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Telling.READERS: (("reads", ("secret", "identity")),),
    Telling.CHANGES: (
        ("changes", ("secret",)),
        ("uses_for_secrets", ("secret", "key")),
        ("key_changes", ("key",)),
        ("iam_changes", ("iam_name",)),
        ("policy_changes", ("governed", "policy_of_many")),
    ),
    Telling.DELETION: (("deletions", ("secret",)),),
    Telling.PROTECTED: (("uses_for_secrets", ("secret", "key")),),
    Telling.VALUES: (),
}
"""The facts behind what alarms tell, and what they are compared by."""


_PARTS = (Rule, Fact, Grade, Step, Count, Habit, Share, Distinct, FirstSeen, Sequence, Absence, Timer, Silence, Closing)
KEYS = tuple(sorted({name for part in _PARTS for name in part.__struct_encode_fields__}))
"""Every key of a rules file, for those that are nearly right."""


class RuleSet(Struct, frozen=True):
    """The rules in force, with the facts and lists they refer to."""

    rules: tuple[Rule, ...]
    facts: Mapping[str, Fact]
    lists: Mapping[str, tuple[str, ...]]

    def __getitem__(self, name: str) -> Rule:
        for rule in self.rules:
            if rule.id == name:
                return rule
        raise KeyError(name)
