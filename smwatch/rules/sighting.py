"""Cases of single events: match, count, sequence, absence and timer rules."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from operator import attrgetter
from typing import Self

from smwatch.events.links import BATCH
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm
from smwatch.rules.case import Case
from smwatch.rules.dimension import Dimension, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import LEVELS, Evidence, Shed, Total, total_of
from smwatch.rules.mark import Judge, Mark, caused_in, evidence_of, settle_each
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.world import World

MARKS = 100
"""Events kept of each case: the newest, from one to two times so many. Older evidence is only counted, so up to here
the order in which events come is of no matter."""
_KEY = attrgetter("key")
"""Of events and of evidence."""


class SightingCase(Case):
    """A case whose evidence is single events."""

    __slots__ = (
        "_evidence",
        "_fresh",
        "_keys",
        "_reach",
        "_stale",
        "_total",
        "batches",
        "fewest",
        "hears_back",
        "horizon",
        "judge",
        "marks",
    )

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value], reach: tuple[int, int]) -> None:
        super().__init__(rule, world, values)
        self.judge: Judge = settle_each
        self.fewest = 1
        """How many events there must be for any to be evidence."""
        self.horizon: int | None = 0
        """How many seconds away from an event others can make it evidence; None: any event can."""
        self.hears_back: int | None = None
        """How many seconds before a second of a fact the events are that it can make evidence, while what is evidence
        stays that; None: it may change what any event is."""
        self.marks: list[Mark] = []
        self._keys: list[int] = []
        self._reach = reach
        self.batches = False
        """Whether there are, or were, batches among the events: then some of the reads may be their doing."""
        self._stale = False
        """Whether all events have to be judged again."""
        self._fresh: tuple[int, int] | None = None
        """The first and the last key of the events that are not judged yet, or not by all that is known."""
        self._evidence: list[Evidence] = []
        self._total = total_of(())

    def doubt_all(self) -> None:
        """Have all events judged again."""
        self._stale = True

    @property
    def stale(self) -> bool:
        """Whether all events have to be judged again: what was found of them need not hold any more."""
        return self._stale

    def heed(self, second: int) -> None:
        """A fact that this case hangs on is now known of this second too."""
        if self.hears_back is None:
            super().heed(second)
        elif self.low <= second <= self.high:
            self._freshen(second - self.hears_back << SECOND_BITS, second << SECOND_BITS)
            self.evidence_changes()

    def add(self, mark: Mark) -> None:
        """Take an event in."""
        if self._insert(mark):
            self._freshen(mark.key, mark.key)
            # Most who fail do so once or twice: serves the row "rules-trouble".
            if len(self.marks) >= self.fewest or self.alarmed:
                self.evidence_changes()
                self._trim()

    def _freshen(self, first: int, last: int) -> None:
        """Have the events judged, when any are, from the second of one key to that of another."""
        if self._fresh is not None:
            first, last = min(first, self._fresh[0]), max(last, self._fresh[1])
        self._fresh = first, last

    def _insert(self, mark: Mark) -> bool:
        """Put an event where it belongs; whether that is news."""
        keys = self._keys
        if mark.newest is not None and mark.newest.event.call.name == BATCH:
            self.batches = True
        if not keys or mark.key > keys[-1]:
            keys.append(mark.key)
            self.marks.append(mark)
        else:
            at = bisect_left(keys, mark.key)
            if keys[at] == mark.key:
                if self.marks[at].confirm(mark):
                    self.wake()
                return False
            if at == 0 and self.shed is not None:
                if mark.key > self.shed.known_upto and mark.eligible:
                    mark.settle(True)
                    self._shed([mark])
                return False
            keys.insert(at, mark.key)
            self.marks.insert(at, mark)
        return True

    def resume(self, alarm: Alarm) -> None:
        """Go on from an alarm that was kept."""
        super().resume(alarm)
        rank, step = divmod(alarm.level, LEVELS)
        title = alarm.title if alarm.title != self.rule.title else ""
        late = int(self.rule.absence.within) if self.rule.absence else 0
        first_at, last_at = int(alarm.first_at.timestamp()), int(alarm.last_at.timestamp())
        for key in alarm.event_keys:
            mark = Mark(key, None, ())
            mark.at = max(mark.second + late, first_at)  # with a deadline, some become evidence later than they are
            mark.fixed = mark.evidence = True
            mark.rank, mark.step, mark.title = rank, step, title
            mark.caused = key in alarm.caused
            self._keys.append(key)
            self.marks.append(mark)
        self.batches = bool(alarm.caused)
        self._gather()
        if (older := alarm.count - (len(alarm.event_keys) - len(alarm.caused))) > 0:
            upto = alarm.event_keys[0] - 1 if alarm.event_keys else (last_at + 1 << SECOND_BITS) - 1
            last_at = self.marks[0].at if self.marks else last_at
            self.shed = Shed(older, first_at, last_at, upto, rank, step, title, known_upto=upto)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the events by the right names of their secrets."""
        for mark in self.marks:
            if mark.newest is not None and (newest := mark.newest.renamed(right)) is not mark.newest:
                mark.newest = newest
                self.wake()

    def absorb(self, other: Self) -> None:
        """Take over the events of a group that has turned out to be this one."""
        marks, other.marks = other.marks, []
        other._keys, other._fresh = [], None
        other._gather()
        super().absorb(other)
        for mark in marks:
            mark.watch(self)
            self.add(mark)

    def evidence(self) -> Sequence[Evidence]:
        """The marks that are evidence."""
        self._settle()
        return self._evidence

    def caused(self, episode: Sequence[Evidence]) -> Set[int]:
        """The keys of reads in it that do not count by themselves: they count with the batch that caused them."""
        if not self.batches or not episode:
            return frozenset()
        keys = {one.key for one in episode}
        marks = [mark for mark in self.marks if mark.key in keys]
        return caused_in(marks).keys() | {mark.key for mark in marks if mark.caused}

    def _settle(self) -> None:
        if not self.marks or not (self._stale or self._fresh):
            return
        back, ahead = self._reach
        first = self.marks[0].second if self.shed is None else min(self.marks[0].second, self.shed.first_at)
        self.low, self.own_high = first - back, self.marks[-1].second + ahead
        if self._stale:
            caught_up = self.world.beginning.caught_up
            for mark in self.marks:
                mark.doubt()
                if caught_up and mark.fixed and mark.newest is not None:
                    mark.fixed = mark.caused = False  # what it is can be told anew
        if self._stale or self._fresh is None or self.horizon is None or self.batches:
            self._let_go()
            self.judge(self.marks, slice(None))
            self._gather()
        else:
            self._judge_near(*self._fresh, self.horizon)
        self._stale, self._fresh = False, None

    def _let_go(self) -> None:
        """Keep no events that will never be evidence: of what comes newest first most seems new at first."""
        kept = [mark for mark in self.marks if mark.eligible or not mark.lost]
        if len(kept) < len(self.marks):
            self.marks, self._keys = kept, [mark.key for mark in kept]

    def _judge_near(self, first: int, last: int, horizon: int) -> None:
        """Judge the events for which it matters that there are others from one key to another."""
        keys, newest = self._keys, self.marks[-1]
        if horizon == 0 and first == last == newest.key and not newest.evidence and self._alone(newest):
            self._judge_newest(newest)
            return

        def place(second: int) -> int:
            return bisect_left(keys, second << SECOND_BITS)

        earliest, latest = (first >> SECOND_BITS) - horizon, (last >> SECOND_BITS) + horizon + 1
        start, end = place(earliest), place(latest)
        around, upto = (place(earliest - horizon), place(latest + horizon)) if horizon else (start, end)
        self.judge(self.marks[around:upto], slice(start - around, end - around))
        found = [evidence_of(mark) for mark in self.marks[start:end] if mark.evidence]
        evidence = self._evidence
        begin = bisect_left(evidence, earliest << SECOND_BITS, key=_KEY)
        stop = bisect_left(evidence, latest << SECOND_BITS, key=_KEY)
        if begin == stop == len(evidence):
            self._total = self._total.joined(total_of(found))
            evidence += found
        else:
            evidence[begin:stop] = found
            self._total = total_of(evidence)
        self._find_newest()

    def _alone(self, newest: Mark) -> bool:
        """Whether there is no other event of the newest one's second."""
        return len(self._keys) < 2 or self._keys[-2] >> SECOND_BITS < newest.second

    def _judge_newest(self, mark: Mark) -> None:
        """Judge the newest event where that hangs on no other: serves "rules-trouble"."""
        self.judge([mark], slice(None))
        if mark.evidence:
            found = evidence_of(mark)
            self._evidence.append(found)
            self._total = self._total.joined(total_of((found,)))
            self.newest = mark.newest

    def total(self, episode: Sequence[Evidence]) -> Total:
        """What it amounts to: of all evidence that is known already."""
        return self._total if episode is self._evidence else total_of(episode)

    def _trim(self) -> None:
        """Keep only the newest, once there are twice as many."""
        if len(self.marks) < 2 * MARKS:
            return
        self._settle()
        if len(self.marks) < 2 * MARKS:
            return
        evidence = [mark for mark in self.marks if mark.evidence]
        caused = caused_in(evidence) if self.batches else {}
        kept_from = self._keys[-MARKS]
        for mark in evidence:
            mark.caused = mark.caused or caused.get(mark.key, kept_from) < kept_from
        self._shed([mark for mark in evidence if mark.key < kept_from], caused.keys())
        del self.marks[:-MARKS], self._keys[:-MARKS]
        self._gather()

    def _gather(self) -> None:
        self._evidence = [evidence_of(mark) for mark in self.marks if mark.evidence]
        self._total = total_of(self._evidence)
        self._find_newest()

    def _find_newest(self) -> None:
        self.newest = None
        if self._evidence:  # of hundreds of events that fail alike there may be none
            for mark in reversed(self.marks):
                if mark.evidence:
                    self.newest = mark.newest
                    return

    def _shed(self, marks: Sequence[Mark], caused: Set[int] = frozenset()) -> None:
        """From now on only count these, but for reads that are counted with their batch."""
        if marks:
            seconds, last_key = [mark.at for mark in marks], max(mark.key for mark in marks)
            worst = max((mark.rank, mark.step, mark.title) for mark in marks)
            counted = sum(1 for mark in marks if not mark.caused and mark.key not in caused)
            some = Shed(counted, min(seconds), max(seconds), last_key, *worst)
            self.shed = some if self.shed is None else self.shed.joined(some)
