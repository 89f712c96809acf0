"""Read-only questions to AWS, each answered with a plain value, or None for what does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from smwatch.setup.aws import Aws
from smwatch.setup.documents import ANY_ORGANIZATION, Document, parsed
from smwatch.setup.place import arn_part, group_name
from smwatch.setup.seen import (
    Alarm,
    Bucket,
    Delivery,
    EventRule,
    LogGroup,
    MetricFilter,
    Queue,
    Role,
    Subscription,
    Target,
    Topic,
    Trail,
)
from smwatch.setup.selectors import Selectors
from smwatch.setup.trouble import AWS_ERRORS, DENIED, SetupError, code_of

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.type_defs import LookupAttributeTypeDef, TrailTypeDef

_MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "TrailNotFoundException",
    }
)
"""What the services call a thing that does not exist."""

Answer = TypeVar("Answer")
Excused = Callable[[Exception], bool]


def _never(_: Exception) -> bool:
    return False


def trails(aws: Aws, region: str, account: str, *, tags: bool = False, excused: Excused = _never) -> tuple[Trail, ...]:
    """Return the trails that log this Region, wherever they are at home, with what they select and how they do.

    Where `excused` says so of an error, what was asked for is left out.
    """
    found = aws.cloudtrail(region).describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(_trail(aws, each, region, account, tags=tags, excused=excused) for each in found)


def deliveries(aws: Aws, region: str) -> tuple[tuple[str, str], ...]:
    """Return (home Region, log group) of the trails that log this Region and deliver to a log group."""
    found = aws.cloudtrail(region).describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(
        (each.get("HomeRegion") or region, group_name(each["CloudWatchLogsLogGroupArn"]))
        for each in found
        if each.get("CloudWatchLogsLogGroupArn")
    )


def trails_elsewhere(aws: Aws, region: str, known: Sequence[Trail]) -> tuple[tuple[str, str], ...]:
    """Return (name, home Region) of this account's trails that do not reach this Region."""
    arns = {trail.arn for trail in known}
    pages = aws.cloudtrail(region).get_paginator("list_trails").paginate()
    return tuple(
        (each.get("Name", ""), each.get("HomeRegion", ""))
        for page in pages
        for each in page["Trails"]
        if each.get("TrailARN") not in arns
    )


def _trail(aws: Aws, answer: TrailTypeDef, region: str, account: str, *, tags: bool, excused: Excused) -> Trail:
    arn = answer.get("TrailARN", "")
    home = answer.get("HomeRegion") or arn_part(arn, 3) or region
    foreign = arn_part(arn, 4) not in ("", account)

    def outside(error: Exception) -> bool:
        """Excuse what a member account is not told of its organisation's trail."""
        return excused(error) or (foreign and code_of(error) in DENIED | _MISSING)

    return Trail(
        name=answer.get("Name", ""),
        arn=arn,
        home_region=home,
        multi_region=answer.get("IsMultiRegionTrail", False),
        organization=answer.get("IsOrganizationTrail", False),
        validated=answer.get("LogFileValidationEnabled", False),
        bucket=answer.get("S3BucketName", ""),
        log_group_arn=answer.get("CloudWatchLogsLogGroupArn") or "",
        role_arn=answer.get("CloudWatchLogsRoleArn") or "",
        selectors=_excusing(outside, lambda: trail_selectors(aws, home, arn)),
        delivery=_excusing(outside, lambda: trail_delivery(aws, home, arn)),
        tags=trail_tags(aws, home, arn) if tags and not foreign else {},
    )


def organization(aws: Aws) -> str:
    """Return the ID of this account's organisation; a pattern for any where it can't be read."""
    try:
        return str(aws.organizations().describe_organization()["Organization"]["Id"])
    except AWS_ERRORS:
        return ANY_ORGANIZATION


def trail_selectors(aws: Aws, home: str, arn: str) -> Selectors:
    """Return which events the trail logs."""
    answer = aws.cloudtrail(home).get_event_selectors(TrailName=arn)
    return Selectors(
        basic=tuple(answer.get("EventSelectors") or ()), advanced=tuple(answer.get("AdvancedEventSelectors") or ())
    )


