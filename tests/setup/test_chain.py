"""The whole chain in localemu: what setup made is used, from a refused reading to a message in a queue.

What localemu can't do: its trails don't deliver to CloudWatch Logs, so the record is put into the log group by hand as
CloudTrail would write it; its metric filters count more than AWS's would, so the pattern is compared as text (in
test_made) and tried by smwatch's own evaluator here; nobody confirms a mail, so a queue subscribes beside it. What AWS
answers there is covered at the wire, in test_wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from smwatch import patterns
from smwatch.setup.catalogue import NAMED_EVENTS
from smwatch.setup.documents import Statement, document, text
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
)
PATIENCE = 15
"""How often 20 seconds are waited for a message: localemu looks at alarms each minute, as AWS does."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Chain:
    """An account that was set up, where somebody has just tried to read a deleted secret."""

    account: Account
    secret: str
    mails: str
    """URL of a queue that is told what people are told by mail."""

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
        secret = _refused(account)
        _recorded(account, secret)
        yield Chain(account, secret, mails)


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


def _refused(account: Account) -> str:
    """Try to read a secret that is scheduled for deletion; return its ARN."""
    secrets = account.aws.secretsmanager(HERE)
    arn = secrets.create_secret(Name="prod/db", SecretString="hunter2")["ARN"]
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    with pytest.raises(secrets.exceptions.InvalidRequestException, match="marked for deletion"):
        secrets.get_secret_value(SecretId=arn)
    return arn


def _recorded(account: Account, secret: str) -> None:
    """Put the record of that reading into the log group, in the stream that CloudTrail would write to."""
    logs, now = account.aws.logs(HERE), datetime.now(UTC)
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
            "requestParameters": {"secretId": secret},
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
    assert detail["requestParameters"]["secretId"] == chain.secret


def test_doctor_finds_the_event_and_the_alarm(chain: Chain) -> None:
    seen = see_region(chain.account.aws, chain.account.place, Wanted(), datetime.now(UTC))
    assert isinstance(seen.newest, datetime)
    assert isinstance(seen.lookup, datetime)
    assert isinstance(seen.alarms, tuple)
    assert [alarm.name for alarm in seen.alarms] == ["AttemptsToAccessDeletedSecretsAlarm"]
