"""For how long each account and Region has been watched: nothing is new, or unused, where nobody was looking."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush, nlargest
from itertools import count
from operator import itemgetter
from typing import NamedTuple, TypeAlias
from weakref import ref

from smwatch.rules.times import EVER
from smwatch.rules.watching import Watcher

Place: TypeAlias = tuple[str, str]
"""An account and a Region; of a source also ("", Region), whatever account that is, and ("", "") for any place."""
Span: TypeAlias = tuple[int, int]
"""[from, to) in seconds."""

PLACES = 4_096
"""Places told apart; of more, nothing is said."""
HOPES = 1_000
"""Of how much more there is to be known of a place one case may wait for: of each of the events it keeps it asks a few
things. Once there are four times as many, the latest so many are left."""


class Want(NamedTuple):
    """So many seconds of a place, between two others, are to have been watched."""

    place: Place
    low: int
    high: int
    seconds: int


class Stretch:
    """From the first to the last event of a place that one kind of source has brought."""

    __slots__ = ("_recorded", "_scene", "first", "last")

    def __init__(self, scene: _Scene, *, recorded: bool) -> None:
        self._scene = scene
        self._recorded = recorded
        self.first, self.last = EVER, -1

    def see(self, second: int) -> None:
        """There is an event of this second."""
        scene, first, last = self._scene, self.first, self.last
        self.first, self.last = min(first, second), max(last, second)
        if second < scene.first:
            scene.begin(second)
        if self._recorded:
            since = second if last < 0 else last
            scene.grow(max(0, first - second if first != EVER else 0) + max(0, min(second, scene.horizon) - since))


class _Hopes:
    """What one watcher waits for: a heap of the growth without which it can't be enough."""

    __slots__ = ("_heap", "_wants", "noted")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Want]] = []
        self._wants: set[Want] = set()
        self.noted = EVER
        """The growth at which it is to be looked at."""

    def __contains__(self, want: Want) -> bool:
        return want in self._wants

    @property
    def first(self) -> int | None:
        """The growth without which nothing of it can be enough; None if there is nothing."""
        return self._heap[0][0] if self._heap else None

    def add(self, growth: int, ticket: int, want: Want) -> None:
        """Wait for one more; of too many, the latest are left."""
        self._wants.add(want)
        heappush(self._heap, (growth, ticket, want))
        if len(self._heap) > 4 * HOPES:
            self._heap[:] = nlargest(HOPES, self._heap, key=lambda hope: hope[2].high)
            heapify(self._heap)
            self._wants = {want for _, _, want in self._heap}

    def due(self, growth: int) -> list[Want]:
        """Take out what can be enough by now."""
        self.noted = EVER
        due: list[Want] = []
        while self._heap and self._heap[0][0] <= growth:
            due.append(heappop(self._heap)[2])
        self._wants.difference_update(due)
        return due


