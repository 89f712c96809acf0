"""`smwatch rules`: what raises alarms, and what AWS could run of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smwatch.cli.common import fail, settings_of, source_options
from smwatch.visible import visible

if TYPE_CHECKING:
    from smwatch.rules.envelope import Rule, RuleSet


@click.group()
def rules() -> None:
    """The rules that raise alarms."""


@rules.command("list", short_help="All rules in force, a line each.")
@source_options("--rules", "--config")
def rules_list(**options: Any) -> None:
    """All rules in force: id, severity, kind, how much of it AWS could run by itself, title.

    On a terminal the columns have names; in a pipe each line is a rule.
    """
    from smwatch.rules.listing import catalogue

    for line in catalogue(_rules(options), headed=sys.stdout.isatty()):
        click.echo(visible(line))


@rules.command("show", short_help="Everything about one rule.")
@click.argument("rule_id", metavar="ID")
@source_options("--rules", "--config")
def rules_show(*, rule_id: str, **options: Any) -> None:
    """Everything about one rule: why it matters, its pattern, known noise, next commands."""
    from smwatch.rules.listing import description

    (rule,) = _chosen(_rules(options), [rule_id])
    for line in description(rule):
        click.echo(visible(line))


@rules.command("check", short_help="Say all that is wrong in rules FILEs.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def rules_check(*, files: Sequence[Path]) -> None:
    """Say all that is wrong in rules FILEs; exit code 2 if anything is.

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
    from smwatch.rules.rule import RuleError, in_force, load

    try:
        found = in_force(files)
    except RuleError as error:
        for problem in error.problems:
            click.echo(visible(problem), err=True)
        sys.exit(click.UsageError.exit_code)
    for file in files:
        own = load(file).rules
        click.echo(visible(f"{file}: {len(own)} rule{'s' * (len(own) != 1)}, nothing wrong"))
        for rule in found.rules:
            if rule.id in own:
                click.echo(visible(f"  {summary(rule)}"))


@rules.command("export", short_help="Write rules as what AWS can run of them.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("cli", "cloudformation", "terraform", "eventbridge")),
    default="cli",
    show_default=True,
    help="What to write.",
)
@source_options("--log-group", "--rules", "--config")
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
    from smwatch.rules.export.metric import beyond_quota
    from smwatch.setup.place import group_name

    rules = _rules(options)
    chosen = _chosen(rules, ids) if ids else rules.rules
    group = group_name(options["log_group"] or "")
    match form:
        case "cli":
            text = "\n".join(cli.commands(chosen, group))
        case "cloudformation":
            text = cloudformation.template(chosen, group)
            if (size := len(text.encode())) > cloudformation.INLINE:
                click.echo(
                    f"smwatch: {size:,} bytes, and CloudFormation takes {cloudformation.INLINE:,} with the request:"
                    " name fewer rules, or have it put into a bucket of yours"
                    " (aws cloudformation deploy --template-file FILE --s3-bucket BUCKET --stack-name NAME)",
                    err=True,
                )
        case "terraform":
            text = "\n".join(terraform.module(chosen, group))
        case _:
            text = event_rules.document(chosen)
    if form != "eventbridge":
        for sentence in beyond_quota(chosen):
            click.echo(f"smwatch: {sentence}", err=True)
    click.echo(text)


def _chosen(rules: RuleSet, ids: Sequence[str]) -> list[Rule]:
    """The rules of these ids, in whatever case they are written; in their own order."""
    by_id = {rule.id.upper(): rule for rule in rules.rules}
    if unknown := [each for each in ids if each.upper() not in by_id]:
        fail(f"there is no rule {', '.join(unknown)}: see smwatch rules list")
    wanted = {each.upper() for each in ids}
    return [rule for name, rule in by_id.items() if name in wanted]


def _rules(options: dict[str, Any]) -> RuleSet:
    from smwatch.running.in_force import build_rules
    from smwatch.settings import SettingsError

    try:
        return build_rules(settings_of(**options))
    except SettingsError as error:
        fail(str(error))
