"""The regular expressions of filter patterns, searched in time linear in the text.

Where an expression alone bounds the work for each character of the text, Python's `re` searches. Otherwise (there is a
`*`, a `+` or much that may or may not come) `re` finds where its fixed beginning is, and an automaton goes on from
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from smwatch.patterns.automaton import Automaton, Line
from smwatch.patterns.regex_syntax import OTHERS, Alternative, Item, length, parse

MAX_WORK = 512
"""How many steps for each character of the text are left to `re`."""
MAX_BEGINNING = 32
"""How many characters of an expression `re` looks for before the automaton starts."""


def searcher(source: str) -> Callable[[str], bool]:
    """Compile a regular expression to the question whether it is found in a text."""
    alternatives = parse(source)
    if not alternatives:
        return lambda _text: False
    if any(not alternative.items and not (alternative.at_start and alternative.at_end) for alternative in alternatives):
        return lambda _text: True
    if sum(work(alternative) for alternative in alternatives) <= MAX_WORK:
        search = re.compile("|".join(_python(alternative) for alternative in alternatives)).search
        return lambda text: search(text) is not None
    start = re.compile("|".join(_python(_beginning(alternative)) for alternative in alternatives)).search
    found = Automaton([_line(alternative) for alternative in alternatives]).found
    return lambda text: (begin := start(text)) is not None and found(text, begin.start())


def work(alternative: Alternative) -> int:
    """How many steps `re` can take from one starting point, at worst; above MAX_WORK without an upper bound."""
    work = length(alternative) + 1
    for item in alternative.items:
        if item.most is None:
            return MAX_WORK + 1
        work *= item.most - item.least + 1
    return work


def _beginning(alternative: Alternative) -> Alternative:
    """The first characters of an alternative, up to where it begins to vary."""
    items: list[Item] = []
    room = MAX_BEGINNING
    for item in alternative.items:
        least = min(item.least, room)
        room -= least
        items.append(Item(item.characters, least, least))
        if item.most != least:
            break
    return Alternative(tuple(item for item in items if item.least), alternative.at_start)


def _python(alternative: Alternative) -> str:
    """Write an alternative in the syntax of `re`."""
    items = "".join(_python_set(item.characters) + _python_count(item) for item in alternative.items)
    return (r"\A" if alternative.at_start else "") + items + (r"(?=\n?\Z)" if alternative.at_end else "")


def _python_set(characters: int) -> str:
    members = []
    code = 0
    while code < 256:
        if characters >> code & 1:
            last = code
            while last < 255 and characters >> (last + 1) & 1:
                last += 1
            members.append(f"\\x{code:02x}" if last == code else f"\\x{code:02x}-\\x{last:02x}")
            code = last
        code += 1
    if characters & OTHERS:
        members.append("\\u0100-\\U0010ffff")
    return f"[{''.join(members)}]" if members else r"(?!)"


def _python_count(item: Item) -> str:
    return "" if (item.least, item.most) == (1, 1) else f"{{{item.least},{'' if item.most is None else item.most}}}"


def _line(alternative: Alternative) -> Line:
    """Count the repetitions of an alternative out, for the automaton."""
    sets: list[int] = []
    loops: list[bool] = []
    skips: list[bool] = []
    for item in alternative.items:
        if item.most is None:
            fixed, varying = max(item.least, 1), 0
        else:
            fixed, varying = item.least, item.most - item.least
        sets += [item.characters] * (fixed + varying)
        loops += [False] * (fixed + varying)
        skips += [False] * fixed + [True] * varying
        if item.most is None:
            loops[-1], skips[-1] = True, item.least == 0
    return Line(tuple(sets), tuple(loops), tuple(skips), alternative.at_start, alternative.at_end)