def trail_delivery(aws: Aws, home: str, arn: str) -> Delivery:
    """Return how the trail is doing."""
    answer = aws.cloudtrail(home).get_trail_status(Name=arn)
    return Delivery(
        logging=answer.get("IsLogging", False),
        delivered_at=answer.get("LatestDeliveryTime"),
        delivery_error=answer.get("LatestDeliveryError") or "",
        logs_delivered_at=answer.get("LatestCloudWatchLogsDeliveryTime"),
        logs_delivery_error=answer.get("LatestCloudWatchLogsDeliveryError") or "",
        started_at=answer.get("StartLoggingTime"),
    )


def trail_tags(aws: Aws, home: str, arn: str) -> dict[str, str]:
    """Return a trail's tags."""
    lists = aws.cloudtrail(home).list_tags(ResourceIdList=[arn])["ResourceTagList"]
    return {tag["Key"]: tag.get("Value", "") for each in lists for tag in each.get("TagsList", [])}


def log_group(aws: Aws, region: str, name: str, *, tags: bool = False) -> LogGroup | None:
    """Return a log group by its exact name."""
    pages = aws.logs(region).get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    for page in pages:
        for group in page["logGroups"]:
            if group.get("logGroupName") == name:
                arn = group.get("logGroupArn") or group.get("arn", "").removesuffix(":*")
                return LogGroup(
                    name=name,
                    log_class=group.get("logGroupClass", "STANDARD"),
                    retention=group.get("retentionInDays"),
                    stored_bytes=group.get("storedBytes", 0),
                    tags=dict(aws.logs(region).list_tags_for_resource(resourceArn=arn)["tags"]) if tags else {},
                )
    return None


def metric_filters(aws: Aws, region: str, group: str) -> tuple[MetricFilter, ...]:
    """Return a log group's metric filters; none if there is no such group."""
    pages = aws.logs(region).get_paginator("describe_metric_filters").paginate(logGroupName=group)
    found = _unless_missing(lambda: [each for page in pages for each in page["metricFilters"]]) or []
    filters = []
    for each in found:
        transformation = next(iter(each.get("metricTransformations", [])), None)
        filters.append(
            MetricFilter(
                name=each.get("filterName", ""),
                pattern=each.get("filterPattern", ""),
                namespace=transformation["metricNamespace"] if transformation else "",
                metric=transformation["metricName"] if transformation else "",
                value=transformation["metricValue"] if transformation else "",
                default=transformation.get("defaultValue") if transformation else None,
                dimensions=(
                    *(transformation.get("dimensions", {}) if transformation else ()),
                    *each.get("emitSystemFieldDimensions", ()),
                ),
                unit=transformation.get("unit", "") if transformation else "",
                criteria=each.get("fieldSelectionCriteria", ""),
                transformed=bool(each.get("applyOnTransformedLogs", False)),
                parameters={key: value for key, value in each.items() if key != "creationTime"},
            )
        )
    return tuple(filters)


def role(aws: Aws, name: str, policy: str = "", *, whole: bool = False) -> Role | None:
    """Return a role, with that inline policy of it if one is named; `whole`: with everything it may do."""
    answer = _unless_missing(lambda: aws.iam().get_role(RoleName=name)["Role"])
    if answer is None:
        return None
    inline = None
    if policy:
        inline = _unless_missing(lambda: aws.iam().get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
    return Role(
        name=name,
        arn=answer.get("Arn", ""),
        trust=parsed(answer.get("AssumeRolePolicyDocument", {})),
        policy=None if inline is None else parsed(inline),
        policies=_inline_policies(aws, name) if whole else None,
        attached=_attached_policies(aws, name) if whole else (),
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
    )


def _inline_policies(aws: Aws, role: str) -> tuple[Document, ...]:
    iam = aws.iam()
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    return tuple(
        parsed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for page in pages
        for name in page["PolicyNames"]
    )


def _attached_policies(aws: Aws, role: str) -> tuple[str, ...]:
    pages = aws.iam().get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return tuple(each.get("PolicyName", "") for page in pages for each in page["AttachedPolicies"])


def bucket(aws: Aws, region: str, name: str, account: str) -> Bucket | None:
    """Return a bucket of this account; raise SetupError for one of somebody else, as the names are everybody's."""
    s3 = aws.s3(region)
    try:
        if _unless_missing(lambda: s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)) is None:
            return None
    except ClientError as error:
        if code_of(error) in DENIED:
            raise SetupError(
                f"The bucket {name} is another account's, or s3:ListBucket is missing: name another with --bucket."
            ) from error
        raise
    policy = _unless_missing(lambda: s3.get_bucket_policy(Bucket=name, ExpectedBucketOwner=account)["Policy"])
    block = _unless_missing(
        lambda: s3.get_public_access_block(Bucket=name, ExpectedBucketOwner=account)["PublicAccessBlockConfiguration"]
    )
    encryption = _unless_missing(lambda: s3.get_bucket_encryption(Bucket=name, ExpectedBucketOwner=account))
    labels = _unless_missing(lambda: s3.get_bucket_tagging(Bucket=name, ExpectedBucketOwner=account)["TagSet"])
    return Bucket(
        name=name,
        policy=parsed(policy),
        closed=block is not None and all(dict(block).get(each) for each in PUBLIC_ACCESS_BLOCK),
        encrypted=encryption is not None,
        tags={tag["Key"]: tag["Value"] for tag in labels or ()},
        objects=bool(s3.list_objects_v2(Bucket=name, MaxKeys=1, ExpectedBucketOwner=account).get("KeyCount", 0)),
    )


