from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual._compositor import Compositor, ReflowResult
from textual.app import App
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.geometry import Size
from textual.widget import Widget

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.monitor.delivery import Delivery
from smwatch.settings import SettingsError
from smwatch.store.change import Change
from smwatch.tui.app import SmwatchApp
from smwatch.tui.lines import Line, Piece
from smwatch.tui.opening import Opening
from smwatch.tui.painting import Soon
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.frame import StreamFrame
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.themes import DARK
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.rows import MARGIN
from smwatch.tui.widgets.stream import EventStream
from tests import records
from tests.records import raw
from tests.terminal import ROOT, Terminal
from tests.tui.scene import FINE, NOW, Stage, ago, reads

LATER = {
    *("smwatch.rules.engine", "smwatch.patterns", "smwatch.filter", "smwatch.journal", "smwatch.store.store"),
    *("smwatch.events.event", "smwatch.events.header"),
    *("smwatch.monitor.monitor", "smwatch.tui.screens.watch", "sqlite3", "boto3", "botocore", "aiobotocore", "aiohttp"),
}
"""What the first frame can do without."""
LAST = {
    *("smwatch.rules.engine", "smwatch.patterns", "smwatch.sources.tail", "smwatch.sources.live_tail"),
    *("smwatch.sources.files", "smwatch.sources.demo", "smwatch.tui.screens.names", "botocore", "aiobotocore"),
}
"""What the whole screen can do without."""


async def test_the_head_stands_while_the_desk_is_made_and_keys_wait_for_the_rest() -> None:
    stage, seen = Stage(reads(3), status=None), list[str]()
    loop = asyncio.get_running_loop()

    def make_desk() -> Desk:
        seen.extend(strip.text for strip in app.screen._compositor.render_strips())
        for key, character in (("slash", "/"), ("d", "d"), ("b", "b")):
            loop.call_soon_threadsafe(app.post_message, events.Key(key, character))
        return stage.app.desk

    app = SmwatchApp(make_desk, clock=lambda: NOW, title="prod · eu-west-1")
    async with app.run_test(size=(160, 50)) as pilot:
        while not isinstance(app.screen, WatchScreen):
            await pilot.pause()
        for _ in range(20):
            await pilot.pause()
        assert app.screen.filter_line.input.value == "db"
        assert app.focused is app.screen.filter_line.input
        app.screen.filter_line.input.value = ""
        rest = [strip.text for strip in app.screen._compositor.render_strips()]
    assert seen[0].startswith(" smwatch  prod · eu-west-1   ○ no source yet")
    assert seen[0] == rest[0]
    assert not any(line.strip() for line in seen[1:])


async def test_the_rest_is_made_from_the_first_frame_on() -> None:
    stage, frames, made = Stage(), list[int](), list[int]()

    def make_desk() -> Desk:
        made.append(len(frames))
        return stage.app.desk

    app = SmwatchApp(make_desk, clock=lambda: NOW)
    app.post_display_hook = lambda: frames.append(len(app.screen.query(Opening)))  # type: ignore[method-assign]
    async with app.run_test(size=(160, 50)) as pilot:
        while not isinstance(app.screen, WatchScreen):
            await pilot.pause()
    assert made == [1]
    assert frames[0] == 1


async def test_what_an_empty_stream_says_is_not_worked_out_before_it_has_a_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widths = list[int]()

    def said(*_: object, width: int, **__: object) -> list[Line]:
        widths.append(width)
        return [Line((Piece(f"line {number}"),)) for number in range(60)]

    monkeypatch.setattr("smwatch.tui.screens.frame.empty_lines", said)
    stage = Stage()
    async with stage.app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        lines = [strip.text for strip in stage.app.screen._compositor.render_strips()]
        width = stage.app.screen.query_one(EventStream).size.width
    assert set(widths) == {width - MARGIN}
    told = [words[1] for line in lines if (words := line.split())[:1] == ["line"]]
    assert told == list(map(str, range(len(told))))
    assert len(told) > 30


