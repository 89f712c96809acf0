"""What a trail delivers to, and with: the log group, the role and the bucket of a trail that is made."""

from __future__ import annotations

from smwatch.setup import documents
from smwatch.setup.call import Call
from smwatch.setup.chain import Chain
from smwatch.setup.documents import Document, statements
from smwatch.setup.look import PUBLIC_ACCESS_BLOCK
from smwatch.setup.observe import Observation
from smwatch.setup.place import arn_part
from smwatch.setup.plan import Change, Step, aws_command
from smwatch.setup.seen import MADE, MADE_VALUE, LogGroup, Role, made
from smwatch.setup.wanted import RETENTION, Part, Wanted, removal

STORAGE = "CloudWatch Logs: about $0.50/GB taken in, $0.03/GB and month kept"


def group_step(observation: Observation, wanted: Wanted) -> Step:
    """Return what becomes of the log group."""
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
        return Step(Part.TRAIL, Change.MAKE, what, detail, (create, keep), STORAGE, removal(wanted, chain.place.region))
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


def _former_retention(region: str, group: LogGroup) -> str:
    if group.retention is None:
        return aws_command(region, "logs", "delete-retention-policy", log_group_name=group.name)
    return aws_command(
        region, "logs", "put-retention-policy", log_group_name=group.name, retention_in_days=group.retention
    )


def role_step(observation: Observation, wanted: Wanted) -> Step:
    """Return what becomes of the role that CloudTrail delivers with."""
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


def bucket_step(observation: Observation, wanted: Wanted, name: str) -> Step:
    """Return what becomes of the bucket of a trail that setup makes or made."""
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
