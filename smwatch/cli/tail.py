"""`smwatch tail`: events as lines."""

from __future__ import annotations

from typing import Any

import click

from smwatch.cli.common import EXIT_CODES, fail_on_option, run, settings_of, source_options


@click.command(epilog=EXIT_CODES)
@source_options()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: events, alarms, status.")
@click.option("--once", is_flag=True, help="End when everything up to now has been read.")
@fail_on_option
def tail(*, as_json: bool, once: bool, fail_on: str | None, **options: Any) -> None:
    """Print events as lines, and follow.

    Prints what happened since --since, or since the earliest that a run before it was to print, then what comes; each
    event once per state directory, also across restarts. README's table says what the keys of an alarm's line mean.

    \b
      smwatch tail --json | jq 'select(.error_code)'
      smwatch tail --once --since 24h --fail-on critical
    """
    from smwatch.running.run import follow_lines

    run(follow_lines, settings_of(**options), json=as_json, once=once, fail_on=fail_on)
