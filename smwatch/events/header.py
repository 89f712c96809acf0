"""The few fields of a record that an event is made of, read from JSON text without decoding the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import field

from smwatch.events.tidy import tidy
from smwatch.record import Record

if TYPE_CHECKING:
    Told: TypeAlias = str | None
    """A text; None says that it is missing, and nothing else."""
else:
    Told = str  # null is refused, so that such a record is read the long way: rules tell it from what is missing


class Issuer(msgspec.Struct, gc=False):
    """sessionContext.sessionIssuer: the role, or the user, whose credentials a session has."""

    arn: str | None = None
    user_name: str | None = field(default=None, name="userName")


class Session(msgspec.Struct, gc=False):
    """userIdentity.sessionContext."""

    issuer: Issuer | None = field(default=None, name="sessionIssuer")


class OnBehalfOf(msgspec.Struct, gc=False):
    """userIdentity.onBehalfOf: a person of Identity Center."""

    user_id: str | None = field(default=None, name="userId")
    store_arn: str | None = field(default=None, name="identityStoreArn")


class Scope(msgspec.Struct, gc=False):
    """userIdentity.inScopeOf: what AWS gave the credentials to."""

    issuer_type: Told = field(default=None, name="issuerType")


class Identity(msgspec.Struct, gc=False):
    """userIdentity."""

    type: Told = None
    principal_id: str | None = field(default=None, name="principalId")
    arn: Told = None
    account: str | None = field(default=None, name="accountId")
    access_key: Told = field(default=None, name="accessKeyId")
    user_name: str | None = field(default=None, name="userName")
    session: Session | None = field(default=None, name="sessionContext")
    invoked_by: Told = field(default=None, name="invokedBy")
    provider: str | None = field(default=None, name="identityProvider")
    on_behalf_of: OnBehalfOf | None = field(default=None, name="onBehalfOf")
    scope: Scope | None = field(default=None, name="inScopeOf")


class EncryptionContext(msgspec.Struct, frozen=True, gc=False):
    """What Secrets Manager ties the encryption of a secret to."""

    secret_arn: Told = field(default=None, name="SecretARN")
    version_id: str | None = field(default=None, name="SecretVersionId")


class Parameters(msgspec.Struct, frozen=True, gc=False):
    """requestParameters, as far as they name a secret (capitals as some emulators write them), a version or a key."""

    secret_id: str | None = field(default=None, name="secretId")
    name: str | None = None
    secret_ids: tuple[str, ...] | None = field(default=None, name="secretIdList")
    context: EncryptionContext | None = field(default=None, name="encryptionContext")
    source_context: EncryptionContext | None = field(default=None, name="sourceEncryptionContext")
    destination_context: EncryptionContext | None = field(default=None, name="destinationEncryptionContext")
    capital_secret_id: str | None = field(default=None, name="SecretId")
    capital_name: str | None = field(default=None, name="Name")
    capital_secret_ids: tuple[str, ...] | None = field(default=None, name="SecretIdList")
    version_id: Told = field(default=None, name="versionId")
    version_stage: Told = field(default=None, name="versionStage")
    key_id: Told = field(default=None, name="keyId")
    kms_key_id: Told = field(default=None, name="kmsKeyId")


class Answer(msgspec.Struct, frozen=True, gc=False):
    """responseElements, additionalEventData or serviceEventDetails: where AWS itself names a secret."""

    arn: str | None = None
    odd_arn: str | None = field(default=None, name="aRN")
    capital_arn: str | None = field(default=None, name="ARN")
    capital_secret_id: str | None = field(default=None, name="SecretId")
    secret_id: str | None = field(default=None, name="secretId")
    name: str | None = None
    capital_name: str | None = field(default=None, name="Name")

    @property
    def told_arn(self) -> str | None:
        """What stands where an ARN is usual."""
        return self.arn or self.odd_arn or self.capital_arn or self.capital_secret_id or self.secret_id

    @property
    def told_name(self) -> str | None:
        """The secret's name beside the ARN."""
        return self.name or self.capital_name


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One of resources[]."""

    arn: str | None = field(default=None, name="ARN")
    small_arn: str | None = field(default=None, name="arn")


class Addendum(msgspec.Struct, gc=False):
    """Why CloudTrail wrote a record late, or once more."""

    original: str | None = field(default=None, name="originalEventID")


class Header(msgspec.Struct, gc=False):
    """A record's header, in the order in which CloudTrail writes it (which is how it is read fastest)."""

    identity: Identity | None = field(default=None, name="userIdentity")
    time: str | None = field(default=None, name="eventTime")
    source: str | None = field(default=None, name="eventSource")
    name: str | None = field(default=None, name="eventName")
    region: str | None = field(default=None, name="awsRegion")
    source_ip: str | None = field(default=None, name="sourceIPAddress")
    user_agent: Told = field(default=None, name="userAgent")
    error_code: Told = field(default=None, name="errorCode")
    error_message: Told = field(default=None, name="errorMessage")
    parameters: Parameters | None = field(default=None, name="requestParameters")
    response: Answer | None = field(default=None, name="responseElements")
    extra: Answer | None = field(default=None, name="additionalEventData")
    id: str | None = field(default=None, name="eventID")
    read_only: bool | str | None = field(default=None, name="readOnly")
    resources: tuple[Resource, ...] | None = None
    type: Told = field(default=None, name="eventType")
    account: str | None = field(default=None, name="recipientAccountId")
    details: Answer | None = field(default=None, name="serviceEventDetails")
    timestamp: str | None = field(default=None, name="@timestamp")
    shared_id: str | None = field(default=None, name="sharedEventID")
    vpc_endpoint: Told = field(default=None, name="vpcEndpointId")
    from_console: bool | Told = field(default=None, name="sessionCredentialFromConsole")
    addendum: Addendum | None = None
    odd: None = field(default=None, name="RequestParameters")
    """What has its parts under other names is out of the ordinary."""
    detail: None = None
    """So is an EventBridge envelope."""


