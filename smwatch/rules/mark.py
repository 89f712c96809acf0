"""One event of a case: whether it is evidence, of which grade, and what that still hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smwatch.events.links import reads_caused
from smwatch.rules.answer import Pending
from smwatch.rules.evidence import Evidence
from smwatch.rules.newest import Newest
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.watching import Watcher


class Verdict:
    """A grade an event may have: what it hangs on, and what the event is then."""

    __slots__ = ("pending", "rank", "title")

    def __init__(self, pending: Pending | None, rank: int, title: str) -> None:
        self.pending = pending
        self.rank = rank
        self.title = title


class Mark:
    """One event of a case, with what it still hangs on."""

    __slots__ = (
        "_eligible",
        "at",
        "caused",
        "evidence",
        "fixed",
        "grades",
        "key",
        "newest",
        "only",
        "rank",
        "second",
        "step",
        "title",
        "unless",
    )

    def __init__(self, key: int, newest: Newest | None, grades: tuple[Verdict, ...]) -> None:
        self.key = key
        self.newest = newest
        """The event itself; None if only an alarm tells of it."""
        self.second = key >> SECOND_BITS
        self.at = self.second
        """The second in which it becomes evidence."""
        self.fixed = False
        """Whether it is evidence because an alarm that was kept says so, until it can be judged again."""
        self.caused = False
        """Whether it is a read that is counted already, with a batch that is not here any more."""
        self.evidence = False
        self.rank = self.step = 0
        self.title = ""
        self.only: tuple[Pending, ...] = ()
        self.unless: tuple[Pending, ...] = ()
        self.grades = grades
        """The first that holds counts; the last one always does."""
        self._eligible: bool | None = None

    @property
    def eligible(self) -> bool:
        """Whether it may be evidence, as far as is known."""
        if self._eligible is None:
            self._eligible = self._may_be()
        return self._eligible

    def _may_be(self) -> bool:
        for one in self.only:
            if not one.ask():
                return False
        for one in self.unless:  # noqa: SIM110  asked of each event of the row "rules-trouble"; any() makes a generator
            if one.ask():
                return False
        return True

    @property
    def lost(self) -> bool:
        """Whether it will never be evidence, whatever becomes known."""
        if self.fixed or self.eligible:
            return False
        return any(one.final() is False for one in self.only) or any(one.final() is True for one in self.unless)

    def doubt(self) -> None:
        """What it hangs on may be otherwise by now."""
        if self.only or self.unless:
            self._eligible = None

    def settle(self, evidence: bool) -> None:
        """Make it evidence, of the first grade that holds, or none; what an alarm that was kept says of it stands."""
        if self.fixed:
            self.evidence = True
            return
        self.evidence, self.step = evidence, 0
        if not evidence:
            return
        for grade in self.grades:
            if grade.pending is None or grade.pending.ask():
                self.rank, self.title = grade.rank, grade.title
                return

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of all that it still hangs on."""
        for pending in (*self.only, *self.unless):
            pending.watch(watcher)
        for grade in self.grades:
            if grade.pending is not None:
                grade.pending.watch(watcher)

    def confirm(self, other: Mark) -> bool:
        """The same event again, of which one may be what an alarm that was kept says of it; whether it tells more."""
        if self.fixed and self.newest is None and other.newest is not None:
            self.newest, self.only, self.unless, self.grades = other.newest, other.only, other.unless, other.grades
        elif other.fixed and not self.fixed:
            self.fixed, self.evidence, self.at, self.caused = True, True, other.at, other.caused
            self.rank, self.step, self.title = other.rank, other.step, other.title
        else:
            return False
        return True

    def join(self, step: int, rank: int, title: str) -> None:
        """Be evidence of a step, if of nothing worse."""
        if self.evidence:
            self.escalate(step, rank, title)
        elif not self.fixed:
            self.evidence, self.step, self.rank, self.title = True, step, rank, title

    def escalate(self, step: int, rank: int, title: str) -> None:
        """Let it take part in an escalation."""
        if step > self.step:
            self.step = step
        if rank > self.rank:
            self.rank, self.title = rank, title or self.title


Judge = Callable[[Sequence[Mark], slice], None]
"""Settles some marks of a case: those of the slice, by the ones around them, which are ascending."""


def caused_in(marks: Iterable[Mark]) -> dict[int, int]:
    """Of these marks, ascending, the reads that batches among them caused: their keys, and the batches'."""
    return reads_caused(mark.newest.event for mark in marks if mark.newest is not None and not mark.caused)


def settle_each(marks: Sequence[Mark], some: slice) -> None:
    """Every eligible event is evidence."""
    for mark in marks[some]:
        mark.settle(mark.eligible)


def evidence_of(mark: Mark) -> Evidence:
    """What a mark that is evidence counts as."""
    return Evidence(mark.at, mark.key, mark.rank, mark.step, mark.title)
