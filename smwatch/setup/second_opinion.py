"""What CloudWatch Logs itself says to a filter pattern: TestMetricFilter, which costs nothing and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from smwatch.setup.aws import open_session
from smwatch.setup.trouble import AWS_ERRORS, SetupError, code_of, message_of, sentence

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

MESSAGES = 50
"""Messages that one call takes."""
PAUSE = 0.2
"""Seconds between calls: an account has 5 a second in a Region."""
_BYTES = 900_000
"""Of messages in one call, which takes 1 MB in all."""


class PatternRefusedError(Exception):
    """AWS takes no such pattern; in its own words."""


class SecondOpinion:
    """Asks AWS which messages a pattern matches."""

    def __init__(
        self,
        logs: CloudWatchLogsClient,
        pattern: str,
        *,
        profile: str = "",
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._logs = logs
        self._pattern = pattern
        self._profile = profile
        self._now = now
        self._sleep = sleep
        self._next = now()

    def found(self, messages: Sequence[str]) -> list[bool]:
        """For each of at most 50 messages, none of them empty, whether AWS finds it.

        Raises PatternRefusedError, or SetupError if AWS can't be asked. Answers are told apart by their message: their
        eventNumber counts from 0 in the documentation and from 1 in reality.
        """
        if (wait := self._next - self._now()) > 0:
            self._sleep(wait)
        try:
            answer = self._logs.test_metric_filter(
                filterPattern=self._pattern, logEventMessages=list(dict.fromkeys(messages))
            )
            matched = {match["eventMessage"] for match in answer["matches"]}
        except AWS_ERRORS as error:
            if code_of(error) == "InvalidParameterException":
                raise PatternRefusedError(message_of(error)) from None
            raise SetupError(sentence(error, profile=self._profile)) from None
        finally:
            self._next = self._now() + PAUSE
        return [message in matched for message in messages]


def second_opinion(pattern: str, profile: str, region: str) -> SecondOpinion:
    """Ask in the Region and with the credentials of the standard places; SetupError where there are none."""
    aws = open_session(profile, region)
    return SecondOpinion(aws.logs(aws.region), pattern, profile=profile)


def batches(messages: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Put numbered messages together as one call takes them."""
    batch: list[tuple[int, str]] = []
    room = _BYTES
    for number, message in messages:
        size = len(message.encode("utf-8", "surrogateescape"))
        if batch and (len(batch) == MESSAGES or size > room):
            yield batch
            batch, room = [], _BYTES
        batch.append((number, message))
        room -= size
    if batch:
        yield batch
