"""The screen: opened before what stands behind it is even loaded, and left in good order."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from smwatch.configuration import load
from smwatch.leaving import FINE, left, when_asked
from smwatch.settings import Settings

if TYPE_CHECKING:
    from smwatch.running.backstage import Backstage
    from smwatch.tui.app import SmwatchApp
    from smwatch.tui.screens.desk import Desk


def watch(settings: Settings) -> int:
    """`smwatch`: the screen over AWS."""

    def backstage() -> Backstage:
        from smwatch.running.backstage import Backstage, aws_sources

        return Backstage(settings, aws_sources, title=title, remember=True)

    title = "/".join(filter(None, (settings.profile or os.environ.get("AWS_PROFILE", ""), ",".join(settings.regions))))
    return show(settings, backstage, title=title)


def show_files(settings: Settings, files: Sequence[Path], *, speed: float | None) -> int:
    """`smwatch replay` on the screen; the journal lies in memory, and no noise is made about what is over."""
    settings = msgspec.structs.replace(settings, ui=msgspec.structs.replace(settings.ui, bell=False))

    def backstage() -> Backstage:
        from smwatch.running.backstage import Backstage, file_sources

        return Backstage(settings, file_sources(files, speed), remember=False, glance=speed is None, recorded=True)

    return show(settings, backstage)


def show_demo(config_file: Path | None, *, wall: bool) -> int:
    """`smwatch demo`: a scripted incident through the real path, on the screen as the user has set it."""

    def backstage() -> Backstage:
        from smwatch.running.backstage import Backstage, demo_sources

        return Backstage(settings, demo_sources, remember=False)

    read = load(config_file, {})
    settings = Settings(wall=wall, ui=read.ui, config_file=read.config_file, said_by=read.said_by)
    return show(settings, backstage)


def show(settings: Settings, backstage: Callable[[], Backstage], *, title: str = "") -> int:
    """Open the screen, and have what `backstage` makes feed it until it is left; the exit code."""
    gc.disable()  # until the collector decides: while all this is loaded there is nothing to be found. "First frame"
    from smwatch.collector import Collector
    from smwatch.tui.app import SmwatchApp

    behind: list[Backstage] = []

    def make_desk() -> Desk:
        behind.append(backstage())
        return behind[0].desk

    def start(app: SmwatchApp) -> None:
        when_asked(lambda: app.exit(FINE), stuck=FINE)  # else the terminal stays as the screen had it
        behind[0].start(app.apply, app.fail, app.turns.do)

    app = SmwatchApp(
        make_desk,
        start=start,
        title=title,
        filter_text=settings.filter,
        wall=settings.wall,
        ui=settings.ui,
        collector=Collector(datetime.now(UTC)),
    )
    try:
        code = app.run()
    finally:
        for each in behind:
            each.stop(app.fault)
    if app.fault is not None:
        raise app.fault
    return left(code or app.return_code or FINE, at_once=True)  # the second is of a fault that Textual has shown
