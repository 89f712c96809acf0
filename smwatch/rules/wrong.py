"""What is wrong with a value of a rules file, and where in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from smwatch.patterns import PatternError

S = TypeVar("S")
T = TypeVar("T")
Place = tuple[str | int, ...]
"""Where a value is: the keys and list positions that lead to it."""


def told(place: Place) -> str:
    """A place as it is written: count.min, only[0]."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


class WrongError(ValueError):
    """A value can't be read: (place within it, sentence) for each thing that is wrong."""

    def __init__(self, problems: Sequence[tuple[Place, str]]) -> None:
        super().__init__("; ".join(sentence for _, sentence in problems))
        self.problems = tuple(problems)


class Wrongs:
    """Collects what is wrong with the parts of a value, so that all of it can be said at once."""

    def __init__(self) -> None:
        self.problems: list[tuple[Place, str]] = []

    def note(self, place: Place, sentence: str) -> None:
        """Something is wrong there."""
        self.problems.append((place, sentence))

    def read(self, place: Place, reader: Callable[[S], T], value: S) -> T | None:
        """What a reader makes of a part; None, and a note, if it refuses that with a ValueError."""
        try:
            return reader(value)
        except WrongError as error:
            self.problems += [((*place, *inner), sentence) for inner, sentence in error.problems]
        except PatternError as error:
            self.note(place, f"{error} (character {error.position + 1} of the pattern)")
        except ValueError as error:
            self.note(place, str(error))
        return None

    def raise_any(self) -> None:
        """Refuse the whole if something was wrong with it."""
        if self.problems:
            raise WrongError(self.problems)
