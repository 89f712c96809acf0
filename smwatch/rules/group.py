"""What is known of one fact for one value of those that it is kept by, whatever the others are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

from smwatch.rules.dimension import Value
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.times import EVER, Times
from smwatch.rules.watching import Heeded, Watcher

MEMBERS = 4_000
"""Principals, … kept for each secret, principal, …; beyond them the ones known for longest are forgotten."""

Member: TypeAlias = Value | tuple[Value, ...]


class Sole:
    """The one member of a group, to be read as a dict of it would be, which takes four times as much.

    Most sessions, access keys and addresses read one secret. Serves "memory-flat-rules".
    """

    __slots__ = ("_member", "_times")

    def __init__(self, member: Member, times: Times) -> None:
        self._member = member
        self._times = times

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Member]:
        return iter((self._member,))

    def get(self, member: Member) -> Times | None:
        """What is known of a member."""
        return self._times if member == self._member else None

    def values(self) -> Sequence[Times]:
        """What is known of each."""
        return (self._times,)

    def items(self) -> Sequence[tuple[Member, Times]]:
        """Each member, and what is known of it."""
        return ((self._member, self._times),)


Members: TypeAlias = dict[Member, Times] | Sole | MappingProxyType[Member, Times]
_NOBODY: MappingProxyType[Member, Times] = MappingProxyType({})


class Group(Heeded):
    """What is known of one value of a track's first dimension, told apart by the others; or of its second.

    Its watchers care for all of its members.
    """

    __slots__ = ("__weakref__", "_renamed", "awaiting", "listening", "members")

    def __init__(self) -> None:
        # What Heeded's has, without a call, as Times has it.
        self.watchers = None
        self.loud = -1
        self.members: Members = _NOBODY
        """Read it; `put` changes it. A dict from the second one on, and where there are two names for the group."""
        self.listening: dict[Times, None] | None = None
        """Members of which plans may know more, to be told before anybody cares for it; None before the first."""
        self.awaiting: list[tuple[int, Watcher]] | None = None
        """Who becomes a watcher when there are so many members."""
        self._renamed: Group | None = None
        """What this is another name for."""

    def put(self, member: Member, times: Times) -> None:
        """Have one member more; `grown` is to be called where there may be too many, or somebody waits."""
        members = self.members
        if isinstance(members, dict):
            members[member] = times
        elif members:
            self._several()[member] = times
        else:
            self.members = Sole(member, times)

    def _several(self) -> dict[Member, Times]:
        members = self.members
        if not isinstance(members, dict):
            members = self.members = dict(members.items())
        return members

    def _part_from(self, member: Member) -> Times | None:
        members = self.members
        if isinstance(members, dict):
            return members.pop(member, None)
        times = members.get(member)
        if times is not None:
            self.members = _NOBODY
        return times

    def grown(self) -> None:
        """There is one member more, where there may be too many, or somebody waits for so many."""
        if len(self.members) > MEMBERS:
            self.forget(next(iter(self.members)))
        if self.awaiting:
            self._admit_watchers()

    def forget(self, member: Member) -> None:
        """Know no more of a member; watchers go by what they have heard."""
        times = self._part_from(member)
        if times is not None:
            times.leave(self)
            if self.listening:
                self.listening.pop(times, None)

    def dismiss(self, member: Member) -> None:
        """Somebody has turned out to be another member, or one to be."""
        if self._part_from(member) is not None:
            for watcher in tuple(self.watchers or ()):
                watcher.wake()

    def any(self, low: int, high: int) -> bool:
        """Whether it is known of any member in a second from `low` to `high`."""
        # Not by `_heard_since`, which is resumed for each of them: asked of each pair that is new, for "rules-varied".
        for times in self.members.values():
            told = times.told
            if (times.plans or (told and told[-1] >= low)) and times.any(low, high):
                return True
        return False

    def _heard_since(self, low: int) -> Iterator[tuple[Member, Times]]:
        """The members of which it may be known from this second on: of most others it was known before.

        Who has read hundreds of secrets has read few of them lately: serves the row "rules".
        """
        for member, times in self.members.items():
            told = times.told
            if times.plans or (told and told[-1] >= low):
                yield member, times

    def among(self, low: int, high: int, most: int | None = None) -> Sequence[Member]:
        """The members of which it is; who needs no more than `most` of them need not wait for the others."""
        return list(islice((member for member, times in self._heard_since(low) if times.any(low, high)), most))

    def steady(self, low: int, high: int) -> bool:
        """Whether it is known from then, of no member for the first time."""
        there = [times.first for _, times in self._heard_since(low) if times.any(low, high)]
        return bool(there) and max(there) < low

    def before(self, second: int) -> int | None:
        """The last second before this one."""
        # Without a call for each member, as the next: an alarm's end is asked of all who read. Serves "rules-trouble".
        found = BEGINNING
        for times in self.members.values():
            if times.plans:
                times.catch_up()
            told = times.told
            if not told or told[-1] <= found:
                continue
            if (at := bisect_left(told, second)) and told[at - 1] > found:
                found = told[at - 1]
        return found if found != BEGINNING else None

    def since(self, second: int) -> int | None:
        """The first second from this one on."""
        return self.around(second)[1]

    def around(self, second: int) -> tuple[int | None, int | None]:
        """The last second before this one, and the first one from this one on."""
        # Both are asked of each alarm that is worked out, of dozens of members: serves the row "rules-trouble".
        for times in self.members.values():
            if times.plans:
                times.catch_up()
        before, since = BEGINNING, EVER
        for times in self.members.values():
            told = times.told
            if not told:
                continue
            if told[-1] < second:
                if told[-1] > before:
                    before = told[-1]
                continue
            at = bisect_left(told, second)
            if told[at] < since:
                since = told[at]
            if at and told[at - 1] > before:
                before = told[at - 1]
        return before if before != BEGINNING else None, since if since != EVER else None

    def forgotten(self, second: int) -> bool:
        """Whether this second lies before all that is kept of some member."""
        return any(times.forgotten(second) for times in self.members.values())

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of new seconds that matter to it."""
        if self._renamed is not None:
            self._renamed.watch(watcher)
        else:
            super().watch(watcher)

    def watch_from(self, least: int, watcher: Watcher) -> None:
        """The same from when there are so many members, and tell it of that; somebody else keeps the group till then.

        Serves the row "rules": a session that is watched for coming to many secrets mostly comes to one or two.
        """
        self.awaiting = [*(self.awaiting or ()), (least, watcher)]
        self._admit_watchers()

    def _admit_watchers(self) -> None:
        awaiting, self.awaiting = self.awaiting or (), None
        for least, watcher in awaiting:
            if len(self.members) < least:
                self.awaiting = [*(self.awaiting or ()), (least, watcher)]
            else:
                self.watch(watcher)
                watcher.wake()

    def grow_loud(self, high: int) -> None:
        """A watcher cares for seconds up to this one."""
        if self._renamed is not None:
            self._renamed.grow_loud(high)
        if high > self.loud:
            # Of thousands of members a few have plans that listen: the others need not be gone through.
            listening, self.listening = self.listening, None
            for times in listening or ():
                times.catch_up()
            self.loud = high

    def absorb(self, other: Group) -> None:
        """Know all that `other` knows, which was forgotten, and is from now on another name for this."""
        members = self._several()
        lately = members.copy()
        members.clear()  # of too many, those are to go that have been known for longest
        members.update(other.members.items())
        members.update(lately)
        for member, times in other.members.items():
            if member not in lately:
                times.groups = tuple([self if each is other else each for each in times.groups])
                if times.plans:  # who watches may care for more than they did
                    times.catch_up()
        if other.awaiting:
            self.awaiting, other.awaiting = [*(self.awaiting or ()), *other.awaiting], None
        other.rename(self)
        while len(members) > MEMBERS:
            self.forget(next(iter(members)))
        self._admit_watchers()

    def rename(self, group: Group) -> None:
        """Be another name for `group` from now on, which knows all that this knew."""
        self.members, self._renamed = group._several(), group
        group.grow_loud(self.loud)
        group.share_watchers(self)


class Absent(Heeded):
    """Stands in for the groups of one that is a member no longer, but will be as soon as more becomes known of it."""

    __slots__ = ("_readmit", "listening")

    def __init__(self, readmit: Callable[[int], None]) -> None:
        """`readmit` is told of which second more is known."""
        super().__init__()
        self.loud = EVER
        self.listening: dict[Times, None] | None = None
        """Nobody: of each event it wants to hear at once."""
        self._readmit = readmit

    def tell_watchers(self, second: int) -> None:
        """More is known."""
        self._readmit(second)


Known: TypeAlias = Times | Group
