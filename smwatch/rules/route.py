"""Which rules and facts an event is for, found without asking every pattern about every record.

Four things make that fast, for the row "rules" of the benchmarks: patterns are indexed by the eventSource and eventName
they require; what else they ask is read from the record's text without decoding it, and who takes the events with the
same answers is worked out once; so is what that means for all events that those who take them don't tell apart, be they
of many sessions; and an event that says all the same as one before, going by what its reader has read of it anyway,
from whichever address, goes where that one went.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from itertools import count, repeat
from operator import attrgetter, call
from typing import Any, TypeAlias

from smwatch.events.event import CALLER_BITS, Arrival, Likeness
from smwatch.events.recent import Recent, mark_of
from smwatch.events.tidy import LONGEST
from smwatch.patterns.conditions import parse_selector
from smwatch.rules.alike import CALLER_MASK, Callers, is_of_caller, of_header, same_if_alike
from smwatch.rules.dimension import deciding
from smwatch.rules.glance import Answers, Glance, Remembered
from smwatch.rules.memory import Generations, Turns
from smwatch.rules.plan import Ask, Plan
from smwatch.rules.stop import Stop, Taker
from smwatch.rules.subject import Subject

KINDS = 4096
"""Kinds of events remembered for each event name, before all are forgotten."""
ANSWERED = 8_192
"""Calls of which answers are remembered for each event name, before all are forgotten."""
PLANS = 16_384
"""Plans of a generation, of which two are kept."""
GONE = 8
"""What goes of what is forgotten with each event that nobody knows what to do with: twice what that may add."""

_OF_SESSION = frozenset(("session", "access_key", "network"))
"""What a Subject has of its session: other sessions of one principal have others."""
_SETTLED = frozenset(map(parse_selector, ("$.eventSource", "$.eventName")))

_numbers = count()

_Taking: TypeAlias = tuple[Taker, tuple[Ask, ...]]
"""Who takes some events, and what has to be asked about each before."""
_Plans: TypeAlias = Generations[Hashable, Plan]
"""By marks of who takes some events and of what these are told apart by: there are tens of thousands, of which the
texts would be kept nowhere else. Serves "memory-flat"."""


class Router:
    """Finds where events have to go."""

    def __init__(self, stops: Sequence[Stop], turns: Turns, *, sparing: bool = False) -> None:
        """`sparing`: its plans are to spare room."""
        self._sparing = sparing
        self._stops = [stop for stop in stops if not stop.never]
        self._routes: Recent[tuple[Any, Any], _Route | None] = Recent(self._route, 2048)
        self._remembered: Remembered = {}
        self._callers = Callers([look for stop in self._stops for look in stop.looks], self._remembered)
        self._everywhere = _Route(self._stops, self._callers, self._remembered, settled=False)
        self._gone: list[dict[Any, Plan]] = []
        """What is forgotten: to have it go at once takes up to 30 ms. Serves "longest stall of the event loop"."""
        self._made: _Plans = Generations(PLANS, self._gone)
        self._common: _Plans = Generations(PLANS, self._gone)
        """What is to be done with events of whichever session, by what those have in common."""
        self.plans: Generations[Likeness | None, Plan] = Generations(PLANS, self._gone)
        """By what `Callers.like` says, where `turn` is the world's: of most events that is their likeness. The others'
        `plan` finds, and those that are lacking."""
        self._turns = turns
        self.turn = 0

    def forget(self) -> None:
        """Forget what can be worked out again, which is mostly for sessions that never come back."""
        for each in (self._made, self._common, self.plans):
            each.forget()

    def _let_go(self) -> None:
        """Have a few things go that are forgotten."""
        gone = self._gone[-1]
        for _ in range(min(GONE, len(gone))):
            _, plan = gone.popitem()
            if plan.deaf is not None:  # else nobody listens: most plans are of an event that came once
                plan.rest()
        if not gone:
            self._gone.pop()

    def plan(self, arrival: Arrival) -> Plan | None:
        """What is to be done with an event, as it is not known yet; None for nothing."""
        if self.turn != self._turns.count:
            # A memory that turns over forgets what it was not asked for, and a plan does not ask.
            self.forget()
            self.turn = self._turns.count
        call = arrival.event.call
        route = self._routes[call.source, call.name] if arrival.decoded is None else self._of(arrival)
        if route is None:
            return None
        likeness = arrival.likeness
        first = None if likeness is None else self._callers.same.get(likeness & CALLER_MASK)
        # Most who come from another address are known: found without a call for each, for the row "rules-varied".
        like = self._callers.like(arrival) if likeness is None or first is None else likeness & ~CALLER_MASK | first
        plans = self.plans
        plan = plans[like] if like in plans.older else plans.get(like)
        if plan is None:
            if self._gone:
                self._let_go()
            kind = route.kind(arrival, like)
            if call.others or arrival.decoded is not None:
                return kind.once
            plan = self._of_kind(kind, Subject(arrival))
            if like is not None and route.alike:
                if len(plans) >= PLANS:  # as `keep` does, which takes a call for each pair that is new; so the next two
                    plans.turn_over()
                plans[like] = plan
        return plan

    def _of_kind(self, kind: _Kind, subject: Subject) -> Plan:
        """The plan of an event of this kind."""
        takers = kind.takers(subject)
        key, made = mark_of((takers.number, takers.apart(subject))), self._made
        plan = made[key] if made.older else made.get(key)
        if plan is None:
            plan = takers.plan(subject, self._common)
            if self._sparing:
                plan.spare()
            if len(made) >= PLANS:
                made.turn_over()
            made[key] = plan
        return plan

    def wants(self, arrival: Arrival) -> bool:
        """Whether a pattern of any stop matches this record."""
        route = self._of(arrival)
        return route is not None and route.wants(arrival)

    def _of(self, arrival: Arrival) -> _Route | None:
        if arrival.decoded is None:
            call = arrival.event.call
            return self._routes[call.source, call.name]
        record = arrival.decoded
        try:
            return self._routes[record.get("eventSource"), record.get("eventName")]
        except TypeError:  # what ought to be text is an object
            return self._everywhere

    def _route(self, key: tuple[Any, Any]) -> _Route | None:
        if not all(isinstance(text, str) and 0 < len(text) < LONGEST for text in key):
            return self._everywhere  # what an event has is not what its record has
        here = [here for stop in self._stops if (here := stop.at(*key)) is not None]
        return _Route(here, self._callers, self._remembered, settled=True) if here else None


class _Kind:
    """Events about which all that can be asked of their records has the same answers."""

    __slots__ = ("_asks", "_needed", "_stops", "_takers", "once")

    def __init__(self, stops: Iterable[Stop], subject: Subject) -> None:
        """The stops that this event, which is one of them, may go to."""
        here = [stop for stop in stops if all(part.ask(subject) for part in stop.told)]
        asked = [[(part.denies or part, part.denies is None) for part in stop.of_caller] for stop in here]
        asks = {part.says: part.ask for of_stop in asked for part, _ in of_stop}
        places = {says: place for place, says in enumerate(asks)}
        self._asks = tuple(asks.values())
        """What is to be asked about the caller and the secret: each once, though many rules ask it, or deny it."""
        self._needed = _attributes(frozenset[str]().union(*(stop.taker.needs for stop in here)))
        """What some of them need: most calls come from no public network, without which six of fifteen take no read."""
        self._stops = [
            (stop.taker, [(places[part.says], yes) for part, yes in of_stop], tuple([part.ask for part in stop.untold]))
            for stop, of_stop in zip(here, asked, strict=True)
        ]
        self._takers: dict[tuple[bool, ...], _Takers] = {}
        self.once = Plan()
        """What to do with an event that is not like others."""
        self.once.takes = tuple(
            [(stop.taker.take, tuple([part.ask for part in (*stop.of_caller, *stop.untold)])) for stop in here]
        )

    def takers(self, subject: Subject) -> _Takers:
        """Who takes those of these events that are by the caller of this one, and about its secret."""
        answers = (*map(bool, map(call, self._asks, repeat(subject))), *map(bool, self._needed(subject)))
        takers = self._takers.get(answers)
        if takers is None:
            here = [
                (taker, left)
                for taker, asked, left in self._stops
                if all(answers[place] is yes for place, yes in asked)
                and all(getattr(subject, need) for need in taker.needs)
            ]
            takers = self._takers[answers] = _Takers(here)
        return takers


class _Takers:
    """Those who take some events of one kind."""

    __slots__ = ("_common", "_common_apart", "_own", "_takers", "apart", "number")

    def __init__(self, takers: Sequence[_Taking]) -> None:
        self.number = next(_numbers)
        """Of no others, be they forgotten."""
        self._takers = takers
        self._common = [taking for taking in takers if _OF_SESSION.isdisjoint(_of(taking))]
        """Those to whom it is the same which of a principal's sessions they are of."""
        self._own = [taking for taking in takers if not _OF_SESSION.isdisjoint(_of(taking))]
        self.apart = _apart(takers)
        """What these events are told apart by: where that is the same, they have one plan."""
        self._common_apart = _apart(self._common)

    def plan(self, subject: Subject, known: _Plans) -> Plan:
        """What to do with all of these events that are not told apart from this one.

        `known`: what was found out before about what sessions have in common.
        """
        if self._common and self._own:
            key = mark_of((self.number, self._common_apart(subject)))
            common = known[key] if known.older else known.get(key)
            if common is None:
                common = _enlisted(Plan(), self._common, subject)
                if len(known) >= PLANS:
                    known.turn_over()
                known[key] = common
            if not common.takes:  # which are to be in the order of all takers
                return _enlisted(Plan(common), self._own, subject)
        return _enlisted(Plan(), self._takers, subject)


