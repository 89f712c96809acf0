"""The story of the demo: what happens when, for ever; the same again for the same base time.

An hour of everyday use lies before the base, and near its end someone deletes a secret that is still needed. Minutes
after the base it is restored. From then on a like incident, about another secret, comes every ten minutes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from struct import unpack
from typing import Any

import msgspec

from smwatch.sources.demo import cast
from smwatch.sources.demo.cast import ACCOUNT, REGION, Caller, cli
from smwatch.sources.demo.records import MARKED_FOR_DELETION, Clerk, deletion_date, denied, secret_arn, uuid_of

HISTORY = 3600
"""Seconds of story before the base."""
ROUND = 600
"""Seconds from one incident to the next."""
FIRST_ENDS = 300
"""Seconds after the base when the first incident is over and everything about it has been delivered."""
RECOVERY_DAYS = 7
NOT_FOUND = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
PENDING_NOT_FOUND = (
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
)
EVERYTHING = {"maxResults": 100, "filters": [], "includePlannedDeletion": False}
"""What the console lists."""
PUBLIC_POLICY = (
    '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Effect" : "Allow",\n    "Principal" : "*",\n'
    '    "Action" : "secretsmanager:GetSecretValue",\n    "Resource" : "*"\n  } ]\n}'
)


class Happening(msgspec.Struct, frozen=True):
    """One record, and when each source gets to see it."""

    at: datetime
    raw: str
    logs_at: datetime
    cloudtrail_at: datetime | None
    """None for calls to other services: the event history is asked for Secrets Manager's only."""


class Habit(msgspec.Struct, frozen=True):
    """An ordinary reader of a secret."""

    by: Caller
    secret: str
    every: float
    by_arn: bool = False
    customer_key: bool = False
    """The secret has a key of the customer's own, so that each read shows up in KMS too."""


class Incident(msgspec.Struct, frozen=True):
    """A secret that is deleted, by whom, for how long; in seconds after the base."""

    secret: str
    by: Caller
    deleted: float
    restored: float


HABITS = (
    Habit(cast.PAYMENTS, "prod/payments/db", 31, by_arn=True, customer_key=True),
    Habit(cast.PAYMENTS, "prod/payments/card-vault", 61, by_arn=True, customer_key=True),
    Habit(cast.CHECKOUT, "prod/checkout/stripe-api", 29),
    Habit(cast.STOREFRONT, "prod/search/opensearch", 43),
    Habit(cast.STOREFRONT, "prod/web/session-key", 53),
    Habit(cast.ORDERS, "prod/orders/rabbitmq", 37, by_arn=True),
    Habit(cast.ORDERS, "prod/shipping/carrier-api", 79, by_arn=True),
    Habit(cast.INVOICES, "prod/billing/quickbooks", 97),
    Habit(cast.INVOICES, "shared/smtp", 139),
    Habit(cast.REPORTING, "shared/smtp", 193),
    Habit(cast.CI, "staging/payments/db", 293),
)
VICTIMS = ("prod/checkout/stripe-api", "prod/billing/quickbooks", "prod/shipping/carrier-api", "prod/web/session-key")
SWEPT = (
    "prod/payments/db",
    "prod/payments/card-vault",
    "prod/checkout/stripe-api",
    "prod/orders/rabbitmq",
    "prod/search/opensearch",
    "prod/web/session-key",
    "prod/shipping/carrier-api",
    "prod/billing/quickbooks",
    "shared/smtp",
)


def incident(turn: int) -> Incident:
    """The incident of a turn, the first of which is under way at the base."""
    if turn == 0:
        return Incident(VICTIMS[0], cast.ALICE, -420, 84)
    by = cast.ALICE if turn % 2 == 0 else cast.CAROL
    return Incident(VICTIMS[turn % len(VICTIMS)], by, ROUND * turn + 20, ROUND * turn + 200)


