"""What rules export reads as what it is meant for: a shell, CloudFormation, Terraform, EventBridge."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from click.testing import CliRunner
from moto.events.models import EventPattern

from smwatch.cli import main
from smwatch.patterns.sameness import same_pattern
from smwatch.rules.envelope import Rule
from smwatch.rules.export import cli, cloudformation, event_rules, terraform
from smwatch.rules.export.event_rule import EVERYTHING, MAX_LENGTH, WRITES, event_rule
from smwatch.rules.export.exactness import Exactness
from smwatch.rules.export.metric import exactness, metric_filters
from smwatch.setup.wanted import DELETED_SECRETS
from tests.emulators.process import Emulator
from tests.rules.judging import catalogue, ruled

RULES = catalogue()
HOSTILE = """
[[rule]]
id = "x"
title = 'a "b" $(touch pwned) `touch pwned` ${var.topic_arn} %{ if true } \\u0041'
why = "w"
severity = "low"
when = '''{ $.eventName = "it's $(touch pwned) `touch pwned` ${v} %{x} \\\\\\\\ é" &&
\t$.userIdentity.accountId != "ACCOUNT_ID" }'''
by = ["secret"]
"""
EDGES = """
[[rule]]
id = "a.b-c_d"
title = "t"
why = "w"
severity = "low"
when = "[ip, user]"
by = ["secret"]

