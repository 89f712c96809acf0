"""The second part: a metric filter and an alarm for each rule, and a topic that tells people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from smwatch.rules.export.requests import transformation
from smwatch.setup.call import Call
from smwatch.setup.documented import alarm_faults, alarm_parameters, same_filter
from smwatch.setup.observe import Observation
from smwatch.setup.place import arn_part
from smwatch.setup.plan import Change, Step, aws_command
from smwatch.setup.plan_topic import unusable_key
from smwatch.setup.seen import FILTER_TAG, MADE, MADE_VALUE, SUBSCRIPTION_TAG, Topic, made
from smwatch.setup.wanted import MetricAlarm, Part, Wanted, removal

_TAG = {"Key": MADE, "Value": MADE_VALUE}


def alarm_problems(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield what keeps the alarms from being made."""
    chain = observation.chain
    if observation.group is None and Part.TRAIL not in wanted.parts:
        yield f"There is no log group {chain.log_group} in {chain.place.region}: add --part trail, or name it."
    topic = observation.topic
    if topic is None and wanted.topic_named and arn_part(observation.topic_arn, 3) != chain.place.region:
        yield f"There is no topic {observation.topic_arn}, and setup makes topics only in {chain.place.region}."
    if topic is not None and arn_part(topic.arn, 3) != chain.place.region:
        yield f"The topic {topic.arn} is not in {chain.place.region}, where the alarms are: name another with --topic."
    if topic is not None and unusable_key(topic):
        yield (
            f"The topic {topic.arn} is encrypted with {topic.key}, which CloudWatch may not use: alarms would tell "
            f"nobody. Name another with --topic, or encrypt it with a key whose policy allows cloudwatch.amazonaws.com."
        )


def alarm_steps(observation: Observation, wanted: Wanted) -> Iterator[Step]:
    """Yield the topic's subscriptions, and a filter and an alarm for each rule."""
    yield from _subscription_steps(observation, wanted)
    for each in wanted.alarms:
        yield _filter_step(observation, each, wanted)
        yield _alarm_step(observation, each, wanted)


