"""Broken set-ups in an emulator: doctor names each, and what it tells to run mends it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from smwatch.setup.checks import Checks
from smwatch.setup.commands import setup
from smwatch.setup.finding import Finding, State
from smwatch.setup.place import Names
from smwatch.setup.seeing import see_region
from smwatch.setup.wanted import Part, Wanted
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


def _rule_without_reads(account: Account) -> None:
    pattern = json.dumps({"source": ["aws.secretsmanager"], "detail": {"eventName": ["GetSecretValue"]}})
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
    (_no_group, {"log group": f"There is no log group {GROUP} in us-east-1."}),
    (_no_filter, {"metric filter": f"{GROUP} has no metric filter {FILTER}."}),
    (_old_pattern, {"metric filter": f"{FILTER} looks for AWS's wording of before 2020: it never matches."}),
    (
        _other_pattern,
        {"metric filter": f'{FILTER} has another pattern than the documented one: {{ $.eventName = "DeleteSecret" }}'},
    ),
    (
        _other_namespace,
        {"metric filter": f"{FILTER} puts 1 into Elsewhere/{FILTER}, not 1 into CloudTrailLogMetrics/{FILTER}."},
    ),
    (
        _counts_nothing,
        {
            "metric filter": f"{FILTER} puts 0 into CloudTrailLogMetrics/{FILTER}, "
            f"not 1 into CloudTrailLogMetrics/{FILTER}."
        },
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
    (_put_alarm(ActionsEnabled=False), {"alarm": f"{ALARM}: actions is switched off, should be on."}),
    (
        _put_alarm(Dimensions=[{"Name": "Account", "Value": "1"}]),
        {"alarm": f"{ALARM}: dimensions is Account=1, should be none."},
    ),
    (_put_alarm(AlarmActions=[]), {"alarm": f"{ALARM} tells nobody: it has no actions."}),
    (
        _no_topic,
        {
            "topic": "The topic {topic} does not exist.",
            "event rules": "smwatch-rotation tells {topic}, which does not exist.",
        },
    ),
    (
        _closed_topic,
        {
            "topic": "The policy of the topic smwatch-alarms does not let cloudwatch.amazonaws.com publish.",
            "event rules": "The policy of the topic smwatch-alarms does not let EventBridge's smwatch-rotation "
            "publish.",
        },
    ),
    (_nobody, {"subscribers": "Nobody subscribes to smwatch-alarms."}),
    (_rule_off, {"event rules": "The EventBridge rule smwatch-rotation is switched off."}),
    (
        _rule_without_reads,
        {
            "event rules": "The EventBridge rule smwatch-deleted-secrets is for reads, "
            "and its state ENABLED leaves reads out."
        },
    ),
    (_rule_without_target, {"event rules": "The EventBridge rule smwatch-rotation has no target: it tells nobody."}),
]


@pytest.mark.parametrize(
    ("broke", "said"), BROKEN, ids=[f"{at}-{next(iter(said))}" for at, (_, said) in enumerate(BROKEN)]
)
def test_a_broken_set_up_is_named_and_mended(
    account: Account, broke: Callable[[Account], None], said: dict[str, str]
) -> None:
    broke(account)
    topic = account.arn("sns", "smwatch-alarms")
    found = faults(account)
    assert found == {check: sentence.replace("{topic}", topic) for check, sentence in said.items()}
    account.set_up(TO_TOPIC)
    assert faults(account) == {}


def test_a_topic_with_a_key_of_its_own_service_is_named(account: Account) -> None:
    _sns_key(account)
    assert faults(account) == {
        "topic": "The topic smwatch-alarms is encrypted with alias/aws/sns, which cloudwatch.amazonaws.com may not use."
    }
    (mend,) = [each.mend for each in examined(account) if each.check == "topic"]
    words = shlex.split(mend)
    assert words[:3] == ["aws", "sns", "set-topic-attributes"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    account.aws.sns(HERE).set_topic_attributes(
        TopicArn=options["--topic-arn"],
        AttributeName=options["--attribute-name"],
        AttributeValue=options["--attribute-value"],
    )
    assert faults(account) == {}


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


def test_the_commands_that_mend_are_commands(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.aws.cloudtrail(HERE).delete_trail(Name=TRAIL)
    _no_alarm(account)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    mends = [each.mend for each in examined(account) if each.state is State.BROKEN]
    assert len(mends) == 2
    for mend in mends:
        program, command, *options = shlex.split(mend)
        assert (program, command) == ("smwatch", "setup")
        result = CliRunner().invoke(setup, [*options, "--yes"])
        assert result.exit_code == 0, result.output
    assert faults(account) == {}


def test_an_empty_account_is_told_where_to_begin(account: Account) -> None:
    account.remove(TO_TOPIC)
    assert faults(account) == {
        "trail": "No trail logs us-east-1.",
        "log group": f"There is no log group {GROUP} in us-east-1.",
        "alarm": f"There is no alarm {ALARM} in us-east-1.",
    }
