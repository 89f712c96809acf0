"""A filter pattern, compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from smwatch.patterns import conditions, fields, records, regex, regex_syntax, terms, traces
from smwatch.patterns.errors import PatternError
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Condition, Field, Fields, Regex, Selector, Syntax, Terms
from smwatch.record import Record, decode

MAX_LENGTH = 1024
"""Characters in a pattern; the limit of every API that takes one."""

_CLOSING = {"{": "}", "[": "]"}


class Kind(StrEnum):
    """Which of its grammars a pattern is written in."""

    TERMS = "terms"
    REGEX = "regex"
    JSON = "json"
    DELIMITED = "delimited"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled filter pattern; make one with `compile`."""

    text: str
    """The pattern as it was given."""
    kind: Kind
    syntax: Syntax
    """The parsed form."""
    matches: Callable[[str], bool] = field(repr=False, compare=False)
    """Whether CloudWatch Logs would find the log event with this message."""
    ask_record: Callable[[Record], bool] | None = field(default=None, repr=False, compare=False)
    """For a JSON pattern the bare question about a record, for loops that cannot spare a call; None for the others."""

    def matches_record(self, record: Record, message: str | Callable[[], str]) -> bool:
        """Answer as `matches` does, for a message that `smwatch.record.decode` made a record of.

        A JSON pattern looks at the record alone, all others at the message alone. `message` may be a function that
        makes it, which is then called for those only.
        """
        if self.ask_record:
            return self.ask_record(record)
        return self.matches(message if isinstance(message, str) else message())

    @property
    def hyphenated(self) -> str:
        """A word that a hyphen cuts into terms, which its writer may have meant to find as one; "" for none."""
        return self.syntax.hyphenated if isinstance(self.syntax, Terms) else ""

    @property
    def has_regex(self) -> bool:
        """Whether there is a regular expression in it: a log group takes few filters with one."""
        match self.syntax:
            case Regex():
                return True
            case Terms():
                return False
            case Fields(fields):
                tests = [test for field in fields if isinstance(field, Field) for each in field.tests for test in each]
                return any(isinstance(test.literal, Regex) for test in tests)
            case condition:
                return _has_regex(condition)

    def required_values(self, selector: str) -> frozenset[str] | None:
        """Which strings `selector` (`$.eventName`) must be one of for a match; None if that is not known.

        An empty set says that nothing can match. A record whose value is not among them need not be asked about.
        """
        if not self.ask_record:
            return None
        assert not isinstance(self.syntax, (Terms, Regex, Fields))
        return _required(self.syntax, conditions.parse_selector(selector))


def compile(text: str) -> Pattern:  # noqa: A001 - patterns.compile, as there is re.compile
    """Compile a filter pattern, or say with a PatternError what CloudWatch Logs would refuse."""
    match syntax := parse(text):
        case Terms():
            return Pattern(text, Kind.TERMS, syntax, terms.matcher(syntax))
        case Regex(source):
            return Pattern(text, Kind.REGEX, syntax, regex.searcher(source))
        case Fields():
            return Pattern(text, Kind.DELIMITED, syntax, fields.matcher(syntax))
        case _:
            ask = records.matcher(syntax)
            return Pattern(text, Kind.JSON, syntax, traces.at_first(syntax, partial(_decoded, ask)), ask)


def parse(text: str) -> Syntax:
    """Read a filter pattern of any grammar."""
    if len(text) > MAX_LENGTH:
        raise PatternError(f"Shorten the pattern to {MAX_LENGTH:,} characters: it has {len(text):,}.", MAX_LENGTH)
    start = len(text) - len(text.lstrip())
    trimmed = text.rstrip()
    first = trimmed[start : start + 1]
    end = len(trimmed) - 1
    if (closing := _CLOSING.get(first)) and not (trimmed.endswith(closing) and end > start):
        raise PatternError(f"End a pattern that begins with {first} with {closing}.", len(trimmed))
    if first == "{":
        return conditions.parse(trimmed, start, end)
    if first == "[":
        return fields.parse(trimmed, start, end)
    if first == "%" and end > start and trimmed[end] == "%":
        found = Regex(trimmed[start + 1 : end])
        regex_syntax.parse(found.source, start + 1)
        return found
    return terms.parse(trimmed)


def matching(pattern: Pattern, lines: Iterable[str]) -> Iterator[str]:
    """The lines that match, without their newlines; an empty line is no log event and never does."""
    for line in lines:
        message = line.removesuffix("\n").removesuffix("\r")
        if message and pattern.matches(message):
            yield message


def _decoded(ask: Callable[[Record], bool], message: str) -> bool:
    try:
        record = decode(message)
    except ValueError:
        return False
    return ask(record)


def _has_regex(condition: Condition) -> bool:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return any(map(_has_regex, parts))
        case Compare(_, _, literal):
            return isinstance(literal, Regex)
        case _:
            return False


def _required(condition: Condition, selector: Selector) -> frozenset[str] | None:
    match condition:
        case AllOf(parts):
            known = [values for part in parts if (values := _required(part, selector)) is not None]
            return frozenset.intersection(*known) if known else None
        case AnyOf(parts):
            each = [_required(part, selector) for part in parts]
            known = [values for values in each if values is not None]
            return frozenset.union(*known) if len(known) == len(each) else None
        case Compare(selected, _, _) if selected == selector:
            text = records.plain_text(condition)
            return None if text is None else frozenset({text})
        case _:
            return None
