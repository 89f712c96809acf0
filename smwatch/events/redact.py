"""Secret values never reach the screen, even where a record holds them."""

from __future__ import annotations

from typing import Any

from smwatch.record import decode, encode

REDACTED = "(redacted by smwatch)"
TOO_DEEP = "(too deep to show)"
DEEPEST = 100

_NAMES = (
    "secretstring secretbinary rotationtoken password passwd pwd passphrase privatekey secretkey secretaccesskey"
    " sessiontoken authtoken accesstoken apikey clientsecret plaintext"
)
_WHOLE = frozenset(_NAMES.split())
_ENDS = ("password", "passwd", "passphrase", "secretstring", "secretbinary", "privatekey", "secretaccesskey")


def redact(value: Any, depth: int = 0) -> Any:
    """A copy of a record, or of a value in one, for display: values of secrets and passwords become REDACTED.

    CloudTrail leaves secretString, secretBinary and rotationToken out; emulators don't, and people put passwords
    into requests of other services. Also looks into JSON in strings. What needs no change is not copied.
    """
    if depth > DEEPEST:
        return TOO_DEEP
    if isinstance(value, dict):
        shown = {
            key: REDACTED if _is_secret(key) and _has_value(inner) else redact(inner, depth + 1)
            for key, inner in value.items()
        }
        return shown if any(shown[key] is not inner for key, inner in value.items()) else value
    if isinstance(value, list):
        items = [redact(inner, depth + 1) for inner in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and len(value) > 2:
        return _redact_text(value, depth)
    return value


def _redact_text(text: str, depth: int) -> str:
    try:
        inside = decode('{"":' + text + "}")[""]
    except ValueError:
        return text
    shown = redact(inside, depth + 1)
    return text if shown is inside else encode(shown)


def _is_secret(key: str) -> bool:
    plain = "".join(filter(str.isalnum, key)).lower()
    return plain in _WHOLE or plain.endswith(_ENDS)


def _has_value(value: Any) -> bool:
    """Whether there is anything to hide: a flag or null tells nothing."""
    return value is not None and not isinstance(value, bool) and value != ""
