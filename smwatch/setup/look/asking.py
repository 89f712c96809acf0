"""What all questions to AWS have in common: an answer that there is no such thing, and errors that are excused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from smwatch.setup.trouble import AWS_ERRORS, code_of

MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "TrailNotFoundException",
    }
)
"""What the services call a thing that does not exist."""

Answer = TypeVar("Answer")
Excused = Callable[[Exception], bool]


def never(_: Exception) -> bool:
    """Excuse nothing."""
    return False


def excusing(excused: Excused, ask: Callable[[], Answer]) -> Answer | None:
    """Return the answer, None for an error that is excused."""
    try:
        return ask()
    except AWS_ERRORS as error:
        if excused(error):
            return None
        raise


def unless_missing(ask: Callable[[], Answer]) -> Answer | None:
    """Return the answer, None if there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise
