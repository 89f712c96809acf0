"""Writes screenshots/ from the demo, the same each time, for their clock stands still: `python -m tests.pictures`."""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import cairosvg  # type: ignore[import-untyped]  # it has no types
import msgspec
from PIL import Image
from rich.cells import cell_len

from smwatch.events.event import Event
from smwatch.events.reader import Reader
from smwatch.events.redact import redact
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.settings import UiSettings
from smwatch.sources.coverage import Coverage
from smwatch.sources.demo import demo_sources
from smwatch.sources.source import Page, Status
from smwatch.store.store import Store
from smwatch.tui.app import SmwatchApp
from smwatch.tui.screens.desk import Desk

BASE = datetime(2026, 11, 23, 14, 2, 11, tzinfo=UTC)
SHOWN = Path(__file__).parent.parent / "screenshots"
CELL, FONT_SIZE = 12.2, 20.26
"""Width of a cell in the exported SVG, and the size at which the font's characters are as wide."""
FONT = "DejaVu Sans Mono"
PNG_CELL, PNG_COLOURS = 10, 192
INCIDENT = "incident"
"""The name of the animated picture."""


class Shot(msgspec.Struct, frozen=True):
    """What is on a picture: the demo some time after it began, and after some keys."""

    size: tuple[int, int]
    keys: Sequence[str] = ()
    after: timedelta = timedelta(seconds=70)
    theme: str = "dark"
    caption: str = "smwatch"


PICTURES = {
    "stream": Shot((160, 42)),
    "alarm": Shot((160, 42), ("a",)),
    "filter": Shot((160, 42), ("slash", *"secret:prod/checkout/ error")),
    "names": Shot((120, 30), ("f",)),
    "secret": Shot((160, 56), ("tab",)),
    "principal": Shot((160, 42), ("slash", *"user:analytics*", "enter", "j", "P"), timedelta(seconds=200)),
    "narrow": Shot((60, 24), ("j",)),
    "narrow-secret": Shot((60, 24), ("e", "enter")),
    "groups": Shot((120, 30), ("v", "v")),
    "wall": Shot((160, 42), ("W",)),
    "light": Shot((160, 42), ("j", "j", "j"), theme="light"),
}
FILM_SIZE, FILM_WIDTH, FILM_COLOURS = (120, 34), 960, 96
FRAME_SECONDS = 3.2
FILM = (
    Shot(FILM_SIZE, (), caption="An alarm: somebody still asks for a secret that is being deleted"),
    Shot(FILM_SIZE, ("e",), caption="e   the events behind it"),
    Shot(FILM_SIZE, ("e", "enter"), caption="Enter   the secret: how long it is left, who reads it, who breaks"),
    Shot(FILM_SIZE, ("e", "P"), caption="P   everything this principal touched"),
    Shot(FILM_SIZE, ("f",), caption="f   event names with their counts, to filter by"),
    Shot(
        FILM_SIZE, ("slash", *"secret:prod/ error", "enter", "2"), caption="/   errors of prod/ in the last 15 minutes"
    ),
    Shot(FILM_SIZE, ("a",), caption="a   all alarms: why, and what to run next"),
    Shot(FILM_SIZE, ("W",), caption="W   the wall, to be read across a room"),
)
"""An incident in some keys: screenshots/incident.gif."""


class OverError(Exception):
    """The time that a picture shows has come."""


async def told(base: datetime, until: datetime) -> list[tuple[datetime, int, Page | Status]]:
    """What the demo's sources say between `base` and `until`, in the order of time."""
    said: list[tuple[datetime, int, Page | Status]] = []
    for number in (0, 1):
        clock = [base]

        async def sleep(seconds: float, clock: list[datetime] = clock) -> None:
            clock[0] += timedelta(seconds=seconds)
            if clock[0] > until:
                raise OverError

        source = demo_sources(partial(clock.__getitem__, 0), sleep, base=base)[number]
        with suppress(OverError):
            async for item in source.follow(Coverage()):
                said.append((clock[0], number, item))  # noqa: PERF401, what was said before the end is kept
    return sorted(said, key=lambda each: each[:2])