PUBLIC_ACCESS_BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def alarms(
    aws: Aws, region: str, *, names: Sequence[str] = (), prefix: str = "", tags: bool = False
) -> tuple[Alarm, ...]:
    """Return the metric alarms of these names, or of this prefix."""
    if not names and not prefix:
        return ()
    client = aws.cloudwatch(region)
    shape = client.meta.service_model.operation_model("PutMetricAlarm").input_shape
    put = shape.members if shape else {}
    paginator = client.get_paginator("describe_alarms")
    pages = (
        paginator.paginate(AlarmNames=list(names), AlarmTypes=["MetricAlarm"])
        if names
        else paginator.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    )
    return tuple(
        Alarm(
            name=each.get("AlarmName", ""),
            arn=each.get("AlarmArn", ""),
            namespace=each.get("Namespace", ""),
            metric=each.get("MetricName", ""),
            statistic=each.get("Statistic", ""),
            period=each.get("Period", 0),
            evaluation_periods=each.get("EvaluationPeriods", 0),
            datapoints=each.get("DatapointsToAlarm", each.get("EvaluationPeriods", 0)),
            threshold=each.get("Threshold", 0.0),
            comparison=each.get("ComparisonOperator", ""),
            missing=each.get("TreatMissingData", "missing"),
            actions=tuple(each.get("AlarmActions", ())),
            ok_actions=tuple(each.get("OKActions", ())),
            insufficient_actions=tuple(each.get("InsufficientDataActions", ())),
            actions_enabled=each.get("ActionsEnabled", True),
            dimensions=tuple((pair["Name"], pair["Value"]) for pair in each.get("Dimensions", ())),
            unit=each.get("Unit", ""),
            computed=bool(each.get("Metrics")),
            description=each.get("AlarmDescription", ""),
            state=each.get("StateValue", ""),
            state_at=each.get("StateTransitionedTimestamp") or each.get("StateUpdatedTimestamp"),
            parameters={key: value for key, value in each.items() if key in put},
            tags={
                tag["Key"]: tag["Value"]
                for tag in client.list_tags_for_resource(ResourceARN=each.get("AlarmArn", ""))["Tags"]
            }
            if tags
            else {},
        )
        for page in pages
        for each in page["MetricAlarms"]
    )


def topic(aws: Aws, arn: str, *, tags: bool = False) -> Topic | None:
    """Return a topic with its subscriptions."""
    sns = aws.sns(arn_part(arn, 3))
    attributes = _unless_missing(lambda: sns.get_topic_attributes(TopicArn=arn)["Attributes"])
    if attributes is None:
        return None
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return Topic(
        arn=arn,
        policy=parsed(attributes.get("Policy", "")),
        key=attributes.get("KmsMasterKeyId", ""),
        subscriptions=tuple(
            Subscription(each.get("Protocol", ""), each.get("Endpoint", ""), each.get("SubscriptionArn", ""))
            for page in pages
            for each in page["Subscriptions"]
        ),
        tags={tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]} if tags else {},
    )


