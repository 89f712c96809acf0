"""Pages of a log group: read without botocore's parser, with the same outcome."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.parsers import AioResponseParserFactory
from botocore.eventstream import ParserError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError

from smwatch.sources.answers import LogEvent
from smwatch.sources.logs import row_of
from smwatch.sources.parsers import LeanParsers
from tests.emulators.live_tail import OPENING, update

MODEL = ServiceModel(Loader().load_service_model("logs", "service-2"))
SHAPE: Any = MODEL.operation_model("FilterLogEvents").output_shape
LIVE_TAIL: Any = MODEL.operation_model("StartLiveTail").output_shape
PLAIN = {"logStreamName": "s", "timestamp": 1_700_000_000_123, "message": "{}", "ingestionTime": 1, "eventId": "37"}


async def parsed(factory: AioResponseParserFactory, body: bytes) -> dict[str, Any]:
    response = {"status_code": 200, "headers": {"Date": "now"}, "body": body, "context": {}}
    answer: dict[str, Any] = await factory.create_parser("json").parse(response, SHAPE)
    return answer


def page(*events: object, **more: object) -> bytes:
    return json.dumps({"events": list(events), "searchedLogStreams": [], **more}).encode()


@pytest.mark.parametrize(
    ("body", "lean"),
    [
        (page(PLAIN, nextToken="t"), True),
        (page(PLAIN | {"message": '{"a": "\\u00e9\\n\\ud83d\\ude00 \\\\ \\" \x7f"}'}), True),
        (page(PLAIN | {"message": "é😀", "new": {"deep": [1, None]}}, nextToken=None), True),
        (page(PLAIN, PLAIN | {"timestamp": -1}, PLAIN | {"timestamp": 1 << 62}), True),
        (page(), True),
        (page({key: value for key, value in PLAIN.items() if key != "eventId"}), False),
        (page(PLAIN | {"message": 7}), False),
        (page({}), False),
        (page(PLAIN | {"message": "\ud800"}), False),
    ],
)
async def test_a_page_comes_to_the_same_rows_either_way(body: bytes, lean: bool) -> None:
    ours, theirs = await parsed(LeanParsers(), body), await parsed(AioResponseParserFactory(), body)
    assert [row_of(item) for item in ours["events"]] == [row_of(item) for item in theirs["events"]]
    assert ours.get("nextToken") == theirs.get("nextToken")
    assert ours["ResponseMetadata"] == theirs["ResponseMetadata"]
    assert all(isinstance(item, LogEvent) for item in ours["events"]) is lean


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"events": [', b"[]", b'{"events": 1}', b"{}"])
async def test_what_is_no_page_is_left_to_botocore(body: bytes) -> None:
    outcomes = []
    for factory in (LeanParsers(), AioResponseParserFactory()):
        try:
            outcomes.append(str(await parsed(factory, body)))
        except Exception as error:
            outcomes.append(repr(error))
    assert outcomes[0] == outcomes[1]


class Stream:
    """The body of an answer that is read message by message, as aiohttp has it."""

    def __init__(self, *chunks: bytes) -> None:
        self.content = self
        self.closed = False
        self._chunks = chunks

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        for chunk in self._chunks:
            yield chunk, True

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("chunk", "readable"),
    [(OPENING, True), (OPENING[:-1] + b"\0", True), (bytes(64), False), (update("a"), False), (b"", False)],
    ids=["opening", "spoilt later", "nonsense", "another message", "nothing"],
)
async def test_an_event_stream_that_cannot_be_begun_is_closed(chunk: bytes, readable: bool) -> None:
    stream = Stream(chunk)
    response = {"status_code": 200, "headers": {}, "body": stream, "context": {"operation_name": "StartLiveTail"}}
    parsing = LeanParsers().create_parser("json").parse(response, LIVE_TAIL)
    if readable:
        await parsing
    else:
        with pytest.raises((ParserError, ResponseParserError)):
            await parsing
    assert stream.closed is not readable
