"""What one JSON value out of a file holds: the records inside trail files, command output, exports and envelopes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.events.moments import moment
from smwatch.sources.item import completed
from smwatch.sources.source import Found

MAX_NESTING = 4
"""Wrappers within wrappers: an Insights row in a result, holding an EventBridge envelope, holding a record, is 3."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what it can't read."""

NOTHING = msgspec.Raw()


class _Record(msgspec.Struct):
    """The keys of which a CloudTrail record has at least one; whatever they hold stays raw."""

    eventVersion: msgspec.Raw = NOTHING  # noqa: N815  the names are CloudTrail's
    eventName: msgspec.Raw = NOTHING  # noqa: N815
    eventSource: msgspec.Raw = NOTHING  # noqa: N815
    eventID: msgspec.Raw = NOTHING  # noqa: N815
    eventTime: msgspec.Raw = NOTHING  # noqa: N815


class _Wrapper(
    msgspec.Struct, rename={"at_message": "@message", "at_timestamp": "@timestamp", "detail_type": "detail-type"}
):
    """The keys that tell who has wrapped records into a JSON object; whatever they hold stays raw."""

    # a trail file; the digest of one
    Records: msgspec.Raw = NOTHING
    digestStartTime: msgspec.Raw = NOTHING  # noqa: N815  the names are AWS's
    # the output of `aws cloudtrail lookup-events`, and one event of it
    Events: msgspec.Raw = NOTHING
    CloudTrailEvent: msgspec.Raw = NOTHING
    EventTime: msgspec.Raw = NOTHING
    # the output of `aws logs filter-log-events` and `get-log-events`, and one event of it; a subscription's batch
    events: msgspec.Raw = NOTHING
    logEvents: msgspec.Raw = NOTHING  # noqa: N815
    messageType: msgspec.Raw = NOTHING  # noqa: N815
    message: msgspec.Raw = NOTHING
    timestamp: msgspec.Raw = NOTHING
    # the output of `aws logs get-query-results`, and a row as the Logs Insights console exports it
    results: msgspec.Raw = NOTHING
    at_message: msgspec.Raw = NOTHING
    at_timestamp: msgspec.Raw = NOTHING
    # an EventBridge envelope
    detail: msgspec.Raw = NOTHING
    detail_type: msgspec.Raw = NOTHING
    # a line of `smwatch tail --json`
    type: msgspec.Raw = NOTHING
    record: msgspec.Raw = NOTHING
    time: msgspec.Raw = NOTHING


class _Cell(msgspec.Struct):
    """One column of a row of `aws logs get-query-results`."""

    field: str
    value: msgspec.Raw


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_wrapper = msgspec.json.Decoder(_Wrapper).decode
_decode_row = msgspec.json.Decoder(list[_Cell]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_string = msgspec.json.Decoder(str).decode


def records(value: bytes | msgspec.Raw, at: msgspec.Raw = NOTHING, nesting: int = 0) -> list[Found] | None:
    """The records that a JSON value holds, each untouched; None where the value looks like nothing that holds records.

    `at` is what a wrapper around the value says of its time. Raises one of UNREADABLE for what is not JSON to msgspec.
    """
    match bytes(memoryview(value)[:1]):
        case b"{":
            return _in_object(value, at, nesting)
        case b"[":
            return _in_array(value, at, nesting)
        case b'"':
            return _in_string(_string(value), at, nesting)
        case _:
            _decode_array(b"[" + bytes(value) + b"]")  # a number or a word, or not JSON at all
            return None


def text_of(value: bytes | msgspec.Raw) -> str:
    """The characters of a JSON text; what is not UTF-8 is marked with U+FFFD."""
    return str(value, "utf-8", "replace")


def _in_object(value: bytes | msgspec.Raw, at: msgspec.Raw, nesting: int) -> list[Found] | None:
    record = _decode_record(value)
    if record.eventVersion or record.eventName or record.eventSource or record.eventID:
        dated = bytes(memoryview(record.eventTime)[:2]) == b'"2'  # its own time is the one that counts
        return [Found(text_of(value), None if dated else time_of(at))]
    if nesting >= MAX_NESTING:
        return None
    it = _decode_wrapper(value)
    if it.Records:
        return [Found(text_of(each)) for each in _elements(it.Records)]
    if it.CloudTrailEvent:
        return _in_item(value, it, nesting)
    if it.messageType and bytes(it.messageType) == b'"CONTROL_MESSAGE"':
        return []
    for listed in (it.Events, it.events, it.logEvents, it.results):
        if listed:
            return _in_all(_elements(listed), at, nesting)
    if it.at_message:
        return _in_text(it.at_message, it.at_timestamp, nesting)
    if it.detail_type and it.detail:
        return records(it.detail, it.time, nesting + 1)
    match bytes(it.type):
        case b'"event"' if it.record:
            return _in_text(it.record, it.time, nesting)
        case b'"alarm"' | b'"status"':
            return []
    if it.message and it.timestamp:
        return _in_text(it.message, it.timestamp, nesting)
    return [] if it.digestStartTime else None


def _in_item(value: bytes | msgspec.Raw, it: _Wrapper, nesting: int) -> list[Found]:
    """One event of `aws cloudtrail lookup-events`: what its record lacks is told around it."""
    within = _in_text(it.CloudTrailEvent, it.EventTime, nesting)
    if len(within) != 1:
        return within
    (found,) = within
    at = time_of(it.EventTime)
    raw = completed(found.raw, lambda: msgspec.json.decode(value), at)
    return within if raw is found.raw else [Found(raw, at)]


def _in_array(value: bytes | msgspec.Raw, at: msgspec.Raw, nesting: int) -> list[Found] | None:
    elements = _decode_array(value)
    try:
        row = {cell.field: cell.value for cell in _decode_row(value)} if elements else {}
    except msgspec.ValidationError:
        row = {}
    if row:
        message, time = row.get("@message", NOTHING), row.get("@timestamp", NOTHING)
        return _in_text(message, time, nesting) if message else None
    if nesting >= MAX_NESTING:
        return None
    inside = [records(element, at, nesting + 1) for element in elements]
    if elements and all(found is None for found in inside):
        return None
    return _or_themselves(elements, inside, at)


def _in_all(elements: list[msgspec.Raw], at: msgspec.Raw, nesting: int) -> list[Found]:
    return _or_themselves(elements, [records(element, at, nesting + 1) for element in elements], at)


def _or_themselves(elements: list[msgspec.Raw], inside: list[list[Found] | None], at: msgspec.Raw) -> list[Found]:
    """What was found inside each element; an element that is no wrapper stands for itself, so that nothing is lost."""
    found: list[Found] = []
    for element, within in zip(elements, inside, strict=True):
        found += [Found(text_of(element), time_of(at))] if within is None else within
    return found


def _in_text(value: msgspec.Raw, at: msgspec.Raw, nesting: int) -> list[Found]:
    """A record held as the text of a JSON string, or as an object where a tool has parsed it already."""
    if bytes(memoryview(value)[:1]) != b'"':
        return _in_all([value], at, nesting)
    text = _string(value)
    within = _in_string(text, at, nesting)
    return [Found(text, time_of(at))] if within is None else within


def _in_string(text: str, at: msgspec.Raw, nesting: int) -> list[Found] | None:
    stripped = text.strip()
    if stripped[:1] != "{" or nesting >= MAX_NESTING:
        return None
    try:
        return records(stripped.encode("utf-8", "replace"), at, nesting + 1)
    except UNREADABLE:
        return [Found(text, time_of(at))]


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
