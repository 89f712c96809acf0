"""The lines of a view that are in sight and the row under the cursor: the place of the reader, whatever comes."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from smwatch.events.event import Event
from smwatch.store.view import View

KEY = attrgetter("key")


class Window:
    """So many lines of a view, newest event first or last.

    It follows the newest event until the reader moves; from then on its place is a row, not a number, so whatever is
    added, inserted late or evicted around it, what the reader looks at stays where it is. Lines count from the top.
    The rows may change between two calls at any time.
    """

    def __init__(self, view: View, *, newest_first: bool) -> None:
        self.view = view
        self.newest_first = newest_first
        self.height = 0
        """Lines there is room for."""
        self.cursor: int | None = None
        """The key of the row under the cursor; None while following, and when paused without having chosen a row."""
        self._top: int | None = None
        """The key of the row on the first line; None while following."""
        self._newest_seen = -1

    @property
    def following(self) -> bool:
        """Whether it stays with the newest event."""
        return self._top is None

    @property
    def unseen(self) -> int:
        """How many rows are newer than the newest one when following ended."""
        rows = self.view.rows
        return 0 if self.following else len(rows) - bisect_right(rows, self._newest_seen, key=KEY)

    @property
    def event(self) -> Event | None:
        """The event under the cursor."""
        if self.cursor is None:
            return None
        i = self.view.index(self.cursor)
        rows = self.view.rows
        return rows[i] if i < len(rows) and rows[i].key == self.cursor else None

    # -- lines and rows

    def at(self, line: int) -> Event | None:
        """The row on a line."""
        rows = self.view.rows
        n = len(rows)
        return rows[n - 1 - line if self.newest_first else line] if 0 <= line < n else None

    def line(self, key: int) -> int:
        """The line of the row with this key, or of its neighbour when it is gone."""
        n = len(self.view.rows)
        i = min(self.view.index(key), n - 1)
        return n - 1 - i if self.newest_first else i

    @property
    def last(self) -> int:
        """The greatest possible first line."""
        return max(0, len(self.view.rows) - self.height)

    @property
    def live(self) -> int:
        """The first line while following."""
        return 0 if self.newest_first else self.last

    @property
    def first(self) -> int:
        """The line at the top: it follows from the row that holds it, never from a scroll position."""
        return self.live if self._top is None else max(0, min(self.line(self._top), self.last))

    def rows(self) -> list[Event]:
        """The rows in sight, from the top down."""
        first, height, rows = self.first, self.height, self.view.rows
        n = len(rows)
        if self.newest_first:
            return rows[max(0, n - first - height) : n - first][::-1]
        return rows[first : first + height]

    # -- moving

    def follow(self) -> None:
        """Go to the newest event and stay with it."""
        self.cursor = self._top = None

    def hold(self, first: int) -> None:
        """Stay, with the row on line `first` at the top."""
        if self.following and self.view.rows:
            self._newest_seen = self.view.rows[-1].key
        top = self.at(max(0, min(first, self.last)))
        self._top = top.key if top is not None else None

    def settle(self) -> int:
        """Where the rows end now, have the window held by another row from now on; the first line."""
        first = self.first
        if self._top is not None and (top := self.at(first)) is not None:
            self._top = top.key
        return first

    def scroll(self, lines: int) -> None:
        """Move the window; arriving at the newest event without a cursor follows again."""
        here = self.first
        first = max(0, min(here + lines, self.last))
        if first == self.live and self.cursor is None:
            self.follow()
        elif first != here:
            self.hold(first)

    def go(self, line: int) -> None:
        """Put the cursor on a line, in sight."""
        row = self.at(line)
        if row is not None:
            self.cursor = row.key
            self.reveal()

    def reveal(self) -> None:
        """Bring the row under the cursor in sight."""
        if self.cursor is None or not self.view.rows:
            return
        line, first, height = self.line(self.cursor), self.first, max(1, self.height)
        if line < first:
            self.hold(line)
        elif line >= first + height:
            self.hold(line - height + 1)
        elif self.following:
            self.hold(first)

    def step(self, lines: int) -> None:
        """Move the cursor; a single step past the newest event follows it."""
        n = len(self.view.rows)
        if not n:
            return
        if self.cursor is not None:
            here = self.line(self.cursor)
        elif self.following and not self.newest_first:
            here, lines = n, min(lines, -1)
        else:
            here, lines = self.first - 1, max(lines, 1)
        past = here + lines < 0 if self.newest_first else here + lines >= n
        if past and abs(lines) == 1:
            self.follow()
        else:
            self.go(max(0, min(here + lines, n - 1)))

    def turn(self, *, newest_first: bool) -> None:
        """Newest event at the top, or at the bottom; the cursor keeps its row."""
        if newest_first != self.newest_first:
            self.newest_first = newest_first
            if not self.following and self.cursor is not None:
                self.hold(self.line(self.cursor))
