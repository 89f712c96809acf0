"""The sheet: a page of lines to scroll, search and choose from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from smwatch.tui.keys import MOMENT, bindings
from smwatch.tui.lines import BLANK, Line, Page, Unfinished
from smwatch.tui.search import Search
from smwatch.tui.strips import filled
from smwatch.tui.text import fit, visible
from smwatch.tui.unwritten import place_of
from smwatch.tui.widgets.direct import Direct

ROLES = (
    *("title", "heading", "label", "quiet", "good", "warn", "bad", "alarm"),
    *("key", "command", "link", "spark", "mark", "strong"),
    *("json-key", "json-text", "json-number", "json-word", "found"),
)
FILLED = ("alarm", "found")
"""Roles with a ground of their own, which the cursor leaves to them."""
FAINT = ("quiet", "label", "heading")
MARGIN = 1
"""Cells left free at both sides."""


def _no_lines(_: int) -> Sequence[Line]:
    return ()


class Sheet(ScrollView, Direct, can_focus=True):
    """A page of lines; those that lead somewhere can be chosen with the cursor or the mouse."""

    MARKS_ALWAYS: ClassVar[bool] = False
    """Whether the cursor is drawn without the focus, too."""
    DEFAULT_CSS = """
    Sheet {
        overflow-x: hidden;
        scrollbar-gutter: stable;  /* else a line more or less may change the width */
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        background: $background;
        color: $foreground;

        .sheet--title { text-style: bold; color: $text-primary; }
        .sheet--heading { text-style: bold; color: $text-muted; }
        .sheet--label { color: $text-muted; }
        .sheet--quiet { color: $text-muted; }
        .sheet--good { color: $text-success; }
        .sheet--warn { color: $text-warning; }
        .sheet--bad { color: $text-error; text-style: bold; }
        .sheet--alarm { background: $error; color: $text; text-style: bold; }
        .sheet--key { color: $text-accent; text-style: bold; }
        .sheet--command { color: $text-success; }
        .sheet--link { color: $text-primary; }
        .sheet--spark { color: $text-primary; }
        .sheet--mark { color: $text-error; text-style: bold; }
        .sheet--strong { text-style: bold; }
        .sheet--json-key { color: $text-primary; }
        .sheet--json-text { color: $foreground; }
        .sheet--json-number { color: $text-accent; }
        .sheet--json-word { color: $text-warning; }
        .sheet--found { background: $warning; color: $background; }
        .sheet--cursor { background: $primary 35%; }

        &:ansi {
            .sheet--alarm { background: ansi_red; color: ansi_bright_white; }
            .sheet--cursor { background: ansi_default; text-style: reverse; }
        }
        &:nocolor {
            .sheet--alarm, .sheet--cursor { text-style: bold reverse; }
            .sheet--bad { text-style: bold underline; }
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"sheet--{role}" for role in ROLES), "sheet--cursor"}
    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)
    """Textual would lay the whole screen out again for each line more or less: serves the CPU rows of the benchmark."""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("page")]

    class Chosen(Message):
        """The reader wants to go where a line leads."""

        def __init__(self, target: object) -> None:
            self.target = target
            super().__init__()

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, line: Line | None) -> None:
            self.line = line
            super().__init__()

    class Missed(Message):
        """No line holds what the reader looks for."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self.lines: Sequence[Line] = ()
        self.cursor: int | None = None
        self._page: Page = _no_lines
        self._width = 0
        """For which the lines are."""
        self._search = Search()
        self._looking: Timer | None = None
        """Until more lines are looked at."""
        self._styles: dict[tuple[str, bool], Style] = {}

    @property
    def line(self) -> Line | None:
        """The line under the cursor, as far as it is in sight: what is not seen is not acted upon."""
        return self._at if self.cursor is not None and self._in_sight(self.cursor) else None

    @property
    def _at(self) -> Line | None:
        """The line under the cursor, wherever that is."""
        return self.lines[self.cursor] if self.cursor is not None and self.cursor < len(self.lines) else None

    def _in_sight(self, i: int) -> bool:
        top = self.scroll_offset.y
        return top <= i < top + self.size.height

    def show(self, page: Page, *, anew: bool = False) -> None:
        """Draw a page; with `anew` from its top, otherwise the reader's place and cursor are kept."""
        self._page = page
        if anew:
            self.cursor = None
            self._search = Search()
            self._look_no_further()
            self.scroll_to(y=0, animate=False)
        self._write()

    def select(self, target: object) -> None:
        """Put the cursor on the line that leads to `target`."""
        if (i := place_of(self.lines, target)) is not None:
            self._go(i)

    def _write(self) -> None:
        at, before, stood = self._at, self.lines, self.cursor
        seen = self.cursor is not None and self._in_sight(self.cursor)
        self._width = self.size.width
        width = self._width - 2 * MARGIN
        lines = self._page(width) if width > 0 else ()
        if isinstance(lines, Unfinished):
            self.set_timer(MOMENT, self._write)
        if lines == before:
            return
        self.lines = lines
        if at is not None and at.target is not None:
            self.cursor = place_of(lines, at.target)
        elif self.cursor is not None and self.cursor >= len(lines):
            self.cursor = None
        size = Size(self.size.width, len(lines))
        if size != self.virtual_size:
            self.virtual_size = size
            self._scroll_update(size)
            if self.scroll_y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False)
        if seen and self.cursor is not None and (self.cursor != stood or not self._in_sight(self.cursor)):
            self._reveal(self.cursor)  # lines before it have come or gone; else the reader's place is kept
        if self.cursor != stood:
            self.refresh()
        else:
            self._repaint(before)

    def _repaint(self, before: Sequence[Line]) -> None:
        """Paint the lines in sight that have changed: most pages are written anew for a time or a count in them."""
        top, height = self.scroll_offset.y, self.size.height
        shown = zip_longest(self.lines[top : top + height], before[top : top + height])
        changed = [y for y, (now, then) in enumerate(shown) if now != then]
        if changed:
            self.refresh(Region(0, changed[0], self.size.width, changed[-1] - changed[0] + 1))

    def on_resize(self, event: events.Resize) -> None:
        """Write the page again for another width."""
        if event.size.width != self._width:
            self._write()

    # -- moving

    def _leads(self, i: int) -> bool:
        return self.lines[i].target is not None

    def _go(self, i: int) -> None:
        self.cursor = i
        self._reveal(i)
        self.refresh()
        self.post_message(self.Moved(self._at))

    def _reveal(self, i: int) -> None:
        """Scroll no further than it takes to have a line in sight, with what belongs to it."""
        top, height = self.scroll_offset.y, self.size.height
        y = min(self._start_of(i), max(top, self._end_of(i) - height + 1))
        if y != top:
            self.scroll_to(y=y, animate=False, immediate=True)

    def _start_of(self, i: int) -> int:
        """The first line to be seen with a line."""
        return i

    def _end_of(self, i: int) -> int:
        """The last line to be seen with a line."""
        return i

    def action_move(self, step: int) -> None:
        """Go to the next line that leads somewhere, as far as it is near; scroll otherwise."""
        top, height, n = self.scroll_offset.y, self.size.height, len(self.lines)
        start = self.cursor
        if start is None or not self._in_sight(start):
            start = top - 1 if step > 0 else min(top + height, n)
        i = start + step
        while 0 <= i < n and not self._leads(i):
            i += step
        if 0 <= i < n and top - 2 < i < top + height + 2:
            self._go(i)
        else:
            self.scroll_relative(y=step, animate=False)

    def action_page(self, pages: float) -> None:
        """Scroll by screenfuls."""
        y = self.scroll_offset.y + int(pages * max(1, self.size.height - 1))
        self.scroll_to(y=y, animate=False, immediate=True)

    def action_edge(self, bottom: int) -> None:
        """Scroll to the first or the last line."""
        self.cursor = None
        self.scroll_to(y=len(self.lines) if bottom else 0, animate=False)
        self.refresh()

    def action_choose(self) -> None:
        """Go where the line under the cursor leads; if that is out of sight, bring it back instead."""
        if (at := self.line) is not None and at.target is not None:
            self.post_message(self.Chosen(at.target))
        elif self.cursor is not None:
            self._reveal(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go where a line leads."""
        i = self.scroll_offset.y + event.y
        if 0 <= i < len(self.lines) and self._leads(i):
            self._go(i)
            self.action_choose()

    # -- searching

    @property
    def seeks(self) -> bool:
        """Whether something is looked for."""
        return bool(self._search)

    def find(self, text: str) -> None:
        """Mark what is looked for, and go to the first line from here on that holds it; Missed tells that none does."""
        self._search = Search(text)
        self.refresh()
        self._look(1, here=True)

    def find_next(self, step: int) -> None:
        """Go to the next line below or above that holds what is looked for, round the end if need be."""
        if self._search:
            self._look(step, here=False)

    def _look(self, step: int, *, here: bool) -> None:
        n = len(self.lines)
        start = self.cursor if self.cursor is not None else self.scroll_offset.y - (0 if here else step)
        self._search.begin([(start + i * step) % n for i in range(0 if here else 1, n + 1)] if n else [])
        self._look_no_further()
        self._look_on(self.cursor)

    def _look_on(self, stood: int | None) -> None:
        """Look at some more lines, unless the reader has gone on from where the cursor `stood`."""
        self._looking = None
        if self.cursor != stood:
            return
        if (at := self._search.look(self.lines)) is not None:
            self._go(at)
        elif self._search.goes_on:
            self._looking = self.set_timer(MOMENT, partial(self._look_on, stood))
        else:
            self.post_message(self.Missed(self._search.text))

    def _look_no_further(self) -> None:
        if self._looking is not None:
            self._looking.stop()
            self._looking = None

    # -- drawing

    def notify_style_update(self) -> None:
        """Forget the styles of another theme."""
        super().notify_style_update()
        self._styles.clear()

    def _style(self, role: str, cursor: bool) -> Style:
        style = self._styles.get((role, cursor))
        if style is None:
            if cursor and role in FAINT:
                role = ""  # on the ground of the cursor it would be too faint
            style = self.get_component_rich_style(f"sheet--{role}") if role in ROLES else self.rich_style
            if cursor and role not in FILLED:
                over = self.get_component_rich_style("sheet--cursor")
                style += Style(bgcolor=over.bgcolor, reverse=over.reverse, bold=over.bold or style.bold)
            self._styles[role, cursor] = style
        return style

    def render_line(self, y: int) -> Strip:
        """One line of the page."""
        i = self.scroll_offset.y + y
        width = self.size.width
        cursor = i == self.cursor and (self.has_focus or self.MARKS_ALWAYS)
        each = self.lines[i] if i < len(self.lines) else BLANK
        plain = self._style("", cursor)
        segments = [Segment("›" if cursor else " ", plain)]
        taken, room = MARGIN, width - 2 * MARGIN
        for text, role in each.pieces:
            for part, found in self._search.parted(visible(text)):
                segment = Segment(part, self._style("found" if found else role, cursor and not found))
                size = segment.cell_length
                if size > room:
                    segments.append(Segment(fit(part, room), segment.style))
                    return filled(segments, taken + max(0, room), width, plain)
                segments.append(segment)
                taken, room = taken + size, room - size
        return filled(segments, taken, width, plain)