[[rule]]
id = "a-b.c-d"
title = "t"
why = "w"
severity = "low"
when = ["GetSecretValue", "{ $.eventName = %x% }"]
by = ["secret"]
count = { min = 3, within = "90s" }
unless = ["self"]
"""


def rules_of(text: str) -> tuple[Rule, ...]:
    return ruled(text).rules


def run(lines: Iterable[str], directory: Path, **environment: str) -> list[list[str]]:
    """What each aws command of a script is given, by a real shell."""
    script = directory / "script.sh"
    script.write_text('aws() { printf "%s\\0" "$@"; printf "\\n\\0"; }\n' + "\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        ["bash", "-u", script], cwd=directory, env=environment, capture_output=True, text=True, check=True
    )
    assert not done.stderr
    assert {path.name for path in directory.iterdir()} == {"script.sh"}
    calls: list[list[str]] = [[]]
    for word in done.stdout.split("\0")[:-1]:
        if word == "\n":
            calls.append([])
        else:
            calls[-1].append(word)
    return calls[:-1]


def option(call: list[str], name: str) -> str:
    return call[call.index(f"--{name}") + 1]


VARIABLES = {"LOG_GROUP": "CloudTrail/Secrets", "TOPIC_ARN": "arn:topic", "ACCOUNT_ID": "111122223333"}


def test_the_documented_alarm_is_exported_exactly_as_documented(tmp_path: Path) -> None:
    (rule,) = (RULES["SMW-DEL-01"],)
    (made,) = metric_filters(rule)
    documented = '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
    assert (made.pattern, made.exactness) == (documented, Exactness.EXACT)
    assert (made.namespace, made.metric) == ("CloudTrailLogMetrics", "AttemptsToAccessDeletedSecrets")
    assert made.alarm == "AttemptsToAccessDeletedSecretsAlarm"
    set_up = DELETED_SECRETS
    assert (made.pattern, made.name, made.namespace, made.metric, made.alarm, made.period, made.default) == (
        *(set_up.pattern, set_up.filter_name, set_up.namespace, set_up.metric, set_up.alarm),
        *(set_up.period, set_up.default),
    )
    put_filter, put_alarm = run(cli.commands([rule]), tmp_path, **VARIABLES)
    assert put_filter[:2] == ["logs", "put-metric-filter"]
    assert option(put_filter, "filter-pattern") == documented
    assert json.loads(option(put_filter, "metric-transformations")) == [
        {
            "metricNamespace": "CloudTrailLogMetrics",
            "metricName": "AttemptsToAccessDeletedSecrets",
            "metricValue": "1",
        }
    ]
    assert put_alarm[:2] == ["cloudwatch", "put-metric-alarm"]
    assert option(put_alarm, "threshold") == "1"
    assert option(put_alarm, "comparison-operator") == "GreaterThanOrEqualToThreshold"
    assert option(put_alarm, "alarm-actions") == "arn:topic"


def test_the_documented_alarm_is_an_eventbridge_rule_that_sees_reads() -> None:
    (listed,) = json.loads(event_rules.document([RULES["SMW-DEL-01"]]))
    assert listed["in_aws"] == "exact"
    assert listed["put_rule"]["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert json.loads(listed["put_rule"]["EventPattern"]) == {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
        "detail": {
            "eventName": ["GetSecretValue"],
            "errorMessage": [{"wildcard": "*secret because it was marked for deletion*"}],
        },
    }


@pytest.mark.parametrize(
    ("rule", "state"),
    [("SMW-DEL-04", WRITES), ("SMW-ROT-01", WRITES), ("SMW-READ-05", EVERYTHING), ("SMW-DISC-01c", EVERYTHING)],
)
def test_a_rule_about_writes_alone_does_not_ask_for_reads(rule: str, state: str) -> None:
    assert event_rule(RULES[rule]).state == state


def test_calls_of_other_services_come_from_other_sources() -> None:
    def source(text: str) -> Any:
        (rule,) = rules_of(f"""[[rule]]
            id = "x"\ntitle = "t"\nwhy = "w"\nseverity = "low"\nby = ["secret"]\nwhen = '{text}'""")
        pattern = event_rule(rule).pattern
        assert pattern
        return pattern.get("source")

    assert source('{ $.eventSource = "kms.amazonaws.com" }') == ["aws.kms"]
    assert source('{ $.eventSource = "monitoring.amazonaws.com" || $.eventSource = "kms.amazonaws.com" }') is None
    assert source("{ $.eventName = GetResourcePolicy }") is None
    assert source("{ $.eventName = ListSecrets }") == ["aws.secretsmanager"]


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_is_honest_about_what_aws_can_run(rule: Rule) -> None:
    how, caveat = exactness(rule)
    event = event_rule(rule)
    assert bool(metric_filters(rule)) is (how is not Exactness.ONLY_HERE)
    assert bool(caveat) is (how is not Exactness.EXACT)
    assert (event.pattern is not None) is (event.exactness is not Exactness.ONLY_HERE)
    assert bool(event.caveat) is (event.exactness is not Exactness.EXACT)
    if rule.only or rule.unless or rule.count:
        assert how is not Exactness.EXACT
        assert event.exactness is not Exactness.EXACT
    if event.pattern is not None:
        assert len(event.text) <= MAX_LENGTH
        assert EventPattern.load(event.text)


def test_the_whole_catalogue_is_a_script_that_a_shell_reads(tmp_path: Path) -> None:
    calls = run(cli.commands(RULES.rules), tmp_path, **VARIABLES)
    wanted = [each for rule in RULES.rules for each in metric_filters(rule)]
    assert [option(call, "filter-pattern") for call in calls if call[0] == "logs"] == [
        each.pattern.replace("ACCOUNT_ID", "111122223333") for each in wanted
    ]
    assert [option(call, "alarm-name") for call in calls if call[0] == "cloudwatch"] == [each.alarm for each in wanted]
    script = "\n".join(cli.commands(RULES.rules))
    for rule in RULES.rules:
        assert f"# {rule.id}  {exactness(rule)[0]}" in script


def as_request(call: list[str], session: boto3.Session) -> tuple[Any, str, dict[str, Any]]:
    """The client, operation and parameters of an aws command, by the models that the aws command goes by."""
    client = session.client(call[0])  # type: ignore[call-overload]
    operation = call[1].replace("-", "_")
    members = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[operation]
    ).input_shape.members
    named = {xform_name(member, "-"): (member, shape.type_name) for member, shape in members.items()}
    asked: dict[str, Any] = {}
    for option_name, value in zip(call[2::2], call[3::2], strict=True):
        member, kind = named[option_name.removeprefix("--")]
        match kind:
            case "list" if value.startswith("["):
                asked[member] = json.loads(value)
            case "list":
                asked[member] = [value]
            case "integer" | "double":
                asked[member] = float(value) if kind == "double" else int(value)
            case _:
                asked[member] = value
    return client, operation, asked


def test_an_account_takes_the_catalogue_as_commands_and_as_eventbridge_rules(moto: Emulator, tmp_path: Path) -> None:
    session = boto3.Session("x", "x", region_name=moto.region)
    session.client("logs", endpoint_url=moto.url).create_log_group(logGroupName=VARIABLES["LOG_GROUP"])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", moto.url)
        for call in run(cli.commands(RULES.rules), tmp_path, **VARIABLES):
            client, operation, asked = as_request(call, session)
            getattr(client, operation)(**asked)
        wanted = [each for rule in RULES.rules for each in metric_filters(rule)]
        logs, cloudwatch, events = session.client("logs"), session.client("cloudwatch"), session.client("events")
        filters = logs.get_paginator("describe_metric_filters").paginate(logGroupName=VARIABLES["LOG_GROUP"])
        assert {each["filterName"] for page in filters for each in page["metricFilters"]} == {
            each.name for each in wanted
        }
        alarms = cloudwatch.get_paginator("describe_alarms").paginate()
        assert {each["AlarmName"] for page in alarms for each in page["MetricAlarms"]} == {
            each.alarm for each in wanted
        }
        for listed in json.loads(event_rules.document(RULES.rules)):
            if listed["put_rule"] is not None:
                events.put_rule(**listed["put_rule"])
        assert events.describe_rule(Name="smwatch-SMW-DEL-01")["State"] == EVERYTHING


def test_hostile_text_is_only_text_in_a_script(tmp_path: Path) -> None:
    (rule,) = rules_of(HOSTILE)
    put_filter, put_alarm = run(cli.commands([rule], "a'b $(touch pwned)"), tmp_path, **VARIABLES)
    (each,) = metric_filters(rule)
    assert option(put_filter, "filter-pattern") == each.pattern.replace("ACCOUNT_ID", "111122223333")
    assert option(put_filter, "log-group-name") == "a'b $(touch pwned)"
    assert rule.title in option(put_alarm, "alarm-description")


def linted(template: str, directory: Path) -> list[str]:
    """What cfn-lint says of a template, in a process of its own: it brings a logging set-up along."""
    path = directory / "template.json"
    path.write_text(template, encoding="utf-8")
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, "--format", "parseable", path], capture_output=True, text=True, check=False)
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("rules", [RULES.rules, rules_of(HOSTILE), rules_of(EDGES)], ids=["all", "hostile", "edges"])
def test_a_template_is_cloudformation(rules: tuple[Rule, ...], tmp_path: Path) -> None:
    assert linted(cloudformation.template(rules, "CloudTrail/SecretsManager"), tmp_path) == []


def whole(pattern: Any) -> str:
    """A pattern of a template with the account's number left open."""
    if isinstance(pattern, str):
        return pattern
    separator, parts = pattern["Fn::Join"]
    return str(separator.join(part if isinstance(part, str) else "ACCOUNT_ID" for part in parts))


