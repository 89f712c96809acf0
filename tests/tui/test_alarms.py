"""Alarms on the screen: impossible to overlook, and everything that can be done about them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from textual.drivers.headless_driver import HeadlessDriver

from smwatch.record import Record
from smwatch.rules.alarm import AlarmState
from smwatch.rules.engine import Engine
from smwatch.store import Store
from smwatch.tui.clip import next_step
from smwatch.tui.screens.alarms import mute_meant
from smwatch.tui.screens.watch import WatchScreen
from tests import records
from tests.rules.judging import catalogue
from tests.tui.scene import NOW, Stage, ago, reads

WIDE = (160, 40)
RESTORE = "aws secretsmanager restore-secret --secret-id prod/gone --region eu-west-1"


def staged(*given: Record) -> Stage:
    return Stage(given, store=Store(engine=Engine(catalogue())))


def incident(count: int = 3) -> list[Record]:
    """A secret is deleted, and somebody goes on asking for it."""
    deleted = records.delete("prod/gone", eventTime=ago(600))
    asked = [records.read_deleted("prod/gone", eventTime=ago(300 - 60 * i), id=f"asked{i}") for i in range(count)]
    return [*reads(20), deleted, *asked]


async def test_an_alarm_makes_a_band_with_what_who_how_often_and_what_to_do() -> None:
    stage = staged(*reads(20))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "CRITICAL" not in stage.text()
        stage.bring(*incident())
        await pilot.pause()
        band, step = stage.lines()[1:3]
        assert "▲ CRITICAL  Access to a secret marked for deletion  prod/gone  payments-api" in band
        assert "×3  first 13:55:00  last 13:57:00" in band
        assert f"next: {RESTORE}" in step


async def test_y_copies_the_command_that_restores_the_secret() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("y")
        assert stage.app.clipboard == RESTORE


async def test_events_of_an_alarm_are_marked_in_the_stream_and_e_goes_to_them() -> None:
    stage = staged(*reads(20, first=1), *incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        assert screen.stream.event is not None
        assert screen.stream.event.failed
        assert any(line.startswith("›▲✗") for line in stage.lines())
        await pilot.press("e", "e", "e", "E")
        assert screen.stream.event is not None
        assert screen.stream.event.at == NOW - timedelta(seconds=300)


async def test_e_goes_to_the_alarm_in_the_band_first_whatever_is_newer() -> None:
    lesser = records.put("prod/gone", error=("InvalidRequestException", records.MARKED), eventTime=ago(5), id="put")
    stage = staged(*incident(), lesser)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        assert isinstance(stage.app.screen, WatchScreen)
        assert stage.app.screen.stream.event is not None
        assert stage.app.screen.stream.event.name == "GetSecretValue"
        await pilot.press("E")
        assert stage.app.screen.stream.event.name == "PutSecretValue"


async def test_alarms_only_shows_exactly_the_events_of_alarms() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("exclamation_mark")
        shown = len(stage.store.levels)
        assert f"{shown} of {len(stage.store.events)}" in stage.lines()[-1]


async def test_acknowledging_takes_the_band_away_and_keeps_the_note() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        while stage.app.desk.asking:
            await pilot.press("A", *"on it", "enter")
        await pilot.pause()
        assert "CRITICAL" not in stage.lines()[1]
        alarms = [alarm for alarm in stage.store.alarms.values() if alarm.count]
        assert {(alarm.state, alarm.note) for alarm in alarms} == {(AlarmState.ACKNOWLEDGED, "on it")}
        await pilot.press("a")
        await pilot.pause()
        assert "note: on it" in stage.text()


async def test_the_alarms_screen_says_why_it_matters_and_what_to_run() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert "WHY IT MATTERS" in stage.text()
        assert "restore-secret --secret-id prod/gone" in stage.text()
        await pilot.press("y")
        assert stage.app.clipboard == RESTORE


async def test_from_an_alarm_enter_goes_to_its_event_in_the_stream() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a", "enter", "G")
        await pilot.press("k", "enter")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        assert screen.stream.event is not None
        assert "marked for deletion" in screen.stream.event.error_message


async def test_on_a_narrow_screen_the_alarm_takes_the_place_of_the_list() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=(60, 24)) as pilot:
        await pilot.press("a", "enter")
        await pilot.pause()
        assert "WHY IT MATTERS" in stage.text() or "NEXT" in stage.text()
        await pilot.press("escape")
        assert "open" in stage.lines()[0]
        await pilot.press("escape")
        assert "events" in stage.lines()[-1]


async def test_a_muted_alarm_makes_no_band_but_stays_in_the_list() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        worst = stage.app.desk.asking[0]
        await pilot.press("a", "M", "enter", "escape")
        assert worst.group not in {alarm.group for alarm in stage.app.desk.asking}
        stage.now = NOW + timedelta(hours=2)
        stage.app._tick()
        assert worst.group in {alarm.group for alarm in stage.app.desk.asking}


async def test_a_closed_alarm_opens_again_when_it_happens_again() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        worst = stage.app.desk.asking[0]
        await pilot.press("a", "X", *"fixed", "enter")
        assert stage.store.alarms[worst.group].state is AlarmState.CLOSED
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(5), id="again"))
        assert stage.store.alarms[worst.group].open


async def test_the_bell_rings_once_for_a_new_bad_alarm_of_now_and_not_for_history() -> None:
    written: list[str] = []

    class Tape(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            if data == "\x07" or data.startswith("\x1b]9;"):
                written.append(data)

    stage = staged()
    stage.app.driver_class = Tape
    async with stage.app.run_test(size=WIDE, headless=False) as pilot:
        stage.bring(records.read_deleted("prod/old", eventTime=ago(7200), id="old"))
        assert "\x07" not in written
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(60), id="1"))
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(30), id="2"))
        await pilot.pause()
        assert written.count("\x07") == 1
        (told,) = [data for data in written if data.startswith("\x1b]9;")]
        assert "Access to a secret marked for deletion prod/gone" in told


async def test_the_wall_shows_alarms_large_and_goes_red_when_data_is_stale() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("W")
        await pilot.pause()
        assert "▲ CRITICAL  Access to a secret marked for deletion" in stage.text()
        assert "DATA IS NOT COMPLETE" not in stage.text()
        stage.now = NOW + timedelta(minutes=10)
        stage.app._tick()
        await pilot.pause()
        assert "DATA IS NOT COMPLETE" in stage.text()
        await pilot.press("escape")
        assert isinstance(stage.app.screen, WatchScreen)


@pytest.mark.parametrize(
    ("text", "covers"),
    [("1h", (True, True, True)), ("8h rule", (True, False, False)), ("7d secret principal", (False, True, True))],
)
def test_a_mute_says_what_and_how_long(text: str, covers: tuple[bool, bool, bool]) -> None:
    (alarm, *_) = [each for each in staged(*incident()).store.alarms.values() if each.secret and each.identity]
    mute = mute_meant(text, alarm, NOW)
    assert (bool(mute.rule), bool(mute.secret), bool(mute.identity)) == covers
    assert mute.until > NOW


def test_a_mute_that_makes_no_sense_says_what_does() -> None:
    (alarm, *_) = staged(*incident()).store.alarms.values()
    with pytest.raises(ValueError, match="write rule, secret or principal"):
        mute_meant("1h everything", alarm, NOW)
    with pytest.raises(ValueError, match="not a period"):
        mute_meant("soon", alarm, NOW)


def test_a_remark_behind_a_command_is_not_copied_and_a_quoted_one_is_kept() -> None:
    (alarm, *_) = staged(*incident()).store.alarms.values()
    with_remark = msgspec.structs.replace(alarm, next=("aws sts get-caller-identity   # who am I",))
    quoted = msgspec.structs.replace(alarm, next=("aws x --name 'a  # b'  # c",))
    first, second = next_step(with_remark), next_step(quoted)
    assert first is not None
    assert second is not None
    assert (first.text, second.text) == ("aws sts get-caller-identity", "aws x --name 'a  # b'")


async def test_an_alarm_says_that_its_events_are_no_longer_there_and_stays_as_it_was() -> None:
    stage = Stage(incident(), store=Store(capacity=30, engine=Engine(catalogue())))
    async with stage.app.run_test(size=WIDE) as pilot:
        stage.bring(*(records.read("prod/busy", eventTime=ago(0), id=f"busy{n}") for n in range(40)))
        await pilot.press("a")
        await pilot.pause()
        text = stage.text()
        assert "The events behind it are no longer in memory: the alarm stays" in text
        assert "3 events" in text
