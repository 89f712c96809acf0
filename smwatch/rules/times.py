"""The seconds in which something is known to have happened."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from smwatch.rules.evidence import BEGINNING
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.watching import Heeded, Watcher

if TYPE_CHECKING:
    from smwatch.rules.group import Absent, Group, Member
    from smwatch.rules.plan import Plan

TIMES = 256
"""Different seconds kept of each fact, the newest: so far back and in any order are events judged alike."""
NOTES = 64
"""Events kept by name for each fact, the newest, where alarms tell of them: none tells of an older one, in whatever
order they came. 120 bytes each."""
PLANS = 4_096
"""Kinds of events, each by one caller, that a fact waits to be told of before it asks; beyond them, a quarter."""
FEW, IDLE = 4, 3_600
"""So many of them need no look whether they are idle, as each is when nothing of it has come for so many seconds."""
EVER = 1 << 40
"""Seconds: longer than anything lasts."""

Note: TypeAlias = tuple[int, str, str]
"""An event's key, its name, and the principal."""
WIDE = 1 << 32
"""Seconds from this one on, as only records that somebody made up have, take eight bytes each instead of four."""
_ALONE: list[tuple[int, ...]] = [(-1,)]
"""The second that was the only one of a fact last: mostly it is that of many facts, which have one tuple then. Half of
all facts never get another one, for which an array takes 96 bytes. Serves "memory-flat-rules"."""


def crowded(plans: list[Plan], now: int) -> bool:
    """Whether more plans listen than are to; of those that do for longest two rest if they are idle.

    If they are not, they listen as if they had just begun. So what is left of sessions that are gone is not kept by
    what others go on with, however many there have been. Serves "memory-flat".
    """
    for plan in plans[:2]:
        # Mostly something is noted: without a call, as each plan that begins to listen comes here. Serves "rules".
        if now - (plan.noted[-1].key >> SECOND_BITS if plan.noted else plan.newest) > IDLE:
            plan.rest()
        elif plans[0] is plan:
            plans.append(plans.pop(0))
    return len(plans) > PLANS


