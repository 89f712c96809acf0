"""The main screen: where its lines lead."""

from __future__ import annotations

from smwatch.tui.pages.targets import ToEvent, ToValue
from smwatch.tui.screens.frame import DOCKED, StreamFrame
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.widgets.sheet import Sheet
from smwatch.tui.widgets.stream import EventStream


class Leading(StreamFrame):
    """Leads to events in the stream, and to details beside it or, without room there, on a screen of their own."""

    def show_target(self, target: object) -> None:
        """Show something in detail, where there is room for it."""
        if self.size.width < DOCKED:
            self.app.push_screen(PageScreen(self.desk, "details", target, jumps=_in_stream), self.go_to)
            return
        self._pane_wanted = True
        self._dock(self.size.width)
        if isinstance(target, ToEvent) and self.stream.cursor == target.key:
            self.detail.look_at(target)
        else:
            self.detail.lead_to(target)
        self.set_focus(self.detail)  # at once: a move of the cursor that is not yet told would take the pane back

    def go_to(self, target: object) -> None:
        """Go to an event in the stream; nothing else is there."""
        if not isinstance(target, ToEvent):
            return
        if self.stream.select(target.key):
            self.stream.focus()
        elif self.desk.store.find(target.key) is None:
            self.say("that event has left the memory")
        else:
            self.say(f"the filter hides it: {self.key('clear')} shows all, {self.key('context')} shows it dim")
            if self._docked:
                self.detail.lead_to(target)

    def on_event_stream_opened(self, event: EventStream.Opened) -> None:
        """Go to the details, beside the stream or on a screen of their own."""
        event.stop()
        self.show_target(ToEvent(event.event.key))

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Go where a line leads: an event is gone to in the stream, the rest is shown in its place."""
        event.stop()
        if _in_stream(event.target):
            self.go_to(event.target)
        else:
            self.detail.lead_to(event.target)


def _in_stream(target: object) -> bool:
    """Whether a line leads to the stream rather than to another page."""
    return isinstance(target, ToEvent | ToValue)
