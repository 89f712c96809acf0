"""The first part: a trail that logs every management event and delivers it to a log group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smwatch.events.selectors import Selectors, completed
from smwatch.setup.call import Call
from smwatch.setup.observe import Observation
from smwatch.setup.plan import Change, Step, aws_command
from smwatch.setup.plan_delivery import STORAGE, bucket_step, group_step, role_step, trusts_cloudtrail
from smwatch.setup.seen import (
    DELIVERY_TAG,
    FORMER_GROUP_TAG,
    FORMER_ROLE_TAG,
    MADE,
    MADE_VALUE,
    Trail,
    made,
)
from smwatch.setup.wanted import Part, Wanted, removal

ROLE_NOT_YET = frozenset(
    {
        "InvalidCloudWatchLogsLogGroupArnException",  # what a role that is not known everywhere yet looks like
        "InvalidCloudWatchLogsRoleArnException",
        "InsufficientS3BucketPolicyException",
        "S3BucketDoesNotExistException",
    }
)
_SECOND_COPY = "a second copy of management events, about $2 per 100,000 events"


def trail_problems(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield what keeps the trail from being made or used."""
    chain = observation.chain
    yield from chain.problems
    yield from _second_trail(observation, wanted)
    if observation.group is not None and observation.group.log_class != "STANDARD":
        yield (
            f"The log group {chain.log_group} is of class {observation.group.log_class}, which knows no metric filters "
            f"and no Live Tail: name another with --log-group."
        )
    role = observation.role
    if role is not None and not chain.delivers and not made(role.tags) and not trusts_cloudtrail(role, chain.trail_arn):
        yield (
            f"The role {role.name} was not made by smwatch and does not trust CloudTrail for {chain.trail_arn}: "
            f"name another with --role."
        )
    selectors = chain.trail.selectors if chain.trail else None
    if chain.trail and selectors and not selectors.complete and not completed(selectors):
        yield f"The trail {chain.trail.name} has five event selectors, and none can be widened: add one by hand."


def _second_trail(observation: Observation, wanted: Wanted) -> Iterator[str]:
    """Yield that a trail of another Region could log this one too, where the alternative is paid for."""
    place = observation.chain.place
    if observation.chain.trail is not None or wanted.new_trail:
        return
    for name, home in observation.elsewhere[:1]:
        yield (
            f"The trail {name} logs only {home}: `smwatch setup --region {home} --region {place.region}` has it log "
            f"{place.region} too, at no cost. --new-trail makes one here, and AWS charges for what both log."
        )


def trail_steps(observation: Observation, wanted: Wanted) -> Iterator[Step]:
    """Yield what has to be there for the trail to deliver, in the order AWS needs it."""
    yield group_step(observation, wanted)
    yield role_step(observation, wanted)
    trail = observation.chain.trail
    if trail is None:
        yield bucket_step(observation, wanted, wanted.names.bucket_at(observation.chain.place))
        yield _new_trail_step(observation, wanted)
        return
    if made(trail.tags):
        yield bucket_step(observation, wanted, trail.bucket)
    yield from _trail_steps(observation, trail, wanted)


def _new_trail_step(observation: Observation, wanted: Wanted) -> Step:
    chain = observation.chain
    region = chain.place.region
    create = Call(
        "cloudtrail",
        "CreateTrail",
        {
            "Name": chain.trail_name,
            "S3BucketName": wanted.names.bucket_at(chain.place),
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
            **_destination(observation),
            "TagsList": [{"Key": MADE, "Value": MADE_VALUE}],
        },
        region,
        too_early=ROLE_NOT_YET,
        already=frozenset({"TrailAlreadyExistsException"}),
    )
    start = Call("cloudtrail", "StartLogging", {"Name": chain.trail_name}, region)
    copies = [trail.name for trail in observation.trails]
    copies += [f"{name} ({home})" for name, home in observation.elsewhere]
    cost = "the first copy of management events is free"
    if copies:
        cost = f"where {', '.join(copies)} logs already, {_SECOND_COPY}"
    return Step(
        Part.TRAIL,
        Change.MAKE,
        f"trail {chain.trail_name}",
        f"multi-Region, reads and writes, log file validation, delivers to {chain.log_group}",
        (create, start),
        cost,
        removal(wanted, region),
    )


def _destination(observation: Observation) -> dict[str, object]:
    chain = observation.chain
    return {
        "CloudWatchLogsLogGroupArn": f"{chain.place.log_group(chain.log_group)}:*",
        "CloudWatchLogsRoleArn": observation.role.arn if observation.role else chain.place.role(chain.role),
    }


def _trail_steps(observation: Observation, trail: Trail, wanted: Wanted) -> Iterator[Step]:
    """Yield what a trail that exists still lacks, each as a step of its own; one that keeps it if nothing."""
    lacking = (
        _delivery_step(observation, trail, wanted),
        _reach_step(observation, trail, wanted),
        _selectors_step(observation, trail),
        _logging_step(observation, trail),
    )
    steps = [step for step in lacking if step is not None]
    yield from steps or [Step(Part.TRAIL, Change.KEEP, f"trail {trail.name}", _kept(trail))]