class Times(Heeded):
    """The seconds in which one fact is known, and who asks for them."""

    __slots__ = (
        "__weakref__",
        "_renamed",
        "first",
        "gap",
        "groups",
        "notes",
        "plans",
        "told",
        "trimmed",
    )

    def __init__(self) -> None:
        # What Heeded's has, without a call: some are made for each session that is new. Serves the row "rules".
        self.watchers = None
        self.loud = -1
        self.told: array[int] | tuple[int, ...] = ()
        """The seconds as far as told, ascending; an array from the second one on."""
        self.plans: list[Plan] | None = None
        """Who may know of more; None instead of nobody, as mostly nobody does."""
        self._renamed: Times | None = None
        """What this is another name for."""
        self.first = EVER
        """The first second of all, also of those that are no longer kept."""
        self.trimmed = False
        """Whether there was more than is kept."""
        self.notes: list[Note] | None = None
        """Ascending; None before the first, as for most facts there never is one."""
        self.gap = -1
        """How long the fact had not been known before the second added last; EVER where that is not known, and -1 for
        a second that was known and is not the newest."""
        self.groups: tuple[Group | Absent, ...] = ()
        """The groups this belongs to: of the first dimension's value, and of the second's. They have own watchers."""

    def listen(self, plan: Plan) -> None:
        """Have this plan tell before anything is said of the fact, or somebody begins to care for it."""
        for group in self.groups:
            if group.listening is None:
                group.listening = {self: None}
            else:
                group.listening[self] = None
        if self.plans is None:
            self.plans = []
        self.plans.append(plan)
        if len(self.plans) > FEW and crowded(self.plans, plan.since):
            self.catch_up(PLANS // 4)

    def release(self, plan: Plan) -> None:
        """Have this plan, which has told all, listen no more."""
        if self.plans and plan in self.plans:
            self.plans.remove(plan)
            if not self.plans:
                self._hear_nobody()

    def _hear_nobody(self) -> None:
        self.plans = None
        for group in self.groups:
            if group.listening:
                group.listening.pop(self, None)
                group.listening = group.listening or None

    def catch_up(self, count: int = PLANS) -> None:
        """Have its plans tell."""
        if self.plans:
            plans, self.plans = self.plans[:count], self.plans[count:] or None
            for plan in plans:
                plan.tell(self)

    @property
    def seconds(self) -> Sequence[int]:
        """The seconds, ascending."""
        if self.plans:
            self.catch_up()
        return self.told

    @property
    def unknown(self) -> bool:
        """Whether it has never been so."""
        return not self.told

    @property
    def newest(self) -> int:
        """About the second in which it was known last; BEGINNING if it never was."""
        heard = [plan.newest for plan in self.plans[-FEW:]] if self.plans else []
        return max(heard, default=self.told[-1] if self.told else BEGINNING)

    def leave(self, group: Group) -> None:
        """Belong to this group no longer."""
        self.groups = tuple(each for each in self.groups if each is not group)

    def matters(self, second: int) -> bool:
        """Whether anybody cares for this second: a watcher of its own, or of one of its groups."""
        if second <= self.loud:
            return True
        for group in self.groups:  # noqa: SIM110  asked of each event of the row "rules"; any() makes a generator
            if second <= group.loud:
                return True
        return False

    def add(self, second: int) -> None:
        """Take a second in."""
        told = self.told
        if not told:
            if self.plans:
                self.catch_up()  # some events are of another kind from now on
            if isinstance(told, tuple):
                alone = _ALONE[0]
                if alone[0] != second:
                    alone = _ALONE[0] = (second,)
                self.told = alone
            else:  # with which another goes on
                self._several(second).append(second)
            self.first = second
            self.gap = EVER
        elif gap := second - told[-1]:
            seconds = self._several(second)
            if gap > 0:
                seconds.append(second)
                self.gap = gap
            else:
                self._add_late(seconds, second)
            if len(seconds) > TIMES:
                del seconds[0]
                self.trimmed = True
        else:
            return  # what was so when this second was added first is so still
        if self.gap < 0:
            return
        if second <= self.loud:
            self._tell(second)
            return
        for group in self.groups:  # as `matters` says: a call for each second told would be a third of what it takes
            if second <= group.loud:
                self._tell(second)
                return

    def extend(self, more: Sequence[int]) -> None:
        """Take in seconds, ascending, of which an earlier one than the first is known."""
        if more[-1] >= WIDE or self.matters(more[0]):
            for second in more:
                self.add(second)
            return
        seconds = self._several(more[-1])
        if more[0] > seconds[-1]:
            seconds.extend(more)
        else:  # others know of later ones
            at = 0
            for second in more:
                at = bisect_left(seconds, second, at)
                if at == len(seconds) or seconds[at] != second:
                    seconds.insert(at, second)
        self.gap = seconds[-1] - seconds[-2] if len(seconds) > 1 else EVER
        if len(seconds) > TIMES:
            del seconds[:-TIMES]
            self.trimmed = True

    def _several(self, second: int) -> array[int]:
        """The seconds, for this one to be added."""
        told = self.told
        if isinstance(told, tuple):
            told = self.told = array("I" if max(told, default=0) < WIDE > second else "q", told)
        elif second >= WIDE and told.itemsize < 8:
            told = self.told = array("q", told)
        return told

    def _add_late(self, seconds: array[int], second: int) -> None:
        if second < self.first:
            self.first = second
        at = bisect_left(seconds, second)
        if seconds[at] == second:
            self.gap = -1
        elif at == 0 and len(seconds) >= TIMES:
            self.gap = -1
            self.trimmed = True
        else:
            self.gap = EVER
            seconds.insert(at, second)

    def _tell(self, second: int) -> None:
        self.tell_watchers(second)
        for group in self.groups:
            group.tell_watchers(second)

    def note(self, key: int, name: str, who: str) -> None:
        """Keep the event itself as well."""
        notes, entry = self.notes, (key, name, who)
        if notes is None:
            notes = self.notes = []
        at = bisect_left(notes, entry)
        if notes[at : at + 1] == [entry] or (at == 0 and len(notes) >= NOTES):
            return
        notes.insert(at, entry)
        gone = notes[:-NOTES]
        del notes[:-NOTES]
        if self.matters(second := key >> SECOND_BITS):
            self._tell(second)  # which may have been known, but not this event of it
        for lost, _, _ in gone:
            if self.matters(second := lost >> SECOND_BITS):
                for each in (self, *self.groups):
                    each.tell_lost(second, notes[0][0] >> SECOND_BITS)

    def last_note(self, low: int, high: int) -> Note | None:
        """The newest that is known by name of a second from `low` to `high`."""
        end = high + 1 << SECOND_BITS
        for note in reversed(self.notes or ()):
            if note[0] < end:
                return note if note[0] >> SECOND_BITS >= low else None
        return None

    def any(self, low: int, high: int) -> bool:
        """Whether it is known of a second from `low` to `high`."""
        seconds = self.told
        at = bisect_left(seconds, low)
        if at < len(seconds) and seconds[at] <= high:
            return True  # which is so whatever else its plans may know
        if high < self.first or not self.plans:
            return False  # what they know is from after they told of an event for the first time
        self.catch_up()
        return self.any(low, high)

    def before(self, second: int) -> int | None:
        """The last second before this one."""
        if self.plans:
            self.catch_up()
        seconds = self.told
        at = bisect_left(seconds, second)
        return seconds[at - 1] if at else None

    def since(self, second: int) -> int | None:
        """The first second from this one on."""
        seconds = self.seconds
        at = bisect_left(seconds, second)
        return seconds[at] if at < len(seconds) else None

    def around(self, second: int) -> tuple[int | None, int | None]:
        """The last second before this one, and the first one from this one on."""
        seconds = self.seconds
        at = bisect_left(seconds, second)
        return seconds[at - 1] if at else None, seconds[at] if at < len(seconds) else None

    def among(self, low: int, high: int, _most: int | None = None) -> Sequence[Member]:
        """Nobody: this fact is kept of one alone."""
        return ("",) if self.any(low, high) else ()

    def forgotten(self, second: int) -> bool:
        """Whether this second lies before all that is kept, so that nothing can be said about it."""
        if self.plans:
            self.catch_up()
        return self.trimmed and second < self.told[0]

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of new seconds that matter to it."""
        if self._renamed is not None:
            self._renamed.watch(watcher)
        else:
            super().watch(watcher)

    def grow_loud(self, high: int) -> None:
        """A watcher cares for seconds up to this one."""
        if self._renamed is not None:
            self._renamed.grow_loud(high)
        if high > self.loud:
            if self.plans:
                self.catch_up()
            self.loud = high

    def absorb(self, other: Times) -> None:
        """Know what `other` knows, which is from now on another name for this."""
        seconds = sorted({*self.seconds, *other.seconds})
        self.trimmed = other.trimmed = self.trimmed or other.trimmed or len(seconds) > TIMES
        if self.notes is None:
            self.notes = []
        self._several(WIDE)[:] = array("q", seconds[-TIMES:])  # both go on with one array, whatever comes
        self.notes[:] = sorted({*self.notes, *(other.notes or ())})[-NOTES:]
        self.first = min(self.first, other.first)
        other.told, other.notes, other._renamed = self.told, self.notes, self
        self.loud = other.loud = max(self.loud, other.loud)
        self.share_watchers(other)
