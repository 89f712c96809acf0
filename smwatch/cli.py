"""argv → Settings → what runs; exit codes. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn

import click

from smwatch import __version__
from smwatch.visible import visible

if TYPE_CHECKING:
    from smwatch.rules.envelope import Rule, RuleSet
    from smwatch.settings import Settings

SEVERITIES = ("info", "low", "medium", "high", "critical")

EXIT_CODES = """\b
Exit codes: 0 fine; 1 failed; 2 usage or configuration; 3 --fail-on met;
4 --once could not read everything."""


class _Commands(click.Group):
    """A group some of whose commands are imported only when asked for."""

    lazy: ClassVar = {
        "setup": "smwatch.setup.commands.setup:setup",
        "doctor": "smwatch.setup.commands.doctor:doctor",
        "drill": "smwatch.setup.commands.drill:drill",
        "policy": "smwatch.setup.commands.policy:policy",
    }

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; that nobody reads its output any more is a quiet end, and nothing that failed."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the very end
            ctx.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of a first visit."""
        return [*super().list_commands(ctx), *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported if need be."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.lazy[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


class _Refused(click.ClickException):
    """What was asked for can't be done as it was asked for."""

    exit_code = click.UsageError.exit_code

    def __init__(self, message: str, notes: Sequence[str] = ()) -> None:
        super().__init__(visible(message))
        self._notes = notes

    def show(self, file: IO[Any] | None = None) -> None:
        """The one line, and what may help under it."""
        super().show(file)
        for note in self._notes:
            click.echo(visible(note), file, err=True)


def _fail(message: str) -> NoReturn:
    """End with one line for a person and exit code 2."""
    raise _Refused(message)


def _need_terminal(instead: str) -> None:
    """Refuse to draw into a pipe; a browser session has a driver of its own and needs no terminal."""
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdout.isatty() and sys.stdin.isatty()):
        _fail(f"the screen needs a terminal; use {instead} to write lines instead")


