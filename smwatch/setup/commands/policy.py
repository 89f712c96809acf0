"""`smwatch policy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smwatch.setup.commands.asked import names_options, settled, told, where_options

if TYPE_CHECKING:
    from smwatch.setup.place import Place


@click.command(short_help="Print the IAM policy that is needed.")
@click.argument("kind", metavar="watch|setup|drill", type=click.Choice(["watch", "setup", "drill"]))
@where_options
@names_options
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
    where = settled(config, profile, regions, log_group)
    with told(where.profile):
        from smwatch.setup import policies, wishes
        from smwatch.setup.place import ANY, arn_part

        names = wishes.wanted(wishes.Options(log_group=where.log_group, **chosen), {}).names  # type: ignore[arg-type]
        place = _known_place(where.profile, where.region, account or arn_part(where.log_group, 4), partition)
        group = where.log_group or ANY
        match kind:
            case "watch":
                document = policies.watch_policy(place, group, enrichment=not no_enrichment, regions=where.regions)
            case "setup":
                trail = names.trail if chosen["trail"] else ANY
                document = policies.setup_policy(place, names, trail=trail, regions=where.regions)
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