class _Scene:
    """What is known of one place."""

    __slots__ = (
        "_first",
        "_hoping",
        "_region",
        "_tickets",
        "_vigil",
        "_watched",
        "first",
        "growth",
        "horizon",
        "live",
        "recording",
        "settled",
    )

    def __init__(self, vigil: Vigil, region: str) -> None:
        self._vigil = vigil
        self._region = region
        self.first = EVER
        """Of its first event: sources that may bring events of any place watch this one from then on."""
        self.settled: tuple[Span, ...] = ()
        """What sources of this place alone have read whole."""
        self.live, self.recording = Stretch(self, recorded=False), Stretch(self, recorded=True)
        self.growth = 0
        """By how many seconds, at the most, the time watched before the horizon has grown."""
        self.horizon = 0
        """The latest second that anybody wants to know of."""
        self._watched: tuple[Span, ...] | None = None
        self._hoping: dict[ref[Watcher], _Hopes] = {}
        """Who waits for more, while they are."""
        self._first: list[tuple[int, int, ref[Watcher]]] = []
        """A heap of the growth without which there can't be enough for any of a watcher's hopes; what is out of date
        stays in it until it comes up."""
        self._tickets = count()

    def begin(self, second: int) -> None:
        """Its first event is from this second."""
        was, self.first = self.first, second
        self.grow(sum(max(0, min(end, was, self.horizon) - max(start, second)) for start, end in self._elsewhere()))

    def grow(self, seconds: int) -> None:
        """So much more may have been watched: wake those for whom it is enough."""
        self._watched = None
        self.growth += seconds
        while self._first and self._first[0][0] <= self.growth:
            noted, _, who = heappop(self._first)
            watcher, hopes = who(), self._hoping.get(who)
            if watcher is None or hopes is None or noted != hopes.noted:
                continue  # it is no more, or was looked at earlier
            for want in hopes.due(self.growth):
                if (missing := want.seconds - self.seconds(want.low, want.high)) > 0:
                    hopes.add(self.growth + missing, next(self._tickets), want)
                else:
                    watcher.wake()
            self._note(who, hopes)

    def seconds(self, low: int, high: int) -> int:
        """How many seconds in [low, high) have been watched."""
        watched = self._spans
        at = max(0, bisect_right(watched, low, key=itemgetter(0)) - 1)
        total = 0
        for start, end in watched[at:]:
            if start >= high:
                break
            total += max(0, min(end, high) - max(start, low))
        return total

    @property
    def _spans(self) -> tuple[Span, ...]:
        """What has been watched, ascending."""
        if self._watched is None:
            anywhere = [(max(start, self.first), end) for start, end in self._elsewhere() if end > self.first]
            recorded = [(self.recording.first, self.recording.last)] if self.recording.last >= 0 else []
            self._watched = joined([*self.settled, *anywhere, *recorded])
        return self._watched

    def reached(self, seconds: int) -> int | None:
        """The second by which so many had been watched; None if there are not so many yet."""
        for start, end in self._spans:
            if (since := max(0, start)) < end:
                if end - since >= seconds:
                    return since + seconds
                seconds -= end - since
        return None

    def _elsewhere(self) -> Iterator[Span]:
        """What sources have read whole that may bring events of this place among others."""
        for place in (("", self._region), ("", "")):
            yield from self._vigil.anywhere.get(place, ())

    def hope(self, want: Want, watcher: Watcher) -> None:
        """Wake `watcher` once enough was watched, if it was not."""
        who = ref(watcher)
        hopes = self._hoping.get(who)
        if hopes is not None and want in hopes:
            return
        missing = want.seconds - self.seconds(want.low, want.high)
        if missing <= 0:
            return
        self.horizon = max(self.horizon, want.high)
        if hopes is None:
            who = ref(watcher, self._forget)
            hopes = self._hoping[who] = _Hopes()
        hopes.add(self.growth + missing, next(self._tickets), want)
        self._note(who, hopes)

    def _note(self, who: ref[Watcher], hopes: _Hopes) -> None:
        """Look at a watcher's hopes again once the first of them can have come true."""
        first = hopes.first
        if first is None:
            self._hoping.pop(who, None)
        elif first < hopes.noted:
            hopes.noted = first
            heappush(self._first, (first, next(self._tickets), who))
            if len(self._first) > 2 * len(self._hoping) + HOPES:
                self._first = []
                for each in list(self._hoping):  # any of which the collector may have `_forget` take out meanwhile
                    if (left := self._hoping.get(each)) is not None:
                        self._first.append((left.noted, next(self._tickets), each))
                heapify(self._first)

    def _forget(self, who: ref[Watcher]) -> None:
        """It is no more."""
        self._hoping.pop(who, None)


class Vigil:
    """Which periods have been watched, in each account and Region: what was read whole, and gaps are no part of it.

    LookupEvents answers for one account and Region. What a log group brings can be of any, so it counts for those of
    which there are events, from the first of them on. Recordings say nothing of what is missing in them: from the
    first of their events to the last counts as watched.
    """

    def __init__(self) -> None:
        self.anywhere: dict[Place, tuple[Span, ...]] = {}
        """What sources have read whole that may bring events of several places."""
        self._scenes: dict[Place, _Scene] = {}

    def stretch(self, place: Place, *, recorded: bool) -> Stretch:
        """Where to note the events of a place that come live, or out of a recording."""
        scene = self._scene(place)
        return scene.recording if recorded else scene.live

    def read(self, place: Place, periods: Iterable[Span]) -> None:
        """A source of this place, or of all that it stands for, has read these periods whole."""
        new = tuple(periods)
        account, region = place
        if not account:
            self.anywhere[place] = joined([*self.anywhere.get(place, ()), *new])
            scenes = [scene for (_, where), scene in self._scenes.items() if region in ("", where)]
        else:
            scenes = [scene := self._scene(place)]
            scene.settled = joined([*scene.settled, *new])
        for scene in scenes:
            scene.grow(sum(max(0, min(end, scene.horizon) - start) for start, end in new))

    def enough(self, want: Want) -> bool:
        """Whether so much was watched."""
        scene = self._scenes.get(want.place)
        return scene is not None and scene.seconds(want.low, want.high) >= want.seconds

    def reached(self, place: Place, seconds: int) -> int | None:
        """The second by which a place had been watched for so many; None if it was not watched for as long."""
        scene = self._scenes.get(place)
        return scene.reached(seconds) if scene is not None else None

    def hope(self, want: Want, watcher: Watcher) -> None:
        """Wake `watcher` once so much was watched, if it was not."""
        self._scene(want.place).hope(want, watcher)

    def _scene(self, place: Place) -> _Scene:
        scene = self._scenes.get(place)
        if scene is None:
            scene = _Scene(self, place[1])
            if len(self._scenes) < PLACES:
                self._scenes[place] = scene
        return scene


def joined(periods: Sequence[Span]) -> tuple[Span, ...]:
    """The same seconds as the fewest periods, ascending."""
    found: list[Span] = []
    for start, end in sorted(periods):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif start < end:
            found.append((start, end))
    return tuple(found)
