"""What a successful call changed about a secret, read from its record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from smwatch.dossier.dealings import moment_of
from smwatch.dossier.lifecycle import WINDOW, State, Turn
from smwatch.dossier.policy import POLICY, PolicyChange, grade
from smwatch.dossier.record import (
    TEXT,
    mapping,
    number,
    objects,
    parameters,
    response,
    text,
    texts,
    true,
)
from smwatch.events.event import Event
from smwatch.events.moments import moment
from smwatch.events.principal import Principal
from smwatch.record import Record

LONGEST_WINDOW = 365
"""Days; what is beyond that is nonsense."""
LONGEST_REQUEST = 4096
"""Characters looked at of a requestID: that of a service event holds an ARN."""
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


class Topic(StrEnum):
    """What a change is about; the value is the word shown."""

    REPLICAS = "replicas"
    KEY = "KMS key"
    ROTATION = "rotation setting"
    DESCRIPTION = "description"
    TAGS = "tags"


_Found = list[tuple[Topic, str, tuple[str, ...], tuple[str, ...]]]


class Change(msgspec.Struct, frozen=True):
    """A successful call changed something about the secret."""

    key: int
    name: str
    by: Principal
    topic: Topic
    what: str
    """The new value in words."""
    added: tuple[str, ...] = ()
    """Regions or tag keys."""
    removed: tuple[str, ...] = ()

    @property
    def at(self) -> datetime:
        """When it was changed."""
        return moment_of(self.key)


class LabelMove(msgspec.Struct, frozen=True):
    """A staging label was put on a version, or only taken from one."""

    key: int
    name: str
    by: Principal
    label: str
    version: str
    """Where it is now; "" for nowhere."""
    taken_from: str = ""

    @property
    def at(self) -> datetime:
        """When it was moved."""
        return moment_of(self.key)


def turn(event: Event, record: Record) -> Turn | None:
    """The change of state that a successful call made, if it made one."""
    if event.failed:
        return None
    match event.name:
        case "CreateSecret" | "RestoreSecret":
            return Turn(event.key, State.ACTIVE, event.name, event.principal, event.access_key)
        case "EndSecretVersionDelete":
            request = text(record, "requestID", LONGEST_REQUEST)
            return Turn(
                event.key,
                State.DELETED,
                event.name,
                event.principal,
                forced=request.endswith(":Forced"),
                whole=request.startswith("SecretDeleteMessage:"),
            )
        case "DeleteSecret":
            asked = parameters(record)
            forced = true(asked, "forceDeleteWithoutRecovery")
            days = number(asked, "recoveryWindowInDays")
            return Turn(
                event.key,
                State.DELETED if forced else State.PENDING,
                event.name,
                event.principal,
                event.access_key,
                deletion_at=moment(response(record).get("deletionDate")),
                window_days=days if days is not None and 0 <= days <= LONGEST_WINDOW else WINDOW,
                forced=forced,
            )
        case _:
            return None


def label_moves(event: Event, record: Record) -> tuple[LabelMove, ...]:
    """The staging labels that a successful call moved."""
    asked = parameters(record)
    match event.name:
        case "CreateSecret" | "UpdateSecret":
            version = text(response(record), "versionId")
            if event.name == "CreateSecret":
                version = version or text(asked, "clientRequestToken")
            labels: tuple[str, ...] = (CURRENT,)
        case "PutSecretValue":
            version = text(response(record), "versionId") or text(asked, "clientRequestToken")
            labels = texts(asked, "versionStages") or (CURRENT,)
        case "UpdateSecretVersionStage":
            label, taken_from = text(asked, "versionStage"), text(asked, "removeFromVersionId")
            return (
                LabelMove(event.key, event.name, event.principal, label, text(asked, "moveToVersionId"), taken_from),
            )
        case _:
            return ()
    return tuple(LabelMove(event.key, event.name, event.principal, label, version) for label in labels if version)


def labels_after(moves: Iterable[LabelMove]) -> dict[str, str]:
    """Which version has each label after the moves, ascending, as far as they tell."""
    labels: dict[str, str] = {}
    for move in moves:
        before = labels.get(move.label) or move.taken_from
        if not move.version:
            if before == move.taken_from:
                labels.pop(move.label, None)
            continue
        labels[move.label] = move.version
        if move.label == CURRENT and before and before != move.version:
            labels[PREVIOUS] = before  # the service moves this one by itself
    return labels


def policy_change(event: Event, record: Record) -> PolicyChange | None:
    """The change of the resource policy that a successful call made, if it made one."""
    if event.name == "DeleteResourcePolicy":
        return PolicyChange(event.key, event.name, event.principal, "", grade("{}", ""))
    if event.name != "PutResourcePolicy":
        return None
    asked = parameters(record)
    policy = text(asked, "resourcePolicy", POLICY)
    account = event.secret.account if event.secret is not None else event.account
    return PolicyChange(
        event.key, event.name, event.principal, policy, grade(policy, account), true(asked, "blockPublicPolicy")
    )


def changes(event: Event, record: Record) -> tuple[Change, ...]:
    """Everything else that a successful call changed."""
    asked = parameters(record)
    found: _Found = []
    match event.name:
        case "CreateSecret" | "UpdateSecret":
            found += _key(asked) + _description(asked) + _replicated(asked) + _tagged(asked)
        case "ReplicateSecretToRegions":
            found += _replicated(asked)
        case "RemoveRegionsFromReplication":
            gone = texts(asked, "removeReplicaRegions")
            found.append((Topic.REPLICAS, f"deleted in {', '.join(gone)}", (), gone))
        case "StopReplicationToReplica":
            found.append((Topic.REPLICAS, "promoted to a secret of its own", (), ()))
        case "AssociateCrossAccountReplica" | "DisassociateCrossAccountReplica" | "AcceptCrossAccountReplication":
            # How their parameters are spelled is not documented: show all that are text.
            said = ", ".join(f"{name[:60]} {asked[name][:TEXT]}" for name in list(asked)[:9] if text(asked, name))
            found.append((Topic.REPLICAS, f"another account: {said}", (), ()))
        case "RotateSecret" | "CancelRotateSecret":
            found += _rotation(event.name, asked)
        case "TagResource":
            found += _tagged(asked)
        case "UntagResource":
            keys = texts(asked, "tagKeys")
            found.append((Topic.TAGS, f"without {', '.join(keys)}", (), keys))
        case _:
            pass
    return tuple(
        Change(event.key, event.name, event.principal, topic, what[:TEXT], added, removed)
        for topic, what, added, removed in found
    )


def _key(asked: Mapping[str, Any]) -> _Found:
    key = text(asked, "kmsKeyId")
    return [(Topic.KEY, key, (), ())] if key else []


def _description(asked: Mapping[str, Any]) -> _Found:
    said = text(asked, "description")
    return [(Topic.DESCRIPTION, said, (), ())] if said else []


def _replicated(asked: Mapping[str, Any]) -> _Found:
    found: _Found = []
    replicas = objects(asked, "addReplicaRegions")
    if replicas:
        regions = tuple(text(replica, "region") for replica in replicas)
        said = ", ".join(" with ".join(filter(None, (text(r, "region"), text(r, "kmsKeyId")))) for r in replicas)
        over = ", overwriting" if true(asked, "forceOverwriteReplicaSecret") else ""
        found.append((Topic.REPLICAS, f"to {said}{over}", regions, ()))
    if text(asked, "crossAccountPrimaryARN"):
        found.append((Topic.REPLICAS, f"replica of {text(asked, 'crossAccountPrimaryARN')}", (), ()))
    return found


def _tagged(asked: Mapping[str, Any]) -> _Found:
    tags = objects(asked, "tags")
    said = ", ".join(f"{text(tag, 'key')}={text(tag, 'value')}" for tag in tags)
    return [(Topic.TAGS, said, tuple(text(tag, "key") for tag in tags), ())] if tags else []


def _rotation(name: str, asked: Mapping[str, Any]) -> _Found:
    if name == "CancelRotateSecret":
        return [(Topic.ROTATION, "off", (), ())]
    rules = mapping(asked.get("rotationRules"))
    days = number(rules, "automaticallyAfterDays")
    said = (
        text(asked, "rotationLambdaARN"),
        f"every {days} days" if days is not None else "",
        text(rules, "scheduleExpression"),
        text(rules, "duration"),
    )
    return [(Topic.ROTATION, ", ".join(filter(None, said)), (), ())] if any(said) else []


def summary(event: Event, record: Record) -> str:
    """What a successful call did, in words for one line of the timeline; it holds text of the record."""
    did = [change.what for change in changes(event, record)]
    for move in label_moves(event, record):
        to = f"to {move.version}" if move.version else f"taken from {move.taken_from}"
        did.append(f"{move.label} {to}")
    policy = policy_change(event, record)
    if policy is not None:
        did += policy.words
    step = turn(event, record)
    if step is not None and event.name == "DeleteSecret":
        did.append("without a recovery window" if step.forced else f"recovery window of {step.window_days} days")
    return ", ".join(did)[:TEXT]
