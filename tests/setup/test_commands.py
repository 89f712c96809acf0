"""The commands as processes: what they print, how they end, and what a signal does to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators.gate import Gate, gate
from tests.emulators.process import Emulator
from tests.setup.account import Account, contents

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gated(account: Account, moto: Emulator) -> Iterator[Gate]:
    """The way to an empty account, with a gate on it."""
    with gate(moto.url) as made:
        yield made


def started(url: str, home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `smwatch …` without a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "smwatch", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_STATE_HOME": str(home),
            **Emulator(url).environment(),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(url: str, home: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = started(url, home, *arguments, **environment)
    said, told = process.communicate(timeout=120)
    assert "Traceback" not in told, told
    return process.returncode, said, told


def test_setup_broken_off_says_what_is_done_and_goes_on_when_run_again(
    account: Account, gated: Gate, tmp_path: Path
) -> None:
    gated.hold("CreateTrail", before=True)
    process = started(gated.url, tmp_path, "setup", "--yes", "--json")
    assert gated.reached.wait(timeout=60)
    process.send_signal(signal.SIGTERM)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.endswith(
        "Interrupted.\n"
        "Done: log group CloudTrail/MyCloudWatchLogGroup, role CloudTrail_CloudWatchLogs_Role, "
        "bucket smwatch-trail-123456789012-us-east-1.\n"
        "Left: trail smwatch-management-events, topic smwatch-alarms, metric filter AttemptsToAccessDeletedSecrets, "
        "alarm AttemptsToAccessDeletedSecretsAlarm.\n"
        "Run the same command again: it goes on from here.\n"
    )
    plan = json.loads(said)
    assert plan["applied"] is False
    assert plan["broken_off"]["at"] == "trail smwatch-management-events"
    gated.open()
    code, said, _ = run(gated.url, tmp_path, "setup", "--yes", "--json")
    assert (code, json.loads(said)["not_as_planned"]) == (0, [])
    assert set(contents(account)) == {"alarms", "buckets", "filters", "groups", "roles", "topics", "trails"}


def test_setup_asks_nobody_where_there_is_nobody_to_ask(account: Account, gated: Gate, tmp_path: Path) -> None:
    code, said, told = run(gated.url, tmp_path, "setup")
    assert code == 2
    assert "+ make    trail smwatch-management-events" in said
    assert "There is nobody to ask: add --yes, or --dry-run to only look." in told
    assert contents(account) == {}


def test_a_plan_fits_a_narrow_terminal_apart_from_its_commands(gated: Gate, tmp_path: Path) -> None:
    _, said, _ = run(gated.url, tmp_path, "setup", "--dry-run", "--rule", "SMW-READ-09", COLUMNS="80")
    wide = [line for line in said.splitlines() if len(line) > 80 and "smwatch setup --remove" not in line]
    assert [line for line in wide if " " in line.strip()[:70]] == []


@pytest.mark.parametrize("command", [("doctor",), ("setup", "--dry-run"), ("drill", "--yes")], ids=" ".join)
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "There are no AWS credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS can't be reached"),
        ({"AWS_PROFILE": "nobody"}, "There is no profile 'nobody'"),
    ],
    ids=["no credentials", "no network", "no such profile"],
)
def test_without_a_way_to_aws_there_is_one_clear_line(
    tmp_path: Path, command: tuple[str, ...], environment: dict[str, str], says: str
) -> None:
    code, said, told = run("http://127.0.0.1:9", tmp_path, *command, **environment)
    unreachable = says == "AWS can't be reached"
    assert code == (1 if unreachable or command == ("doctor",) else 2)
    assert says in (said if command == ("doctor",) else told)
    if command == ("doctor",):
        findings = {each["check"]: each for each in json.loads(said)["findings"]}
        assert findings["credentials"]["mend"].startswith("aws ")
        assert findings["journal"]["state"] == "ok"
    else:
        assert told.startswith(f"Error: {says}")
        assert len(told.splitlines()) == 1


def test_a_hostile_name_is_harmless_in_json_too(account: Account, gated: Gate, tmp_path: Path) -> None:
    sns = account.aws.sns("us-east-1")
    topic = sns.create_topic(Name="smwatch-alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="\u202egnp.moc@evil\x9b2J")
    account.aws.cloudwatch("us-east-1").put_metric_alarm(
        AlarmName="AttemptsToAccessDeletedSecretsAlarm",
        AlarmActions=[topic],
        Namespace="CloudTrailLogMetrics",
        MetricName="AttemptsToAccessDeletedSecrets",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        EvaluationPeriods=1,
        Period=300,
        Statistic="Sum",
        Threshold=1,
    )
    _, said, _ = run(gated.url, tmp_path, "doctor")
    assert "gnp.moc@evil" in said
    assert said.isascii()
