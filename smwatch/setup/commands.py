"""`smwatch setup`, `doctor`, `drill` and `policy`: options in, sentences and exit codes out.

Everything heavy is imported when a command runs: the command line loads this file to know its options.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from smwatch.setup.apply import Progress
    from smwatch.setup.aws import Aws
    from smwatch.setup.drill import Ground
    from smwatch.setup.place import Place
    from smwatch.setup.plan import Plan
    from smwatch.setup.wishes import Options

Command = TypeVar("Command", bound=Callable[..., None])


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds options, in the order in which help shows them."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_where = _options(
    click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The config file."),
    click.option("--profile", default="", metavar="NAME", help="The AWS profile."),
    click.option("--region", "regions", multiple=True, metavar="NAME", help="A Region; the first is where things are."),
    click.option("--log-group", default="", metavar="NAME_OR_ARN", help="The log group that the trail delivers to."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)
_names = _options(
    click.option("--trail", default="", metavar="NAME_OR_ARN", help="The trail to use, or to make."),
    click.option("--bucket", default="", metavar="NAME", help="The bucket of a trail that is made."),
    click.option("--role", default="", metavar="NAME", help="The role that CloudTrail delivers with."),
    click.option("--topic", default="", metavar="NAME_OR_ARN", help="The SNS topic that is told."),
    click.option("--queue", default="", metavar="NAME_OR_ARN", help="The SQS queue EventBridge tells, not the topic."),
)


@click.command()
@_where
@_names
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["trail", "alarm", "events"]),
    help="Only this part; repeatable. Without: trail and alarm, and events where --event names some.",
)
@click.option("--email", "emails", multiple=True, metavar="ADDRESS", help="Who is told by mail; repeatable.")
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Another rule to alarm on; repeatable.")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="NAME",
    help="An EventBridge rule for deleted-secrets, rotation, an operation or a rule's ID; repeatable.",
)
@click.option("--reads", is_flag=True, help="Let the EventBridge rules see read-only operations too.")
@click.option("--retention", type=int, metavar="DAYS", help="How long the log group keeps events (new: 90 days).")
@click.option("--new-trail", is_flag=True, help="Make a trail even where one logs already: a second, paid copy.")
@click.option("--replace-delivery", is_flag=True, help="Take a trail's log group away for the one given.")
@click.option("--remove", is_flag=True, help="Take away what setup made, and nothing else.")
@click.option("--keep-logs", is_flag=True, help="With --remove: keep the log group and the bucket.")
@click.option("--dry-run", is_flag=True, help="Only look and print the plan.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def setup(
    config: Path | None,
    profile: str,
    regions: tuple[str, ...],
    log_group: str,
    *,
    as_json: bool,
    keep_logs: bool,
    dry_run: bool,
    yes: bool,
    **chosen: object,
) -> None:
    """Make what smwatch reads from and what tells you: trail, log group, alarm, EventBridge rules.

    Looks first, prints a plan (what is kept, made and changed, its cost, its permissions, how to undo it), asks, does
    it, and looks again. Run it twice and the second run changes nothing.

    \b
      smwatch setup --dry-run                                   what would it do?
      smwatch setup --email ops@example.com                     trail, log group, alarm, mail
      smwatch setup --part alarm --rule SMW-ROT-01              one more alarm
      smwatch setup --event deleted-secrets --queue smwatch     EventBridge, to a queue
      smwatch setup --remove                                    take it all away again
    """
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json can't ask: add --yes, or --dry-run to only look.")
    where = _settled(config, profile, regions, log_group)
    with _told(where.profile):
        from smwatch.setup.apply import BrokenOffError
        from smwatch.setup.render import plan_json, plan_text
        from smwatch.setup.run import carry_out
        from smwatch.setup.wishes import Options

        options = Options(regions=where.regions, log_group=where.log_group, **chosen)  # type: ignore[arg-type]
        aws, look = _plans(options, where, keep_logs=keep_logs)
        plan = look()
        if not as_json:
            click.echo(plan_text(plan, _width()))
        left = plan
        applied = False
        if (
            plan.changes
            and not plan.blockers
            and not dry_run
            and (yes or _agreed("add --yes, or --dry-run to only look"))
        ):
            try:
                with Signals():
                    left = carry_out(aws, plan, look, tell=_tell, sleep=time.sleep, profile=where.profile)
            except BrokenOffError as error:
                if as_json:
                    click.echo(plan_json(plan, applied=False, broken_off=error.report()))
                raise
            applied = True
        if as_json:
            rest = [step.what for step in left.changes] if applied else []
            click.echo(plan_json(plan, applied=applied, not_as_planned=rest))
        _conclude(plan, left, applied=applied, dry_run=dry_run, removed=options.remove)


def _plans(options: Options, where: Where, *, keep_logs: bool) -> tuple[Aws, Callable[[], Plan]]:
    """Return the way to AWS, and what makes a plan from what is there at the moment it is called."""
    from smwatch.setup.aws import open_session
    from smwatch.setup.catalogue import exportable_rules, for_account
    from smwatch.setup.run import removal_plan, setup_plan
    from smwatch.setup.wishes import check_arns, wanted

    wishes = wanted(options, exportable_rules() if options.rules or options.events else {})
    aws = open_session(where.profile, where.region)
    place = aws.identity().place(aws.region)
    check_arns(wishes.names, place.partition)
    wishes = for_account(wishes, place.account) if options.rules or options.events else wishes
    if options.remove:
        return aws, partial(removal_plan, aws, place, wishes, keep_logs=keep_logs)
    return aws, partial(setup_plan, aws, place, wishes)


def _agreed(instead: str) -> bool:
    """Ask; leave with 1 for a no, and with 2 where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to ask: {instead}.")
    if click.confirm("\nDo this?", default=False, err=True):
        return True
    click.echo("Nothing was changed.", err=True)
    sys.exit(1)


