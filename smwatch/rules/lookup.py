"""What is asked of one fact: whether it is known around an event, is new to it, or was so before it as ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from smwatch.rules.answer import Answer, Pending
from smwatch.rules.condition import Look, Lookup
from smwatch.rules.group import Group, Known
from smwatch.rules.vigil import Place, Vigil, Want
from smwatch.rules.watching import Watcher
from smwatch.rules.world import World

Where: TypeAlias = Callable[[], Place]
"""Finds out where somebody must have been watching: mostly that does not matter any more."""


class _Seen(Pending):
    """Whether a fact is known of a second from `low` to `high`: once it is, it was, whatever of it is forgotten."""

    __slots__ = ("_high", "_known", "_low", "_was")

    def __init__(self, known: Known, low: int, high: int) -> None:
        self._known, self._low, self._high = known, low, high
        self._was = False

    def ask(self) -> bool:
        """See above."""
        if not self._was:
            self._was = self._known.any(self._low, self._high)
        return self._was

    def final(self) -> bool | None:
        """Facts are only ever added to: what is known once is known for good."""
        return self.ask() or None

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` when it may be."""
        self._known.watch(watcher)


class _Watched(Pending):
    """What is known of a fact before an event, which says something where somebody was watching for long enough."""

    __slots__ = ("_known", "_vigil", "_want")

    def __init__(self, known: Known, vigil: Vigil, want: Want) -> None:
        """`want`: the seconds that are asked about, and how many of them, and where, somebody must have watched."""
        self._known, self._vigil, self._want = known, vigil, want

    def _enough(self) -> bool:
        return not self._want.seconds or self._vigil.enough(self._want)

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` when the answer may have changed."""
        self._known.watch(watcher)
        if self._want.seconds:
            self._vigil.hope(self._want, watcher)


class _New(_Watched):
    """Whether nothing was known."""

    __slots__ = ()

    def ask(self) -> bool:
        """See above."""
        want = self._want
        return not self._known.any(want.low, want.high - 1) and self._enough()

    def final(self) -> bool | None:
        """Something was."""
        return False if self._known.any(self._want.low, self._want.high - 1) else None


class _Steady(_Watched):
    """Whether something was, of nobody for the first time."""

    __slots__ = ()

    def ask(self) -> bool:
        """See above."""
        want, known = self._want, self._known
        assert isinstance(known, Group)
        return known.steady(want.low, want.high - 1) and self._enough()


def asked_of(world: World, lookup: Lookup) -> Callable[[Known | None, int, Where], Answer]:
    """The lookup's question, once it is clear of whom it is asked, and where that is."""
    within = lookup.seconds
    back = within if lookup.look is not Look.FOLLOWS else 0
    ahead = within if lookup.look in (Look.FOLLOWS, Look.NEAR) else -int(lookup.ago)
    warmup, vigil = int(lookup.warmup), world.vigil

    def seen(known: Known | None, second: int, _where: Where) -> Answer:
        if known is None:
            return False
        low, high = second - back, second + ahead
        return known.any(low, high) or _Seen(known, low, high)

    def new(known: Known | None, second: int, where: Where) -> Answer:
        if known is None or known.any(second - within, second - 1) or known.forgotten(second):
            return False
        return _New(known, vigil, Want(where(), second - within, second, warmup))

    def steady(known: Known | None, second: int, where: Where) -> Answer:
        if not isinstance(known, Group):
            return False
        return _Steady(known, vigil, Want(where(), second - within, second, warmup))

    match lookup.look:
        case Look.NEW:
            return new
        case Look.STEADY:
            return steady
        case Look.SEEN | Look.FOLLOWS | Look.NEAR:
            return seen
