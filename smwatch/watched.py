"""What is said to have been watched: the periods that sources have read whole, whichever process had them read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from smwatch.sources.coverage import Coverage, Span, join


class Watched(msgspec.Struct, frozen=True):
    """Spans that a source has read whole, and of which all events have been handed on."""

    source: str
    spans: tuple[Span, ...]


class Watching:
    """Tells each period once: those that are read here, those that the journal has, and those that others add to it.

    Nothing is said of a time whose events were not all handed on: before `recall`, nothing of what others have read.
    """

    def __init__(self) -> None:
        self._since: datetime | None = None
        """From when on all that the journal held has been handed on."""
        self._told: dict[str, tuple[Span, ...]] = {}

    def here(self, source: str, span: Span) -> tuple[Watched, ...]:
        """A source has read this period here."""
        self._told[source] = join((*self._told.get(source, ()), span))
        return (Watched(source, (span,)),)

    def told(self, since: datetime) -> tuple[Watched, ...]:
        """All that has been told, but for what is from before `since`."""
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
        since, news = max(self._since, kept_from), []
        for source, spans in settled.items():
            told = Coverage(self._told.get(source, ()))
            recent = [Span(max(span.start, since), span.end) for span in spans if span.end > since]
            if new := tuple(part for span in recent for part in told.missing(span.start, span.end)):
                self._told[source] = join((*told.settled, *new))
                news.append(Watched(source, new))
        return tuple(news)


Settled = Mapping[str, Sequence[Span]]
"""What each source has read whole, by its name."""
