"""The arithmetic of completeness: which periods have been read whole, and which never will be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import msgspec


class Span(msgspec.Struct, frozen=True, order=True):
    """A period [start, end) of aware UTC moments; never empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a span ends after it starts, not {self.start} to {self.end}")


class Gap(msgspec.Struct, frozen=True, order=True):
    """A period that could not be read and never will be, and why, as a sentence for a person."""

    span: Span
    reason: str


Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""What a file says that may be damaged: only with its zone."""


class Lags(msgspec.Struct, frozen=True):
    """How late records have to be expected, where that was found to be later than planned."""

    settle: timedelta | None = None
    """When nothing more turns up."""
    sweep: timedelta | None = None
    """When almost all have turned up, until `sweep_until`."""
    sweep_until: Moment | None = None
    settle_until: Moment | None = None
    """How long `settle` is expected if nothing more is that late."""


class Coverage(msgspec.Struct, frozen=True):
    """What one source has settled: disjoint spans in ascending order that don't touch, and its gaps."""

    settled: tuple[Span, ...] = ()
    gaps: tuple[Gap, ...] = ()
    lags: Lags = Lags()
    """What an earlier run found."""
    lost_to: datetime | None = None
    """How far a journal before this one, which is lost, was complete."""

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
        missing: list[Span] = []
        for span in join((*self.settled, *(gap.span for gap in self.gaps))):
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

    def holds(self, moment: datetime) -> bool:
        """Whether this moment is settled."""
        return any(span.start <= moment < span.end for span in self.settled)

    def complete_to(self, start: datetime) -> datetime:
        """How far nothing is missing from `start` on (gaps count as read: they are shown by themselves)."""
        for span in join((*self.settled, *(gap.span for gap in self.gaps))):
            if span.start <= start < span.end:
                return span.end
        return start


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
