"""Evidence: what speaks for an alarm, piece by piece, and what all of it amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec

from smwatch.rules.dimension import Value

BEGINNING, END = -1, 1 << 40
"""Seconds before and after all others."""
LEVELS = 100
"""An alarm's level is its severity's rank times this, and its escalation steps."""
_AT, _RANK_AND_STEP = attrgetter("at"), attrgetter("rank", "step")
_HOW_BAD = itemgetter(0, 1)
"""The rank and the step of a Total."""


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One piece of evidence: an event, or the first of those with one value."""

    at: int
    """The second in which it became evidence."""
    key: int
    rank: int
    """Its severity's rank."""
    step: int
    """How many escalations it takes part in."""
    title: str
    """A title that its grade has; "" for the rule's."""
    value: Value | None = None
    """The value that is counted, where that is not the event."""


class Shed(msgspec.Struct, frozen=True, gc=False):
    """Evidence that is only counted: older than what is kept, or known from an alarm alone."""

    count: int
    first_at: int
    last_at: int
    last_key: int
    rank: int
    step: int
    title: str
    known_upto: int = -1
    """Events up to this key are counted already, should they come again: the alarm that was gone on from knew them."""

    def joined(self, other: Shed) -> Shed:
        """Both together."""
        worst = max((self.rank, self.step, self.title), (other.rank, other.step, other.title))
        return Shed(
            self.count + other.count,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
            max(self.last_key, other.last_key),
            *worst,
            known_upto=max(self.known_upto, other.known_upto),
        )


class Total(NamedTuple):
    """What evidence amounts to."""

    rank: int
    step: int
    title: str
    """Of the newest evidence that is as bad."""
    first_at: int
    last_at: int

    def joined(self, other: Total) -> Total:
        """With evidence that came later."""
        rank, step = max((self.rank, self.step), (other.rank, other.step))
        title = other.title if other.rank == rank else self.title
        return Total(rank, step, title, min(self.first_at, other.first_at), max(self.last_at, other.last_at))


def joined(totals: Sequence[Total]) -> Total:
    """What several amount to together, each of which is of later evidence than the one before."""
    if len(totals) < 2:
        return totals[0] if totals else total_of(())
    rank, step = max({*map(_HOW_BAD, totals)})
    title = next(total.title for total in reversed(totals) if total.rank == rank)
    return Total(rank, step, title, totals[0].first_at, totals[-1].last_at)


def total_of(evidence: Sequence[Evidence]) -> Total:
    """What all of it amounts to, ascending; a loop over it for each change of an alarm has to be quick."""
    if not evidence:
        return Total(-1, 0, "", END, BEGINNING)
    newest = evidence[-1]
    if len(evidence) == 1:
        return Total(newest.rank, newest.step, newest.title, newest.at, newest.at)
    rank, step = max({*map(_RANK_AND_STEP, evidence)})
    title = newest.title if newest.rank == rank else next(one.title for one in reversed(evidence) if one.rank == rank)
    ats = [*map(_AT, evidence)]
    return Total(rank, step, title, min(ats), max(ats))