def test_a_template_holds_what_the_commands_do() -> None:
    template = json.loads(cloudformation.template(RULES.rules, "CloudTrail/SecretsManager"))
    filters = [each["Properties"] for each in template["Resources"].values() if "FilterName" in each["Properties"]]
    alarms = [each["Properties"] for each in template["Resources"].values() if "AlarmName" in each["Properties"]]
    wanted = [each for rule in RULES.rules for each in metric_filters(rule)]
    assert [each["FilterName"] for each in filters] == [each.name for each in wanted]
    assert [(each["AlarmName"], each["Threshold"], each["Period"]) for each in alarms] == [
        (each.alarm, each.threshold, each.period) for each in wanted
    ]
    assert all(same_pattern(whole(each["FilterPattern"]), of.pattern) for each, of in zip(filters, wanted, strict=True))
    assert filters[0]["FilterPattern"] == RULES["SMW-DEL-01"].when[0].text
    assert filters[0]["MetricTransformations"] == [
        {
            "MetricNamespace": "CloudTrailLogMetrics",
            "MetricName": "AttemptsToAccessDeletedSecrets",
            "MetricValue": "1",
        }
    ]
    assert template["Parameters"]["LogGroupName"]["Default"] == "CloudTrail/SecretsManager"
    said = template["Metadata"]
    assert {name: how for how, names in said["InAws"].items() for name in names} == {
        rule.id: exactness(rule)[0] for rule in RULES.rules
    }
    assert {name: caveat for caveat, names in said["LeftOut"].items() for name in names} == {
        rule.id: caveat for rule in RULES.rules if (caveat := exactness(rule)[1])
    }


def test_the_template_of_all_rules_goes_with_the_request() -> None:
    assert len(cloudformation.template(RULES.rules, "CloudTrail/SecretsManager").encode()) <= cloudformation.INLINE


def test_a_template_that_is_too_large_says_how_it_goes_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("".join(EDGES.replace('"a', f'"a{n}') for n in range(30)), encoding="utf-8")
    found = CliRunner().invoke(main, ["rules", "export", "--format", "cloudformation", "--rules", str(path)])
    assert found.exit_code == 0
    assert len(json.loads(found.stdout)["Resources"]) > 180
    assert "--s3-bucket" in found.stderr


