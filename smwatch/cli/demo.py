"""`smwatch demo`: a scripted incident."""

from __future__ import annotations

from pathlib import Path

import click

from smwatch.cli.common import need_terminal, run


@click.command(short_help="Play a scripted incident, without AWS.")
@click.option("--json", "as_json", is_flag=True, help="Headless: the whole incident once, one JSON object a line.")
@click.option("--wall", is_flag=True, help="On the ops wall.")
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="Config file: of it, only [ui] counts.")
def demo(*, as_json: bool, wall: bool, config: Path | None) -> None:
    """Play a scripted incident; needs no AWS, no network, no credentials."""
    if as_json:
        from smwatch.running.run import demo_lines

        run(demo_lines, config)
    need_terminal("smwatch demo --json")
    from smwatch.running.show import show_demo

    run(show_demo, config, wall=wall)
