"""A text that is looked for on a page of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smwatch.tui.lines import Line

LOOKED_AT = 200
"""Lines that are looked at in one go: some milliseconds where each has to be written first."""


class Search:
    """Looks for a text in whatever case, on some lines at a time; without a text it finds nothing."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        """As it was typed."""
        self._sought = text.lower()
        self._ahead: Sequence[int] = ()
        """The places of the lines still to be looked at, in order."""

    def __bool__(self) -> bool:
        return bool(self._sought)

    @property
    def goes_on(self) -> bool:
        """Whether there are lines still to be looked at."""
        return bool(self._ahead)

    def begin(self, places: Sequence[int]) -> None:
        """Have the lines at these places looked at, in this order."""
        self._ahead = places

    def look(self, lines: Sequence[Line]) -> int | None:
        """The first of the next LOOKED_AT places whose line holds it. Serves "longest stall of the event loop"."""
        some, self._ahead = self._ahead[:LOOKED_AT], self._ahead[LOOKED_AT:]
        return next((at for at in some if at < len(lines) and self._sought in lines[at].text.lower()), None)

    def parted(self, text: str) -> Iterator[tuple[str, bool]]:
        """A text in parts that are what is looked for, and parts that are not."""
        sought = self._sought
        if not sought:
            yield text, False
            return
        lower, start = text.lower(), 0
        while (at := lower.find(sought, start)) >= 0 and len(lower) == len(text):
            yield text[start:at], False
            yield text[at : at + len(sought)], True
            start = at + len(sought)
        yield text[start:], False
