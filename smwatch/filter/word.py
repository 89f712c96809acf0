"""The term that searches all of an event for a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS, Event
from smwatch.filter.answers import Holding
from smwatch.filter.term import ID_STEP, STEP, Term

SAMPLE, VARIED = 1_000, 1_400
"""Where so many events bring more new texts than that, of calls and of callers, looking is faster than remembering.

So it may be for each denial, which names who was denied what, or where somebody floods the trail.
"""
ID_MASK = (1 << ID_BITS) - 1
_PART_OF_ID = re.compile(r"(?=(?:-?[0-9a-f]){8})[0-9a-f]{0,12}(?:-[0-9a-f]{0,12}){0,4}")


class Word(Term):
    """Searches a text anywhere; what looks like part of an eventID is looked for there too."""

    cost = 2

    def __init__(self, text: str, *, exclude: bool = False) -> None:
        self.text = text
        super().__init__(exclude=exclude)
        self._needle = needle = text.lower()
        self._upper = text.upper()
        self._in_call, self._in_caller = Holding(needle), Holding(needle)
        self._in_address = not needle.strip(ADDRESS)
        self._in_key = not needle.strip(ACCESS_KEY.lower())
        self._is_id = _id_test(needle) if _PART_OF_ID.fullmatch(needle) else None
        self.step = STEP if self._is_id is None else ID_STEP

    def _found(self, event: Event) -> bool:
        return (
            self._needle in event.call.text
            or self._needle in event.caller.text
            or (self._in_address and self._needle in event.source_ip)
            or (self._in_key and self._upper in event.access_key)
            or (self._is_id is not None and self._is_id(event))
        )

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        call, caller, rest = self._in_call, self._in_caller, events[SAMPLE:]
        known = len(call) + len(caller)
        kept = self._remembered(events[:SAMPLE], exclude)
        varied = len(call) + len(caller) - known > VARIED
        return kept + (self._looked(rest, exclude) if varied else self._remembered(rest, exclude))

    def _remembered(self, events: list[Event], exclude: bool) -> list[Event]:
        call, caller, needle, upper = self._in_call, self._in_caller, self._needle, self._upper
        ip, key, is_id = self._in_address, self._in_key, self._is_id
        if not (ip or key or is_id or exclude):
            # So it is with most words, and to ask for each event is a fifth of what "filter-text" measures.
            return [e for e in events if call[e.call.text] or caller[e.caller.text]]
        return [
            e
            for e in events
            if (
                call[e.call.text]
                or caller[e.caller.text]
                or (ip and needle in e.caller.source_ip)
                or (key and upper in e.caller.access_key)
                or (is_id is not None and is_id(e))
            )
            is not exclude
        ]

    def _looked(self, events: list[Event], exclude: bool) -> list[Event]:
        needle, upper, ip, key, is_id = self._needle, self._upper, self._in_address, self._in_key, self._is_id
        return [
            e
            for e in events
            if (
                needle in e.call.text
                or needle in e.caller.text
                or (ip and needle in e.caller.source_ip)
                or (key and upper in e.caller.access_key)
                or (is_id is not None and is_id(e))
            )
            is not exclude
        ]

    def _within(self, other: Term) -> bool:
        if not isinstance(other, Word) or other._needle not in self._needle:
            return False
        return self._is_id is None or other._is_id is not None

    def _described(self, exclude: bool) -> str:
        return f"{'without' if exclude else 'with'} “{self.text}”"


def _id_test(needle: str) -> Callable[[Event], bool]:
    """Asks whether an event's ID holds the needle: by number where it is a whole ID, for making its text is slow."""
    digits = needle.replace("-", "")
    if len(needle) == 36 and len(digits) == 32:
        number = int(digits, 16)
        return lambda event: not event.odd_id and event.key >> ACCOUNT_BITS & ID_MASK == number

    def holds(event: Event) -> bool:
        if event.odd_id:
            return needle in event.odd_id.lower()
        return digits in f"{event.key >> ACCOUNT_BITS & ID_MASK:032x}" and needle in event.id

    return holds
