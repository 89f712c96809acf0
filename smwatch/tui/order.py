"""Alarms as they were last, in the order of their urgency, and found by whom and what they are about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TypeVar

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.tui.ranked import Ranked

K = TypeVar("K", Secret, str)


class Order:
    """What is kept of alarms so that each that changes is put in its place, see `Attention`."""

    def __init__(self, alarms: Mapping[str, Alarm]) -> None:
        """`alarms` are by group."""
        self.known = dict(alarms)
        """All of them."""
        told = [alarm for alarm in self.known.values() if alarm.count]
        self.ranked = _ranked(told)
        """Those that have evidence."""
        self.timed: dict[str, Alarm] = {}
        """The open ones of them that are or were muted, by group."""
        self._ends: Counter[datetime] = Counter()
        """Up to when, and how many: a rule that is muted has thousands, of one moment."""
        self._of_secret: defaultdict[Secret, dict[str, Alarm]] = defaultdict(dict)
        self._of_principal: defaultdict[str, dict[str, Alarm]] = defaultdict(dict)
        """The open ones by identity."""
        self._of_several: dict[str, Alarm] = {}
        """The open ones that count secrets."""
        for alarm in told:
            if alarm.open:
                self._index(alarm)

    def put(self, group: str, alarm: Alarm | None) -> None:
        """One has changed; None: it is gone."""
        was = self.known.get(group)
        if was is alarm:
            return
        if was is not None and was.count:
            self.ranked[was.state].take(was)
            if was.open:
                self._leave_out(was)
        if alarm is None:
            del self.known[group]
            return
        self.known[group] = alarm
        if alarm.count:
            self.ranked[alarm.state].put(alarm)
            if alarm.open:
                self._index(alarm)

    def about(self, secret: Secret) -> Iterator[Alarm]:
        """The open ones that are about a secret, or count it among others."""
        counting = (alarm for alarm in self._of_several.values() if alarm.secret != secret and secret in alarm.secrets)
        return chain(self._of_secret.get(secret, {}).values(), counting)

    def of(self, identity: str) -> Iterable[Alarm]:
        """The open ones of a principal."""
        return self._of_principal.get(identity, {}).values()

    def mutes_end(self) -> Collection[datetime]:
        """When those that are muted will no longer be, or have been."""
        self._ends = +self._ends
        return self._ends

    def _index(self, alarm: Alarm) -> None:
        group = alarm.group
        if alarm.secret is not None:
            self._of_secret[alarm.secret][group] = alarm
        if alarm.secrets:
            self._of_several[group] = alarm
        if alarm.identity:
            self._of_principal[alarm.identity][group] = alarm
        if alarm.muted_until is not None:
            self.timed[group] = alarm
            self._ends[alarm.muted_until] += 1

    def _leave_out(self, alarm: Alarm) -> None:
        group = alarm.group
        if alarm.secret is not None:
            _remove(self._of_secret, alarm.secret, group)
        self._of_several.pop(group, None)
        if alarm.identity:
            _remove(self._of_principal, alarm.identity, group)
        if alarm.muted_until is not None:
            del self.timed[group]
            self._ends[alarm.muted_until] -= 1


def _remove(index: dict[K, dict[str, Alarm]], key: K, group: str) -> None:
    alarms = index[key]
    del alarms[group]
    if not alarms:
        del index[key]


def _ranked(alarms: Iterable[Alarm]) -> dict[AlarmState, Ranked]:
    apart: dict[AlarmState, list[Alarm]] = {state: [] for state in AlarmState}
    for alarm in alarms:
        apart[alarm.state].append(alarm)
    return {state: Ranked(some) for state, some in apart.items()}
