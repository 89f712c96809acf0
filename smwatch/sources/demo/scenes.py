"""The scenes of the demo: what people and programs do one after the other, as the records of it tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from smwatch.sources.demo import cast
from smwatch.sources.demo.cast import ACCOUNT, REGION, Caller, cli
from smwatch.sources.demo.happening import Happening, delivered, moment_at, shares
from smwatch.sources.demo.records import MARKED_FOR_DELETION, Clerk, deletion_date, denied, secret_arn

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


class Incident(msgspec.Struct, frozen=True):
    """A secret that is deleted, by whom, for how long; in seconds after the base."""

    secret: str
    by: Caller
    deleted: float
    restored: float


class Scene:
    """A stretch of the script; takes calls in any order."""

    def __init__(self, base: datetime, name: str) -> None:
        self._base = base
        self._clerk = Clerk(f"{base}/{name}")
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
        at = self.at(offset)
        said = {**({"secretId": secret} if secret else {}), **(more or {})}
        request = said if said and not (error and error[0] == "AccessDenied") else None
        raw = self._clerk.call(at, name, by, request, answer=answer, error=error, agent=agent)
        self._happenings.append(delivered(at, raw, late=late))

    def event(self, offset: float, name: str, about: Mapping[str, str], request_id: str, message: str = "") -> None:
        """Secrets Manager does something by itself."""
        at = self.at(offset)
        raw = self._clerk.service_event(at, name, about, request_id, message)
        self._happenings.append(delivered(at, raw))

    def at(self, offset: float) -> datetime:
        """The moment so many seconds after the base."""
        return moment_at(self._base, offset)

    def new_id(self) -> str:
        """A UUID."""
        return self._clerk.new_id()


def deletion(scene: Scene, it: Incident) -> None:
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
        asked += 14 + 16 * shares(f"{it.secret}/{asked}")[0]
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


def rotation(scene: Scene, begin: float, secret: str, by: Caller, function: str, *, fails: bool = False) -> None:
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


def denied_sweep(scene: Scene, begin: float) -> None:
    """Someone tries what a role may read, and may read nothing."""
    by = cast.NOTEBOOK
    scene.call(begin, "ListSecrets", by, error=denied(by, "ListSecrets", "*"))
    for n, secret in enumerate(SWEPT):
        scene.call(begin + 6 + 4 * n, "GetSecretValue", by, error=denied(by, "GetSecretValue", secret))
    scene.call(begin + 47, "BatchGetSecretValue", by, error=denied(by, "BatchGetSecretValue", "*"))


def batch(scene: Scene, begin: float) -> None:
    """Several secrets in one call, which is logged as itself and as a read of each."""
    secrets = [secret_arn(name) for name in ("prod/payments/db", "prod/orders/rabbitmq", "shared/smtp")]
    scene.call(begin, "BatchGetSecretValue", cast.EXTERNAL_SECRETS, more={"secretIdList": secrets})
    for secret in secrets:
        scene.call(begin, "GetSecretValue", cast.EXTERNAL_SECRETS, secret)


def look_around(scene: Scene, begin: float, by: Caller, secret: str) -> None:
    """A person opens a secret in the console and has its value shown."""
    scene.call(begin, "ListSecrets", by, more=EVERYTHING)
    for name in ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds"):
        scene.call(begin + 9, name, by, secret)
    scene.call(begin + 16, "GetSecretValue", by, secret_arn(secret))


def opened_to_all(scene: Scene, begin: float, end: float, secret: str) -> None:
    """Someone lets the whole world read a secret; it is taken back."""
    arn = secret_arn(secret)
    answer = {"arn": arn, "name": secret}
    policy = {"resourcePolicy": PUBLIC_POLICY, "blockPublicPolicy": False}
    scene.call(begin, "PutResourcePolicy", cast.CAROL, arn, policy, answer=answer)
    scene.call(end, "DeleteResourcePolicy", cast.BOB, secret, answer=answer, agent=cli("delete-resource-policy"))


def disguise(scene: Scene, begin: float) -> None:
    """A client that would like to play tricks on a terminal."""
    by = cast.INTRUDER
    scene.call(begin, "DescribeSecret", by, "prod/\u202egnp.terces\u202c\x1b[8m[/][link=x]\x07", error=NOT_FOUND)
    scene.call(begin + 3, "GetSecretValue", by, error=denied(by, "GetSecretValue", "prod/\x9b2J\r\x1b]52;c;eA==\x07db"))
