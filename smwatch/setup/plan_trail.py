"""The first part: a trail that logs every management event and delivers it to a log group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smwatch.events.selectors import Selectors, completed
from smwatch.setup import documents
from smwatch.setup.call import Call
from smwatch.setup.chain import Chain
from smwatch.setup.documents import Document, statements
from smwatch.setup.look import PUBLIC_ACCESS_BLOCK
from smwatch.setup.observe import Observation
from smwatch.setup.place import arn_part
from smwatch.setup.plan import Change, Step, aws_command
from smwatch.setup.seen import (
    DELIVERY_TAG,
    FORMER_GROUP_TAG,
    FORMER_ROLE_TAG,
    MADE,
    MADE_VALUE,
    LogGroup,
    Role,
    Trail,
    made,
)
from smwatch.setup.wanted import RETENTION, Part, Wanted, removal

ROLE_NOT_YET = frozenset(
    {
        "InvalidCloudWatchLogsLogGroupArnException",  # what a role that is not known everywhere yet looks like
        "InvalidCloudWatchLogsRoleArnException",
        "InsufficientS3BucketPolicyException",
        "S3BucketDoesNotExistException",
    }
)
_SECOND_COPY = "a second copy of management events, about $2 per 100,000 events"
_STORAGE = "CloudWatch Logs: about $0.50/GB taken in, $0.03/GB and month kept"


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
    yield _group_step(observation, wanted)
    yield _role_step(observation, wanted)
    trail = observation.chain.trail
    if trail is None:
        yield _bucket_step(observation, wanted, wanted.names.bucket_at(observation.chain.place))
        yield _new_trail_step(observation, wanted)
        return
    if made(trail.tags):
        yield _bucket_step(observation, wanted, trail.bucket)
    yield from _trail_steps(observation, trail, wanted)


def _group_step(observation: Observation, wanted: Wanted) -> Step:
    chain, group = observation.chain, observation.group
    what = f"log group {chain.log_group}"
    days = wanted.retention or RETENTION
    keep = Call(
        "logs", "PutRetentionPolicy", {"logGroupName": chain.log_group, "retentionInDays": days}, chain.place.region
    )
    if group is None:
        create = Call(
            "logs",
            "CreateLogGroup",
            {"logGroupName": chain.log_group, "tags": {MADE: MADE_VALUE}},
            chain.place.region,
            already=frozenset({"ResourceAlreadyExistsException"}),
        )
        detail = f"in {chain.place.region}, kept for {days} days"
        return Step(
            Part.TRAIL, Change.MAKE, what, detail, (create, keep), _STORAGE, removal(wanted, chain.place.region)
        )
    unfinished = group.retention is None and made(group.tags)
    if group.retention != (wanted.retention or (RETENTION if unfinished else group.retention)):
        was = f"{group.retention} days" if group.retention else "for ever"
        cost = "older events are deleted" if group.retention is None or group.retention > days else ""
        return Step(
            Part.TRAIL,
            Change.CHANGE,
            what,
            f"kept for {days} days, until now {was}",
            (keep,),
            cost,
            undo=_former_retention(chain.place.region, group),
        )
    return Step(
        Part.TRAIL, Change.KEEP, what, f"kept for {group.retention} days" if group.retention else "kept for ever"
    )


def _role_step(observation: Observation, wanted: Wanted) -> Step:
    chain, role = observation.chain, observation.role
    what = f"role {chain.role}"
    working = (
        chain.trail is not None and chain.trail.delivery is not None and not chain.trail.delivery.logs_delivery_error
    )
    if role is not None and chain.delivers and working and not made(role.tags):
        return Step(Part.TRAIL, Change.KEEP, what, "CloudTrail delivers with it")
    trust = documents.role_trust(chain.trail_arn)
    permissions = documents.role_permissions(chain.place, chain.log_group, observation.organization)
    create = Call(
        "iam",
        "CreateRole",
        {
            "RoleName": chain.role,
            **({"Path": path} if (path := _path(chain)) else {}),
            "Description": "CloudTrail delivers to CloudWatch Logs with it",
            "AssumeRolePolicyDocument": documents.text(trust),
            "Tags": [{"Key": MADE, "Value": MADE_VALUE}],
        },
        chain.place.region,
        already=frozenset({"EntityAlreadyExists"}),
    )
    allow = Call(
        "iam",
        "PutRolePolicy",
        {
            "RoleName": chain.role,
            "PolicyName": wanted.names.role_policy,
            "PolicyDocument": documents.text(permissions),
        },
        chain.place.region,
    )
    if role is None:
        detail = f"lets CloudTrail write its streams of {chain.log_group}, for this trail only"
        return Step(Part.TRAIL, Change.MAKE, what, detail, (create, allow), undo=removal(wanted, chain.place.region))
    calls = []
    if made(role.tags) and not documents.same(role.trust, trust):
        calls.append(
            Call(
                "iam",
                "UpdateAssumeRolePolicy",
                {"RoleName": chain.role, "PolicyDocument": documents.text(trust)},
                chain.place.region,
            )
        )
    if role.policy is None or not documents.same(role.policy, permissions):
        calls.append(allow)
    if not calls:
        return Step(Part.TRAIL, Change.KEEP, what, "trusts CloudTrail and may write")
    return Step(
        Part.TRAIL,
        Change.CHANGE,
        what,
        f"may write to {chain.log_group} for this trail",
        tuple(calls),
        undo=removal(wanted, chain.place.region),
    )


def _path(chain: Chain) -> str:
    """Return the path of a role that a trail delivers with already: one made afresh has to have the same ARN."""
    resource = arn_part(chain.trail.role_arn, 5) if chain.trail and chain.delivers else ""
    return resource.removeprefix("role").removesuffix(chain.role) if resource.count("/") > 1 else ""


def _bucket_step(observation: Observation, wanted: Wanted, name: str) -> Step:
    place, bucket = observation.chain.place, observation.bucket
    region = place.region
    owned: dict[str, object] = {"Bucket": name, "ExpectedBucketOwner": place.account}
    # S3 has no tags at birth everywhere, so they come right after it
    tag = Call("s3", "PutBucketTagging", {**owned, "Tagging": {"TagSet": [{"Key": MADE, "Value": MADE_VALUE}]}}, region)
    close = Call(
        "s3",
        "PutPublicAccessBlock",
        {**owned, "PublicAccessBlockConfiguration": dict.fromkeys(PUBLIC_ACCESS_BLOCK, True)},
        region,
    )
    encrypt = Call(
        "s3",
        "PutBucketEncryption",
        {
            **owned,
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        },
        region,
    )
    policy = documents.bucket_policy(place, name, observation.chain.trail_arn)
    allow = Call("s3", "PutBucketPolicy", {**owned, "Policy": documents.text(policy)}, region)
    what = f"bucket {name}"
    if bucket is None:
        where: dict[str, object] = {"Bucket": name}
        if region != "us-east-1":  # the one Region that must not be named
            where["CreateBucketConfiguration"] = {"LocationConstraint": region}
        create = Call("s3", "CreateBucket", where, region, already=frozenset({"BucketAlreadyOwnedByYou"}))
        return Step(
            Part.TRAIL,
            Change.MAKE,
            what,
            "closed to the public, encrypted, writable by CloudTrail for this trail only",
            (create, tag, close, encrypt, allow),
            cost="S3: about $0.023/GB and month",
            undo=removal(wanted, region),
        )
    calls = []
    if not bucket.tags and not wanted.names.bucket:
        calls.append(tag)  # its name says that setup made it, and was interrupted
    if not bucket.closed:
        calls.append(close)
    if not bucket.encrypted:
        calls.append(encrypt)
    missing = [each for each in statements(policy) if not documents.has(bucket.policy, each)]
    if missing:
        merged: Document = bucket.policy
        for statement in missing:
            merged = documents.merged(merged, statement)
        calls.append(Call("s3", "PutBucketPolicy", {**owned, "Policy": documents.text(merged)}, region))
    if calls:
        return Step(Part.TRAIL, Change.CHANGE, what, "lets CloudTrail write for this trail", tuple(calls))
    return Step(Part.TRAIL, Change.KEEP, what, "closed, encrypted, writable by CloudTrail")


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
    chain = observation.chain
    region, what = chain.place.region, f"trail {trail.name}"
    steps = []
    if not chain.delivers:
        remembered = _remembered(trail)
        arn = chain.place.log_group(chain.log_group)
        marks = {DELIVERY_TAG: arn if _TAG_VALUE.fullmatch(arn) else MADE_VALUE, **remembered}
        tags = [{"Key": key, "Value": value} for key, value in marks.items()]
        tag = Call("cloudtrail", "AddTags", {"ResourceId": trail.arn, "TagsList": tags}, region)
        deliver = Call(
            "cloudtrail",
            "UpdateTrail",
            {"Name": trail.name, **_destination(observation)},
            region,
            too_early=ROLE_NOT_YET,
        )
        before = f", until now to {trail.log_group}" if trail.log_group else ""
        undo = removal(wanted, region)
        if trail.log_group and not remembered and DELIVERY_TAG not in trail.tags:
            undo = _former_delivery(region, trail)
        steps.append(
            Step(
                Part.TRAIL,
                Change.CHANGE,
                what,
                f"delivers to {chain.log_group}{before}",
                (deliver,) if made(trail.tags) else (tag, deliver),
                _STORAGE,
                undo,
            )
        )
    uncovered = [each for each in wanted.regions if not trail.covers(each)]
    if uncovered:
        steps.append(
            Step(
                Part.TRAIL,
                Change.CHANGE,
                what,
                f"becomes multi-Region, to log {', '.join(uncovered)} too",
                (Call("cloudtrail", "UpdateTrail", {"Name": trail.name, "IsMultiRegionTrail": True}, region),),
                f"in Regions where another trail logs already, {_SECOND_COPY}",
                aws_command(region, "cloudtrail", "update-trail", name=trail.name) + " --no-is-multi-region-trail",
            )
        )
    if trail.selectors is not None and not trail.selectors.complete and (wider := completed(trail.selectors)):
        missing = "read" if not trail.selectors.reads else "write"
        steps.append(
            Step(
                Part.TRAIL,
                Change.CHANGE,
                what,
                f"logs {missing} events too: without them nobody is seen who {missing}s a secret",
                (Call("cloudtrail", "PutEventSelectors", {"TrailName": trail.name, **wider}, region),),
                f"free unless another trail logs them already: then {_SECOND_COPY}",
                _former_selectors(region, trail, trail.selectors),
            )
        )
    if trail.delivery is None or not trail.delivery.logging:
        steps.append(
            Step(
                Part.TRAIL,
                Change.CHANGE,
                what,
                "starts logging",
                (Call("cloudtrail", "StartLogging", {"Name": trail.name}, region),),
                undo=aws_command(region, "cloudtrail", "stop-logging", name=trail.name),
            )
        )
    yield from steps or [Step(Part.TRAIL, Change.KEEP, what, _kept(trail))]


def _remembered(trail: Trail) -> dict[str, str]:
    """Return the tags that remember where a trail delivers until now, so that removal can restore it.

    None where that is remembered already, or can't be: a tag holds 256 characters, and not every one.
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


