"""From what setup made to what takes it away again, in reverse; pure. Nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.setup import documents
from smwatch.setup.call import Call
from smwatch.setup.documents import ALARMS_SID, EVENTS_SID
from smwatch.setup.observe import Made
from smwatch.setup.place import Names, Place, arn_part, group_name
from smwatch.setup.plan import Change, Plan, Step
from smwatch.setup.plan_alarm import subscription_tag
from smwatch.setup.seen import (
    DELIVERY_TAG,
    FILTER_TAG,
    FORMER_GROUP_TAG,
    FORMER_ROLE_TAG,
    SUBSCRIPTION_TAG,
    LogGroup,
    Topic,
    Trail,
    made,
)
from smwatch.setup.wanted import Part, Wanted

_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFound",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "TrailNotFoundException",
    }
)


def plan_removal(found: Made, wanted: Wanted, *, keep_logs: bool = False) -> Plan:
    """Return what takes away everything that carries smwatch's tags; `keep_logs` spares the recorded events."""
    steps: list[Step] = []
    if Part.EVENTS in wanted.parts:
        steps += _events(found)
    if Part.ALARM in wanted.parts:
        steps += _alarms(found)
    if {Part.EVENTS, Part.ALARM} & wanted.parts:
        steps += _topics(found, wanted)
    if Part.TRAIL in wanted.parts:
        steps += _trails(found)
        steps += _roles(found, wanted)
        steps += _logs(found, keep=keep_logs)
    return Plan(found.places[0], tuple(steps), tuple(_notes(found)) if Part.TRAIL in wanted.parts else ())


def _notes(found: Made) -> Iterator[str]:
    """Yield what restoring takes that the setup policy, which knows no role but its own, does not hold."""
    for trail in found.trails:
        if trail.delivers_by_setup and (former := _former(found, trail)):
            yield f"That {trail.name} delivers to {group_name(former[0])} again takes iam:PassRole on {former[1]} too."


def _remove(part: Part, what: str, *calls: Call, detail: str = "", empties: str = "", destroys: bool = False) -> Step:
    return Step(part, Change.REMOVE, what, detail, calls, empties=empties, destroys=destroys)


def _delete(service: str, operation: str, region: str, **parameters: object) -> Call:
    return Call(service, operation, parameters, region, already=_GONE)


def _events(found: Made) -> Iterator[Step]:
    for place, rule in found.rules:
        if not made(rule.tags):
            continue
        targets = [target.id for target in rule.targets]
        calls = [_delete("events", "RemoveTargets", place.region, Rule=rule.name, Ids=targets)] if targets else []
        yield _remove(
            Part.EVENTS,
            f"EventBridge rule {rule.name}",
            *calls,
            _delete("events", "DeleteRule", place.region, Name=rule.name),
            detail=f"in {place.region}",
        )
    for queue in found.queues:
        region, what = arn_part(queue.arn, 3), f"queue {arn_part(queue.arn, 5)}"
        if made(queue.tags):
            yield _remove(Part.EVENTS, what, _delete("sqs", "DeleteQueue", region, QueueUrl=queue.url))
        elif documents.find(queue.policy, EVENTS_SID):
            rest = documents.without(queue.policy, EVENTS_SID)
            policy = documents.text(rest) if documents.statements(rest) else ""
            call = Call("sqs", "SetQueueAttributes", {"QueueUrl": queue.url, "Attributes": {"Policy": policy}}, region)
            yield _remove(Part.EVENTS, what, call, detail="only the statement that lets EventBridge send")


def _alarms(found: Made) -> Iterator[Step]:
    for place, alarm in found.alarms:
        if made(alarm.tags):
            yield _remove(
                Part.ALARM,
                f"alarm {alarm.name}",
                _delete("cloudwatch", "DeleteAlarms", place.region, AlarmNames=[alarm.name]),
            )
    for place, group in found.groups:
        names = [key.removeprefix(FILTER_TAG) for key in group.tags if key.startswith(FILTER_TAG)]
        there = {each.name for at, name, each in found.filters if (at, name) == (place, group.name)}
        for name in names:
            untag = _untag_group(place, group, FILTER_TAG + name)
            drop = _delete("logs", "DeleteMetricFilter", place.region, logGroupName=group.name, filterName=name)
            yield _remove(Part.ALARM, f"metric filter {name}", *((drop, untag) if name in there else (untag,)))


def _untag_group(place: Place, group: LogGroup, key: str) -> Call:
    return _delete("logs", "UntagResource", place.region, resourceArn=place.log_group(group.name), tagKeys=[key])


