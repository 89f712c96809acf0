"""Space-delimited patterns: `[ip, user, ..., status = 4*, bytes > 1000]`.

Recorded or documented: a message is split at spaces and tabs, `[…]` and `"…"` being one field each, and an opening
quotation mark that is never closed an ordinary character; fewer fields than the pattern names are no match, more are;
without `...` the last field is the rest of the line, as it stands; `...` stands for any number of fields, none
included, once, and those after it are counted from the end; `[]` matches everything; names are optional and not
repeated; a field's conditions are about that field.
Unknown, and decided so: newlines split too; an opening bracket that is never closed is an ordinary character; `= 404`
is equal to a field that is the same text or the same number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

from smwatch.patterns.literals import ORDER, Ask, equals
from smwatch.patterns.nodes import Field, Fields, FieldTest, Numeral, Operator, Rest
from smwatch.patterns.reader import NUMBER, Reader, exact

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SPACES = " \t\r\n\f\v"
_BRACKETS, _QUOTATION, _RUN = r"\[([^\]]*+)\]", r'"([^"]*+)"', f"([^{_SPACES}]++)"


def _token(*alternatives: str) -> re.Pattern[str]:
    return re.compile(f"[{_SPACES}]*+(?:{'|'.join(alternatives)})")


_TOKEN = {
    (True, True): _token(_BRACKETS, _QUOTATION, _RUN),
    (True, False): _token(_BRACKETS, _RUN),
    (False, True): _token(_QUOTATION, _RUN),
    (False, False): _token(_RUN),
}
"""The next token, by whether there are brackets and quotation marks further on that could close one."""


def parse(text: str, start: int, end: int) -> Fields:
    """Read a pattern whose opening bracket is at `start` and whose closing bracket is at `end`."""
    reader = Reader(text, start + 1, end)
    reader.skip_space()
    if reader.done():
        return Fields(())
    fields: list[Field | Rest] = []
    seen: set[str] = set()
    while True:
        reader.skip_space()
        start = reader.at
        field: Field | Rest = Rest() if reader.take("...") else _field(reader)
        name = "..." if isinstance(field, Rest) else field.name
        if name and name in seen:
            raise reader.error(f"Use {name} only once.", start)
        seen.add(name)
        fields.append(field)
        reader.skip_space()
        if reader.done():
            return Fields(tuple(fields))
        if not reader.take(","):
            raise reader.error("Put a comma between two fields.")


def _field(reader: Reader) -> Field:
    name = reader.match(_NAME)
    reader.skip_space()
    if not name and not reader.done() and reader.next != ",":
        raise reader.error("Begin a field with its name: letters, digits, _ and -.")
    if reader.next not in "=!<>" or reader.done():
        return Field(name)
    alternatives: list[list[FieldTest]] = [[]]
    while True:
        if not (operator := reader.operator()):
            raise reader.error("Write a comparison: =, !=, <, >, <= or >=.")
        alternatives[-1].append(FieldTest(operator, reader.literal(operator)))
        reader.skip_space()
        if reader.take("||"):
            alternatives.append([])
        elif not reader.take("&&"):
            return Field(name, tuple(tuple(tests) for tests in alternatives))
        reader.skip_space()
        start = reader.at
        if reader.match(_NAME) != name:
            raise reader.error(f"Compare only {name} here: each field has its own conditions.", start)
        reader.skip_space()


def matcher(pattern: Fields) -> Callable[[str], bool]:
    """Compile to a question about a message."""
    fields = pattern.fields
    if all(isinstance(field, Rest) for field in fields):
        return lambda _message: True
    if Rest() not in fields:
        return _counted([_ask(field) for field in fields if isinstance(field, Field)])
    gap = fields.index(Rest())
    before = [_ask(field) for field in fields[:gap] if isinstance(field, Field)]
    after = [_ask(field) for field in fields[gap + 1 :] if isinstance(field, Field)]
    return _open_ended(before, after)


def _counted(asks: list[Ask]) -> Callable[[str], bool]:
    *leading, last = asks

    def matches(message: str) -> bool:
        tokens = _tokens(message)
        for ask in leading:
            if not (token := next(tokens, None)) or not ask(token[0]):
                return False
        if not (token := next(tokens, None)):
            return False
        text, start = token
        return last(text if next(tokens, None) is None else message[start:].rstrip(_SPACES))

    return matches


def _open_ended(before: list[Ask], after: list[Ask]) -> Callable[[str], bool]:
    if not after:

        def matches_start(message: str) -> bool:
            texts = [text for text, _ in islice(_tokens(message), len(before))]
            return len(texts) == len(before) and all(ask(text) for ask, text in zip(before, texts, strict=True))

        return matches_start

    def matches(message: str) -> bool:
        texts = [text for text, _ in _tokens(message)]
        return (
            len(texts) >= len(before) + len(after)
            and all(ask(text) for ask, text in zip(before, texts, strict=False))
            and all(ask(text) for ask, text in zip(after, texts[-len(after) :], strict=True))
        )

    return matches


def _tokens(message: str) -> Iterator[tuple[str, int]]:
    """Split a message: each token without its brackets or quotation marks, and where it starts.

    After the last closing mark of a kind, an opening one is taken for a character like any other without a search: each
    search would go through all that is left of the message.
    """
    last_bracket, last_quotation = message.rfind("]"), message.rfind('"')
    at = 0
    while token := _TOKEN[at < last_bracket, at < last_quotation].match(message, at):
        at = token.end()
        group = token.lastindex
        assert group
        marked = group < token.re.groups
        yield token[group], token.start(group) - marked


def _ask(field: Field) -> Ask:
    alternatives = [[_test(test) for test in tests] for tests in field.tests]
    match alternatives:
        case []:
            return lambda _text: True
        case [[test]]:
            return test
        case _:
            return lambda text: any(all(test(text) for test in tests) for tests in alternatives)


def _test(test: FieldTest) -> Ask:
    literal = test.literal
    if order := ORDER.get(test.operator):
        assert isinstance(literal, Numeral)
        limit = literal.value
        return lambda text: (number := _number(text)) is not None and order(number, limit)
    equal = equals(literal)
    if isinstance(literal, Numeral):
        value, same_text = literal.value, equal
        equal = lambda text: same_text(text) or _number(text) == value  # noqa: E731 - one of two closures
    if test.operator is Operator.EQ:
        return equal
    return lambda text: not equal(text)


def _number(text: str) -> int | float | None:
    """Read a field as a number, a very long one as a float, which takes no more time than its length."""
    return exact(text) if NUMBER.fullmatch(text) else None