def _former_retention(region: str, group: LogGroup) -> str:
    if group.retention is None:
        return aws_command(region, "logs", "delete-retention-policy", log_group_name=group.name)
    return aws_command(
        region, "logs", "put-retention-policy", log_group_name=group.name, retention_in_days=group.retention
    )


def _former_selectors(region: str, trail: Trail, selectors: Selectors) -> str:
    former = (
        {"advanced_event_selectors": selectors.advanced} if selectors.advanced else {"event_selectors": selectors.basic}
    )
    return aws_command(region, "cloudtrail", "put-event-selectors", trail_name=trail.name, **former)


def _kept(trail: Trail) -> str:
    reach = "multi-Region" if trail.multi_region else f"only {trail.home_region}"
    return f"{reach}, reads and writes, delivers to {trail.log_group}"


def trusts_cloudtrail(role: Role, trail_arn: str) -> bool:
    """Whether CloudTrail may take on the role for this trail."""
    return any(_trusts(statement, trail_arn) for statement in statements(role.trust))


def _trusts(statement: Document, trail_arn: str) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    if statement.get("Effect") != "Allow" or "cloudtrail.amazonaws.com" not in documents.listed(services):
        return False
    if "sts:AssumeRole" not in documents.listed(statement.get("Action")):
        return False
    sources = [values for key, values in documents.conditions(statement) if key.lower() == "aws:sourcearn"]
    return all(any(documents.like(pattern, trail_arn) for pattern in patterns) for patterns in sources)
