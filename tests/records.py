"""CloudTrail records of Secrets Manager in the shapes that AWS writes, for everyone's tests.

Everything is a plain function with sensible defaults: `read("prod/db")` is an ordinary GetSecretValue. Any top-level
field can be replaced or added by name (`read("prod/db", userAgent="Boto3/1.35")`) and left out with ABSENT. The eventID
comes from the contents, so records that say the same are the same event; `id=` makes more of them.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from smwatch.events.event import Arrival, Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.record import Record

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "eu-west-1"
AT = datetime(2026, 11, 23, 14, 0, 0, tzinfo=UTC)
SECRETS_MANAGER = "secretsmanager.amazonaws.com"
BOTO = "Boto3/1.43.106 md/Botocore#1.43.106 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.13.1 cfg/retry-mode#legacy"
CONSOLE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537"
)
ABSENT: Any = object()
"""Given as a field's value: the record lacks the field."""

MARKED = "You can't perform this operation on the secret because it was marked for deletion."
NOT_FOUND = "Secrets Manager can't find the specified secret."
IN_USE = "You can't create this secret because a secret with this name is already scheduled for deletion."

Identity = dict[str, Any]

# ---------------------------------------------------------------------------------------------------------- identities


def role(
    name: str = "payments-api",
    session: str = "i-0f3a9c1d2e4b56789",
    *,
    account: str = ACCOUNT,
    path: str = "/",
    key: str = "ASIAIOSFODNN7EXAMPLE",
    **more: Any,
) -> Identity:
    """A session of a role (type AssumedRole)."""
    unique = "AROA" + _letters(f"{account}{path}{name}", 17)
    return {
        "type": "AssumedRole",
        "principalId": f"{unique}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique,
                "arn": f"arn:aws:iam::{account}:role{path}{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"creationDate": "2026-11-23T13:05:11Z", "mfaAuthenticated": "false"},
        },
    } | more


def sso(person: str = "alice@example.com", permission_set: str = "AdminAccess", *, account: str = ACCOUNT) -> Identity:
    """A person signed in through Identity Center, in the console: the session of a permission set's role."""
    name = f"AWSReservedSSO_{permission_set}_{_digits(account + permission_set, 16)}"
    identity = role(name, person, account=account, path="/aws-reserved/sso.amazonaws.com/eu-west-1/")
    store = "arn:aws:identitystore::777788889999:identitystore/d-9067642ac7"
    return identity | {"onBehalfOf": {"userId": str(uuid5(NAMESPACE_URL, person)), "identityStoreArn": store}}


def user(
    name: str = "alice", *, account: str = ACCOUNT, key: str = "AKIAIOSFODNN7EXAMPLE", path: str = "/"
) -> Identity:
    """An IAM user with a long-term access key."""
    return {
        "type": "IAMUser",
        "principalId": "AIDA" + _letters(account + name, 17),
        "arn": f"arn:aws:iam::{account}:user{path}{name}",
        "accountId": account,
        "accessKeyId": key,
        "userName": name,
    }


def root(*, account: str = ACCOUNT) -> Identity:
    """The root user in the console."""
    return {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7ROOTKEY",
        "sessionContext": {"attributes": {"creationDate": "2026-11-23T13:58:00Z", "mfaAuthenticated": "true"}},
    }


def federated(name: str = "bob", issuer: str = "federator", *, account: str = ACCOUNT) -> Identity:
    """A federated user (GetFederationToken)."""
    issued_by = user(issuer, account=account)
    return {
        "type": "FederatedUser",
        "principalId": f"{account}:{name}",
        "arn": f"arn:aws:sts::{account}:federated-user/{name}",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7FEDUSER",
        "sessionContext": {
            "sessionIssuer": {key: issued_by[key] for key in ("type", "principalId", "arn", "accountId", "userName")},
            "attributes": {"creationDate": "2026-11-23T13:05:11Z", "mfaAuthenticated": "false"},
        },
    }


def saml(name: str = "bob@example.com") -> Identity:
    """A user known by a SAML assertion; such records have no ARN."""
    return {
        "type": "SAMLUser",
        "principalId": f"QnNhbWxwcm92aWRlcg=:{name}",
        "userName": name,
        "identityProvider": "QnNhbWxwcm92aWRlcg=",
    }


