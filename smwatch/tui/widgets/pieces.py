"""One or a few lines of pieces, drawn as they are given: what header, band and footer have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from smwatch.tui.lines import Piece
from smwatch.tui.strips import filled
from smwatch.tui.text import cells, fit, visible
from smwatch.tui.widgets.direct import Direct


class Pieces(Direct):
    """Lines of pieces: a role is a component class `pieces--ROLE`, and "role@action" makes a button of the piece."""

    ROLES: ClassVar[tuple[str, ...]] = (
        *("strong", "quiet", "good", "warn", "bad", "key", "news"),
        *("alarm", "high", "medium", "low", "command", "spark"),
    )
    DEFAULT_CSS = """
    Pieces {
        height: auto;
        .pieces--strong { text-style: bold; }
        .pieces--quiet { color: $text-muted; }
        .pieces--good { color: $text-success; }
        .pieces--warn { color: $text-warning; }
        .pieces--bad { color: $text-error; text-style: bold; }
        .pieces--key { color: $text-primary; text-style: bold; }
        .pieces--alarm { background: $error; color: $text; text-style: bold; }
        .pieces--high { background: $error-darken-2; color: $text; text-style: bold; }
        .pieces--medium { background: $warning-darken-2; color: $text; text-style: bold; }
        .pieces--low { background: $panel; color: $foreground; text-style: bold; }
        .pieces--news { background: $primary 30%; text-style: bold; }
        .pieces--spark { color: $text-primary; }
        .pieces--command { color: $text-success; }

        &:ansi {
            .pieces--alarm, .pieces--high { background: ansi_red; color: ansi_bright_white; }
            .pieces--medium { background: ansi_yellow; color: ansi_black; }
            .pieces--news { background: ansi_blue; color: ansi_bright_white; }
        }
        &:nocolor {
            .pieces--alarm, .pieces--high, .pieces--medium, .pieces--news { text-style: bold reverse; }
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"pieces--{role}" for role in ROLES}

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.rows: tuple[tuple[Piece, ...], ...] = ()
        """What is drawn; no reactive, which would be asked each second what it is of: serves "cpu-idle"."""
        self._styles: dict[str, Style] = {}

    def put(self, rows: Sequence[Sequence[Piece]]) -> None:
        """Draw these lines."""
        told = tuple(map(tuple, rows))
        if told == self.rows:
            return
        if len(told) != len(self.rows):
            self.styles.height = len(told)
        self.rows = told
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget the styles of another theme."""
        super().notify_style_update()
        self._styles.clear()

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            name, _, action = role.partition("@")
            style = self.get_component_rich_style(f"pieces--{name}") if name in self.ROLES else self.rich_style
            if action:
                style += Style.from_meta({"@click": action})
            self._styles[role] = style
        return style

    def render_line(self, y: int) -> Strip:
        """One line."""
        width, segments = self.size.width, []
        room = width
        for text, role in self.rows[y] if y < len(self.rows) else ():
            shown = visible(text)
            segment, size = Segment(shown, self._style(role)), cells(shown)
            if size > room:
                segments.append(Segment(fit(text, room), segment.style))
                room = 0
                break
            segments.append(segment)
            room -= size
        return filled(segments, width - room, width, self.rich_style)
