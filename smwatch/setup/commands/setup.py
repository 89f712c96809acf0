"""`smwatch setup`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smwatch.setup.commands.asked import Where, agreed, names_options, settled, told, where_options, width
from smwatch.setup.commands.signals import Signals

if TYPE_CHECKING:
    from smwatch.setup.apply import Progress
    from smwatch.setup.aws import Aws
    from smwatch.setup.plan import Plan
    from smwatch.setup.wishes import Options


@click.command(short_help="Make the trail, log group and alarms.")
@where_options
@names_options
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
    where = settled(config, profile, regions, log_group)
    with told(where.profile):
        from smwatch.setup.apply import BrokenOffError
        from smwatch.setup.render import plan_json, plan_text
        from smwatch.setup.run import carry_out
        from smwatch.setup.wishes import Options

        options = Options(regions=where.regions, log_group=where.log_group, **chosen)  # type: ignore[arg-type]
        aws, look = _plans(options, where, keep_logs=keep_logs)
        plan = look()
        if not as_json:
            click.echo(plan_text(plan, width()))
        left = plan
        applied = False
        if (
            plan.changes
            and not plan.blockers
            and not dry_run
            and (yes or agreed("add --yes, or --dry-run to only look"))
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
