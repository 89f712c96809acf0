"""`smwatch replay`: recorded trail files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from smwatch.cli.common import EXIT_CODES, fail, fail_on_option, need_terminal, run, settings_of, source_options


@click.command(epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@source_options("--filter", "--rules", "--config")
@click.option("--json", "as_json", is_flag=True, help="Headless: one JSON object a line.")
@click.option(
    "--speed", metavar="FACTOR", help="Pace by the time of the events: 60x is an hour a minute.  [default: all at once]"
)
@fail_on_option
def replay(*, files: Sequence[Path], as_json: bool, speed: str | None, fail_on: str | None, **options: Any) -> None:
    """Show recorded trail files on the same screen.

    Reads trail files (.json, .json.gz, directories), JSON lines, the output of `aws cloudtrail lookup-events`, and
    CloudWatch Logs exports; - is standard input (with --json). Records that don't say when they happened count as of
    now. Files are read whole and nothing is kept.
    """
    settings = settings_of(**options)
    factor = _speed(speed)
    if as_json:
        from smwatch.running.run import replay_lines

        run(replay_lines, settings, files, speed=factor, fail_on=fail_on)
    if fail_on:
        fail("--fail-on goes with --json: a screen ends when somebody leaves it")
    need_terminal("smwatch replay --json")
    from smwatch.running.show import show_files

    run(show_files, settings, files, speed=factor)


def _speed(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e9:
        fail(f"--speed {text!r}: write how many times faster than it happened, e.g. 60x")
    return factor