def test_the_number_of_the_account_is_left_to_cloudformation() -> None:
    template = json.loads(cloudformation.template([RULES["SMW-READ-09"]]))
    pattern = template["Resources"]["SmwatchSMWREAD09Filter"]["Properties"]["FilterPattern"]
    separator, (before, account, after) = pattern["Fn::Join"]
    assert (separator, account) == ("", {"Ref": "AWS::AccountId"})
    assert before.endswith('accountId!="')
    assert after.startswith('"')


def test_ids_that_differ_in_signs_alone_keep_names_of_their_own() -> None:
    rules = rules_of(EDGES)
    template = json.loads(cloudformation.template(rules))
    assert len(template["Resources"]) == 2 * sum(len(metric_filters(rule)) for rule in rules) == 6


def hcl(text: str) -> dict[str, Any]:
    hcl2 = pytest.importorskip("hcl2", reason="python-hcl2 is not installed")
    return dict(hcl2.loads(text))


def unquoted(text: str) -> str:
    """The text of a quoted template of HCL that holds no interpolation."""
    for escaped, plain in (("$${", "${"), ("%%{", "%{")):
        text = text.replace(escaped, plain)
    return str(json.loads(text))


@pytest.mark.parametrize("rules", [RULES.rules, rules_of(HOSTILE), rules_of(EDGES)], ids=["all", "hostile", "edges"])
def test_a_module_is_terraform_and_holds_what_the_commands_do(rules: tuple[Rule, ...]) -> None:
    parsed = hcl("\n".join(terraform.module(rules, "a ${b} 'c'")) + "\n")
    wanted = [each for rule in rules for each in metric_filters(rule)]
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in parsed["resource"]:
        ((kind, named),) = resource.items()
        ((_, body),) = named.items()
        found.setdefault(kind.strip('"'), []).append(body)
    account = "${data.aws_caller_identity.smwatch.account_id}"
    patterns = [each["pattern"] for each in found["aws_cloudwatch_log_metric_filter"]]
    assert [unquoted(each.replace(account, "ACCOUNT_ID")) for each in patterns] == [each.pattern for each in wanted]
    alarms = found["aws_cloudwatch_metric_alarm"]
    assert [unquoted(each["alarm_name"]) for each in alarms] == [each.alarm for each in wanted]
    assert [unquoted(each["alarm_description"]) for each in alarms] == [each.description for each in wanted]
    assert [each["threshold"] for each in alarms] == [each.threshold for each in wanted]


Types = dict[str, type | tuple[type, ...]]
TEXT, NUMBER, LIST = str, (int, float), list
METRIC_FILTER: Types = {"name": TEXT, "log_group_name": TEXT, "pattern": TEXT, "metric_transformation": LIST}
TRANSFORMATION: Types = {"name": TEXT, "namespace": TEXT, "value": TEXT, "default_value": TEXT}
ALARM: Types = {
    "alarm_name": TEXT,
    "alarm_description": TEXT,
    "comparison_operator": TEXT,
    "evaluation_periods": NUMBER,
    "datapoints_to_alarm": NUMBER,
    "metric_name": TEXT,
    "namespace": TEXT,
    "period": NUMBER,
    "statistic": TEXT,
    "threshold": NUMBER,
    "treat_missing_data": TEXT,
    "alarm_actions": LIST,
}
"""Arguments as the provider hashicorp/aws (versions 4 to 7) documents them, with their types."""


