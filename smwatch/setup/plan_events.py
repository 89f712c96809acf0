"""The third part: EventBridge rules for what an administrator names, to a topic or a queue."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.setup import documents
from smwatch.setup.call import Call
from smwatch.setup.documents import Statement
from smwatch.setup.observe import Local, Observation
from smwatch.setup.place import arn_part
from smwatch.setup.plan import Change, Step
from smwatch.setup.plan_topic import allowed, unusable_key
from smwatch.setup.seen import MADE, MADE_VALUE, made
from smwatch.setup.wanted import EventWish, Part, Wanted, removal

TARGET_ID = "smwatch"
QUEUE_RETENTION = "1209600"
"""14 days, the longest there is: so long may a reader be away without losing anything."""
_TAG = {"Key": MADE, "Value": MADE_VALUE}


def event_problems(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield what keeps the rules from being made."""
    for local in observation.locals:
        target = local.target
        if arn_part(target, 3) != local.place.region:
            yield f"{target} is not in {local.place.region}, and EventBridge tells nobody in another Region."
        if local.topic is not None and unusable_key(local.topic):
            yield f"The topic {local.topic.arn} is encrypted with {local.topic.key}, which EventBridge may not use."
        for wish in wanted.events:
            rule = local.rule(wish.name)
            if rule is not None and not made(rule.tags):
                yield f"The EventBridge rule {wish.name} of {local.place.region} exists and was not made by smwatch."


def event_notes(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield what the rules depend on."""
    for local in observation.locals:
        logged = any(
            trail.covers(local.place.region) and trail.selectors is not None and trail.selectors.complete
            for trail in observation.trails
        )
        if not logged and Part.TRAIL not in wanted.parts:
            yield (
                f"EventBridge sees API calls of {local.place.region} only through a trail that logs reads and writes "
                f"there, and there is none: add --part trail."
            )


def event_steps(observation: Observation, wanted: Wanted) -> Iterator[Step]:
    """Yield, for each Region, the queue if they go to one, and the rules."""
    for local in observation.locals:
        if wanted.to_queue:
            yield _queue_step(local, wanted)
        for wish in wanted.events:
            yield _rule_step(local, wish, wanted)


def _rule_arns(local: Local, wanted: Wanted) -> list[str]:
    """Return the rules that the target has to let in: those wanted, and those setup made for it before."""
    arn = local.target
    names = {wish.name for wish in wanted.events}
    names |= {rule.name for rule in local.rules if made(rule.tags) and any(target == arn for _, target in rule.targets)}
    return [local.place.event_rule(name) for name in sorted(names)]


def topic_statement(local: Local, wanted: Wanted) -> Statement:
    """Return what the topic's policy has to say for the rules of one Region."""
    return documents.rules_may_publish(local.target, _rule_arns(local, wanted))


def _queue_step(local: Local, wanted: Wanted) -> Step:
    place, arn, undo = local.place, local.target, removal(wanted, local.place.region)
    what, queue = f"queue {arn_part(arn, 5)}", local.queue
    if arn_part(arn, 4) != place.account:
        return Step(
            Part.EVENTS, Change.KEEP, what, f"of account {arn_part(arn, 4)}, whose policy has to allow EventBridge"
        )
    statement = documents.rules_may_send(arn, _rule_arns(local, wanted))
    policy = documents.text(documents.merged(queue.policy if queue else {}, statement))
    if queue is None:
        attributes = {
            "MessageRetentionPeriod": QUEUE_RETENTION,
            "ReceiveMessageWaitTimeSeconds": "20",
            "SqsManagedSseEnabled": "true",
            "Policy": policy,
        }
        parameters = {"QueueName": arn_part(arn, 5), "Attributes": attributes, "tags": {MADE: MADE_VALUE}}
        create = Call("sqs", "CreateQueue", parameters, place.region)
        cost = "the first million requests a month are free"
        return Step(Part.EVENTS, Change.MAKE, what, "keeps messages for 14 days, encrypted", (create,), cost, undo)
    if allowed(queue.policy, statement, place.account):
        return Step(Part.EVENTS, Change.KEEP, what, "EventBridge may send")
    allow = Call("sqs", "SetQueueAttributes", {"QueueUrl": queue.url, "Attributes": {"Policy": policy}}, place.region)
    return Step(Part.EVENTS, Change.CHANGE, what, "EventBridge may send, besides who may already", (allow,), undo=undo)


def _rule_step(local: Local, wish: EventWish, wanted: Wanted) -> Step:
    place, arn = local.place, local.target
    what = f"EventBridge rule {wish.name}"
    found = local.rule(wish.name)
    put = Call(
        "events",
        "PutRule",
        {
            "Name": wish.name,
            "Description": wish.description,
            "EventPattern": documents.text(wish.pattern),
            "State": wish.state,
            **({} if found else {"Tags": [_TAG]}),  # PutRule takes no tags for a rule that exists
        },
        place.region,
    )
    aim = Call("events", "PutTargets", {"Rule": wish.name, "Targets": [{"Id": TARGET_ID, "Arn": arn}]}, place.region)
    seen = "read-only calls too" if wish.reads else "writes only"
    detail = f"in {place.region}, {seen}, tells {arn_part(arn, 5)}"
    if found is None:
        cost = "events of AWS services are free"
        return Step(Part.EVENTS, Change.MAKE, what, detail, (put, aim), cost, removal(wanted, place.region))
    calls = []
    if found.state != wish.state or not documents.same(found.pattern, wish.pattern):
        calls.append(put)
    if arn not in (target for _, target in found.targets):
        calls.append(aim)
    change = Change.CHANGE if calls else Change.KEEP
    return Step(Part.EVENTS, change, what, detail, tuple(calls), undo=removal(wanted, place.region) if calls else "")
