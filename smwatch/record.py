"""JSON text to a CloudTrail record and back: numbers remember how they were written, the last of equal keys wins."""

from __future__ import annotations

from typing import Any, NoReturn

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


def _encoded(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"a {type(value).__name__} is not JSON")


_decoder = msgspec.json.Decoder(float_hook=Number)
_encoder = msgspec.json.Encoder(enc_hook=_encoded)
_sorted_encoder = msgspec.json.Encoder(enc_hook=_encoded, order="sorted")


def decode(raw: str | bytes) -> Record:
    """Decode one record; a ValueError of one line says why it is not a JSON object."""
    try:
        value = _decoder.decode(raw)
    except msgspec.DecodeError as error:
        value = _decode_slowly(raw, error)
    except (UnicodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__}, not an object")
    return value


def encode(value: Any, *, ordered: bool = False) -> str:
    """Compact JSON text of a record or a value in one; `ordered` sorts keys, so that equal values have equal texts."""
    return (_sorted_encoder if ordered else _encoder).encode(value).decode()


def whole(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which no file, terminal or database can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decode_slowly(raw: str | bytes, error: Exception) -> Any:
    """What the fast decoder refuses although it is JSON: half a surrogate pair (shown as U+FFFD), a huge integer.

    Whoever makes a request chooses what is in its record, and must not be able to hide it that way.
    """
    import json  # rarely needed, and takes 2 ms to load: serves "first-…-whole"

    try:
        value = json.loads(raw, parse_float=Number, parse_int=_integer, parse_constant=_refuse)
        return _without_halves(value)
    except (ValueError, RecursionError):
        raise ValueError(f"not JSON: {error}") from None


def _integer(text: str) -> int | Number:
    return int(text) if len(text) < 1000 else Number(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _without_halves(value: Any) -> Any:
    match value:
        case str():
            return whole(value)
        case list():
            return [_without_halves(item) for item in value]
        case dict():
            return {_without_halves(key): _without_halves(item) for key, item in value.items()}
        case _:
            return value
