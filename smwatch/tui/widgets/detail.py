"""The pane that shows one thing in detail, and leads from it to the next and back."""

from __future__ import annotations

from collections.abc import Callable, Collection

from smwatch.tui.lines import Page
from smwatch.tui.pages.targets import ToFold
from smwatch.tui.widgets.sheet import Sheet

Path = tuple[str | int, ...]
PageOf = Callable[[object, Collection[Path]], Page]


class Detail(Sheet):
    """A sheet with a trail: what was looked at before can be gone back to."""

    DEFAULT_CSS = """
    Detail { width: 1fr; height: 1fr; }
    """

    def __init__(self, page_of: PageOf) -> None:
        """`page_of` makes the page of a target, with the parts of its JSON at some paths folded."""
        super().__init__()
        self._page_of = page_of
        self._folded: set[Path] = set()
        self._trail: list[tuple[object, float]] = []
        self.target: object = ...
        """What is shown; the ellipsis before anything is."""

    def look_at(self, target: object) -> None:
        """Show something, forgetting the trail; nothing happens if it is shown already."""
        if target == self.target and not self._trail:
            return
        self._trail.clear()
        self._turn(target)

    def lead_to(self, target: object) -> None:
        """Go where a line leads; `back` returns."""
        if isinstance(target, ToFold):
            self._folded ^= {target.path}
            self.renew()
        elif target != self.target:
            self._trail.append((self.target, self.scroll_y))
            self._turn(target)

    def back(self) -> bool:
        """Go back one step on the trail; False at its beginning."""
        if not self._trail:
            return False
        target, y = self._trail.pop()
        self._turn(target)
        self.scroll_to(y=y, animate=False)
        return True

    def renew(self) -> None:
        """Show the same thing as it is now."""
        self.show(self._page_of(self.target, self._folded))

    def _turn(self, target: object) -> None:
        self.target = target
        self._folded.clear()
        self.show(self._page_of(target, self._folded), anew=True)
