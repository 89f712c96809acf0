"""One call to AWS as a value: what a plan is made of, and which permissions it takes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Parameters = Mapping[str, object]


class Call(msgspec.Struct, frozen=True):
    """An operation with its parameters, in one Region."""

    service: str
    operation: str
    parameters: Parameters
    region: str
    too_early: frozenset[str] = frozenset()
    """Error codes that mean "not yet": what was made just now (a role, a policy) is not known everywhere in AWS."""
    already: frozenset[str] = frozenset()
    """Error codes that mean it is as wanted: somebody was faster, or it is gone already."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions it takes."""
        return actions(self.service, self.operation, self.parameters)


def actions(service: str, operation: str, parameters: Parameters | None = None) -> tuple[str, ...]:
    """Return the IAM actions a call takes, the one it is named after first."""
    own = _ACTIONS.get((service, operation), f"{_PREFIXES.get(service, service)}:{operation}")
    given = parameters or {}
    return own, *(action for parameter, action in _WITH.get((service, operation), ()) if given.get(parameter))


def action_of(operation: str) -> str:
    """Return the action of an operation whose service is not told, as errors don't tell it."""
    return next((action for (_, name), action in _ACTIONS.items() if name == operation), operation)


_PREFIXES = {"secretsmanager": "secretsmanager", "monitoring": "cloudwatch"}
_ACTIONS = {
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "DeleteObjects"): "s3:DeleteObject",
}
"""Where the action is not called after the operation."""
_WITH = {
    ("cloudtrail", "CreateTrail"): (("TagsList", "cloudtrail:AddTags"), ("CloudWatchLogsRoleArn", "iam:PassRole")),
    ("cloudtrail", "UpdateTrail"): (("CloudWatchLogsRoleArn", "iam:PassRole"),),
    ("cloudwatch", "PutMetricAlarm"): (("Tags", "cloudwatch:TagResource"),),
    ("events", "PutRule"): (("Tags", "events:TagResource"),),
    ("iam", "CreateRole"): (("Tags", "iam:TagRole"),),
    ("logs", "CreateLogGroup"): (("tags", "logs:TagResource"),),
    ("secretsmanager", "CreateSecret"): (("Tags", "secretsmanager:TagResource"),),
    ("sns", "CreateTopic"): (("Tags", "sns:TagResource"),),
    ("sqs", "CreateQueue"): (("tags", "sqs:TagQueue"),),
}
"""What a parameter takes on top."""
