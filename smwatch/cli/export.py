"""`smwatch export`: what the journal holds."""

from __future__ import annotations

from typing import Any

import click

from smwatch.cli.common import EXIT_CODES, run, settings_of, source_options


@click.command(epilog=EXIT_CODES)
@source_options("--since", "--filter", "--rules", "--config", "--state-dir")
@click.option("--format", "form", type=click.Choice(("jsonl", "csv", "report")), required=True, help="What to write.")
def export(*, form: str, **options: Any) -> None:
    """Write what the journal holds since --since to standard output.

    jsonl is evidence (smwatch replay reads it back), csv is for a spreadsheet, report is Markdown for the incident's
    file: alarms with notes, timeline, secrets, principals. Nothing is asked of AWS: to have the journal filled, run
    `smwatch tail --once --since 7d` first.
    """
    from smwatch.running.run import export as write

    run(write, settings_of(**options), form=form)
