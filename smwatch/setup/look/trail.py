"""Trails, and the organisation they may be of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smwatch.events.selectors import Selectors
from smwatch.setup.aws import Aws
from smwatch.setup.documents import ANY_ORGANIZATION
from smwatch.setup.look.asking import MISSING, Excused, excusing, never
from smwatch.setup.place import arn_part, group_name
from smwatch.setup.seen import Delivery, Trail
from smwatch.setup.trouble import AWS_ERRORS, DENIED, code_of

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.type_defs import TrailTypeDef


def trails(aws: Aws, region: str, account: str, *, tags: bool = False, excused: Excused = never) -> tuple[Trail, ...]:
    """Return the trails that log this Region, whatever their home Region, with what they select and how they deliver.

    What can't be asked is left out where `excused` says so of the error.
    """
    found = aws.cloudtrail(region).describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(_trail(aws, each, region, account, tags=tags, excused=excused) for each in found)


def deliveries(aws: Aws, region: str) -> tuple[tuple[str, str], ...]:
    """Return (home Region, log group) of the trails that log this Region and deliver to a log group."""
    found = aws.cloudtrail(region).describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(
        (each.get("HomeRegion") or region, group_name(each["CloudWatchLogsLogGroupArn"]))
        for each in found
        if each.get("CloudWatchLogsLogGroupArn")
    )


def trails_elsewhere(aws: Aws, region: str, known: Sequence[Trail]) -> tuple[tuple[str, str], ...]:
    """Return (name, home Region) of this account's trails that do not reach this Region."""
    arns = {trail.arn for trail in known}
    pages = aws.cloudtrail(region).get_paginator("list_trails").paginate()
    return tuple(
        (each.get("Name", ""), each.get("HomeRegion", ""))
        for page in pages
        for each in page["Trails"]
        if each.get("TrailARN") not in arns
    )


def _trail(aws: Aws, answer: TrailTypeDef, region: str, account: str, *, tags: bool, excused: Excused) -> Trail:
    arn = answer.get("TrailARN", "")
    home = answer.get("HomeRegion") or arn_part(arn, 3) or region
    foreign = arn_part(arn, 4) not in ("", account)

    def outside(error: Exception) -> bool:
        """Excuse what a member account is not told of its organisation's trail."""
        return excused(error) or (foreign and code_of(error) in DENIED | MISSING)

    return Trail(
        name=answer.get("Name", ""),
        arn=arn,
        home_region=home,
        multi_region=answer.get("IsMultiRegionTrail", False),
        organization=answer.get("IsOrganizationTrail", False),
        bucket=answer.get("S3BucketName", ""),
        log_group_arn=answer.get("CloudWatchLogsLogGroupArn") or "",
        role_arn=answer.get("CloudWatchLogsRoleArn") or "",
        selectors=excusing(outside, lambda: trail_selectors(aws, home, arn)),
        delivery=excusing(outside, lambda: trail_delivery(aws, home, arn)),
        tags=trail_tags(aws, home, arn) if tags and not foreign else {},
    )


def trail_selectors(aws: Aws, home: str, arn: str) -> Selectors:
    """Return which events the trail logs."""
    answer = aws.cloudtrail(home).get_event_selectors(TrailName=arn)
    return Selectors(
        basic=tuple(answer.get("EventSelectors") or ()), advanced=tuple(answer.get("AdvancedEventSelectors") or ())
    )


def trail_delivery(aws: Aws, home: str, arn: str) -> Delivery:
    """Return how the trail is doing."""
    answer = aws.cloudtrail(home).get_trail_status(Name=arn)
    return Delivery(
        logging=answer.get("IsLogging", False),
        delivered_at=answer.get("LatestDeliveryTime"),
        delivery_error=answer.get("LatestDeliveryError") or "",
        logs_delivered_at=answer.get("LatestCloudWatchLogsDeliveryTime"),
        logs_delivery_error=answer.get("LatestCloudWatchLogsDeliveryError") or "",
        started_at=answer.get("StartLoggingTime"),
    )


def trail_tags(aws: Aws, home: str, arn: str) -> dict[str, str]:
    """Return a trail's tags."""
    lists = aws.cloudtrail(home).list_tags(ResourceIdList=[arn])["ResourceTagList"]
    return {tag["Key"]: tag.get("Value", "") for each in lists for tag in each.get("TagsList", [])}


def organization(aws: Aws) -> str:
    """Return the ID of this account's organisation; a pattern for any where it can't be read."""
    try:
        return str(aws.organizations().describe_organization()["Organization"]["Id"])
    except AWS_ERRORS:
        return ANY_ORGANIZATION
