"""The interactive filter language: from what a person typed to a question about events."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from difflib import get_close_matches

import msgspec

from smwatch.events.event import Event
from smwatch.events.numbered import Numbered
from smwatch.filter.field import FIELDS, Field
from smwatch.filter.glob import Glob
from smwatch.filter.sweep import Sweep
from smwatch.filter.term import Term
from smwatch.filter.terms import Alarmed, Flag, Matching
from smwatch.filter.user import User
from smwatch.filter.word import Word
from smwatch.record import Record

WORDS = {
    "error": "calls that failed",
    "denied": "calls that were not allowed",
    "read": "calls for a secret's value",
    "write": "calls that change something",
    "alarm": "events in an alarm",
}
"""Words with a meaning of their own; in quotes they are searched for like any other."""
_FIELD = re.compile(r"([A-Za-z]{1,20}):")
_ANYWHERE = frozenset({"agent", "error", "id"})
"""Fields of free text: a value without wildcards is looked for anywhere in it."""


class FilterError(ValueError):
    """A filter that is refused: one sentence a person can act on, and where in the text it applies."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(sentence)
        self.position = position
        """Characters before the trouble."""


class Context(msgspec.Struct, frozen=True):
    """What a filter may have to ask beyond the event itself."""

    record_of: Callable[[Event], Record]
    """The record of an event, for filter patterns; empty where it is not there any more."""
    levels: Container[int]
    """The keys of the events that are evidence of an alarm, kept up to date by the store."""


class Filter:
    """A question about events; all of its terms have to say yes."""

    __slots__ = ("_ordered", "terms", "text")

    def __init__(self, text: str, terms: Iterable[Term]) -> None:
        self.text = text
        """What the person typed."""
        self.terms = tuple(terms)
        """In the order typed; none for a filter that keeps everything."""
        self._ordered = sorted(self.terms, key=lambda term: term.cost)

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

    def __call__(self, event: Event) -> bool:
        """Whether the event is kept."""
        return all(term.keeps(event) for term in self._ordered)

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones, in order: one fast pass per term, each over what the last one kept."""
        for term in self._ordered:
            events = term.select(events)
        return events

    def reach(self, events: list[Event], end: int) -> int:
        """How many of the first `end` to leave for later, so that `select` gets through the last of them in ms."""
        if len(self.terms) == 1:
            return self.terms[0].reach(events, end)
        # Each may have to look at all of them.
        return max(0, end - int(1 / sum(1 / term.step for term in self.terms))) if self.terms else 0

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> Sweep | None:
        """What asks the same of all events of a store, from a key on; None where all terms look at each event.

        `before` is a sweep that is through: what it did not find is not asked about where a term narrows one of its.
        """
        if not any(term.shared for term in self.terms):
            return None
        return Sweep(self._ordered, numbered, since=since, before=before if isinstance(before, Sweep) else None)

    def narrows(self, other: object) -> bool:
        """Whether everything this keeps is known to be kept by `other` too."""
        return isinstance(other, Filter) and all(
            any(mine.implies(theirs) for mine in self.terms) for theirs in other.terms
        )

    @property
    def changeable(self) -> bool:
        """Whether the answer for an event can change while the event stays the same."""
        return any(isinstance(term, Alarmed) for term in self.terms)

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts searched for, to be marked where they are shown."""
        return tuple(term.text for term in self.terms if isinstance(term, Word) and not term.exclude)

    @property
    def description(self) -> str:
        """The question in plain words; it repeats what was typed, so it can hold anything."""
        return ", ".join(term.description for term in self.terms) or "everything"


class Value(msgspec.Struct, frozen=True):
    """One alternative of a term."""

    text: str
    quoted: bool
    closed: bool
    """Whether a quote ended it, or something follows: it is not being typed any more."""


class Piece(msgspec.Struct, frozen=True):
    """One term as typed."""

    start: int
    end: int
    exclude: bool
    field: str
    """One of FIELDS, "" for a bare word."""
    values: tuple[Value, ...]


