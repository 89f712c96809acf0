"""Reading a record that may hold anything anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smwatch.events.naming import part
from smwatch.record import Record

TEXT = 500
"""Characters kept of a text that has no natural bound."""
LIST = 100
"""Items kept of a list that has no natural bound."""


def parameters(record: Record) -> Mapping[str, Any]:
    """The requestParameters; empty where they are not an object."""
    return part(record, "requestParameters")


def response(record: Record) -> Mapping[str, Any]:
    """The responseElements; empty where they are not an object."""
    return part(record, "responseElements")


def mapping(value: object) -> Mapping[str, Any]:
    """The value itself if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(fields: Mapping[str, Any], name: str, bound: int = TEXT) -> str:
    """A text field, cut at `bound`; "" where it is absent or not a text."""
    value = fields.get(name)
    return value[:bound] if isinstance(value, str) else ""


def texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a list field; a lone text counts as a list of one."""
    value = fields.get(name)
    if isinstance(value, str):
        return (value[:TEXT],)
    return tuple(item[:TEXT] for item in value[:LIST] if isinstance(item, str)) if isinstance(value, list) else ()


def objects(fields: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list field."""
    value = fields.get(name)
    return tuple(item for item in value[:LIST] if isinstance(item, dict)) if isinstance(value, list) else ()


def true(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a field is true; some writers put it as a text."""
    value = fields.get(name)
    return value is True or (isinstance(value, str) and value.lower() == "true")


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number, also where it is written as a text or with a fraction; None where there is none."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
