"""The least-privilege IAM policies for watching, for setting up and for the drill, ready to paste."""

from __future__ import annotations

import json
from collections.abc import Sequence

from smwatch.rules.documented import DOCUMENTED_ALARM
from smwatch.setup.documents import Document, Statement, document
from smwatch.setup.place import ANY, Names, Place, last_name

LIVE_TAIL_PARTITION = "aws"
"""Live Tail does not exist in the China and GovCloud Regions."""
PREFIX = "smwatch-"
"""How the names begin that smwatch chooses for alarms and EventBridge rules."""
DRILL_PREFIX = "smwatch-drill-"
"""How the names of the drill's secrets begin; its policy reaches no other secret."""


def watch_policy(
    place: Place, log_group: str = ANY, *, enrichment: bool = True, regions: Sequence[str] = ()
) -> Document:
    """Return what `smwatch` and `smwatch doctor` need: reading the trail, and never a secret.

    `log_group` is a name or an ARN. `enrichment` adds what the opt-in key asks of Secrets Manager (metadata only). The
    Deny holds whatever else the principal is allowed. `regions` are watched besides the place's.
    """
    places = _everywhere(place, regions)
    return document(
        *_watch_trail(place, place.log_group(log_group)),
        *_watch_tells(places),
        *(_watch_secrets(places) if enrichment else ()),
        _statement(
            "NeverReadASecret", "Deny", "*", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"
        ),
    )


