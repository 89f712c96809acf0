"""What msgspec has against the type of a value, in the words of TOML: for the config and for rules files."""

from __future__ import annotations

import re

_TYPES = re.compile("Expected `(.*)`, got `(.*)`")
_WORDS = {
    "object": "a table",
    "array": "a list",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a time",
}


def explained(sentence: str) -> str | None:
    """What is allowed, and what was written: "is a text, not a list"; None for a sentence about anything else."""
    found = _TYPES.fullmatch(sentence)
    if found is None:
        return None
    wanted = " or ".join(_WORDS.get(each, each) for each in found[1].split(" | ") if each != "null")
    return f"is {wanted}, not {_WORDS.get(found[2], found[2])}"
