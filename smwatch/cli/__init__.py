"""The command line: argv → Settings → what runs; exit codes. A file a command, imported when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar

import click
from click.core import ParameterSource

from smwatch import __version__
from smwatch.cli.common import (
    EXIT_CODES,
    fail,
    in_one_line,
    need_terminal,
    output_taken,
    run,
    settings_of,
    source_options,
)
from smwatch.leaving import let_go_of


class _Commands(click.Group):
    """A group whose commands are imported only when asked for."""

    places: ClassVar = {
        "demo": "smwatch.cli.demo",
        "tail": "smwatch.cli.tail",
        "replay": "smwatch.cli.replay",
        "export": "smwatch.cli.export",
        "serve": "smwatch.cli.serve",
        "rules": "smwatch.cli.rules",
        "pattern": "smwatch.cli.pattern",
        "setup": "smwatch.setup.commands.setup",
        "doctor": "smwatch.setup.commands.doctor",
        "drill": "smwatch.setup.commands.drill",
        "policy": "smwatch.setup.commands.policy",
    }

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run what is asked for, be it a page of help."""
        with output_taken():
            return super().main(*args, **kwargs)

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **kwargs: Any) -> click.Context:
        """Read the options before a command."""
        with in_one_line(lambda: info_name or "smwatch"):
            return super().make_context(info_name, args, *more, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; that nobody reads its output any more is a quiet end, and nothing that failed."""
        try:
            with in_one_line(lambda: " ".join(filter(None, (ctx.command_path, ctx.invoked_subcommand)))):
                return super().invoke(ctx)
        except BrokenPipeError:
            let_go_of(sys.stdout)
            ctx.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of a first visit."""
        del ctx
        return list(self.places)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; one that is nearly there is answered with the names it may be."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.places, ctx=ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; each lies under its own name in a module of its own."""
        del ctx
        if cmd_name not in self.places:
            return None
        command = getattr(import_module(self.places[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@source_options()
@click.option("--wall", is_flag=True, help="The ops wall: needs no keyboard.")
@click.version_option(__version__, prog_name="smwatch")
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Watch who uses which secret in AWS Secrets Manager, live.

    With no command, opens the screen. It reads the audit trail (CloudTrail and, if named, the trail's log group) and
    never a secret's value. New here? `smwatch demo` plays an incident without AWS.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_misplaced(ctx)
        return
    need_terminal("smwatch tail")
    from smwatch.running.show import watch

    run(watch, settings_of(**options))


def _refuse_misplaced(ctx: click.Context) -> None:
    """Fail on options before a command: they are the screen's, and the command would run as if they were not there."""
    for parameter in ctx.command.params:
        if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            option = parameter.opts[0]
            fail(f"write {option} after the command: smwatch {ctx.invoked_subcommand} {option} …")
