"""The thread that reads keys, on a terminal of its own."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smwatch.tui.driver import Closable
from tests.terminal import Terminal

ESCAPE = "\x1b"

APP = """
import os, signal, sys, textual.app, textual.events
from textual.driver import Driver
from smwatch.tui.driver import PatientDriver
signal.signal(signal.SIGHUP, signal.SIG_IGN)
class App(textual.app.App):
    def get_driver_class(self):
        return PatientDriver
    def on_mount(self):
        self.seen = ["ready"]
        self.screen.set_interval(0.05, self.tell)
        self.tell()
    def tell(self):
        self.sub_title = " ".join(self.seen)
        self.screen.query_one("#seen").update(self.sub_title)
    def compose(self):
        from textual.widgets import Static
        yield Static(id="seen")
    def on_key(self, event):
        self.seen.append(f"<{event.key}>")
        if event.key == "q":
            self.exit(0)
        if event.key == "s":
            with self.suspend():
                pass
app = App()
app.run()
os._exit(app.return_code)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal([sys.executable, "-c", APP], {"HOME": str(tmp_path), "PATH": os.environ["PATH"]})


def test_keys_arrive_whole_letters_escapes_and_what_is_pasted_byte_by_byte(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("ready")
        terminal.press("a", "\x1b[B", "é", "\x1b[6~")
        terminal.wait_for("<a> <down>")
        terminal.wait_for("<pagedown>")
        terminal.press(ESCAPE)
        terminal.wait_for("<pagedown> <escape>")  # not the beginning of more: no other key follows
        terminal.press("b")
        terminal.wait_for("<escape> <b>")
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0


def test_keys_are_read_again_after_the_terminal_was_lent_out(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("ready")
        for times in range(1, 4):
            terminal.press("s")
            terminal.wait_for("<s> " * (times - 1) + "<s>")
        terminal.press("b")
        terminal.wait_for("<b>")
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0


def test_a_terminal_that_is_closed_holds_up_nobody_and_is_no_fault(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("ready")
        assert terminal.close() == 0


def test_a_terminal_that_others_made_non_blocking_gets_every_frame_whole() -> None:
    frames = [f"{number:4}" * 25_000 for number in range(5)]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def write() -> None:
        with os.fdopen(writing, "w") as stream:
            terminal = Closable(stream)
            for frame in frames:
                terminal.write(frame)
                terminal.flush()

    with ThreadPoolExecutor(1) as threads, os.fdopen(reading) as stream:
        written = threads.submit(write)
        assert stream.read() == "".join(frames)
        written.result()
