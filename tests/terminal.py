"""A program in a real pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pexpect
import pyte

ROOT = Path(__file__).parent.parent
PATIENCE = 120.0
"""Seconds to wait for something to appear: generous, for loaded machines; nothing is timed with it."""


class Terminal:
    """Runs a command with a terminal of its own; keys go in, the screen is read as a person sees it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, columns: int = 160, rows: int = 50
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._closed = False
        self.written = ""
        """Everything the program wrote, as it came."""
        self._child: pexpect.spawn[str] = pexpect.spawn(
            command[0],
            list(command[1:]),
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **environment},
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._closed:
            self._child.close(force=True)

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, *keys: str) -> None:
        """Send keys (as characters or escape sequences) one after the other; `pause` after an Escape."""
        for key in keys:
            self._child.send(key)

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self._child.kill(number)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def wait_for(self, what: str | Callable[[str], bool], *, gone: bool = False) -> str:
        """Read on until the screen shows (or, if `gone`, no longer shows) what is waited for; returns the screen."""
        shown = what if callable(what) else lambda text: what in text
        deadline = time.monotonic() + PATIENCE
        while shown(self.text) is gone:
            assert time.monotonic() < deadline, f"waited in vain for {what!r}:\n{self.text}"
            self._read()
        return self.text

    def pause(self) -> None:
        """Read on until nothing more comes, as a person waits: an Escape and what follows at once are another key."""
        while self._wrote():
            pass

    def wait_for_the_end(self) -> int | None:
        """Read on until the program has ended; returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
        self._child.wait()
        code: int | None = self._child.exitstatus
        return code

    def close(self) -> int | None:
        """Close the window under the program and wait for its end; returns its exit code."""
        process: Any = self._child.ptyproc  # type: ignore[attr-defined]  # its stubs leave it out
        process.fileobj.close()
        self._closed = True
        deadline = time.monotonic() + PATIENCE
        while process.isalive():
            assert time.monotonic() < deadline, "it did not end"
            time.sleep(0.05)
        code: int | None = process.exitstatus
        return code

    def _wrote(self) -> bool:
        before = len(self.written)
        return self._read() and len(self.written) > before

    def _read(self) -> bool:
        try:
            chunk = self._child.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += chunk
        self._stream.feed(chunk)
        return True
