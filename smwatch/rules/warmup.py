"""Since when a place has been watched for so long that a share of all that is known there says something."""

from __future__ import annotations

from collections.abc import Callable

from smwatch.rules.period import HOUR
from smwatch.rules.times import EVER
from smwatch.rules.vigil import Place, Vigil, Want
from smwatch.rules.watching import Teller

MARGIN = HOUR
"""Seconds by which `Warmup.since` may be too early: so much more is watched before anybody looks again."""


class Warmup:
    """The first second by which a place had been watched for so many seconds, or a little before it.

    It is asked for all cases of a place at once: no event before that second can be evidence of a share, so that until
    then none of them has anything to judge. Serves "rules" where many principals come to many secrets.
    """

    __slots__ = ("__weakref__", "_place", "_seconds", "_tell", "_vigil", "high", "since")

    def __init__(self, vigil: Vigil, place: Place, seconds: int, tell: Callable[[int, int], None]) -> None:
        """`tell` is told of the second that is the first from now on, and of that which was."""
        self._vigil, self._place, self._seconds, self._tell = vigil, place, seconds, tell
        self.high = EVER
        self.since = EVER
        """EVER where it has not been watched for so long at all."""
        self.wake()

    def watches(self, known: Teller) -> None:
        """It hangs on no fact."""

    def heed(self, second: int) -> None:
        """It hangs on no fact."""

    def wake(self) -> None:
        """More was watched."""
        found = self._vigil.reached(self._place, self._seconds)
        since = EVER if found is None else max(0, found - MARGIN)
        if since < self.since:
            was, self.since = self.since, since
            self._tell(since, was)
        if self.since:
            self._vigil.hope(Want(self._place, 0, self.since, self._seconds), self)
