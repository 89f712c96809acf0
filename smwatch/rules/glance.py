"""What rules ask about the fields of a record, answered from its header or JSON text without decoding the rest.

Serves the row "rules" of the benchmarks: decoding a whole record is a third of what that may cost, and rules look at a
few of its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import count
from operator import attrgetter, getitem
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct

from smwatch.events.event import Arrival
from smwatch.events.header import Header
from smwatch.patterns.nodes import Key, Selector
from smwatch.record import Number, Record

REMEMBERED = 4096
"""Texts of one field whose answers are remembered, before all are forgotten."""

Question: TypeAlias = Callable[[Record], Hashable]
Look: TypeAlias = tuple[Selector, Question]
"""A question about what a selector selects, and nothing else."""
Answers: TypeAlias = tuple[int, ...]
"""Of each field a number: values with the same number have the same answers to all questions about it."""

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a field."""
OfHeader: TypeAlias = Callable[[Sequence[Path]], Callable[[Header], Sequence[Any]] | None]


class Glance:
    """Asks questions of records, each about the value of one field."""

    __slots__ = ("_answers", "_of_header", "_paths", "_places", "_read", "_values", "_wholly")

    def __init__(
        self, looks: Iterable[Look], of_header: OfHeader = lambda _paths: None, remembered: Remembered | None = None
    ) -> None:
        """`of_header`: finds what reads these fields off a header, if anything does; `remembered`: by other glances."""
        remembered = {} if remembered is None else remembered
        asked: dict[Path, list[Question]] = {}
        for selector, question in dict.fromkeys(looks):
            asked.setdefault(path_of(selector), []).append(question)
        for path in tuple(asked):
            # What is also asked about as a whole is read as a whole.
            outer = next((path[:end] for end in range(len(path)) if path[:end] in asked), None)
            if outer is not None:
                asked[outer] += asked.pop(path)
        self._paths = sorted(asked)
        self._answers: list[_Answers] = []
        for path in self._paths:
            key = path, tuple(asked[path])
            self._answers.append(remembered.setdefault(key, _Answers(*key)))
        self._of_header = of_header(self._paths)
        self._wholly = self._paths == [()]
        part, places = _part(self._paths)
        self._places = [place.split(".") for place in places]
        # A getter of one attribute returns it bare.
        self._values: Callable[[Any], Sequence[Any]] = (
            attrgetter(*places) if len(places) > 1 else lambda found: [attrgetter(place)(found) for place in places]
        )
        self._read = msgspec.json.Decoder(part, float_hook=Number).decode

    def answers(self, arrival: Arrival) -> Answers:
        """The answers for one record."""
        if not self._paths:
            return ()
        values: Sequence[Any]
        try:
            if self._of_header is not None and arrival.header is not None:
                values = self._of_header(arrival.header)
            elif arrival.decoded is not None or self._wholly:
                values = [_at(arrival.record, path) for path in self._paths]
            else:
                found = self._read(arrival.raw)
                values = self._values(found)
        except AttributeError:  # null stands for a part
            values = [_of_part(found, place) for place in self._places]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):  # something around a field is no object
            values = [_at(arrival.record, path) for path in self._paths]
        try:
            return tuple(map(getitem, self._answers, values))
        except TypeError:  # a value that is an object or a list
            return tuple(
                [
                    answers.of(value) if type(value) in _UNHASHABLE else answers[value]
                    for answers, value in zip(self._answers, values, strict=True)
                ]
            )


_UNHASHABLE = frozenset((dict, list))
_CERTAIN = frozenset((str, tuple))
_numbers = count()


class _Answers(dict[Any, int]):
    """The answers to all questions about one field, for each of its values that is a text, null or missing.

    And for resources as their ARNs.
    """

    __slots__ = ("_numbers", "_path", "_questions")

    def __init__(self, path: Path, questions: Sequence[Question]) -> None:
        super().__init__()
        self._path = path
        self._questions = questions
        self._numbers: dict[tuple[Hashable, ...], int] = {}

    def __missing__(self, value: Any) -> int:
        answers = self.of(value)
        if type(value) in _CERTAIN or value is None or value is UNSET:  # 1 and True are equal, but not to a pattern
            if len(self) >= REMEMBERED:
                self.clear()
            self[value] = answers
        return answers

    def of(self, value: Any) -> int:
        """Ask about this value."""
        record: Any = [{"ARN": arn} for arn in value] if type(value) is tuple else value
        for key in reversed(self._path):
            record = {key: record} if record is not UNSET else {}
        answers = tuple([question(record) for question in self._questions])
        number = self._numbers.get(answers)
        if number is None:
            if len(self._numbers) >= REMEMBERED:
                self._numbers.clear()
            number = self._numbers[answers] = next(_numbers)
        return number


Remembered: TypeAlias = dict[tuple[Path, tuple[Question, ...]], _Answers]
"""What was answered to the same questions about one field: a caller new to one call is new to others too."""


def path_of(selector: Selector) -> Path:
    """The keys a selector begins with: what they lead to is the field that has to be read."""
    keys: list[str] = []
    for step in selector.steps:
        if not isinstance(step, Key):
            break
        keys.append(step.name)
    return tuple(keys)


def _part(paths: Sequence[Path]) -> tuple[type[Struct], list[str]]:
    """A type with the fields at these paths, and where in it they are, as attrgetter takes it."""
    keys = sorted({path[0] for path in paths if path})
    places = dict.fromkeys(paths, "")
    fields: list[tuple[str, Any, Any]] = []
    for number, key in enumerate(keys):
        name = f"f{number}"
        inner = [path[1:] for path in paths if path[:1] == (key,) and len(path) > 1]
        if inner:
            part, within = _part(inner)
            fields.append((name, part | None, msgspec.field(default_factory=part)))
            places |= {(key, *path): f"{name}.{place}" for path, place in zip(inner, within, strict=True)}
        else:
            fields.append((name, Any, UNSET))
            places[(key,)] = name
    names = {name: key for (name, _, _), key in zip(fields, keys, strict=True)}
    return msgspec.defstruct("Part", fields, rename=names, gc=False), [places[path] for path in paths]


def _at(record: Any, path: Path) -> Any:
    """The value at a path of a record, if its keys lead anywhere."""
    for key in path:
        if type(record) is not dict:
            return UNSET
        record = record.get(key, UNSET)
    return record


def _of_part(found: Any, place: Sequence[str]) -> Any:
    for name in place:
        if found is None:
            return UNSET
        found = getattr(found, name)
    return found