async def test_work_begins_once_the_screen_stands() -> None:
    stage, stood = Stage(), list[bool]()

    def start(app: SmwatchApp) -> None:
        stood.append(bool(app.screen.query(Opening)))
        stood.append(isinstance(app.screen, WatchScreen))

    app = SmwatchApp(lambda: stage.app.desk, clock=lambda: NOW, start=start)
    async with app.run_test() as pilot:
        while not stood:
            await pilot.pause()
    assert stood == [False, True]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events are new, each time that something is shown."""
    numbers, show_change = list[int](), WatchScreen.show_change

    def noted(self: WatchScreen, change: Change) -> None:
        numbers.append(len(change.added))
        show_change(self, change)

    monkeypatch.setattr(WatchScreen, "show_change", noted)
    return numbers


async def test_the_first_events_are_shown_as_they_come_and_later_ones_together(
    monkeypatch: pytest.MonkeyPatch, shown: list[int]
) -> None:
    stage = Stage(status=None)
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 3600.0)
    reader = Reader()
    first, *later = (reader.read(raw(one), seen_by=SeenBy.FILE, seen_at=NOW) for one in reads(3))
    async with stage.app.run_test():
        stage.app.apply(Delivery(statuses=(FINE,)))
        stage.app.apply(Delivery(((1, first),)))
        for seq, each in enumerate(later, 2):
            stage.app.apply(Delivery(((seq, each),)))
        assert shown == [1]
        stage.app.flush()
    assert shown == [1, 2]


async def test_the_first_events_are_shown_once(monkeypatch: pytest.MonkeyPatch, shown: list[int]) -> None:
    stage, waited = Stage(status=None), asyncio.Event()
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 0.05)
    first = Reader().read(raw(reads(1)[0]), seen_by=SeenBy.FILE, seen_at=NOW)
    async with stage.app.run_test():
        stage.app.apply(Delivery(((1, first),)))
        stage.app.set_timer(0.5, waited.set)  # ten times what the second showing would have waited
        await waited.wait()
    assert shown == [1]


async def test_rows_wait_longer_to_be_painted_where_some_were_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, waits = Stage(reads(1), status=None), list[float]()
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 900.0)
    monkeypatch.setattr("smwatch.tui.app.TICK_SECONDS", 3600.0)
    within = Soon.within

    def noted(soon: Soon, seconds: float) -> None:
        waits.append(seconds)
        within(soon, seconds)

    async with stage.app.run_test():
        stage.app.flush()
        monkeypatch.setattr(Soon, "within", noted)
        for number, later in enumerate((0, 1, 2)):
            stage.app.desk.tick(NOW + timedelta(seconds=later))
            stage.store.add([records.arrival(records.read(eventTime=ago(5), id=f"{number}"))])
            stage.app._incoming._subscription.take()  # not painted
        assert waits == [1800.0, 1800.0, 900.0]


async def test_what_goes_wrong_while_it_is_shown_ends_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, tried = Stage(status=None), asyncio.Event()
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 0.01)

    def fails(*_: object) -> None:
        tried.set()
        raise ZeroDivisionError

    async def run() -> None:
        async with stage.app.run_test():
            monkeypatch.setattr(WatchScreen, "show_change", fails)
            stage.app.apply(Delivery(statuses=(FINE,)))
            await tried.wait()

    with pytest.raises(ZeroDivisionError):
        await run()


def test_the_first_frame_is_painted_before_anything_of_what_stands_behind_it_is_loaded() -> None:
    code = f"""
import sys
import smwatch.running.show, smwatch.collector
from smwatch.settings import SettingsError
from smwatch.tui.app import SmwatchApp
def make_desk():
    print("smwatch" in app.screen._compositor.render_strips()[0].text, sorted({LATER} & set(sys.modules)))
    raise SettingsError("enough")
app = SmwatchApp(make_desk)
app.run(headless=True)
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "True []\n"


