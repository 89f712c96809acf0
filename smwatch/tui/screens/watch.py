"""The main screen: health, alarms, the stream, the details, and what is asked of the stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from smwatch.events.event import Event
from smwatch.filter import FilterError, complete, finished, toggled, values_of, with_values
from smwatch.rules.alarm import Alarm
from smwatch.store import Change
from smwatch.tui.health import sources_page, summary, troubles
from smwatch.tui.keys import BY_ID, bindings, told
from smwatch.tui.lines import Page, Piece, spread
from smwatch.tui.pages.alarm import band_rows
from smwatch.tui.pages.empty import empty_lines
from smwatch.tui.pages.event import as_command, as_json, as_ticket
from smwatch.tui.pages.footer import Standing, footer_row
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToPrincipal, ToSecret
from smwatch.tui.query import Query, compiled
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.names import NamesScreen
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.times import Zone, moment
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.filter_line import FilterLine
from smwatch.tui.widgets.heading import StreamHeading
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.sheet import Sheet
from smwatch.tui.widgets.stream import EventStream
from smwatch.view import Filter

DOCKED, ROOMY = 100, 120
"""Columns from which the details have room beside the stream, and from which they are there unasked."""
SAID_SECONDS = 4.0
RECHECK = timedelta(seconds=10)
"""How often a time window is moved on."""
TROUBLES = 2
"""Sentences on sources in trouble that the header holds; `S` shows all."""


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
        self._desk = desk
        self._parse = parse
        self.query_asked = Query(text=filter_text)
        self._put_aside = Query()
        self._view = desk.store.view()
        self._window_at: datetime = desk.now
        self._pane_wanted: bool | None = None
        self._said = ""
        self._header = Pieces()
        self._header.id = "header"
        self._band = Pieces()
        self._heading = StreamHeading()
        self.stream = EventStream(
            self._view,
            level_of=desk.level_of,
            newest_first=desk.newest_first,
            watching_since=desk.watching_since,
        )
        self.detail = Detail(desk.page_of)
        self.filter_line = FilterLine(
            self._completions, hint="words, -word, name:Get*  secret:prod/  user:ci  error  write"
        )
        self._footer = Pieces()
        self._footer.id = "footer"

    def compose(self) -> ComposeResult:
        """Header, band, stream with details, filter, footer."""
        yield self._header
        yield self._band
        with Horizontal(id="body"):
            with Vertical():
                yield self._heading
                yield self.stream
            yield self.detail
        yield self.filter_line
        yield self._footer

    def on_mount(self) -> None:
        """Show what the store already holds."""
        self.stream.now, self.stream.zone = self._desk.now, self._desk.zone
        self.stream.focus()
        if self.query_asked:
            self._ask(self.query_asked)
        self._frame()

    def on_resize(self, event: events.Resize) -> None:
        """Dock the details where there is room."""
        self._dock(event.size.width)
        self._frame()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        self.stream.set_zone(self._desk.zone)
        self._refresh(restyled=True)

    # -- what happened

    def show_change(self, change: Change) -> None:
        """Bring everything up to date with the store."""
        self._refresh(restyled=bool(change.alarms or change.renamed))

    def tick(self) -> None:
        """Let time pass on the screen."""
        desk = self._desk
        if self.query_asked.minutes and desk.now - self._window_at >= RECHECK:
            self._ask(self.query_asked)
        self.stream.tick(desk.now)
        if not desk.store.events:
            self._empty()
        self._frame()
        self.detail.renew()

    def _refresh(self, *, restyled: bool = False) -> None:
        self._empty()
        self.stream.update(restyled=restyled)
        self._follow_cursor()
        self.detail.renew()
        self._frame()

    def _frame(self) -> None:
        """Header, band and footer as things stand."""
        desk, width = self._desk, self.size.width
        if not width:
            return
        self._header.put(self._header_rows(width))
        band = band_rows(desk.asking, desk.now, desk.zone, width, roomy=self.size.height >= 16)
        self._band.put(band)
        self._band.display = bool(band)
        self._footer.put([footer_row(self._standing(), self._keys(), width)])

    def _header_rows(self, width: int) -> list[list[Piece]]:
        desk = self._desk
        statuses = list(desk.store.sources.values())
        clock = [Piece(f"{moment(desk.now, _absolute(desk.zone), desk.now)} {_absolute(desk.zone).title()} ", "strong")]
        title = [Piece(" smwatch ", "strong"), Piece(f" {desk.title} " if desk.title and width >= 90 else " ", "quiet")]
        room = width - sum(len(piece.text) for piece in (*clock, *title)) - 4
        sources = [
            Piece(piece.text, f"{piece.role}@screen.sources") for piece in summary(statuses, desk.now, desk.zone, room)
        ]
        rows = [list(spread([*title, Piece("  "), *sources], clock, width).pieces)]
        wrong = troubles(statuses, desk.now, desk.zone)
        rows += [[Piece(f"   {sentence}", f"{role}@screen.sources")] for sentence, role in wrong[:TROUBLES]]
        return rows

    def _standing(self) -> Standing:
        store, stream = self._desk.store, self.stream
        return Standing(
            query=self.query_asked.told,
            shown=len(self._view.rows),
            total=len(store.events),
            dropped=store.dropped,
            following=stream.following,
            unseen=stream.unseen,
            newest_first=stream.newest_first,
            busy=self._view.busy,
            said=self._said,
        )

    def _keys(self) -> list[tuple[str, str, str]]:
        offered = ["app.help", "watch.filter", "watch.names"]
        offered += ["watch.next_alarm", "watch.alarms"] if self._desk.asking else []
        if self.query_asked:
            offered.append("watch.clear")
        offered += ["stream.open", "app.quit", "watch.zone", "watch.copy"]
        shown = []
        for each in offered:
            key = BY_ID[each]
            namespace = "app" if each.startswith("app") else "screen"
            action = "screen.open" if each == "stream.open" else f"{namespace}.{key.action}"
            shown.append((told(key.keys.split(",")[0]), key.word, action))
        return shown

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
        if not self._view.rows:
            desk = self._desk
            page: Page = lambda width: empty_lines(  # noqa: E731
                list(desk.store.sources.values()),
                total=len(desk.store.events),
                query=self.query_asked.told,
                asked_since=desk.asked_since,
                now=desk.now,
                zone=desk.zone,
                width=width,
            )
            self.stream.set_empty(page)

    # -- the filter

    def _ask(self, query: Query, *, typing: bool = False) -> None:
        """Apply a query; raises FilterError, and changes nothing then."""
        chosen = compiled(query, lambda text: self._parse(text, typing), self._desk.now)
        self._window_at = self._desk.now
        self.query_asked = query
        self._view.choose(chosen)
        self._go_on()
        self._refresh()
        self.stream.reveal()

    def _go_on(self) -> None:
        """Look at older rows, a step at a time, so that keys are answered in between."""
        if self._view.busy:
            self.set_timer(0.001, self._step)

    def _step(self) -> None:
        self._view.step()
        self._refresh()
        self._go_on()

    def _reword(self, text: str, *, typing: bool = False) -> None:
        self._ask(msgspec.structs.replace(self.query_asked, text=text), typing=typing)

    def _completions(self, text: str, cursor: int) -> list[tuple[str, str]]:
        found = complete(text, cursor, self._desk.values_of)
        return [(text[: found.start] + each.text + text[found.end :], each.shown) for each in found.options]

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        """Apply the filter as it is typed; while it is wrong, the last good one stays."""
        event.stop()
        self._try(event.text, typing=True)

    def _try(self, text: str, *, typing: bool = False) -> bool:
        try:
            self._reword(text.lstrip() if typing else text.strip(), typing=typing)
        except FilterError as error:
            self.filter_line.tell(str(error), position=error.position)
            return False
        self.filter_line.tell("")
        return True

    def on_filter_line_kept(self, event: FilterLine.Kept) -> None:
        """Keep the filter and go back to the stream, if it can be understood."""
        event.stop()
        if self._try(finished(event.text, self._desk.values_of)):
            self._leave_filter()

    def _leave_filter(self) -> None:
        self.filter_line.close()
        self.stream.focus()
        self._frame()

    # -- the details

    def _dock(self, width: int) -> None:
        wanted = self._pane_wanted if self._pane_wanted is not None else width >= ROOMY
        docked = wanted and width >= DOCKED
        self.set_class(docked, "-docked")
        if not docked and self.focused is self.detail:
            self.stream.focus()
        if docked:
            self._follow_cursor()

    @property
    def _docked(self) -> bool:
        return self.has_class("-docked")

    def _follow_cursor(self) -> None:
        if self._docked:
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

    def on_event_stream_opened(self, event: EventStream.Opened) -> None:
        """Go to the details, beside the stream or on a screen of their own."""
        event.stop()
        self.show_target(ToEvent(event.event.key))

    def show_target(self, target: object) -> None:
        """Show something in detail, where there is room for it."""
        if self.size.width >= DOCKED:
            self._pane_wanted = True
            self._dock(self.size.width)
            if isinstance(target, ToEvent) and self.stream.cursor == target.key:
                self.detail.look_at(target)
            else:
                self.detail.lead_to(target)
            self.detail.focus()
        else:
            self.app.push_screen(PageScreen(self._desk, "details", target, jumps=_is_event), self._jump)

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
        elif self._desk.store.find(target.key) is None:
            self.say("that event has left the memory")
        else:
            self.say("the filter hides that event; Backspace shows all")
            if self._docked:
                self.detail.lead_to(target)

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, keys are letters."""
        del parameters
        return action in ("back", "open") if self.filter_line.is_open else True

    def action_filter(self) -> None:
        """Type a filter."""
        self.filter_line.open(self.query_asked.text)

    def action_names(self) -> None:
        """Pick event names."""
        self.app.push_screen(
            NamesScreen(self._desk.store.names, frozenset(values_of(self.query_asked.text, "name"))), self._pick
        )

    def _pick(self, names: frozenset[str] | None) -> None:
        if names is not None:
            self._reword(with_values(self.query_asked.text, "name", sorted(names)))

    def action_clear(self) -> None:
        """All filters off, or back on."""
        if self.query_asked:
            self._put_aside = self.query_asked
            self._ask(Query())
        elif self._put_aside:
            self._ask(self._put_aside)
        else:
            self.say("no filter to take away: / types one")

    def action_word(self, word: str) -> None:
        """Switch a word of the filter language."""
        self._reword(toggled(self.query_asked.text, word))

    def action_window(self, minutes: int) -> None:
        """Show the last so many minutes."""
        self._ask(msgspec.structs.replace(self.query_asked, minutes=minutes))

    def action_alarm(self, step: int) -> None:
        """Go to the next event of an alarm, older with 1, newer with -1."""
        keys = {key for alarm in self._desk.asking for key in alarm.event_keys}
        self._go_among(sorted(keys), step, "no open alarm" if not keys else "no further event of an open alarm")

    def action_match(self, step: int) -> None:
        """Go to the next error below or above."""
        rows = self._view.rows
        self._go_among([event.key for event in rows if event.failed], step, "no further error")

    def action_next_mark(self) -> None:
        """Go to the next mark, older; from the last one to the first."""
        marks = sorted(self.stream.marked)
        at = self.stream.cursor
        if at is not None and marks and at <= marks[0]:
            self.stream.select(marks[-1])
        else:
            self._go_among(marks, 1, "nothing is marked: m marks")

    def _go_among(self, keys: list[int], step: int, none: str) -> None:
        at = self.stream.cursor
        older = step > 0
        if at is None:
            found = keys[-1] if keys else None
        elif older:
            found = max((key for key in keys if key < at), default=None)
        else:
            found = min((key for key in keys if key > at), default=None)
        if found is None:
            self.say(none)
        else:
            self._jump(ToEvent(found))

    def action_mark(self) -> None:
        """Mark the event under the cursor, or take its mark away."""
        if self.stream.cursor is None:
            self.say("no event chosen: move to one first")
        else:
            self.stream.marked ^= {self.stream.cursor}
            self.stream.update(restyled=True)

    def action_zone(self) -> None:
        """Times in the next zone."""
        self._desk.zone = self._desk.zone.following
        self.stream.set_zone(self._desk.zone)
        self._refresh(restyled=True)

    def action_order(self) -> None:
        """Newest first, or last."""
        self.stream.set_order(newest_first=not self.stream.newest_first)
        self._desk.newest_first = self.stream.newest_first
        self.say("newest first" if self.stream.newest_first else "oldest first")

    def action_follow(self) -> None:
        """Follow the newest event."""
        self.stream.follow()
        self.stream.focus()

    def action_open(self) -> None:
        """Open the event under the cursor."""
        self.stream.action_open()

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
            self.action_open()

    def action_principal(self) -> None:
        """The blast radius of whoever made the call under the cursor."""
        event = self.stream.event
        if event is None or not event.principal.identity:
            self.say("no principal chosen: move to an event first")
        else:
            self.show_target(ToPrincipal(event.principal.identity))

    def action_sources(self) -> None:
        """How the sources are doing."""
        desk = self._desk
        page = lambda *_: lambda width: sources_page(list(desk.store.sources.values()), desk.now, desk.zone, width)  # noqa: E731
        self.app.push_screen(PageScreen(desk, "sources", None, page_of=page))

    def action_back(self) -> None:
        """One step back: typing, trail, details, filter, pause; never further."""
        if self.filter_line.is_open:
            self._leave_filter()
        elif self.focused is self.detail:
            if not self.detail.back():
                self.stream.focus()
        elif self.query_asked:
            self.action_clear()
        elif not self.stream.following:
            self.stream.follow()
        else:
            self.say("nothing to go back from: q leaves smwatch")

    # -- copying

    def _alarm_here(self) -> Alarm | None:
        """The alarm of the event under the cursor; without a cursor the worst one."""
        if self.stream.cursor is not None:
            return self._desk.alarm_of(self.stream.cursor)
        asking = self._desk.asking
        return asking[0] if asking else None

    def action_copy(self) -> None:
        """Copy the line's command, the alarm's next command, or the event."""
        at = self.detail.line if self.focused is self.detail else None
        if at is not None and at.copies:
            self._copy(at.copies, at.copies)
            return
        alarm = self._alarm_here()
        step = next((each for each in alarm.next if not each.lstrip().startswith("#")), "") if alarm is not None else ""
        if alarm is not None and alarm.open and step:
            self._copy(step, step)
        elif (event := self.stream.event) is not None:
            self._copy_event(event)
        else:
            self.say("nothing to copy: move to an event first")

    def _copy_event(self, event: Event) -> None:
        record = self._desk.record_of(event)
        if record is None:
            self.say("the journal no longer holds the record of this event")
        else:
            self._copy(as_json(record), "the event as JSON")

    def action_copy_as(self, form: str) -> None:
        """Copy the event as a line or as a command."""
        event = self.stream.event
        if event is None:
            self.say("nothing to copy: move to an event first")
        elif form == "ticket":
            self._copy(as_ticket(event), "the event as a line for a ticket")
        else:
            self._copy(as_command(event), "the command that finds the event")

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)
        self.say(f"copied: {what}")

    # -- alarms

    def action_acknowledge(self) -> None:
        """Acknowledge the alarm under the cursor, else the worst one, with a note."""
        alarm = self._alarm_here()
        if alarm is None or not alarm.open:
            self.say("no open alarm here")
            return

        def decide(note: str | None) -> None:
            if note is not None:
                self._desk.store.acknowledge(alarm.group, note, self._desk.now)
                self.say(f"acknowledged: {alarm.title}")

        self.app.push_screen(
            PromptScreen(f"Acknowledge: {alarm.title}", "a note, or nothing; Esc leaves it open"), decide
        )

    def action_alarms(self) -> None:
        """All alarms."""
        from smwatch.tui.screens.alarms import AlarmsScreen

        self.app.push_screen(AlarmsScreen(self._desk), self._after_alarms)

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


def _absolute(zone: Zone) -> Zone:
    return Zone.LOCAL if zone is Zone.LOCAL else Zone.UTC
