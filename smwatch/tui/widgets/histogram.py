"""Events over time as bars, failures and alarms coloured; a click goes there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from smwatch.tui.lines import BARS
from smwatch.tui.strips import filled
from smwatch.tui.text import fit
from smwatch.tui.widgets.direct import Direct

HEIGHT = 2
LABEL = 7
"""Cells for what stands left of the bars."""


class Bucket(NamedTuple):
    """One bar: how many events, how many of them failed, and whether a bad alarm has events in it."""

    events: int
    failed: int
    alarmed: bool


class Histogram(Direct):
    """Bars of eighths over two lines; the part that failed is at their foot."""

    DEFAULT_CSS = """
    Histogram {
        height: 2; background: $background; color: $text-muted; display: none;
        .histogram--bar { color: $primary 70%; }
        .histogram--failed { color: $warning; }
        .histogram--alarm { color: $error; }
        &:ansi .histogram--bar { color: ansi_bright_blue; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"histogram--bar", "histogram--failed", "histogram--alarm"}

    class Picked(Message):
        """The reader wants to go to a bar."""

        def __init__(self, bucket: int) -> None:
            self.bucket = bucket
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._buckets: Sequence[Bucket] = ()
        self._label = ""

    @property
    def room(self) -> int:
        """How many bars there is room for."""
        return max(0, self.size.width - LABEL - 1)

    def put(self, buckets: Sequence[Bucket], label: str) -> None:
        """Draw bars, oldest first; `label` says how far back they go."""
        if (buckets, label) != (self._buckets, self._label):
            self._buckets, self._label = buckets, label
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The upper or the lower half."""
        top = max((bucket.events for bucket in self._buckets), default=0)
        styles = {name: self.get_component_rich_style(f"histogram--{name}") for name in ("bar", "failed", "alarm")}
        label = f"{top:,}" if y == 0 and top else self._label if y else ""
        segments = [Segment(fit(f" {label}", LABEL), self.rich_style)]
        count, room, width = len(self._buckets), self.room, self.size.width
        drawn = [self._cell(bucket, top, y, styles) for bucket in self._buckets]
        cells = (drawn[x * count // room] for x in range(room if count else 0))
        for style, run in groupby(cells, key=itemgetter(1)):
            segments.append(Segment("".join([char for char, _ in run]), style))
        return filled(segments, LABEL + (room if count else 0), width, self.rich_style)

    def _cell(self, bucket: Bucket, top: int, y: int, styles: dict[str, Style]) -> tuple[str, Style]:
        eighths = -(-bucket.events * 8 * HEIGHT // top) if bucket.events else 0
        failed = -(-bucket.failed * 8 * HEIGHT // top) if bucket.failed else 0
        base = 8 * (HEIGHT - 1 - y)
        level = max(0, min(8, eighths - base))
        char = BARS[level - 1] if level else " "
        name = "alarm" if bucket.alarmed else "failed" if failed > base else "bar"
        if (
            level
            and failed
            and not bucket.alarmed
            and base < failed < eighths
            and eighths - base >= 8
            and failed - base < 8
        ):
            # The foot failed and the rest did not: one character with both colours.
            return BARS[failed - base - 1], styles["failed"] + Style(bgcolor=styles["bar"].color)
        return char, styles[name]

    def on_click(self, event: events.Click) -> None:
        """Go to the bar under the mouse."""
        x = event.x - LABEL
        if self._buckets and 0 <= x < self.room:
            self.post_message(self.Picked(x * len(self._buckets) // self.room))
