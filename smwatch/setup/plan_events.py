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
from smwatch.setup.seen import MADE, MADE_VALUE, Queue, made
from smwatch.setup.wanted import EventWish, Part, Wanted, removal

TARGET_ID = "smwatch"
QUEUE_RETENTION = "1209600"
"""14 days, the longest there is: so long may a reader be away without losing anything."""
RETRY = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86_400}
"""As often and as long as EventBridge tries at most; after that an event goes to the dead-letter queue."""
RECEIVES = 5
"""How often a reader may take a message without deleting it before it goes there too."""
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
    """Yield what of a rule EventBridge does not do, and what the rules depend on."""
    for wish in wanted.events:
        if wish.caveat:
            yield f"EventBridge rule {wish.name}: {wish.caveat}."
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
    """Yield, for each Region, the queues and the rules."""
    for local in observation.locals:
        yield _dead_letters_step(local, wanted)
        if wanted.to_queue:
            yield _queue_step(local, wanted)
        for wish in wanted.events:
            yield _rule_step(local, wish, wanted)


def _rule_arns(local: Local, wanted: Wanted, told: str) -> list[str]:
    """Return the rules that a topic or queue has to let in: those wanted, and those setup made for it before."""
    names = {wish.name for wish in wanted.events}
    names |= {
        rule.name
        for rule in local.rules
        if made(rule.tags) and any(told in (target.arn, target.dead_letters) for target in rule.targets)
    }
    return [local.place.event_rule(name) for name in sorted(names)]


def topic_statement(local: Local, wanted: Wanted) -> Statement:
    """Return what the topic's policy has to say for the rules of one Region."""
    return documents.rules_may_publish(local.target, _rule_arns(local, wanted, local.target))


def _dead_letters_step(local: Local, wanted: Wanted) -> Step:
    arn = local.place.queue(wanted.names.dead_letters)
    return _queue(local, wanted, arn, local.dead_letters, "keeps for 14 days what could not be delivered", {})


def _queue_step(local: Local, wanted: Wanted) -> Step:
    arn = local.target
    if arn_part(arn, 4) != local.place.account:
        detail = f"of account {arn_part(arn, 4)}, whose policy has to allow EventBridge"
        return Step(Part.EVENTS, Change.KEEP, f"queue {arn_part(arn, 5)}", detail)
    redrive = {"deadLetterTargetArn": local.place.queue(wanted.names.dead_letters), "maxReceiveCount": RECEIVES}
    more = {"ReceiveMessageWaitTimeSeconds": "20", "RedrivePolicy": documents.text(redrive)}
    return _queue(local, wanted, arn, local.queue, "keeps messages for 14 days, encrypted", more)


def _queue(local: Local, wanted: Wanted, arn: str, queue: Queue | None, detail: str, more: dict[str, str]) -> Step:
    """Return what makes a queue take what EventBridge sends; `more` are attributes of one that is made."""
    place, undo, what = local.place, removal(wanted, local.place.region), f"queue {arn_part(arn, 5)}"
    statement = documents.rules_may_send(arn, _rule_arns(local, wanted, arn))
    policy = documents.text(documents.merged(queue.policy if queue else {}, statement))
    if queue is None:
        attributes = {
            "MessageRetentionPeriod": QUEUE_RETENTION,
            "SqsManagedSseEnabled": "true",
            **more,
            "Policy": policy,
        }
        parameters = {"QueueName": arn_part(arn, 5), "Attributes": attributes, "tags": {MADE: MADE_VALUE}}
        create = Call("sqs", "CreateQueue", parameters, place.region)
        cost = "the first million requests a month are free"
        return Step(Part.EVENTS, Change.MAKE, what, detail, (create,), cost, undo)
    if allowed(queue.policy, statement, place.account):
        return Step(Part.EVENTS, Change.KEEP, what, "EventBridge may send")
    allow = Call("sqs", "SetQueueAttributes", {"QueueUrl": queue.url, "Attributes": {"Policy": policy}}, place.region)
    return Step(Part.EVENTS, Change.CHANGE, what, "EventBridge may send, besides who may already", (allow,), undo=undo)


def _rule_step(local: Local, wish: EventWish, wanted: Wanted) -> Step:
    place, arn = local.place, local.target
    what, undo = f"EventBridge rule {wish.name}", removal(wanted, local.place.region)
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
    dead_letters = place.queue(wanted.names.dead_letters)
    target = {"Id": TARGET_ID, "Arn": arn, "RetryPolicy": RETRY, "DeadLetterConfig": {"Arn": dead_letters}}
    aim = Call("events", "PutTargets", {"Rule": wish.name, "Targets": [target]}, place.region)
    seen = "read-only calls too" if wish.reads else "writes only"
    detail = f"in {place.region}, {seen}, tells {arn_part(arn, 5)}"
    if found is None:
        cost = "events of AWS services are free"
        return Step(Part.EVENTS, Change.MAKE, what, detail, (put, aim), cost, undo)
    calls = []
    if found.state != wish.state or not documents.same(found.pattern, wish.pattern):
        calls.append(put)
    if not any(each.arn == arn and each.dead_letters for each in found.targets):
        calls.append(aim)
    change = Change.CHANGE if calls else Change.KEEP
    return Step(Part.EVENTS, change, what, detail, tuple(calls), undo=undo if calls else "")
