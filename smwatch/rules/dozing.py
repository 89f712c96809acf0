"""Marks that can be no evidence before their place was watched for long enough, and till then hear of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from heapq import heapify, heappush, heappushpop
from itertools import count
from typing import NamedTuple

from smwatch.events.secret import Secret
from smwatch.rules.dimension import Group, Renames, renamed
from smwatch.rules.envelope import FirstSeen, Rule
from smwatch.rules.mark import Mark
from smwatch.rules.question import place_of
from smwatch.rules.subject import Subject
from smwatch.rules.vigil import PLACES, Place
from smwatch.rules.warmup import Warmup
from smwatch.rules.world import World

DOZING = 10_000
"""Marks kept of each rule, the newest: what is new before them is no evidence even if it turns out later that somebody
had been watching for long enough."""


class _Dozer(NamedTuple):
    """A mark, in the order of its event."""

    key: int
    ticket: int
    """Of several events with one key, which comes first."""
    warmup: Warmup
    """Since when its place was watched for long enough."""
    group: Group
    mark: Mark


class Dozing:
    """The dozing marks of a rule about what is new.

    A mark is made when its event comes, as what is asked of it may have been forgotten later on; but nobody watches
    what it hangs on, and there is no case for it. Serves "rules-varied": where many principals come to many secrets,
    hundreds of pairs of them are new while nobody can tell yet.
    """

    __slots__ = ("_by", "_changed", "_left", "_marks", "_of", "_seconds", "_tickets", "_wake", "_warmups", "_world")

    def __init__(self, rule: Rule, world: World, new: FirstSeen, wake: Callable[[Group, Mark], None]) -> None:
        """`new`: what the rule says of that; `wake` takes a mark of a group that may be evidence by now."""
        self._by = rule.by
        self._world = world
        self._of = new.of
        self._seconds = int(new.warmup or 0)
        self._wake = wake
        self._warmups: dict[Place, Warmup] = {}
        self._marks: list[_Dozer] = []
        """A heap, the oldest first."""
        self._left: list[_Dozer] = []
        """Those that may be evidence by now."""
        self._changed = False
        """Whether there may be more of these."""
        self._tickets = count()

    def takes(self, mark: Mark, group: Group, subject: Subject) -> bool:
        """Have a mark of a group that has no case doze; False if it may be evidence as it is.

        `subject` is its event.
        """
        place = place_of(subject, self._of)
        warmup = self._warmups.get(place)
        if warmup is None:
            if len(self._warmups) >= PLACES:
                return False
            warmup = self._warmups[place] = Warmup(self._world.vigil, place, self._seconds, self._look_anew)
        if mark.second >= warmup.since:
            return False
        dozer = _Dozer(mark.key, next(self._tickets), warmup, group, mark)
        if len(self._marks) < DOZING:
            heappush(self._marks, dozer)
        else:
            heappushpop(self._marks, dozer)
        return True

    def _look_anew(self, _since: int, _was: int) -> None:
        if self._marks:
            self._changed = True
            self._world.roused[self] = None

    def look_again(self, most: int | None = None) -> bool:
        """Wake the marks that may be evidence by now, or so many; whether there are others."""
        if self._changed:
            self._changed = False
            self._left += [dozer for dozer in self._marks if dozer.mark.second >= dozer.warmup.since]
            self._marks = [dozer for dozer in self._marks if dozer.mark.second < dozer.warmup.since]
            heapify(self._marks)
        for _ in range(len(self._left) if most is None else min(most, len(self._left))):
            dozer = self._left.pop()
            self._wake(dozer.group, dozer.mark)
        return bool(self._left)

    def fold(self, every: Renames, right: Mapping[Secret, Secret]) -> Iterator[int]:
        """Know marks by the right names of their secrets, in the right groups.

        Step by step: see `Caseload.fold`. The groups at once, as others come meanwhile, for which some move or go.
        """
        wrong = every.keys()
        for dozers in (self._marks, self._left):
            for at, dozer in enumerate(dozers):
                if not wrong.isdisjoint(dozer.group):
                    dozers[at] = dozer._replace(group=renamed(self._by, dozer.group, every))
        for dozer in (*self._marks, *self._left):
            if dozer.mark.newest is not None:
                dozer.mark.newest = dozer.mark.newest.renamed(right)
            yield 1


def dozing(rule: Rule, world: World, wake: Callable[[Group, Mark], None]) -> Dozing | None:
    """The dozing marks of a rule; None where each of its marks may be evidence, or one bears upon others."""
    first = rule.first_seen
    if first is None or not first.warmup or rule.escalate:
        return None
    return Dozing(rule, world, first, wake)
