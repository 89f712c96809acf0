"""What came of a soak, and whether that is good."""

from __future__ import annotations

import statistics

import msgspec

PARTS = 20
"""Of a run, for which the memory is told one by one."""
GROWTH, GROWTH_SHORT, SHORT = 1.05, 1.15, 1200.0
"""What a long-lived process may hold in the last quarter of a run, compared with the second quarter: the noise of an
allocator, no more. The first quarter fills the store and the caches; in a run of fewer seconds than these the second
does so, too."""


class Outcome(msgspec.Struct):
    """What came of a run."""

    seconds: float = 0.0
    held: int = 0
    kills: int = 0
    faults: dict[str, int] = {}
    calls: int = 0
    lost: list[str] = []
    """Held by the services, never printed."""
    invented: list[str] = []
    """Printed, but held by no service."""
    not_journaled: list[str] = []
    repeated: int = 0
    """Events printed more than once."""
    most_repeated_at_once: int = 0
    """The most events that one restart printed again."""
    watermark_went_back: int = 0
    unfounded: list[str] = []
    """Held by a service in a period that the journal claimed to be settled, and not in the journal."""
    peak_mib: float = 0.0
    """The most that a process held, in MiB."""
    memory_mib: list[float] = []
    """The median of what the process held in each of PARTS equal parts of the run, in MiB."""

    @property
    def failures(self) -> list[str]:
        """What must not be, as sentences; none for a good run."""
        most = GROWTH_SHORT if self.seconds < SHORT else GROWTH
        wrong = {
            f"{len(self.lost)} events lost": self.lost,
            f"{len(self.invented)} events invented": self.invented,
            f"{len(self.not_journaled)} events missing in the journal": self.not_journaled,
            f"{len(self.unfounded)} events missing in settled periods": self.unfounded,
            f"the mark of completeness went back {self.watermark_went_back} times": self.watermark_went_back,
            f"{self.repeated} events repeated by {self.kills} kills": self.repeated and not self.kills,
            f"memory grew to {self.growth:.2f} times of what it was": self.growth > most,
        }
        return [sentence for sentence, is_so in wrong.items() if is_so]

    @property
    def growth(self) -> float:
        """What one process held in the last quarter of its run, by what it held in the second; 0 for several."""
        if self.kills > 1 or len(self.memory_mib) < PARTS:
            return 0.0
        quarters = [statistics.median(self.memory_mib[i : i + PARTS // 4]) for i in (PARTS // 4, 3 * PARTS // 4)]
        return quarters[1] / quarters[0]