def _tell(progress: Progress) -> None:
    from smwatch.visible import visible

    count = f"[{progress.done + 1}/{progress.of}]"
    if progress.waiting:
        click.echo(f"{count}   {visible(progress.waiting)}", err=True)
    else:
        click.echo(f"{count} {progress.step.change} {visible(progress.step.what)}", err=True)


def _conclude(plan: Plan, left: Plan, *, applied: bool, dry_run: bool, removed: bool) -> None:
    """Say how it ended and leave with the exit code that fits."""
    from smwatch.visible import visible

    if plan.blockers:
        click.echo("Nothing was changed: see what is to be decided first.", err=True)
        sys.exit(1)
    if applied and left.changes:
        things = ", ".join(visible(step.what) for step in left.changes)
        click.echo(f"Not as planned after two attempts: {things}. `smwatch doctor` says why.", err=True)
        sys.exit(1)
    if applied and removed:
        click.echo("Removed.", err=True)
    elif applied:
        click.echo(
            "Done. The first events reach the log group within about 15 minutes: `smwatch doctor` says when, "
            "and `smwatch drill` tests the whole chain.",
            err=True,
        )
    elif not plan.changes:
        click.echo("There is nothing left to remove." if removed else "Everything is as it should be.", err=True)
    elif dry_run:
        click.echo("Only looked: nothing was changed.", err=True)


@click.command()
@click.argument("kind", metavar="watch|setup|drill", type=click.Choice(["watch", "setup", "drill"]))
@_where
@_names
@click.option("--account", default="", metavar="ID", help="The account; without, AWS is asked.")
@click.option("--partition", default="", metavar="NAME", help="aws, aws-us-gov or aws-cn.")
@click.option("--no-enrichment", is_flag=True, help="watch: without asking Secrets Manager for metadata.")
def policy(
    kind: str,
    config: Path | None,
    profile: str,
    regions: tuple[str, ...],
    log_group: str,
    account: str,
    partition: str,
    *,
    as_json: bool,  # noqa: ARG001 - a policy is JSON anyway
    no_enrichment: bool,
    **chosen: str,
) -> None:
    """Print the least-privilege IAM policy for watching, for setup or for the drill.

    Partition, account and Region are filled in from the credentials where there are any; names that are not given are
    those that setup uses, or a wildcard for what it would find.

    \b
      smwatch policy watch --log-group CloudTrail/MyCloudWatchLogGroup > policy.json
      aws iam create-policy --policy-name smwatch-watch --policy-document file://policy.json
    """
    where = _settled(config, profile, regions, log_group)
    with _told(where.profile):
        from smwatch.setup import policies, wishes
        from smwatch.setup.place import ANY, arn_part, group_name

        names = wishes.wanted(wishes.Options(log_group=where.log_group, **chosen), {}).names  # type: ignore[arg-type]
        place = _known_place(where.profile, where.region, account or arn_part(where.log_group, 4), partition)
        group = group_name(where.log_group) or ANY
        match kind:
            case "watch":
                document = policies.watch_policy(place, group, enrichment=not no_enrichment)
            case "setup":
                document = policies.setup_policy(place, names, trail=names.trail if chosen["trail"] else ANY)
            case _:
                document = policies.drill_policy(place, group)
        click.echo(policies.as_json(document))


