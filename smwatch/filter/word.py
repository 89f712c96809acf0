"""The term that searches all of an event for a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from smwatch.events.call import Call, Caller
from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS, Event
from smwatch.filter.answers import Holding, held, or_held
from smwatch.filter.ids import places_that_may_hold
from smwatch.filter.term import ID_STEP, STEP, Term

ID_MASK = (1 << ID_BITS) - 1
_PART_OF_ID = re.compile(r"(?=(?:-?[0-9a-f]){8})[0-9a-f]{0,12}(?:-[0-9a-f]{0,12}){0,4}")


class Word(Term):
    """Searches a text anywhere; what looks like part of an eventID is looked for there too."""

    cost = 2
    by_call = by_caller = True

    def __init__(self, text: str, *, exclude: bool = False) -> None:
        self.text = text
        super().__init__(exclude=exclude)
        self._needle = needle = text.lower()
        self._texts = Holding(needle)
        self._upper = text.upper()
        self._in_address = not needle.strip(ADDRESS)
        self._in_key = not needle.strip(ACCESS_KEY.lower())
        self.by_event = _PART_OF_ID.fullmatch(needle) is not None
        self._is_id = _id_test(needle) if self.by_event else None
        self.step = ID_STEP if self.by_event else STEP

    def select(self, events: list[Event]) -> list[Event]:
        """By texts, which fewer differ in than in calls and callers."""
        texts, needle, upper, exclude = self._texts, self._needle, self._upper, self.exclude
        ip, key, is_id = self._in_address, self._in_key, self._is_id
        if not (ip or key or is_id or exclude):
            # So it is with most words, and to ask for each event is a fifth of what "filter-narrow" measures.
            return [e for e in events if texts[e.call.text] or texts[e.caller.text]]
        return [
            e
            for e in events
            if (
                texts[e.call.text]
                or texts[e.caller.text]
                or (ip and needle in e.caller.came.source_ip)
                or (key and upper in e.caller.came.access_key)
                or (is_id is not None and is_id(e))
            )
            is not exclude
        ]

    def finds_call(self, call: Call) -> bool:
        """Whether its search text holds the word."""
        return self._needle in call.text

    def finds_caller(self, caller: Caller) -> bool:
        """Whether its search text, address or access key hold the word."""
        return (
            self._needle in caller.text
            or (self._in_address and self._needle in caller.came.source_ip)
            or (self._in_key and self._upper in caller.came.access_key)
        )

    def finds_event(self, event: Event) -> bool:
        """Whether its ID holds the word."""
        return self._is_id is not None and self._is_id(event)

    def finds_calls(self, calls: Sequence[Call]) -> list[bool]:
        """In one loop: tens of thousands are asked about (see "filter-varied")."""
        needle = self._needle
        return [needle in call.text for call in calls]

    def finds_callers(self, callers: Sequence[Caller]) -> list[bool]:
        """The same."""
        found = held([caller.text for caller in callers], self._needle)
        if self._in_address:
            found = or_held(found, self._needle, [caller.came.source_ip for caller in callers])
        if self._in_key:
            found = or_held(found, self._upper, [caller.came.access_key for caller in callers])
        return found

    def places_of_found(self, events: Sequence[Event]) -> list[int]:
        """Those that its digits leave."""
        may = places_that_may_hold(self._needle.replace("-", ""), events)
        return [place for place in may if self.finds_event(events[place])]

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
