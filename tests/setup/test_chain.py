"""The whole chain in localemu: a drill in what setup made, from its refused reading to messages in queues.

What localemu can't do: its trails don't deliver to CloudWatch Logs, so the record is put into the log group by hand as
CloudTrail would write it; its metric filters count more than AWS's would, so the pattern is compared as text (in
test_made) and tried by smwatch's own evaluator here; nobody confirms a mail, so a queue subscribes beside it. What AWS
answers there is covered at the wire, in test_wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from smwatch import patterns
from smwatch.setup.catalogue import NAMED_EVENTS
from smwatch.setup.documents import Statement, document, text
from smwatch.setup.drill import Clock, drill, survey
from smwatch.setup.drill_report import Report
from smwatch.setup.seeing import see_region
from smwatch.setup.wanted import DELETED_SECRETS, Part, Wanted
from tests.emulators.process import Emulator
from tests.setup.account import Account, open_account

HERE = "us-east-1"
GROUP = "CloudTrail/MyCloudWatchLogGroup"
WANTED = Wanted(
    parts=frozenset(Part),
    emails=("ops@example.com",),
    events=(NAMED_EVENTS["deleted-secrets"],),
    to_queue=True,
    alarms=(msgspec.structs.replace(DELETED_SECRETS, period=60),),
)
"""localemu looks at an alarm once a period, so the documented five minutes would only make the test longer."""
PATIENCE = 15
"""How often 20 seconds are waited for a message."""
DRILL = timedelta(minutes=5)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Chain:
    """An account that was set up, and the drill that was held there."""

    account: Account
    mails: str
    """URL of a queue that is told what people are told by mail."""
    report: Report

    def received(self, url: str) -> Mapping[str, object]:
        """Wait for a message and return its body."""
        sqs = self.account.aws.sqs(HERE)
        for _ in range(PATIENCE):
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", []):
                body: Mapping[str, object] = json.loads(message["Body"])
                return body
        raise AssertionError(f"no message in {url}")


@pytest.fixture(scope="module")
def chain(localemu_server: Emulator) -> Iterator[Chain]:
    with pytest.MonkeyPatch.context() as environment:
        account = open_account(Emulator(localemu_server.url, access_key="100000000300"), environment)
        assert not account.set_up(WANTED).changes
        mails = _subscribed(account, account.arn("sns", "smwatch-alarms"))
        yield Chain(account, mails, _drilled(account, mails))


def _drilled(account: Account, mails: str) -> Report:
    """Hold a drill, and be CloudTrail: while it waits for the first time, its record comes into the log group."""
    sqs = account.aws.sqs(HERE)
    heard: list[float] = []

    def wait(seconds: float) -> None:
        if len(heard) == 1:
            _recorded(account, "smwatch-drill-test")
        heard.append(seconds)
        sqs.receive_message(QueueUrl=mails, WaitTimeSeconds=int(seconds), VisibilityTimeout=0)

    return drill(
        account.aws,
        survey(account.aws, account.place, ""),
        "smwatch-drill-test",
        patience=DRILL,
        clock=Clock(lambda: datetime.now(UTC), wait),
        tell=lambda _: None,
        shield=nullcontext,
    )


def _subscribed(account: Account, topic: str) -> str:
    """Subscribe a new queue to the topic and return its URL."""
    sqs, queue = account.aws.sqs(HERE), account.arn("sqs", "mails")
    may: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    url = sqs.create_queue(QueueName="mails", Attributes={"Policy": text(document(may))})["QueueUrl"]
    account.aws.sns(HERE).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    return url


def _recorded(account: Account, name: str) -> None:
    """Put the record of a refused reading into the log group, in the stream that CloudTrail would write to."""
    logs, now = account.aws.logs(HERE), datetime.now(UTC)
    (secret,) = account.aws.secretsmanager(HERE).list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert secret["Name"] == name
    message = "You can't perform this operation on the secret because it was marked for deletion."
    record = text(
        {
            "eventVersion": "1.11",
            "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue",
            "awsRegion": HERE,
            "errorCode": "InvalidRequestException",
            "errorMessage": message,
            "requestParameters": {"secretId": secret["ARN"]},
            "readOnly": True,
        }
    )
    assert patterns.compile(DELETED_SECRETS.pattern).matches(record)
    stream = f"{account.place.account}_CloudTrail_{HERE}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": int(now.timestamp() * 1000), "message": record}],
    )


def test_a_drill_finds_that_everybody_saw_it_and_how_late(chain: Chain) -> None:
    assert chain.report.passed, chain.report
    assert [each.witness for each in chain.report.sightings] == ["event history", f"log group {GROUP}", "alarm"]
    delays = [each.delay for each in chain.report.sightings if each.delay is not None]
    assert len(delays) == 3
    assert max(delays) < DRILL
    secrets = chain.account.aws.secretsmanager(HERE)
    assert secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_a_refused_reading_in_the_log_group_becomes_an_alarm_that_people_are_told_of(chain: Chain) -> None:
    notification = chain.received(chain.mails)
    assert notification["TopicArn"] == chain.account.arn("sns", "smwatch-alarms")
    alarm = json.loads(str(notification["Message"]))
    assert (alarm["AlarmName"], alarm["NewStateValue"]) == ("AttemptsToAccessDeletedSecretsAlarm", "ALARM")
    assert alarm["Trigger"]["MetricName"] == "AttemptsToAccessDeletedSecrets"
    assert alarm["Trigger"]["Namespace"] == "CloudTrailLogMetrics"


def test_a_refused_reading_reaches_the_queue_through_eventbridge(chain: Chain) -> None:
    sqs = chain.account.aws.sqs(HERE)
    event = chain.received(sqs.get_queue_url(QueueName="smwatch-events")["QueueUrl"])
    assert event["detail-type"] == "AWS API Call via CloudTrail"
    detail = event["detail"]
    assert isinstance(detail, dict)
    assert (detail["eventName"], detail["errorCode"]) == ("GetSecretValue", "InvalidRequestException")
    assert detail["requestParameters"]["secretId"] == chain.report.secret


def test_doctor_finds_the_event_and_the_alarm(chain: Chain) -> None:
    seen = see_region(chain.account.aws, chain.account.place, Wanted(), datetime.now(UTC))
    assert isinstance(seen.newest, datetime)
    assert isinstance(seen.lookup, datetime)
    assert isinstance(seen.alarms, tuple)
    assert [alarm.name for alarm in seen.alarms] == ["AttemptsToAccessDeletedSecretsAlarm"]
