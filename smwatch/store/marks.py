"""Which events are evidence of which alarms, and the worst of those for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import msgspec

from smwatch.rules.alarm import EVIDENCE, Alarm, urgency

LET_GO = 1_000
"""Alarms that the engine has let go are forgotten here as soon as there are more of them than this."""
AT_ONCE = 100
"""How many of them are forgotten in one go, unless more are raised meanwhile: some 2 ms."""


class Marks:
    """The alarms as they were raised last, by the events behind them.

    `knows` says whether an event, by key, is held: one that is stays marked though its alarm no longer carries it. It
    is given with each call and not kept: marks of a store with a method of that store would be a cycle.
    """

    def __init__(self) -> None:
        self.levels: dict[int, Alarm] = {}
        """The worst alarm that each event in evidence belongs to, by event key; open ones are worse than the rest.

        How the alarm stands now is the engine's to say: these are as when last their place in that order changed.
        """
        self._raised: dict[str, Alarm] = {}
        self._groups: dict[int, tuple[str, ...]] = {}
        """Those that each key is in evidence for: mostly one, for which a set takes four times as much as a tuple."""

    def raises(self, alarm: Alarm) -> bool:
        """Whether an alarm asks for attention that did not when it was marked last."""
        before = self._raised.get(alarm.group)
        return alarm.open and alarm.count > 0 and (before is None or not before.open)

    def mark(self, alarm: Alarm, knows: Callable[[int], bool]) -> set[int]:
        """Bring `levels` up to date with an alarm; returns the keys that are new in it or have left it."""
        group, keys = alarm.group, alarm.event_keys
        before = self._raised.get(group)
        self._raised[group] = alarm
        was = set(before.event_keys) if before is not None else set()
        marked = {key for key in keys if key not in self.levels}
        for key in was.difference(keys):
            self._groups[key] = tuple([each for each in self._groups[key] if each != group])
            # An alarm carries no more than its newest evidence: older events stay marked while they are in the store.
            if len(keys) < EVIDENCE or key > keys[0] or not knows(key):
                self._grade(key)
                if key not in self.levels:
                    marked.add(key)
            if not self._groups[key]:
                del self._groups[key]
        same = before is not None and (before.open, before.severity) == (alarm.open, alarm.severity)
        for key in set(keys) - was if same else keys:
            groups = self._groups.get(key, ())
            if group not in groups:
                self._groups[key] = (*groups, group)
            self._grade(key)
        return marked

    def take_over(self, other: Marks) -> set[int]:
        """Take the marks of another one, which is of no use after that; returns keys as `mark` does."""
        marked = set(self.levels.keys() ^ other.levels.keys())
        self.levels.clear()
        self.levels.update(other.levels)
        self._raised, self._groups = other._raised, other._groups
        return marked

    def let_go(self, known: Mapping[str, Alarm], knows: Callable[[int], bool], raised: int) -> set[int]:
        """Forget some alarms that are not `known`, by group, if there are many; returns keys as `mark` does.

        Enough are forgotten that they become fewer even after so many have just been `raised`.
        """
        marked: set[int] = set()
        if len(self._raised) > len(known) + LET_GO:
            gone = (group for group in self._raised if group not in known)
            # No more in one go: serves "longest stall of the event loop".
            for group in tuple(islice(gone, max(AT_ONCE, 2 * raised))):
                marked |= self.mark(msgspec.structs.replace(self._raised[group], event_keys=()), knows)
                del self._raised[group]
        return marked

    def unmark(self, keys: Iterable[int]) -> None:
        """Events have left: they are evidence no more, where no alarm carries them."""
        levels, groups = self.levels, self._groups
        for key in keys:
            if key in levels and key not in groups:
                del levels[key]

    def _grade(self, key: int) -> None:
        groups = self._groups[key]
        if groups:
            self.levels[key] = min((self._raised[group] for group in groups), key=urgency)
        else:
            self.levels.pop(key, None)
