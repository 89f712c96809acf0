"""What tests of the AWS side do with an account: set it up, look at it raw, break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import pytest
from botocore.model import OperationModel

from smwatch.setup import look
from smwatch.setup.apply import Progress
from smwatch.setup.aws import Aws
from smwatch.setup.catalogue import NAMED_EVENTS
from smwatch.setup.place import Place
from smwatch.setup.plan import Plan
from smwatch.setup.run import carry_out, removal_plan, setup_plan
from smwatch.setup.wanted import Part, Wanted
from tests.emulators.process import Emulator

Made = tuple[str, str, Mapping[str, object]]
"""A call as (service, operation, parameters)."""
Hook = Callable[[str], None]

EVERYTHING = Wanted(
    parts=frozenset(Part), emails=("ops@example.com",), events=tuple(NAMED_EVENTS.values()), to_queue=True
)
READING = ("Describe", "Filter", "Get", "Head", "List", "Lookup", "Test")
"""How the names of operations begin that change nothing."""


def open_account(emulator: Emulator, environment: pytest.MonkeyPatch) -> Account:
    """Open an emulator's account: from then on the standard places lead there, and nowhere else."""
    for name, value in emulator.environment().items():
        environment.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"):
        environment.delenv(name, raising=False)
    session = boto3.Session()
    wire = Wire(session)
    aws = Aws(session, emulator.region, attempts=1)  # emulators answer with 500 what they don't know, each time again
    return Account(aws=aws, wire=wire, place=Place("aws", aws.identity().account, emulator.region))


class Wire:
    """Sees every call of a session, before it is sent."""

    def __init__(self, session: boto3.Session) -> None:
        self.made: list[Made] = []
        self.before: list[Hook] = []
        session.events.register("provide-client-params", self._provided)
        session.events.register("before-call", self._before)

    def _provided(self, params: Mapping[str, object], model: OperationModel, **_: object) -> None:
        self.made.append((model.service_model.service_name, model.name, dict(params)))

    def _before(self, model: OperationModel, **_: object) -> None:
        for hook in self.before:
            hook(model.name)


@dataclass(frozen=True)
class Account:
    """An account that is to be set up, with what is seen on the wire."""

    aws: Aws
    wire: Wire
    place: Place

    def plan(self, wanted: Wanted) -> Plan:
        return setup_plan(self.aws, self.place, wanted)

    def set_up(self, wanted: Wanted) -> Plan:
        """Carry the plan out; return what is not as planned."""
        return carry_out(self.aws, self.plan(wanted), lambda: self.plan(wanted), tell=ignore, sleep=ignore)

    def plan_removal(self, wanted: Wanted, *, keep_logs: bool = False) -> Plan:
        return removal_plan(self.aws, self.place, wanted, keep_logs=keep_logs)

    def remove(self, wanted: Wanted, *, keep_logs: bool = False) -> Plan:
        def look() -> Plan:
            return self.plan_removal(wanted, keep_logs=keep_logs)

        return carry_out(self.aws, look(), look, tell=ignore, sleep=ignore)

    def arn(self, service: str, resource: str) -> str:
        return self.place.arn(service, resource)


@contextmanager
def broken_off(account: Account, at: int) -> Iterator[None]:
    """Press Ctrl-C just before the `at`-th call that changes something."""
    count = 0

    def press(operation: str) -> None:
        nonlocal count
        count += changing(operation)
        if changing(operation) and count == at:
            raise KeyboardInterrupt

    account.wire.before.append(press)
    try:
        yield
    finally:
        account.wire.before.remove(press)


def ignore(_: Progress | float) -> None:
    """Neither tell anybody nor wait."""


def changing(operation: str) -> bool:
    """Whether an operation changes something."""
    return not operation.startswith(READING)


def contents(account: Account) -> dict[str, object]:
    """Return everything in the account that setup could have touched; {} for an empty one."""
    aws, region = account.aws, account.place.region
    found: dict[str, Sequence[object]] = {}
    trails = aws.cloudtrail(region).describe_trails()["trailList"]
    found["trails"] = [
        (each, aws.cloudtrail(region).get_trail_status(Name=each["Name"])["IsLogging"]) for each in trails
    ]
    groups = aws.logs(region).describe_log_groups()["logGroups"]
    found["groups"] = [(each["logGroupName"], each.get("retentionInDays")) for each in groups]
    found["filters"] = [
        (each["filterName"], each["filterPattern"], each["metricTransformations"])
        for group in groups
        for each in aws.logs(region).describe_metric_filters(logGroupName=group["logGroupName"])["metricFilters"]
    ]
    roles = aws.iam().list_roles()["Roles"]
    found["roles"] = [
        (each["RoleName"], each["AssumeRolePolicyDocument"], _inline(account, each["RoleName"])) for each in roles
    ]
    found["buckets"] = [_bucket(account, each["Name"]) for each in aws.s3(region).list_buckets()["Buckets"]]
    alarms = aws.cloudwatch(region).describe_alarms()["MetricAlarms"]
    found["alarms"] = [(each["AlarmName"], each["AlarmActions"], each["MetricName"]) for each in alarms]
    sns = aws.sns(region)
    found["topics"] = [
        (
            each["TopicArn"],
            sns.get_topic_attributes(TopicArn=each["TopicArn"])["Attributes"]["Policy"],
            [one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=each["TopicArn"])["Subscriptions"]],
        )
        for each in sns.list_topics()["Topics"]
    ]
    events = aws.events(region)
    found["rules"] = [
        (each["Name"], each["State"], each["EventPattern"], events.list_targets_by_rule(Rule=each["Name"])["Targets"])
        for each in events.list_rules()["Rules"]
    ]
    sqs = aws.sqs(region)
    found["queues"] = [
        (url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes"))
        for url in sqs.list_queues().get("QueueUrls", [])
    ]
    return {kind: things for kind, things in found.items() if things}


def _inline(account: Account, role: str) -> list[object]:
    iam = account.aws.iam()
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return [(name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names]


def _bucket(account: Account, name: str) -> object:
    found = look.bucket(account.aws, account.place.region, name, account.place.account)
    assert found is not None
    return found
