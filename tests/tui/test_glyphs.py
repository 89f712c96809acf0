"""Where a terminal can show nothing but ASCII, nothing else is sent to it, and nothing moves."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import smwatch
from smwatch.tui.glyphs import PLAIN, chosen, only_ascii, plain
from tests.terminal import Terminal

ROOT = Path(smwatch.__file__).parent


@pytest.mark.parametrize(
    ("environment", "poor"),
    [
        ({"LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python makes it
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, True),
        ({"TERM": "vt100"}, True),
        ({"TERM": "dumb"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_the_locale_and_the_terminal_say_what_can_be_shown(environment: dict[str, str], poor: bool) -> None:
    assert only_ascii(environment) is poor
    assert chosen("ascii", environment)
    assert not chosen("unicode", environment)


@given(st.text() | st.text("👩‍🌈🏳️é宽שࠀ\u0301\u200d│╭▃", max_size=12))
def test_every_text_stays_as_wide_as_it_was(text: str) -> None:
    assert plain(text).isascii()
    assert len(plain(text)) == cell_len(text)


def test_every_sign_of_ours_has_its_likeness() -> None:
    used = {
        character
        for path in ROOT.rglob("*.py")
        if path.name not in ("glyphs.py", "export.py")  # the table itself, and what is looked for in cells
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for character in node.value
        if not character.isascii()
    }
    assert "✗" in used
    assert {character for character in used - PLAIN.keys() if "?" in plain(character)} == set()
    assert all(len(value) == cell_len(key) for key, value in PLAIN.items())


@pytest.mark.parametrize("environment", [{"LANG": "C"}, {"TERM": "vt100"}])
def test_a_poor_terminal_is_sent_nothing_but_ascii(environment: dict[str, str]) -> None:
    with Terminal([sys.executable, "-m", "smwatch", "demo"], environment) as terminal:
        terminal.wait_for("CRITICAL")
        terminal.press("j", "\r")
        terminal.wait_for("this event".upper())
        for key in ("a", "q", "W", "q", "v", "q", "S", "q", "?"):
            terminal.press(key)
            terminal.pause()
        terminal.press("q", "f")
        terminal.wait_for("Event names")
        terminal.press("q", ":")
        terminal.pause()
        terminal.press("\x03", "\x03")
        assert terminal.wait_for_the_end() == 0
        odd = {character for character in terminal.written if not character.isascii()}
        assert odd == set()
