"""Whom an alarm is about, as far as its group and its newest evidence tell."""

from __future__ import annotations

from collections.abc import Mapping

from smwatch.rules.alarm import Alarm
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value
from smwatch.rules.newest import Newest

SECRET = DIMENSIONS["secret"]
_IDENTITY, _SESSION, _ACCESS_KEY = (DIMENSIONS[name] for name in ("identity", "session", "access_key"))
NAMED = frozenset((SECRET, _IDENTITY, _SESSION, _ACCESS_KEY))
"""What an alarm has a field of its own for."""


def whom(values: Mapping[Dimension, Value], newest: Newest | None, base: Alarm | None) -> tuple[str, str, str]:
    """The principal's stable identity, its session where the rule groups by that, and what a person calls it.

    `values`: of its group; `base`: the alarm as it was kept, which tells what no evidence does.
    """
    principal = newest.event.caller.principal if newest is not None else None
    session = str(values.get(_SESSION, values.get(_ACCESS_KEY, "")))
    identity = str(values.get(_IDENTITY, ""))
    if session and not identity:
        of_event = principal.identity if principal is not None else ""
        identity = of_event or (base.identity if base is not None else "") or session
    if not identity:
        return "", session, ""
    called = principal.called if principal is not None else base.principal if base is not None else ""
    return identity, session, called
