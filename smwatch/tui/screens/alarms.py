"""All alarms, each with why it matters and what to do, and the decisions people take on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from smwatch.rules.alarm import Alarm, Mute
from smwatch.settings import period
from smwatch.store import Change
from smwatch.tui.clip import next_step
from smwatch.tui.keys import bindings
from smwatch.tui.lines import Piece, hint_pieces, spread
from smwatch.tui.pages.alarm import alarms_page
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToValue
from smwatch.tui.pages.words import shown
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.sheet import Sheet

HINTS = ("alarms.back", "alarms.acknowledge", "alarms.note", "alarms.mute", "alarms.close", "alarms.copy")
BESIDE = 110
"""Columns from which the chosen alarm is shown beside the list."""


class AlarmsScreen(Screen[object]):
    """The list of alarms and the chosen one; ends with what to go to in the stream, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("alarms"),
    ]
    DEFAULT_CSS = """
    AlarmsScreen {
        #title, #keys { background: $panel; text-style: bold; }
        #keys { text-style: none; }
        #list { width: 1fr; }
        Detail { width: 50%; border-left: vkey $border; display: none; }
        Detail:focus { border-left: outer $primary; }
        &.-beside Detail { display: block; }
        &.-chosen Detail { display: block; width: 1fr; border-left: none; }
        &.-chosen #list { display: none; }
    }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._title, self._keys = Pieces(), Pieces()
        self._title.id, self._keys.id = "title", "keys"
        self.list = Sheet()
        self.list.id = "list"
        self.detail = Detail(desk.page_of)

    def compose(self) -> ComposeResult:
        """List and alarm."""
        yield self._title
        with Horizontal():
            yield self.list
            yield self.detail
        yield self._keys

    def on_mount(self) -> None:
        """Stand on the worst alarm."""
        self.list.focus()
        self._write()

    def on_resize(self, event: events.Resize) -> None:
        """Show the alarm beside the list where there is room."""
        self.set_class(event.size.width >= BESIDE, "-beside")
        if event.size.width >= BESIDE:
            self.remove_class("-chosen")
        self.call_after_refresh(self._write)

    def show_change(self, change: Change) -> None:
        """Alarms may have changed."""
        del change
        self._write()

    def tick(self) -> None:
        """Times may read differently."""
        self._write()

    def _write(self) -> None:
        desk = self._desk
        alarms = shown(desk.store.alarms.values())
        self.list.show(lambda width: alarms_page(alarms, desk.now, desk.zone, width))
        if self.list.cursor is None and alarms and self.list.lines:
            self.list.select(ToAlarm(alarms[0].group))
        self.detail.renew()
        open_now = len(desk.asking)
        width = self.size.width
        left = [Piece(" alarms"), Piece(f"   {open_now:,} open, {len(alarms):,} in all", "quiet")]
        self._title.put([spread(left, [], width).pieces])
        self._keys.put([hint_pieces(map(desk.keys.hint, HINTS))])

    def on_sheet_moved(self, event: Sheet.Moved) -> None:
        """Show the alarm under the cursor."""
        event.stop()
        if self.focused is self.list and event.line is not None and isinstance(event.line.target, ToAlarm):
            self.detail.look_at(event.line.target)

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Look closer at an alarm, or go where a line of it leads."""
        event.stop()
        match event.target:
            case ToAlarm() if not self.has_class("-chosen"):
                self.detail.look_at(event.target)
                if not self.has_class("-beside"):
                    self.add_class("-chosen")
                self.detail.focus()
            case ToEvent() | ToValue():
                self.dismiss(event.target)
            case _:
                self.detail.lead_to(event.target)

    @property
    def alarm(self) -> Alarm | None:
        """The alarm that is looked at."""
        target = self.detail.target
        if not isinstance(target, ToAlarm):
            at = self.list.line
            target = at.target if at is not None else None
        return self._desk.store.alarms.get(target.group) if isinstance(target, ToAlarm) else None

    def action_back(self) -> None:
        """One step back: trail, alarm, screen."""
        if self.focused is self.detail:
            if not self.detail.back():
                self.remove_class("-chosen")
                self.list.focus()
        else:
            self.dismiss(None)

    def action_switch(self) -> None:
        """Between list and alarm."""
        if self.focused is self.detail:
            self.action_back()
        elif self.alarm is not None:
            self.list.action_choose()

    def action_copy(self) -> None:
        """Copy the command on the line, or the first one of the alarm."""
        at = self.detail.line if self.focused is self.detail else None
        step = next_step(self.alarm) if self.alarm is not None else None
        text = at.copies if at is not None and at.copies else step.text if step is not None else ""
        if text:
            self.app.copy_to_clipboard(text)
            self.app.notify(f"copied: {text}", markup=False, timeout=3)
        else:
            self.app.notify("this alarm names no command to run", markup=False, timeout=3)

    def action_acknowledge(self) -> None:
        """Acknowledge it, with a note."""
        self._decide("Acknowledge", self._desk.acknowledge)

    def action_close(self) -> None:
        """Say that it is over, with a note."""
        self._decide("Close", self._desk.close)

    def action_note(self) -> None:
        """Add a note to it."""
        if self.alarm is not None and self.alarm.open:
            key = self._desk.keys.one("alarms.acknowledge")
            self.app.notify(f"it is open: {key} acknowledges it, with a note", markup=False, timeout=3)
        else:
            self._decide("Note", self._desk.note)

    def action_mute(self) -> None:
        """Make no noise about it for a while."""
        alarm = self.alarm
        if alarm is None:
            self.app.notify("no alarm chosen", markup=False, timeout=3)
            return

        def answered(text: str | None) -> None:
            if not text:
                return
            try:
                self._desk.mute(mute_meant(text, alarm, self._desk.now))
            except ValueError as error:
                self.app.notify(str(error), markup=False, timeout=5)
            self._write()

        hint = "how long; and rule, secret or principal to mute all alarms of it: 8h rule. 0 ends it"
        self.app.push_screen(PromptScreen(f"Mute: {alarm.title}", hint, value="1h"), answered)

    def _decide(self, verb: str, decide: Callable[[Alarm, str], None]) -> None:
        alarm = self.alarm
        if alarm is None:
            self.app.notify("no alarm chosen", markup=False, timeout=3)
            return

        def answered(note: str | None) -> None:
            if note is not None:
                decide(alarm, note)
                self._write()

        self.app.push_screen(
            PromptScreen(f"{verb}: {alarm.title}", "a note, or nothing; Esc leaves it as it is"), answered
        )


SCOPES = ("rule", "secret", "principal")


def mute_meant(text: str, alarm: Alarm, now: datetime) -> Mute:
    """The mute that a person means by 1h (this alarm), or 8h rule (all alarms of its rule), or 0 (no longer).

    ValueError says in a sentence what can be written.
    """
    length, *named = text.split()
    if unknown := [word for word in named if word not in SCOPES]:
        raise ValueError(f"“{unknown[0]}” can't be muted: write rule, secret or principal")
    until = now if length == "0" else now + period(length)
    scopes = named or SCOPES
    whom = alarm.identity if named else alarm.session or alarm.identity
    return Mute(
        until,
        rule=alarm.rule if "rule" in scopes else "",
        secret=alarm.secret if "secret" in scopes else None,
        identity=whom if "principal" in scopes else "",
    )
