"""Answers that may change as more becomes known, and whom that wakes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, ParamSpec, Protocol, TypeAlias

from smwatch.rules.group import Known
from smwatch.rules.times import EVER
from smwatch.rules.watching import Teller, Watcher


class Watched(Protocol):
    """What can tell that it has changed."""

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of it."""
        ...


class Pending(ABC):
    """A question whose answer may change as more becomes known, and what it hangs on."""

    # Those that are asked of each event have a class, not functions of their own: those hold five times as much.

    __slots__ = ()

    @abstractmethod
    def ask(self) -> bool:
        """The answer as far as is known."""

    def final(self) -> bool | None:
        """The answer that will never be another one, whatever becomes known; None while there is none."""
        return None

    @abstractmethod
    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` when the answer may have changed."""


class Open(Pending):
    """One that a function answers."""

    __slots__ = ("_ask", "_final", "_on")

    def __init__(self, ask: Callable[[], bool], *on: Watched, final: Callable[[], bool | None] = lambda: None) -> None:
        self._ask = ask
        self._final = final
        self._on = on

    def ask(self) -> bool:
        """See Pending."""
        return self._ask()

    def final(self) -> bool | None:
        """See Pending."""
        return self._final()

    def watch(self, watcher: Watcher) -> None:
        """See Pending."""
        for one in self._on:
            one.watch(watcher)


class Whenever:
    """A fact that matters to its watchers whenever it happened, however far from their own events."""

    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        self._known = known

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` when anything more becomes known of it."""
        self._known.watch(Waker(watcher))


class Waker(NamedTuple):
    """Wakes a watcher of a fact that matters to it whenever it happened."""

    watcher: Watcher
    high: int = EVER

    def watches(self, known: Teller) -> None:
        """It watches this from now on."""
        self.watcher.watches(known)

    def heed(self, _second: int) -> None:
        """It is known of one more second."""
        self.watcher.wake()

    def wake(self) -> None:
        """More is known of it."""
        self.watcher.wake()


Answer: TypeAlias = bool | Pending
P = ParamSpec("P")


def all_of(asks: Sequence[Callable[P, Answer]]) -> Callable[P, Answer]:
    """What asks whether all of these hold."""
    return partial(_all_told, asks, False)


def any_of(asks: Sequence[Callable[P, Answer]]) -> Callable[P, Answer]:
    """What asks whether one of these holds."""
    return partial(_all_told, asks, True)


def _all_told(asks: Sequence[Callable[P, Answer]], decisive: bool, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
    """What several questions amount to, where one answer that is `decisive` decides: the others are not asked."""
    pending = list[Pending]()
    for ask in asks:
        answer = ask(*args, **kwargs)
        if answer is decisive:
            return decisive
        if not isinstance(answer, bool):
            pending.append(answer)
    if not pending:
        return not decisive
    return pending[0] if len(pending) == 1 else _Together(pending, decisive=decisive)


class _Together(Pending):
    """Several, of which one that is `decisive` decides."""

    __slots__ = ("_decisive", "_parts")

    def __init__(self, parts: Sequence[Pending], *, decisive: bool) -> None:
        self._parts = tuple(parts)
        self._decisive = decisive

    def ask(self) -> bool:
        """See Pending."""
        decisive = self._decisive
        for one in self._parts:  # asked of each event of the row "rules-trouble"; any() makes a generator
            if one.ask() is decisive:
                return decisive
        return not decisive

    def final(self) -> bool | None:
        """See Pending."""
        finals = {one.final() for one in self._parts}
        if self._decisive in finals:
            return self._decisive
        return None if None in finals else not self._decisive

    def watch(self, watcher: Watcher) -> None:
        """See Pending."""
        for one in self._parts:
            one.watch(watcher)
