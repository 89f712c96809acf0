"""`smwatch doctor`."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from smwatch.setup.commands.asked import settled, told, where_options


@click.command(short_help="Check every part; say what mends it.")
@where_options
@click.option("--topic", default="", metavar="NAME_OR_ARN", help="The SNS topic that should be told.")
@click.option("--trail", default="", metavar="NAME_OR_ARN", help="The trail to look at.")
@click.option("--state-dir", default="", metavar="DIR", help="Where the journal lies.")
@click.option(
    "--try-all",
    is_flag=True,
    help="Try Live Tail (may cost a cent) and metadata of a secret nobody has (is logged) too.",
)
def doctor(
    config: Path | None,
    profile: str,
    regions: tuple[str, ...],
    log_group: str,
    topic: str,
    trail: str,
    state_dir: str,
    *,
    as_json: bool,
    try_all: bool,
) -> None:
    """Check everything smwatch depends on, in order, and say what mends it; changes nothing.

    Prints a table on a terminal and JSON elsewhere. Ends with 1 if something is broken.

    \b
      smwatch doctor --profile prod --region eu-west-1
      smwatch doctor | jq -r '.findings[] | select(.state == "broken").mend'
    """
    where = settled(config, profile, regions, log_group, state_dir)
    with told(where.profile):
        from smwatch.setup.doctor import examine, findings_json, findings_text, is_broken
        from smwatch.setup.seeing import see
        from smwatch.setup.wishes import Options, wanted

        wishes = wanted(Options(log_group=where.log_group, topic=topic, trail=trail), {})
        seen = see(
            where.profile, where.all_regions, wishes, where.state_dir, now=lambda: datetime.now(UTC), try_all=try_all
        )
        findings = examine(seen)
        if as_json or not sys.stdout.isatty():
            click.echo(findings_json(findings))
        else:
            click.echo(findings_text(findings, shutil.get_terminal_size().columns))
        if is_broken(findings):
            sys.exit(1)
