"""What people decide about alarms: that one is seen, that it is over, or what is to make no noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from smwatch.rules.alarm import BY_HAND, Alarm, AlarmState, Decided, Decision, Mute
from smwatch.rules.case import Case
from smwatch.rules.standing import Standing
from smwatch.rules.world import World


class Deciding:
    """Has cases know what was decided on their alarms; an alarm without a case, whose rule is gone, says it itself."""

    def __init__(self, standing: Standing, world: World, case_of: Callable[[Alarm], Case | None]) -> None:
        """`case_of`: the case behind an alarm; None where its rule is no longer in force."""
        self._standing = standing
        self._world = world
        self._case_of = case_of

    def decide(self, group: str, note: str, at: datetime, seen: Alarm | None, *, closing: bool) -> tuple[Alarm, ...]:
        """Acknowledge or close an alarm, as that which was `seen` if given; the alarms that changed."""
        alarm = self._standing.alarms.get(group)
        if alarm is None:
            return ()
        case = self._case_of(alarm)
        newest = max(alarm.event_keys, default=0)
        upto = case.newest_seen(newest) if case is not None else newest
        if seen is not None and seen.event_keys and seen.event_keys != alarm.event_keys:
            upto = min(upto, max(seen.event_keys))  # more has come since, unseen
        decision = Decision(at, upto, seen.level if seen is not None else alarm.level, note)
        if case is None:
            return (self._take(alarm, decision, closing=closing),)
        _tell(case, decision, closing=closing)
        return self._standing.settle_one(case)

    def adopt(self, decided: Decided) -> dict[str, Alarm]:
        """Take over what was decided elsewhere about alarms that are known here; those that changed, by group.

        So do others once they are settled.
        """
        changed: dict[str, Alarm] = {}
        for group, acknowledged, closed in decided.alarms:
            if (alarm := self._standing.alarms.get(group)) is not None:
                changed |= {each.group: each for each in self._adopt(alarm, acknowledged, closed)}
        for mute in decided.mutes:
            self.mute(mute)
        return changed

    def lacks(self, group: str, acknowledged: Decision | None, closed: Decision | None) -> bool:
        """Whether an alarm is known of which this was not decided here."""
        alarm = self._standing.alarms.get(group)
        return alarm is not None and (alarm.acknowledged, alarm.closed) != (acknowledged, closed)

    def _adopt(self, alarm: Alarm, acknowledged: Decision | None, closed: Decision | None) -> Iterator[Alarm]:
        """Take over the newer ones of these; yields an alarm that no rule in force would work out anew."""
        case = self._case_of(alarm)
        newer = [
            (decision, closing)
            for decision, mine, closing in ((acknowledged, alarm.acknowledged, False), (closed, alarm.closed, True))
            if decision is not None and (mine is None or decision.at > mine.at)
        ]
        for decision, closing in sorted(newer, key=lambda each: each[0].at):
            if case is None:
                alarm = self._take(alarm, decision, closing=closing)
                yield alarm
            else:
                _tell(case, decision, closing=closing)

    def _take(self, alarm: Alarm, decision: Decision, *, closing: bool) -> Alarm:
        """Have a decision hold for the alarm of a rule that is no longer in force."""
        decided = msgspec.structs.replace(
            alarm,
            state=AlarmState.CLOSED if closing else AlarmState.ACKNOWLEDGED,
            acknowledged=alarm.acknowledged if closing else decision,
            closed=decision if closing else alarm.closed,
            ended_at=decision.at if closing else alarm.ended_at,
            closed_by=BY_HAND if closing else alarm.closed_by,
            changed_at=max(decision.at, alarm.changed_at),
        )
        self._standing.put(decided)
        return decided

    # -- what makes no noise

    def mute(self, mute: Mute) -> None:
        """Mute a rule, a secret or a principal for a while, or no longer; which alarms that changes is settled yet."""
        same = (mute.rule, mute.secret, mute.identity)
        others = [each for each in self._world.mutes if (each.rule, each.secret, each.identity) != same]
        self._world.mutes = (*others, mute)
        # By this mute alone, whatever others there are: serves "longest stall of the event loop".
        self._standing.remute(
            alarm.group
            for alarm in self._standing.alarms.values()
            if mute.covers(alarm.rule, alarm.secret, alarm.identity, alarm.session)
        )

    def muted(self, alarm: Alarm) -> Alarm:
        """The alarm with the mute that holds for it: who kept the alarm may not have known of that yet."""
        until = self._world.muted_until(alarm.rule, alarm.secret, alarm.identity, alarm.session)
        return alarm if until is None else msgspec.structs.replace(alarm, muted_until=until)

    def end_mutes(self, since: datetime, now: datetime) -> None:
        """Have those alarms told again whose mute has ended since then."""
        if any(since < mute.until <= now for mute in self._world.mutes):
            timed = ((alarm.group, alarm.muted_until) for alarm in self._standing.alarms.values())
            ended = [group for group, until in timed if until is not None and since < until <= now]
            self._standing.remute(ended, ended=True)


def _tell(case: Case, decision: Decision, *, closing: bool) -> None:
    if closing:
        case.closed = decision
    else:
        case.acknowledged = decision
    case.wake()
