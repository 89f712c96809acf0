"""A screen that is one page: details where the stream has no room beside it, sources, help."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from smwatch.store.change import Change
from smwatch.tui.clip import Clip
from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import bindings
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.lines import Piece, hint_pieces, spread
from smwatch.tui.living import Living
from smwatch.tui.pages.targets import ToEvent
from smwatch.tui.screens.copying import copied
from smwatch.tui.screens.desk import NO_OTHER_RECORD, Desk
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.text import visible
from smwatch.tui.widgets.detail import Detail, PageOf
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.sheet import Sheet


class PageScreen(DirectlyComposed, LeftOnce, Living, Screen[object]):
    """One page in full size; ends with what to jump to in the stream, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("details")]
    HINTS: ClassVar[tuple[str, ...]] = ("details.back", "page.choose", "details.find", "details.copy")
    """What the last line offers."""
    DEFAULT_CSS = """
    PageScreen .-title { background: $panel; text-style: bold; }
    PageScreen .-footer { background: $panel; }
    """

    def __init__(
        self,
        desk: Desk,
        title: str,
        target: object,
        *,
        page_of: PageOf | None = None,
        jumps: Callable[[object], bool] = lambda _: False,
        leads: bool = True,
    ) -> None:
        """`jumps` says which targets end the screen, to be gone to in the stream; `leads`, whether there are any."""
        super().__init__()
        self._desk = desk
        self._told = title
        self._jumps = jumps
        self._hints = self.HINTS if leads else tuple(hint for hint in self.HINTS if hint != "page.choose")
        self._first = target
        self._title = Pieces(classes="-title")
        self.detail = Detail(page_of or desk.page_of)
        self._footer = Pieces(classes="-footer")

    def compose(self) -> ComposeResult:
        """Title, page, keys."""
        yield self._title
        yield self.detail
        yield self._footer

    def on_mount(self) -> None:
        """Show what it was opened for."""
        self.detail.look_at(self._first)
        self.detail.focus()
        self._frame()

    def on_resize(self, _: events.Resize) -> None:
        """Fill the new width."""
        self._frame()

    def _frame(self) -> None:
        width = self.size.width
        self._title.put([spread([Piece(f" {self._told}")], [], width).pieces])
        self._footer.put([hint_pieces(map(self._desk.keys.hint, self._hints))])

    def retitle(self, title: str) -> None:
        """Say something else at the top."""
        self._told = title
        if self.is_mounted:
            self._frame()

    def show_change(self, change: Change) -> None:
        """Write the page anew: what it is about may have changed."""
        del change
        self.detail.renew()

    def tick(self) -> None:
        """Write the page anew: it tells how long ago things were."""
        self.detail.renew()

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Go there, in the stream or on this screen."""
        event.stop()
        if self._jumps(event.target):
            self.dismiss(event.target)
        else:
            self.detail.lead_to(event.target)

    def action_back(self) -> None:
        """One step back on the trail; from its beginning, off the screen."""
        if not self.detail.back():
            self.dismiss(None)

    async def action_copy(self) -> None:
        """Copy the command on the line, or what the page is about."""
        at = self.detail.line
        copies = at.copies if at is not None else ""
        found = Clip(copies, copies) if copies else await copied(self._desk, self.detail.target)
        if found is None:
            found = Clip("\n".join(visible(each.text) for each in self.detail.lines), "the page")
        self.app.copy_to_clipboard(found.text)
        self.app.notify(f"copied: {found.named}", markup=False, timeout=3)

    def action_other_record(self) -> None:
        """Go to what another account has recorded of the call that is shown."""
        target = self.detail.target
        event = self._desk.store.find(target.key) if isinstance(target, ToEvent) else None
        others = self._desk.others_of(event, self._desk.record_of(event)) if event is not None else []
        if others:
            self.detail.lead_to(ToEvent(others[0].key))
        else:
            self.app.notify(NO_OTHER_RECORD, markup=False, timeout=3)

    def action_find(self) -> None:
        """Look for a text."""
        go_on = " and ".join(map(self._desk.keys.one, ("details.find_next", "details.find_previous")))
        self.app.push_screen(PromptScreen("Find", f"{go_on} go on"), self._find)

    def _find(self, text: str | None) -> None:
        if text:
            self.detail.find(text)

    def on_sheet_missed(self, event: Sheet.Missed) -> None:
        """Say that what was looked for is not there."""
        event.stop()
        self.app.notify(f"“{event.text}” does not occur here", markup=False, timeout=3)

    def action_find_next(self, step: int) -> None:
        """Go to the next place that has it."""
        self.detail.find_next(step)