def web_identity(name: str = "104327843321", provider: str = "accounts.google.com") -> Identity:
    """A user known by an OpenID Connect token; such records have no ARN."""
    principal = f"{provider}:example.apps.googleusercontent.com:{name}"
    return {"type": "WebIdentityUser", "principalId": principal, "userName": name, "identityProvider": provider}


def identity_center(person: str = "544894e8-80c1-707f-60e3-3ba6510dfac1", *, account: str = ACCOUNT) -> Identity:
    """A person known by Identity Center itself, without a role."""
    return {
        "type": "IdentityCenterUser",
        "accountId": account,
        "onBehalfOf": {
            "userId": person,
            "identityStoreArn": "arn:aws:identitystore::777788889999:identitystore/d-9067642ac7",
        },
        "credentialId": "90e292de-5eb8-446e-9602-90f7c45044f7",
    }


def directory(name: str = "carol", *, account: str = ACCOUNT) -> Identity:
    """A user of Directory Service."""
    return {"type": "Directory", "principalId": f"d-9067642ac7:{name}", "accountId": account, "userName": name}


def other_account(account: str = OTHER_ACCOUNT) -> Identity:
    """A caller from another account as the secret's owner sees it."""
    return {"type": "AWSAccount", "principalId": "AROAIOSFODNN7EXAMPLE1:deployer", "accountId": account}


def aws_service(service: str = "rds.amazonaws.com") -> Identity:
    """An AWS service that acts by itself."""
    return {"type": "AWSService", "invokedBy": service}


def unknown() -> Identity:
    """What CloudTrail writes when it can't tell."""
    return {"type": "Unknown", "principalId": "", "arn": "", "accountId": ACCOUNT, "accessKeyId": ""}


# ------------------------------------------------------------------------------------------------------------- records


def arn(name: str, suffix: str = "", *, account: str = ACCOUNT, region: str = REGION, partition: str = "aws") -> str:
    """The complete ARN of a secret; the suffix comes from the name."""
    return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{suffix or _letters(name, 6).title()}"


def call(
    name: str,
    parameters: dict[str, Any] | None = None,
    response: dict[str, Any] | None = None,
    *,
    at: datetime = AT,
    by: Identity | None = None,
    error: tuple[str, str] | None = None,
    read_only: bool | None = None,
    account: str = ACCOUNT,
    region: str = REGION,
    id: str | None = None,  # noqa: A002  the word that records use
    **fields: Any,
) -> Record:
    """Any API call; `error` is (errorCode, errorMessage)."""
    reads = name.startswith(("Get", "List", "Describe", "BatchGet", "Validate", "Decrypt", "GenerateDataKey"))
    record: Record = {
        "eventVersion": "1.11",
        "userIdentity": role() if by is None else by,
        "eventTime": stamp(at),
        "eventSource": SECRETS_MANAGER,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.12",
        "userAgent": BOTO,
        "requestParameters": parameters,
        "responseElements": None if error else response,
        "readOnly": reads if read_only is None else read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"secretsmanager.{region}.amazonaws.com",
        },
    }
    if error:
        record["errorCode"], record["errorMessage"] = error
    record |= fields
    record = {key: value for key, value in record.items() if value is not ABSENT}
    contents = json.dumps(record, sort_keys=True, default=str)
    if "requestID" not in fields:
        record["requestID"] = str(uuid5(NAMESPACE_URL, f"request {id} {contents}"))
    if "eventID" not in fields:
        record["eventID"] = id or str(uuid5(NAMESPACE_URL, contents))
    return {key: value for key, value in record.items() if value is not ABSENT}


def read(secret: str = "prod/db", *, version: str = "", stage: str = "", **more: Any) -> Record:
    """GetSecretValue of a secret by name or ARN."""
    parameters = {"secretId": secret, "versionId": version, "versionStage": stage}
    return call("GetSecretValue", {key: value for key, value in parameters.items() if value}, **more)


