"""One item of what LookupEvents answers: the record in it, and what is told of it beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

IDENTITY = (("userName", "Username"), ("accessKeyId", "AccessKeyId"))
"""What an item of `Events` tells of userIdentity, and as what."""


class _Said(msgspec.Struct):
    """What every record says of itself."""

    eventID: Any = None  # noqa: N815 - the names are CloudTrail's
    eventName: Any = None  # noqa: N815
    eventSource: Any = None  # noqa: N815


_decode_said = msgspec.json.Decoder(_Said).decode


def completed(raw: str, item: Callable[[], Mapping[str, Any]], at: datetime | None) -> str:
    """The record in an item, with what it lacks as the item around it tells; `at` is the time that this gives.

    One that names no service would be nobody's, and one without eventID another event than the log group's. What is no
    record stays as it is, and is shown as that.
    """
    try:
        said = _decode_said(raw)
        if said.eventID and said.eventName and said.eventSource:
            return raw
        record, lacked = msgspec.json.decode(raw), _told(item(), at)
        return msgspec.json.encode(
            record | {name: told for name, told in lacked.items() if not record.get(name)}
        ).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return raw


def _told(item: Mapping[str, Any], at: datetime | None) -> dict[str, Any]:
    listed = item.get("Resources")
    resources = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    told = {
        "eventID": item.get("EventId"),
        "eventName": item.get("EventName"),
        "eventSource": item.get("EventSource"),
        "eventTime": None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "readOnly": item.get("ReadOnly"),
        "userIdentity": {name: item[of] for name, of in IDENTITY if item.get(of)},
        "resources": [{"ARN": each["ResourceName"]} for each in resources if each.get("ResourceName")],
    }
    return {name: value for name, value in told.items() if value}
