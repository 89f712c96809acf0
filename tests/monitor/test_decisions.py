"""Decisions of people at several processes that watch with one journal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec

from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.decisions import Decisions
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Decided, Decision, Mute
from smwatch.rules.engine import Engine
from tests import records
from tests.records import AT
from tests.rules.judging import arrivals, catalogue

HOUR = timedelta(hours=1)


class Watcher:
    """A process that watches: an engine over the same events, and a journal on the same file."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.engine = Engine(catalogue())
        self.engine.restore(self.journal.alarms())
        self.decisions = Decisions(self.journal, self.journal.alarms())
        self.learn()

    def happen(self, *given: Record) -> None:
        """Judge events and keep what comes of it."""
        self.keep(*self.engine.judge(arrivals(given)))

    def keep(self, *alarms: Alarm) -> None:
        self.journal.keep(alarms, self.decisions.to_keep(alarms, self.engine.mutes))

    def learn(self) -> None:
        """Take over what was decided elsewhere."""
        if (decided := self.decisions.news()) is not None:
            self.keep(*self.engine.adopt(decided))

    @property
    def alarm(self) -> Alarm:
        (alarm,) = [alarm for alarm in self.engine.alarms.values() if alarm.rule == "SMW-DEL-01"]
        return alarm


def read(minute: int) -> Record:
    return records.read_deleted(at=AT + timedelta(minutes=minute), id=f"read{minute}")


def test_a_decision_is_known_elsewhere_and_outlives_what_is_kept_by_who_did_not_know_it(tmp_path: Path) -> None:
    here, there = Watcher(tmp_path / FILE_NAME), Watcher(tmp_path / FILE_NAME)
    for watcher in (here, there):
        watcher.happen(read(0))
    here.keep(*here.engine.acknowledge(here.alarm.group, "mine", AT + HOUR))
    there.happen(read(1))  # keeps the alarm as it knows it: open
    assert there.alarm.state is AlarmState.OPEN
    assert Watcher(tmp_path / FILE_NAME).alarm.note == "mine"  # whoever starts now
    there.learn()
    assert (there.alarm.state, there.alarm.note) == (AlarmState.ACKNOWLEDGED, "mine")
    here.happen(read(1))
    here.learn()
    assert here.alarm == there.alarm


def test_of_two_decisions_the_later_one_holds_everywhere(tmp_path: Path) -> None:
    here, there = Watcher(tmp_path / FILE_NAME), Watcher(tmp_path / FILE_NAME)
    for watcher in (here, there):
        watcher.happen(read(0))
    here.keep(*here.engine.acknowledge(here.alarm.group, "first", AT + HOUR))
    there.keep(*there.engine.acknowledge(there.alarm.group, "second", AT + 2 * HOUR))
    for watcher in (here, there, here):
        watcher.learn()
    assert here.alarm.note == there.alarm.note == "second"
    there.keep(*there.engine.close(there.alarm.group, "over", AT + 3 * HOUR))
    here.learn()
    assert (here.alarm.state, here.alarm.note) == (AlarmState.CLOSED, "over")


def test_mutes_of_several_processes_are_kept_together(tmp_path: Path) -> None:
    here, there = Watcher(tmp_path / FILE_NAME), Watcher(tmp_path / FILE_NAME)
    for watcher in (here, there):
        watcher.happen(read(0))
    mine, theirs = Mute(AT + HOUR, rule="SMW-DEL-01"), Mute(AT + 2 * HOUR, rule="SMW-READ-01")
    here.keep(*here.engine.mute(mine))
    there.keep(*there.engine.mute(theirs), there.alarm)
    for watcher in (here, there):
        watcher.learn()
        assert set(watcher.engine.mutes) == {mine, theirs}
        assert watcher.alarm.muted(AT)
    here.keep(*here.engine.mute(msgspec.structs.replace(mine, until=AT)))
    there.learn()
    assert not there.alarm.muted(AT)


def test_nothing_is_told_twice_and_nothing_of_what_was_decided_here(tmp_path: Path) -> None:
    here = Watcher(tmp_path / FILE_NAME)
    here.happen(read(0))
    assert here.decisions.to_keep([here.alarm], here.engine.mutes) == {}
    here.keep(*here.engine.acknowledge(here.alarm.group, "", AT + HOUR))
    assert here.decisions.news() is None
    assert here.decisions.news() is None


def test_an_alarm_of_a_rule_that_is_gone_takes_over_a_decision_too() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([read(0)]))
    (alarm,) = [alarm for alarm in engine.alarms.values() if alarm.rule == "SMW-DEL-01"]
    rules = catalogue()
    without = Engine(msgspec.structs.replace(rules, rules=tuple(rule for rule in rules.rules if rule.id != alarm.rule)))
    without.restore([alarm])
    decision = Decision(AT + HOUR, max(alarm.event_keys), alarm.level, "mine")
    (changed,) = without.adopt(Decided(((alarm.group, decision, None), ("unknown", decision, None))))
    assert (changed.state, changed.note) == (AlarmState.ACKNOWLEDGED, "mine")
