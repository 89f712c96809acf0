"""Answers that somebody on the way has compressed unasked: a proxy, a gateway, a stand-in of AWS."""

from __future__ import annotations

import zlib
from collections.abc import MutableMapping
from typing import Any

LARGEST = 32 * 2**20
"""Bytes that an answer may unpack to: AWS's own pages stay below half of that, whatever unpacks to more is a bomb."""
_GZIP_OR_ZLIB = 47
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def unpack(response_dict: MutableMapping[str, Any], **_: object) -> None:
    """Unpack the body of a botocore response before it is parsed; botocore itself asks for none that is packed.

    What is not what it is called, or too large, stays as it is: it is malformed then, like any other nonsense.
    """
    body = response_dict.get("body")
    encoding = str(response_dict.get("headers", {}).get("content-encoding", "")).strip().lower()
    if encoding not in _ENCODINGS or not isinstance(body, bytes):
        return
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        text = unpacker.decompress(body, LARGEST)
    except zlib.error:
        return
    if unpacker.eof:
        response_dict["body"] = text
