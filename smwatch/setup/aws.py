"""The way to AWS: a session from the standard places, and one client for each service and Region."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

import boto3
import msgspec
from botocore import xform_name
from botocore.config import Config

from smwatch import __version__
from smwatch.setup.call import Call
from smwatch.setup.place import ANY, Place, arn_part
from smwatch.setup.trouble import (
    AWS_ERRORS,
    CONFIGURATION,
    RegionError,
    SetupError,
    UnconfiguredError,
    as_sentence,
    sentence,
)
from smwatch.sources.unconfigured import NO_REGION
from smwatch.visible import visible

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class Identity(msgspec.Struct, frozen=True):
    """Who calls, and what AWS's clock says."""

    account: str
    arn: str
    answered_at: datetime | None = None
    """Server time of the answer; None where it does not tell."""

    def place(self, region: str) -> Place:
        """Return where this identity is at home, in a Region."""
        return Place(arn_part(self.arn, 1) or "aws", self.account, region)


class Aws:
    """Clients of one profile; made when first asked for, because each parses a model."""

    def __init__(self, session: boto3.Session, region: str, *, attempts: int = 5, answer_within: int = 30) -> None:
        """Speak for `session`; `attempts` is how often a call that is throttled or not answered is made.

        `answer_within` seconds is how long an answer may be in coming.
        """
        self.region = region
        self._session = session
        overridden = any(name.startswith("AWS_ENDPOINT_URL") for name in os.environ)
        self._config = Config(
            inject_host_prefix=False if overridden else None,  # Live Tail's "stream-" is a host of AWS alone
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=5,
            read_timeout=answer_within,
            user_agent_extra=f"smwatch/{__version__}",
        )
        self._clients: dict[tuple[str, str], object] = {}

    def identity(self) -> Identity:
        """Ask who calls; needs no permission."""
        answer = cast("STSClient", self._client("sts", self.region)).get_caller_identity()
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
        try:
            answered_at = parsedate_to_datetime(date) if date else None
        except ValueError:
            answered_at = None
        return Identity(answer["Account"], answer["Arn"], answered_at)

    def cloudtrail(self, region: str) -> CloudTrailClient:
        """Return the client for trails and the event history."""
        return cast("CloudTrailClient", self._client("cloudtrail", region))

    def logs(self, region: str) -> CloudWatchLogsClient:
        """Return the client for log groups and metric filters."""
        return cast("CloudWatchLogsClient", self._client("logs", region))

    def cloudwatch(self, region: str) -> CloudWatchClient:
        """Return the client for alarms."""
        return cast("CloudWatchClient", self._client("cloudwatch", region))

    def events(self, region: str) -> EventBridgeClient:
        """Return the client for EventBridge rules."""
        return cast("EventBridgeClient", self._client("events", region))

    def sns(self, region: str) -> SNSClient:
        """Return the client for topics."""
        return cast("SNSClient", self._client("sns", region))

    def sqs(self, region: str) -> SQSClient:
        """Return the client for queues."""
        return cast("SQSClient", self._client("sqs", region))

    def iam(self) -> IAMClient:
        """Return the client for roles; IAM knows no Regions, but which partition to ask."""
        return cast("IAMClient", self._client("iam", self.region))

    def organizations(self) -> Any:
        """Return the client for the organisation; it knows no Regions either."""
        return self._client("organizations", self.region)

    def s3(self, region: str) -> S3Client:
        """Return the client for buckets."""
        return cast("S3Client", self._client("s3", region))

    def secretsmanager(self, region: str) -> SecretsManagerClient:
        """Return the client for secrets."""
        return cast("SecretsManagerClient", self._client("secretsmanager", region))

    def perform(self, call: Call) -> Mapping[str, object]:
        """Make one call of a plan and return the answer."""
        client = self._client(call.service, call.region or self.region)
        answer: Mapping[str, object] = getattr(client, xform_name(call.operation))(**call.parameters)
        return answer

    def _client(self, service: str, region: str) -> object:
        key = (service, region)
        if key not in self._clients:
            try:
                # the stubs know a client by the literal name of its service, one overload each
                self._clients[key] = self._session.client(  # type: ignore[call-overload]
                    service, region_name=region, config=self._config
                )
            except ValueError as error:  # botocore's plain word for a bad AWS_ENDPOINT_URL
                raise SetupError(f"{visible(str(error))}: check AWS_ENDPOINT_URL.") from error
        return self._clients[key]


def known_place(profile: str, region: str, account: str, partition: str) -> tuple[Place, str]:
    """Return what is known of partition, account and Region, and why the account is not; asks AWS only for that."""
    try:
        session = boto3.Session(profile_name=profile or None)
        region = region or os.environ.get("AWS_REGION") or session.region_name or ""
        partition = partition or (session.get_partition_for_region(region) if region else "")
        if not account and region and session.get_credentials() is not None:
            identity = Aws(session, region, attempts=1).identity()
            account, partition = identity.account, identity.place(region).partition
    except AWS_ERRORS as error:
        return Place(partition or "aws", account or ANY, region or ANY), sentence(error, profile=profile)
    why = "" if account else "There are no credentials to ask with."
    return Place(partition or "aws", account or ANY, region or ANY), why


def open_session(profile: str, region: str, *, attempts: int = 5, answer_within: int = 30) -> Aws:
    """Return the way to AWS for a profile and Region, by default those of the environment; raise SetupError without."""
    try:
        session = boto3.Session(profile_name=profile or None)
    except AWS_ERRORS as error:
        kind = UnconfiguredError if isinstance(error, CONFIGURATION) else SetupError
        raise kind(sentence(error, profile=profile)) from error
    chosen = (
        region or os.environ.get("AWS_REGION") or session.region_name or ""
    )  # botocore knows AWS_DEFAULT_REGION only
    if not chosen:
        raise RegionError(as_sentence(NO_REGION))
    if not _REGION.fullmatch(chosen):
        raise RegionError(f"{visible(chosen)!r} is no Region: name one such as eu-west-1 with --region.")
    return Aws(session, chosen, attempts=attempts, answer_within=answer_within)
