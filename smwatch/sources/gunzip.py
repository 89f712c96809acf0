"""What is inside of gzip data, block by block, also where it is damaged or ends early."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from gzip import BadGzipFile

MOST = 512 << 10
"""Bytes that are inflated at a time, however small the data that holds them."""
GZIP = b"\x1f\x8b"


def gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks themselves or, where they are gzip, what is inside; damage is an OSError, after what came before."""
    head = b""
    while len(head) < len(GZIP) and (block := next(blocks, b"")):
        head += block
    if not head.startswith(GZIP):
        if head:
            yield head
        yield from blocks
        return
    inflate = zlib.decompressobj(wbits=31)
    data = head
    while True:
        before = inflate.copy()
        try:
            text = inflate.decompress(data, MOST)
        except zlib.error:
            yield from _undamaged(before, data)
            raise BadGzipFile("its gzip data is damaged; fetch it again") from None
        if text:
            yield text
        data = inflate.unconsumed_tail
        if inflate.eof:  # another member may follow, or padding
            data = inflate.unused_data.lstrip(b"\0")
            while len(data) < len(GZIP) and (block := next(blocks, b"")):
                data = (data + block).lstrip(b"\0")
            if not data:
                return
            if not data.startswith(GZIP):
                raise BadGzipFile("something that is not gzip follows its gzip data; fetch it again")
            inflate = zlib.decompressobj(wbits=31)
        elif not data and not (data := next(blocks, b"")):
            yield inflate.flush()
            raise BadGzipFile("its gzip data ends early; fetch it again")


def _undamaged(inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What can be had of a piece of gzip data before it turns out to be damaged, to the last byte."""
    for start in range(0, len(data), 256):
        piece, before = data[start : start + 256], inflate.copy()
        try:
            yield inflate.decompress(piece)
        except zlib.error:
            with suppress(zlib.error):
                while piece:
                    yield before.decompress(piece, 1)
                    piece = before.unconsumed_tail
            return
