"""The main screen: health, alarms, the stream, the details, and what is asked of the stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.secret import Secret
from smwatch.filter import FilterError, complete, finished, values_of
from smwatch.rules.alarm import Alarm, Severity
from smwatch.store import Change
from smwatch.tui import clip
from smwatch.tui.asked import Asked
from smwatch.tui.finding import moment_meant, next_event, next_key
from smwatch.tui.health import sources_page
from smwatch.tui.keys import BY_ID, bindings, told
from smwatch.tui.lines import Line, Page
from smwatch.tui.pages.alarm import band_rows
from smwatch.tui.pages.empty import empty_lines
from smwatch.tui.pages.footer import Standing, footer_row
from smwatch.tui.pages.groups import ToValue
from smwatch.tui.pages.header import header_rows
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToPrincipal, ToSecret
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.names import NamesScreen
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.tally import bins
from smwatch.tui.times import Zone, period
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.filter_line import FilterLine
from smwatch.tui.widgets.heading import StreamHeading
from smwatch.tui.widgets.histogram import Bucket, Histogram
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.scrollbar import Bar
from smwatch.tui.widgets.sheet import Sheet
from smwatch.tui.widgets.stream import EventStream
from smwatch.view import Filter

DOCKED, ROOMY = 100, 120
"""Columns from which the details have room beside the stream, and from which they are there unasked."""
BAND_ROOM, HISTOGRAM_ROOM = 16, 34
"""Lines from which the band has its second line, and from which the histogram is there unasked."""
HISTOGRAM_SPANS = tuple(timedelta(hours=hours) for hours in (1, 2, 6, 24))
SAID_SECONDS = 4.0
RENEWED_SECONDS = 1.0
"""How often details and histogram are written anew while much happens: serves "CPU at 1,000 rows/s"."""
AGED = timedelta(seconds=10)
"""How often pages that say how long ago things were are written anew while nothing happens."""
HINT = "words  -word  name:Get*  secret:prod/  user:ci  error  write  alarm"


class WatchScreen(Screen[None]):
    """The stream and everything around it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch", priority=True)]
    DEFAULT_CSS = """
    WatchScreen {
        #header, #footer { background: $panel; }
        #body { height: 1fr; }
        Detail { width: 38%; min-width: 40; max-width: 76; border-left: vkey $border; display: none; }
        Detail:focus { border-left: outer $primary; }
        &.-docked Detail { display: block; }
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
        self._before_typing = ""
        self._footed: tuple[Standing, int] | None = None
        self._aged_at = desk.now
        self._renewing = self._stale = False
        self._header, self._band, self._footer = Pieces(), Pieces(), Pieces()
        self._header.id, self._footer.id = "header", "footer"
        self.histogram = Histogram()
        self._heading = StreamHeading()
        self._bar = Bar()
        self.stream = EventStream(
            self.asked.shown,
            level_of=desk.level_of,
            newest_first=desk.newest_first,
            watching_since=desk.watching_since,
        )
        self.detail = Detail(desk.page_of)
        self.filter_line = FilterLine(self._completions, hint=HINT)

    def compose(self) -> ComposeResult:
        """Header, band, histogram, stream with details, filter, footer."""
        yield self._header
        yield self._band
        yield self.histogram
        with Horizontal(id="body"):
            with Vertical():
                yield self._heading
                with Horizontal():
                    yield self.stream
                    yield self._bar
            yield self.detail
        yield self.filter_line
        yield self._footer

    def on_mount(self) -> None:
        """Show what the store already holds."""
        self.stream.now, self.stream.zone = self.desk.now, self.desk.zone
        self.stream.focus()
        if self._first_filter:
            self.asked.reword(self._first_filter, self.desk.now)
            self._asked_anew()
        self._frame()

    def on_resize(self, event: events.Resize) -> None:
        """Give each part the room there is."""
        wanted = self._histogram_wanted
        self.histogram.display = wanted if wanted is not None else event.size.height >= HISTOGRAM_ROOM
        self._dock(event.size.width)
        self._frame()
        self.call_after_refresh(self._draw_histogram)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        self.stream.set_zone(self.desk.zone)
        self._refresh(restyled=True)

    # -- what happened

    def show_change(self, change: Change) -> None:
        """Bring the screen up to date with the store: rows and alarms at once, the rest within a second."""
        self._empty()
        self.stream.update(restyled=bool(change.alarms or change.renamed))
        self._follow_cursor()
        if change.alarms or change.sources:
            self._frame()
        else:
            self._draw_footer()
        self._renew_soon()

    def _renew_soon(self) -> None:
        """Write details and histogram anew, but not more than once in a while however much happens."""
        if self._renewing:
            self._stale = True
        else:
            self._renewing = True
            self._renew()
            self.set_timer(RENEWED_SECONDS, self._renewed)

    def _renewed(self) -> None:
        self._renewing = False
        if self._stale:
            self._renew_soon()

    def _renew(self) -> None:
        self._stale = False
        self.detail.renew()
        self._draw_histogram()

    def tick(self) -> None:
        """Let time pass on the screen; what tells ages in minutes is written anew only now and then."""
        now = self.desk.now
        if self.asked.move_on(now):
            self._asked_anew()
        self.stream.tick(now)
        self._empty()
        self._draw_header()
        if now - self._aged_at >= AGED or self.desk.zone is Zone.RELATIVE:
            self._aged_at = now
            self._frame()
            self._renew()

    def _refresh(self, *, restyled: bool = False) -> None:
        self._empty()
        self.stream.update(restyled=restyled)
        self._follow_cursor()
        self._frame()
        self._renew()

    def _frame(self) -> None:
        """Header, band and footer as things stand."""
        desk, width = self.desk, self.size.width
        if not width:
            return
        self._draw_header()
        asking = desk.asking
        step = clip.next_step(asking[0]) if asking and self.size.height >= BAND_ROOM else None
        band = band_rows(asking, step.text if step is not None else None, desk.now, desk.zone, width)
        self._band.put(band)
        self._band.display = bool(band)
        self._draw_footer()

    def _draw_footer(self) -> None:
        standing, width = self._standing(), self.size.width
        if width and (standing, width) != self._footed:
            self._footed = (standing, width)
            self._footer.put([footer_row(standing, self._keys(), width)])

    def _draw_header(self) -> None:
        desk = self.desk
        statuses = list(desk.store.sources.values())
        self._header.put(header_rows(desk.title, statuses, desk.now, desk.zone, self.size.width))

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

    def _keys(self) -> list[tuple[str, str, str]]:
        """The keys that help now: (key, word, action)."""
        offered = ["app.help", "watch.filter", "watch.names"]
        offered += ["watch.next_alarm", "watch.alarms"] if self.desk.asking else []
        offered += ["watch.clear", "watch.context"] if self.asked.query else []
        offered += ["stream.open", "app.quit", "watch.group", "watch.zone", "watch.copy", "watch.wall"]
        keys = [BY_ID[each] for each in offered]
        return [
            (told(key.keys.split(",")[0]), key.word, f"{'app' if key.id.startswith('app') else 'screen'}.{key.action}")
            for key in keys
        ]

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
                now=desk.now,
                zone=desk.zone,
                width=width,
            )

        self.stream.set_empty(page)

    # -- the histogram

    def _draw_histogram(self) -> None:
        histogram, desk = self.histogram, self.desk
        if not histogram.display or not histogram.room:
            return
        minutes, count = bins(self._span(), histogram.room)
        bad = [alarm for alarm in desk.asking if alarm.severity >= Severity.HIGH]
        seconds = {key >> (ID_BITS + ACCOUNT_BITS) for alarm in bad for key in alarm.event_keys}
        this_minute = int(desk.now.timestamp()) // 60
        red = {count - 1 - (this_minute - second // 60) // minutes for second in seconds}
        found = desk.tally.buckets(desk.now, minutes, count)
        histogram.put([Bucket(*bucket, i in red) for i, bucket in enumerate(found)], f"-{period(minutes * count * 60)}")

    def _span(self) -> timedelta:
        """The shortest span that holds what is in memory, or the window asked for."""
        if self.asked.query.minutes:
            return timedelta(minutes=min(self.asked.query.minutes, 24 * 60))
        rows = self.desk.store.events
        age = self.desk.now - rows[0].at if rows else HISTOGRAM_SPANS[0]
        return next((span for span in HISTOGRAM_SPANS if span >= age), HISTOGRAM_SPANS[-1])

    def on_histogram_picked(self, event: Histogram.Picked) -> None:
        """Go to the moment under the mouse."""
        event.stop()
        minutes, count = bins(self._span(), self.histogram.room)
        minute = int(self.desk.now.timestamp()) // 60 - minutes * (count - 1 - event.bucket)
        self._go_to_second(minute * 60 + 59)

    def action_histogram(self) -> None:
        """Show or hide the histogram."""
        self._histogram_wanted = not self.histogram.display
        self.histogram.display = self._histogram_wanted
        self.call_after_refresh(self._draw_histogram)

    # -- the filter

    def _asked_anew(self) -> None:
        """Show what the query that has just changed keeps, older rows a step at a time."""
        self.stream.highlight(self.asked.highlighted)
        self.stream.show(self.asked.shown)
        self._refresh()
        self.stream.reveal()
        self._go_on()

    def _go_on(self) -> None:
        if self.asked.matches.busy:
            self.set_timer(0.001, self._step)  # a moment for keys in between

    def _step(self) -> None:
        self.asked.matches.step()
        self._refresh()
        self._go_on()

    def _completions(self, text: str, cursor: int) -> list[tuple[str, str]]:
        found = complete(text, cursor, self.desk.values_of)
        return [(text[: found.start] + each.text + text[found.end :], each.shown) for each in found.options]

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        """Apply the filter as it is typed; while it is wrong, the last good one stays."""
        event.stop()
        self._try(event.text.lstrip(), typing=True)

    def _try(self, text: str, *, typing: bool) -> bool:
        try:
            self.asked.reword(text, self.desk.now, typing=typing)
        except FilterError as error:
            self.filter_line.tell(str(error), position=error.position)
            return False
        self.filter_line.tell("")
        self._asked_anew()
        return True

    def on_filter_line_kept(self, event: FilterLine.Kept) -> None:
        """Keep the filter and go back to the stream, if it can be understood."""
        event.stop()
        if self._try(finished(event.text, self.desk.values_of), typing=False):
            self._leave_filter()

    def _leave_filter(self) -> None:
        self.filter_line.close()
        self.stream.focus()
        self._frame()

    def action_filter(self) -> None:
        """Type a filter; in the details, what to look for in them."""
        if self.focused is self.detail:
            self.app.push_screen(PromptScreen("Find in the details", "n and N go on"), self._find)
        else:
            self._before_typing = self.asked.query.text
            self.filter_line.open(self.asked.query.text)

    def _find(self, text: str | None) -> None:
        if text and not self.detail.find(text):
            self.say(f"“{text}” does not occur here")

    def action_names(self) -> None:
        """Pick event names."""
        ticked = frozenset(values_of(self.asked.query.text, "name"))
        self.app.push_screen(NamesScreen(self.desk.store.names, ticked), self._pick)

    def _pick(self, names: frozenset[str] | None) -> None:
        if names is not None:
            self.asked.only("name", sorted(names), self.desk.now)
            self._asked_anew()

    def action_clear(self) -> None:
        """All filters off, or back on."""
        if self.asked.clear(self.desk.now):
            self._asked_anew()
        else:
            self.say("no filter to take away: / types one")

    def action_word(self, word: str) -> None:
        """Switch a word of the filter language."""
        self.asked.switch(word, self.desk.now)
        self._asked_anew()

    def action_window(self, minutes: int) -> None:
        """Show the last so many minutes."""
        self.asked.reach(minutes, self.desk.now)
        self._asked_anew()
        self.desk.reach_back(timedelta(minutes=minutes))

    def action_context(self) -> None:
        """Show what the filter hides, dim, or hide it again."""
        if not self.asked.query and not self.asked.in_context:
            self.say("no filter: nothing is hidden")
            return
        self.asked.in_context = not self.asked.in_context
        self._asked_anew()
        self.say("all events, matches bright: n goes to the next" if self.asked.in_context else "matches only")

    def action_group(self) -> None:
        """The events grouped by what they share."""
        from smwatch.tui.screens.groups import GroupsScreen

        self.app.push_screen(GroupsScreen(self.desk, self.asked.matches.rows), self._narrow)

    def _narrow(self, target: object) -> None:
        if isinstance(target, ToValue):
            self.asked.only(target.field, [target.value], self.desk.now)
            self._asked_anew()

    # -- the details

    def _dock(self, width: int) -> None:
        wanted = self._pane_wanted if self._pane_wanted is not None else width >= ROOMY
        docked = wanted and width >= DOCKED
        self.set_class(docked, "-docked")
        if not docked and self.focused is self.detail:
            self.stream.focus()
        self._follow_cursor()

    @property
    def _docked(self) -> bool:
        return self.has_class("-docked")

    def _follow_cursor(self) -> None:
        if self._docked and self.focused is not self.detail:
            event = self.stream.event
            self.detail.look_at(ToEvent(event.key) if event is not None else None)

    def on_event_stream_moved(self, event: EventStream.Moved) -> None:
        """Show what is under the cursor."""
        event.stop()
        self._follow_cursor()
        self._frame()

    def on_event_stream_paced(self, event: EventStream.Paced) -> None:
        """Say whether the stream follows."""
        event.stop()
        self._frame()

    def on_event_stream_arranged(self, event: EventStream.Arranged) -> None:
        """Keep the heading over its columns."""
        event.stop()
        self._heading.put(event.placed)

    def on_event_stream_scrolled(self, event: EventStream.Scrolled) -> None:
        """Keep the scrollbar where the stream is."""
        event.stop()
        self._bar.put(event.place)

    def on_bar_pulled(self, event: Bar.Pulled) -> None:
        """Keep the stream where the scrollbar is."""
        event.stop()
        self.stream.scroll_to_line(event.first)

    def on_event_stream_opened(self, event: EventStream.Opened) -> None:
        """Go to the details, beside the stream or on a screen of their own."""
        event.stop()
        self.show_target(ToEvent(event.event.key))

    def show_target(self, target: object) -> None:
        """Show something in detail, where there is room for it."""
        if self.size.width < DOCKED:
            self.app.push_screen(PageScreen(self.desk, "details", target, jumps=_is_event), self._jump)
            return
        self._pane_wanted = True
        self._dock(self.size.width)
        if isinstance(target, ToEvent) and self.stream.cursor == target.key:
            self.detail.look_at(target)
        else:
            self.detail.lead_to(target)
        self.detail.focus()

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Go where a line leads: an event is gone to in the stream, the rest is shown in its place."""
        event.stop()
        if isinstance(event.target, ToEvent):
            self._jump(event.target)
        else:
            self.detail.lead_to(event.target)

    def _jump(self, target: object) -> None:
        """Go to an event in the stream."""
        if not isinstance(target, ToEvent):
            return
        if self.stream.select(target.key):
            self.stream.focus()
        elif self.desk.store.find(target.key) is None:
            self.say("that event has left the memory")
        else:
            self.say("the filter hides that event: Backspace shows all, z shows it dim")
            if self._docked:
                self.detail.lead_to(target)

    def action_pane(self) -> None:
        """Show or hide the details."""
        if self.size.width < DOCKED:
            self.say(f"no room beside the stream below {DOCKED} columns: Enter opens the details")
            return
        self._pane_wanted = not self._docked
        self._dock(self.size.width)

    def action_switch(self) -> None:
        """Between stream and details."""
        if self.focused is self.detail:
            self.stream.focus()
        elif self._docked:
            self.detail.focus()
        else:
            self.stream.action_open()

    def action_open(self) -> None:
        """Open the event under the cursor."""
        self.stream.action_open()

    def action_principal(self) -> None:
        """The blast radius of whoever made the call under the cursor."""
        event = self.stream.event
        if event is None or not event.principal.identity:
            self.say("no principal chosen: move to an event first")
        else:
            self.show_target(ToPrincipal(event.principal.identity))

    def action_ask(self) -> None:
        """Ask AWS about the secret that is looked at."""
        event, target = self.stream.event, self.detail.target
        secret = target.secret if isinstance(target, ToSecret) else event.secret if event is not None else None
        if secret is None:
            self.say("no secret chosen: move to an event of one first")
        elif not self.desk.can_ask:
            self.say("AWS can't be asked here: replay and demo know only their events")
        else:
            self.say(f"asking AWS about {secret.name}")
            self.show_target(ToSecret(secret))
            self.run_worker(self._ask(secret), group="ask", exclusive=True)

    async def _ask(self, secret: Secret) -> None:
        await self.desk.ask(secret)
        self.detail.renew()
        self.say(f"AWS has answered about {secret.name}: at the end of its page")

    # -- from event to event

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, keys are letters."""
        del parameters
        return action in ("back", "open") if self.filter_line.is_open else True

    def _go_to(self, key: int | None, none: str) -> None:
        if key is None:
            self.say(none)
        else:
            self._jump(ToEvent(key))

    def action_alarm(self, step: int) -> None:
        """Go to the next event of an open alarm, older with 1, newer with -1."""
        keys = sorted({key for alarm in self.desk.asking for key in alarm.event_keys})
        none = "no further event of an open alarm" if keys else "no open alarm"
        self._go_to(next_key(keys, self.stream.cursor, older=step > 0), none)

    def action_match(self, step: int) -> None:
        """Go to the next match below or above; where all rows match, to the next error."""
        if self.focused is self.detail and self.detail.seeks:
            self.detail.find_next(step)
            return
        asked, at = self.asked, self.stream.cursor
        rows = asked.matches.rows
        start = asked.matches.index(at) if at is not None else None
        if asked.in_context:
            found = next_event(rows, start, lambda _: True, older=step > 0)
            self._go_to(found.key if found is not None else None, "no further match")
        else:
            found = next_event(rows, start, lambda event: event.failed, older=step > 0)
            self._go_to(found.key if found is not None else None, "no further error")

    def action_mark(self) -> None:
        """Mark the event under the cursor, or take its mark away."""
        if self.stream.cursor is None:
            self.say("no event chosen: move to one first")
        else:
            self.stream.marked ^= {self.stream.cursor}
            self.stream.update(restyled=True)

    def action_next_mark(self) -> None:
        """Go to the next older mark; from the last one to the first."""
        marks = sorted(self.stream.marked)
        found = next_key(marks, self.stream.cursor, older=True)
        self._go_to(found if found is not None else next_key(marks, None, older=True), "nothing is marked: m marks")

    def action_time(self) -> None:
        """Go to a moment."""
        hint = f"14:05, 2026-11-23 14:05 ({self.desk.absolute.title()}) or 2h for two hours ago"
        self.app.push_screen(PromptScreen("Go to", hint), self._go_to_time)

    def _go_to_time(self, text: str | None) -> None:
        if not text:
            return
        try:
            self._go_to_second(int(moment_meant(text, self.desk.now, self.desk.absolute).timestamp()))
        except ValueError as error:
            self.say(str(error))

    def _go_to_second(self, second: int) -> None:
        """Put the cursor on the last event up to a second, or the first one after it."""
        view = self.asked.shown
        i = view.index((second + 1) << (ID_BITS + ACCOUNT_BITS))
        if not view.rows:
            self.say("there is no event to go to")
        else:
            self._jump(ToEvent(view.rows[max(0, i - 1)].key))

    # -- how it is shown

    def action_zone(self) -> None:
        """Times in the next zone."""
        self.desk.zone = self.desk.zone.following
        self.stream.set_zone(self.desk.zone)
        self._refresh(restyled=True)

    def action_order(self) -> None:
        """Newest first, or last."""
        self.stream.set_order(newest_first=not self.stream.newest_first)
        self.desk.newest_first = self.stream.newest_first
        self.say("newest first" if self.stream.newest_first else "oldest first")

    def action_follow(self) -> None:
        """Follow the newest event."""
        self.stream.follow()
        self.stream.focus()

    def action_sources(self) -> None:
        """How the sources are doing."""
        desk = self.desk

        def page_of(*_: object) -> Page:
            return lambda width: sources_page(list(desk.store.sources.values()), desk.now, desk.zone, width)

        self.app.push_screen(PageScreen(desk, "sources", None, page_of=page_of))

    def action_poll(self) -> None:
        """Have the sources asked now."""
        self.say("asking now" if self.desk.poll() else "nothing to ask: what is shown does not come from AWS")

    def action_wall(self) -> None:
        """The ops wall."""
        from smwatch.tui.screens.wall import WallScreen

        self.app.push_screen(WallScreen(self.desk))

    def action_back(self) -> None:
        """One step back: typing, trail, details, filter, pause; never further."""
        if self.filter_line.is_open:
            self._try(self._before_typing, typing=False)
            self._leave_filter()
        elif self.focused is self.detail:
            if not self.detail.back():
                self.stream.focus()
                self._follow_cursor()
        elif self.asked.in_context:
            self.action_context()
        elif self.asked.query:
            self.action_clear()
        elif not self.stream.following:
            self.stream.follow()
        else:
            self.say("nothing to go back from: q leaves smwatch")

    # -- copying and writing

    def _alarm_here(self) -> Alarm | None:
        """The alarm of the event under the cursor; without a cursor the worst one."""
        if self.stream.cursor is not None:
            return self.desk.alarm_of(self.stream.cursor)
        asking = self.desk.asking
        return asking[0] if asking else None

    def action_copy(self) -> None:
        """Copy the line's command, the alarm's next command, or the event."""
        at = self.detail.line if self.focused is self.detail else None
        if at is not None and at.copies:
            self._copy(clip.Clip(at.copies, at.copies))
            return
        if isinstance(self.detail.target, ToPrincipal | ToAlarm) and self.focused is self.detail:
            whole = self.desk.clip_of(self.detail.target)
            if whole is not None:
                self._copy(whole)
                return
        alarm = self._alarm_here()
        step = clip.next_step(alarm) if alarm is not None and alarm.open else None
        if step is not None:
            self._copy(step)
        else:
            self.action_copy_as("json")

    def action_copy_as(self, form: str) -> None:
        """Copy the event as JSON, as a line or as a command."""
        event = self.stream.event
        if event is None:
            self.say("nothing to copy: move to an event first")
            return
        found = clip.of_event(event, self.desk.record_of(event), form)
        if found is None:
            self.say("the journal no longer holds the record of this event")
        else:
            self._copy(found)

    def _copy(self, found: clip.Clip) -> None:
        self.app.copy_to_clipboard(found.text)
        self.say(f"copied: {found.named}")

    def action_export(self) -> None:
        """Write the filtered events to a file."""
        if not self.desk.can_export:
            self.say("events can't be written from here: smwatch export does it")
            return
        name = f"smwatch-{self.desk.now:%Y%m%dT%H%M%SZ}.jsonl"
        count = len(self.asked.matches.rows)
        question = PromptScreen(f"Write {count:,} events to", ".jsonl, .csv, or .md for a report", value=name)
        self.app.push_screen(question, self._export)

    def _export(self, name: str | None) -> None:
        if name:
            self.run_worker(self._write(Path(name).expanduser(), self.asked.matches.rows.copy()), group="export")

    async def _write(self, path: Path, rows: list[Event]) -> None:
        self.say(f"writing {len(rows):,} events to {path}")
        self.say(await self.desk.export(path, rows, self.asked.query.told))

    # -- alarms

    def action_acknowledge(self) -> None:
        """Acknowledge the alarm under the cursor, else the worst one, with a note."""
        alarm = self._alarm_here()
        if alarm is None or not alarm.open:
            self.say("no open alarm here")
            return

        def decide(note: str | None) -> None:
            if note is not None:
                self.desk.acknowledge(alarm, note)
                self.say(f"acknowledged: {alarm.title}")

        self.app.push_screen(
            PromptScreen(f"Acknowledge: {alarm.title}", "a note, or nothing; Esc leaves it open"), decide
        )

    def action_alarms(self) -> None:
        """All alarms."""
        from smwatch.tui.screens.alarms import AlarmsScreen

        self.app.push_screen(AlarmsScreen(self.desk), self._after_alarms)

    def _after_alarms(self, target: object) -> None:
        match target:
            case ToEvent():
                self._jump(target)
            case ToSecret() | ToPrincipal() | ToAlarm():
                self.show_target(target)
            case _:
                pass


def _is_event(target: object) -> bool:
    return isinstance(target, ToEvent)
