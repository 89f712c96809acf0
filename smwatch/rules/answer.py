"""Answers that may change as more becomes known, and whom that wakes."""

from __future__ import annotations

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


class Pending:
    """A question whose answer may change as more becomes known, and what it hangs on."""

    __slots__ = ("_on", "ask", "final")

    def __init__(self, ask: Callable[[], bool], *on: Watched, final: Callable[[], bool | None] = lambda: None) -> None:
        self.ask = ask
        self.final = final
        """The answer that will never be another one, whatever becomes known; None while there is none."""
        self._on = on

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` when the answer may have changed."""
        for one in self._on:
            one.watch(watcher)


class Whenever:
    """A fact that matters to its watchers whenever it happened, however far from their own events."""

    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        self._known = known

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` when anything more becomes known of it."""
        self._known.watch(_Waker(watcher))


class _Waker(NamedTuple):
    watcher: Watcher
    high: int = EVER

    def watches(self, known: Teller) -> None:
        """It watches this from now on."""
        self.watcher.watches(known)

    def heed(self, _second: int) -> None:
        self.watcher.wake()

    def wake(self) -> None:
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
        if isinstance(answer, Pending):
            pending.append(answer)
    if not pending:
        return not decisive
    if len(pending) == 1:
        return pending[0]
    return Pending(
        lambda: any(one.ask() is decisive for one in pending) is decisive,
        *pending,
        final=lambda: _final(pending, decisive=decisive),
    )


def _final(pending: Sequence[Pending], *, decisive: bool) -> bool | None:
    """The final answer of several together, where one that is `decisive` decides."""
    finals = {one.final() for one in pending}
    if decisive in finals:
        return decisive
    return None if None in finals else not decisive