def describe(secret: str = "prod/db", **more: Any) -> Record:
    """DescribeSecret."""
    return call("DescribeSecret", {"secretId": secret}, **more)


def listing(**more: Any) -> Record:
    """ListSecrets, which names none."""
    return call("ListSecrets", {"maxResults": 100, "filters": [{"key": "name", "values": ["prod"]}]}, **more)


def batch(secrets: list[str] | None = None, **more: Any) -> Record:
    """BatchGetSecretValue: of the secrets listed, or of all that a filter selects."""
    by_filter = {"filters": [{"key": "tag-key", "values": ["team"]}]}
    return call("BatchGetSecretValue", by_filter if secrets is None else {"secretIdList": secrets}, **more)


def read_deleted(secret: str = "prod/db", message: str = MARKED, **more: Any) -> Record:
    """GetSecretValue of a secret that is marked for deletion."""
    return read(secret, error=("InvalidRequestException", message), **more)


def read_missing(secret: str = "prod/db", message: str = NOT_FOUND, **more: Any) -> Record:
    """GetSecretValue of a secret that does not exist; the record keeps its requestParameters."""
    return read(secret, error=("ResourceNotFoundException", message), **more)


def denied(secret: str = "prod/db", name: str = "GetSecretValue", *, by: Identity | None = None, **more: Any) -> Record:
    """A call that IAM refused: requestParameters is null and only the message names the secret."""
    by = role() if by is None else by
    who, action = by.get("arn", "anonymous"), f"secretsmanager:{name}"
    on = f" on resource: {secret}" if secret else ""
    why = f"because no identity-based policy allows the {action} action"
    message = f"User: {who} is not authorized to perform: {action}{on} {why}"
    return call(name, None, by=by, error=("AccessDenied", message), **more)


def create(name: str = "prod/db", suffix: str = "", **more: Any) -> Record:
    """CreateSecret."""
    parameters = {
        "name": name,
        "clientRequestToken": _token(name),
        "description": "",
        "forceOverwriteReplicaSecret": False,
    }
    where = {key: more[key] for key in ("account", "region") if key in more}
    return call("CreateSecret", parameters, {"arn": arn(name, suffix, **where)}, **more)


def write(name: str, secret: str = "prod/db", parameters: dict[str, Any] | None = None, **more: Any) -> Record:
    """Any call that changes a secret and answers with its ARN and name: UpdateSecret, RotateSecret, TagResource …"""
    where = {key: more[key] for key in ("account", "region") if key in more}
    complete = secret if secret.startswith("arn:") else arn(secret, **where)
    plain = secret if not secret.startswith("arn:") else secret.split(":", 6)[6][:-7]
    return call(name, {"secretId": secret} | (parameters or {}), {"arn": complete, "name": plain}, **more)


def put(secret: str = "prod/db", **more: Any) -> Record:
    """PutSecretValue."""
    return write("PutSecretValue", secret, {"clientRequestToken": _token(secret)}, **more)


def delete(
    secret: str = "prod/db", *, days: int | None = 30, force: bool = False, at: datetime = AT, **more: Any
) -> Record:
    """DeleteSecret: with a recovery window (`days` None: the parameter is left out and 30 holds), or by force."""
    record = write("DeleteSecret", secret, at=at, **more)
    if force:
        record["requestParameters"]["forceDeleteWithoutRecovery"] = True
    elif days is not None:
        record["requestParameters"]["recoveryWindowInDays"] = days
    if record["responseElements"]:
        ends_at = at if force else at + timedelta(days=30 if days is None else days)
        record["responseElements"]["deletionDate"] = spoken(ends_at)
    return record


def restore(secret: str = "prod/db", **more: Any) -> Record:
    """RestoreSecret."""
    return write("RestoreSecret", secret, **more)


