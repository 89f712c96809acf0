"""The main screen: what its keys do beyond finding."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from smwatch.amount import amount
from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm
from smwatch.tui import clip
from smwatch.tui.health import sources_page
from smwatch.tui.keys import bindings
from smwatch.tui.lines import Page
from smwatch.tui.pages.targets import ToAccessKey, ToAlarm, ToEvent, ToPrincipal, ToSecret, ToValue
from smwatch.tui.pages.words import about
from smwatch.tui.screens.copying import copied
from smwatch.tui.screens.finder import Finder
from smwatch.tui.screens.frame import DOCKED
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.prompt import PromptScreen

NO_AWS = "what is shown does not come from AWS"
WRITING_SECONDS = 0.5
"""How often it is told how far the writing of a file has come."""


class WatchScreen(Finder):
    """The stream and everything around it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch")]

    # -- the details

    def action_pane(self) -> None:
        """Show or hide the details."""
        if self.size.width < DOCKED:
            key = self.desk.keys.one("stream.open")
            self.say(f"no room below {DOCKED} columns: {key} opens the details")
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
        """The blast radius of whoever made the call under the cursor; with no cursor, of whom the band is about."""
        event, alarm = self.stream.event, self._alarm_here()
        if identity := event.principal.identity if event is not None else alarm.identity if alarm is not None else "":
            self.show_target(ToPrincipal(identity))
        else:
            self.say("no principal chosen: move to an event first")

    def action_ask(self) -> None:
        """Ask AWS about the secret that is looked at."""
        event, target = self.stream.event, self.detail.target
        secret = target.secret if isinstance(target, ToSecret) else event.secret if event is not None else None
        if secret is None:
            self.say("no secret chosen: move to an event of one first")
        elif not self.desk.can_ask:
            self.say(f"nobody to ask: {NO_AWS}")
        else:
            self.say(f"asking AWS about {secret.name}")
            self.show_target(ToSecret(secret))
            self.run_worker(self._ask(secret), group="ask", exclusive=True)

    async def _ask(self, secret: Secret) -> None:
        await self.desk.ask(secret)
        self.detail.renew()
        self.say(f"AWS has answered about {secret.name}: at the end of its page")

    # -- how it is shown

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, keys are letters."""
        del parameters
        return action in ("back", "open") if self.filter_line.is_open else True

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
            return lambda width: sources_page(list(desk.store.sources.values()), desk.clock, desk.zone, width)

        self.app.push_screen(PageScreen(desk, "sources", None, page_of=page_of, leads=False))

    def action_poll(self) -> None:
        """Have the sources asked now."""
        self.say("asking now" if self.desk.poll() else f"nothing to ask: {NO_AWS}")

    def action_live_tail(self) -> None:
        """Live Tail on, once its cost has been told, or off."""
        cost, key = self.desk.live_tail_cost, self.key("live_tail")
        if cost is None and not self.desk.can_ask:
            self.say(f"no Live Tail: {NO_AWS}")
        elif cost is None:
            self.say("Live Tail needs a log group: start smwatch with --log-group")
        elif self.desk.live_tail_on:
            self.desk.live_tail(False)
            self.say("Live Tail is switched off")
        elif not self.desk.live_tail_priced:
            self.desk.live_tail_priced = True
            self.say(f"{key} again switches it on: {cost}")
        else:
            self.desk.live_tail(True)
            self.say(f"Live Tail is switched on; {key} switches it off")

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
            self.say(f"nothing to go back from: {self.desk.keys.one('app.quit')} leaves smwatch")

    # -- copying and writing

    def _alarm_here(self) -> Alarm | None:
        """The alarm that the details in focus are about; that of the event under the cursor; else the band's."""
        target = self.detail.target
        if self.focused is self.detail and isinstance(target, ToAlarm):
            return self.desk.store.alarms.get(target.group)
        if self.stream.cursor is not None:
            return self.desk.alarm_of(self.stream.cursor)
        return self.desk.foremost

    async def action_copy(self) -> None:
        """Copy the line's command, the alarm's next command, or the event."""
        at = self.detail.line if self.focused is self.detail else None
        if at is not None and at.copies:
            self._copy(clip.Clip(at.copies, at.copies))
            return
        if isinstance(self.detail.target, ToPrincipal | ToAccessKey | ToAlarm) and self.focused is self.detail:
            whole = await copied(self.desk, self.detail.target)
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
        name = f"smwatch-{self.desk.clock:%Y%m%dT%H%M%SZ}.jsonl"
        count = len(self.asked.matches.rows)
        question = PromptScreen(f"Write {amount(count, 'events')} to", ".jsonl, .csv, or .md for a report", value=name)
        self.app.push_screen(question, self._export)

    def _export(self, name: str | None) -> None:
        if name:
            self.run_worker(self._write(Path(name).expanduser(), self.asked.matches.rows.copy()), group="export")

    async def _write(self, path: Path, rows: list[Event]) -> None:
        written = 0

        def tell(count: int) -> None:  # from another thread
            nonlocal written
            written = count

        def say() -> None:
            self.say(f"writing to {path}: {written:,} of {len(rows):,} events")

        say()
        telling = self.set_interval(WRITING_SECONDS, say)
        try:
            self.say(await self.desk.export(path, rows, self.asked.query.told, tell))
        finally:
            telling.stop()

    # -- alarms

    def action_acknowledge(self) -> None:
        """Acknowledge the alarm that is looked at, else the worst one, with a note."""
        alarm = self._alarm_here()
        if alarm is None or not alarm.open:
            self.say("no open alarm here")
            return

        def decide(note: str | None) -> None:
            if note is not None:
                self.desk.acknowledge(alarm, note)
                self.say(f"acknowledged: {alarm.title}")

        question = PromptScreen(
            f"Acknowledge: {alarm.title}", "a note, or nothing; Esc leaves it open", about=about(alarm)
        )
        self.app.push_screen(question, decide)

    def action_alarms(self) -> None:
        """All alarms."""
        from smwatch.tui.screens.alarms import AlarmsScreen

        self.app.push_screen(AlarmsScreen(self.desk), self._after_alarms)

    def _after_alarms(self, target: object) -> None:
        match target:
            case ToEvent() | ToValue():
                self.go_to(target)
            case ToSecret() | ToPrincipal() | ToAccessKey() | ToAlarm():
                self.show_target(target)
            case _:
                pass