def alarm_notes(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield who is told, who has yet to say yes, and what of a rule AWS does not do."""
    for each in wanted.alarms:
        if each.caveat:
            yield f"{each.alarm}: {each.caveat}."
    subscriptions = observation.topic.subscriptions if observation.topic else ()
    pending = [each.endpoint for each in subscriptions if each.pending]
    fresh = [email for email in wanted.emails if not _subscribed(observation.topic, email)]
    waiting = sorted({*pending, *fresh})
    if waiting:
        yield f"Has to follow the link in AWS's mail within 2 days, until then nothing arrives: {', '.join(waiting)}."
    if (
        not subscriptions
        and not wanted.emails
        and arn_part(observation.topic_arn, 4) == observation.chain.place.account
    ):
        yield f"Nobody subscribes to the topic {observation.topic_arn}: add --email."


def _subscription_steps(observation: Observation, wanted: Wanted) -> Iterator[Step]:
    place, arn = observation.chain.place, observation.topic_arn
    ours = observation.topic is None or made(observation.topic.tags)
    for email in wanted.emails:
        what = f"subscription {email}"
        if found := _subscribed(observation.topic, email):
            yield Step(Part.ALARM, Change.KEEP, what, "confirmed" if found == "confirmed" else "waits for confirmation")
            continue
        tag = Call(
            "sns",
            "TagResource",
            {"ResourceArn": arn, "Tags": [{"Key": subscription_tag(email), "Value": MADE_VALUE}]},
            place.region,
        )
        subscribe = Call(
            "sns",
            "Subscribe",
            {"TopicArn": arn, "Protocol": "email", "Endpoint": email, "ReturnSubscriptionArn": True},
            place.region,
        )
        yield Step(
            Part.ALARM,
            Change.MAKE,
            what,
            "AWS sends a mail with a link, to be followed within 2 days",
            (subscribe,) if ours else (tag, subscribe),
            cost="the first 1,000 mails a month are free",
            undo=removal(wanted, place.region),
        )


def _subscribed(topic: Topic | None, email: str) -> str:
    for each in topic.subscriptions if topic else ():
        if each.protocol == "email" and each.endpoint.lower() == email.lower():
            return "confirmed" if each.confirmed else "pending"
    return ""


def subscription_tag(endpoint: str) -> str:
    """Return the key that marks a subscription on somebody else's topic; an address may be longer than a key."""
    return SUBSCRIPTION_TAG + hashlib.sha256(endpoint.lower().encode()).hexdigest()[:32]


def _filter_step(observation: Observation, wanted: MetricAlarm, wishes: Wanted) -> Step:
    chain = observation.chain
    region = chain.place.region
    if same := next((each for each in observation.filters if same_filter(each, wanted)), None):
        return Step(Part.ALARM, Change.KEEP, f"metric filter {same.name}", f"counts {wanted.namespace}/{wanted.metric}")
    put = Call(
        "logs",
        "PutMetricFilter",
        {
            "logGroupName": chain.log_group,
            "filterName": wanted.filter_name,
            "filterPattern": wanted.pattern,
            "metricTransformations": [transformation(wanted)],
        },
        region,
    )
    tag = Call(
        "logs",
        "TagResource",
        {
            "resourceArn": chain.place.log_group(chain.log_group),
            "tags": {FILTER_TAG + wanted.filter_name: MADE_VALUE},
        },
        region,
    )
    what, detail = f"metric filter {wanted.filter_name}", f"{wanted.pattern} counts {wanted.namespace}/{wanted.metric}"
    former = next((each for each in observation.filters if each.name == wanted.filter_name), None)
    if former is None:
        cost = "the metric about $0.30 a month" + (", while there are any" if wanted.default is None else "")
        return Step(Part.ALARM, Change.MAKE, what, detail, (tag, put), cost, removal(wishes, region))
    undo = aws_command(region, "logs", "put-metric-filter", cli_input_json=former.parameters)
    was = f"{detail}; until now {former.pattern} counted {former.namespace}/{former.metric}"
    return Step(Part.ALARM, Change.CHANGE, what, was, (put,), undo=undo)


def _alarm_step(observation: Observation, wanted: MetricAlarm, wishes: Wanted) -> Step:
    place = observation.chain.place
    found = observation.alarm(wanted.alarm)
    what = f"alarm {wanted.alarm}"
    told = f"tells {arn_part(observation.topic_arn, 5)}"
    actions = found.actions if found else ()
    faults = alarm_faults(found, wanted) if found else ()
    if found and not faults and observation.topic_arn in actions:
        return Step(Part.ALARM, Change.KEEP, what, f">= {wanted.threshold:g} in {found.period} s, {told}")
    if observation.topic_arn not in actions:
        actions = (*actions, observation.topic_arn)
    parameters = alarm_parameters(wanted, actions)
    if found is None:
        put = Call("cloudwatch", "PutMetricAlarm", {**parameters, "Tags": [_TAG]}, place.region)
        detail = f">= {wanted.threshold:g} of {wanted.namespace}/{wanted.metric} in {wanted.period} s {told}"
        return Step(Part.ALARM, Change.MAKE, what, detail, (put,), "about $0.10 a month", removal(wishes, place.region))
    if found.description:
        parameters["AlarmDescription"] = found.description
    if found.ok_actions:
        parameters["OKActions"] = list(found.ok_actions)
    if found.insufficient_actions:
        parameters["InsufficientDataActions"] = list(found.insufficient_actions)
    wrong = [f"{field} {should}, until now {was}" for field, was, should in faults]
    if observation.topic_arn not in found.actions:
        wrong.append(told)
    put = Call("cloudwatch", "PutMetricAlarm", parameters, place.region)
    undo = aws_command(place.region, "cloudwatch", "put-metric-alarm", cli_input_json=found.parameters)
    return Step(Part.ALARM, Change.CHANGE, what, "; ".join(wrong), (put,), undo=undo)
