"""Marks that can be no evidence before their place was watched for long enough, and till then hear of nothing."""

from __future__ import annotations

from weakref import WeakSet

from smwatch.rules.dimension import Dimension
from smwatch.rules.envelope import Rule
from smwatch.rules.mark import Mark
from smwatch.rules.question import place_of
from smwatch.rules.sighting import SightingCase
from smwatch.rules.subject import Subject
from smwatch.rules.vigil import PLACES, Place
from smwatch.rules.warmup import Warmup
from smwatch.rules.world import World

CASES = 100
"""Cases looked at in one go, of those whose marks may be evidence by now: a tenth of a millisecond, if none may."""


class Dozing:
    """The dozing marks of a rule about what is new, by place.

    A mark is made when its event comes, as what is asked of it may have been forgotten later on; but nobody watches
    what it hangs on, and its case has nothing to work out. Serves "rules-varied": where many principals come to many
    secrets, hundreds of pairs of them are new while nobody can tell yet.
    """

    __slots__ = ("_of", "_rooms", "_seconds", "_world")

    def __init__(self, world: World, of: tuple[Dimension, ...], seconds: int) -> None:
        """`of`: what is new; `seconds`: for how long somebody must have been watching before."""
        self._world = world
        self._of = of
        self._seconds = seconds
        self._rooms: dict[Place, _Room] = {}

    def takes(self, mark: Mark, case: SightingCase, subject: Subject) -> bool:
        """Add a mark to its case and have it doze; False if it may be evidence as it is: the case was not told of it.

        `subject` is its event.
        """
        place = place_of(subject, self._of)
        room = self._rooms.get(place)
        if room is None:
            if len(self._rooms) >= PLACES:
                return False
            room = self._rooms[place] = _Room(self._world, place, self._seconds)
        return room.takes(mark, case)


def dozing(rule: Rule, world: World) -> Dozing | None:
    """The dozing marks of a rule; None where each of its marks may be evidence, or one bears upon others."""
    first = rule.first_seen
    if first is None or not first.warmup or rule.escalate:
        return None
    return Dozing(world, first.of, int(first.warmup))


class _Room:
    """Those of one place."""

    __slots__ = ("_cases", "_left", "_warmup", "_world")

    def __init__(self, world: World, place: Place, seconds: int) -> None:
        self._world = world
        self._cases: WeakSet[SightingCase] = WeakSet()
        self._left: list[SightingCase] = []
        """Those still to be looked at, as more was watched."""
        self._warmup = Warmup(world.vigil, place, seconds, self._look_anew)

    def takes(self, mark: Mark, case: SightingCase) -> bool:
        if mark.second >= self._warmup.since:
            return False
        case.add_dozing(mark)
        self._cases.add(case)
        return True

    def _look_anew(self, _since: int, _was: int) -> None:
        self._left = list(self._cases)
        if self._left:
            self._world.roused[self] = None

    def look_again(self, most: int | None = None) -> bool:
        """Wake the marks that may be evidence by now, or about so many; whether there are cases left to look at."""
        woken = looked_at = 0
        while self._left and (most is None or (woken < most and looked_at < CASES)):
            case = self._left.pop()
            woken += case.wake_dozing(self._warmup.since)
            looked_at += 1
            if not case.dozing:
                self._cases.discard(case)
        return bool(self._left)
