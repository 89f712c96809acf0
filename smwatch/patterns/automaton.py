"""An automaton that searches a text in one pass, whatever the regular expression and whatever the text.

Its states are sets of positions, kept as the bits of an integer and found by a few operations on it (Shift-And, with
loops and positions that can be skipped); each step taken once is remembered, so that most characters cost one
look-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_REMEMBERED = 5_000
"""Steps kept before all are forgotten: some megabytes at most, for text made to visit ever new states."""


@dataclass(frozen=True, slots=True)
class Line:
    """Characters expected one after the other; each a set of them (see `regex_syntax.ANY`)."""

    sets: tuple[int, ...]
    loops: tuple[bool, ...]
    """Which may come again and again."""
    skips: tuple[bool, ...]
    """Which need not come."""
    at_start: bool
    at_end: bool


class _Decided(Exception):  # noqa: N818 - not an error: the way out of the loop that costs its steps nothing
    """What follows in the text cannot change the answer."""

    def __init__(self, found: bool) -> None:
        super().__init__()
        self.found = found


class _State(dict[str, "_State"]):
    """Where the automaton is after some text, and the steps from there that were taken before."""

    __slots__ = ("automaton", "bits")

    def __init__(self, automaton: Automaton, bits: int) -> None:
        super().__init__()
        self.automaton = automaton
        self.bits = bits

    def __missing__(self, character: str) -> _State:
        state = self.automaton.step(self, character)
        self[character] = state
        return state


class Automaton:
    """Several lines, searched for at once."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._begin = self._begin_at_start = self._loops = self._final = self._final_at_end = 0
        # For each run of skippable positions: the position before it, all of it, and its last one.
        self._before = self._skips = self._last = 0
        base = 0
        for line in lines:
            self._begin_at_start |= 1 << base
            if not line.at_start:
                self._begin |= 1 << base
            for place, (loop, skip) in enumerate(zip(line.loops, line.skips, strict=True)):
                bit = 1 << (base + place + 1)
                self._loops |= bit if loop else 0
                if skip:
                    self._skips |= bit
                    self._before |= bit >> 1 if not place or not line.skips[place - 1] else 0
                    self._last |= bit if place + 1 == len(line.skips) or not line.skips[place + 1] else 0
            final = 1 << (base + len(line.sets))
            if line.at_end:
                self._final_at_end |= final
            else:
                self._final |= final
            base += len(line.sets) + 1
        self._expected: dict[int, int] = {}
        self._states: dict[int, _State] = {}
        self._remembered = 0

    def found(self, text: str, start: int) -> bool:
        """Whether a line is found that begins at or after `start`."""
        state = self._state(self._skipped(self._begin if start else self._begin_at_start))
        newline = bool(self._final_at_end) and text.endswith("\n") and len(text) > start
        try:
            for character in text[start : len(text) - newline]:
                state = state[character]
            if state.bits & self._final_at_end:
                return True
            return newline and bool(state["\n"].bits & self._final_at_end)
        except _Decided as decided:
            return decided.found

    def step(self, state: _State, character: str) -> _State:
        """Find the state after one more character."""
        bits = state.bits
        expected = self._characters(min(ord(character), 256))
        bits = self._skipped(bits << 1 & expected | bits & self._loops & expected | self._begin)
        if bits & self._final or not bits:
            raise _Decided(found=bool(bits))
        self._remembered += 1
        if self._remembered > MAX_REMEMBERED:
            self._states = {}
            self._remembered = 0
        return self._state(bits)

    def _state(self, bits: int) -> _State:
        if (state := self._states.get(bits)) is None:
            state = self._states[bits] = _State(self, bits)
        return state

    def _skipped(self, bits: int) -> int:
        """Add the positions reached by skipping: in each run, all from the first one set (borrowing stops there)."""
        filled = bits | self._last
        return bits | self._skips & (~(filled - self._before) ^ filled)

    def _characters(self, code: int) -> int:
        """The positions that a character leads to; 256 stands for all above U+00FF."""
        if (expected := self._expected.get(code)) is None:
            expected, base = 0, 0
            for line in self._lines:
                for place, characters in enumerate(line.sets, base + 1):
                    expected |= (characters >> code & 1) << place
                base += len(line.sets) + 1
            self._expected[code] = expected
        return expected
