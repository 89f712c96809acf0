"""The terminal's title: how things stand, to be seen from another tab, window or tmux pane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

SPEAKS = (
    *("xterm", "tmux", "screen", "rxvt", "alacritty", "foot", "kitty", "wezterm", "ghostty", "konsole", "vte", "st-"),
    *("contour", "mintty", "iterm"),
)
"""Terminals (the beginning of TERM) that know titles; others may print them."""
SAVE, RESTORE = "\x1b[22;2t", "\x1b]2;\x07\x1b[23;2t"
"""XTWINOPS: put the title on the terminal's stack, and take it back; where there is no stack it is emptied."""


class Title:
    """Says how things stand in words of our own: nothing of a record is in it."""

    def __init__(self, write: Callable[[str], None], environment: Mapping[str, str]) -> None:
        self._write = write if environment.get("TERM", "").startswith(SPEAKS) else None
        self._told = ""

    def tell(self, alarms: int, *, blind: bool) -> None:
        """So many alarms ask for attention, and data may not be complete; written if it is news."""
        words = [f"{alarms:,} alarm{'s' * (alarms != 1)}"] if alarms else []
        words += ["data not complete"] if blind else []
        text = ": ".join(filter(None, ("smwatch", ", ".join(words))))
        if self._write is not None and text != self._told:
            self._write(f"{'' if self._told else SAVE}\x1b]2;{text}\x07")
            self._told = text

    def restore(self) -> None:
        """Leave the title as it was."""
        if self._write is not None and self._told:
            self._write(RESTORE)
            self._told = ""