@pytest.mark.parametrize("sources", ["aws_sources", "demo_sources", "file_sources([], None)"])
def test_the_whole_screen_stands_before_what_judges_and_what_asks_is_loaded(sources: str) -> None:
    code = f"""
import sys
import smwatch.running.show, smwatch.collector
from smwatch.settings import LogsSettings, Settings
from smwatch.tui.app import SmwatchApp
def make_desk():
    from smwatch.running.backstage import Backstage, aws_sources, demo_sources, file_sources
    return Backstage(Settings(logs=LogsSettings(group="trail")), {sources}, remember=False).desk
def start(app):
    print(type(app.screen).__name__, sorted({LAST} & set(sys.modules)))
    app.exit()
SmwatchApp(make_desk, start=start).run(headless=True)
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "WatchScreen []\n"


async def test_styles_are_read_once_and_not_again_in_our_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Counter[str]()

    def counted(scope: str, css: str, *args: Any, **kwargs: Any) -> Iterable[RuleSet]:
        read[css] += 1
        return parse(scope, css, *args, **kwargs)

    monkeypatch.setattr(stylesheet, "parse", counted)
    app = SmwatchApp(lambda: Stage().app.desk, clock=lambda: NOW)
    async with app.run_test(size=(160, 50)) as pilot:
        while not isinstance(app.screen, WatchScreen):
            await pilot.pause()
    assert app.theme == DARK.name
    assert read[Opening.DEFAULT_CSS] == read[Pieces.DEFAULT_CSS] == read[StreamFrame.DEFAULT_CSS] == 1
    assert read[App.DEFAULT_CSS] == 1


async def test_the_head_is_in_the_first_layout_and_its_styles_are_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads, applied = list[int](), Counter[type[DOMNode]]()
    reflow, apply = Compositor.reflow, Stylesheet.apply

    def noted(compositor: Compositor, screen: Widget, size: Size) -> ReflowResult:
        heads.extend(len(each.rows) for each in screen.query(Opening))
        return reflow(compositor, screen, size)

    def counting(sheet: Stylesheet, node: DOMNode, **how: Any) -> None:
        applied[type(node)] += 1
        apply(sheet, node, **how)

    monkeypatch.setattr(Compositor, "reflow", noted)
    monkeypatch.setattr(Stylesheet, "apply", counting)

    def make_desk() -> Desk:
        looked_up.append(applied[Opening])
        return Stage().app.desk

    looked_up = list[int]()
    app = SmwatchApp(make_desk, clock=lambda: NOW)
    async with app.run_test(size=(160, 50)) as pilot:
        while not isinstance(app.screen, WatchScreen):
            await pilot.pause()
    assert set(heads) == {1}
    assert looked_up == [1]


async def test_every_part_has_its_place_before_the_main_screen_is_first_laid_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = list[tuple[bool, bool]]()
    reflow = Compositor.reflow

    def noted(compositor: Compositor, screen: Widget, size: Size) -> ReflowResult:
        if isinstance(screen, StreamFrame):
            seen.append((screen.detail.display, screen.histogram.display))
        return reflow(compositor, screen, size)

    monkeypatch.setattr(Compositor, "reflow", noted)
    async with Stage(reads(3)).app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
    assert set(seen) == {(True, True)}


async def test_a_desk_that_cannot_be_made_ends_the_app_with_what_is_wrong() -> None:
    def make_desk() -> Desk:
        raise SettingsError("ui.columns: there is no 'colour'")

    app = SmwatchApp(make_desk)
    async with app.run_test() as pilot:
        while app.fault is None:
            await pilot.pause()
    assert app.return_value == 1
    assert str(app.fault) == "ui.columns: there is no 'colour'"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('[ui]\ncolumns = ["colour"]\n', "colour"),
        ('[rules]\nfiles = ["nowhere.toml"]\n', "nowhere.toml"),
        ('filter = "name:("\nsince = "1 lightyear"\n', "lightyear"),
    ],
)
def test_settings_that_cannot_be_used_end_in_one_line_and_exit_code_2(config: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    smwatch = [sys.executable, "-m", "smwatch", "--region", "eu-west-1", "--config", str(tmp_path / "config.toml")]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with Terminal(smwatch, environment) as terminal:
        assert terminal.wait_for_the_end() == 2
        lines = [line for line in terminal.written.splitlines() if "Error: " in line]
        assert len(lines) == 1
        assert told in lines[0]
        assert "Traceback" not in terminal.written


FAULTY = """
from smwatch.running.show import show_demo
from smwatch.tui.app import SmwatchApp
class Fault(Exception): pass
def action_help(self): raise Fault
SmwatchApp.action_help = action_help
raise SystemExit(show_demo(None, wall=False))
"""


def test_a_fault_of_the_screen_is_shown_and_no_success(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-c", FAULTY], {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}) as terminal:
        terminal.wait_for("CRITICAL")
        terminal.press("?")
        assert terminal.wait_for_the_end() == 1
        assert "Fault" in terminal.text
