"""Where a trail delivers to, and as whom: log group, role, bucket."""

from __future__ import annotations

from botocore.exceptions import ClientError

from smwatch.setup.aws import Aws
from smwatch.setup.documents import Document, parsed
from smwatch.setup.look.asking import unless_missing
from smwatch.setup.seen import Bucket, LogGroup, Role
from smwatch.setup.trouble import DENIED, SetupError, code_of

PUBLIC_ACCESS_BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


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
                    tags=dict(aws.logs(region).list_tags_for_resource(resourceArn=arn)["tags"]) if tags else {},
                )
    return None


def role(aws: Aws, name: str, policy: str = "", *, whole: bool = False) -> Role | None:
    """Return a role, with that inline policy of it if one is named; `whole`: with everything it may do."""
    answer = unless_missing(lambda: aws.iam().get_role(RoleName=name)["Role"])
    if answer is None:
        return None
    inline = None
    if policy:
        inline = unless_missing(lambda: aws.iam().get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
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
        if unless_missing(lambda: s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)) is None:
            return None
    except ClientError as error:
        if code_of(error) in DENIED:
            raise SetupError(
                f"The bucket {name} is another account's, or s3:ListBucket is missing: name another with --bucket."
            ) from error
        raise
    policy = unless_missing(lambda: s3.get_bucket_policy(Bucket=name, ExpectedBucketOwner=account)["Policy"])
    block = unless_missing(
        lambda: s3.get_public_access_block(Bucket=name, ExpectedBucketOwner=account)["PublicAccessBlockConfiguration"]
    )
    encryption = unless_missing(lambda: s3.get_bucket_encryption(Bucket=name, ExpectedBucketOwner=account))
    labels = unless_missing(lambda: s3.get_bucket_tagging(Bucket=name, ExpectedBucketOwner=account)["TagSet"])
    return Bucket(
        name=name,
        policy=parsed(policy),
        closed=block is not None and all(dict(block).get(each) for each in PUBLIC_ACCESS_BLOCK),
        encrypted=encryption is not None,
        tags={tag["Key"]: tag["Value"] for tag in labels or ()},
        objects=bool(s3.list_objects_v2(Bucket=name, MaxKeys=1, ExpectedBucketOwner=account).get("KeyCount", 0)),
    )
