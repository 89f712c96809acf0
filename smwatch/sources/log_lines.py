"""What one line of a text is: a record, a message behind its time, or a piece of something longer."""

from __future__ import annotations

import re

import msgspec

from smwatch.sources.source import Found
from smwatch.sources.wrappers import NOTHING, UNREADABLE, records

PREFIXED = re.compile(
    rb'(?:([\dTZ:.+,-]{10,40}(?: \d\d:\d\d:\d\d[\dZ:.+-]*)?) )?(?:[^\s{}"\[\]]{1,600}\s+){0,3}(\{.*\})', re.DOTALL
)
"""A line of a CloudWatch Logs export task (time, then the message) or of a log tail (time, stream, message)."""


def holds_records(line: bytes) -> bool:
    """Whether something can be read from it alone."""
    line = line.strip()
    try:
        return records(line) is not None
    except UNREADABLE:
        return bool(behind_prefix(line))


def is_laid_out(line: bytes) -> bool:
    """Whether this looks like a line of a JSON document that is spread over several."""
    return line[:1] in b' \t}]"' or line.rstrip()[-1:] in b",{["


def behind_prefix(line: bytes) -> list[Found]:
    """The record behind a time and names, if that is what the line is."""
    match = PREFIXED.fullmatch(line)
    if not match:
        return []
    try:
        return records(match[2], msgspec.Raw(b'"%s"' % match[1]) if match[1] else NOTHING) or []
    except UNREADABLE:
        return []
