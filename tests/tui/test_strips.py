"""Lines that are written as they are: like Textual's in all that may be done with them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from smwatch.tui.strips import LeanStrip, filled
from smwatch.tui.widgets.rows import EventRows
from tests.rules.judging import counting_calls
from tests.tui.scene import Stage, reads

RED, PLAIN = Style(color="red"), Style()
TEXTS = (("abc", RED), ("défg", PLAIN), ("日本", RED))
WIDTH = 11
CACHES = [name for name in Strip.__slots__ if name.endswith("_cache") and name != "_render_cache"]


def segments() -> list[Segment]:
    return [Segment(text, style) for text, style in TEXTS]


@pytest.mark.parametrize(
    "change",
    [
        lambda strip: strip.crop(2, 9),
        lambda strip: strip.crop_extend(3, 20, RED),
        lambda strip: strip.adjust_cell_length(20, RED),
        lambda strip: strip.adjust_cell_length(5),
        lambda strip: strip.apply_style(Style(bold=True)),
        lambda strip: strip.apply_offsets(3, 4),
        lambda strip: Strip.join(strip.divide([2, 8, WIDTH])),
        lambda strip: strip.simplify(),
    ],
)
def test_a_lean_strip_is_changed_as_any_other_is(change: Callable[[Strip], Strip]) -> None:
    lean = LeanStrip(segments(), WIDTH)
    for _ in range(2):  # the second time out of a cache
        assert list(change(lean)) == list(change(Strip(segments(), WIDTH)))
    assert lean.cell_length == WIDTH
    assert lean.text == Strip(segments()).text


@pytest.mark.parametrize("system", ["standard", "256", "truecolor", None])
def test_a_lean_strip_is_written_to_the_terminal_as_any_other_is(system: str | None) -> None:
    def styles() -> list[Style | None]:  # each with nothing kept of what it was written as
        names = ("red", "bold #123456 on #654321", "", "link https://example.com", "reverse", "not bold")
        return [None, *map(Style.parse, names), Style.from_meta({"@click": "go"})]

    console = Console(color_system=system)  # type: ignore[arg-type]  # it takes any of its systems' names
    written = [
        kind([Segment(f"{n} é", style) for n, style in enumerate(styles() * 2)], 3).render(console)
        for kind in (LeanStrip, Strip)
    ]
    assert re.sub(r"id=\d+", "", written[0]) == re.sub(r"id=\d+", "", written[1])


def test_what_a_style_is_written_as_is_found_once_though_it_is_like_another() -> None:
    console, made = Console(color_system="truecolor"), [Style.parse("bold #010203") for _ in range(9)]

    def calls(style: Style) -> int:
        return counting_calls(lambda: LeanStrip([Segment("a", style)] * 50, 50).render(console))[1]

    assert all(calls(style) < 20 for style in made)


@pytest.mark.parametrize(("taken", "width", "told"), [(3, 5, "abc  "), (3, 3, "abc"), (3, 2, "ab"), (3, 0, "")])
def test_a_line_has_the_width_it_is_to_have(taken: int, width: int, told: str) -> None:
    strip = filled([Segment("abc", RED)], taken, width, PLAIN)
    assert strip.text == told
    assert strip.cell_length == width


async def test_a_row_that_is_written_whole_makes_no_caches() -> None:
    stage = Stage(reads(9))
    async with stage.app.run_test(size=(120, 30)):
        rows = stage.app.screen.query_one(EventRows)
        strips = rows.render_lines(rows.size.region)[:9]
        assert not any(made(strip) for strip in strips)
        assert strips[0].crop(0, 9) is strips[0].crop(0, 9)
        assert made(strips[0]) == ["_crop_cache"]


def made(strip: Strip) -> list[str]:
    """The caches that it has."""

    def there(name: str) -> bool:
        try:
            getattr(Strip, name).__get__(strip)
        except AttributeError:
            return False
        return True

    return list(filter(there, CACHES))
