"""What the tests of public detection rule sets are about, judged by the built-in rules.

Those rules: Panther's for reads that are denied, in batches, with a filter that excludes nothing, in many Regions, and
for resources made public; Elastic's for the first read by somebody and for many in a short time. Their test events are
cut short: no time, no caller, no Region, keys of the vendor's own. So are these.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smwatch.cli import main
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.judging import after

ANYBODY = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ci", "accountId": "111122223333"}
PUBLIC = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
A_SERVICE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "secretsmanager:*", "Resource": "*"}
    ],
}


def short(name: str, parameters: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A record of nearly nothing."""
    return {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "requestParameters": parameters,
        "responseElements": None,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "p_log_type": "AWS.CloudTrail",
        **more,
    }


def batch(*values: str, **more: Any) -> dict[str, Any]:
    filters = [{"key": "tag-key", "values": [value]} for value in values]
    return short("BatchGetSecretValue", {"filters": filters}, readOnly=True, **more)


def policy(document: Any, **more: Any) -> dict[str, Any]:
    parameters = {"secretId": "prod/db", "resourcePolicy": json.dumps(document)}
    return short("PutResourcePolicy", parameters, userIdentity=ANYBODY, **more)


def denied(number: int) -> dict[str, Any]:
    secret = f"arn:aws:secretsmanager:us-west-2:111122223333:secret:sweep-{number}-AbCdEf"
    at = f"2026-11-23 14:00:{number:02}.000000000"
    fields = {"errorCode": "AccessDenied", "eventTime": at, "eventID": f"denied-{number}", "userIdentity": ANYBODY}
    return short("GetSecretValue", {"secretId": secret, "versionId": "7DC59E8B"}, **fields)


REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-northeast-1")
STORIES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "one denied read": ([denied(0)], {}),
    "twenty denied reads": ([denied(number) for number in range(20)], {"SMW-DISC-01": "high"}),
    "a batch with a filter that excludes nothing": ([batch("!none")], {"SMW-READ-02": "critical"}),
    "the same narrowed by another filter": ([batch("!none", "team")], {}),
    "a batch by tag": ([batch("team")], {}),
    "batches in five Regions": (
        [batch("team", awsRegion=region) for region in REGIONS],
        {"SMW-READ-03": "high"},
    ),
    "a policy for everybody": ([policy(PUBLIC)], {"SMW-POL-01": "critical"}),
    "a policy for everybody that is refused": ([policy(PUBLIC, errorCode="AccessDenied")], {}),
    "a policy for a service, whoever sends it": ([policy(A_SERVICE)], {"SMW-POL-01": "high"}),
    "a policy that is no document": ([policy("")], {"SMW-POL-01": "medium"}),
    "a policy that is null": (
        [short("PutResourcePolicy", None, userIdentity=ANYBODY)],
        {"SMW-POL-01": "medium"},
    ),
    "thirty secrets read in a minute": (
        [records.read(f"prod/s{n}", at=after(seconds=2 * n), by=records.user("ci")) for n in range(30)],
        {"SMW-READ-01": "critical"},
    ),
    "a first read by somebody else": (
        [
            records.read("prod/db", by=records.role(), at=after()),
            records.read("prod/db", by=records.role("backup"), at=after(days=10)),
        ],
        {"SMW-READ-04": "medium"},
    ),
}


def alarms(story: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """The alarms that smwatch replay prints, as they are in the end, by rule."""
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in story), encoding="utf-8")
    done = CliRunner().invoke(main, ["replay", "--json", str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["rule"]: line for line in lines if line["type"] == "alarm" and line["state"] != "closed"}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_of_another_rule_set_ends_as_it_should(name: str, tmp_path: Path) -> None:
    story, least = STORIES[name]
    found = {rule: Severity(alarm["severity"]) for rule, alarm in alarms(story, tmp_path).items()}
    for rule, severity in least.items():
        assert rule in found, found
        assert found[rule] >= Severity(severity), found
    assert not {rule for rule, severity in found.items() if rule not in least and severity >= Severity.HIGH}, found


def test_a_record_without_a_time_counts_as_of_the_moment_it_is_read(tmp_path: Path) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    (alarm,) = alarms([batch("!none")] * 2, tmp_path).values()
    assert began <= datetime.fromisoformat(alarm["first_at"]) <= datetime.now(UTC)
    assert alarm["count"] == 1
