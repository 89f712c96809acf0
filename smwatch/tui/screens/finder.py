"""Finding events on the main screen: filters, names, windows, groups, and going from event to event."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from smwatch.events.event import ACCOUNT_BITS, ID_BITS
from smwatch.filter import FilterError, check_values, finished, values_of, with_values
from smwatch.store.change import Change
from smwatch.tui.columns import called, secret_name
from smwatch.tui.finding import moment_meant, next_event, next_key
from smwatch.tui.pages.targets import ToEvent, ToValue
from smwatch.tui.query import window
from smwatch.tui.screens.desk import NO_OTHER_RECORD
from smwatch.tui.screens.leading import Leading
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.widgets.filter_line import FilterLine
from smwatch.tui.widgets.histogram import Histogram
from smwatch.tui.widgets.sheet import Sheet
from smwatch.tui.widgets.stream import EventStream

BEFORE = timedelta(minutes=15)
"""How much of what went before a moment is fetched with it."""


class Finder(Leading):
    """The frame, with what can be asked of the stream."""

    _before_typing = ""
    _awaited: int | None = None
    """The second that the reader wants to go to, while its events are still on their way."""

    # -- the filter

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        """Apply the filter as it is typed; while it is wrong, the last good one stays."""
        event.stop()
        self._try(event.text.strip(), typing=not event.text.endswith(" "))

    def _try(self, text: str, *, typing: bool) -> bool:
        try:
            check_values(text, typing=typing)
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
            self.desk.remember(self.filter_line.history)
        else:
            self.filter_line.stay()

    def _leave_filter(self) -> None:
        self.set_focus(self.stream)  # at once: keys that were typed ahead go there
        self.filter_line.close()
        self._frame()

    def action_filter(self) -> None:
        """Type a filter; in the details, what to look for in them."""
        if self.focused is self.detail:
            go_on = " and ".join(map(self.desk.keys.one, ("watch.next_match", "watch.previous_match")))
            self.app.push_screen(PromptScreen("Find in the details", f"{go_on} go on"), self._find)
        else:
            text = self._before_typing = self.asked.query.text
            self.filter_line.open(f"{text} " if text and not text.startswith("{") else text)

    def _find(self, text: str | None) -> None:
        if text:
            self.detail.find(text)

    def on_sheet_missed(self, event: Sheet.Missed) -> None:
        """Say that what was looked for is not there."""
        event.stop()
        self.say(f"“{event.text}” does not occur here")

    def action_names(self) -> None:
        """Pick event names."""
        from smwatch.tui.screens.names import NamesScreen

        query = self.asked.query
        ticked = frozenset(values_of(query.text, "name"))
        filtered = bool(query.minutes or with_values(query.text, "name", ()))
        screen = NamesScreen(self.desk.store.names, ticked, self.desk.keys, filtered=filtered)
        self.app.push_screen(screen, self._pick)

    def _pick(self, names: frozenset[str] | None) -> None:
        if names is not None:
            self.asked.only("name", sorted(names), self.desk.now)
            self._asked_anew()

    def action_saved(self) -> None:
        """Pick a saved filter."""
        from smwatch.tui.screens.saved import SavedScreen

        if self.desk.filters:
            self.app.push_screen(SavedScreen(self.desk.filters, self.desk.keys), self.take)
        else:
            self.say('no filter is saved: write [ui.filters] mine = "error" into the config file')

    def take(self, text: str | None) -> None:
        """Ask for a filter as it stands; None changes nothing."""
        if text is not None and self._try(text, typing=False):
            self.filter_line.remember(text)
            self.desk.remember(self.filter_line.history)

    def action_this(self, field: str) -> None:
        """Ask for the secret or the principal under the cursor alone, or no longer."""
        event = self.stream.event
        value = "" if event is None else secret_name(event) if field == "secret" else called(event.principal)
        if values_of(self.asked.query.text, field):
            self.asked.only(field, [], self.desk.now)
            self._asked_anew()
        elif value:
            self.asked.only(field, [value], self.desk.now)
            self._asked_anew()
        else:
            self.say(f"no {field} chosen: move to an event first")

    def action_clear(self) -> None:
        """All filters off, or back on."""
        if self.asked.clear(self.desk.now):
            self._asked_anew()
        else:
            self.say(f"no filter to take away: {self.key('filter')} types one")

    def action_word(self, word: str) -> None:
        """Switch a word of the filter language."""
        self.asked.switch(word, self.desk.now)
        self._asked_anew()

    def action_window(self, minutes: int) -> None:
        """Show the last so many minutes."""
        self.asked.reach(minutes, self.desk.now)
        self._asked_anew()
        if minutes:
            self._bring(self.desk.now - timedelta(minutes=minutes), f"the last {window(minutes)}")

    def _bring(self, since: datetime, what: str) -> bool:
        """Have brought what happened since a moment; False if it is there already, or can't be brought."""
        coming = self.desk.reach_back(since)
        if coming is None:
            return False
        self.say(f"bringing {what}: from the journal, then from AWS")
        self.run_worker(self._brought(coming, what), group="bring")
        return True

    async def _brought(self, coming: Awaitable[bool], what: str) -> None:
        whole = await coming
        self.say(f"{what}: all read" if whole else f"{what}: not all could be read; {self.key('sources')} says why")
        if self._awaited is not None:
            self._arrive(self._awaited)

    def action_context(self) -> None:
        """Show what the filter hides, dim, or hide it again."""
        if not self.asked.query and not self.asked.in_context:
            self.say("no filter: nothing is hidden")
            return
        self.asked.in_context = not self.asked.in_context
        self._asked_anew()
        bright = f"all events, matches bright: {self.key('next_match')} goes to the next"
        self.say(bright if self.asked.in_context else "matches only")

    def action_group(self) -> None:
        """The events grouped by what they share."""
        from smwatch.tui.screens.groups import GroupsScreen

        self.app.push_screen(GroupsScreen(self.desk, self.asked.matches.rows), self.go_to)

    def go_to(self, target: object) -> None:
        """Go to an event, or show only the events with a value."""
        if isinstance(target, ToValue):
            self.asked.only(target.field, [target.value], self.desk.now)
            self._asked_anew()
            self.stream.focus()
        else:
            super().go_to(target)

    # -- from event to event

    def _go_to(self, key: int | None, none: str) -> None:
        if key is None:
            self.say(none)
        else:
            self.go_to(ToEvent(key))

    def action_alarm(self, step: int) -> None:
        """Go to the next event of an open alarm, older with 1, newer with -1; from nowhere to the alarm in the band."""
        asking = self.desk.asking
        keys = sorted({key for alarm in asking for key in alarm.event_keys})
        none = "no further event of an open alarm" if keys else "no open alarm"
        foremost = self.desk.foremost
        if self.stream.cursor is None and foremost is not None and foremost.event_keys:
            self._go_to(max(foremost.event_keys), none)
        else:
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

    def action_other_record(self) -> None:
        """Go to what another account has recorded of the call under the cursor."""
        event = self.stream.event
        if event is None:
            self.say("no event chosen: move to one first")
        else:
            others = self.desk.others_of(event, self.desk.record_of(event))
            self._go_to(others[0].key if others else None, NO_OTHER_RECORD)

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
        none = f"nothing is marked: {self.key('mark')} marks"
        self._go_to(found if found is not None else next_key(marks, None, older=True), none)

    # -- to a moment

    def on_histogram_picked(self, event: Histogram.Picked) -> None:
        """Go to the moment under the mouse."""
        event.stop()
        self._go_to_second(self.spread().second(event.bucket))

    def action_time(self) -> None:
        """Go to a moment."""
        hint = f"14:05, 2026-11-23 14:05 ({self.desk.zone.absolute.title()}) or 2h for two hours ago"
        self.app.push_screen(PromptScreen("Go to", hint), self._go_to_time)

    def _go_to_time(self, text: str | None) -> None:
        if not text:
            return
        try:
            self._go_to_second(int(moment_meant(text, self.desk.now, self.desk.zone.absolute).timestamp()))
        except ValueError as error:
            self.say(str(error))

    def _go_to_second(self, second: int) -> None:
        """Put the cursor on the last event up to a second, or the first one after it; what is missing is fetched."""
        moment = datetime.fromtimestamp(second, UTC)
        minutes = self.asked.query.minutes
        if minutes and moment < self.desk.now - timedelta(minutes=minutes):
            self.asked.reach(0, self.desk.now)  # who goes there wants to see it
            self._asked_anew()
        if not self._row_up_to(second) and self._bring(moment - BEFORE, "what happened then"):
            self._awaited = second
        else:
            self._arrive(second)

    def _arrive(self, second: int) -> None:
        self._awaited = None
        if rows := self.asked.shown.rows:
            self.go_to(ToEvent(rows[max(0, self._row_up_to(second) - 1)].key))
        else:
            self.say("there is no event to go to")

    def _row_up_to(self, second: int) -> int:
        """How many rows there are up to the end of a second."""
        return self.asked.shown.index((second + 1) << (ID_BITS + ACCOUNT_BITS))

    def show_change(self, change: Change) -> None:
        """Bring the screen up to date; where somebody waits for a moment that has come by now, go there."""
        super().show_change(change)
        if self._awaited is not None and self._row_up_to(self._awaited):
            self._arrive(self._awaited)

    def on_event_stream_moved(self, event: EventStream.Moved) -> None:
        """Who moves on no longer waits."""
        super().on_event_stream_moved(event)
        self._awaited = None
