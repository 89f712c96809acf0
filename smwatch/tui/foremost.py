"""Which of the alarms that ask for attention stands in the band, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from smwatch.rules.alarm import Alarm

HELD = timedelta(seconds=5)
"""How long an alarm stays once it is there, though others as bad go on: so long it takes to read its next command."""


class Foremost:
    """The worst alarm; of several equally bad, the one that stands there stays for HELD, though others go on.

    Where several went on by turns, each would stand there for a moment only, and the command that is copied could be
    another one's than the command that was read.
    """

    def __init__(self) -> None:
        self._group = ""
        self._since: datetime | None = None

    def of(
        self, asking: Sequence[Alarm], alarms: Mapping[str, Alarm], now: datetime, clock: datetime | None = None
    ) -> Alarm | None:
        """The one of those that ask for attention, worst and newest first; `alarms` are all by group, as they are.

        Mutes go by `now`, and how long it is held by the `clock`, which moves on where a recording has ended.
        """
        clock = clock or now
        worst = asking[0] if asking else None
        held = alarms.get(self._group)
        if (
            worst is None
            or held is None
            or not _asks(held, now)
            or held.severity < worst.severity
            or self._is_over(clock)
        ):
            held = worst
        if held is None or held.group != self._group:
            self._group, self._since = (held.group, clock) if held is not None else ("", None)
        return held

    def _is_over(self, clock: datetime) -> bool:
        return self._since is None or not timedelta() <= clock - self._since < HELD


def _asks(alarm: Alarm, now: datetime) -> bool:
    return bool(alarm.count) and alarm.open and not alarm.muted(now)
