"""Filters that are applied a few events at a time."""

from smwatch.events.event import Event
from smwatch.events.numbered import Numbered
from smwatch.filter import Filter
from smwatch.filter.sweep import Sweep


def in_steps(chosen: Filter, size: int) -> Filter:
    """The same question, asked of so many events in one step."""
    return _InSteps(chosen, size)


class _InSteps(Filter):
    def __init__(self, chosen: Filter, size: int) -> None:
        super().__init__(chosen.text, chosen.terms)
        self._size = size

    def reach(self, events: list[Event], end: int) -> int:
        return max(0, end - self._size)

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> Sweep | None:
        sweep = super().sweep(numbered, since=since, before=before)
        if sweep is not None:
            sweep.swept = self._size
        return sweep
