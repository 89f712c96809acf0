"""Whose page is next, among the scans of one source."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from smwatch.sources.scan import Kind, Scan

NEW = (Kind.VIEW, Kind.SWEEP, Kind.PASS, Kind.GLANCE)
"""What shows what is new: how many calls that takes is planned, and it is waited for."""
IN_A_ROW = 9
"""So many pages are read while others stand back; then one of those is."""


class Turns:
    """Pages of the scans under way go in turn, but for those that stand back for what is new; pure."""

    def __init__(self) -> None:
        self._order = [*NEW, Kind.CATCH_UP, Kind.SETTLE, Kind.LATE]
        self._in_a_row = 0
        self._last: tuple[Scan, int] | None = None
        """What was picked last, and how many pages of it had been read then."""

    def next(self, scans: Mapping[Kind, Scan], standing_back: Collection[Kind] = ()) -> Scan | None:
        """The scan whose turn it is; an audit only when nothing else is to be done.

        Nothing stands back for a scan whose last page could not be had.
        """
        waiting = [kind for kind in standing_back if kind in scans]
        hurried = any(kind in scans and not self._failed(scans[kind]) for kind in NEW)
        if not waiting or not hurried or self._in_a_row >= IN_A_ROW:
            picked = next((kind for kind in self._order if kind in scans), Kind.AUDIT)
        else:
            picked = next(kind for kind in self._order if kind in scans and kind not in waiting)
        if picked is Kind.AUDIT:
            return scans.get(picked)
        self._in_a_row = 0 if not waiting or picked in waiting else self._in_a_row + 1
        self._order.remove(picked)
        self._order.append(picked)
        scan = scans[picked]
        self._last = scan, scan.pages
        return scan

    def _failed(self, scan: Scan) -> bool:
        """Whether this was picked last, and its page did not come."""
        return self._last == (scan, scan.pages)