def parse(text: str, context: Context, *, typing: bool = False) -> Filter:
    """The filter that a text means; FilterError says what is wrong and where.

    `typing` says that the person has not finished: the value at the very end may still grow, so that `name:Get` keeps
    what `name:Get*` does. What is half typed otherwise (`name:`, `-`, an open quote) is never an error here: see
    `check_values`.
    """
    plain = text.lstrip()
    if plain.startswith("{"):
        return Filter(text, [_matching(plain.rstrip(), context, position=len(text) - len(plain))])
    terms = (_term(piece, context, typing=typing and piece.end == len(text)) for piece in pieces(text))
    return Filter(text, [term for term in terms if term is not None])


def check_values(text: str, *, typing: bool = False) -> None:
    """Refuse (FilterError) a field without a value, which would keep everything.

    `typing` says that the person has not finished: the one at the very end may still get its value.
    """
    if text.lstrip().startswith("{"):
        return
    for piece in pieces(text):
        typed = text[piece.start : piece.end].rstrip(",")
        if piece.field and typed.endswith(":") and not piece.values and not (typing and piece.end == len(text)):
            raise FilterError(f"“{typed}” has no value: it follows the colon without a space", piece.start)


def _matching(pattern: str, context: Context, *, position: int) -> Term:
    """The filter pattern that stands at `position` of what was typed."""
    from smwatch import patterns  # most filters are none, and a screen stands sooner without: serves "first-…"

    try:
        return Matching(patterns.compile(pattern), context.record_of)
    except patterns.PatternError as error:
        raise FilterError(str(error), error.position + position) from None


def pieces(text: str) -> Iterator[Piece]:
    """The terms of a filter, split where there is space outside of quotes."""
    position, end = 0, len(text)
    while position < end:
        if text[position].isspace():
            position += 1
            continue
        start = position
        exclude = text[position] == "-"
        position += exclude
        found = _FIELD.match(text, position)
        field = found[1].lower() if found is not None else ""
        if found is not None and field in FIELDS:
            position = found.end()
        elif found is not None and (close := get_close_matches(field, FIELDS, 1, 0.74)):
            raise FilterError(f"there is no field “{found[1]}”: did you mean “{close[0]}”?", position)
        else:
            field = ""
        values = []
        while position < end and not text[position].isspace():
            value, position = _value(text, position, listed=bool(field))
            values.append(value)
            if not field:
                break
        yield Piece(start, position, exclude, field, tuple(value for value in values if value.text))


def _value(text: str, position: int, *, listed: bool) -> tuple[Value, int]:
    """The value at `position`, and where what follows it starts; a listed one may end with a comma."""
    quoted = text[position] == '"'
    if quoted:
        close = text.find('"', position + 1)
        end = close if close >= 0 else len(text)
        value = Value(text[position + 1 : end], quoted, closed=close >= 0)
        end += close >= 0
    else:
        end = position
        while end < len(text) and not text[end].isspace() and not (listed and text[end] == ","):
            end += 1
        value = Value(text[position:end], quoted, closed=end < len(text))
    return value, end + (listed and text.startswith(",", end))


def _term(piece: Piece, context: Context, *, typing: bool) -> Term | None:
    if not piece.values:
        return None
    if piece.field:
        globs = tuple(
            _glob(piece.field, value, growing=typing and may_grow(piece.field, value)) for value in piece.values
        )
        return (
            User(globs, exclude=piece.exclude)
            if piece.field == "user"
            else Field(piece.field, globs, exclude=piece.exclude)
        )
    value = piece.values[0]
    if not value.quoted:
        match value.text.lower():
            case "error" | "denied" | "read" | "write" as word:
                return Flag(word, exclude=piece.exclude)
            case "alarm":
                return Alarmed(context.levels, exclude=piece.exclude)
    return Word(value.text, exclude=piece.exclude)


def may_grow(field: str, value: Value) -> bool:
    """Whether a value at the end of what is being typed is taken for the beginning of one."""
    wild = "*" in value.text or "?" in value.text
    return bool(field) and field not in _ANYWHERE and not (value.quoted or value.closed or wild)


def _glob(field: str, value: Value, *, growing: bool) -> Glob:
    text = value.text
    if value.quoted or "*" in text or "?" in text:
        return Glob(text, literal=value.quoted)
    if field in _ANYWHERE:
        return Glob(f"*{text}*")
    if growing or (field == "secret" and text.endswith("/")):
        return Glob(f"{text}*")
    return Glob(text)
