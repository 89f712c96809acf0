"""Patterns of terms: `ERROR "two words" -excluded ?optional`.

Recorded: terms are case-sensitive substrings, in any order; all must be there; where every term has a `?` one is
enough; beside any other term those with `?` are ignored; `-"phrase"` works; `" "` is a space character, not
everything; an open quotation and a `*` in a word are refused.
Reported: a word that holds a bracket, colon, comma, slash, backslash, `@`, back quote or non-ASCII character is
refused, and so is `""`; `?"phrase"` works.
Reported too: a word with a hyphen in it is taken, and is not found where it stands. So the hyphen is read as the sign
of an exclusion there as well: `ORDER-ITEM-1` asks for ORDER without ITEM and without 1.
Unknown, and refused because the documentation wants quotation marks: words with any other sign but `_` and `.` in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from smwatch.patterns.nodes import Role, Term, Terms
from smwatch.patterns.reader import Reader

_WORD = re.compile(r"[A-Za-z0-9_.]+")


def parse(text: str) -> Terms:
    """Read a pattern of terms."""
    reader = Reader(text, 0, len(text))
    terms = []
    hyphenated = ""
    reader.skip_space()
    while not reader.done():
        start = reader.at
        terms.append(_term(reader))
        if reader.next == "-" and text[reader.at - 1] != '"':
            hyphenated = hyphenated or text[start:].split(maxsplit=1)[0].lstrip("?-")
        elif reader.next and not reader.next.isspace():
            raise reader.error(
                f"Put a term that contains {reader.shown()} in double quotation marks, and a space after it."
            )
        reader.skip_space()
    return Terms(tuple(terms), hyphenated)


def _term(reader: Reader) -> Term:
    start = reader.at
    role = Role.EXCLUDED if reader.take("-") else Role.OPTIONAL if reader.take("?") else Role.PLAIN
    if role is Role.EXCLUDED:
        reader.skip_space()  # AWS's user guide of 2020 prints `"ERROR" - "Exiting"`
    if reader.next == '"':
        text = reader.quoted()
        if not text:
            raise reader.error('Leave the pattern empty to match everything: "" is refused.', start)
    else:
        text = reader.match(_WORD)
    if not text and (reader.done() or reader.next.isspace()):
        raise reader.error(f"Write a term directly after {role}.")
    if not text:
        raise reader.error(f"Put a term that contains {reader.shown()} in double quotation marks.")
    return Term(text, role)


def matcher(pattern: Terms) -> Callable[[str], bool]:
    """Compile to a question about a message."""
    optional = tuple(term.text for term in pattern.terms if term.role is Role.OPTIONAL)
    if optional and len(optional) == len(pattern.terms):
        return _some(optional)
    wanted = tuple(term.text for term in pattern.terms if term.role is Role.PLAIN)
    unwanted = tuple(term.text for term in pattern.terms if term.role is Role.EXCLUDED)
    if not unwanted and len(wanted) == 1:
        (word,) = wanted
        return lambda message: word in message
    return _all(wanted, unwanted)


def _some(texts: tuple[str, ...]) -> Callable[[str], bool]:
    def matches(message: str) -> bool:
        for text in texts:  # noqa: SIM110 - a generator would cost more than the question
            if text in message:
                return True
        return False

    return matches


def _all(wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> Callable[[str], bool]:
    def matches(message: str) -> bool:
        for text in wanted:
            if text not in message:
                return False
        for text in unwanted:  # noqa: SIM110 - a generator would cost more than the question
            if text in message:
                return False
        return True

    return matches
