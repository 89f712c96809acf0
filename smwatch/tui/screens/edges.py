"""What stands around the stream of the main screen: the health of the sources, the worst alarm, and the last line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from textual.geometry import Size

from smwatch.rules.alarm import Alarm
from smwatch.tui import clip
from smwatch.tui.lines import Piece
from smwatch.tui.pages.band import band_rows
from smwatch.tui.pages.footer import Standing, footer_row
from smwatch.tui.pages.header import header_rows
from smwatch.tui.screens.desk import Desk
from smwatch.tui.widgets.pieces import Pieces

BAND_ROOM = 16
"""Lines from which the band has its second line."""


class Edges:
    """Header, alarm band and footer, written from what lies on the desk; the screen says where they go, and when."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._footed: tuple[Standing, int] | None = None
        self._banded = ""
        """The alarm in the band, by group."""
        self._keys = cache(self._offered)
        self._asks_again, self._tells_all = map(desk.keys.one, ("watch.poll", "watch.sources"))
        self._size = Size(0, 0)
        """What they were drawn for."""
        self.header, self.band, self.footer = Pieces(), Pieces(), Pieces()
        self.header.id, self.footer.id = "header", "footer"

    def draw(self, standing: Standing, size: Size) -> None:
        """All three as things stand; nothing before there is any room."""
        desk, width, self._size = self._desk, size.width, size
        if not width:
            return
        self.header.put(self._header_rows(width))
        self._draw_band(desk.foremost, size)
        self.draw_footer(standing, width)

    def _draw_band(self, foremost: Alarm | None, size: Size) -> None:
        desk, self._banded = self._desk, foremost.group if foremost is not None else ""
        step = clip.next_step(foremost) if foremost is not None and size.height >= BAND_ROOM else None
        text = step.text if step is not None else None
        band = band_rows(foremost, len(desk.asking) - 1, desk.muted, text, desk.now, desk.zone, size.width, desk.keys)
        self.band.put(band)
        self.band.display = bool(band)

    def draw_footer(self, standing: Standing, width: int) -> None:
        """The last line, where it says something else than it does."""
        if width and (standing, width) != self._footed:
            self._footed = (standing, width)
            self.footer.put([footer_row(standing, self._keys(standing.alarmed, bool(standing.query)), width)])

    def tick(self) -> None:
        """Let time pass in the header, where the clock is, and in the band, where another alarm may be in turn."""
        self.header.put(self._header_rows(self._size.width))
        foremost = self._desk.foremost
        if foremost is not None and foremost.group != self._banded:
            self._draw_band(foremost, self._size)

    def _header_rows(self, width: int) -> Sequence[Sequence[Piece]]:
        desk = self._desk
        statuses = list(desk.store.sources.values())
        return header_rows(
            desk.title,
            statuses,
            desk.clock,
            desk.zone,
            width,
            self._asks_again,
            self._tells_all,
            recorded_to=desk.now if desk.recorded and desk.store.events else None,
        )

    def _offered(self, alarmed: bool, filtered: bool) -> list[tuple[str, str, str]]:
        """The keys that help while there are open alarms, and while there is a filter: (key, word, action)."""
        offered = ["app.help", "watch.filter", "watch.names"]
        offered += ["watch.next_alarm", "watch.alarms"] if alarmed else []
        offered += ["watch.clear", "watch.context"] if filtered else []
        offered += ["stream.open", "app.quit", "watch.group", "watch.zone", "watch.copy", "watch.wall"]
        keys = self._desk.keys
        return [
            (*keys.hint(each), f"{'app' if each.startswith('app.') else 'screen'}.{keys[each].action}")
            for each in offered
        ]
