"""`smwatch pattern`: filter patterns tried out."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import IO, NoReturn

import click

from smwatch.cli.common import fail, output_taken
from smwatch.leaving import USAGE
from smwatch.visible import visible

LONGEST = 1 << 20
"""Characters of a line that can be a log event: CloudWatch Logs takes up to 1 MB."""


class _TakesPattern(click.Command):
    """A command whose first argument may begin with a hyphen, as a pattern that excludes a term does: -DEBUG."""

    MARK = "\0"
    """No argument of a process can begin so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Mark what would be taken for options with one letter each; there is none but -h."""
        skip = False
        for i, arg in enumerate(args):
            if skip or arg.startswith("--") or arg in ("-h", "-"):
                skip = arg in ("--profile", "--region") and not skip
                if arg == "--":
                    break
                continue
            if arg.startswith("-"):
                args[i] = self.MARK + arg
            break
        return super().parse_args(ctx, args)


@click.group()
def pattern() -> None:
    """Try out CloudWatch Logs filter patterns."""


@pattern.command(
    "test",
    cls=_TakesPattern,
    short_help="Print the lines that match a pattern.",
    epilog="Exit codes: 0 some lines match; 1 none; 2 the pattern can't be used, AWS not asked, or nothing written;"
    " 3 AWS disagrees.",
)
@click.argument("text", metavar="PATTERN")
@click.argument("file", metavar="[FILE]", type=click.File("r", encoding="utf-8", errors="surrogateescape"), default="-")
@click.option(
    "--aws", "ask_aws", is_flag=True, help="Ask CloudWatch Logs too (TestMetricFilter), and say what differs."
)
@click.option("--profile", default="", metavar="NAME", help="With --aws: AWS profile.")
@click.option("--region", default="", metavar="NAME", help="With --aws: the Region to ask in.")
@output_taken(USAGE)  # 1 would be taken for the answer that nothing matches
def pattern_test(*, text: str, file: IO[str], ask_aws: bool, profile: str, region: str) -> None:
    """Print the lines of FILE (default: standard input) that match PATTERN.

    Evaluated as CloudWatch Logs does it, here: the same pattern works in a metric filter and in `aws logs tail`.

    \b
      smwatch pattern test '{ $.eventName = "Get*" }' events.jsonl
      smwatch pattern test --aws '[ip, ..., status = 4*, bytes]' access.log
    """
    from smwatch import patterns
    from smwatch.headless.meter import Meter

    text = text.removeprefix(_TakesPattern.MARK)
    compiled, refusal = None, ""
    try:
        compiled = patterns.compile(text)
    except patterns.PatternError as error:
        click.echo(_pointed(text, error.position), err=True)
        refusal = f"character {error.position + 1} of the pattern: {error}"
    if compiled and (word := compiled.hyphenated):
        click.echo(visible(f'smwatch: a hyphen excludes what follows it: to find {word} write "{word}"'), err=True)
    show, lines = _printer(file), _Lines(file)
    if file is sys.stdin and sys.stdin.isatty():
        click.echo("smwatch: reads lines from the terminal; Ctrl-D ends them", err=True)
    if ask_aws:
        from smwatch.setup.compared import REFUSED, compare
        from smwatch.setup.second_opinion import second_opinion
        from smwatch.setup.trouble import SetupError

        try:
            code = compare(
                compiled,
                lines,
                second_opinion(text, profile, region),
                show=show,
                tell=lambda line: click.echo(visible(line), err=True),
            )
        except SetupError as error:
            fail(refusal or str(error))
        if refusal and code == REFUSED:
            fail(refusal)
        _end(lines, code)
    if compiled is None:
        fail(refusal)
    some = False
    for line in patterns.matching(compiled, Meter("read", of="lines").counted(lines)):
        some = True
        show(line)
    _end(lines, 0 if some else 1)


class _Lines:
    """The lines of a file; one that is too long for a log event is counted and empty, however long it is."""

    def __init__(self, file: IO[str]) -> None:
        self.too_long = 0
        self._file = file

    def __iter__(self) -> Iterator[str]:
        read = self._file.readline
        while line := read(LONGEST + 1):
            if len(line) > LONGEST and not line.endswith("\n"):
                self.too_long += 1
                while line and not line.endswith("\n"):
                    line = read(LONGEST)
                line = "\n"
            yield line


def _end(lines: _Lines, code: int) -> NoReturn:
    """Say what was left out, and end."""
    sys.stdout.flush()
    if number := lines.too_long:
        which = "1 line is" if number == 1 else f"{number:,} lines are"
        click.echo(f"smwatch: {which} longer than a log event can be (1 MB), and left out", err=True)
    sys.exit(code)


def _printer(file: IO[str]) -> Callable[[str], None]:
    """What prints a line as it was read, except to a terminal, where nothing in it may act.

    Each is there at once while somebody may wait for it: on a terminal, and as long as lines still come in.
    """
    if sys.stdout.isatty():
        return lambda line: click.echo(visible(line))
    out, coming = sys.stdout.buffer, not _is_whole(file)

    def write(line: str) -> None:
        out.write(line.encode("utf-8", "surrogateescape") + b"\n")
        if coming:
            out.flush()

    return write


def _is_whole(file: IO[str]) -> bool:
    """Whether all lines are there already: it is a file on a disk."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _pointed(text: str, position: int) -> str:
    """The part of a text around a position, with a mark below; short enough for one line."""
    start = max(0, position - 50) if len(text) > 76 else 0
    before, after = ("…" if start else ""), ("…" if len(text) > start + 75 else "")
    return f"  {before}{visible(text[start : start + 75])}{after}\n  {' ' * (len(before) + position - start)}^"
