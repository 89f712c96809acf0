"""The text of a file to records, piece by piece: which format it is, where one record ends, and what can't be read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from json import JSONDecodeError

import msgspec

from smwatch.sources.elements import (
    BOUNDARY,
    boundary,
    end_of_object,
    next_element,
    scan_value,
    skip_blank,
    split,
    split_fast,
)
from smwatch.sources.log_lines import behind_prefix, holds_records, is_laid_out
from smwatch.sources.source import Found
from smwatch.sources.text import Text, utf8
from smwatch.sources.wrappers import NOTHING, UNREADABLE, records, text_of, time_of

CHUNK = 256 << 10
"""Bytes taken in at a time: memory stays some multiple of it, and no call holds the interpreter for long."""
PATIENCE = 1 << 20
"""An element of an array that is not complete after so many bytes is broken (CloudTrail's largest are 256 KB), unless
no other follows."""
MAX_RECORD = 16 << 20
"""An element that goes on for longer is given up."""
MAX_DOCUMENT = 128 << 20
"""A line, or a JSON document that is no plain array of records, has to fit into memory whole."""
SAMPLE_LINES = 50
"""So many lines tell which format a text has."""
SAMPLE_VALUES = 10_000
"""So many values without a record among them tell that a text is about something else."""

ARRAY = re.compile(rb'\s*(?:\[|\{\s*"(?P<key>Records|Events|events|logEvents)"\s*:\s*\[)\s*(?=\{)')
"""The beginning of a document that is mainly one array of objects."""
FIRST_KEY = re.compile(rb'\{\s*"[^"\\]{1,100}"')
CSV_HEADER = re.compile(rb'"?(?:[\w@.]+"?,"?)*(?:@message|timestamp"?,"?message)\b')


class Unread(msgspec.Struct, frozen=True):
    """Something that could not be read."""

    reason: str
    """What, where and what to do, to follow the name of the file."""
    foreign: bool = False
    """The whole file has nothing to do with CloudTrail."""


def read(chunks: Iterable[bytes], size: int = CHUNK) -> Iterator[list[Found] | Unread]:
    """All records in a text of any known format, in its order; what can't be read is said and, if possible, passed.

    `chunks` may end with an OSError: what came before is still handed over. `size` is how many bytes are worked on at a
    time; the result does not depend on it.
    """
    text = Text(utf8(iter(chunks)), size)
    while not text.over and len(text.data) < size:
        first, ended, _ = text.data.lstrip().partition(b"\n")
        if ended and holds_records(first):
            break  # lines: someone may be writing them just now
        text.more()
        if not text.data.strip():
            text.drop(len(text.data))
    yield from _Format(text).read()
    if text.trouble:
        yield Unread(text.trouble)


class _Format:
    """Reads one text; knows whether anything in it was recognised."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.known = False
        self.unknown = False

    def read(self) -> Iterator[list[Found] | Unread]:
        """Everything in the text; values that look like no record only if there are records too."""
        held: list[Found] = []
        for part in self._parts():
            if isinstance(part, Unread):
                yield part
            elif self.known:
                yield held + part
                held = []
            else:
                held += part
                if len(held) > SAMPLE_VALUES:
                    break
        if self.unknown and not self.known and not self.text.trouble:
            yield Unread("holds JSON, but no CloudTrail records", foreign=True)
        elif held:
            yield held

    def _parts(self) -> Iterator[list[Found] | Unread]:
        head = self.text.data.lstrip()
        if not head:
            return
        start = ARRAY.match(head)
        if start and start["key"] == b"Records" and b"\n" not in head:
            # A trail file as CloudTrail writes them: to try first whether it can be read takes longer than to read it.
            # Serves "replay".
            yield from self._documents()
            return
        lines = head.split(b"\n", SAMPLE_LINES)
        whole = [line for line in (lines if self.text.over else lines[:-1])[:SAMPLE_LINES] if line.strip()]
        odd = [line for line in whole if not holds_records(line)]
        readable = len(whole) - len(odd)
        in_json = head[:1] in (b"{", b"[", b'"')
        begun = lines[0] in odd and (head[:1] == b"[" or start)
        laid_out = in_json and (begun or sum(map(is_laid_out, odd)) * 2 > len(odd))
        if CSV_HEADER.match(lines[0]):
            yield from self._csv()
        elif (readable > len(odd) and not begun) or (readable and not laid_out):
            yield from self._lines()
        elif in_json:
            yield from self._documents()
        else:
            yield Unread("holds no CloudTrail records: neither JSON nor a log export", foreign=True)

    # -- one value

    def _value(self, value: bytes, at: msgspec.Raw = NOTHING) -> list[Found]:
        """The records in one JSON value, to which something around it gives a time; raises one of UNREADABLE."""
        found = records(value, at)
        if found is None:
            self.unknown = True
            return [Found(text_of(value))]
        self.known = True
        return found

    # -- lines

    def _lines(self) -> Iterator[list[Found] | Unread]:
        text = self.text
        while text.data or not text.over:
            end = len(text.data) if text.over else text.data.rfind(b"\n") + 1
            if end:
                yield self._whole_lines(text.data[:end])
                text.drop(end)
            elif len(text.data) > MAX_DOCUMENT:
                yield Unread(f"has a line that is too long to read, at {text.place()}")
                return
            # More than one piece for a long line, so that its length is not gone over again and again.
            text.fill(len(text.data) * 2) if len(text.data) > text.size else text.more()

    def _whole_lines(self, part: bytes) -> list[Found]:
        found: list[Found] = []
        for line in part.split(b"\n"):
            if line := line.strip():
                try:
                    found += self._value(line) if line[:1] in b'{["' else self._odd_line(line)
                except UNREADABLE:
                    found += self._odd_line(line)
        return found

    def _odd_line(self, line: bytes) -> list[Found]:
        """A line that is not one JSON value: a message behind its time, several values, or nothing readable."""
        if inside := behind_prefix(line):
            self.known = True
            return inside
        if BOUNDARY.search(line) or ARRAY.match(line):
            inner = _Format(Text(iter([line]), len(line)))
            inner.text.fill()
            parts = list(inner._documents())
            if not any(isinstance(part, Unread) for part in parts):
                self.known |= inner.known
                return [found for part in parts if not isinstance(part, Unread) for found in part]
        self.unknown = True
        return [Found(text_of(line))]

    # -- documents, one after the other

    def _documents(self) -> Iterator[list[Found] | Unread]:
        text = self.text
        while True:
            text.fill()
            blank = len(text.data) - len(text.data.lstrip())
            if blank:
                text.drop(blank)
                continue
            if not text.data:
                return
            found, used = self._small_documents()
            if used:
                yield found
                text.drop(used)
            elif start := ARRAY.match(text.data):
                yield from self._array(start)
            else:
                yield from self._document()

    def _small_documents(self) -> tuple[list[Found], int]:
        """All documents at the beginning of the text in memory that are readable and followed by another, at one go."""
        data, used = self.text.data, 0
        found: list[Found] = []
        for end in BOUNDARY.finditer(data):
            try:
                found += self._value(data[used : end.end()].rstrip())
            except UNREADABLE:
                break
            used = end.end()
        return found, used

    def _document(self) -> Iterator[list[Found] | Unread]:
        """One document of any shape, whole."""
        text = self.text
        while (end := boundary(text.data)) < 0:
            if text.over:
                end = len(text.data)
                break
            if len(text.data) > MAX_DOCUMENT:
                yield Unread(f"has a JSON document too large to read whole, at {text.place()}; split it: jq -c '.[]'")
                text.drop(len(text.data))
                text.over = True
                return
            text.fill(len(text.data) * 2)
        document = text.data[:end]
        try:
            yield self._value(document.strip())
        except UNREADABLE:
            yield from self._values(document)
        text.drop(end)

    def _values(self, document: bytes) -> Iterator[list[Found] | Unread]:
        """As `_document`, but slowly: knows where a value ends, and takes half a surrogate pair (msgspec doesn't)."""
        characters = document.decode("latin-1")  # one a byte
        found: list[Found] = []
        trouble = None
        end = 0
        while end < len(document) and trouble is None:
            begin = end
            try:
                _, end = scan_value(characters, begin)
            except JSONDecodeError as error:
                trouble = Unread(f"is not JSON at {self.text.place(error.pos)}: {error.msg}")
            except RecursionError:
                trouble = Unread(f"holds JSON nested too deeply, at {self.text.place(begin)}")
            else:
                found += self._value_or_itself(document[begin:end])
                end = skip_blank(characters, end)
        yield found
        if trouble and not self.text.trouble:
            yield trouble

    def _value_or_itself(self, value: bytes, at: msgspec.Raw = NOTHING) -> list[Found]:
        try:
            return self._value(value, at)
        except UNREADABLE:
            self.unknown = True
            return [Found(text_of(value), time_of(at))]

    # -- one long array of objects

    def _array(self, start: re.Match[bytes]) -> Iterator[list[Found] | Unread]:
        """A document that is mainly one array, chunk by chunk; ends behind it."""
        text, key = self.text, start["key"]
        text.drop(start.end())
        first = FIRST_KEY.match(text.data)
        opening = first[0] if first else b"{"
        size = 0
        while True:
            text.fill(size)
            elements, used, ended = split_fast(text.data, opening, over=text.over)
            if not used:
                elements, used, ended = split(text.data)
            yield self._taken(elements, trail=key == b"Records")
            text.drop(used)
            if ended:
                break
            if used:
                size = 0
            elif (text.over or len(text.data) > PATIENCE) and (next_one := next_element(text.data, opening)) >= 0:
                yield [Found(text_of(text.data[:next_one].rstrip().removesuffix(b",")))]
                text.drop(next_one)
            elif text.over or len(text.data) > MAX_RECORD:
                if not text.trouble:
                    yield Unread(f"ends in the middle of a record, at {text.place()}; fetch it again")
                text.drop(len(text.data))
                text.over = True
                return
            else:
                size = len(text.data) * 2
        if key:
            text.fill()
            end = end_of_object(text.data[:4096]) or end_of_object(text.data)
            if not end and not text.trouble:
                yield Unread(f"is not JSON behind its records, at {text.place()}; fetch it again")
            text.drop(end or len(text.data))

    def _taken(self, elements: Sequence[bytes | msgspec.Raw], *, trail: bool) -> list[Found]:
        if trail:
            self.known = True
            return [Found(str(element, "utf-8", "replace")) for element in elements]
        found: list[Found] = []
        for element in elements:
            found += self._value_or_itself(bytes(element))
        return found

    # -- tables

    def _csv(self) -> Iterator[list[Found] | Unread]:
        """A table with a column of messages, as the CloudWatch console saves it."""
        csv.field_size_limit(MAX_RECORD)
        rows = csv.reader(self._text_lines(), strict=True)
        header = [name.removeprefix("@") for name in next(rows)]
        message = header.index("message")
        time = header.index("timestamp") if "timestamp" in header else None
        found: list[Found] = []
        try:
            for row in rows:
                if len(row) <= message:
                    continue
                at = msgspec.json.encode(row[time]) if time is not None and time < len(row) else b""
                found += self._value_or_itself(row[message].strip().encode("utf-8", "replace"), msgspec.Raw(at))
                if len(found) >= 500:
                    yield found
                    found = []
        except csv.Error as error:
            yield Unread(f"is not a table at line {rows.line_num:,}: {error}")
        yield found

    def _text_lines(self) -> Iterator[str]:
        text = self.text
        while text.data or not text.over:
            text.fill(len(text.data) + 1)
            end = len(text.data) if text.over else text.data.rfind(b"\n") + 1
            part = text.data[:end]
            text.drop(end)
            yield from (line.decode("utf-8", "replace") for line in part.splitlines(keepends=True))
