"""Where JSON documents and the elements of a long array end, in a text of which only a part is in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import JSONDecodeError, JSONDecoder

import msgspec

from smwatch.sources.wrappers import UNREADABLE

BOUNDARY = re.compile(rb'\}\s*(?=\{\s*"\w)')
"""Where one JSON object ends and the next begins. No single document holds this: outside of strings a comma would stand
between the braces, and inside of one the quotation mark would end the string, with a letter right behind it."""
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
scan_value = JSONDecoder().raw_decode
"""The value at a place of a text, and where it ends; a JSONDecodeError or RecursionError."""


def split_fast(data: bytes, opening: bytes, *, over: bool) -> tuple[Sequence[bytes | msgspec.Raw], int, bool]:
    """(elements, bytes used, whether the array ended) of the text behind a `[`; uses no bytes where that is not easy.

    The cut is a guess, at what looks like the last beginning of an element (or at the last `]` of a document), and the
    decoder is the judge: only a text that is cut between two elements is an array once it is put in brackets.
    """
    if over:
        end, ended = data.rfind(b"]"), True
    else:
        end, ended = data.rfind(b",", 0, max(0, data.rfind(opening, 1))), False
    if end > 0 and (elements := _elements(data, end)):
        return elements, end + 1, ended
    # or the array ends in here, and another document follows
    end = data.rfind(b"]", 0, max(0, boundary(data)))
    if end > 0 and (elements := _elements(data, end)):
        return elements, end + 1, True
    return [], 0, False


def _elements(data: bytes, end: int) -> list[msgspec.Raw]:
    """Those of the text up to its end; none where that is no array once it is put in brackets."""
    try:
        return _decode_array(b"".join((b"[", memoryview(data)[:end], b"]")))
    except UNREADABLE:
        return []


def split(data: bytes) -> tuple[Sequence[bytes | msgspec.Raw], int, bool]:
    """As `split_fast`, element by element; takes what msgspec doesn't and stops before what is not JSON."""
    text = data.decode("latin-1")
    elements: list[bytes] = []
    used = 0
    while True:
        begin = skip_blank(text, used)
        if text[begin : begin + 1] == "]":
            return elements, begin + 1, True
        try:
            _, end = scan_value(text, begin)
        except (JSONDecodeError, RecursionError):
            return elements, used, False
        delimiter = skip_blank(text, end)
        match text[delimiter : delimiter + 1]:
            case ",":
                used = delimiter + 1
                elements.append(data[begin:end])
            case "]":
                return [*elements, data[begin:end]], delimiter + 1, True
            case _:
                return elements, used, False


_BLANK = re.compile(r"[ \t\r\n]*")


def skip_blank(text: str, start: int) -> int:
    """The first place from `start` on that is not white space."""
    match = _BLANK.match(text, start)
    return match.end() if match else start


def end_of_object(data: bytes) -> int:
    """Where the object ends whose last array has just been read; 0 for nowhere."""
    begun = '{"":[]'
    try:
        return scan_value(begun + data.decode("latin-1"))[1] - len(begun)
    except (JSONDecodeError, RecursionError):
        return 0


def next_element(data: bytes, opening: bytes) -> int:
    """Where, behind an element that can't be read, the next one seems to begin; -1 for nowhere."""
    found = data.find(opening, 1)
    while found > 0 and not data[max(0, found - 1000) : found].rstrip().endswith(b","):
        found = data.find(opening, found + 1)
    return found


def boundary(data: bytes) -> int:
    """Where the first document ends that another follows; -1 for nowhere."""
    match = BOUNDARY.search(data)
    return match.end() if match else -1