class Demo:
    """The screen over the demo, at one moment."""

    def __init__(self, said: Sequence[tuple[datetime, int, Page | Status]], now: datetime, theme: str) -> None:
        self._records: dict[int, Record] = {}
        store = Store(engine=Engine(combine(load_builtin())))
        ui = UiSettings(bell=False, theme=theme, glyphs="unicode")
        desk = Desk(store, record_of=self._record_of, now=now, title="demo", asked_since=BASE, ui=ui)
        desk.watching_since = BASE
        self.app = SmwatchApp(desk, clock=lambda: now, ui=ui)
        reader = Reader()
        for _, number, item in said:
            if isinstance(item, Status):
                self.app.apply(Delivery(statuses=(item,)))
                continue
            arrivals = [
                reader.read(found.raw, seen_by=item.seen_by, seen_at=item.seen_at, at=found.at) for found in item.found
            ]
            self._records |= {each.event.key: redact(each.record) for each in arrivals}
            self.app.apply(Delivery(tuple((number, each) for each in arrivals)))

    def _record_of(self, event: Event) -> Record | None:
        return self._records.get(event.key)


async def picture(shot: Shot) -> str:
    """The screen as SVG."""
    now = BASE + shot.after
    demo = Demo(await told(BASE, now), now, shot.theme)
    async with demo.app.run_test(size=shot.size) as pilot:
        demo.app.flush()
        await pilot.pause()
        for key in shot.keys:
            await pilot.press(key)
        await pilot.pause()
        return plain(demo.app.export_screenshot(title=shot.caption, simplify=True))


_TEXT = re.compile(r'(<text [^>]*?)x="([\d.]+)"([^>]*?) textLength="[\d.]+"([^>]*>)([^<]*)</text>')


def plain(svg: str) -> str:
    """The picture without fonts from elsewhere, and with a place for each character, so that columns stand."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = svg.replace("Fira Code", f"{FONT}, Menlo, Consolas").replace("font-size: 20px", f"font-size: {FONT_SIZE}px")

    def placed(found: re.Match[str]) -> str:
        x, places = float(found[2]), []
        for character in html.unescape(found[5]):
            places.append(f"{x:.1f}")
            x += CELL * cell_len(character)
        return f'{found[1]}x="{" ".join(places)}"{found[3]}{found[4]}{found[5]}</text>'

    return _TEXT.sub(placed, svg)


def pixels(svg: str, width: int) -> Image.Image:
    """The picture as it is seen, so many pixels wide."""
    return Image.open(BytesIO(cairosvg.svg2png(bytestring=svg.encode(), output_width=width))).convert("RGB")


def film() -> None:
    """Write the incident as an animated picture."""
    frames = [
        pixels(asyncio.run(picture(shot)), FILM_WIDTH).quantize(FILM_COLOURS, Image.Quantize.MAXCOVERAGE)
        for shot in FILM
    ]
    first, *others = frames
    first.save(
        SHOWN / f"{INCIDENT}.gif",
        save_all=True,
        append_images=others,
        duration=round(1000 * FRAME_SECONDS),
        loop=0,
        optimize=True,
    )
    print(f"screenshots/{INCIDENT}.gif")


def main(names: Sequence[str]) -> None:
    """Write the pictures named, or all."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}  # whatever terminal this runs in
    os.environ.pop("NO_COLOR", None)
    SHOWN.mkdir(exist_ok=True)
    for name in names or (*PICTURES, INCIDENT):
        if name == INCIDENT:
            film()
            continue
        shot = PICTURES[name]
        svg = asyncio.run(picture(shot))
        (SHOWN / f"{name}.svg").write_text(svg, encoding="utf-8")
        pixels(svg, shot.size[0] * PNG_CELL).quantize(PNG_COLOURS, Image.Quantize.MAXCOVERAGE).save(
            SHOWN / f"{name}.png", optimize=True
        )
        print(f"screenshots/{name}.svg and .png")


if __name__ == "__main__":
    main(sys.argv[1:])
