"""All alarms, each with why it matters and what to do, and the decisions people take on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from smwatch.rules.alarm import Alarm, Mute
from smwatch.store.change import Change
from smwatch.tui.clip import next_step
from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import bindings
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.lines import Piece, hint_pieces, spread
from smwatch.tui.living import Living
from smwatch.tui.muting import in_force, mutes_meant, scope, told, until_meant
from smwatch.tui.pages.alarms import AlarmLines
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToMute, ToValue
from smwatch.tui.pages.words import Standing, about, standing
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.widgets.choices import Choices
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.sheet import Sheet

HINTS = ("alarms.back", "alarms.acknowledge", "alarms.note", "alarms.mute", "alarms.close", "alarms.copy")
BESIDE = 110
"""Columns from which the chosen alarm is shown beside the list."""
TOLD_SECONDS = 4.0


class AlarmsScreen(DirectlyComposed, LeftOnce, Living, Screen[object]):
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
        Detail.-alone { width: 1fr; border-left: none; }
    }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._title, self._keys = Pieces(), Pieces()
        self._title.id, self._keys.id = "title", "keys"
        self.list = Choices()
        self.list.id = "list"
        self.detail = Detail(desk.page_of)
        self._beside = False
        """There is room for the chosen alarm beside the list."""

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
        self._beside = event.size.width >= BESIDE
        self._arrange(alone=self._alone and not self._beside)
        self.call_after_refresh(self._write)

    @property
    def _alone(self) -> bool:
        """Whether the chosen alarm has taken the place of the list."""
        return not self.list.display

    def _arrange(self, *, alone: bool) -> None:
        """Show the list, the chosen alarm, or both; for a class of the screen all widgets would be restyled."""
        self.list.display = not alone
        self.detail.display = alone or self._beside
        self.detail.set_class(alone, "-alone")

    def show_change(self, change: Change) -> None:
        """Alarms may have changed."""
        del change
        self._write()

    def tick(self) -> None:
        """Times may read differently."""
        self._write()

    def _write(self) -> None:
        desk = self._desk
        sections, mutes = desk.standing, in_force(desk.store.mutes, desk.now)
        self.list.show(lambda width: AlarmLines(sections, mutes, desk.now, desk.zone, width))
        self.detail.renew()
        open_now, in_all = len(sections[Standing.OPEN]), sum(map(len, sections.values()))
        width = self.size.width
        left = [Piece(" alarms"), Piece(f"   {open_now:,} open, {in_all:,} in all", "quiet")]
        self._title.put([spread(left, [], width).pieces])
        self._keys.put([hint_pieces(map(desk.keys.hint, HINTS))])

    def on_sheet_moved(self, event: Sheet.Moved) -> None:
        """Show the alarm under the cursor."""
        event.stop()
        if self.focused is self.list and event.line is not None and event.line.target is not None:
            self.detail.look_at(event.line.target)

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Look closer at an alarm, or go where a line of it leads."""
        event.stop()
        match event.target:
            case ToAlarm() | ToMute() if self.focused is self.list:
                self.detail.look_at(event.target)
                self._arrange(alone=not self._beside)
                self.detail.focus()
            case ToEvent() | ToValue():
                self.dismiss(event.target)
            case _:
                self.detail.lead_to(event.target)
                self._mark()

    def _mark(self) -> None:
        """Mark the alarm in the list that the detail shows."""
        if isinstance(self.detail.target, ToAlarm | ToMute):
            self.list.select(self.detail.target)

    @property
    def alarm(self) -> Alarm | None:
        """The alarm that is looked at, which is what keys act on: none that is not on the screen."""
        target = self._target
        return self._desk.store.alarms.get(target.group) if isinstance(target, ToAlarm) else None

    @property
    def _target(self) -> object:
        """What keys act on."""
        if self.focused is self.detail and isinstance(self.detail.target, ToAlarm | ToMute):
            return self.detail.target
        if self._alone or self.list.line is None:
            return None
        return self.list.line.target

    def action_back(self) -> None:
        """One step back: trail, alarm, screen."""
        if self.focused is self.detail:
            if self.detail.back():
                self._mark()
            else:
                self._arrange(alone=False)
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
            self._tell(f"copied: {text}")
        else:
            self._tell("this alarm names no command to run")

    def action_acknowledge(self) -> None:
        """Acknowledge it, with a note."""
        self._decide("Acknowledge", "acknowledged", self._desk.acknowledge)

    def action_close(self) -> None:
        """Say that it is over, with a note."""
        self._decide("Close", "closed", self._desk.close)

    def action_note(self) -> None:
        """Add a note to it."""
        if self.alarm is not None and self.alarm.open:
            key = self._desk.keys.one("alarms.acknowledge")
            self._tell(f"it is open: {key} acknowledges it, with a note")
        else:
            self._decide("Note", "noted", self._desk.note)

    def action_mute(self) -> None:
        """Make no noise about it for a while."""
        target = self._target
        if isinstance(target, ToMute):
            self._change(target.mute)
            return
        hint = "how long; and rule, secret or principal to mute all alarms of it: 8h rule. 0 ends it"
        self._ask("Mute", hint, self._mute, value="1h")

    def _mute(self, alarm: Alarm, text: str) -> str:
        desk = self._desk
        mutes = mutes_meant(text, alarm, desk.store.mutes, desk.now) if text else []
        for mute in mutes:
            desk.mute(mute)
        return "; ".join(told(mute, desk.now) for mute in mutes)

    def _change(self, mute: Mute) -> None:
        """Ask how long a mute is to last from now on."""
        desk = self._desk

        def answered(text: str | None) -> None:
            if not text:
                return
            try:
                changed = msgspec.structs.replace(mute, until=until_meant(text, desk.now))
            except ValueError as error:
                self._tell(str(error))
            else:
                desk.mute(changed)
                self._write()
                self._tell(told(changed, desk.now))

        hint = "how long from now on; 0 ends it"
        self.app.push_screen(PromptScreen("Mute", hint, about=scope(mute), value="0"), answered)

    def _decide(self, verb: str, done: str, decide: Callable[[Alarm, str], None]) -> None:
        def act(alarm: Alarm, note: str) -> str:
            decide(alarm, note)
            return f"{done}: {alarm.title}"

        self._ask(verb, "a note, or nothing; Esc leaves it as it is", act)

    def _ask(self, verb: str, hint: str, act: Callable[[Alarm, str], str], *, value: str = "") -> None:
        """Ask for what to do about the alarm, do it, and go on; `act` says what it did, or in a ValueError why not."""
        alarm = self.alarm
        if alarm is None:
            self._tell(self._no_alarm())
            return

        def answered(text: str | None) -> None:
            if text is None:
                return
            before = self._desk.standing
            try:
                done = act(alarm, text)
            except ValueError as error:
                done = str(error)
            self._write()
            if self.focused is self.list:
                self._go_on(alarm, before)
            if done:
                self._tell(done)

        self.app.push_screen(PromptScreen(f"{verb}: {alarm.title}", hint, about=about(alarm), value=value), answered)

    def _no_alarm(self) -> str:
        """Why there is none to act on."""
        key = self._desk.keys.one
        if isinstance(self._target, ToMute):
            return f"this is a mute: {key('alarms.mute')} changes or ends it"
        if self.focused is self.detail:
            return f"no alarm is chosen here: {key('alarms.back')} goes back to one"
        return "there is no alarm"

    def _go_on(self, alarm: Alarm, before: Mapping[Standing, Sequence[Alarm]]) -> None:
        """Stand on what comes next after a decision: the alarm below where this one was, or else this one."""
        for stand, alarms in before.items():
            at = next((n for n, each in enumerate(alarms) if each.group == alarm.group), None)
            if at is not None:
                order = chain((alarm,), islice(alarms, at + 1, None), reversed(alarms[:at]))
                self.list.select(
                    ToAlarm(next((each.group for each in order if self._stands(each, stand)), alarm.group))
                )

    def _stands(self, before: Alarm, stand: Standing) -> bool:
        """Whether an alarm still stands there now."""
        alarm = self._desk.store.alarms.get(before.group)
        return alarm is not None and alarm.count > 0 and standing(alarm, self._desk.now) is stand

    def _tell(self, text: str) -> None:
        self.app.notify(text, markup=False, timeout=TOLD_SECONDS)
