"""Picking event names: the list with counts, one key for one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import BindingType

from smwatch.store.change import Change
from smwatch.tui.keys import KeyTable, bindings
from smwatch.tui.living import Living
from smwatch.tui.pages.names import ToName, names_page, ranked
from smwatch.tui.screens.picker import Picker
from smwatch.tui.widgets.sheet import Sheet


class NamesScreen(Living, Picker[frozenset[str]]):
    """Ends with the names to keep (none for all), or None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("names")]
    HINTS = ("names.tick", "names.apply", "names.none", "names.back")

    def __init__(
        self, counts: Mapping[str, int], ticked: frozenset[str], keys: KeyTable, *, filtered: bool = False
    ) -> None:
        """The counts are of all events; `filtered` says that not all of those are asked for, whatever their names."""
        self._known = counts
        self._counts = dict(ranked(counts))
        self._ticked = set(ticked)
        remark = "a digit shows only that one"
        if filtered:
            remark = f"counts are of all events; {remark}"
        super().__init__("Event names", remark, [ToName(name) for name in self._counts], keys)

    def first(self) -> object:
        """A ticked name, else the most frequent one."""
        return ToName(next((name for name in self._counts if name in self._ticked), next(iter(self._counts))))

    def show_change(self, change: Change) -> None:
        """List the names as soon as there are any, and no others after them: each keeps its digit."""
        if not self._counts and change.added:
            self._counts = dict(ranked(self._known))
            self.offer([ToName(name) for name in self._counts])

    def write(self) -> None:
        """Draw the names with their ticks."""
        self._sheet.show(lambda width: names_page(self._counts, self._ticked, width))

    def pick(self, target: object) -> None:
        """Only this name."""
        if isinstance(target, ToName):
            self.dismiss(frozenset({target.name}))

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """A click ticks."""
        event.stop()
        if isinstance(event.target, ToName):
            self._toggle(event.target.name)

    def _toggle(self, name: str) -> None:
        self._ticked ^= {name}
        self.write()

    def action_tick(self) -> None:
        """Tick or untick the name under the cursor, and go on to the next."""
        if isinstance(self.at, ToName):
            self._toggle(self.at.name)
            self._sheet.action_move(1)

    def action_apply(self) -> None:
        """Show the ticked names, or the one under the cursor."""
        here = {self.at.name} if isinstance(self.at, ToName) else set()
        self.dismiss(frozenset(self._ticked or here))

    def action_none(self) -> None:
        """All names again."""
        self.dismiss(frozenset())
