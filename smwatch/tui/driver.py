"""The terminal's keys, waited for without looking ten times a second whether there are any."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from selectors import EVENT_READ, SelectSelector  # neither epoll nor kqueue takes every terminal

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

ESCAPE_SECONDS = 0.1
"""How often it is looked whether an Escape that has come is a key or the beginning of more."""


class PatientDriver(LinuxDriver):
    """Textual's driver, but for the thread that reads keys.

    That wakes up ten times a second to see whether it is to end, which is most of what an empty app costs: serves
    "cpu-idle". This one is woken when it is to end, so that leaving does not wait for its next look either.
    """

    _end = -1
    """What is closed to end the thread."""

    def start_application_mode(self) -> None:
        """Take the terminal, and begin to read keys."""
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
                        read = os.read(self.fileno, 4096)
                        if not read:
                            break  # the terminal has been closed
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
