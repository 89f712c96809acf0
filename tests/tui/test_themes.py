import pyte
import pytest
from textual.theme import BUILTIN_THEMES

from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.settings import UiSettings
from smwatch.store.store import Store
from smwatch.tui.themes import ANSI, DARK, LIGHT, THEMES, chosen
from tests.tui.scene import Stage
from tests.tui.test_raw import Tape
from tests.tui.test_snapshots import incident

BLOCKS = "█▁▂▃▄▅▆▇▀▏▌│─╭╮╰╯▪"
"""Bars, lines and scroll bars: shapes, not text."""

AVAILABLE = {*BUILTIN_THEMES, *(theme.name for theme in THEMES)}


@pytest.mark.parametrize(
    ("setting", "theme"),
    [
        ("", "smwatch-dark"),
        ("light", "smwatch-light"),
        ("contrast", "smwatch-contrast"),
        ("ansi", "smwatch-ansi"),
        ("nord", "nord"),
        ("ansi-light", "ansi-light"),
        ("no such", "smwatch-dark"),
    ],
)
def test_a_setting_means_ours_or_any_of_textuals(setting: str, theme: str) -> None:
    assert chosen(setting, AVAILABLE) == theme


def test_a_terminal_of_16_colours_gets_its_own_unless_somebody_chose() -> None:
    assert chosen("", AVAILABLE, few=True) == ANSI.name
    assert chosen("light", AVAILABLE, few=True) == LIGHT.name


def test_what_textual_was_told_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", "nord")
    assert chosen("", AVAILABLE, few=True) is None
    assert chosen("dark", AVAILABLE) == DARK.name


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, of rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("name", "least"), [("dark", 4.5), ("light", 4.5), ("contrast", 7)])
async def test_everything_that_is_written_can_be_read(name: str, least: float) -> None:
    size = (160, 45)
    stage = Stage(
        incident(), store=Store(engine=Engine(combine(load_builtin()))), ui=UiSettings(theme=name, glyphs="unicode")
    )
    stage.app.driver_class = Tape
    Tape.written.clear()
    screen = pyte.Screen(*size)
    stream = pyte.Stream(screen)
    faint: dict[tuple[str, str], str] = {}
    async with stage.app.run_test(size=size, headless=False) as pilot:
        stage.app.flush()
        for keys in (
            (),
            ("j", "enter"),
            ("escape", "a"),
            ("escape", "W"),
            ("escape", "question_mark"),
            ("escape", "S"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            stream.feed("".join(Tape.written))
            Tape.written.clear()
            for y, line in enumerate(screen.display):
                for x in range(size[0]):
                    cell = screen.buffer[y][x]
                    if cell.data.strip() and cell.data not in BLOCKS and contrast(cell.fg, cell.bg) < least:
                        faint[cell.fg, cell.bg] = f"{contrast(cell.fg, cell.bg):.1f} {line.strip()}"
    assert faint == {}
