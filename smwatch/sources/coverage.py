"""The arithmetic of completeness: which periods have been read whole, and which never will be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""What a file says that may be damaged: only with its zone."""


class Span(msgspec.Struct, frozen=True, order=True):
    """A period [start, end) of aware UTC moments; never empty."""

    start: Moment
    end: Moment

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a span ends after it starts, not {self.start} to {self.end}")


class Gap(msgspec.Struct, frozen=True, order=True):
    """A period that could not be read and never will be, and why, as a sentence for a person."""

    span: Span
    reason: str

    def happened(self, since: datetime, delivered_within: timedelta) -> Gap:
        """A gap in when records were delivered as one in when they happened, which starts no earlier than `since`."""
        start = max(self.span.start - delivered_within, min(since, self.span.start))
        return Gap(Span(start, self.span.end), self.reason)


class Lags(msgspec.Struct, frozen=True):
    """How late records have to be expected, where that was found to be later than planned."""

    settle: timedelta | None = None
    """When nothing more turns up."""
    sweep: timedelta | None = None
    """When almost all have turned up, until `sweep_until`."""
    sweep_until: Moment | None = None
    settle_until: Moment | None = None
    """How long `settle` is expected if nothing more is that late."""
    delivery: timedelta | None = None
    """How long after it happened a record is delivered at the most."""
    delivery_until: Moment | None = None
    """How long that is expected if nothing more is that late."""


class Audited(msgspec.Struct, frozen=True):
    """How far looking again at what is settled has come; see audits.Audits."""

    due_at: Moment | None = None
    """When the next round begins, if none is under way."""
    turn_at: Moment | None = None
    """When a page was read last, or the round that is under way began."""
    left: tuple[Span, ...] = ()
    """What the round that is under way has yet to read, in its order."""
    round: Span | None = None
    """What the last round is about, from its first moment to its last."""
    planned_at: Moment | None = None
    """When that was settled by the service's time."""
    last_to: Moment | None = None
    """Up to where everything was looked at for the last time."""
    unread: tuple[Span, ...] = ()
    """What could not be read, and no later round has read."""
    urgent: bool = False
    """Whether the round under way is to be read quickly, as a record was late."""
    urgent_next: bool = False
    """Whether the next one is."""


class Asked(msgspec.Struct, frozen=True, order=True):
    """That a run asked for everything from some moment on."""

    since: Moment
    at: Moment
    """When it began."""
    sure: bool = True
    """Whether that is the service's time, and not that of a machine which had heard of none."""


class Noted(msgspec.Struct, frozen=True):
    """What one run of a source leaves to the next, besides what it settled; None of what is as it was noted before."""

    lags: Lags | None = None
    audited: Audited | None = None
    asked: tuple[Asked, ...] | None = None
    """What runs have asked for, whether or not it has been read yet."""
    swept: tuple[Span, ...] | None = None
    """What was read when nearly all of its records had turned up: sweeps need not go back there."""
    said_to: Moment | None = None
    """How far it was said to be complete when records turned out to be delivered later than was thought."""


class Coverage(msgspec.Struct, frozen=True):
    """What one source has settled: disjoint spans in ascending order that don't touch, and its gaps."""

    settled: tuple[Span, ...] = ()
    gaps: tuple[Gap, ...] = ()
    lags: Lags = Lags()
    """What an earlier run found."""
    audited: Audited = Audited()
    """How far an earlier run had come with looking again."""
    asked: tuple[Asked, ...] = ()
    """What earlier runs asked for, whether or not it has been read yet."""
    swept: tuple[Span, ...] = ()
    """What was read when nearly all of its records had turned up: sweeps need not go back there."""
    lost_to: datetime | None = None
    """How far a journal before this one, which is lost, was complete."""
    said_to: datetime | None = None
    """How far it was said to be complete when records turned out to be delivered later than was thought."""

    def with_settled(self, span: Span) -> Coverage:
        """This coverage and one more span."""
        return msgspec.structs.replace(self, settled=join((*self.settled, span)))

    def with_gap(self, gap: Gap) -> Coverage:
        """This coverage and one more gap."""
        return msgspec.structs.replace(self, gaps=tuple(sorted({*self.gaps, gap})))

    def without_gaps(self, untrue: Iterable[Gap]) -> Coverage:
        """This coverage, and what it took for gaps is none."""
        return msgspec.structs.replace(self, gaps=tuple(sorted({*self.gaps}.difference(untrue))))

    def missing(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """The parts of [start, end) that are neither settled nor given up as gaps, ascending."""
        return lacking((*self.settled, *(gap.span for gap in self.gaps)), start, end)

    def within(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """The parts of [start, end) that are settled, ascending."""
        parts = ((max(span.start, start), min(span.end, end)) for span in self.settled)
        return tuple(Span(first, last) for first, last in parts if first < last)

    def holds(self, moment: datetime) -> bool:
        """Whether this moment is settled."""
        return any(span.start <= moment < span.end for span in self.settled)

    def complete_to(self, start: datetime) -> datetime:
        """How far nothing is missing from `start` on (gaps count as read: they are shown by themselves)."""
        for span in join((*self.settled, *(gap.span for gap in self.gaps))):
            if span.start <= start < span.end:
                return span.end
        return start

    def told_to(self, start: datetime, delivered_within: timedelta) -> datetime:
        """How far nothing is missing of what happened from `start` on, if records are delivered within this time.

        Periods are settled by when records were delivered, so that the last of what happened may be yet to come. What
        was said before (`said_to`) is not taken back.
        """
        whole = self.complete_to(start)
        told = whole - delivered_within
        return max(told, self.said_to) if self.said_to is not None and self.said_to <= whole else told


def lacking(spans: Iterable[Span], start: datetime, end: datetime) -> tuple[Span, ...]:
    """The parts of [start, end) that are in none of these spans, ascending."""
    missing: list[Span] = []
    for span in join(spans):
        if span.end <= start:
            continue
        if span.start >= end:
            break
        if span.start > start:
            missing.append(Span(start, span.start))
        start = max(start, span.end)
    if start < end:
        missing.append(Span(start, end))
    return tuple(missing)


def join(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same moments as the fewest spans, ascending; spans that overlap or touch become one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            if span.end > joined[-1].end:
                joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(joined)
