"""A log group as somebody writes it."""

from __future__ import annotations

import re

import msgspec

from smwatch.sources.errors import ConfigurationError

LONGEST_NAME = 512
NAME = re.compile(rf"[\w.\-/#]{{1,{LONGEST_NAME}}}", re.ASCII)
"""Of a log group (CloudWatch Logs API reference, CreateLogGroup)."""


class LogGroup(msgspec.Struct, frozen=True):
    """A log group as a name or an ARN tells it."""

    name: str
    region: str = ""
    account: str = ""
    arn: str = ""
    """As identifiers want it: without the `:*` at its end; "" if it is not known."""

    @classmethod
    def parse(cls, text: str) -> LogGroup:
        """A group by name or ARN (with or without `:*`); ConfigurationError for anything else."""
        if not text.startswith("arn:"):
            if not NAME.fullmatch(text):
                allowed = "its name, 1 to 512 letters, digits and . - _ / #, or its ARN"
                raise ConfigurationError(f"{text[:LONGEST_NAME]!r} is no log group: give {allowed}")
            return cls(text)
        parts = text.split(":")
        if len(parts) < 7 or parts[2] != "logs" or parts[5] != "log-group" or not NAME.fullmatch(parts[6]):
            raise ConfigurationError(f"{text!r} is no log group's ARN: arn:aws:logs:REGION:ACCOUNT:log-group:NAME")
        return cls(parts[6], parts[3], parts[4], ":".join(parts[:7]))
