"""The documents AWS is given: trust, permissions and resource policies, as its documentation prints them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from smwatch.setup.place import Place

Statement: TypeAlias = dict[str, object]
Document: TypeAlias = dict[str, object]

VERSION = "2012-10-17"
ALARMS_SID = "SmwatchAlarms"
EVENTS_SID = "SmwatchEvents"
"""Statements with these names in the policy of a topic or queue are smwatch's; every other is left as it is."""


def document(*statements: Statement) -> Document:
    """Return a policy of these statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def text(value: object) -> str:
    """Return a document as the JSON text that goes to AWS: no spare spaces, keys as they were written."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parsed(value: object) -> Document:
    """Return a document that AWS answered with, as text or already parsed; one that is no JSON object is empty."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def statements(policy: Document) -> list[Statement]:
    """Return a policy's statements; AWS takes one alone without a list."""
    found = policy.get("Statement", [])
    listed = found if isinstance(found, list) else [found]
    return [dict(statement) for statement in listed if isinstance(statement, Mapping)]


def same(one: object, other: object) -> bool:
    """Whether two documents say the same: order of keys and lists, and a list of one, don't matter."""
    return _canonical(one) == _canonical(other)


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _canonical(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        return _canonical(value[0]) if len(value) == 1 else tuple(sorted(map(_canonical, value), key=repr))
    return value


def merged(policy: Document, statement: Statement) -> Document:
    """Return the policy with this statement in the place of the one that has its Sid; the others stay."""
    kept = without(policy, str(statement["Sid"]))
    return {"Version": VERSION, **kept, "Statement": [*statements(kept), statement]}


def without(policy: Document, sid: str) -> Document:
    """Return the policy without the statement of that Sid."""
    return {**policy, "Statement": [each for each in statements(policy) if each.get("Sid") != sid]}


def find(policy: Document, sid: str) -> Statement | None:
    """Return the statement of that Sid."""
    return next((each for each in statements(policy) if each.get("Sid") == sid), None)


def has(policy: Document, statement: Statement) -> bool:
    """Whether the policy holds this very statement."""
    found = find(policy, str(statement["Sid"]))
    return found is not None and same(found, statement)


def listed(value: object) -> list[str]:
    """Return one text or a list of texts as a list; policies may write either."""
    return [str(each) for each in value] if isinstance(value, list) else [] if value is None else [str(value)]


def service_of(statement: Statement) -> str:
    """Return the service that a resource policy's statement is for, "" if it is for somebody else."""
    principal = statement.get("Principal")
    return str(principal.get("Service", "")) if isinstance(principal, Mapping) else ""


def conditions(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Yield (condition key, values) of a statement, whatever the operator."""
    operators = statement.get("Condition")
    for keys in operators.values() if isinstance(operators, Mapping) else ():
        for key, value in keys.items() if isinstance(keys, Mapping) else ():
            yield str(key), listed(value)


def allows(policy: Document, action: str, resource: str) -> bool:
    """Whether a role's policy lets it do that: some Allow covers it, and no Deny without conditions does."""
    covering = [each for each in statements(policy) if _covers(each, action, resource)]
    denied = any(each.get("Effect") == "Deny" and not any(conditions(each)) for each in covering)
    return any(each.get("Effect") == "Allow" for each in covering) and not denied


def _covers(statement: Statement, action: str, resource: str) -> bool:
    actions = (like(pattern.lower(), action.lower()) for pattern in listed(statement.get("Action")))
    return any(actions) and any(like(pattern, resource) for pattern in listed(statement.get("Resource")))


def like(pattern: str, value: str) -> bool:
    """Whether a policy's pattern with `*` and `?` covers the value; case counts."""
    return (
        re.fullmatch("".join(_WILDCARDS.get(each, re.escape(each)) for each in pattern), value, re.DOTALL) is not None
    )


_WILDCARDS = {"*": ".*", "?": "."}


def role_trust(trail_arn: str) -> Document:
    """Return who may take on the delivery role: CloudTrail, for this trail (no "confused deputy")."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceArn": trail_arn}},
        }
    )


ANY_ORGANIZATION = "o-*"
"""Stands for an organisation's ID where it is not known."""


def role_permissions(place: Place, log_group: str, organization: str) -> Document:
    """Return what the delivery role may do: write CloudTrail's own streams of one log group.

    An organisation trail's streams begin with the organisation's ID.
    """
    streams = f"{place.log_group(log_group)}:log-stream:"
    own = f"{streams}{place.account}_CloudTrail_{place.region}*"
    resources = [own, f"{streams}{organization}_*"] if organization else [own]
    return document(
        {
            "Sid": "AWSCloudTrailCreateLogStream2014110",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream"],
            "Resource": resources,
        },
        {
            "Sid": "AWSCloudTrailPutLogEvents20141101",
            "Effect": "Allow",
            "Action": ["logs:PutLogEvents"],
            "Resource": resources,
        },
    )


def bucket_policy(place: Place, bucket: str, trail_arn: str) -> Document:
    """Return what CloudTrail may do in the bucket, for this trail only."""
    arn = place.bucket(bucket)
    cloudtrail = {"Service": "cloudtrail.amazonaws.com"}
    return document(
        {
            "Sid": "AWSCloudTrailAclCheck20150319",
            "Effect": "Allow",
            "Principal": cloudtrail,
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": {"StringEquals": {"aws:SourceArn": trail_arn}},
        },
        {
            "Sid": "AWSCloudTrailWrite20150319",
            "Effect": "Allow",
            "Principal": cloudtrail,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{place.account}/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail_arn}},
        },
    )


def alarms_may_publish(place: Place, topic_arn: str) -> Statement:
    """Return the topic policy's statement for CloudWatch alarms of this account and Region."""
    return {
        "Sid": ALARMS_SID,
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "SNS:Publish",
        "Resource": topic_arn,
        "Condition": {
            "ArnLike": {"aws:SourceArn": place.alarm("*")},
            "StringEquals": {"aws:SourceAccount": place.account},
        },
    }


def rules_may_publish(topic_arn: str, rule_arns: Iterable[str]) -> Statement:
    """Return the topic policy's statement for these EventBridge rules."""
    return _rules_may("sns:Publish", topic_arn, rule_arns)


def rules_may_send(queue_arn: str, rule_arns: Iterable[str]) -> Statement:
    """Return the queue policy's statement for these EventBridge rules."""
    return _rules_may("sqs:SendMessage", queue_arn, rule_arns)


def _rules_may(action: str, resource: str, rule_arns: Iterable[str]) -> Statement:
    return {
        "Sid": EVENTS_SID,
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": sorted(rule_arns)}},
    }