def _known_place(profile: str, region: str, account: str, partition: str) -> Place:
    """Return as much of partition, account and Region as can be known; a wildcard stands for the rest."""
    from smwatch.setup.aws import known_place
    from smwatch.setup.place import ANY
    from smwatch.setup.wishes import check_place

    check_place(account, partition)
    place, why = known_place(profile, region, account, partition)
    if why:
        click.echo(f"{why} The account is left open: --account fills it in.", err=True)
    if place.region == ANY:
        click.echo("The Region is left open: --region fills it in.", err=True)
    return place


@click.command()
@_where
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
    where = _settled(config, profile, regions, log_group, state_dir)
    with _told(where.profile):
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


@click.command()
@_where
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
    where = _settled(config, profile, regions, log_group)
    with _told(where.profile):
        from smwatch.setup.aws import open_session
        from smwatch.setup.drill import Clock, drill_name, report_json, report_text, survey
        from smwatch.setup.drill import drill as run
        from smwatch.setup.place import group_name

        aws = open_session(where.profile, where.region)
        place = aws.identity().place(aws.region)
        name = drill_name(datetime.now(UTC), secrets.token_hex(3))
        ground = survey(aws, place, group_name(where.log_group))
        click.echo(_consent(ground, name, wait), err=True)
        if not yes:
            _agreed("add --yes")
        with Signals() as signals:
            report = run(
                aws,
                ground,
                name,
                patience=timedelta(minutes=wait),
                clock=Clock(lambda: datetime.now(UTC), time.sleep),
                tell=_say,
                shield=signals.waiting,
            )
        click.echo(report_json(report) if as_json else report_text(report))
        if report.interrupted:
            click.echo("Interrupted before everything was seen.", err=True)
        if not report.passed:
            sys.exit(1)


def _width() -> int:
    """Return how wide text is set: the terminal's width, within what is pleasant to read."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 100))


def _say(text: str) -> None:
    from smwatch.visible import visible

    click.echo(f"{datetime.now(UTC):%H:%M:%S} {visible(text)}", err=True)


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
    return "\n".join(textwrap.fill(visible(line), _width(), break_on_hyphens=False) for line in lines)


class Signals:
    """Makes a closed terminal and a polite kill what Ctrl-C is, and lets all three wait where something is undone."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._shielded = False
        self._pressed = 0

    def __enter__(self) -> Signals:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before = {number: signal.signal(number, self._interrupt) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def waiting(self, made_up_for: bool) -> Iterator[None]:
        """Hold signals up, until the end or for good; the third gets through, for who can't wait."""
        self._shielded, self._pressed = True, 0
        try:
            yield
        finally:
            self._shielded = False
        if made_up_for and self._pressed:
            raise KeyboardInterrupt

    def _interrupt(self, _number: int, _frame: object) -> None:
        self._pressed += 1
        if not self._shielded or self._pressed > _PATIENT:
            raise KeyboardInterrupt
        os.write(sys.stderr.fileno(), _MOMENT)  # not through the buffer: what is interrupted may be writing to it


_MOMENT = b"A moment, until AWS has answered: else the secret may be left behind. A third Ctrl-C does not wait.\n"
_PATIENT = 2
"""Signals that are held up at most."""


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


def _settled(config: Path | None, profile: str, regions: tuple[str, ...], log_group: str, state_dir: str = "") -> Where:
    """Return what is meant: defaults < config file < environment < options, as for every other command."""
    from smwatch.settings import SettingsError, default_state_dir, load

    said = {"profile": profile, "regions": regions, "logs.group": log_group, "state_dir": state_dir}
    try:
        settings = load(config, {key: value or None for key, value in said.items()})
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    folder = Path(settings.state_dir) if settings.state_dir else default_state_dir()
    return Where(settings.profile or "", settings.regions, settings.logs.group, folder)


@contextmanager
def _told(profile: str) -> Iterator[None]:
    """Say what went wrong in a line or two, with the next step, and end with 1; with 2 for an option that can't be."""
    from smwatch.setup.trouble import AWS_ERRORS, SetupError, sentence
    from smwatch.setup.wishes import OptionError
    from smwatch.visible import visible

    try:
        yield
    except SetupError as error:
        for line in str(error).splitlines():
            click.echo(visible(line), err=True)
        sys.exit(2 if isinstance(error, OptionError) else 1)
    except AWS_ERRORS as error:
        click.echo(sentence(error, profile=profile), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(1)
