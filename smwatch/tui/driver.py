"""The terminal: its keys, waited for without looking ten times a second for any; and how one leaves that is closed."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, SelectSelector  # neither epoll nor kqueue takes every terminal
from typing import Any, TextIO, cast

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

ESCAPE_SECONDS = 0.1
"""How often it is looked whether an Escape that has come is a key or the beginning of more."""


class Closable:
    """A terminal to write to, which may be closed: what is written to it then is lost.

    It may also have been made not to wait, by a program that shares it. What it has no room for yet is written later.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> None:
        """Write all of it, as long as somebody takes it."""
        terminal = self._terminal
        rest = memoryview(text.encode(terminal.encoding, terminal.errors or "strict"))
        with suppress(OSError):
            while rest:
                try:
                    rest = rest[os.write(terminal.fileno(), rest) :]
                except BlockingIOError:
                    self._wait()

    def _wait(self) -> None:
        with SelectSelector() as selector:
            selector.register(self._terminal, EVENT_WRITE)
            selector.select()

    def flush(self) -> None:
        """Nothing is left to be written."""

    def fileno(self) -> int:
        """The terminal's."""
        return self._terminal.fileno()


class PatientDriver(LinuxDriver):
    """Textual's driver, but for the thread that reads keys, and for a terminal that is closed.

    The thread that writes ends where nothing is taken any more, and what it leaves unwritten would hold up the screen
    for ever. The one that reads would call it a fault.

    It also wakes up ten times a second to see whether it is to end, which is most of what an empty app costs: serves
    "cpu-idle". This one is woken when it is to end, so that leaving does not wait for its next look either.
    """

    _end = -1
    """What is closed to end the thread."""

    def start_application_mode(self) -> None:
        """Take the terminal, and begin to read keys."""
        if not isinstance(terminal := cast(Any, self._file), Closable):
            self._file = cast(Any, Closable(terminal))
        if self._end < 0:
            self._ended, self._end = os.pipe()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def run_input_thread(self) -> None:
        """Read keys until the end, and make events of them."""
        ended, parser, decode = self._ended, XTermParser(self._debug), getincrementaldecoder("utf-8")().decode
        try:
            with SelectSelector() as selector:
                selector.register(self.fileno, EVENT_READ)
                selector.register(ended, EVENT_READ)
                while True:
                    waiting = parser._timeout_time is not None
                    ready = {key.fd for key, _ in selector.select(ESCAPE_SECONDS if waiting else None)}
                    if ended in ready:
                        break
                    if self.fileno in ready:
                        read = b""
                        with suppress(OSError):  # how Linux says that the terminal has been closed
                            read = os.read(self.fileno, 4096)
                        if not read:
                            self._app.call_later(self._app.exit)
                            break
                        if text := decode(read):
                            for event in parser.feed(text):
                                self.process_message(event)
                    for event in parser.tick():
                        self.process_message(event)
        finally:
            os.close(ended)

    def disable_input(self) -> None:
        """Read no more keys."""
        end, self._end = self._end, -1
        if end >= 0:
            os.close(end)
        super().disable_input()