def _topics(found: Made, wanted: Wanted) -> Iterator[Step]:
    """Yield what happens to topics: ours go once nobody of the other part needs them."""
    for topic in found.topics:
        region, what = arn_part(topic.arn, 3), f"topic {arn_part(topic.arn, 5)}"
        sids = _sids(topic, wanted)
        kept = [sid for sid in (ALARMS_SID, EVENTS_SID) if documents.find(topic.policy, sid) and sid not in sids]
        if made(topic.tags) and not kept:
            count = len(topic.subscriptions)
            detail = f"with its {count} subscriptions" if count > 1 else "with its subscription" if count else ""
            yield _remove(Part.ALARM, what, _delete("sns", "DeleteTopic", region, TopicArn=topic.arn), detail=detail)
            continue
        calls = [*_unsubscribing(topic, region)] if Part.ALARM in wanted.parts and not made(topic.tags) else []
        rest = topic.policy
        for sid in sids:
            rest = documents.without(rest, sid)
        if sids and documents.statements(rest):  # SNS refuses a policy without statements
            attribute = {"TopicArn": topic.arn, "AttributeName": "Policy", "AttributeValue": documents.text(rest)}
            calls.append(Call("sns", "SetTopicAttributes", attribute, region))
        if calls:
            yield _remove(Part.ALARM, what, *calls, detail="only what setup added to it")


def _sids(topic: Topic, wanted: Wanted) -> list[str]:
    """Return smwatch's statements in the topic's policy that belong to the chosen parts."""
    of = {ALARMS_SID: Part.ALARM, EVENTS_SID: Part.EVENTS}
    return [sid for sid, part in of.items() if part in wanted.parts and documents.find(topic.policy, sid)]


def _unsubscribing(topic: Topic, region: str) -> Iterator[Call]:
    tags = [key for key in topic.tags if key.startswith(SUBSCRIPTION_TAG)]
    for subscription in topic.subscriptions:
        if subscription.confirmed and subscription_tag(subscription.endpoint) in tags:
            yield _delete("sns", "Unsubscribe", region, SubscriptionArn=subscription.arn)
    if tags:
        yield _delete("sns", "UntagResource", region, ResourceArn=topic.arn, TagKeys=tags)


def _trails(found: Made) -> Iterator[Step]:
    for trail in found.trails:
        region, what = trail.home_region, f"trail {trail.name}"
        if made(trail.tags):
            yield _remove(
                Part.TRAIL,
                what,
                _delete("cloudtrail", "DeleteTrail", region, Name=trail.name),
                detail="from now on nothing is logged by it",
            )
        elif DELIVERY_TAG in trail.tags:
            former = _former(found, trail)
            if not trail.delivers_by_setup:
                detail = f"only its tags: it was made to deliver to {trail.log_group or 'no log group'} since"
                yield _remove(Part.TRAIL, what, _forgetting(trail), detail=detail)
                continue
            group, role = former or ("", "")
            before = {"Name": trail.name, "CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
            restore = Call("cloudtrail", "UpdateTrail", before, trail.home_region)
            detail = f"delivers to {group_name(group)} again" if group else "only its delivery to CloudWatch Logs"
            yield _remove(Part.TRAIL, what, restore, _forgetting(trail), detail=detail)


def _former(found: Made, trail: Trail) -> tuple[str, str] | None:
    """Return the log group and the role that the trail gets back, None for neither."""
    return trail.former if trail.arn in found.restorable else None


def _forgetting(trail: Trail) -> Call:
    """Return what takes the tags away that say how the trail came to deliver where it does."""
    ours = [key for key in (DELIVERY_TAG, FORMER_GROUP_TAG, FORMER_ROLE_TAG) if key in trail.tags]
    tags = {"ResourceId": trail.arn, "TagsList": [{"Key": key} for key in ours]}
    return Call("cloudtrail", "RemoveTags", tags, trail.home_region)


def _roles(found: Made, wanted: Wanted) -> Iterator[Step]:
    region = found.places[0].region
    for role in found.roles:
        calls = []
        if role.policy is not None:
            name = wanted.names.role_policy
            calls.append(_delete("iam", "DeleteRolePolicy", region, RoleName=role.name, PolicyName=name))
        if made(role.tags):
            calls.append(_delete("iam", "DeleteRole", region, RoleName=role.name))
        if calls:
            detail = "" if made(role.tags) else "only the permissions that setup added"
            yield _remove(Part.TRAIL, f"role {role.name}", *calls, detail=detail)


def _logs(found: Made, *, keep: bool) -> Iterator[Step]:
    for place, group in found.groups:
        if made(group.tags):
            what = f"log group {group.name}"
            if keep:
                yield Step(Part.TRAIL, Change.KEEP, what, "with what it recorded")
                continue
            call = _delete("logs", "DeleteLogGroup", place.region, logGroupName=group.name)
            yield _remove(Part.TRAIL, what, call, detail="with all events in it", destroys=True)
    for place, bucket in found.buckets:
        # one of its own name, without tags and still empty, is from a setup that was broken off right after making it
        orphan = bucket.name == Names().bucket_at(place) and not bucket.tags and not bucket.objects
        if made(bucket.tags) or orphan:
            what = f"bucket {bucket.name}"
            if keep:
                yield Step(Part.TRAIL, Change.KEEP, what, "with the trail's files")
                continue
            call = Call(
                "s3",
                "DeleteBucket",
                {"Bucket": bucket.name, "ExpectedBucketOwner": place.account},
                place.region,
                too_early=frozenset({"BucketNotEmpty"}),  # a last file of the trail may come in
                already=_GONE,
            )
            detail = "with the trail's files in it" if bucket.objects else "empty"
            yield _remove(Part.TRAIL, what, call, detail=detail, empties=bucket.name, destroys=bucket.objects)
