"""Which periods have been watched: those that sources have read whole, in this process or another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from smwatch.sources.coverage import Coverage, Span, join
from smwatch.sources.source import delivered_within


class Watched(msgspec.Struct, frozen=True):
    """Spans of which a source has read all that happened in them, and of which all events have been handed on."""

    source: str
    spans: tuple[Span, ...]


class Watching:
    """Tells of each period once: those read here, those that the journal has, and those that other processes add to it.

    Nothing is said of a time whose events were not all handed on: before `recall`, nothing of what others have read.
    """

    def __init__(self) -> None:
        self._since: datetime | None = None
        """From when on all that the journal held has been handed on."""
        self._told: dict[str, tuple[Span, ...]] = {}
        self._here: dict[str, tuple[Span, ...]] = {}
        """What was read here, by the source's own time line."""

    def here(self, source: str, span: Span) -> tuple[Watched, ...]:
        """A source has read this period here."""
        self._here[source] = join((*self._here.get(source, ()), span))
        return self._new(source, _happened(source, self._here[source]))

    def told(self, since: datetime) -> tuple[Watched, ...]:
        """All that has been told of the time from `since` on."""
        told = (
            (source, tuple(Span(max(span.start, since), span.end) for span in spans if span.end > since))
            for source, spans in self._told.items()
        )
        return tuple(Watched(source, spans) for source, spans in told if spans)

    def recalled(self, since: datetime, settled: Settled, kept_from: datetime) -> tuple[Watched, ...]:
        """All that the journal held since then has been handed on; see `news`."""
        self._since = since if self._since is None else min(since, self._since)
        return self.news(settled, kept_from)

    def news(self, settled: Settled, kept_from: datetime) -> tuple[Watched, ...]:
        """What of this was not told yet.

        `settled` is what the journal said before it was asked for events, all of which have been handed on since: the
        other way round, a page that another process commits in between would be watched without its events. Events
        from before `kept_from` have been deleted.
        """
        if self._since is None:
            return ()
        since = max(self._since, kept_from)
        news: list[Watched] = []
        for source, spans in settled.items():
            whole = _happened(source, spans)
            news += self._new(source, [Span(max(span.start, since), span.end) for span in whole if span.end > since])
        return tuple(news)

    def _new(self, source: str, spans: Iterable[Span]) -> tuple[Watched, ...]:
        """What of these was not told yet; it is, from now on."""
        told = Coverage(self._told.get(source, ()))
        new = tuple(part for span in spans for part in told.missing(span.start, span.end))
        if not new:
            return ()
        self._told[source] = join((*told.settled, *new))
        return (Watched(source, new),)


def _happened(source: str, spans: Iterable[Span]) -> list[Span]:
    """The times of which all that happened is known, where all that was delivered in these spans (joined) is."""
    late = delivered_within(source)
    return [Span(span.start, span.end - late) for span in spans if span.end - late > span.start]


Settled = Mapping[str, Sequence[Span]]
"""What each source has read whole, by its name."""
