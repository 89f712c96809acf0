"""The engine: events in, alarms out, the same ones in whatever order the events come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from types import MappingProxyType

from smwatch.events import moments
from smwatch.events.event import Arrival
from smwatch.events.renaming import Rename, composed
from smwatch.rules.alarm import Alarm, Decided, Mute, taken_back
from smwatch.rules.cases import Cases
from smwatch.rules.condition import historic
from smwatch.rules.deciding import Deciding
from smwatch.rules.dimension import Renames
from smwatch.rules.dimension import renames as renames_of
from smwatch.rules.envelope import RuleSet
from smwatch.rules.intake import Intake
from smwatch.rules.period import DAY
from smwatch.rules.reach import memory_of
from smwatch.rules.route import Router
from smwatch.rules.spread import KEPT
from smwatch.rules.standing import Compared, Standing
from smwatch.rules.stop import Stop
from smwatch.rules.vigil import Place, Span
from smwatch.rules.world import World

MISTAKEN = "it was about another secret, as is known by now"
DELIVERY = 15 * 60
"""Seconds after which CloudTrail has, in all likelihood, delivered an event."""
RESTS, IDLE = 600, 7_200
"""Seconds after which cases are looked through, for those in which nothing was seen for so many: whoever comes more
often than every two hours has nothing judged again for it."""
FOLDED = 100
"""Cases looked through in one go while names are brought together, where alarms wait for that: 1 to 3 ms."""


class Engine:
    """Judges events by the rules.

    Alarms are a function of the events known, of what was watched, of people's decisions and of the time told: late,
    duplicate and reordered events lead to the same ones, within the bounds stated at MARKS, DOZING, SLOTS, KEPT, TIMES,
    NOTES, CASES, GROUPS, PAIRS and IN_ALL. Nothing here reads a clock. One engine belongs to one thread.

    After a restart, `restore` the alarms that were kept and `judge` the events of the last `memory` again (any order;
    fewer is possible, then rules that look back further stay silent for longer).
    """

    def __init__(self, rules: RuleSet, *, sparing: bool = False) -> None:
        """`sparing`: of events that nobody is told of yet no more is kept than that takes. It is for where they are let
        go of otherwise: where they are kept anyway, it takes time and spares nothing."""
        self.rules = rules
        self.at_once: int | None = None
        """How many alarms are worked out in one go, whatever it is that changes them; None: all.

        For a screen, which stands still meanwhile: `settle` goes on while there are some `unsettled`.
        """
        self._world = world = World(rules)
        self._standing = standing = Standing(world)
        self._cases = cases = Cases(rules.rules, world, standing)
        self._deciding = Deciding(standing, world, cases.of)
        looked_at = [Stop.of(track, fact.when, lists=rules.lists) for fact, track in world.facts]
        facts = looked_at + [Stop.of(timers, timers.timer.start, lists=rules.lists) for timers in world.timers.values()]
        facts += [
            Stop.of(census, world.fact(name).when, lists=rules.lists)
            for census in world.censuses.values()
            for name in census.share.known
        ]
        wanted = [
            Stop.of(
                cases.watches[rule.id],
                rule.when,
                only=[each for each in rule.only if not historic(each, distinct=rule.distinct is not None)],
                unless=[each for each in rule.unless if not historic(each, distinct=rule.distinct is not None)],
                lists=rules.lists,
            )
            for rule in rules.rules
            if rule.silence is None
        ]
        self._route = Router([*facts, *wanted], world.turns, sparing=sparing)
        self._wanted = Router([*wanted, *looked_at], world.turns)
        self._intake = Intake(world, self._route, cases)
        self._folding: Iterator[int] | None = None
        """Goes on with what `fold` has begun."""
        self._right: Renames = {}
        """The right names of what it folds."""
        self._forgetting: Iterator[None] = iter(())
        self._resting: Iterator[None] = iter(())
        self._rests = self._day = 0
        """The last ones of which time was told."""
        self.ticked_at: datetime | None = None
        """The last time that was told."""
        self.memory = memory_of(rules.rules)
        """How far back events bear upon alarms to come."""

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """Every alarm by group, whatever its state."""
        return MappingProxyType(self._standing.alarms)

    @property
    def mutes(self) -> tuple[Mute, ...]:
        """What is muted, also what no longer is."""
        return self._world.mutes

    def selects(self, arrival: Arrival) -> bool:
        """Whether a rule's pattern, or a fact that rules ask or tell of, matches this record, whatever its source."""
        return self._wanted.wants(arrival)

    def judges(self, alarm: Alarm, since: datetime | None) -> bool:
        """Whether events since then show all that this alarm is made of, by the rules in force."""
        return alarm.rule in self._cases.watches and since is not None and alarm.first_at >= since

    # -- what happens

    def judge(self, arrivals: Sequence[Arrival], *, more: bool = False) -> tuple[Alarm, ...]:
        """Take new events in, in any order; the alarms that changed, see `at_once`. With count 0 one is none any more.

        With `more`, none is worked out: it would be once more with the events that come next. `settle` does it.

        Rules look before and after an event, so one without a time is left out. Sources give those records that don't
        say when they happened the time at which they were delivered.
        """
        self._intake.take(arrivals)
        return () if more else self.settle()

    def tick(self, now: datetime) -> tuple[Alarm, ...]:
        """Let time pass; the alarms that changed, and those whose mute has ended.

        In a replay, pass the time of its newest event. While a `fold` goes on, time waits for its end.
        """
        if self._folding is not None:
            return ()
        second = moments.seconds_of_datetime(now)
        self._world.move(second, 0)
        if second // RESTS != self._rests:
            self._rests = second // RESTS
            self._resting = self._rest(second - IDLE)
        if second // DAY != self._day:
            self._day = second // DAY
            self._forgetting = self._forget_before(second - KEPT)
        for chore in (self._resting, self._forgetting):
            for _ in islice(chore, None if self.at_once is None else 1):
                pass
        self._deciding.end_mutes(self.ticked_at or now, now)
        self.ticked_at = now
        return self.settle()

    def fold(self, renames: Iterable[Rename]) -> tuple[Alarm, ...]:
        """What looked like two secrets is one; the alarms that changed, those of the wrong names taken back (count 0).

        Alarms, facts, deadlines and habits are then as if the right names had been known from the start. With `at_once`
        `settle` goes on with that too, before it works out alarms, and time waits for it. What is decided meanwhile
        about one of these secrets first has all of it done.
        """
        self._fold_all()
        right = composed(renames)
        for alarm in tuple(self._standing.alarms.values()):
            if alarm.secret in right:
                self._cases.of(alarm)  # it may have been forgotten
        self._world.fold(right)
        self._right = renames_of(right)
        self._folding = chain.from_iterable([watch.fold(right) for watch in self._cases.watches.values()])
        return self.settle()

    def feed(self, source: str, newest_at: datetime | None, now: datetime, *, more: bool = False) -> tuple[Alarm, ...]:
        """A source has just been read whole, up to `now`, and its newest event is from `newest_at`.

        `more` as for `judge`, and so for the next.
        """
        second = moments.seconds_of_datetime(now)
        self._cases.feeds.heard(source, newest_at, now)
        self._world.move(second, second - DELIVERY)
        return () if more else self.settle()

    def watched(self, place: Place, spans: Iterable[Span], *, more: bool = False) -> tuple[Alarm, ...]:
        """A source of this place, or of all that it stands for, has read these spans whole; the alarms that changed.

        Only spans whose events were given to `judge` are to be told.
        """
        self._world.vigil.read(place, spans)
        self._world.accounts.see(place[0])
        self._world.beginning.cover()
        return () if more else self.settle()

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        return self._folding is not None or self._standing.unsettled

    def settle(self) -> tuple[Alarm, ...]:
        """Work out some more alarms, see `at_once`; those that changed."""
        if self.at_once is None:
            self._fold_all()
        elif self._folding is not None:
            looked_through = 0
            for weight in self._folding:
                looked_through += weight
                if looked_through >= FOLDED:
                    return ()
            self._folding, self._right = None, {}
            return ()
        return self._standing.settle(self.at_once)

    # -- what people decide

    def acknowledge(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> tuple[Alarm, ...]:
        """Somebody has seen an alarm; it asks for attention again when it ends and comes back, or gets worse.

        With `seen`, it is that as which they saw it: what has come since is not decided upon. So it is in `close`.
        """
        return self._deciding.decide(self._folded(group)[group], note, at, seen, closing=False)

    def close(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> tuple[Alarm, ...]:
        """Somebody ends an alarm: evidence newer than what they have seen opens it again."""
        return self._deciding.decide(self._folded(group)[group], note, at, seen, closing=True)

    def mute(self, mute: Mute) -> tuple[Alarm, ...]:
        """Make no noise about a rule, a secret or a principal for a while; a mute in the past ends one.

        Returns the alarms that changed, see `at_once`.
        """
        if mute.secret in self._right:
            self._fold_all()
        self._deciding.mute(mute)
        return tuple(self._standing.tell_remuted(few=self.at_once is not None))

    def compared(self, other: Engine) -> Compared:
        """Go as far with `take_over` as can be done while the other one goes on, in a thread of its own."""
        compared = self._standing.compared(other._standing)
        return compared._replace(changed=self._others(other, compared))

    def take_over(self, other: Engine, compared: Compared | None = None) -> tuple[Alarm, ...]:
        """Go on in the place of another engine: what people have decided there holds, and time is as late.

        Returns the alarms that are other than there, those that are not any more with count 0; in the order in which
        they changed, those last that have changed since they were `compared`. Where they were, once for each time,
        nothing is done about the others: very many take long. Serves "longest stall of the event loop".
        """
        compared = compared or self.compared(other)
        since = compared._replace(differed=frozenset())
        later = self._others(other, since)
        self._standing.note_no_more(compared.here)
        other._standing.note_no_more(compared.there)
        moved = since.doubtful
        return (*(alarm for alarm in compared.changed if alarm.group not in moved), *later)

    def _others(self, other: Engine, compared: Compared) -> tuple[Alarm, ...]:
        """Decide as has been decided on the doubtful ones; those that are others then, in the order of their change."""
        known, mine = other.alarms, self.alarms
        theirs = [alarm for group in compared.doubtful if (alarm := known.get(group)) is not None]
        decided = [(alarm.group, alarm.acknowledged, alarm.closed) for alarm in theirs]
        self.adopt(Decided(tuple(each for each in decided if self._deciding.lacks(*each)), other.mutes))
        if other.ticked_at is not None and other.ticked_at != self.ticked_at:
            self.tick(other.ticked_at)
        changed = list[Alarm]()
        for group in compared.doubtful:
            before, now = known.get(group), mine.get(group)
            if now is not None and now != before:
                changed.append(now)
            elif now is None and before is not None and group not in self._standing.let_go:
                changed.append(taken_back(before, MISTAKEN))
        return tuple(sorted(changed, key=lambda alarm: (alarm.changed_at, alarm.group)))

    def adopt(self, decided: Decided, *, more: bool = False) -> tuple[Alarm, ...]:
        """Take over what was decided elsewhere about alarms known here; those that changed, see `at_once`."""
        here = self._folded(*(group for group, _, _ in decided.alarms))
        if any(mute.secret in self._right for mute in decided.mutes):
            self._fold_all()
        alarms = tuple((here[group], acknowledged, closed) for group, acknowledged, closed in decided.alarms)
        changed = self._deciding.adopt(Decided(alarms, decided.mutes))
        settled = () if more else self.settle()
        return tuple((changed | {alarm.group: alarm for alarm in settled}).values())

    @property
    def known_since(self) -> datetime | None:
        """The time of the oldest event known, or known before a restart: what was kept goes back as far."""
        began = self._world.beginning
        known = [second for second in (began.at, began.before) if second is not None]
        return datetime.fromtimestamp(min(known), UTC) if known else None

    def restore(
        self,
        alarms: Iterable[Alarm],
        mutes: Iterable[Mute] = (),
        known_since: datetime | None = None,
        *,
        watched_follows: bool = False,
    ) -> None:
        """Go on from alarms (and mutes) that were kept, before any event is judged.

        What they say holds until events are known again since then (`known_since`, as it was) and are judged anew; with
        `watched_follows` not before it is told what had been watched, either, of which some may hang on that.
        """
        self._world.beginning.covered = not watched_follows
        if known_since is not None:
            self._world.beginning.before = moments.seconds_of_datetime(known_since)
        self._world.mutes = (*self._world.mutes, *mutes)
        for alarm in alarms:
            if alarm.count:
                self._standing.put(self._deciding.muted(alarm))
                self._cases.recall(alarm)
        for alarm in tuple(self._standing.alarms.values()):
            if (case := self._cases.of(alarm)) is not None:
                case.wake()  # it has to hear of what ends it

    # -- within

    def _folded(self, *groups: str) -> Mapping[str, str]:
        """The groups of which something is to be decided, each by what it was called before all was folded.

        All is if the name of one turns out to be wrong.
        """
        right, here = self._right, dict(zip(groups, groups, strict=True))
        alarms = [alarm for group in groups if (alarm := self.alarms.get(group)) is not None]
        wrong = [one for one in alarms if not right.keys().isdisjoint((one.secret, *(value for _, value in one.about)))]
        if wrong:
            self._fold_all()
        for alarm in wrong:
            if (case := self._cases.of(alarm, right)) is not None:
                self._standing.settle_one(case)
                here[alarm.group] = case.group
        return here

    def _fold_all(self) -> None:
        if self._folding is not None:
            deque(self._folding, maxlen=0)
            self._folding, self._right = None, {}

    def _forget_before(self, second: int) -> Iterator[None]:
        """Once a day, bit by bit: who is left open for months must not hold what was only of use on a day long gone."""
        self._forget_plans()
        for watch in self._cases.watches.values():
            for gone in watch.cases.forget_before(second):
                if gone:
                    self._forget_plans()
                yield

    def _rest(self, second: int) -> Iterator[None]:
        """Bit by bit: what nothing was seen in since this second holds no more than it must."""
        for watch in self._cases.watches.values():
            yield from watch.cases.rest(second)

    def _forget_plans(self) -> None:
        for router in (self._route, self._wanted):
            router.forget()
