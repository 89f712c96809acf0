"""How far a back-fill has come, and how long it will still take."""

from __future__ import annotations

from datetime import timedelta

BEHIND = timedelta(minutes=10)
"""How far the settled past may lag behind its due end before it counts as back-filling."""
TELLING = 1 / 20
"""So much of a back-fill tells how long all of it will take, if that is less than `BEHIND`."""
ROUGHLY = 20
"""From so many minutes on an estimate is of no single ones: it would be told anew after each page."""
HOPELESS = timedelta(hours=2)


class Filling:
    """One back-fill after the other; pure: it is told how much is left, and the time on a clock that only runs forward.

    More than before by `BEHIND` is another one.
    """

    def __init__(self) -> None:
        self._begun: tuple[float, timedelta] | None = None
        """When it began, and how much was to be read then."""

    def progress(self, left: timedelta, clock: float) -> tuple[str, timedelta | None]:
        """How far it has come, in words, and how long it will still take if that is known; "" where there is none."""
        if left <= BEHIND:
            self._begun = None
            return "", None
        if self._begun is None or left > self._begun[1] + BEHIND:
            self._begun = (clock, left)
        began, whole = self._begun
        spent, read = clock - began, whole - left
        if spent < 1 or read < min(BEHIND, whole * TELLING):
            return "back-filling", None
        remaining = timedelta(seconds=spent * (left / read))
        return f"back-filling {_of(timedelta(seconds=spent), timedelta(seconds=spent) + remaining)}", remaining


def _of(spent: timedelta, whole: timedelta) -> str:
    if whole < timedelta(minutes=2):
        return f"{spent.seconds} of ~{whole.seconds} s"
    if whole < HOPELESS:
        minutes = round(whole / timedelta(minutes=1))
        about = minutes if minutes < ROUGHLY else round(minutes / 5) * 5
        return f"{spent // timedelta(minutes=1) or '<1'} of ~{about} min"
    return f"{spent / timedelta(hours=1):.1f} of ~{round(whole / timedelta(hours=1))} h"