def queue(aws: Aws, arn: str, *, tags: bool = False) -> Queue | None:
    """Return a queue by its ARN."""
    sqs = aws.sqs(arn_part(arn, 3))
    url = _unless_missing(
        lambda: sqs.get_queue_url(QueueName=arn_part(arn, 5), QueueOwnerAWSAccountId=arn_part(arn, 4))["QueueUrl"]
    )
    if url is None:
        return None
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    return Queue(
        arn=arn,
        url=url,
        policy=parsed(attributes.get("Policy", "")),
        tags=dict(sqs.list_queue_tags(QueueUrl=url).get("Tags", {})) if tags else {},
    )


def event_rules(aws: Aws, region: str, prefix: str, *, tags: bool = False) -> tuple[EventRule, ...]:
    """Return the rules of the default event bus whose names begin so."""
    events = aws.events(region)
    pages = events.get_paginator("list_rules").paginate(NamePrefix=prefix)
    found = []
    for rule in (rule for page in pages for rule in page["Rules"]):
        targets = events.get_paginator("list_targets_by_rule").paginate(Rule=rule["Name"])
        found.append(
            EventRule(
                name=rule.get("Name", ""),
                arn=rule.get("Arn", ""),
                state=rule.get("State", ""),
                pattern=parsed(rule.get("EventPattern", "")),
                targets=tuple(
                    Target(target["Id"], target["Arn"], target.get("DeadLetterConfig", {}).get("Arn", ""))
                    for page in targets
                    for target in page["Targets"]
                ),
                tags={
                    tag["Key"]: tag["Value"]
                    for tag in events.list_tags_for_resource(ResourceARN=rule.get("Arn", ""))["Tags"]
                }
                if tags
                else {},
            )
        )
    return tuple(found)


def _excusing(excused: Excused, ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except AWS_ERRORS as error:
        if excused(error):
            return None
        raise


def looked_up(aws: Aws, region: str, name: str, since: datetime) -> Iterator[str]:
    """Yield the records of an event name since then, newest first, as JSON text."""
    attribute: LookupAttributeTypeDef = {"AttributeKey": "EventName", "AttributeValue": name}
    pages = (
        aws.cloudtrail(region)
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=[attribute], StartTime=since, PaginationConfig={"PageSize": 50})
    )
    for page in pages:
        yield from (each.get("CloudTrailEvent", "") for each in page["Events"])


def logged(aws: Aws, region: str, group: str, pattern: str, since: datetime) -> Iterator[str]:
    """Yield the messages of a log group that match a pattern, delivered since then."""
    pages = (
        aws.logs(region)
        .get_paginator("filter_log_events")
        .paginate(logGroupName=group, filterPattern=pattern, startTime=int(since.timestamp() * 1000))
    )
    for page in pages:
        yield from (each.get("message", "") for each in page["events"])


def newest_event(aws: Aws, region: str, group: str, now: datetime) -> datetime | None:
    """Return when the newest event of a log group was delivered, None if it holds none of the last 90 days.

    Asked in growing periods, newest first, so that a busy group costs one call.
    """
    paginator = aws.logs(region).get_paginator("filter_log_events")
    for period in _PERIODS:
        since = int((now - period).timestamp() * 1000)
        pages = paginator.paginate(logGroupName=group, startTime=since, startFromHead=False)
        for page in islice(pages, _EMPTY_PAGES):
            if times := [each["timestamp"] for each in page["events"] if "timestamp" in each]:
                return datetime.fromtimestamp(max(times) / 1000, UTC)
    return None


_PERIODS = tuple(timedelta(hours=hours) for hours in (0.25, 1, 6, 24, 7 * 24, 90 * 24))
_EMPTY_PAGES = 5
"""As many pages without events are turned for each period: AWS answers with empty ones."""


def pattern_matches(aws: Aws, region: str, pattern: str, message: str) -> bool:
    """Ask AWS itself whether a filter pattern matches a message."""
    answer = aws.logs(region).test_metric_filter(filterPattern=pattern, logEventMessages=[message])
    return bool(answer["matches"])


def newest_lookup(aws: Aws, region: str) -> datetime | None:
    """Return the time of the newest event in the event history, None if it is empty."""
    answer = aws.cloudtrail(region).lookup_events(MaxResults=1)
    newest = next(iter(answer["Events"]), None)
    return newest["EventTime"].astimezone(UTC) if newest and "EventTime" in newest else None


def _unless_missing(ask: Callable[[], Answer]) -> Answer | None:
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
