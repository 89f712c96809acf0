"""A topic takes what alarms and EventBridge rules publish: its policy, and whether that lets them in already."""

from __future__ import annotations

from collections.abc import Sequence

from smwatch.setup import documents
from smwatch.setup.call import Call
from smwatch.setup.documents import ALARMS_SID, EVENTS_SID, Document, Statement, statements
from smwatch.setup.place import Place, arn_part
from smwatch.setup.plan import Change, Step
from smwatch.setup.seen import MADE, MADE_VALUE, Topic, made
from smwatch.setup.wanted import Part


def topic_step(part: Part, place: Place, arn: str, topic: Topic | None, wanted: Sequence[Statement], undo: str) -> Step:
    """Return what makes a topic take what the services of these statements publish."""
    what = f"topic {arn_part(arn, 5)}"
    services = " and ".join(documents.service_of(statement) for statement in wanted)
    if arn_part(arn, 4) != place.account:
        return Step(part, Change.KEEP, what, f"of account {arn_part(arn, 4)}, whose policy has to allow {services}")
    policy = _base(topic)
    missing = [each for each in wanted if topic is None or not _lets_in(topic, each, place.account)]
    for statement in missing:
        policy = documents.merged(policy, statement)
    attribute = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": documents.text(policy)}
    allow = Call("sns", "SetTopicAttributes", attribute, place.region)
    if topic is None:
        parameters = {"Name": arn_part(arn, 5), "Tags": [{"Key": MADE, "Value": MADE_VALUE}]}
        create = Call("sns", "CreateTopic", parameters, place.region)
        return Step(part, Change.MAKE, what, f"{services} may publish", (create, allow), undo=undo)
    if not missing:
        return Step(part, Change.KEEP, what, f"{services} may publish")
    return Step(part, Change.CHANGE, what, f"{services} may publish, besides who may already", (allow,), undo=undo)


def _base(topic: Topic | None) -> Document:
    """Return the policy to add to: somebody else's as it is; ours without the one AWS gives every new topic."""
    if topic is None:
        return {}
    if not made(topic.tags):
        return topic.policy
    return documents.document(
        *(each for each in statements(topic.policy) if each.get("Sid") in (ALARMS_SID, EVENTS_SID))
    )


def _lets_in(topic: Topic, statement: Statement, account: str) -> bool:
    if made(topic.tags):
        return documents.has(topic.policy, statement)
    return allowed(topic.policy, statement, account)


def unusable_key(topic: Topic) -> bool:
    """Whether the topic is encrypted with SNS's own key, whose policy nobody can change."""
    return topic.key.endswith("alias/aws/sns")


def allowed(policy: Document, statement: Statement, account: str) -> bool:
    """Whether a resource policy lets in already what the statement would.

    By the statement itself, by one for the same service under conditions it meets, or, for alarms, by SNS's default:
    anybody, as long as it is on behalf of this account.
    """
    if any(each.get("Effect") == "Deny" and _shuts_out(each, statement) for each in statements(policy)):
        return False
    return any(each.get("Effect") == "Allow" and _covers(each, statement, account) for each in statements(policy))


def _covers(existing: Statement, statement: Statement, account: str) -> bool:
    service = documents.service_of(statement)
    if not _same_action(existing, statement) or not _met(existing, statement, account):
        return False
    principal = existing.get("Principal")
    by_name = principal if isinstance(principal, dict) else {"AWS": principal}
    if "*" in documents.listed(by_name.get("AWS")):
        return service == "cloudwatch.amazonaws.com" and any(documents.conditions(existing))
    return service in documents.listed(by_name.get("Service"))


def _met(existing: Statement, statement: Statement, account: str) -> bool:
    """Whether the service meets every condition of an existing statement; one that is not known counts as not met."""
    sources = [value for key, values in documents.conditions(statement) if key == "aws:SourceArn" for value in values]
    for key, values in documents.conditions(existing):
        match key.lower():
            case "aws:sourcearn":
                met = all(any(documents.like(pattern, source) for pattern in values) for source in sources)
            case "aws:sourceaccount" | "aws:sourceowner":
                met = account in values
            case _:
                met = False
        if not met:
            return False
    return True


def _same_action(existing: Statement, statement: Statement) -> bool:
    action = str(statement["Action"]).lower()
    return any(documents.like(pattern.lower(), action) for pattern in documents.listed(existing.get("Action")))


def _shuts_out(denial: Statement, statement: Statement) -> bool:
    """Whether a Deny without conditions is for the statement's service."""
    principal = denial.get("Principal")
    named = principal.get("Service", principal.get("AWS")) if isinstance(principal, dict) else principal
    whom = {"*", documents.service_of(statement)} & set(documents.listed(named))
    return bool(whom) and not any(documents.conditions(denial)) and _same_action(denial, statement)
