"""What tells people and programs: metric filters, alarms, topics, queues, EventBridge rules."""

from __future__ import annotations

from collections.abc import Sequence

from smwatch.setup.aws import Aws
from smwatch.setup.documents import parsed
from smwatch.setup.look.asking import unless_missing
from smwatch.setup.place import arn_part
from smwatch.setup.seen import Alarm, EventRule, MetricFilter, Queue, Subscription, Target, Topic


def metric_filters(aws: Aws, region: str, group: str) -> tuple[MetricFilter, ...]:
    """Return a log group's metric filters; none if there is no such group."""
    pages = aws.logs(region).get_paginator("describe_metric_filters").paginate(logGroupName=group)
    found = unless_missing(lambda: [each for page in pages for each in page["metricFilters"]]) or []
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
    attributes = unless_missing(lambda: sns.get_topic_attributes(TopicArn=arn)["Attributes"])
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
    url = unless_missing(
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
