"""Which alarms are worth a noise, once each: for the terminal's bell and its notifications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from smwatch.rules.alarm import Alarm
from smwatch.rules.news import Told, is_back, seen, told_of, went_on
from smwatch.tui.screens.desk import Desk


class Bell:
    """Rings once for each alarm that is new, bad and of now.

    One that opens again is new, and so is one that goes on after a mute, or went on during one that has ended. Those
    that are to be heard at the end of a mute are kept by the desk, for the next start.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        now, before = desk.now, desk.before
        self._rung: dict[str, Told] = {
            alarm.group: seen(told_of(alarm, now), alarm, now)
            for alarm in before.known
            if alarm.open and alarm.group not in before.unheard
        }
        """How the alarms stood that it has rung for, or that were known when the screen began."""
        self._held = set(before.unheard)
        """The alarms that it is to ring for once they are no longer muted."""

    def new(self, alarms: Mapping[str, Alarm], changed: Iterable[str]) -> list[Alarm]:
        """The alarms to ring for now: of all, those of the groups that have changed."""
        now, rung, held = self._desk.now, self._rung, set(self._held)
        new: list[Alarm] = []
        for gone in rung.keys() - alarms.keys():
            del rung[gone]
        for group in changed:
            alarm, told = alarms.get(group), rung.get(group)
            if alarm is None or not alarm.open:
                rung.pop(group, None)
                held.discard(group)
            elif alarm.muted(now):
                self._mute(alarm, told, held)
            elif group in held or (self._desk.is_of_now(alarm) and (told is None or is_back(alarm, told, now))):
                held.discard(group)
                rung[group] = told_of(alarm, now)
                new.append(alarm)
            elif told is not None:
                rung[group] = seen(told, alarm, now)
        if held != self._held:
            self._held = held
            self._desk.hold(held)
        return new

    def _mute(self, alarm: Alarm, told: Told | None, held: set[str]) -> None:
        """Have an alarm heard at the end of its mute if it is new, or has gone on since it was muted."""
        if told is not None:
            told = self._rung[alarm.group] = seen(told, alarm, self._desk.now)
            if not went_on(alarm, told):
                held.discard(alarm.group)
                return
        if self._desk.is_of_now(alarm):
            held.add(alarm.group)
