"""The commands that alarms say to run: known to the AWS CLI, complete, safe to paste, and none reads a value."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel, StructureShape

from smwatch.rules.command import fill, filled, holes, spelled
from smwatch.rules.envelope import Rule
from smwatch.rules.holes import HOLES
from smwatch.rules.mitre import TECHNIQUES, technique
from tests import records
from tests.rules.judging import catalogue, lines, mine, only, ruled

GLOBAL = {"--region", "--query", "--output", "--max-items", "--profile"}
CUSTOM = {("logs", "tail"): {"--since", "--follow", "--format"}}
"""Commands that the CLI adds to those of the API."""
RENAMED = {"configservice": "config"}
"""Services that the CLI calls otherwise than the API."""
NEWER = {("secretsmanager", "disassociate-cross-account-replica")}
"""Commands that the botocore of today's lower bound does not know yet."""
COMMANDS = [(rule, command) for rule in catalogue().rules for command in spelled(rule.next)]
EACH_COMMAND = pytest.mark.parametrize(("rule", "command"), COMMANDS, ids=[f"{r.id}-{c[:40]}" for r, c in COMMANDS])
HOSTILE = [
    "a b",
    "$(touch x)",
    "`id`",
    "it's",
    '"',
    "; id",
    "-rf",
    "a\nb",
    "\x1b]52;c;eA==\x07",
    "\u202egnp",
    "\\",
    "*",
    "~",
    "#",
]


@cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(RENAMED.get(name, name))


def operation(name: str, command: str) -> OperationModel | None:
    model = service(name)
    found = [each for each in model.operation_names if xform_name(each, "-") == command]
    return model.operation_model(found[0]) if found else None


INNER = re.compile(r"\$\((aws (?:[^()]|\([^()]*\))*)\)")


def calls(command: str) -> Iterator[list[str]]:
    """The words of each call of the AWS CLI in a command line, also within another and in a loop."""
    if command.startswith("#"):
        return
    for inner in INNER.findall(command):
        yield shlex.split(inner)
    for part in re.split(r"&&|;|\becho\b|\bdo\b", INNER.sub("value", command)):
        if (text := part.strip()).startswith("aws "):
            yield shlex.split(text, comments=True)


@EACH_COMMAND
def test_the_cli_knows_each_command_and_all_of_its_options(rule: Rule, command: str) -> None:
    plain = fill(command, dict.fromkeys(HOLES, "value"))
    for _, name, verb, *arguments in calls(plain):
        options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        if (name, verb) in CUSTOM:
            assert options <= CUSTOM[name, verb] | GLOBAL
            continue
        if (name, verb) in NEWER:
            continue
        model = operation(name, verb)
        assert model is not None, f"{rule.id}: aws {name} {verb}"
        shape = model.input_shape
        assert isinstance(shape, StructureShape | None)
        known = {f"--{xform_name(member, '-')}" for member in (shape.members if shape else ())}
        required = {f"--{xform_name(member, '-')}" for member in (shape.required_members if shape else ())}
        negated = {f"--no-{option[2:]}" for option in known}
        assert options <= known | negated | GLOBAL, f"{rule.id}: {sorted(options - known)}"
        assert required <= options, f"{rule.id}: {sorted(required - options)} missing"


@EACH_COMMAND
def test_no_command_reads_a_value(rule: Rule, command: str) -> None:
    asked = {verb for _, _, verb, *_ in calls(command)}
    assert asked.isdisjoint({"get-secret-value", "batch-get-secret-value"}), rule.id


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_filled_in_is_one_word_to_a_shell(value: str) -> None:
    line = fill("printf '%s\\0' --name {secret} {principal}", {"secret": value, "principal": value})
    said = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout.decode().split("\0")
    assert said[-2] == value
    assert said[:-2] in (["--name", value], [f"--name={value}"])
    assert line.isprintable()


def test_what_only_a_user_can_be_told_to_do_is_told_of_no_role() -> None:
    told = ["aws iam a --role-name {own_role}", "aws iam b --user-name {user}", "# look around"]
    assert filled(told, {"user": "alice"}) == ("aws iam b --user-name alice", "# look around")
    assert len(filled(told, {})) == 3


@pytest.mark.parametrize(
    ("by", "contained"),
    [
        (records.role("ci"), "aws iam put-role-policy --role-name ci "),
        (
            records.user("bert", key="AKIAIOSFODNN7EXAMPLE"),
            "aws iam update-access-key --user-name bert --access-key-id ",
        ),
        (records.user("bert", key="ASIAIOSFODNN7EXAMPLE"), "aws iam put-user-policy --user-name bert "),
        (records.sso("eve@example.com"), "# contain: disable eve@example.com in IAM Identity Center"),
        (records.root(), ""),
        (records.role("ci", account=records.OTHER_ACCOUNT), ""),
        (records.role("AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/"), ""),
    ],
    ids=["role", "user's key", "user's session", "person", "root", "another account's", "service's"],
)
def test_whoever_it_is_is_contained_in_the_way_that_stops_them(by: dict[str, Any], contained: str) -> None:
    sweep = [records.read(f"prod/{n}", by=by) for n in range(12)]
    said = [line for line in lines(only("SMW-READ-01", sweep)) if "# contain" in line]
    assert len(said) == bool(contained)
    assert all(line.startswith(contained) for line in said)


def test_a_rule_of_ones_own_can_say_how_to_contain() -> None:
    rules = ruled(mine('next = ["# look", "contain"]'))
    assert lines(only("MINE", [records.read(by=records.role("ci"))], rules))[1].startswith("aws iam put-role-policy")


def test_a_denial_by_name_is_simulated_for_the_arn_that_the_name_stands_for() -> None:
    denials = [records.denied("prod/db", id=f"0000000{n}-0000-4000-8000-000000000000") for n in range(10)]
    (simulate,) = lines(only("SMW-DISC-01b", denials))
    arn = f"arn:aws:secretsmanager:{records.REGION}:{records.ACCOUNT}:secret:prod/db-??????"
    assert shlex.split(simulate)[-1] == arn


def test_a_rules_name_is_not_taken_for_a_trails() -> None:
    disabled = records.call("DisableRule", {"name": "nightly"}, eventSource="events.amazonaws.com")
    stopped = records.call("StopLogging", {"name": "main"}, eventSource="cloudtrail.amazonaws.com")
    assert not any("nightly" in line for line in lines(only("SMW-EVA-01", [disabled])))
    assert lines(only("SMW-EVA-01", [stopped]))[0].startswith("aws cloudtrail start-logging --name main")


@EACH_COMMAND
def test_a_shell_can_read_each_command_as_it_is_printed(rule: Rule, command: str) -> None:
    line = fill(command, dict.fromkeys(HOLES, "a 'b' $(touch x)"))
    subprocess.run(["bash", "-n", "-c", line], check=True)
    assert "<" not in line or rule.id == "SMW-TAMP-03"  # which key it was before, nothing tells


def test_every_technique_has_the_name_that_attack_gives_it() -> None:
    assert {each for rule in catalogue().rules for each in rule.mitre} == TECHNIQUES.keys()
    assert technique("T1485") == "T1485 Data Destruction"
    assert technique("T9999") == "T9999"


def test_every_hole_of_every_rule_is_known() -> None:
    assert {hole for _, command in COMMANDS for hole in holes(command)} <= HOLES