def _run(function: Callable[..., int], *args: Any, **kwargs: Any) -> NoReturn:
    """Run it and exit with its code; what can't be used as asked is one line, perhaps with advice, and exit code 2."""
    from smwatch.settings import SettingsError
    from smwatch.sources.errors import ConfigurationError

    try:
        code = function(*args, **kwargs)
    except (SettingsError, ConfigurationError) as error:
        raise _Refused(str(error), getattr(error, "__notes__", ())) from None
    sys.exit(code)


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--profile", metavar="NAME", help="AWS profile; default: AWS_PROFILE."),
    click.option(
        "--region",
        "regions",
        metavar="NAME",
        multiple=True,
        help="Region to watch; repeatable. Default: the profile's.",
    ),
    click.option(
        "--log-group", metavar="NAME_OR_ARN", help="The trail's CloudWatch Logs group: faster than CloudTrail alone."
    ),
    click.option("--no-cloudtrail", is_flag=True, help="Don't ask CloudTrail's LookupEvents, only the log group."),
    click.option("--since", metavar="WHEN", help="How far back to begin: 15m, 2h, 7d or an ISO time.  [default: 1h]"),
    click.option(
        "--filter", "filter_text", metavar="TEXT", help="Show what matches, e.g. 'name:Get* -user:lambda error'."
    ),
    click.option(
        "--rules",
        "rule_files",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path),
        help="More rules (TOML); repeatable.",
    ),
    click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="Config file (TOML)."),
    click.option("--state-dir", metavar="DIR", help="Where the journal lies."),
    click.option("--no-journal", is_flag=True, help="Remember nothing on disk."),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _settings(
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
    from smwatch.settings import SettingsError, load

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
        _fail(str(error))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@_options
@click.option("--wall", is_flag=True, help="The ops wall: needs no keyboard.")
@click.version_option(__version__, prog_name="smwatch")
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Watch who uses which secret in AWS Secrets Manager, live.

    With no command, opens the screen. It reads the audit trail (CloudTrail and, if named, the trail's log group) and
    never a secret's value. New here? `smwatch demo` plays an incident without AWS.
    """
    if ctx.invoked_subcommand is not None:
        return
    _need_terminal("smwatch tail")
    from smwatch.run import watch

    _run(watch, _settings(**options))


@main.command(epilog=EXIT_CODES)
@_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: events, alarms, status.")
@click.option("--once", is_flag=True, help="End when everything up to now has been read.")
@click.option(
    "--fail-on",
    metavar="SEVERITY",
    type=click.Choice(SEVERITIES),
    help="Exit with 3 if an alarm of this severity or worse was raised.",
)
def tail(*, as_json: bool, once: bool, fail_on: str | None, **options: Any) -> None:
    """Print events as lines, and follow.

    Prints what the sources hold since --since, then what comes; each event once per state directory, also across
    restarts.

    \b
      smwatch tail --json | jq 'select(.error_code)'
      smwatch tail --once --since 24h --fail-on critical
    """
    from smwatch.run import follow_lines

    _run(follow_lines, _settings(**options), json=as_json, once=once, fail_on=fail_on)


@main.command(epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@_options
@click.option("--json", "as_json", is_flag=True, help="Headless: one JSON object a line.")
@click.option(
    "--speed", metavar="FACTOR", help="Pace by the time of the events: 60x is an hour a minute.  [default: all at once]"
)
@click.option(
    "--fail-on",
    metavar="SEVERITY",
    type=click.Choice(SEVERITIES),
    help="Exit with 3 if an alarm of this severity or worse was raised.",
)
def replay(*, files: Sequence[Path], as_json: bool, speed: str | None, fail_on: str | None, **options: Any) -> None:
    """Show recorded trail files on the same screen.

    Reads trail files (.json, .json.gz, directories), JSON lines, the output of `aws cloudtrail lookup-events`, and
    CloudWatch Logs exports; - is standard input (with --json). Records that don't say when they happened count as of
    now.
    """
    from smwatch.run import replay_files

    settings = _settings(**options)
    factor = _speed(speed)
    if not as_json:
        _need_terminal("smwatch replay --json")
    _run(replay_files, settings, files, json=as_json, speed=factor, fail_on=fail_on)


def _speed(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e9:
        _fail(f"--speed {text!r}: write how many times faster than it happened, e.g. 60x")
    return factor


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Headless: the whole incident once, one JSON object a line.")
@click.option("--wall", is_flag=True, help="On the ops wall.")
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="Config file: of it, only [ui] counts.")
def demo(*, as_json: bool, wall: bool, config: Path | None) -> None:
    """Play a scripted incident; needs no AWS, no network, no credentials."""
    from smwatch.run import play_demo

    if not as_json:
        _need_terminal("smwatch demo --json")
    _run(play_demo, config, json=as_json, wall=wall)


@main.command(epilog=EXIT_CODES)
@_options
@click.option("--format", "form", type=click.Choice(("jsonl", "csv", "report")), required=True, help="What to write.")
def export(*, form: str, **options: Any) -> None:
    """Write what the journal holds since --since to standard output.

    jsonl is evidence (smwatch replay reads it back), csv is for a spreadsheet, report is Markdown for the incident's
    file: alarms with notes, timeline, secrets, principals. Nothing is asked of AWS: to have the journal filled, run
    `smwatch tail --once --since 7d` first.
    """
    from smwatch.run import export as write

    _run(write, _settings(**options), form=form)


@main.command()
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port.")
@click.option("--host", metavar="NAME", default="localhost", show_default=True, help="Address to listen at.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(*, port: int, host: str, arguments: Sequence[str]) -> None:
    """Show the screen in a browser (extra: web).

    Each browser tab runs an smwatch of its own, with the ARGUMENTS after --:

    \b
      smwatch serve -- --wall --profile prod
      smwatch serve -- demo
    """
    try:
        from smwatch.serve.server import GuardedServer, is_loopback
    except ModuleNotFoundError as error:
        if error.name not in ("textual_serve", "aiohttp_jinja2"):
            raise
        _fail("the browser front is an extra: pip install 'smwatch[web]'")
    server = GuardedServer(arguments, host=host, port=port)
    if not is_loopback(host):
        click.echo(
            f"smwatch: warning: everybody who can reach {host} port {port} and has the token sees your audit trail, "
            "and the connection is not encrypted: put a TLS proxy in front",
            err=True,
        )
    click.echo(f"smwatch: open {server.address}  (Ctrl-C ends it)", err=True)
    try:
        server.serve()
    except OSError as error:
        _fail(f"can't listen at {host} port {port}: {error.strerror or error}")


@main.group()
def pattern() -> None:
    """Try out CloudWatch Logs filter patterns."""


@pattern.command(
    "test",
    epilog="Exit codes: 0 some lines match; 1 none; 2 the pattern can't be used, or AWS not asked; 3 AWS disagrees.",
)
@click.argument("text", metavar="PATTERN")
@click.argument("file", metavar="[FILE]", type=click.File("r", encoding="utf-8", errors="surrogateescape"), default="-")
@click.option(
    "--aws", "ask_aws", is_flag=True, help="Ask CloudWatch Logs too (TestMetricFilter), and say what differs."
)
@click.option("--profile", default="", metavar="NAME", help="With --aws: AWS profile.")
@click.option("--region", default="", metavar="NAME", help="With --aws: the Region to ask in.")
def pattern_test(*, text: str, file: IO[str], ask_aws: bool, profile: str, region: str) -> None:
    """Print the lines of FILE (default: standard input) that match PATTERN.

    Evaluated as CloudWatch Logs does it, here: the same pattern works in a metric filter and in `aws logs tail`.

    \b
      smwatch pattern test '{ $.eventName = "Get*" }' events.jsonl
      smwatch pattern test --aws '[ip, ..., status = 4*, bytes]' access.log
    """
    from smwatch import patterns

    compiled, refusal = None, ""
    try:
        compiled = patterns.compile(text)
    except patterns.PatternError as error:
        click.echo(_pointed(text, error.position), err=True)
        refusal = f"character {error.position + 1} of the pattern: {error}"
    if file is sys.stdin and sys.stdin.isatty():
        click.echo("smwatch: reads lines from the terminal; Ctrl-D ends them", err=True)
    if ask_aws:
        from smwatch.setup.compared import REFUSED, compare
        from smwatch.setup.second_opinion import second_opinion
        from smwatch.setup.trouble import SetupError

        try:
            code = compare(
                compiled,
                file,
                second_opinion(text, profile, region),
                show=_print_line,
                tell=lambda line: click.echo(visible(line), err=True),
            )
        except SetupError as error:
            _fail(refusal or str(error))
        if refusal and code == REFUSED:
            _fail(refusal)
        sys.exit(code)
    if compiled is None:
        _fail(refusal)
    some = False
    for line in patterns.matching(compiled, file):
        some = True
        _print_line(line)
    sys.exit(0 if some else 1)


def _print_line(line: str) -> None:
    """Print a line as it was read, except to a terminal, where nothing in it may act."""
    click.echo(visible(line) if sys.stdout.isatty() else line.encode("utf-8", "surrogateescape"))


def _pointed(text: str, position: int) -> str:
    """The part of a text around a position, with a mark below; short enough for one line."""
    start = max(0, position - 50) if len(text) > 76 else 0
    before, after = ("…" if start else ""), ("…" if len(text) > start + 75 else "")
    return f"  {before}{visible(text[start : start + 75])}{after}\n  {' ' * (len(before) + position - start)}^"


@main.group()
def rules() -> None:
    """The rules that raise alarms."""


@rules.command("list")
@_options
def rules_list(**options: Any) -> None:
    """All rules in force: id, severity, kind, how much of it AWS could run by itself, title."""
    from smwatch.rules.listing import catalogue

    for line in catalogue(_rules(options)):
        click.echo(visible(line))


@rules.command("show")
@click.argument("rule_id", metavar="ID")
@_options
def rules_show(*, rule_id: str, **options: Any) -> None:
    """Everything about one rule: why it matters, its pattern, known noise, next commands."""
    from smwatch.rules.listing import description

    (rule,) = _chosen(_rules(options), [rule_id])
    for line in description(rule):
        click.echo(visible(line))


@rules.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def rules_check(*, file: Path) -> None:
    """Say what is wrong in a rules FILE; exit code 2 if anything is.

    A first rule, to begin with:

    \b
      [[rule]]
      id = "prod-by-hand"
      title = "Production secret read by a person"
      severity = "high"
      why = "People have no business with production secrets."
      when = '''{ $.eventName = "GetSecretValue" && $.userIdentity.type = "IAMUser"
                 && $.requestParameters.secretId = "*prod/*" }'''
      by = ["secret", "identity"]
      next = ["aws secretsmanager describe-secret --secret-id {secret} --region {region}"]

    `when` is a CloudWatch Logs filter pattern (try it: smwatch pattern test), `by` what makes one alarm of many events.
    `smwatch rules show ID` has more to learn from; then try yours: smwatch replay --json --rules FILE trail/
    """
    from smwatch.rules.listing import summary
    from smwatch.rules.rule import RuleError, combine, load, load_builtin

    try:
        own = load(file)
        found = combine(load_builtin(), [own])
    except RuleError as error:
        for problem in error.problems:
            click.echo(visible(problem), err=True)
        sys.exit(click.UsageError.exit_code)
    click.echo(visible(f"{file}: {len(own.rules)} rule{'s' * (len(own.rules) != 1)}, nothing wrong"))
    for rule in found.rules:
        if rule.id in own.rules:
            click.echo(visible(f"  {summary(rule)}"))


@rules.command("export")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("cli", "cloudformation", "terraform", "eventbridge")),
    default="cli",
    show_default=True,
    help="What to write.",
)
@_options
def rules_export(*, ids: Sequence[str], form: str, **options: Any) -> None:
    """Write rules as what AWS can run of them, and say of each how much that is.

    cli, cloudformation and terraform are a metric filter and an alarm for each pattern of a rule; eventbridge is a JSON
    list of requests to PutRule. Each rule is marked as exact, approximate (with what is left out) or smwatch only.

    \b
      smwatch rules export SMW-DEL-01 --log-group CloudTrail/SecretsManager
      smwatch rules export --format cloudformation > alarms.json
      smwatch rules export --format eventbridge | jq -c '.[].put_rule | values'
    """
    from smwatch.rules.export import cli, cloudformation, event_rules, terraform
    from smwatch.setup.place import group_name

    rules = _rules(options)
    chosen = _chosen(rules, ids) if ids else rules.rules
    group = group_name(options["log_group"] or "")
    match form:
        case "cli":
            text = "\n".join(cli.commands(chosen, group))
        case "cloudformation":
            text = cloudformation.template(chosen, group)
        case "terraform":
            text = "\n".join(terraform.module(chosen, group))
        case _:
            text = event_rules.document(chosen)
    click.echo(text)


def _chosen(rules: RuleSet, ids: Sequence[str]) -> list[Rule]:
    """The rules of these ids, in whatever case they are written; in their own order."""
    by_id = {rule.id.upper(): rule for rule in rules.rules}
    if unknown := [each for each in ids if each.upper() not in by_id]:
        _fail(f"there is no rule {', '.join(unknown)}: see smwatch rules list")
    wanted = {each.upper() for each in ids}
    return [rule for name, rule in by_id.items() if name in wanted]


def _rules(options: dict[str, Any]) -> RuleSet:
    from smwatch.parts import build_rules
    from smwatch.settings import SettingsError

    try:
        return build_rules(_settings(**options))
    except SettingsError as error:
        _fail(str(error))
