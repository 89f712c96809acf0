"""Where in AWS something is, and what it is called there."""

from __future__ import annotations

import msgspec

ANY = "*"
"""Stands in ARNs for an account or Region that is not known."""


class Place(msgspec.Struct, frozen=True):
    """A partition, an account and a Region; ARNs are made here and nowhere else."""

    partition: str = "aws"
    account: str = ANY
    region: str = ANY

    def at(self, region: str) -> Place:
        """Return the same account in another Region."""
        return Place(self.partition, self.account, region)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def trail(self, name: str) -> str:
        """Return a trail's ARN; an ARN is returned as it is."""
        return name if is_arn(name) else self.arn("cloudtrail", f"trail/{name}")

    def log_group(self, name: str) -> str:
        """Return a log group's ARN without the `:*` that IAM and CloudTrail want at its end; so is an ARN."""
        return name.removesuffix(":*") if is_arn(name) else self.arn("logs", f"log-group:{name}")

    def role(self, name: str) -> str:
        """Return a role's ARN, or as much as a policy needs of it."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def bucket(self, name: str) -> str:
        """Return a bucket's ARN."""
        return f"arn:{self.partition}:s3:::{name}"

    def topic(self, name: str) -> str:
        """Return a topic's ARN; an ARN is returned as it is."""
        return name if is_arn(name) else self.arn("sns", name)

    def queue(self, name: str) -> str:
        """Return a queue's ARN; an ARN is returned as it is."""
        return name if is_arn(name) else self.arn("sqs", name)

    def alarm(self, name: str) -> str:
        """Return a CloudWatch alarm's ARN."""
        return self.arn("cloudwatch", f"alarm:{name}")

    def event_rule(self, name: str) -> str:
        """Return the ARN of a rule on the default event bus."""
        return self.arn("events", f"rule/{name}")

    def secret(self, name: str) -> str:
        """Return the ARN of a secret as a policy names it: the six random characters at its end are a wildcard."""
        return self.arn("secretsmanager", f"secret:{name}-??????")


class Names(msgspec.Struct, frozen=True):
    """What the resources are called; the documentation's names where it gives one."""

    log_group: str = "CloudTrail/MyCloudWatchLogGroup"
    role: str = "CloudTrail_CloudWatchLogs_Role"
    role_policy: str = "smwatch-delivery"
    """The inline policy of that role; its name marks it as made by smwatch."""
    trail: str = "smwatch-management-events"
    bucket: str = ""
    """The bucket of a new trail; "" for smwatch-trail-ACCOUNT-REGION."""
    topic: str = "smwatch-alarms"
    queue: str = "smwatch-events"
    dead_letters: str = "smwatch-undelivered"
    """The queue for what EventBridge could not deliver, or what a reader took five times and never deleted."""

    def bucket_at(self, place: Place) -> str:
        """Return the bucket of a new trail of this account and Region."""
        return self.bucket or f"smwatch-trail-{place.account}-{place.region}"


def is_arn(text: str) -> bool:
    """Whether this is an ARN rather than a name."""
    return text.startswith("arn:")


def arn_part(arn: str, number: int) -> str:
    """Return part `number` of an ARN (1 partition, 2 service, 3 Region, 4 account, 5 resource), "" if it has none."""
    parts = arn.split(":", 5)
    return parts[number] if len(parts) > number else ""


def group_name(name_or_arn: str) -> str:
    """Return a log group's name, whether given as name, ARN, or ARN with `:*`."""
    if not is_arn(name_or_arn):
        return name_or_arn
    return arn_part(name_or_arn, 5).removeprefix("log-group:").removesuffix(":*")


def last_name(name_or_arn: str) -> str:
    """Return the name at the end of a trail's, role's, topic's or queue's ARN; a name is returned as it is."""
    if not is_arn(name_or_arn):
        return name_or_arn
    return arn_part(name_or_arn, 5).rpartition("/")[2].rpartition(":")[2]
