"""How calls are shared out between what is new and what is settled for good.

Where pages are small, reading everything once takes a part of the budget that can't be saved: it is the settle's.
What is left is for sweeps or passes, so that the mark of completeness keeps up with few calls, too.
"""

from __future__ import annotations

from smwatch.sources.audits import OWED

LIVE_SHARE = 0.4205
"""The part of the budget for what is new where pages are large, and hardly any calls go to anything else."""
SHARE = ((0.423, 0.75), (0.4352, 0.53))
"""All that is to be spent but for audits: a part of the budget, and so much of what reading everything once costs; the
lesser one."""
LEAST_SHARE = 0.1
"""The part of the budget that is left for what is new, however much there is to settle."""
LATE_SHARE = 0.03
"""The part of the budget that reading what sweeps leave may cost; above that, it is the settle's."""
LATE_FOR = 1.1
"""What reading what sweeps leave costs, of what full pages would."""
DENSE, LESS_DENSE = 0.17, 0.14
"""The part of the budget that reading everything once costs, from which on passes are better than sweeps, and where
they no longer are."""
PASSED_FOR, MOST_SHARE = 1.04, 0.9
"""What reading everything by passes costs, of what full pages would; and how much of the budget that, the settle
and the page that audits are owed may take together: beyond that, only the settle can keep up."""
AUDIT_SHARE, AUDITED_FOR = 0.12, 1.05
"""The part of the budget, idle otherwise, for audits: at one record a second six hours can be read every hour; where
that is not enough, what it costs to look at every moment again, of what full pages would."""
FULL = 0.95
"""The part of the budget that all may take together with audits."""
LASTING = 1.5
"""So many times as much as what was settled last is still about as much."""
PLENTY = 0.35
"""The part of the budget that reading everything once may cost for what is new to come first: beyond that, it takes
turns with what is to be settled, or the mark would fall behind."""
STARVED = 0.5
"""The part of the budget that reading everything once costs, from which on a bad quarter of an hour is not made up."""
ROOM = 1.15
"""How much more early readings may cost than is left for them, lest what is counted in one minute or another has some
moments wait for the late one by chance."""


class Budget:
    """The calls of one source, and what they are needed for; pure."""

    def __init__(self, page: int, rate: float) -> None:
        self.rate = rate
        """Calls a second that bring an answer, at present."""
        self.density = 0.0
        """Records a second, as the last sweep or pass found it."""
        self.settled_density = 0.0
        """Records a second of what was settled last."""
        self._page = page

    @property
    def whole(self) -> float:
        """Calls a second that it takes to read everything once; 0 where pages are large."""
        density = self.density or self.settled_density  # sweeps that show less than a minute tell nothing of it
        return density / self._page if self._page else 0.0

    @property
    def for_sweeps(self) -> float:
        """Calls a second for what is new."""
        return max(LEAST_SHARE * self.rate, self._spare) if self._page else LIVE_SHARE * self.rate

    @property
    def reads_late(self) -> bool:
        """Whether what sweeps leave is little enough to be read before it is settled."""
        return self.whole <= LATE_SHARE * self.rate

    def passes(self, already: bool) -> bool:
        """Whether passes are better than sweeps, where they are what is done `already`, or are not."""
        if self.whole <= (LESS_DENSE if already else DENSE) * self.rate:
            return False
        settling = max(self.whole, self._settling)  # what happens now is settled in an hour
        audits = 1 / OWED  # however few calls there are
        return PASSED_FOR * self.whole + settling + audits <= MOST_SHARE * self.rate

    def early(self, part: float) -> float:
        """The share of the moments that there are calls for to read twice, where an early reading finds this part."""
        if not part:
            return 0.0
        late = PASSED_FOR * self.whole
        return ROOM * (self._spare - late) / (part * late)

    @property
    def lasting(self) -> bool:
        """Whether there was about as much an hour ago, and what there is now is no burst of one age."""
        return self.density <= LASTING * self.settled_density

    @property
    def plenty(self) -> bool:
        """Whether the settle keeps up from what is left when what is new comes first."""
        return self.whole <= PLENTY * self.rate

    @property
    def starved(self) -> bool:
        """Whether reading everything once takes so much of the calls that there is little to make up for any less."""
        return self.whole > STARVED * self.rate

    @property
    def for_audits(self) -> float:
        """Calls a second for looking again at what is settled."""
        return min(max(AUDIT_SHARE * self.rate, 2 * AUDITED_FOR * self.whole), self.idle)

    @property
    def audits_twice(self) -> bool:
        """Whether there are calls for looking at every moment twice again."""
        return self.for_audits >= 2 * AUDITED_FOR * self.whole

    @property
    def idle(self) -> float:
        """Calls a second that nothing else needs."""
        live = PASSED_FOR * self.whole if self.whole > LESS_DENSE * self.rate else LEAST_SHARE * self.rate
        return max(0.0, FULL * self.rate - max(self._planned, live + self._settling))

    @property
    def _settling(self) -> float:
        """Calls a second that the settle takes."""
        return self.settled_density / self._page if self._page else 0.0

    @property
    def _spare(self) -> float:
        """Calls a second that may be spent on what is new."""
        late = LATE_FOR * self.whole if self.reads_late else 0.0
        return self._planned - self._settling - late

    @property
    def _planned(self) -> float:
        """Calls a second that may be spent on what is new and on the settle together."""
        return min(share * self.rate + more * self.whole for share, more in SHARE)