@pytest.mark.parametrize("rules", [RULES.rules, rules_of(EDGES)], ids=["all", "edges"])
def test_a_module_has_the_arguments_that_the_provider_documents(rules: tuple[Rule, ...]) -> None:
    parsed = hcl("\n".join(terraform.module(rules)) + "\n")
    assert {key for key in parsed if not key.startswith("__")} <= {"variable", "data", "resource"}
    labels = []
    for resource in parsed["resource"]:
        ((kind, named),) = resource.items()
        ((label, body),) = named.items()
        labels.append((kind, label))
        body.pop("__is_block__", None)
        if kind.strip('"') == "aws_cloudwatch_metric_alarm":
            assert {name for name, value in body.items() if isinstance(value, ALARM[name])} == set(ALARM)
            assert body["alarm_actions"] == ["${var.topic_arn}"]
            continue
        assert kind.strip('"') == "aws_cloudwatch_log_metric_filter"
        assert {name for name, value in body.items() if isinstance(value, METRIC_FILTER[name])} == set(METRIC_FILTER)
        (counted,) = body["metric_transformation"]
        counted.pop("__is_block__", None)
        assert all(isinstance(value, TRANSFORMATION[name]) for name, value in counted.items())
        assert set(TRANSFORMATION) - set(counted) <= {"default_value"}
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("rules", [RULES.rules, rules_of(HOSTILE), rules_of(EDGES)], ids=["all", "hostile", "edges"])
def test_terraform_reads_a_module_and_has_nothing_to_tidy(rules: tuple[Rule, ...], tmp_path: Path) -> None:
    command = shutil.which("terraform")
    if command is None:
        pytest.skip("terraform is not installed")
    (tmp_path / "main.tf").write_text("\n".join(terraform.module(rules)) + "\n", encoding="utf-8")
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        [command, "fmt", "-check", "-diff", "-no-color", str(tmp_path)],
        capture_output=True, text=True, check=False, env=clean, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_what_a_module_cannot_say_is_said_in_it() -> None:
    text = "\n".join(terraform.module(RULES.rules))
    assert "# SMW-READ-01  smwatch only: " in text
    assert "# SMW-DEL-01  exact  " in text


def test_a_count_is_made_of_whole_minutes_and_says_so() -> None:
    rule = next(each for each in rules_of(EDGES) if each.count)
    first, _ = metric_filters(rule)
    assert (first.threshold, first.period) == (3, 120)
    assert "in 120 s instead of 90s" in first.caveat
    assert "exceptions" in first.caveat


def test_what_eventbridge_cannot_select_is_only_here() -> None:
    for rule in rules_of(EDGES):
        found = event_rule(rule)
        assert (found.exactness, found.pattern) == (Exactness.ONLY_HERE, None)


@pytest.mark.parametrize("form", ["cli", "cloudformation", "terraform", "eventbridge"])
def test_each_format_is_written_for_the_rules_asked_for(form: str) -> None:
    found = CliRunner().invoke(main, ["rules", "export", "--format", form, "smw-del-01", "SMW-READ-01"])
    assert found.exit_code == 0
    assert "AttemptsToAccessDeletedSecrets" in found.output or form == "eventbridge"
    assert "SMW-DEL-01" in found.output
    assert "smwatch only" in found.output
    assert "SMW-DEL-02" not in found.output


REGEXES = """
[[rule]]
id = "regexes{}"
title = "Regular expressions"
severity = "low"
why = "So."
when = ["%a%", "[a, b=%b%]", "{{ $.a = 1 && ($.b = 2 || $.c != %c% ) }}", "{{ $.d = 1 }}", "[..., d]", "plain"]
by = []
"""


@pytest.mark.parametrize(
    ("form", "number", "says"),
    [
        ("cli", 1, []),
        ("terraform", 2, ["smwatch: 6 patterns with a regular expression, and a log group takes 5"]),
        (
            "cli",
            17,
            [
                "smwatch: 102 metric filters, and a log group takes 100: name fewer rules",
                "smwatch: 51 patterns with a regular expression, and a log group takes 5",
            ],
        ),
        ("eventbridge", 17, []),
    ],
)
def test_what_one_log_group_does_not_take_is_said(form: str, number: int, says: list[str], tmp_path: Path) -> None:
    path, ids = tmp_path / "mine.toml", [f"regexes{n}" for n in range(number)]
    path.write_text("".join(REGEXES.format(n) for n in range(number)), encoding="utf-8")
    found = CliRunner().invoke(main, ["rules", "export", "--format", form, "--rules", str(path), *ids])
    assert (found.exit_code, found.stderr.splitlines()) == (0, says)


def test_a_template_that_goes_with_no_request_is_written_and_says_how_to_deploy_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("".join(REGEXES.format(n) for n in range(17)), encoding="utf-8")
    found = CliRunner().invoke(main, ["rules", "export", "--format", "cloudformation", "--rules", str(path)])
    (size,) = [line for line in found.stderr.splitlines() if "CloudFormation takes 51,200" in line]
    assert (found.exit_code, "--s3-bucket" in size) == (0, True)
    assert len(found.stdout.encode()) > cloudformation.INLINE
    assert len(json.loads(found.stdout)["Resources"]) > 204


def test_own_rules_are_exported_with_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EDGES, encoding="utf-8")
    found = CliRunner().invoke(main, ["rules", "export", "--rules", str(path), "A.B-C_D"])
    assert "--filter-pattern '[ip, user]'" in found.output
