"""The events grouped by secret, principal, event name, address or error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from smwatch.amount import amount
from smwatch.events.event import Event
from smwatch.store.change import Change
from smwatch.tui.keys import MOMENT, bindings
from smwatch.tui.lines import Page
from smwatch.tui.pages.groups import Counting, Group, Grouping, groups_page
from smwatch.tui.pages.targets import ToValue
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.times import moment

LIVE = 20_000
"""Rows up to which the groups are counted anew as time passes; with more, when asked to."""


class GroupsScreen(PageScreen):
    """Ends with the group whose events to show."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("groups")]
    HINTS: ClassVar[tuple[str, ...]] = ("groups.turn", "page.choose", "details.find", "details.back")

    def __init__(self, desk: Desk, rows: Sequence[Event]) -> None:
        super().__init__(
            desk, "", None, page_of=lambda *_: self._page(), jumps=lambda target: isinstance(target, ToValue)
        )
        self._rows = rows
        self._by = Grouping.SECRET
        self._groups: list[Group] | None = None
        """The largest; None before they have been counted for the first time."""
        self._others = 0
        """How many there are beside these."""
        self._counting = Counting(rows[:], self._by)
        self._go_on(self._counting, anew=False)

    def _count(self, by: Grouping) -> None:
        """Begin to count; once that is done, show what has come of it, from the top if it is by another field."""
        self._counting = Counting(self._rows[:], by)
        self._go_on(self._counting, anew=by is not self._by)

    def _go_on(self, counting: Counting, *, anew: bool) -> None:
        if counting is not self._counting:
            return  # another field is wanted by now
        if counting.step():
            self.retitle(f"counting by {counting.by.value}: {counting.counted:,} of {len(self._rows):,} events")
            self.call_later(self.set_timer, MOMENT, partial(self._go_on, counting, anew=anew))
            return
        self._by, self._groups, self._others = counting.by, counting.groups, counting.others
        self._entitle()
        if self.is_mounted:
            self.detail.renew()
            if anew:
                self.detail.action_edge(0)
            self._begin()

    def _entitle(self) -> None:
        rows, desk = self._rows, self._desk
        told = f"{amount(len(rows), 'events')} by {self._by.value}"
        if rows:
            first, last = (moment(each.at, desk.zone.absolute, desk.now) for each in (rows[0], rows[-1]))
            told += f"   {first} to {last} {desk.zone.absolute.title()}"
        self.retitle(told)

    def _page(self) -> Page:
        groups, by, others = self._groups, self._by, self._others
        return lambda width: groups_page(groups, by, width, others) if groups is not None else []

    def on_resize(self, _: events.Resize) -> None:
        """Stand on the largest group once there is a width to write for; Textual calls the page's own, too."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self.detail.cursor is None and self._groups:
            self.detail.select(ToValue(self._by.field, self._groups[0].value))

    def show_change(self, change: Change) -> None:
        """Count anew, if that is quick."""
        if change.added and len(self._rows) <= LIVE:
            self.action_recount()

    def tick(self) -> None:
        """Nothing here tells how long ago things were."""

    def action_turn(self, step: int) -> None:
        """Group by the next field, or the one before."""
        self._count(self._counting.by.turned(step))

    def action_recount(self) -> None:
        """Count the groups anew."""
        self._count(self._counting.by)