def _of(taking: _Taking) -> frozenset[str]:
    return deciding(taking[0].dimensions)


def _apart(takers: Iterable[_Taking]) -> Callable[[Subject], Hashable]:
    """What gets that by which some takers tell events apart."""
    names = set[str]().union(*map(_of, takers))
    return attrgetter(*sorted(names)) if names else lambda _subject: ()


def _attributes(names: Set[str]) -> Callable[[Subject], tuple[Any, ...]]:
    """What gets these attributes of a Subject."""
    match sorted(names):
        case []:
            return lambda _subject: ()
        case [name]:
            return lambda subject: (getattr(subject, name),)
        case several:
            return attrgetter(*several)


def _enlisted(plan: Plan, takers: Iterable[_Taking], subject: Subject) -> Plan:
    for taker, left in takers:
        taker.enlist(plan, subject, left)
    return plan


class _Route:
    """Where events of one source and name can go."""

    def __init__(self, stops: Sequence[Stop], callers: Callers, remembered: Remembered, *, settled: bool) -> None:
        """`settled` says that all events that come here have the same source and name."""
        self._stops = tuple(stops)
        looks = [look for stop in stops for look in stop.looks]
        asked = [look for look in looks if not settled or look[0] not in _SETTLED]
        self.alike = settled and all(map(same_if_alike, asked))
        """Whether events that are `alike` have the same answers."""
        read = of_header if self.alike else lambda _paths: None
        of_call = [look for look in asked if not (self.alike and is_of_caller(look))]
        self._glance = Glance(of_call, read, remembered).answers
        self._callers = callers
        self._calls: dict[int, Answers] = {}
        """What was answered about each, of those that are `alike`: a new pair of them has nothing asked anew."""
        self._kinds: dict[tuple[Answers, Answers], _Kind] = {}

    def kind(self, arrival: Arrival, like: Likeness | None) -> _Kind:
        """The kind of an event; `like`: see Callers."""
        if like is None or not self.alike:
            answers = self._glance(arrival), self._callers.asked(arrival) if self.alike else ()
        else:
            of_call = self._calls.get(like >> CALLER_BITS)
            of_caller = self._callers.answers.get(like & CALLER_MASK)
            answers = (
                self._of_call(arrival, like) if of_call is None else of_call,
                self._callers.answer(arrival, like) if of_caller is None else of_caller,
            )
        kind = self._kinds.get(answers)
        if kind is None:
            if len(self._kinds) >= KINDS:
                self._kinds.clear()
            kind = self._kinds[answers] = _Kind(self._stops, Subject(arrival))
        return kind

    def _of_call(self, arrival: Arrival, like: Likeness) -> Answers:
        """The answers about a call that is not known yet, which are remembered."""
        if len(self._calls) >= ANSWERED:
            self._calls.clear()
        answers = self._calls[like >> CALLER_BITS] = self._glance(arrival)
        return answers

    def wants(self, arrival: Arrival) -> bool:
        """Whether a pattern of any stop matches this record."""
        return any(pattern.matches(arrival.record) for stop in self._stops for pattern in stop.patterns)
