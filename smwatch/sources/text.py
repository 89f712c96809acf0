"""A long text, piece by piece: the part of it that is in memory, in UTF-8 whatever it came in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain


class Text:
    """The part of a text that is in memory, and where it starts."""

    def __init__(self, chunks: Iterator[bytes], size: int) -> None:
        self.size = size
        self.data = b""
        self.start = 0
        self.over = False
        """Nothing follows."""
        self.trouble = ""
        """Why it ended too early."""
        self._chunks = chunks

    def fill(self, size: int = 0) -> None:
        """Have at least `size` bytes in memory, or the usual number, if there are as many."""
        size = max(size, self.size)
        if len(self.data) < size:
            self._take(size - len(self.data))

    def _take(self, size: int) -> None:
        parts, have = [self.data], 0
        while have < size and not self.over:
            try:
                parts.append(next(self._chunks))
                have += len(parts[-1])
            except StopIteration:
                self.over = True
            except OSError as error:
                self.over = True
                self.trouble = error.strerror or str(error)
        self.data = b"".join(parts)

    def more(self) -> None:
        """Have more bytes in memory, if there are any."""
        have = len(self.data)
        while len(self.data) == have and not self.over:
            self._take(1)

    def drop(self, size: int) -> None:
        """Be done with the first bytes in memory."""
        self.data = self.data[size:]
        self.start += size

    def place(self, offset: int = 0) -> str:
        """Where in the text a byte in memory is, for a person."""
        return f"byte {self.start + offset:,}"


def utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8 without a byte order mark (PowerShell writes UTF-16)."""
    head = b""
    while len(head) < 3 and (chunk := next(chunks, None)) is not None:
        head += chunk
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        for characters in codecs.iterdecode(chain([head], chunks), "utf-16", "replace"):
            yield characters.encode("utf-8", "replace")
    else:
        yield head.removeprefix(codecs.BOM_UTF8)
        yield from chunks
