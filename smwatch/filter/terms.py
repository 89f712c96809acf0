"""The terms with a word, or a form, of their own: what failed, what is in an alarm, what a filter pattern finds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container
from operator import attrgetter
from typing import TYPE_CHECKING

from smwatch.events.call import Call
from smwatch.events.event import Event
from smwatch.filter.term import FAST_STEP, Term
from smwatch.record import Record

if TYPE_CHECKING:
    from smwatch.patterns import Pattern


_KEY = attrgetter("key")


class Flag(Term):
    """Asks one of the questions that have a word of their own: error, denied, read, write."""

    cost, step, by_call = 1, FAST_STEP, True

    def __init__(self, word: str, *, exclude: bool = False) -> None:
        super().__init__(exclude=exclude)
        self.word = word

    def finds_call(self, call: Call) -> bool:
        """Whether the word is true of it."""
        match self.word:
            case "error":
                return bool(call.error_code or call.error_message)
            case "denied":
                return call.error_code.startswith(DENIED)
            case "read":
                return call.name in READS
            case _:
                return not call.read_only

    def _within(self, other: Term) -> bool:
        return isinstance(other, Flag) and (self.word == other.word or (self.word, other.word) == ("denied", "error"))

    def _described(self, exclude: bool) -> str:
        return _SAID[self.word][exclude]


DENIED = "AccessDenied"
"""How the error codes of what IAM refuses begin."""
READS = frozenset({"GetSecretValue", "BatchGetSecretValue"})
"""The calls that give out values."""
_SAID = {
    "error": ("failed", "succeeded"),
    "denied": ("denied", "not denied"),
    "read": ("asks for a value", "does not ask for a value"),
    "write": ("changes something", "changes nothing"),
}


class Alarmed(Term):
    """Asks whether an event is evidence of an alarm; the answer can change, see `View.recheck`."""

    cost, step, by_event = 2, FAST_STEP, True

    def __init__(self, levels: Container[int], *, exclude: bool = False) -> None:
        """`levels` holds the keys of the events in evidence."""
        super().__init__(exclude=exclude)
        self._levels = levels

    def finds_event(self, event: Event) -> bool:
        """Whether it is in evidence."""
        return event.key in self._levels

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones."""
        levels, exclude = self._levels, self.exclude
        return [e for e in events if (e.key in levels) is not exclude]

    def _within(self, other: Term) -> bool:
        return isinstance(other, Alarmed)

    def _described(self, exclude: bool) -> str:
        return "in no alarm" if exclude else "in an alarm"


RECORDS = 100
"""Records that a filter pattern gets through in some milliseconds."""
AT_ONCE = 1_000
"""Events that are looked through at once for as many."""


class Matching(Term):
    """Asks a filter pattern, which takes the record: slow, so events that cannot match are left out first."""

    cost, step, by_event = 9, FAST_STEP, True

    def __init__(self, pattern: Pattern, record_of: Callable[[Event], Record]) -> None:
        super().__init__(exclude=False)
        self.pattern = pattern
        self._record_of = record_of
        self._names = pattern.required_values("$.eventName")
        self._sources = pattern.required_values("$.eventSource")

    def reach(self, events: list[Event], end: int) -> int:
        """As many are left for later as come before the last RECORDS that can match."""
        rest = super().reach(events, end)
        room = RECORDS
        for upto in range(end, rest, -AT_ONCE):
            eligible = self._eligible(events[max(rest, upto - AT_ONCE) : upto])
            if len(eligible) > room:
                return bisect_right(events, eligible[-1 - room].key, hi=end, key=_KEY)
            room -= len(eligible)
        return rest

    def finds_event(self, event: Event) -> bool:
        """Whether the pattern matches its record."""
        return bool(self._eligible([event])) and self._matches(event)

    def select(self, events: list[Event]) -> list[Event]:
        """Those that match: a pattern stands for itself, and is never turned round."""
        return list(filter(self._matches, self._eligible(events)))

    def _eligible(self, events: list[Event]) -> list[Event]:
        """Those whose records can match."""
        names, sources = self._names, self._sources
        if names is not None:
            events = [e for e in events if e.call.name in names]
        if sources is not None:
            events = [e for e in events if e.call.source in sources]
        return events

    def _matches(self, event: Event) -> bool:
        return self.pattern.matches_record(self._record_of(event), "")

    def _within(self, other: Term) -> bool:
        return isinstance(other, Matching) and self.pattern.text == other.pattern.text

    def _described(self, exclude: bool) -> str:
        return f"{'not ' if exclude else ''}matching the filter pattern"
