"""What one JSON value out of a file holds: the records inside trail files, command output, exports and envelopes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.events.moments import moment
from smwatch.sources.source import Found

MAX_NESTING = 4
"""Wrappers within wrappers: an Insights row in a result, holding an EventBridge envelope, holding a record, is 3."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what it can't read."""

_NONE = msgspec.Raw()


class _Object(
    msgspec.Struct, rename={"at_message": "@message", "at_timestamp": "@timestamp", "detail_type": "detail-type"}
):
    """The keys that tell who wrote a JSON object; whatever else it has is skipped, whatever they hold stays raw."""

    # a CloudTrail record
    eventVersion: msgspec.Raw = _NONE  # noqa: N815  the names are CloudTrail's
    eventName: msgspec.Raw = _NONE  # noqa: N815
    eventSource: msgspec.Raw = _NONE  # noqa: N815
    eventID: msgspec.Raw = _NONE  # noqa: N815
    # a trail file; the digest of one
    Records: msgspec.Raw = _NONE
    digestStartTime: msgspec.Raw = _NONE  # noqa: N815
    # the output of `aws cloudtrail lookup-events`, and one event of it
    Events: msgspec.Raw = _NONE
    CloudTrailEvent: msgspec.Raw = _NONE
    EventTime: msgspec.Raw = _NONE
    # the output of `aws logs filter-log-events` and `get-log-events`, and one event of it; a subscription's batch
    events: msgspec.Raw = _NONE
    logEvents: msgspec.Raw = _NONE  # noqa: N815
    messageType: msgspec.Raw = _NONE  # noqa: N815
    message: msgspec.Raw = _NONE
    timestamp: msgspec.Raw = _NONE
    # the output of `aws logs get-query-results`, and a row as the Logs Insights console exports it
    results: msgspec.Raw = _NONE
    at_message: msgspec.Raw = _NONE
    at_timestamp: msgspec.Raw = _NONE
    # an EventBridge envelope
    detail: msgspec.Raw = _NONE
    detail_type: msgspec.Raw = _NONE
    # a line of `smwatch tail --json`
    type: msgspec.Raw = _NONE
    record: msgspec.Raw = _NONE
    time: msgspec.Raw = _NONE


class _Cell(msgspec.Struct):
    """One column of a row of `aws logs get-query-results`."""

    field: str
    value: str


_decode_object = msgspec.json.Decoder(_Object).decode
_decode_row = msgspec.json.Decoder(list[_Cell]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_string = msgspec.json.Decoder(str).decode


def records(value: bytes | msgspec.Raw, nesting: int = 0) -> list[Found] | None:
    """The records that a JSON value holds, each untouched; None where the value looks like nothing that holds records.

    Raises one of UNREADABLE for what is not JSON to msgspec.
    """
    match bytes(memoryview(value)[:1]):
        case b"{":
            return _in_object(value, nesting)
        case b"[":
            return _in_array(value, nesting)
        case b'"':
            return _in_string(_string(value), None, nesting)
        case _:
            _decode_array(b"[" + bytes(value) + b"]")  # a number or a word, or not JSON at all
            return None


def text_of(value: bytes | msgspec.Raw) -> str:
    """The characters of a JSON text; what is not UTF-8 is marked with U+FFFD."""
    return str(value, "utf-8", "replace")


def _in_object(value: bytes | msgspec.Raw, nesting: int) -> list[Found] | None:
    it = _decode_object(value)
    if it.eventName or it.eventSource or it.eventVersion or it.eventID:
        return [Found(text_of(value))]
    if nesting >= MAX_NESTING:
        return None
    if it.Records:
        return [Found(text_of(record)) for record in _elements(it.Records)]
    if it.CloudTrailEvent:
        return _in_text(it.CloudTrailEvent, it.EventTime, nesting)
    if it.messageType and bytes(it.messageType) == b'"CONTROL_MESSAGE"':
        return []
    for listed in (it.Events, it.events, it.logEvents, it.results):
        if listed:
            return _in_all(_elements(listed), nesting)
    if it.at_message:
        return _in_text(it.at_message, it.at_timestamp, nesting)
    if it.detail_type and it.detail:
        return _dated(records(it.detail, nesting + 1), time_of(it.time))
    match bytes(it.type):
        case b'"event"' if it.record:
            return _in_text(it.record, it.time, nesting)
        case b'"alarm"' | b'"status"':
            return []
    if it.message and it.timestamp:
        return _in_text(it.message, it.timestamp, nesting)
    return [] if it.digestStartTime else None


def _in_array(value: bytes | msgspec.Raw, nesting: int) -> list[Found] | None:
    elements = _decode_array(value)
    try:
        row = {cell.field: cell.value for cell in _decode_row(value)} if elements else {}
    except msgspec.ValidationError:
        row = {}
    if row:
        return _in_string(row["@message"], moment(row.get("@timestamp", "")), nesting) if "@message" in row else None
    if nesting >= MAX_NESTING:
        return None
    inside = [records(element, nesting + 1) for element in elements]
    if elements and all(found is None for found in inside):
        return None
    return _or_themselves(elements, inside)


def _in_all(elements: list[msgspec.Raw], nesting: int) -> list[Found]:
    return _or_themselves(elements, [records(element, nesting + 1) for element in elements])


def _or_themselves(elements: list[msgspec.Raw], inside: list[list[Found] | None]) -> list[Found]:
    """What was found inside each element; an element that is no wrapper stands for itself, so that nothing is lost."""
    found: list[Found] = []
    for element, within in zip(elements, inside, strict=True):
        found += [Found(text_of(element))] if within is None else within
    return found


def _in_text(value: msgspec.Raw, at: msgspec.Raw, nesting: int) -> list[Found]:
    """A record held as the text of a JSON string, or as an object where a tool has parsed it already."""
    when = time_of(at)
    if bytes(memoryview(value)[:1]) == b'"':
        text = _string(value)
        within = _in_string(text, when, nesting)
        return [Found(text, when)] if within is None else within
    return _dated(_in_all([value], nesting), when) or []


def _in_string(text: str, at: datetime | None, nesting: int) -> list[Found] | None:
    stripped = text.strip()
    if stripped[:1] != "{" or nesting >= MAX_NESTING:
        return None
    try:
        return _dated(records(stripped.encode("utf-8", "replace"), nesting + 1), at)
    except UNREADABLE:
        return [Found(text, at)]


def _dated(found: list[Found] | None, at: datetime | None) -> list[Found] | None:
    if found is None or at is None:
        return found
    return [each if each.at else Found(each.raw, at) for each in found]


def _elements(value: msgspec.Raw) -> list[msgspec.Raw]:
    return _decode_array(value) if bytes(memoryview(value)[:1]) == b"[" else [value]


def time_of(value: msgspec.Raw) -> datetime | None:
    """The moment that a JSON value means, if any."""
    try:
        return moment(msgspec.json.decode(value)) if value else None
    except UNREADABLE:
        return None


def _string(value: bytes | msgspec.Raw) -> str:
    try:
        return _decode_string(value)
    except UnicodeDecodeError:
        return _decode_string(text_of(value))