def _watch_trail(place: Place, group: str) -> list[Statement]:
    """The event history, the trail and its log group, and whether they are set up well."""
    live_tail = ["logs:StartLiveTail"] if place.partition == LIVE_TAIL_PARTITION else []
    return [
        _allow(
            "WatchAccount",
            "*",  # these know no resources
            "cloudtrail:DescribeTrails",
            "cloudtrail:ListTrails",
            "cloudtrail:LookupEvents",
            "cloudwatch:DescribeAlarms",
            "events:ListRules",
            "logs:DescribeLogGroups",
            "logs:TestMetricFilter",
        ),
        _allow("WatchTrail", place.at(ANY).trail(ANY), "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"),
        _allow(
            "WatchLogGroup",
            [group, f"{group}:*"],  # the documentation names both forms
            "logs:DescribeMetricFilters",
            "logs:FilterLogEvents",
            *live_tail,
        ),
        _allow(
            "WatchDeliveryRole",
            place.role(ANY),
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
    ]


def _watch_tells(places: Sequence[Place]) -> list[Statement]:
    """Whether AWS tells people by itself, and whom."""
    return [
        _allow(
            "WatchTopics",
            [at.topic(ANY) for at in places],
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
        ),
        _allow("WatchQueues", [at.queue(ANY) for at in places], "sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
        _allow("WatchEventRules", [at.event_rule(ANY) for at in places], "events:ListTargetsByRule"),
    ]


def _watch_secrets(places: Sequence[Place]) -> list[Statement]:
    """What events can't say of a secret: metadata only."""
    return [
        _allow(
            "WatchSecretMetadata",
            [at.arn("secretsmanager", "secret:*") for at in places],
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetResourcePolicy",
            "secretsmanager:ListSecretVersionIds",
        )
    ]


def setup_policy(
    place: Place,
    names: Names | None = None,
    *,
    trail: str = ANY,
    regions: Sequence[str] = (),
) -> Document:
    """Return what `smwatch setup` needs, `--remove` included: making and unmaking the chain under these names.

    `trail` is an existing one, where its name is not the new one's. `regions` have EventBridge rules and what these
    tell besides the place's.
    """
    names = names or Names()
    places = _everywhere(place, regions)
    return document(
        *_setup_looks(place, names),
        *_setup_delivers(place, names, trail),
        *_setup_keeps(place.bucket(names.bucket_at(place))),
        *_setup_tells(place, names, places),
    )


def _setup_looks(place: Place, names: Names) -> list[Statement]:
    """What is there already, whoever made it."""
    anywhere = place.at(ANY)
    return [
        _allow(
            "SetupLook",
            "*",  # these know no resources
            "cloudtrail:DescribeTrails",
            "cloudtrail:ListTrails",
            "cloudwatch:DescribeAlarms",
            "events:ListRules",
            "logs:DescribeLogGroups",
            "organizations:DescribeOrganization",
        ),
        _allow(
            "SetupLookAround",  # at what is there already, whoever made it: the chain leads from one to the next
            [
                anywhere.trail(ANY),
                anywhere.log_group(ANY),
                anywhere.topic(ANY),
                anywhere.alarm(ANY),
                anywhere.event_rule(ANY),
            ],
            "cloudtrail:GetEventSelectors",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:ListTags",
            "cloudwatch:ListTagsForResource",
            "events:ListTagsForResource",
            "events:ListTargetsByRule",
            "logs:DescribeMetricFilters",
            "logs:ListTagsForResource",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
        ),
        _allow("SetupLookAtRoles", place.role(ANY), "iam:GetRole", "iam:GetRolePolicy"),
        _allow(
            "SetupLookAtQueues", anywhere.queue(ANY), "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"
        ),
        _allow("SetupLookForBucket", place.bucket(names.bucket_at(anywhere)), "s3:ListBucket"),
    ]


def _setup_delivers(place: Place, names: Names, trail: str) -> list[Statement]:
    """The trail, the log group that it delivers to, and the role by which it does."""
    group, role = place.log_group(names.log_group), place.role(names.role)
    return [
        _allow(
            "SetupOwnTrail",
            place.at(ANY).trail(last_name(names.trail)),
            "cloudtrail:CreateTrail",
            "cloudtrail:DeleteTrail",
        ),
        _allow(
            "SetupTrail",
            place.at(ANY).trail(last_name(trail)),
            "cloudtrail:AddTags",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:RemoveTags",
            "cloudtrail:StartLogging",
            "cloudtrail:UpdateTrail",
        ),
        _allow(
            "SetupLogGroup",
            [group, f"{group}:*"],  # which form is asked for differs between the operations
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteMetricFilter",
            "logs:PutMetricFilter",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ),
        _allow(
            "SetupRole",
            role,
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
        ),
        _allow(
            "SetupPassRole",
            role,
            "iam:PassRole",
            condition={"StringEquals": {"iam:PassedToService": "cloudtrail.amazonaws.com"}},
        ),
    ]


def _setup_keeps(bucket: str) -> list[Statement]:
    """The bucket that keeps a trail's files."""
    return [
        _allow(
            "SetupBucket",
            bucket,
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetEncryptionConfiguration",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
        ),
        _allow("SetupBucketRemoval", f"{bucket}/*", "s3:DeleteObject"),
    ]


def _setup_tells(place: Place, names: Names, places: Sequence[Place]) -> list[Statement]:
    """Alarms and EventBridge rules, the topic and the queue that they tell, in all the places."""
    return [
        _allow(
            "SetupTopic",
            list(dict.fromkeys(at.topic(names.topic) for at in places)),
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
            "sns:TagResource",
            "sns:Unsubscribe",
            "sns:UntagResource",
        ),
        _allow(
            "SetupAlarms",
            [place.alarm(DOCUMENTED_ALARM), place.alarm(f"{PREFIX}*")],
            "cloudwatch:DeleteAlarms",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
        ),
        _allow(
            "SetupEventRules",
            [at.event_rule(f"{PREFIX}*") for at in places],
            "events:DeleteRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
        ),
        _allow(
            "SetupQueue",
            list(dict.fromkeys(at.queue(name) for at in places for name in (names.queue, names.dead_letters))),
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:SetQueueAttributes",
            "sqs:TagQueue",
        ),
    ]


def drill_policy(place: Place, log_group: str = ANY) -> Document:
    """Return what `smwatch drill` needs: a throw-away secret of its own, and to see what becomes of it."""
    group = place.log_group(log_group)
    return document(
        _allow(
            "DrillSecret",
            place.secret(f"{DRILL_PREFIX}*"),
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:TagResource",
        ),
        _allow("DrillTrail", "*", "cloudtrail:DescribeTrails", "cloudtrail:LookupEvents", "cloudwatch:DescribeAlarms"),
        _allow("DrillLogGroup", [group, f"{group}:*"], "logs:FilterLogEvents"),
    )


def _everywhere(place: Place, regions: Sequence[str]) -> list[Place]:
    """Return the place, and the same account in the other Regions."""
    return [place, *(place.at(region) for region in dict.fromkeys(regions) if region != place.region)]


def as_json(policy: Document) -> str:
    """Return a policy as it is pasted."""
    return json.dumps(policy, indent=2)


def _allow(sid: str, resources: str | list[str], *actions: str, condition: Document | None = None) -> Statement:
    return _statement(sid, "Allow", resources, *actions, condition=condition)


def _statement(
    sid: str, effect: str, resources: str | list[str], *actions: str, condition: Document | None = None
) -> Statement:
    on = resources[0] if isinstance(resources, list) and len(resources) == 1 else resources
    statement: Statement = {"Sid": sid, "Effect": effect, "Action": sorted(actions), "Resource": on}
    return {**statement, "Condition": condition} if condition else statement
