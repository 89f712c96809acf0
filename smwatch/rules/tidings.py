"""What an alarm tells beside its evidence: worked out when it is told, and again once that may be otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smwatch.rules.telling import Told, lasting, tell, told_of, wanted
from smwatch.rules.watching import Recalling, Teller

if TYPE_CHECKING:
    from smwatch.rules.case import Case


class Tidings(Recalling):
    """What one case's alarm tells, of facts that it hears of apart from those that its evidence hangs on.

    As long as there is no alarm, nobody is told, nothing has to be judged, and it hears of nothing: most who fail to
    read a secret now and then have none, while its key is used all the time. Serves the row "rules-trouble".
    """

    __slots__ = ("__weakref__", "_case", "_heard_at", "told", "wanted")

    def __init__(self, case: Case) -> None:
        self._case = case
        self.told: Told | None = None
        """What was told last, unless more has become known that may change it."""
        self._heard_at = -1
        """The world's turn in which it began to hear of the facts that may change what is told; -1: it does not."""
        self.wanted = False
        """Whether there is an alarm to tell it."""

    @property
    def high(self) -> int:
        """What the facts say of later seconds does not matter."""
        return self._case.high

    def watches(self, known: Teller) -> None:
        """The case keeps what is told of."""
        self._case.watches(known)

    def heed(self, second: int) -> None:
        """A fact is now known of this second too."""
        if self._case.low <= second <= self._case.high:
            if self.told is not None:
                if second > self.told.first_at and lasting(self._case.rule):
                    return
                if second <= self.told.first_at:
                    self.told = None
            self._tell_again()

    def lose(self, second: int, until: int) -> None:
        """An event is told by name no longer: of what began before it, or since the next, nothing else is told."""
        told = self.told
        # Of a secret that is written all day each write puts an older one out: serves the row "rules-trouble".
        if told is None or second <= told.first_at < until or not lasting(self._case.rule):
            self.heed(second)

    def wake(self) -> None:
        """More is known of a fact than a second."""
        self.forget()
        self._tell_again()

    def forget(self) -> None:
        """Find out anew what there is to tell, and of what to hear."""
        self.told, self._heard_at = None, -1

    def _tell_again(self) -> None:
        if self.wanted:
            self._case.evidence_changes()

    def of(self, first_at: int) -> Told:
        """What is told by when the evidence began, with an ear to all that may change that."""
        if self.told is None or self.told.first_at != first_at:
            case = self._case
            self.told = tell(case.rule, case.world, case.values, first_at)
            # Which facts those are hangs on no second: of one episode after the other, as in the row "rules-trouble".
            if self._heard_at != case.world.turns.count:
                self._heard_at = case.world.turns.count
                for known in told_of(case.rule, case.world, case.values):
                    known.watch(self)
            if (want := wanted(case.rule, case.values, first_at)) is not None:
                case.world.vigil.hope(want, self)
        return self.told