def _delivery_step(observation: Observation, trail: Trail, wanted: Wanted) -> Step | None:
    """Return how the trail comes to deliver to the log group."""
    chain = observation.chain
    if chain.delivers:
        return None
    region = chain.place.region
    remembered = _remembered(trail)
    arn = chain.place.log_group(chain.log_group)
    marks = {DELIVERY_TAG: arn if _TAG_VALUE.fullmatch(arn) else MADE_VALUE, **remembered}
    tags = [{"Key": key, "Value": value} for key, value in marks.items()]
    tag = Call("cloudtrail", "AddTags", {"ResourceId": trail.arn, "TagsList": tags}, region)
    deliver = Call(
        "cloudtrail", "UpdateTrail", {"Name": trail.name, **_destination(observation)}, region, too_early=ROLE_NOT_YET
    )
    before = f", until now to {trail.log_group}" if trail.log_group else ""
    undo = removal(wanted, region)
    if trail.log_group and not remembered and DELIVERY_TAG not in trail.tags:
        undo = _former_delivery(region, trail)
    return _changed(
        trail,
        f"delivers to {chain.log_group}{before}",
        *((deliver,) if made(trail.tags) else (tag, deliver)),
        cost=STORAGE,
        undo=undo,
    )


def _reach_step(observation: Observation, trail: Trail, wanted: Wanted) -> Step | None:
    """Return how the trail comes to log the other Regions that are watched."""
    region = observation.chain.place.region
    uncovered = [each for each in wanted.regions if not trail.covers(each)]
    if not uncovered:
        return None
    return _changed(
        trail,
        f"becomes multi-Region, to log {', '.join(uncovered)} too",
        Call("cloudtrail", "UpdateTrail", {"Name": trail.name, "IsMultiRegionTrail": True}, region),
        cost=f"in Regions where another trail logs already, {_SECOND_COPY}",
        undo=aws_command(region, "cloudtrail", "update-trail", name=trail.name) + " --no-is-multi-region-trail",
    )


def _selectors_step(observation: Observation, trail: Trail) -> Step | None:
    """Return how the trail comes to log all management events, where its selectors can be widened."""
    region, selectors = observation.chain.place.region, trail.selectors
    wider = completed(selectors) if selectors is not None and not selectors.complete else None
    if selectors is None or not wider:
        return None
    missing = "read" if not selectors.reads else "write"
    return _changed(
        trail,
        f"logs {missing} events too: without them nobody is seen who {missing}s a secret",
        Call("cloudtrail", "PutEventSelectors", {"TrailName": trail.name, **wider}, region),
        cost=f"free unless another trail logs them already: then {_SECOND_COPY}",
        undo=_former_selectors(region, trail, selectors),
    )


def _logging_step(observation: Observation, trail: Trail) -> Step | None:
    """Return how a trail that was stopped, or never started, comes to log."""
    if trail.delivery is not None and trail.delivery.logging:
        return None
    region = observation.chain.place.region
    return _changed(
        trail,
        "starts logging",
        Call("cloudtrail", "StartLogging", {"Name": trail.name}, region),
        undo=aws_command(region, "cloudtrail", "stop-logging", name=trail.name),
    )


def _changed(trail: Trail, detail: str, *calls: Call, cost: str = "", undo: str = "") -> Step:
    return Step(Part.TRAIL, Change.CHANGE, f"trail {trail.name}", detail, calls, cost, undo)


def _remembered(trail: Trail) -> dict[str, str]:
    """Return the tags that remember where a trail delivers until now, so that removal can restore it.

    No tags where that is remembered already, or can't be: a tag's value has at most 256 characters, of some kinds only.
    """
    former = {FORMER_GROUP_TAG: trail.log_group_arn.removesuffix(":*"), FORMER_ROLE_TAG: trail.role_arn}
    fits = all(_TAG_VALUE.fullmatch(value) for value in former.values())
    return former if fits and DELIVERY_TAG not in trail.tags and not made(trail.tags) else {}


_TAG_VALUE = re.compile(r"[A-Za-z0-9 _.:/=+\-@]{1,256}")


def _former_delivery(region: str, trail: Trail) -> str:
    return aws_command(
        region,
        "cloudtrail",
        "update-trail",
        name=trail.name,
        cloud_watch_logs_log_group_arn=trail.log_group_arn,
        cloud_watch_logs_role_arn=trail.role_arn,
    )


def _former_selectors(region: str, trail: Trail, selectors: Selectors) -> str:
    former = (
        {"advanced_event_selectors": selectors.advanced} if selectors.advanced else {"event_selectors": selectors.basic}
    )
    return aws_command(region, "cloudtrail", "put-event-selectors", trail_name=trail.name, **former)


def _kept(trail: Trail) -> str:
    reach = "multi-Region" if trail.multi_region else f"only {trail.home_region}"
    return f"{reach}, reads and writes, delivers to {trail.log_group}"
