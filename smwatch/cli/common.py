"""What the commands share: options, settings, refusals, exit codes. Imported by all of them, so it imports little."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from smwatch.leaving import FAILED, let_go_of
from smwatch.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from smwatch.settings import Settings

EXIT_CODES = """\b
Exit codes: 0 fine; 1 failed; 2 usage or configuration; 3 --fail-on met;
4 --once could not read everything."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""How a disk, a quota, a limit on the size of files or a device says that it takes no more."""


class Refused(click.ClickException):
    """What was asked for can't be done as it was asked for."""

    exit_code = click.UsageError.exit_code

    def __init__(self, message: str, notes: Sequence[str] = ()) -> None:
        super().__init__(visible(message))
        self._notes = notes

    def show(self, file: IO[Any] | None = None) -> None:
        """The one line, and what may help under it; a terminal gets them broken at words."""
        for text in (f"Error: {self.format_message()}", *map(visible, self._notes)):
            click.echo(_broken(text) if sys.stderr.isatty() else text, file, err=True)


def _broken(text: str) -> str:
    """A line as lines that a terminal needs not break; they go on under the last column of the first one."""
    from shutil import get_terminal_size
    from textwrap import fill

    hang = " " * (text.rfind("  ") + 2 if "  " in text else 0)
    width = get_terminal_size().columns
    return fill(text, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def fail(message: str) -> NoReturn:
    """End with one line for a person and exit code 2."""
    raise Refused(message)


@contextmanager
def in_one_line(command: Callable[[], str]) -> Iterator[None]:
    """Say what is wrong with an argument in one line that leads to the command's help, as every other refusal is.

    `command` is which one that is, where the error does not know it, as of an option without its value.
    """
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        message = " ".join(error.format_message().split())
        end = "" if message.endswith((".", "?", "?)")) else "."
        path = error.ctx.command_path if error.ctx is not None else command()
        raise Refused(f"{message}{end} See {path} --help") from None


def need_terminal(instead: str) -> None:
    """Refuse to draw into a pipe; a browser session has a driver of its own and needs no terminal."""
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdout.isatty() and sys.stdin.isatty()):
        fail(f"the screen needs a terminal; use {instead} to write lines instead")


def run(function: Callable[..., int], *args: Any, **kwargs: Any) -> NoReturn:
    """Run it and exit with its code; what can't be used as asked is one line, perhaps with advice, and exit code 2."""
    from smwatch.settings import SettingsError
    from smwatch.sources.errors import ConfigurationError

    try:
        code = function(*args, **kwargs)
    except (SettingsError, ConfigurationError) as error:
        raise Refused(str(error), getattr(error, "__notes__", ())) from None
    sys.exit(code)


@contextmanager
def output_taken(code: int = FAILED) -> Iterator[None]:
    """End with one line and exit code `code` where there is no room for standard output, as on a full disk.

    A closed pipe is left to others to end on, and so is trouble with a file, which the error names.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        let_go_of(sys.stdout)
        with suppress(OSError):
            click.echo(f"Error: can't write the output ({error.strerror})", err=True)
        sys.exit(code)


class _File(click.Path):
    """A Path, once one is given: what makes them takes as long to load as half of click. Serves "version"."""

    def convert(self, *given: Any) -> Path:
        from pathlib import Path

        return Path(os.fsdecode(super().convert(*given)))


OPTIONS: dict[str, dict[str, Any]] = {
    "--profile": {"metavar": "NAME", "help": "AWS profile; default: AWS_PROFILE."},
    "--region": {"metavar": "NAME", "multiple": True, "help": "Region to watch; repeatable. Default: the profile's."},
    "--log-group": {
        "metavar": "NAME_OR_ARN",
        "help": "The trail's CloudWatch Logs group: faster than CloudTrail alone.",
    },
    "--no-cloudtrail": {"is_flag": True, "help": "Don't ask CloudTrail's LookupEvents, only the log group."},
    "--since": {
        "metavar": "WHEN",
        "help": "How far back to begin: 15m, 2h, 7d or an ISO time.  [default: 1h]",
    },
    "--filter": {"metavar": "TEXT", "help": "Show what matches, e.g. 'name:Get* -user:lambda error'."},
    "--rules": {
        "metavar": "FILE",
        "multiple": True,
        "type": _File(),
        "help": "More rules (TOML); repeatable.",
    },
    "--config": {"metavar": "FILE", "type": _File(), "help": "Config file (TOML)."},
    "--state-dir": {"metavar": "DIR", "help": "Where the journal lies."},
    "--no-journal": {"is_flag": True, "help": "Remember nothing on disk."},
}
"""The options of `smwatch` itself: what is read, from where and how it is shown."""
PARAMETERS = {"--region": "regions", "--filter": "filter_text", "--rules": "rule_files"}
"""What the values of some are called in code."""


def source_options(*heeded: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of `smwatch`; its help shows those `heeded`, or all where none is named.

    It takes the others too and ignores them, so that options typed for one command go with the next.
    """

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, about in reversed(OPTIONS.items()):
            parameter = PARAMETERS.get(name, name.removeprefix("--").replace("-", "_"))
            hidden = bool(heeded) and name not in heeded
            command = click.option(name, parameter, hidden=hidden, **about)(command)
        return command

    return give


fail_on_option = click.option(
    "--fail-on",
    metavar="SEVERITY",
    type=click.Choice(("info", "low", "medium", "high", "critical")),
    help="Exit with 3 if an alarm of this severity or worse was raised that nobody acknowledged or muted.",
)


def settings_of(
    *,
    profile: str | None,
    regions: Sequence[str],
    log_group: str | None,
    no_cloudtrail: bool,
    since: str | None,
    filter_text: str | None,
    rule_files: Sequence[Path],
    config: Path | None,
    state_dir: str | None,
    no_journal: bool,
    wall: bool = False,
) -> Settings:
    """What the command line, the environment and the config file say together."""
    from smwatch.configuration import load
    from smwatch.settings import SettingsError

    flags: dict[str, Any] = {
        "profile": profile,
        "regions": tuple(regions) or None,
        "logs.group": log_group,
        "cloudtrail.enabled": False if no_cloudtrail else None,
        "since": since,
        "filter": filter_text,
        "rules.files": tuple(map(str, rule_files)) or None,
        "state_dir": state_dir,
        "journal.enabled": False if no_journal else None,
        "wall": wall or None,
    }
    try:
        return load(config, flags)
    except SettingsError as error:
        fail(str(error))