class Unread(Header, gc=False):
    """A header whose userIdentity is still as it is written, as most often it came before. Serves "parse"."""

    identity: msgspec.Raw = field(default=msgspec.Raw(b"null"), name="userIdentity")  # type: ignore[assignment]


QUICK = 8192
"""Records with more characters are read the long way, which clips their strings, so that none is remembered whole."""
ODD = msgspec.MsgspecError, UnicodeError, RecursionError
"""What is raised where a record has to be decoded to be read."""

_decode = msgspec.json.Decoder(Header).decode
unread_header = msgspec.json.Decoder(Unread).decode
"""The same as `quick_header` of a record that is not too long, but one of ODD where it has to be decoded: that its
userIdentity is out of the ordinary turns out when it is read."""
_decode_identity = msgspec.json.Decoder(Identity | None).decode
encode_identity = msgspec.json.Encoder().encode


def quick_header(raw: str) -> Header | None:
    """The header in a record's JSON text; None where it has to be decoded, as it is long or out of the ordinary."""
    if len(raw) > QUICK:
        return None
    try:
        return _decode(raw)
    except ODD:
        return None


def whole(header: Header) -> Header:
    """The header with its userIdentity read; one of ODD where the record has to be decoded."""
    identity: object = header.identity
    if isinstance(identity, msgspec.Raw):
        header.identity = _decode_identity(identity)
    return header


def header_of(record: Record) -> Header:
    """The header of a decoded record, whatever it holds."""
    return msgspec.convert(tidy(unwrapped(record)), Header)


def unwrapped(record: Record) -> Record:
    """The record inside an EventBridge envelope; any other as it is."""
    detail = record.get("detail")
    if isinstance(detail, dict) and "eventName" not in record and ("eventName" in detail or "eventSource" in detail):
        return detail
    return record
