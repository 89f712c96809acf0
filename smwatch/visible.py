"""The one door through which text from records goes to a terminal: what could act there is made visible instead."""

from __future__ import annotations

import unicodedata

_CONTROL_PICTURES = 0x2400
_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that move, hide or reorder text: controls, bidi and zero width, surrogates, line separators."""


class _Harmless(dict[int, str]):
    """What to draw for a character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        if code < 0x20:
            shown = chr(_CONTROL_PICTURES + code)
        elif code == 0x7F:
            shown = "\N{SYMBOL FOR DELETE}"
        else:
            shown = "\N{REPLACEMENT CHARACTER}" if unicodedata.category(chr(code)) in _HARMFUL else chr(code)
        if len(self) < 10_000:
            self[code] = shown
        return shown


_harmless = _Harmless()


def visible(text: str) -> str:
    """The text with control, escape, bidi and invisible characters replaced by a visible one each; same length."""
    return text if text.isprintable() else text.translate(_harmless)


class _Escapes(dict[int, str]):
    """How JSON writes a character in six plain ones, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        shown = chr(code)
        if code > 0x20 and unicodedata.category(shown) in _HARMFUL:
            shown = "".join(
                f"\\u{unit:04x}" for unit in memoryview(shown.encode("utf-16-le", "surrogatepass")).cast("H")
            )
        if len(self) < 10_000:
            self[code] = shown
        return shown


_escapes = _Escapes()


def harmless_json(text: str) -> str:
    """The same JSON with control, escape, bidi and invisible characters escaped: it may go to a terminal as it is."""
    return text if text.isprintable() else text.translate(_escapes)
