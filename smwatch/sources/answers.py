"""Large answers, decoded straight to what is wanted of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class LogEvent(msgspec.Struct, frozen=True, gc=False):
    """What is wanted of an item of FilterLogEvents' `events`."""

    message: str
    timestamp: int
    """Milliseconds since 1970."""
    eventId: str  # noqa: N815 - CloudWatch Logs' name
    ingestionTime: int | None = None  # noqa: N815 - CloudWatch Logs' name
    """Milliseconds since 1970."""


class LogPage(msgspec.Struct, frozen=True):
    """A page of FilterLogEvents."""

    events: Sequence[LogEvent]
    nextToken: str | None = None  # noqa: N815 - CloudWatch Logs' name


def log_page(body: bytes) -> LogPage | None:
    """A page of FilterLogEvents; None where it is not as the model says."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


_decode = msgspec.json.Decoder(LogPage).decode
