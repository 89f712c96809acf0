"""JSON text to a CloudTrail record, exactly: numbers remember how they were written, the last of equal keys wins."""

from __future__ import annotations

from typing import Any

import msgspec

Record = dict[str, Any]
"""A CloudTrail record as decoded from JSON: the keys and shapes of the "record contents" page of AWS's
CloudTrail user guide, none of which can be relied on."""


class Number(float):
    """A JSON number with a fraction or exponent, which remembers its source text (filter patterns compare it)."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Number:
        """Read `text`, a JSON number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


_decoder = msgspec.json.Decoder(float_hook=Number)


def decode(raw: str | bytes) -> Record:
    """Decode one record; a ValueError of one line says why it is not a JSON object."""
    try:
        value = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__}, not an object")
    return value
