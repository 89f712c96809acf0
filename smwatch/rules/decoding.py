"""Rules and facts read from the tables of a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from smwatch import patterns
from smwatch.patterns import Pattern, PatternError
from smwatch.rules.condition import Condition, condition
from smwatch.rules.dimension import Dimension, read_dimension
from smwatch.rules.envelope import Fact, Patterns, Rule
from smwatch.rules.period import Period, period
from smwatch.rules.wrong import Wrongs


def decode_rule(written: Mapping[str, Any]) -> Rule:
    """A rule from its TOML table; a msgspec.ValidationError names the key."""
    return msgspec.convert(written, Rule, dec_hook=_decode)


def decode_fact(written: Mapping[str, Any]) -> Fact:
    """A fact from its TOML table; a msgspec.ValidationError names the key."""
    return msgspec.convert(written, Fact, dec_hook=_decode)


def _decode(kind: type, value: object) -> object:
    try:
        return _DECODERS[kind](value)
    except PatternError as error:
        raise ValueError(f"{error} (character {error.position + 1} of the pattern)") from None


def _pattern(value: object) -> Pattern:
    if not isinstance(value, str):
        raise ValueError("is not a filter pattern")
    return _compiled(value)


@lru_cache(1024)
def _compiled(text: str) -> Pattern:
    # Rules share patterns, and each rule is read twice: where it is written, and as it is in force.
    return patterns.compile(text)


def _patterns(value: object) -> Patterns:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise ValueError("is not a filter pattern or a list of them")
    if len(texts) == 1:
        return Patterns([_pattern(texts[0])])
    wrongs = Wrongs()
    read = [wrongs.read((number,), _pattern, text) for number, text in enumerate(texts)]
    wrongs.raise_any()
    return Patterns(pattern for pattern in read if pattern is not None)


_DECODERS: Mapping[type, Callable[[object], object]] = {
    Patterns: _patterns,
    Dimension: read_dimension,
    Period: period,
    Condition: condition,
}
