"""Which alarm stands in the band while several are as bad."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from smwatch.tui.foremost import HELD, Foremost
from tests import records
from tests.store.test_store import ByPrincipal, alarm
from tests.tui.scene import NOW, Stage, ago, reads

FIRST, SECOND = alarm("first", [1]), alarm("second", [2])
BOTH = {each.group: each for each in (FIRST, SECOND)}
LITTLE = timedelta(seconds=1)


def test_the_alarm_in_the_band_stays_while_another_as_bad_goes_on_and_then_gives_way() -> None:
    foremost = Foremost()
    assert foremost.of([FIRST, SECOND], BOTH, NOW) is FIRST
    assert foremost.of([SECOND, FIRST], BOTH, NOW + HELD - LITTLE) is FIRST
    assert foremost.of([SECOND, FIRST], BOTH, NOW + HELD) is SECOND
    assert foremost.of([FIRST, SECOND], BOTH, NOW + 2 * HELD - LITTLE) is SECOND
    assert foremost.of([FIRST, SECOND], BOTH, NOW + 2 * HELD) is FIRST


def test_it_gives_way_by_the_clock_also_where_no_time_passes_in_what_is_shown() -> None:
    foremost = Foremost()
    assert foremost.of([FIRST, SECOND], BOTH, NOW, NOW + LITTLE) is FIRST
    assert foremost.of([SECOND, FIRST], BOTH, NOW, NOW + HELD) is FIRST
    assert foremost.of([SECOND, FIRST], BOTH, NOW, NOW + LITTLE + HELD) is SECOND


def test_what_is_said_of_it_is_how_it_stands() -> None:
    foremost, more = Foremost(), msgspec.structs.replace(FIRST, count=2)
    assert foremost.of([FIRST], BOTH, NOW) is FIRST
    assert foremost.of([SECOND, more], {**BOTH, "first": more}, NOW + LITTLE) is more


@pytest.mark.parametrize(
    ("held", "worst"),
    [
        (FIRST, msgspec.structs.replace(SECOND, severity=Severity.CRITICAL)),
        (msgspec.structs.replace(FIRST, state=AlarmState.ACKNOWLEDGED), SECOND),
        (msgspec.structs.replace(FIRST, muted_until=NOW + timedelta(hours=1)), SECOND),
        (msgspec.structs.replace(FIRST, count=0), SECOND),
        (None, SECOND),
    ],
)
def test_it_gives_way_at_once_to_a_worse_one_and_when_it_asks_for_nothing(held: Alarm | None, worst: Alarm) -> None:
    foremost = Foremost()
    foremost.of([FIRST], BOTH, NOW)
    alarms = {each.group: each for each in (held, worst) if each is not None}
    assert foremost.of([worst], alarms, NOW + LITTLE) is worst


def test_without_alarms_there_is_none() -> None:
    foremost = Foremost()
    assert foremost.of([FIRST], BOTH, NOW) is FIRST
    assert foremost.of([], {}, NOW + LITTLE) is None


async def test_the_band_keys_and_details_are_of_one_alarm_and_change_to_another_together() -> None:
    stage = Stage((), store=Store(engine=ByPrincipal()))

    def band() -> str:
        return next(name for name in ("alice", "bob") if name in stage.lines()[1])

    async with stage.app.run_test(size=(160, 40)) as pilot:
        for second, who in enumerate(("bob", "alice")):
            denied = records.denied("prod/db", by=records.user(who), eventTime=ago(60 - second), id=who)
            stage.bring(denied)
            await pilot.pause()
        for moved, told in ((LITTLE, "bob"), (HELD - LITTLE, "alice")):
            stage.now += moved
            stage.app.tick()
            await pilot.pause()
            foremost = stage.app.desk.foremost
            assert foremost is not None
            assert (band(), foremost.group) == (told, told)


async def test_with_no_cursor_p_shows_what_the_one_whom_the_band_is_about_touched() -> None:
    stage = Stage((), store=Store(engine=Engine(combine(load_builtin()))))
    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.bring(*(read for number in range(12) for read in reads(1, secret=f"prod/{number}", first=60 + number)))
        await pilot.pause()
        foremost = stage.app.desk.foremost
        assert foremost is not None
        assert foremost.identity
        await pilot.press("P")
        assert "Got the value of 12 of the 12 secrets" in stage.text()
