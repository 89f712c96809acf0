"""What the terminal can do: colours, size, Unicode, and copying to the clipboard of the machine one sits at."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import termios
import tty
from collections.abc import Mapping

import msgspec

COLUMNS, ROWS = 60, 20
"""What the screen needs at least."""
ANSWER_WITHIN = 0.3
"""Seconds a terminal has to say what it is; over a slow line the answer may be missed."""

_ATTRIBUTES = re.compile(rb"\x1b\[\?([0-9;]*)c")
_CLIPBOARD = 52
"""The number of the clipboard among a terminal's primary device attributes."""
_COPIES = {"iTerm.app", "WezTerm", "ghostty", "vscode", "rio", "Hyper", "contour", "tabby"}
_COPIES_BY = ("KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID", "WT_SESSION", "GHOSTTY_RESOURCES_DIR")


class TerminalSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal as it presents itself."""

    present: bool = True
    """Whether input and output are a terminal at all."""
    columns: int = 80
    rows: int = 24
    encoding: str = "utf-8"
    environ: Mapping[str, str] = {}
    """TERM and what else terminals are known by."""
    attributes: tuple[int, ...] = ()
    """Primary device attributes; () if it did not answer."""
    tmux_clipboard: str = ""
    """tmux's set-clipboard, "" outside tmux."""

    @property
    def colours(self) -> str:
        """How many colours it shows, in words."""
        term = self.environ.get("TERM", "")
        if self.environ.get("NO_COLOR"):
            return "no colours (NO_COLOR is set)"
        if self.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
            return "16 million colours"
        return "256 colours" if "256color" in term else "16 colours"

    @property
    def copies(self) -> bool | None:
        """Whether OSC 52 reaches the clipboard; None if it can't be told."""
        if self.tmux_clipboard:
            return self.tmux_clipboard in ("on", "external")
        if _CLIPBOARD in self.attributes:
            return True
        program = self.environ.get("TERM_PROGRAM", "")
        if program in _COPIES or any(name in self.environ for name in _COPIES_BY):
            return True
        if program == "Apple_Terminal" or "VTE_VERSION" in self.environ:
            return False
        return None


def see_terminal(environ: Mapping[str, str]) -> TerminalSeen:
    """Look at the terminal this process runs in; asks it what it is, and tmux for its clipboard."""
    size = shutil.get_terminal_size((0, 0))
    present = sys.stdin.isatty() and sys.stdout.isatty()
    known = ("TERM", "COLORTERM", "NO_COLOR", "TERM_PROGRAM", "VTE_VERSION", "TMUX", *_COPIES_BY)
    return TerminalSeen(
        present=present,
        columns=size.columns,
        rows=size.lines,
        encoding=sys.stdout.encoding or "",
        environ={name: environ[name] for name in known if name in environ},
        attributes=ask_attributes(sys.stdin.fileno(), sys.stdout.fileno()) if present else (),
        tmux_clipboard=_tmux_clipboard() if present and "TMUX" in environ else "",
    )


def ask_attributes(keyboard: int, screen: int, within: float = ANSWER_WITHIN) -> tuple[int, ...]:
    """Ask a terminal for its primary device attributes; () if it keeps silent or is none."""
    try:
        before = termios.tcgetattr(keyboard)
    except termios.error:
        return ()
    heard = b""
    try:
        tty.setcbreak(keyboard)
        os.write(screen, b"\x1b[c")
        while select.select([keyboard], [], [], within)[0] and len(heard) < 256:
            heard += os.read(keyboard, 64)
            if answer := _ATTRIBUTES.search(heard):
                return tuple(int(number) for number in answer[1].split(b";") if number)
    except OSError:
        return ()
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)
    return ()


def _tmux_clipboard() -> str:
    command = ("tmux", "show-options", "-gv", "set-clipboard")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
