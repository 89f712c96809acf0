"""What the commands of the AWS side have in common: options, where they lead, and how trouble is told."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., None])


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds options, in the order in which help shows them."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


where_options = _options(
    click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The config file."),
    click.option("--profile", default="", metavar="NAME", help="The AWS profile."),
    click.option("--region", "regions", multiple=True, metavar="NAME", help="A Region; the first is where things are."),
    click.option("--log-group", default="", metavar="NAME_OR_ARN", help="The log group that the trail delivers to."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)
names_options = _options(
    click.option("--trail", default="", metavar="NAME_OR_ARN", help="The trail to use, or to make."),
    click.option("--bucket", default="", metavar="NAME", help="The bucket of a trail that is made."),
    click.option("--role", default="", metavar="NAME", help="The role that CloudTrail delivers with."),
    click.option("--topic", default="", metavar="NAME_OR_ARN", help="The SNS topic that is told."),
    click.option("--queue", default="", metavar="NAME_OR_ARN", help="The SQS queue EventBridge tells, not the topic."),
)


class Where(NamedTuple):
    """Which account and log group is meant, after the config file and the environment were asked too."""

    profile: str
    regions: tuple[str, ...]
    log_group: str
    state_dir: Path

    @property
    def region(self) -> str:
        """The Region where things are; "" leaves it to AWS's own places."""
        return next(iter(self.all_regions), "")

    @property
    def all_regions(self) -> tuple[str, ...]:
        """The Regions named; that of the log group's ARN if none is."""
        from smwatch.setup.place import arn_part, is_arn

        if self.regions or not is_arn(self.log_group):
            return self.regions
        return (arn_part(self.log_group, 3),)


def settled(config: Path | None, profile: str, regions: tuple[str, ...], log_group: str, state_dir: str = "") -> Where:
    """Return what is meant: defaults < config file < environment < options, as for every other command."""
    from smwatch.configuration import load
    from smwatch.settings import SettingsError, default_state_dir

    said = {"profile": profile, "regions": regions, "logs.group": log_group, "state_dir": state_dir}
    try:
        settings = load(config, {key: value or None for key, value in said.items()})
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    folder = Path(settings.state_dir) if settings.state_dir else default_state_dir()
    return Where(settings.profile or "", settings.regions, settings.logs.group, folder)


@contextmanager
def told(profile: str) -> Iterator[None]:
    """Say what went wrong in a line or two, with the next step, and end with 1.

    With 2, as every other command, for an option that can't be and where there is no way to AWS by the configuration.
    """
    from smwatch.setup.trouble import AWS_ERRORS, CONFIGURATION, SetupError, UnconfiguredError, sentence
    from smwatch.setup.wishes import OptionError
    from smwatch.visible import visible

    try:
        yield
    except SetupError as error:
        for line in f"Error: {error}".splitlines():
            click.echo(visible(line), err=True)
        sys.exit(2 if isinstance(error, OptionError | UnconfiguredError) else 1)
    except AWS_ERRORS as error:
        click.echo(f"Error: {sentence(error, profile=profile)}", err=True)
        sys.exit(2 if isinstance(error, CONFIGURATION) else 1)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(1)


def agreed(instead: str) -> bool:
    """Ask; leave with 1 for a no, and with 2 where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to ask: {instead}.")
    if click.confirm("\nDo this?", default=False, err=True):
        return True
    click.echo("Nothing was changed.", err=True)
    sys.exit(1)


def width() -> int:
    """Return how wide text is set: the terminal's width, within what is pleasant to read."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 100))


def say(text: str) -> None:
    """Print one line of what is going on, with the time."""
    from smwatch.visible import visible

    click.echo(f"{datetime.now(UTC):%H:%M:%S} {visible(text)}", err=True)