def service_event(
    name: str, secret: str = "prod/db", *, message: str = "", account: str = ACCOUNT, region: str = REGION, **more: Any
) -> Record:
    """What Secrets Manager does by itself: RotationStarted, RotationFailed (with a message), EndSecretVersionDelete."""
    complete = secret if secret.startswith("arn:") else arn(secret, account=account, region=region)
    plain = complete.split(":", 6)[6][:-7]
    deletion = name.endswith("SecretVersionDelete")
    fields: dict[str, Any] = {
        "eventType": "AwsServiceEvent",
        "sourceIPAddress": SECRETS_MANAGER,
        "userAgent": SECRETS_MANAGER,
        "additionalEventData": {"ARN": complete, "Name": plain} if deletion else {"SecretId": complete},
        "requestID": f"SecretDeleteMessage:{complete}:Forced" if deletion else f"Rotation-{complete}-{_token(secret)}",
        "tlsDetails": ABSENT,
    }
    if message:
        fields["errorMessage"] = message
    by = {"accountId": account, "invokedBy": SECRETS_MANAGER}
    return call(name, None, by=by, read_only=False, account=account, region=region, **(fields | more))


def rotation_failed(secret: str = "prod/db", step: str = "setSecret", **more: Any) -> Record:
    """RotationFailed: a message, but no errorCode."""
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate-db"
    return service_event(
        "RotationFailed", secret, message=f"Error when executing lambda {function} during {step} step", **more
    )


def kms(secret: str = "prod/db", name: str = "Decrypt", *, by: Identity | None = None, **more: Any) -> Record:
    """A KMS call that Secrets Manager made on behalf of a caller."""
    complete = secret if secret.startswith("arn:") else arn(secret)
    parameters = {
        "encryptionContext": {"SecretARN": complete, "SecretVersionId": _token(secret)},
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    fields: dict[str, Any] = {
        "eventSource": "kms.amazonaws.com",
        "sourceIPAddress": SECRETS_MANAGER,
        "userAgent": SECRETS_MANAGER,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}],
        "tlsDetails": ABSENT,
    }
    return call(name, parameters, by=(by or role()) | {"invokedBy": SECRETS_MANAGER}, **(fields | more))


def eventbridge(record: Record) -> Record:
    """The record inside an EventBridge envelope."""
    return {
        "version": "0",
        "id": _token(record.get("eventID", "")),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.secretsmanager",
        "account": ACCOUNT,
        "time": record.get("eventTime"),
        "region": REGION,
        "resources": [],
        "detail": record,
    }


def lookup(*records: Record) -> dict[str, Any]:
    """What LookupEvents answers, as `aws cloudtrail lookup-events` prints it."""
    return {
        "Events": [
            {
                "EventId": record.get("eventID"),
                "EventName": record.get("eventName"),
                "ReadOnly": str(record.get("readOnly")).lower(),
                "EventTime": record.get("eventTime"),
                "EventSource": record.get("eventSource"),
                "Resources": [],
                "CloudTrailEvent": raw(record),
            }
            for record in records
        ]
    }


def trail_file(*records: Record) -> bytes:
    """A trail file as delivered to S3 (.json.gz)."""
    return gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), mtime=0)


# -------------------------------------------------------------------------------------------------------------- shared


def raw(record: Record) -> str:
    """The record as CloudTrail writes it: compact JSON."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def event(record: Record, *, seen_by: SeenBy = SeenBy.CLOUDTRAIL, seen_at: datetime = AT) -> Event:
    """The event of one record, read by a Reader that knows nothing else."""
    return Reader().read(raw(record), seen_by=seen_by, seen_at=seen_at).event


def arrival(record: Record, *, seen_by: SeenBy = SeenBy.CLOUDTRAIL, seen_at: datetime = AT) -> Arrival:
    """The event of a record on its way."""
    return Reader().read(raw(record), seen_by=seen_by, seen_at=seen_at)


def stamp(at: datetime) -> str:
    """A moment as eventTime."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spoken(at: datetime) -> str:
    """A moment as deletionDate in newer records, with a narrow no-break space before PM."""
    at = at.astimezone(UTC)
    return f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S}\u202f{at:%p}"


def _letters(seed: str, length: int) -> str:
    """Capital letters that look random and are the same for the same seed."""
    return "".join(chr(65 + byte % 26) for byte in (uuid5(NAMESPACE_URL, seed).bytes * 2)[:length])


def _digits(seed: str, length: int) -> str:
    return uuid5(NAMESPACE_URL, seed).hex[:length]


def _token(seed: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"token {seed}"))