class Story:
    """Everything that happens, told from a base time."""

    def __init__(self, base: datetime) -> None:
        self.base = base.replace(microsecond=0)

    def happenings(self) -> Iterator[Happening]:
        """All of it, in the order of time; never ends."""
        habits = [self._everyday(habit) for habit in HABITS]
        return heapq.merge(self._scripted(), *habits, key=lambda happening: happening.at)

    # -- everyday use

    def _everyday(self, habit: Habit) -> Iterator[Happening]:
        clerk = Clerk(f"{self.base}/{habit.by.arn}/{habit.secret}")
        version = uuid_of(habit.secret)
        for n in count():
            at = -HISTORY + habit.every * (n + 0.7 * _shares(f"{habit.secret}/{n}")[0])
            moment = self._moment(at)
            request = {"secretId": secret_arn(habit.secret) if habit.by_arn else habit.secret}
            error = MARKED_FOR_DELETION if _is_deleted(habit.secret, at) else None
            yield self._delivered(moment, clerk.call(moment, "GetSecretValue", habit.by, request, error=error))
            if habit.customer_key and not error:
                yield self._delivered(moment, clerk.decryption(moment, habit.by, habit.secret, version), kms=True)

    # -- what is scripted

    def _scripted(self) -> Iterator[Happening]:
        for turn in count():
            scene = Scene(self, f"turn {turn}")
            if turn == 0:
                _the_hour_before(scene)
            else:
                _another_turn(scene, turn)
            yield from scene.happenings()

    def _moment(self, offset: float) -> datetime:
        return self.base + timedelta(seconds=int(offset // 1))

    def _delivered(self, at: datetime, raw: str, *, kms: bool = False, late: float = 0) -> Happening:
        """With the delays of CloudTrail, seconds for its minutes; now and then the log group is the slower one."""
        by_logs, by_cloudtrail, slow = _shares(raw)
        logs = 35 + 15 * by_logs if slow < 0.08 else 6 + 14 * by_logs
        cloudtrail = 22 + 40 * by_cloudtrail
        after = timedelta(seconds=1)
        return Happening(at, raw, at + (late * 1.1 + logs) * after, None if kms else at + (late + cloudtrail) * after)


class Scene:
    """A stretch of the script; takes calls in any order."""

    def __init__(self, story: Story, name: str) -> None:
        self._story = story
        self._clerk = Clerk(f"{story.base}/{name}")
        self._happenings: list[Happening] = []

    def happenings(self) -> list[Happening]:
        """What was taken, in the order of time."""
        return sorted(self._happenings, key=lambda happening: happening.at)

    def call(
        self,
        offset: float,
        name: str,
        by: Caller,
        secret: str = "",
        more: Mapping[str, Any] | None = None,
        *,
        answer: Mapping[str, Any] | None = None,
        error: tuple[str, str] | None = None,
        agent: str = "",
        late: float = 0,
    ) -> None:
        """Someone calls Secrets Manager, with a secret and more parameters; of a refused call none are recorded."""
        at = self._story._moment(offset)
        said = {**({"secretId": secret} if secret else {}), **(more or {})}
        request = said if said and not (error and error[0] == "AccessDenied") else None
        raw = self._clerk.call(at, name, by, request, answer=answer, error=error, agent=agent)
        self._happenings.append(self._story._delivered(at, raw, late=late))

    def event(self, offset: float, name: str, about: Mapping[str, str], request_id: str, message: str = "") -> None:
        """Secrets Manager does something by itself."""
        at = self._story._moment(offset)
        raw = self._clerk.service_event(at, name, about, request_id, message)
        self._happenings.append(self._story._delivered(at, raw))

    def at(self, offset: float) -> datetime:
        """The moment so many seconds after the base."""
        return self._story._moment(offset)

    def new_id(self) -> str:
        """A UUID."""
        return self._clerk.new_id()


def _the_hour_before(scene: Scene) -> None:
    _rotation(scene, -3300, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")
    _batch(scene, -2760)
    _look_around(scene, -2400, cast.ALICE, "prod/billing/quickbooks")
    _rotation(scene, -1980, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=True)
    _rotation(scene, -1500, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=True)
    _denied_sweep(scene, -1260)
    _disguise(scene, -840)
    _batch(scene, -600)
    _deletion(scene, incident(0))
    # The event history brings this one only when everything around it has long been seen.
    scene.call(-436, "GetSecretValue", cast.ALICE, secret_arn(VICTIMS[0]), late=420)
    _opened_to_all(scene, 8, 130, "prod/search/opensearch")
    _batch(scene, 240)
    _rotation(scene, 330, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")


def _another_turn(scene: Scene, turn: int) -> None:
    begin = turn * ROUND
    _deletion(scene, incident(turn))
    _opened_to_all(scene, begin + 110, begin + 240, SWEPT[turn % len(SWEPT)])
    _rotation(scene, begin + 300, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")
    _denied_sweep(scene, begin + 370)
    _rotation(scene, begin + 430, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=turn % 2 == 0)
    _batch(scene, begin + 480)
    if turn % 3 == 2:
        scene.call(begin + 520, "ListSecrets", cast.ROOT, more={"maxResults": 100, "includePlannedDeletion": True})
    if turn % 2:
        _disguise(scene, begin + 540)


def _deletion(scene: Scene, it: Incident) -> None:
    """Someone deletes a secret; a deployment keeps asking for it, until it is restored."""
    arn = secret_arn(it.secret)
    named = {"arn": arn, "name": it.secret}
    deleted, restored = it.deleted, it.restored
    scene.call(deleted - 27, "ListSecrets", it.by, more=EVERYTHING)
    for offset, name in ((-19, "DescribeSecret"), (-19, "GetResourcePolicy"), (-18, "ListSecretVersionIds")):
        scene.call(deleted + offset, name, it.by, it.secret)
    answer = {**named, "deletionDate": deletion_date(scene.at(deleted), RECOVERY_DAYS)}
    scene.call(deleted, "DeleteSecret", it.by, arn, {"recoveryWindowInDays": RECOVERY_DAYS}, answer=answer)

    asked = deleted + 15
    while asked < restored - 4:
        scene.call(asked, "GetSecretValue", cast.CI, it.secret, error=MARKED_FOR_DELETION)
        asked += 14 + 16 * _shares(f"{it.secret}/{asked}")[0]
    for offset, name in ((-54, "PutSecretValue"), (-31, "RotateSecret")):
        more = {"clientRequestToken": scene.new_id()}
        agent = cli("put-secret-value" if name == "PutSecretValue" else "rotate-secret")
        scene.call(restored + offset, name, cast.CI, it.secret, more, error=MARKED_FOR_DELETION, agent=agent)

    scene.call(restored - 14, "DescribeSecret", cast.BOB, it.secret, agent=cli("describe-secret"))
    scene.call(restored, "RestoreSecret", cast.BOB, it.secret, answer=named)
    for n in (1, 2):
        about = {"SecretId": arn, "SecretVersionId": scene.new_id()}
        scene.event(restored + n, "CancelSecretVersionDelete", about, f"SecretDeleteMessage:{arn}:Cancelled")
    for offset in (6, 41, 95):
        scene.call(restored + offset, "GetSecretValue", cast.CI, it.secret)


def _rotation(scene: Scene, begin: float, secret: str, by: Caller, function: str, *, fails: bool = False) -> None:
    """A rotation as the templates of AWS do it, with the version that is expected not to exist yet."""
    arn, version, before = secret_arn(secret), scene.new_id(), scene.new_id()
    rotation = f"Rotation-{arn}-{scene.new_id()}"
    pending = {"versionId": version, "versionStage": "AWSPENDING"}
    scene.event(begin, "RotationStarted", {"SecretId": arn}, rotation)
    scene.call(begin + 2, "DescribeSecret", by, arn)
    scene.call(begin + 3, "GetSecretValue", by, arn, {"versionStage": "AWSCURRENT"})
    scene.call(begin + 3, "GetSecretValue", by, arn, pending, error=PENDING_NOT_FOUND)
    scene.call(begin + 4, "GetRandomPassword", by, more={"excludeCharacters": "/@\"'\\"})
    answer = {"arn": arn, "name": secret, "versionId": version, "versionStages": ["AWSPENDING"]}
    token = {"clientRequestToken": version, "versionStages": ["AWSPENDING"]}
    scene.call(begin + 4, "PutSecretValue", by, arn, token, answer=answer)
    scene.call(begin + 6, "GetSecretValue", by, arn, pending)
    if fails:
        lambda_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        message = f"Error when executing lambda {lambda_arn} during setSecret step"
        scene.event(begin + 17, "RotationFailed", {"SecretId": arn}, rotation, message)
        return
    scene.call(begin + 9, "GetSecretValue", by, arn, pending)
    named = {"arn": arn, "name": secret}
    moved = {"versionStage": "AWSCURRENT", "moveToVersionId": version, "removeFromVersionId": before}
    scene.call(begin + 11, "UpdateSecretVersionStage", by, arn, moved, answer=named)
    removed = {"versionStage": "AWSPENDING", "removeFromVersionId": version}
    scene.call(begin + 11, "UpdateSecretVersionStage", by, arn, removed, answer=named)
    scene.event(begin + 12, "RotationSucceeded", {"SecretId": arn}, rotation)


def _denied_sweep(scene: Scene, begin: float) -> None:
    """Someone tries what a role may read, and may read nothing."""
    by = cast.NOTEBOOK
    scene.call(begin, "ListSecrets", by, error=denied(by, "ListSecrets", "*"))
    for n, secret in enumerate(SWEPT):
        scene.call(begin + 6 + 4 * n, "GetSecretValue", by, error=denied(by, "GetSecretValue", secret))
    scene.call(begin + 47, "BatchGetSecretValue", by, error=denied(by, "BatchGetSecretValue", "*"))


def _batch(scene: Scene, begin: float) -> None:
    """Several secrets in one call, which is logged as itself and as a read of each."""
    secrets = [secret_arn(name) for name in ("prod/payments/db", "prod/orders/rabbitmq", "shared/smtp")]
    scene.call(begin, "BatchGetSecretValue", cast.EXTERNAL_SECRETS, more={"secretIdList": secrets})
    for secret in secrets:
        scene.call(begin, "GetSecretValue", cast.EXTERNAL_SECRETS, secret)


def _look_around(scene: Scene, begin: float, by: Caller, secret: str) -> None:
    """A person opens a secret in the console and has its value shown."""
    scene.call(begin, "ListSecrets", by, more=EVERYTHING)
    for name in ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds"):
        scene.call(begin + 9, name, by, secret)
    scene.call(begin + 16, "GetSecretValue", by, secret_arn(secret))


def _opened_to_all(scene: Scene, begin: float, end: float, secret: str) -> None:
    """Someone lets the whole world read a secret; it is taken back."""
    arn = secret_arn(secret)
    answer = {"arn": arn, "name": secret}
    policy = {"resourcePolicy": PUBLIC_POLICY, "blockPublicPolicy": False}
    scene.call(begin, "PutResourcePolicy", cast.CAROL, arn, policy, answer=answer)
    scene.call(end, "DeleteResourcePolicy", cast.BOB, secret, answer=answer, agent=cli("delete-resource-policy"))


def _disguise(scene: Scene, begin: float) -> None:
    """A client that would like to play tricks on a terminal."""
    by = cast.INTRUDER
    scene.call(begin, "DescribeSecret", by, "prod/\u202egnp.terces\u202c\x1b[8m[/][link=x]\x07", error=NOT_FOUND)
    scene.call(begin + 3, "GetSecretValue", by, error=denied(by, "GetSecretValue", "prod/\x9b2J\r\x1b]52;c;eA==\x07db"))


def _is_deleted(secret: str, offset: float) -> bool:
    turn = max(0, int(offset // ROUND))
    return any(it.secret == secret and it.deleted < offset < it.restored for it in map(incident, (turn, turn + 1)))


def _shares(text: str) -> tuple[float, float, float]:
    """Three numbers from 0 to 1 that follow from a text."""
    first, second, third = unpack(">3I", blake2b(text.encode(), digest_size=12).digest())
    return first / 2**32, second / 2**32, third / 2**32
