"""botocore's parsers of answers, but for the answers that are large. Imported with the AWS libraries, not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory

from smwatch.sources.answers import log_page


class LeanParsers(AioResponseParserFactory):
    """Gives pages of FilterLogEvents as `LogEvent`s, without a dict and copies for each, and the rest as botocore does.

    botocore's own parser takes a quarter of what 50,000 events out of a log group take in all, and as much memory
    again: serves `tail --once` of a log group. A page that is not as the model says is left to it.
    """

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol."""
        this: Any = self
        return _LeanParser(**this._defaults) if protocol_name == "json" else super().create_parser(protocol_name)


class _LeanParser(AioJSONParser):
    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:
        page = log_page(raw_body) if getattr(shape, "name", "") == "FilterLogEventsResponse" else None
        if page is None:
            general: Any = super()
            return general._handle_json_body(raw_body, shape)
        return {"events": page.events, "nextToken": page.nextToken}

    async def _handle_event_stream(self, response: Mapping[str, Any], shape: Any, event_name: str) -> Any:
        general: Any = super()
        try:
            return await general._handle_event_stream(response, shape, event_name)
        except BaseException:
            response["body"].close()  # nobody else will have the stream, and botocore leaves it open
            raise
