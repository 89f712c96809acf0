"""The CloudWatch Logs filter pattern language, evaluated locally and exactly as the service does."""

from smwatch.patterns.errors import PatternError
from smwatch.patterns.pattern import Kind, Pattern, compile, matching  # noqa: A004 - patterns.compile, as there is re.compile

__all__ = ["Kind", "Pattern", "PatternError", "compile", "matching"]
