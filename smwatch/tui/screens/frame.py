"""The frame of the main screen: its parts, their room, and how they follow the store, the query and the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.screen import Screen

from smwatch.store.change import Change
from smwatch.store.view import Filter
from smwatch.tui.asked import Asked
from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import MOMENT
from smwatch.tui.lines import Line
from smwatch.tui.living import Living
from smwatch.tui.pages.empty import empty_lines
from smwatch.tui.pages.footer import Standing
from smwatch.tui.pages.targets import ToEvent
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.edges import Edges
from smwatch.tui.spread import Spread, span_of
from smwatch.tui.times import Zone
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.filter_line import FilterLine
from smwatch.tui.widgets.heading import StreamHeading
from smwatch.tui.widgets.histogram import Histogram
from smwatch.tui.widgets.scrollbar import Bar
from smwatch.tui.widgets.stream import EventStream

DOCKED, ROOMY = 100, 120
"""Columns from which the details have room beside the stream, and from which they are there unasked."""
HISTOGRAM_ROOM = 34
"""Lines from which the histogram is there unasked."""
SAID_SECONDS = 4.0
RENEWED = timedelta(seconds=1.5)
"""How old details and histogram may be at a second of the clock while much happens, which is each second one, and then
in the clock's own frame: serves "cpu-1000".
"""
GROWN, GROWN_SECONDS = 2, 0.1
"""How long they may be so where there are more than so many times the events: at the start, and while the journal is
read, they would say that hardly anything has happened.
"""
AGED = timedelta(seconds=10)
"""How often pages that say how long ago things were are written anew while nothing happens."""
HINT = "words  -word  name:Get*  secret:prod/  user:ci  error  denied  read  write  alarm"


class StreamFrame(DirectlyComposed, Living, Screen[None]):
    """Health, alarms, histogram, stream, details, filter and footer, brought up to date; what keys do lies above."""

    DEFAULT_CSS = """
    StreamFrame {
        #header, #footer { background: $panel; }
        #body { height: 1fr; }
        Detail { width: 38%; min-width: 40; max-width: 76; border-left: vkey $border; display: none; }
        Detail:focus { border-left: outer $primary; }
    }
    """

    def __init__(self, desk: Desk, parse: Callable[[str, bool], Filter], *, filter_text: str = "") -> None:
        """`parse(text, typing)` makes a filter of a text that may not be finished, or raises FilterError."""
        super().__init__()
        self.desk = desk
        self.asked = Asked(desk.store, parse, desk.now)
        self._first_filter = filter_text
        self._pane_wanted: bool | None = None
        self._histogram_wanted: bool | None = None
        self._said = ""
        self._aged_at = desk.clock
        self._renewed_at = desk.clock - RENEWED
        self._renewed_of = 0
        """How many events there were then, or when it was found that they are to be told of."""
        self._stale = False
        self._edges = Edges(desk)
        self.histogram = Histogram()
        self._heading = StreamHeading()
        self._bar = Bar()
        self.stream = EventStream(
            self.asked.shown,
            level_of=desk.level_of,
            scrolled=self._bar.put,
            newest_first=desk.newest_first,
            chosen=desk.columns,
            watching_since=desk.watching_since,
        )
        self.detail = Detail(desk.page_of)
        self.filter_line = FilterLine(desk.completions, hint=HINT, history=desk.history)

    def compose(self) -> ComposeResult:
        """Header, band, histogram, stream with details, filter, footer."""
        yield self._edges.header
        yield self._edges.band
        yield self.histogram
        with Horizontal(id="body"):
            with Vertical():
                yield self._heading
                with Horizontal():
                    yield self.stream
                    yield self._bar
            yield self.detail
        yield self.filter_line
        yield self._edges.footer

    def on_mount(self) -> None:
        """Show what the store already holds, each part where it will stay: a layout later is a second first frame."""
        self._give_room(self.app.size)
        self.stream.now, self.stream.zone = self.desk.now, self.desk.zone
        self.set_focus(self.stream)  # at once: keys that were typed ahead are handled before a call_later
        if self._first_filter:
            self.asked.reword(self._first_filter, self.desk.now)
            self._asked_anew()
        self._frame()

    def on_resize(self, event: events.Resize) -> None:
        """Give each part the room there is."""
        self._give_room(event.size)
        self._frame()
        self.call_after_refresh(self._draw_histogram)

    def _give_room(self, size: Size) -> None:
        wanted = self._histogram_wanted
        self.histogram.display = wanted if wanted is not None else size.height >= HISTOGRAM_ROOM
        self._dock(size.width)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        self.stream.set_zone(self.desk.zone)
        self._refresh(restyled=True)

    # -- what happened

    def show_change(self, change: Change) -> None:
        """Bring the screen up to date with the store: rows and alarms at once, the rest within two seconds."""
        self._empty()
        if self.desk.recorded:
            self.stream.tick(self.desk.now)
        self.stream.update(restyled=bool(change.renamed or change.corrected), regraded=bool(change.alarms))
        self._follow_cursor()
        if change.alarms or change.sources:
            self._frame()
        else:
            self._draw_footer()
        self._renew_soon()

    def _renew_soon(self) -> None:
        """Write details and histogram anew, or have the clock do so, however much happens until then."""
        if timedelta() <= self.desk.clock - self._renewed_at < RENEWED:
            self._stale = True
            if (events := len(self.desk.store.events)) > GROWN * self._renewed_of:
                self._renewed_of = events
                self.set_timer(GROWN_SECONDS, self._renew)
        else:
            self._renew()

    def _renew(self) -> None:
        self._stale, self._renewed_at = False, self.desk.clock
        self._renewed_of = len(self.desk.store.events)
        self.detail.renew()
        self._draw_histogram()

    def tick(self) -> None:
        """Let time pass on the screen; what tells ages in minutes is written anew only now and then."""
        now, clock = self.desk.now, self.desk.clock
        if self.asked.move_on(now):
            self._asked_anew()
        self.stream.tick(now)
        self._empty()
        self._edges.tick()
        if clock - self._aged_at >= AGED or self.desk.zone is Zone.RELATIVE:
            self._aged_at = clock
            self._frame()
            if self._stale or self._renewed_at != clock:  # else they are of this very turn
                self._renew()
        elif self._stale:
            self._renew_soon()

    def _refresh(self, *, restyled: bool = False) -> None:
        self._empty()
        self.stream.update(restyled=restyled)
        self._follow_cursor()
        self._frame()
        self._renew()

    # -- around the stream

    def _frame(self) -> None:
        """Header, band and footer as things stand."""
        self._edges.draw(self._standing(), self.size)

    def _draw_footer(self) -> None:
        self._edges.draw_footer(self._standing(), self.size.width)

    def _standing(self) -> Standing:
        store, stream, asked = self.desk.store, self.stream, self.asked
        return Standing(
            query=asked.query.told,
            shown=len(asked.matches.rows),
            total=len(store.events),
            dropped=store.dropped,
            following=stream.following,
            unseen=stream.unseen,
            newest_first=stream.newest_first,
            busy=asked.matches.busy,
            in_context=asked.in_context,
            alarmed=bool(self.desk.asking),
            said=self._said,
        )

    def key(self, action: str) -> str:
        """The key of something on this screen, as it is printed."""
        return self.desk.keys.one(f"watch.{action}")

    def say(self, what: str) -> None:
        """Tell what just happened, for a moment."""
        self._said = what
        self._frame()
        self.set_timer(SAID_SECONDS, lambda: self._unsay(what))

    def _unsay(self, what: str) -> None:
        if self._said == what:
            self._said = ""
            self._frame()

    def _empty(self) -> None:
        """Have the stream say why it is empty, when it is."""
        if self.asked.shown.rows:
            return
        desk, asked = self.desk, self.asked
        statuses, total = list(desk.store.sources.values()), len(desk.store.events)

        def page(width: int) -> list[Line]:
            return empty_lines(
                statuses,
                total=total,
                query=asked.query.told,
                asked_since=desk.asked_since,
                now=desk.clock,
                zone=desk.zone,
                width=width,
                keys=desk.keys,
                reaches_back=desk.can_reach_back,
            )

        self.stream.set_empty(page)

    # -- the histogram

    def _draw_histogram(self) -> None:
        histogram, desk = self.histogram, self.desk
        if not histogram.display or not histogram.room:
            return
        spread = self.spread()
        marked = desk.marked(spread.first_minute, spread.this_minute)
        histogram.put(spread.buckets(desk.tally, marked, desk.now), spread.label)
        if desk.marking:
            self.set_timer(MOMENT, self._draw_histogram)

    def spread(self) -> Spread:
        """What the bars of the histogram stand for now."""
        rows, now = self.desk.store.events, self.desk.now
        window = timedelta(minutes=self.asked.query.minutes)
        return Spread.of(span_of(window, rows[0].at if rows else None, now), self.histogram.room, now)

    def action_histogram(self) -> None:
        """Show or hide the histogram."""
        self._histogram_wanted = not self.histogram.display
        self.histogram.display = self._histogram_wanted
        self.call_after_refresh(self._draw_histogram)

    # -- the query

    def _asked_anew(self) -> None:
        """Show what the query that has just changed keeps, older rows a step at a time."""
        self.stream.highlight(self.asked.highlighted)
        self.stream.show(self.asked.shown)
        self._refresh()
        self.stream.reveal()
        self._go_on()

    def _go_on(self) -> None:
        if self.asked.matches.busy:
            self.set_timer(MOMENT, self._step)

    def _step(self) -> None:
        """Look at some more rows; what tells of all of them waits until all have been looked at."""
        if self.asked.matches.step():
            self._empty()
            self.stream.update()
            self._draw_footer()
            self._go_on()
        else:
            self._refresh()

    # -- the details

    def _dock(self, width: int) -> None:
        wanted = self._pane_wanted if self._pane_wanted is not None else width >= ROOMY
        docked = wanted and width >= DOCKED
        self.detail.display = docked  # not by a class: that restyles all widgets of the screen
        if not docked and self.focused is self.detail:
            self.stream.focus()
        self._follow_cursor()

    @property
    def _docked(self) -> bool:
        return self.detail.display

    def _follow_cursor(self) -> None:
        if self._docked and self.focused is not self.detail:
            event = self.stream.event
            self.detail.look_at(ToEvent(event.key) if event is not None else None)

    # -- what its parts say

    def on_event_stream_moved(self, event: EventStream.Moved) -> None:
        """Show what is under the cursor."""
        event.stop()
        self._follow_cursor()
        self._frame()

    def on_event_stream_paced(self, event: EventStream.Paced) -> None:
        """Say whether the stream follows."""
        event.stop()
        self._frame()

    def on_event_rows_arranged(self, event: EventStream.Arranged) -> None:
        """Keep the heading over its columns."""
        event.stop()
        self._heading.put(event.placed)

    def on_bar_pulled(self, event: Bar.Pulled) -> None:
        """Keep the stream where the scrollbar is."""
        event.stop()
        self.stream.scroll_to_line(event.first)
