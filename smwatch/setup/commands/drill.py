"""`smwatch drill`."""

from __future__ import annotations

import secrets
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smwatch.setup.commands.asked import agreed, say, settled, told, where_options, width
from smwatch.setup.commands.signals import Signals

if TYPE_CHECKING:
    from smwatch.setup.drill import Ground


@click.command(short_help="Test the whole chain; measure delays.")
@where_options
@click.option("--wait", default=20, show_default=True, type=click.IntRange(1, 180), help="Minutes to wait at most.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def drill(
    config: Path | None,
    profile: str,
    regions: tuple[str, ...],
    log_group: str,
    *,
    as_json: bool,
    wait: int,
    yes: bool,
) -> None:
    """Test the whole chain with a throw-away secret, and measure how long each part takes to notice.

    Makes a secret, schedules its deletion, tries to read it, and waits until the event history, the log group and the
    alarm have seen that. The secret is deleted for good at the end, also after Ctrl-C. This is the only thing in
    smwatch that ever tries to read a secret.

    \b
      smwatch drill                                             says what it does, and asks
      smwatch drill --yes --json --wait 30 > drill.json         unattended, e.g. once a month
    """
    where = settled(config, profile, regions, log_group)
    with told(where.profile):
        from smwatch.setup.aws import open_session
        from smwatch.setup.drill import Clock, drill_name, survey
        from smwatch.setup.drill import drill as run
        from smwatch.setup.drill_report import report_json, report_text
        from smwatch.setup.place import group_name

        aws = open_session(where.profile, where.region)
        place = aws.identity().place(aws.region)
        name = drill_name(datetime.now(UTC), secrets.token_hex(3))
        ground = survey(aws, place, group_name(where.log_group))
        click.echo(_consent(ground, name, wait), err=True)
        if not yes:
            agreed("add --yes")
        with Signals() as signals:
            report = run(
                aws,
                ground,
                name,
                patience=timedelta(minutes=wait),
                clock=Clock(lambda: datetime.now(UTC), time.sleep),
                tell=say,
                shield=signals.waiting,
            )
        click.echo(report_json(report) if as_json else report_text(report))
        if report.interrupted:
            click.echo("Interrupted before everything was seen.", err=True)
        if not report.passed:
            sys.exit(1)


def _consent(ground: Ground, name: str, wait: int) -> str:
    """Say what a drill does, before anybody agrees to it."""
    from smwatch.setup.wanted import DELETED_SECRETS
    from smwatch.visible import visible

    place, blind = ground.place, ground.blind
    watched = {"event history": "the event history", "log group": f"the log group {ground.group}"}
    watched["alarm"] = f"the alarm {DELETED_SECRETS.alarm}"
    seeing = [words for what, words in watched.items() if what not in blind]
    makes = f"Makes the secret {name} in account {place.account}, {place.region}, schedules its deletion and tries to"
    waits = f"read it. Then waits up to {wait} min until this was seen by {', '.join(seeing)}, and deletes it for good."
    lines = [
        f"{makes} {waits}",
        "It costs less than a cent." + (" The alarm tells its people." if "alarm" not in blind else ""),
        *(f"Not watched: the {what}, as {why}." for what, why in blind.items()),
    ]
    return "\n".join(textwrap.fill(visible(line), width(), break_on_hyphens=False) for line in lines)
