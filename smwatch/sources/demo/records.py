"""CloudTrail records in every field as the service writes them (eventVersion 1.11)."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from smwatch.events.scope import READS
from smwatch.sources.demo.cast import ACCOUNT, REGION, SERVICE, Caller

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MARKED_FOR_DELETION = (
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def secret_arn(name: str) -> str:
    """The ARN of a secret, with the six characters that Secrets Manager adds."""
    suffix = b32encode(blake2b(name.encode(), digest_size=5).digest()).decode()[:6]
    mixed = "".join(c.lower() if i % 2 else c for i, c in enumerate(suffix))
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-{mixed}"


def deletion_date(at: datetime, days: int) -> str:
    """A moment as DeleteSecret's answer has it in a record: `Nov 30, 2026, 2:05:58 PM`, with U+202F before the PM."""
    due = at + timedelta(days=days)
    half = "AM" if due.hour < 12 else "PM"
    return f"{_MONTHS[due.month - 1]} {due.day}, {due.year}, {due.hour % 12 or 12}:{due:%M:%S}\u202f{half}"


def denied(caller: Caller, action: str, resource: str) -> tuple[str, str]:
    """Error code and message of a call that IAM refused; such records have no requestParameters."""
    message = (
        f"User: {caller.arn} is not authorized to perform: secretsmanager:{action} on resource: {resource} "
        f"because no identity-based policy allows the secretsmanager:{action} action"
    )
    return "AccessDenied", message


def uuid_of(name: str) -> str:
    """A UUID that follows from a name."""
    digits = blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Clerk:
    """Writes records; the ids of one clerk follow from its name and are like no other's."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def new_id(self) -> str:
        """The next UUID."""
        self._count += 1
        return uuid_of(f"{self._name}/{self._count}")

    def call(
        self,
        at: datetime,
        name: str,
        by: Caller,
        request: Mapping[str, Any] | None,
        *,
        answer: Mapping[str, Any] | None = None,
        error: tuple[str, str] | None = None,
        agent: str = "",
    ) -> str:
        """An API call."""
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": by.user_identity(at),
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": SERVICE,
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": by.ip,
            "userAgent": agent or by.agent,
        }
        if error:
            record["errorCode"], record["errorMessage"] = error
        record |= {
            "requestParameters": request,
            "responseElements": None if error else answer,
            "requestID": self.new_id(),
            "eventID": self.new_id(),
            "readOnly": name in READS,
        }
        if name == "GetSecretValue" and request and not error:
            arn = str(request["secretId"])
            arn = arn if arn.startswith("arn:") else secret_arn(arn)
            record["resources"] = [{"accountId": ACCOUNT, "type": "AWS::SecretsManager::Secret", "ARN": arn}]
        record |= {
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"secretsmanager.{REGION}.amazonaws.com",
                "keyExchange": "X25519MLKEM768" if by.console else "x25519",
            },
        }
        if by.console:
            record["sessionCredentialFromConsole"] = "true"
        return _text(record)

    def service_event(
        self, at: datetime, name: str, about: Mapping[str, str], request_id: str, message: str = ""
    ) -> str:
        """Something that Secrets Manager did by itself."""
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": {"accountId": ACCOUNT, "invokedBy": SERVICE},
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": SERVICE,
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": SERVICE,
            "userAgent": SERVICE,
        }
        if message:
            record["errorMessage"] = message
        record |= {
            "requestParameters": None,
            "responseElements": None,
            "additionalEventData": about,
            "requestID": request_id,
            "eventID": self.new_id(),
            "readOnly": False,
            "eventType": "AwsServiceEvent",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        return _text(record)

    def decryption(self, at: datetime, by: Caller, secret: str, version: str) -> str:
        """The KMS call by which Secrets Manager, for a caller, decrypts a value."""
        return _text(
            {
                "eventVersion": "1.11",
                "userIdentity": by.user_identity(at, invoked_by=SERVICE),
                "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": "kms.amazonaws.com",
                "eventName": "Decrypt",
                "awsRegion": REGION,
                "sourceIPAddress": SERVICE,
                "userAgent": SERVICE,
                "requestParameters": {
                    "encryptionContext": {"SecretARN": secret_arn(secret), "SecretVersionId": version},
                    "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                },
                "responseElements": None,
                "requestID": self.new_id(),
                "eventID": self.new_id(),
                "readOnly": True,
                "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": ACCOUNT,
                "eventCategory": "Management",
            }
        )


def _text(record: Mapping[str, Any]) -> str:
    return msgspec.json.encode(record).decode()
