"""`smwatch setup`, `doctor`, `drill` and `policy`: options in, sentences and exit codes out.

Everything heavy is imported when a command runs: the command line loads this file to know its options.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from smwatch.setup.apply import Progress
    from smwatch.setup.aws import Aws
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
    profile: str,
    regions: tuple[str, ...],
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
    """
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json can't ask: add --yes, or --dry-run to only look.")
    with _told(profile):
        from smwatch.setup.place import arn_part, is_arn
        from smwatch.setup.render import plan_json, plan_text
        from smwatch.setup.run import carry_out
        from smwatch.setup.wishes import Options

        options = Options(regions=regions, **chosen)  # type: ignore[arg-type]
        group = options.log_group
        region = regions[0] if regions else arn_part(group, 3) if is_arn(group) else ""
        aws, look = _plans(options, profile, region, keep_logs=keep_logs)
        plan = look()
        if not as_json:
            click.echo(plan_text(plan))
        left = plan
        applied = False
        if plan.changes and not plan.blockers and not dry_run and (yes or _agreed()):
            left = carry_out(aws, plan, look, tell=_tell, sleep=time.sleep, profile=profile)
            applied = True
        if as_json:
            rest = [step.what for step in left.changes] if applied else []
            click.echo(plan_json(plan, applied=applied, not_as_planned=rest))
        _conclude(plan, left, applied=applied, dry_run=dry_run, removed=options.remove)


def _plans(options: Options, profile: str, region: str, *, keep_logs: bool) -> tuple[Aws, Callable[[], Plan]]:
    """Return the way to AWS, and what makes a plan from what is there at the moment it is called."""
    from smwatch.setup.aws import open_session
    from smwatch.setup.catalogue import exportable_rules
    from smwatch.setup.run import removal_plan, setup_plan
    from smwatch.setup.wishes import check_arns, wanted

    wishes = wanted(options, exportable_rules() if options.rules or options.events else {})
    aws = open_session(profile, region)
    place = aws.identity().place(aws.region)
    check_arns(wishes.names, place.partition)
    if options.remove:
        return aws, partial(removal_plan, aws, place, wishes, keep_logs=keep_logs)
    return aws, partial(setup_plan, aws, place, wishes)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask: add --yes, or --dry-run to only look.")
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
    if plan.blockers:
        click.echo("Nothing was changed: see what is to be decided first.", err=True)
        sys.exit(1)
    if applied and left.changes:
        things = ", ".join(step.what for step in left.changes)
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
    """Print the least-privilege IAM policy for watching, for setup or for the drill."""
    with _told(profile):
        from smwatch.setup import policies, wishes
        from smwatch.setup.place import ANY, arn_part, group_name, is_arn

        names = wishes.wanted(wishes.Options(log_group=log_group, **chosen), {}).names  # type: ignore[arg-type]
        region = regions[0] if regions else arn_part(log_group, 3) if is_arn(log_group) else ""
        place = _known_place(profile, region, account or arn_part(log_group, 4), partition)
        group = group_name(log_group) or ANY
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
