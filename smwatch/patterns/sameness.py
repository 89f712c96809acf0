"""Whether two patterns ask the same, and the same pattern in fewer characters."""

from __future__ import annotations

import re

from smwatch.patterns.errors import PatternError
from smwatch.patterns.nodes import AllOf, AnyOf
from smwatch.patterns.pattern import Kind, Pattern, parse

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|\[\'[^\']++\'\]|\s++|(?:(?!\[\')[^"\s])++', re.DOTALL)
_ALONE = re.compile(r'\(([^()"&|]*+(?:"(?:[^"\\]|\\.)*+")?)\)', re.DOTALL)
"""One condition in parentheses of its own."""
_PLAIN = re.compile(r'(?<==)"([A-Za-z][A-Za-z0-9_.]*+)"(?=[)&|}])')
"""A value that needs no quotation marks."""
_WORD = re.compile(r"\w", re.ASCII)


def same_pattern(one: str, other: str) -> bool:
    """Whether two filter patterns are the same: how they are spaced and in what order they say it does not matter."""
    try:
        return one == other or _meaning(parse(one)) == _meaning(parse(other))
    except PatternError:
        return False


def shortened(pattern: Pattern) -> str:
    """A JSON pattern without the spaces, parentheses and quotation marks that nobody needs.

    Any other pattern, or one with a regular expression, is left as it is.
    """
    if pattern.kind is not Kind.JSON or pattern.has_regex:
        return pattern.text
    tokens = _TOKEN.findall(pattern.text)
    kept = [
        token if not token.isspace() else " " if _WORD.match(before[-1:]) and _WORD.match(after) else ""
        for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    ]
    short = _ALONE.sub(r"\1", _PLAIN.sub(r"\1", "".join(kept)))
    return short if same_pattern(short, pattern.text) else pattern.text  # keys may hold anything


def _meaning(syntax: object) -> object:
    if isinstance(syntax, AllOf | AnyOf):
        return type(syntax), frozenset(_meaning(part) for part in syntax.parts)
    return syntax
