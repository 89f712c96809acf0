"""The shape of the tables: one pattern, the messages it matches and those it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from smwatch import patterns


class Case(NamedTuple):
    pattern: str
    matching: tuple[str, ...]
    other: tuple[str, ...]


def case(pattern: str, matching: Iterable[str] = (), other: Iterable[str] = ()) -> object:
    """One row of a table, named by its pattern."""
    return pytest.param(Case(pattern, tuple(matching), tuple(other)), id=pattern)


def check(row: Case) -> None:
    """Ask the pattern about all messages of its row."""
    pattern = patterns.compile(row.pattern)
    found = {message: pattern.matches(message) for message in row.matching + row.other}
    assert found == dict.fromkeys(row.matching, True) | dict.fromkeys(row.other, False)
