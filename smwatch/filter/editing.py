"""Filters as text that is edited: completion, and keys that put a term in or take it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from smwatch.filter.field import FIELDS
from smwatch.filter.language import WORDS, FilterError, Piece, may_grow, pieces

MOST = 50
"""Completions offered at once."""


class Option(msgspec.Struct, frozen=True):
    """One way to complete what is being typed."""

    text: str
    """What takes the place of what is there from `start` to `end`."""
    shown: str
    """The value or word itself."""
    about: str = ""
    """What it means, for fields and words."""


class Completion(msgspec.Struct, frozen=True):
    """What can be put in the place of the text from `start` to `end`."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(text: str, cursor: int, known: Callable[[str], Iterable[str]]) -> Completion:
    """Ways to complete the term at the cursor: the names of fields, words of the language, and `known` values.

    `known` gives the values seen of a field, in the order in which they are to be offered (`Store.known`). What cannot
    be seen or quoted is never offered.
    """
    head = text[:cursor]
    nothing = Completion(cursor, cursor, ())
    if head.lstrip().startswith("{"):
        return nothing
    try:
        found = list(pieces(head))
    except FilterError:
        return nothing
    piece = found[-1] if found and found[-1].end == cursor else None
    if piece is None or not piece.field:
        return _words(text, cursor, piece)
    typed = "" if head[-1] in ":," or not piece.values else piece.values[-1].text
    quoted = bool(typed) and piece.values[-1].quoted
    if quoted and piece.values[-1].closed:
        return nothing
    start = cursor - len(typed) - (1 if quoted else 0)
    fitting = _fitting(typed, known(piece.field))
    return Completion(start, _end(text, cursor), tuple(Option(_quoted(value), value) for value in fitting))


def finished(text: str, known: Callable[[str], Iterable[str]]) -> str:
    """The filter to keep when the typing ends: a value that was shown as a beginning says so, with a `*`.

    That is the one at the end, if it begins some of the `known` values (see `complete`) but is none of them.
    """
    text = text.strip()
    found = _pieces(text)
    last = found[-1] if found else None
    if last is None or not last.values or not may_grow(last.field, last.values[-1]):
        return text
    typed = last.values[-1].text.lower()
    values = [value.lower() for value in known(last.field)]
    begins = typed not in values and any(value.startswith(typed) for value in values)
    return f"{text}*" if begins else text


def with_values(text: str, field: str, values: Iterable[str]) -> str:
    """The filter with `field:` terms replaced by one that takes any of `values`; without them for no values."""
    term = f"{field}:{','.join(map(_quoted, values))}"
    kept = [text[piece.start : piece.end] for piece in _pieces(text) if piece.field != field or piece.exclude]
    return " ".join([*kept, term] if not term.endswith(":") else kept)


def values_of(text: str, field: str) -> tuple[str, ...]:
    """The values that the filter's `field:` terms ask for."""
    found = [piece for piece in _pieces(text) if piece.field == field and not piece.exclude]
    return tuple(value.text for piece in found for value in piece.values)


def toggled(text: str, term: str) -> str:
    """The filter with a term (`error`, `-user:lambda`) added, or without it if it is there."""
    found = [text[piece.start : piece.end] for piece in _pieces(text)]
    return " ".join([one for one in found if one != term] if term in found else [*found, term])


def _pieces(text: str) -> list[Piece]:
    """The terms; none for a filter pattern or what is refused: there a key starts a new filter."""
    try:
        return [] if text.lstrip().startswith("{") else list(pieces(text))
    except FilterError:
        return []


def _words(text: str, cursor: int, piece: Piece | None) -> Completion:
    start = cursor if piece is None else piece.start + piece.exclude
    typed = text[start:cursor].lower()
    if typed.startswith('"'):
        return Completion(cursor, cursor, ())
    options = [Option(f"{name}:", f"{name}:", about) for name, about in FIELDS.items() if name.startswith(typed)]
    options += [Option(word, word, about) for word, about in WORDS.items() if word.startswith(typed)]
    return Completion(start, _end(text, cursor), tuple(options))


def _end(text: str, cursor: int) -> int:
    """Where the word at the cursor ends."""
    while cursor < len(text) and not text[cursor].isspace() and text[cursor] != ",":
        cursor += 1
    return cursor


def _fitting(typed: str, values: Iterable[str]) -> list[str]:
    """The values that begin with what was typed, then those that hold it."""
    typed = typed.lower()
    begin: list[str] = []
    hold: list[str] = []
    for value in values:
        if not value or not value.isprintable() or '"' in value:
            continue
        at = value.lower().find(typed)
        if at == 0:
            begin.append(value)
        elif at > 0:
            hold.append(value)
    return [*begin, *hold][:MOST]


def _quoted(value: str) -> str:
    """The value as it has to be typed to mean itself."""
    plain = not any(character.isspace() or character in '",*?' for character in value)
    return value if plain and value else f'"{value}"'
