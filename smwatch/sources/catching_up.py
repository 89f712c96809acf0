"""What sweeps leave to be read beside them, at the start and after an outage, and what they need not go back to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from smwatch.sources.coverage import Span, join, lacking

SWEPT_BY = timedelta(minutes=1)
"""How much more sweeps have done with before that is noted: it costs a write."""


class CatchingUp:
    """Keeps the periods that are to be caught up with, and those that sweeps have done with; pure."""

    def __init__(self, swept: Sequence[Span]) -> None:
        """`swept` is what an earlier run noted, ascending."""
        self.swept = tuple(swept)
        """What was swept, or caught up with, until all in it was old enough for sweeps, ascending."""
        self._holes: tuple[Span, ...] = ()
        self._join_from: datetime | None = None
        """From where on what sweeps have read is yet to be added to `swept`."""

    @property
    def left(self) -> timedelta:
        """How much time is to be caught up with."""
        return sum((hole.end - hole.start for hole in self._holes), timedelta())

    def leave(self, hole: Span | None) -> None:
        """Have this read aside."""
        self._holes = join((*self._holes, *((hole,) if hole else ())))

    def leave_unswept(self, start: datetime, end: datetime, at: datetime) -> None:
        """Have read aside what was not swept of this period, at server time `at`."""
        known = [span for span in self.swept if span.end <= at]  # else it was written with a wrong clock
        for hole in lacking(known, start, end):
            self.leave(hole)

    def next(self) -> Span | None:
        """What to read next: the newest hole, which then no longer counts as one."""
        if not self._holes:
            return None
        *older, newest = self._holes
        self._holes = tuple(older)
        return newest

    def swept_to(self, moment: datetime, horizon: datetime, *, joins: bool) -> None:
        """Sweeps are done with what is before this moment; all of it since the last such moment, if this `joins` it."""
        if self._join_from is None or not joins:
            self._join_from = moment
        elif moment - self._join_from >= SWEPT_BY:
            self.read(Span(self._join_from, moment), horizon)
            self._join_from = moment

    def read(self, span: Span, horizon: datetime) -> None:
        """This was read, old enough for sweeps to have done with it; what is before `horizon` is the settle's."""
        if span.start < span.end:
            self.swept = join((*(each for each in self.swept if each.end > horizon), span))

    def restart(self, swept: Sequence[Span]) -> None:
        """Forget all that was left, and all that was swept but this: the time was not the service's."""
        self._holes, self.swept = (), tuple(swept)
