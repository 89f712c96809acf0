"""What has changed on a screen, painted straight from the widgets it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, count
from operator import attrgetter, itemgetter
from typing import NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate, ReflowResult
from textual.color import Color
from textual.geometry import Offset, Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

FEW = 32
"""Sets of changed regions for which it is known what they show."""
Placed = tuple[int, int, Strip]
"""A strip after the column and the line where it begins."""


class Part(NamedTuple):
    """What is seen of a widget in a place."""

    widget: Widget
    offset: Offset
    """Where on the screen the widget begins."""
    region: Region
    """What is seen of it, on the screen."""

    def cut(self, height: int) -> tuple[Part, Part | None]:
        """Its first lines, so many of them, and the rest if there is one."""
        x, y, width, lines = self.region
        if lines <= height:
            return self, None
        below = Region(x, y + height, width, lines - height)
        return self._replace(region=Region(x, y, width, height)), self._replace(region=below)


class DirectUpdate(CompositorUpdate):
    """Strips where they belong; later ones may lie over others."""

    def __init__(self, strips: Sequence[Placed]) -> None:
        self.strips = strips
        """In the order in which they are written."""

    def render_segments(self, console: Console) -> str:
        """What is written to the terminal."""
        return "".join([_moved(x, y) + strip.render(console) for x, y, strip in self.strips])


class DirectCompositor(Compositor):
    """A compositor that asks only the widgets in front for what has changed, and cuts no line of theirs in pieces.

    The general one renders every widget that lies under the changed part, down to the screen's background, cuts each
    line at all edges of all widgets, and moves the terminal's cursor to each piece. That is right wherever widgets
    overlap, and half of a frame where they don't: serves "repaint", "scroll", "added-…", "cpu-…" and "opened", as a
    whole screen of 160 columns takes 5 ms and not 12. Where the widget in front covers only a part of what has changed,
    those behind it are asked for the rest.
    """

    layouts = 0
    """How often widgets have been given their places."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[frozenset[Region], list[Part] | None] = {}
        """What `parts` has found so far."""
        self._known_of: object = None
        """The places of widgets that this goes by."""

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Give all widgets their places."""
        self.layouts += 1
        return super().reflow(parent, size)

    def reflow_visible(self, parent: Widget, size: Size) -> set[Widget]:
        """Give those their places that are in sight, after a scroll."""
        self.layouts += 1
        return super().reflow_visible(parent, size)

    def render_partial_update(self) -> ChopsUpdate | None:
        """What has changed, or None."""
        strips = self._strips(self._dirty_regions)
        if strips is None:
            return super().render_partial_update()
        self._dirty_regions.clear()
        # The two kinds of update have no common type but their base, and whoever displays one asks for no other.
        return DirectUpdate(strips) if strips else None  # type: ignore[return-value]

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """All of it; `simplify` is for pictures."""
        strips = self._strips([self.size.region]) if not simplify else None
        if strips is None:
            return super().render_full_update(simplify)
        self._dirty_regions.clear()
        return DirectUpdate(strips)  # type: ignore[return-value]

    def render_strips(self, size: Size | None = None) -> list[Strip]:
        """All of it, line by line, as a screen that lies over it darkens it."""
        lines = self.lines(self.size.region) if size is None or size == self.size else None
        return super().render_strips(size) if lines is None else lines

    def lines(self, region: Region) -> list[Strip] | None:
        """A part of it, line by line; None if no widget covers some of that."""
        strips = self._strips([region])
        if strips is None:
            return None
        lines: list[list[tuple[int, Strip]]] = [[] for _ in region.line_range]
        for x, y, strip in strips:
            lines[y - region.y].append((x, strip))
        return [Strip.join([strip for _, strip in sorted(line, key=itemgetter(0))]) for line in lines]

    def _strips(self, changed: Iterable[Region]) -> list[Placed] | None:
        """The changed lines; None if there is a changed part that no widget covers."""
        parts = self.parts(changed)
        return None if parts is None else list(chain.from_iterable(map(self.drawn, parts)))

    @property
    def changed(self) -> bool:
        """Whether there is something to paint."""
        return bool(self._dirty_regions)

    def take_changed(self) -> set[Region]:
        """The regions that have changed: to paint them is for the caller now."""
        changed, self._dirty_regions = self._dirty_regions, set()
        return changed

    def give_back(self, changed: Iterable[Region]) -> None:
        """Regions that have not been painted after all."""
        self._dirty_regions.update(changed)

    def parts(self, changed: Iterable[Region]) -> list[Part] | None:
        """Which widgets the changed regions show, and what of them; None if some of that no widget covers.

        What a clock changes is the same each second: serves "cpu-idle".
        """
        regions, placed = frozenset(changed), self.visible_widgets
        if self._known_of is not placed or len(self._known) >= FEW:
            self._known.clear()
            self._known_of = placed
        if regions not in self._known:
            self._known[regions] = self._shown(regions)
        return self._known[regions]

    def _shown(self, changed: Iterable[Region]) -> list[Part] | None:
        parts: list[Part] = []
        inside = self.size.region
        for dirty in _largest({region.intersection(inside) for region in changed}):
            left = [dirty]
            for widget, (region, clip) in self.visible_widgets.items():  # those in front come first
                if not left:
                    break
                seen, behind = region.intersection(clip), []
                for part in left:
                    covered = part.intersection(seen)
                    if not covered:
                        behind.append(part)
                        continue
                    parts.append(Part(widget, region.offset, covered))
                    behind += _around(part, covered)
                left = behind
            if left:
                return None
        return parts

    def drawn(self, part: Part) -> list[Placed]:
        """The lines of a part."""
        widget, (x, y), covered = part
        lines = darkened(self.root, covered) if widget is self.root else None
        if lines is None:
            lines = widget.render_lines(covered.translate((-x, -y)))
        return [(covered.x, y, strip) for y, strip in zip(count(covered.y), lines)]


def darkened(screen: Widget | None, region: Region) -> list[Strip] | None:
    """What is seen through the ground of a screen that lies over another; None where the general path has to say.

    The general path draws all of the other screen through Rich, and mixes the colours of each piece of it anew, which
    took 30 ms to open a list in a box: serves "opened-names".
    """
    if not isinstance(screen, Screen) or screen.styles.background.a == 1:
        return None
    stack = screen.app.screen_stack
    at = stack.index(screen) if screen in stack else 0
    behind = stack[at - 1]._compositor if at else None
    strips = behind.lines(region) if isinstance(behind, DirectCompositor) else None
    if strips is None or any(strip.cell_length != region.width for strip in strips):
        return None
    ground = screen.styles.background
    return [
        Strip([Segment(text, _mixed(style or Style(), ground)) for text, style, _ in strip], strip.cell_length)
        for strip in strips
    ]


@lru_cache(1024)
def _mixed(style: Style, ground: Color) -> Style:
    """A style seen through a ground that lets it through; what could be clicked no longer can."""
    style = style.clear_meta_and_links()
    if not ground.a:
        return style
    colours = (
        Color.from_rich_color(each) + ground if each is not None else None for each in (style.color, style.bgcolor)
    )
    return style + Style.from_color(*(each.rich_color if each is not None else None for each in colours))


def _largest(regions: Iterable[Region]) -> list[Region]:
    """Those that are not inside another: widgets that change place ask for what they were, are, and lie in."""
    largest: list[Region] = []
    for region in sorted(filter(None, regions), key=attrgetter("area"), reverse=True):
        if not any(other.contains_region(region) for other in largest):
            largest.append(region)
    return largest


def _around(whole: Region, part: Region) -> list[Region]:
    """What a part of a region leaves of it: above, below, left and right."""
    x, y, width, _ = whole
    sides = (
        Region(x, y, width, part.y - y),
        Region(x, part.bottom, width, whole.bottom - part.bottom),
        Region(x, part.y, part.x - x, part.height),
        Region(part.right, part.y, whole.right - part.right, part.height),
    )
    return [side for side in sides if side]


@lru_cache(1024)
def _moved(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
