"""Broken set-ups in an emulator: doctor names each, and what it tells to run mends it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from smwatch.setup import look
from smwatch.setup.catalogue import NAMED_EVENTS
from smwatch.setup.checks import Checks
from smwatch.setup.commands.setup import setup
from smwatch.setup.documents import statements
from smwatch.setup.finding import Finding, State
from smwatch.setup.place import Names
from smwatch.setup.seeing import see_region
from smwatch.setup.wanted import Part, Wanted
from tests.emulators.aws_cli import pasted
from tests.emulators.process import Emulator, post
from tests.setup.account import EVERYTHING, Account, open_account

HERE = "us-east-1"
GROUP = "CloudTrail/MyCloudWatchLogGroup"
TRAIL = "smwatch-management-events"
ROLE = "CloudTrail_CloudWatchLogs_Role"
ALARM = "AttemptsToAccessDeletedSecretsAlarm"
FILTER = "AttemptsToAccessDeletedSecrets"
PATTERN = '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
TO_TOPIC = Wanted(parts=frozenset(Part), emails=EVERYTHING.emails, events=EVERYTHING.events)
NOT_IN_MOTO = {"lookup", "pattern"}
"""moto answers LookupEvents and TestMetricFilter with HTTP 500."""


@pytest.fixture(scope="module")
def opened(moto_server: Emulator) -> Iterator[Account]:
    post(f"{moto_server.url}/moto-api/reset")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CONFIG_HOME", "/nonexistent")
        yield open_account(moto_server, environment)


@pytest.fixture
def account(opened: Account) -> Account:
    """An account where everything is as it should be; setting up mends what the test before has broken."""
    opened.set_up(TO_TOPIC)
    return opened


def examined(account: Account, wanted: Wanted = Wanted()) -> list[Finding]:  # noqa: B008 - frozen
    seen = see_region(account.aws, account.place, wanted, datetime.now(UTC))
    return [each for each in Checks(seen, "").findings() if each.check not in NOT_IN_MOTO]


def faults(account: Account, wanted: Wanted = Wanted()) -> dict[str, str]:  # noqa: B008 - frozen
    return {each.check: each.message for each in examined(account, wanted) if each.state is State.BROKEN}


def test_nothing_is_wrong_with_what_setup_made(account: Account) -> None:
    assert faults(account) == {}
    assert [each.check for each in examined(account)] == [
        *("region", "permissions", "trail", "logging", "selectors", "files", "delivery", "role"),
        *("log group", "newest event", "metric filter", "alarm", "topic", "subscribers"),
        *("event rules", "event rules"),
    ]


def _no_trail(account: Account) -> None:
    account.aws.cloudtrail(HERE).delete_trail(Name=TRAIL)


def _trail_off(account: Account) -> None:
    account.aws.cloudtrail(HERE).stop_logging(Name=TRAIL)


def _no_reads(account: Account) -> None:
    account.aws.cloudtrail(HERE).put_event_selectors(
        TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    )


def _no_writes(account: Account) -> None:
    account.aws.cloudtrail(HERE).put_event_selectors(
        TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
    )


def _no_management_events(account: Account) -> None:
    account.aws.cloudtrail(HERE).put_event_selectors(
        TrailName=TRAIL,
        AdvancedEventSelectors=[
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]},
        ],
    )


def _no_delivery(account: Account) -> None:
    account.aws.cloudtrail(HERE).update_trail(Name=TRAIL, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")


def _no_role(account: Account) -> None:
    account.aws.iam().delete_role_policy(RoleName=ROLE, PolicyName=Names().role_policy)
    account.aws.iam().delete_role(RoleName=ROLE)


def _distrusting_role(account: Account) -> None:
    other = account.arn("cloudtrail", "trail/other")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceArn": other}},
        },
    }
    account.aws.iam().update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))


def _powerless_role(account: Account) -> None:
    account.aws.iam().delete_role_policy(RoleName=ROLE, PolicyName=Names().role_policy)


def _no_group(account: Account) -> None:
    account.aws.logs(HERE).delete_log_group(logGroupName=GROUP)


def _no_filter(account: Account) -> None:
    account.aws.logs(HERE).delete_metric_filter(logGroupName=GROUP, filterName=FILTER)


def _put_filter(account: Account, pattern: str, namespace: str = "CloudTrailLogMetrics", value: str = "1") -> None:
    while account.aws.logs(HERE).describe_metric_filters(logGroupName=GROUP)["metricFilters"]:
        _no_filter(account)  # moto adds one more of the same name, where AWS replaces the first
    account.aws.logs(HERE).put_metric_filter(
        logGroupName=GROUP,
        filterName=FILTER,
        filterPattern=pattern,
        metricTransformations=[{"metricName": FILTER, "metricNamespace": namespace, "metricValue": value}],
    )


def _old_pattern(account: Account) -> None:
    _put_filter(account, '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was deleted*" }')


def _other_pattern(account: Account) -> None:
    _put_filter(account, '{ $.eventName = "DeleteSecret" }')


NEARLY = PATTERN.replace("*secret because", "*secret  because")


def _nearly_the_pattern(account: Account) -> None:
    _put_filter(account, NEARLY)


def _other_namespace(account: Account) -> None:
    _put_filter(account, PATTERN, namespace="Elsewhere")


def _counts_nothing(account: Account) -> None:
    _put_filter(account, PATTERN, value="0")


def _no_alarm(account: Account) -> None:
    account.aws.cloudwatch(HERE).delete_alarms(AlarmNames=[ALARM])


def _put_alarm(**other: object) -> Callable[[Account], None]:
    def put(account: Account) -> None:
        alarm: dict[str, object] = {
            "AlarmName": ALARM,
            "Namespace": "CloudTrailLogMetrics",
            "MetricName": FILTER,
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [account.arn("sns", "smwatch-alarms")],
            **other,
        }
        account.aws.cloudwatch(HERE).put_metric_alarm(**alarm)  # type: ignore[arg-type]

    return put


def _no_topic(account: Account) -> None:
    account.aws.sns(HERE).delete_topic(TopicArn=account.arn("sns", "smwatch-alarms"))


def _closed_topic(account: Account) -> None:
    arn = account.arn("sns", "smwatch-alarms")
    closed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Other",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": arn,
            }
        ],
    }
    account.aws.sns(HERE).set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(closed))


def _sns_key(account: Account) -> None:
    account.aws.sns(HERE).set_topic_attributes(
        TopicArn=account.arn("sns", "smwatch-alarms"),
        AttributeName="KmsMasterKeyId",
        AttributeValue="alias/aws/sns",
    )


def _nobody(account: Account) -> None:
    sns = account.aws.sns(HERE)
    for each in sns.list_subscriptions_by_topic(TopicArn=account.arn("sns", "smwatch-alarms"))["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def _rule_off(account: Account) -> None:
    account.aws.events(HERE).disable_rule(Name="smwatch-rotation")


def _rule_for_other_events(account: Account) -> None:
    pattern = json.dumps({"source": ["aws.s3"]})
    account.aws.events(HERE).put_rule(Name="smwatch-rotation", EventPattern=pattern, State="ENABLED")


def _rule_without_reads(account: Account) -> None:
    pattern = json.dumps(NAMED_EVENTS["deleted-secrets"].pattern)
    account.aws.events(HERE).put_rule(Name="smwatch-deleted-secrets", EventPattern=pattern, State="ENABLED")


def _rule_without_target(account: Account) -> None:
    account.aws.events(HERE).remove_targets(Rule="smwatch-rotation", Ids=["smwatch"])


BROKEN: list[tuple[Callable[[Account], None], dict[str, str]]] = [
    (_no_trail, {"trail": "No trail logs us-east-1."}),
    (_trail_off, {"logging": f"The trail {TRAIL} is switched off."}),
    (_no_reads, {"selectors": f"The trail {TRAIL} drops read events: nobody is seen who reads a secret."}),
    (_no_writes, {"selectors": f"The trail {TRAIL} drops write events: no change to a secret is seen."}),
    (_no_management_events, {"selectors": f"The trail {TRAIL} logs no management events."}),
    (_no_delivery, {"delivery": f"The trail {TRAIL} does not deliver to CloudWatch Logs."}),
    (_no_role, {"role": f"The role {ROLE} does not exist."}),
    (_distrusting_role, {"role": f"The role {ROLE} does not trust CloudTrail for this trail."}),
    (_powerless_role, {"role": f"The role {ROLE} may not write to {GROUP}."}),
    (_no_group, {"log group": f"There is no log group {GROUP} in us-east-1."}),
    (_no_filter, {"metric filter": f"{GROUP} has no metric filter {FILTER}."}),
    (_old_pattern, {"metric filter": f"{FILTER} looks for AWS's wording of before 2020: it never matches."}),
    (
        _other_pattern,
        {"metric filter": f'{FILTER} has another pattern than the documented one: {{ $.eventName = "DeleteSecret" }}'},
    ),
    (
        _other_namespace,
        {"metric filter": f"{FILTER}: metric is Elsewhere/{FILTER}, should be CloudTrailLogMetrics/{FILTER}."},
    ),
    (_counts_nothing, {"metric filter": f"{FILTER}: value is 0, should be 1."}),
    (
        _nearly_the_pattern,
        {"metric filter": f"{FILTER} has another pattern than the documented one: {NEARLY}"},
    ),
    (_no_alarm, {"alarm": f"There is no alarm {ALARM} in us-east-1."}),
    (_put_alarm(Threshold=5.0), {"alarm": f"{ALARM}: threshold is 5, should be 1."}),
    (
        _put_alarm(ComparisonOperator="LessThanThreshold"),
        {"alarm": f"{ALARM}: comparison is LessThanThreshold, should be GreaterThanOrEqualToThreshold."},
    ),
    (
        _put_alarm(MetricName="Other"),
        {"alarm": f"{ALARM}: metric is CloudTrailLogMetrics/Other, should be CloudTrailLogMetrics/{FILTER}."},
    ),
    (
        _put_alarm(EvaluationPeriods=3, DatapointsToAlarm=3),
        {"alarm": f"{ALARM}: datapoints to alarm is 3, should be 1."},
    ),
    (
        _put_alarm(TreatMissingData="breaching"),
        {"alarm": f"{ALARM}: missing data is breaching, should be notBreaching."},
    ),
    (
        _put_alarm(TreatMissingData="ignore"),
        {"alarm": f"{ALARM}: missing data is ignore, should be notBreaching."},
    ),
    (_put_alarm(Period=86400), {"alarm": f"{ALARM}: period is 86400 s, should be 300 s."}),
    (_put_alarm(Statistic="Minimum"), {"alarm": f"{ALARM}: statistic is Minimum, should be Sum."}),
    (_put_alarm(Unit="Seconds"), {"alarm": f"{ALARM}: unit is Seconds, should be none."}),
    (_put_alarm(ActionsEnabled=False), {"alarm": f"{ALARM}: telling is switched off, should be on."}),
    (
        _put_alarm(Dimensions=[{"Name": "Account", "Value": "1"}]),
        {"alarm": f"{ALARM}: dimensions is Account=1, should be none."},
    ),
    (_put_alarm(AlarmActions=[]), {"alarm": f"{ALARM} tells nobody: it has no actions."}),
    (
        _no_topic,
        {"topic": "The topic {topic} does not exist.", "event rules": "The topic {topic} does not exist."},
    ),
    (
        _closed_topic,
        {
            "topic": "The policy of the topic smwatch-alarms does not let cloudwatch.amazonaws.com publish.",
            "event rules": "The policy of the topic smwatch-alarms does not let events.amazonaws.com publish.",
        },
    ),
    (_nobody, {"subscribers": "Nobody subscribes to smwatch-alarms. For ADDRESS put your own:"}),
    (_rule_off, {"event rules": "The EventBridge rule smwatch-rotation is switched off."}),
    (
        _rule_for_other_events,
        {"event rules": "The EventBridge rule smwatch-rotation selects other events than it is named after."},
    ),
    (
        _rule_without_reads,
        {
            "event rules": "The EventBridge rule smwatch-deleted-secrets is for reads, "
            "and its state ENABLED leaves reads out."
        },
    ),
    (_rule_without_target, {"event rules": "The EventBridge rule smwatch-rotation has no target: it tells nobody."}),
]


def mended(mend: str, aws_cli: Path) -> None:
    """Run what doctor printed, as it printed it."""
    if mend.startswith("aws "):
        pasted(aws_cli, mend)
        return
    program, command, *options = shlex.split(mend.replace("ADDRESS", "ops@example.com"))
    assert (program, command) == ("smwatch", "setup")
    result = CliRunner().invoke(setup, [*options, "--yes"])
    assert result.exit_code == 0, result.output


def put_right(account: Account, aws_cli: Path) -> None:
    """Run the mend of the first fault until there is none, and not more often than there were faults."""
    for _ in range(len(faults(account)) + 2):
        wrong = [each for each in examined(account) if each.state is State.BROKEN]
        if not wrong:
            return
        mended(wrong[0].mend, aws_cli)
    assert faults(account) == {}


@pytest.mark.parametrize(
    ("broke", "said"), BROKEN, ids=[f"{at}-{next(iter(said))}" for at, (_, said) in enumerate(BROKEN)]
)
def test_a_broken_set_up_is_named_and_what_is_printed_mends_it(
    account: Account, aws_cli: Path, broke: Callable[[Account], None], said: dict[str, str]
) -> None:
    broke(account)
    topic = account.arn("sns", "smwatch-alarms")
    assert faults(account) == {check: sentence.replace("{topic}", topic) for check, sentence in said.items()}
    put_right(account, aws_cli)


def test_a_topic_with_a_key_of_its_own_service_is_named_and_mended(account: Account, aws_cli: Path) -> None:
    _sns_key(account)
    encrypted = "The topic smwatch-alarms is encrypted with alias/aws/sns, which {} may not use."
    assert faults(account) == {
        "topic": encrypted.format("cloudwatch.amazonaws.com"),
        "event rules": encrypted.format("events.amazonaws.com"),
    }
    put_right(account, aws_cli)


@pytest.fixture
def to_queue(account: Account) -> Iterator[str]:
    """The URL of the queue that the rules tell in this test."""
    account.set_up(EVERYTHING)
    yield account.aws.sqs(HERE).get_queue_url(QueueName="smwatch-events")["QueueUrl"]
    account.set_up(TO_TOPIC)


def test_a_queue_that_is_gone_is_named_and_made_again(account: Account, to_queue: str, aws_cli: Path) -> None:
    assert faults(account) == {}
    account.aws.sqs(HERE).delete_queue(QueueUrl=to_queue)
    assert faults(account) == {"event rules": "smwatch-rotation tells the queue smwatch-events, which does not exist."}
    put_right(account, aws_cli)


def test_a_queue_that_takes_nothing_is_named_and_opened(account: Account, to_queue: str, aws_cli: Path) -> None:
    account.aws.sqs(HERE).set_queue_attributes(QueueUrl=to_queue, Attributes={"Policy": ""})
    assert faults(account) == {
        "event rules": "The policy of the queue smwatch-events does not let smwatch-rotation send."
    }
    put_right(account, aws_cli)


def test_events_that_would_be_lost_are_a_warning(account: Account, to_queue: str, aws_cli: Path) -> None:
    dead_letters = account.aws.sqs(HERE).get_queue_url(QueueName="smwatch-undelivered")["QueueUrl"]
    account.aws.sqs(HERE).delete_queue(QueueUrl=dead_letters)
    first, *_ = [each for each in examined(account) if each.check == "event rules"]
    assert (first.state, first.message) == (
        State.WARN,
        "smwatch-deleted-secrets tells smwatch-events; what can't be delivered is lost, for want of a queue.",
    )
    mended(first.mend, aws_cli)
    assert {each.state for each in examined(account) if each.check == "event rules"} == {State.OK}


def test_a_role_of_somebody_else_is_mended_without_taking_it_over(account: Account, aws_cli: Path) -> None:
    iam = account.aws.iam()
    iam.untag_role(RoleName=ROLE, TagKeys=["smwatch"])
    before = look.role(account.aws, ROLE, Names().role_policy)
    assert before is not None
    _distrusting_role(account)
    _powerless_role(account)
    put_right(account, aws_cli)
    after = look.role(account.aws, ROLE, Names().role_policy)
    assert after is not None
    assert statements(after.trust)[-1:] == statements(before.trust)
    assert after.tags == {}
    iam.tag_role(RoleName=ROLE, Tags=[{"Key": "smwatch", "Value": "made by smwatch setup"}])


def test_an_alarm_that_works_but_is_not_the_documented_one_is_a_warning(account: Account, aws_cli: Path) -> None:
    _put_alarm(Period=60, Statistic="Maximum")(account)
    (found,) = [each for each in examined(account) if each.check == "alarm"]
    assert (found.state, found.message) == (
        State.WARN,
        (
            f"{ALARM} goes off, but is not as documented: statistic is Maximum, documented is Sum; period is 60 s, "
            "documented is 300 s."
        ),
    )
    mended(found.mend, aws_cli)
    (found,) = [each for each in examined(account) if each.check == "alarm"]
    assert found.state is State.OK


def test_a_log_group_that_the_trail_does_not_deliver_to_is_named(account: Account) -> None:
    account.aws.logs(HERE).create_log_group(logGroupName="elsewhere")
    wanted = Wanted(names=Names(log_group="elsewhere"), group_named=True)
    assert faults(account, wanted)["delivery"] == f"The trail {TRAIL} delivers to {GROUP}, not to elsewhere."
    account.aws.logs(HERE).delete_log_group(logGroupName="elsewhere")


def test_a_short_memory_is_a_warning(account: Account) -> None:
    account.aws.logs(HERE).put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    (found,) = [each for each in examined(account) if each.check == "log group"]
    assert (found.state, found.message) == (State.WARN, f"{GROUP} keeps events for only 3 days.")
    account.aws.logs(HERE).put_retention_policy(logGroupName=GROUP, retentionInDays=90)


def test_an_empty_account_is_told_where_to_begin(account: Account) -> None:
    account.remove(TO_TOPIC)
    assert faults(account) == {
        "trail": "No trail logs us-east-1.",
        "log group": f"There is no log group {GROUP} in us-east-1.",
        "alarm": f"There is no alarm {ALARM} in us-east-1.",
    }
