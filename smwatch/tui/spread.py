"""How events spread over the last hours: the bars of the histogram, and the moment that each stands for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from smwatch.tui.tally import Tally, bins
from smwatch.tui.times import short
from smwatch.tui.widgets.histogram import Bucket

SPANS = tuple(timedelta(hours=hours) for hours in (1, 2, 6, 24))


def span_of(window: timedelta, oldest_at: datetime | None, now: datetime) -> timedelta:
    """How far back the bars go: the time window, else the shortest span that holds what is in memory; a day at most."""
    if window:
        return min(window, SPANS[-1])
    age = now - oldest_at if oldest_at is not None else SPANS[0]
    return next((span for span in SPANS if span >= age), SPANS[-1])


class Spread(msgspec.Struct, frozen=True):
    """So many bars of so many whole minutes, the last one with the present minute."""

    minutes: int
    count: int
    this_minute: int
    """Minutes since the epoch."""

    @classmethod
    def of(cls, span: timedelta, room: int, now: datetime) -> Spread:
        """The finest bars that `room` columns hold."""
        return cls(*bins(span, room), int(now.timestamp()) // 60)

    @property
    def first_minute(self) -> int:
        """The first minute of the first bar."""
        return self.this_minute - self.minutes * self.count + 1

    def buckets(self, tally: Tally, marked: Iterable[int], now: datetime) -> list[Bucket]:
        """The bars, oldest first; those with one of the minutes since the epoch that are `marked` are so, too."""
        red = {self.count - 1 - (self.this_minute - minute) // self.minutes for minute in marked}
        found = tally.buckets(now, self.minutes, self.count)
        return [Bucket(*bucket, i in red) for i, bucket in enumerate(found)]

    @property
    def label(self) -> str:
        """How far back they go."""
        return f"-{short(timedelta(minutes=self.minutes * self.count))}"

    def second(self, bucket: int) -> int:
        """The last second of a bar."""
        return (self.this_minute - self.minutes * (self.count - 1 - bucket)) * 60 + 59
