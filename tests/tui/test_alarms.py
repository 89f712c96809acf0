"""Alarms on the screen: impossible to overlook, and everything that can be done about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from textual.dom import DOMNode
from textual.drivers.headless_driver import HeadlessDriver

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.watched import Watched
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Mute
from smwatch.rules.engine import Engine
from smwatch.sources.coverage import Span
from smwatch.store.store import Store
from smwatch.tui.clip import next_step
from smwatch.tui.keys import MOMENT
from smwatch.tui.muting import mutes_meant
from smwatch.tui.outside import Before, Outside
from smwatch.tui.pages.targets import ToAlarm, ToSecret
from smwatch.tui.pages.words import shown
from smwatch.tui.screens.alarms import AlarmsScreen
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.widgets.sheet import Sheet
from tests import records
from tests.rules.judging import catalogue
from tests.tui.scene import FINE, NOW, Stage, ago, reads

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


@pytest.mark.parametrize("width", [60, 70, 79])
async def test_a_narrow_band_says_what_it_is_on_one_row_and_whom_it_is_about_on_the_next(width: int) -> None:
    stage = staged(*incident(14), records.delete("prod/other", force=True, eventTime=ago(500)))
    async with stage.app.run_test(size=(width, 20)) as pilot:
        await pilot.pause()
        what, whom = stage.lines()[1:3]
        assert what.startswith(" ▲ CRITICAL  Access to a secret marked for deletion")
        assert what.rstrip().endswith("+2")
        assert whom.startswith("   prod/gone  payments-api ")
        assert "×14" in whom
        assert whom.rstrip().endswith("y copies next")
        await pilot.press("y")
        assert stage.app.clipboard == RESTORE


async def test_nothing_told_before_hides_a_question() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await pilot.press("a", "A", "enter")
        await pilot.pause()
        assert [each.message[:14] for each in stage.app._notifications] == ["acknowledged: "]
        await pilot.press("M")
        await pilot.pause()
        assert isinstance(stage.app.screen, PromptScreen)
        assert not list(stage.app._notifications)


@pytest.mark.parametrize("width", [80, 90])
async def test_a_band_without_room_for_title_and_secret_on_one_row_says_what_it_is_all_the_same(width: int) -> None:
    secret = "prod/checkout/payments/stripe-api"
    asked = [records.read_deleted(secret, eventTime=ago(300 - 60 * i), id=f"asked{i}") for i in range(3)]
    stage = staged(*reads(20), records.delete(secret, eventTime=ago(600)), *asked)
    async with stage.app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        what, whom = stage.lines()[1:3]
        assert what.startswith(" ▲ CRITICAL  Access to a secret marked for deletion")
        assert what.rstrip().endswith("more")
        assert whom.startswith(f"   {secret} ")
        assert whom.rstrip().endswith("y copies next")


async def test_y_copies_the_command_that_restores_the_secret() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("y")
        assert stage.app.clipboard == RESTORE


async def test_the_details_of_a_secret_show_the_alarm_that_names_it_among_others() -> None:
    by = records.user("backup")
    taken = [records.read(name, by=by, eventTime=ago(60 - n)) for n, name in enumerate(("prod/a", "prod/b"))]
    stage = staged(*reads(1, secret="prod/other"), *taken)
    async with stage.app.run_test(size=WIDE):
        told = []
        for name in ("prod/a", "prod/b", "prod/other"):
            lines = stage.app.desk.page_of(ToSecret(Secret(records.ACCOUNT, records.REGION, name)), ())(120)
            text = "".join(piece.text for line in lines for piece in line.pieces)
            told.append("Long-term access key reads secrets" in text)
        assert told == [True, True, False]


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
        await pilot.pause()
        assert worst.group not in {alarm.group for alarm in stage.app.desk.asking}
        assert "1 muted" in stage.lines()[1]
        stage.now = NOW + timedelta(hours=2)
        stage.app.tick()
        assert worst.group in {alarm.group for alarm in stage.app.desk.asking}


async def test_where_all_is_muted_the_screen_says_what_and_for_how_long() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a", "M", *["backspace"] * 2, *"8h secret", "enter", "escape")
        await pilot.pause()
        (band,) = [line for line in stage.lines()[:4] if "muted" in line]
        assert "muted: critical Access to a secret marked for deletion  prod/gone · payments-api" in band
        assert "for another 8h00m" in band


async def test_a_closed_alarm_opens_again_when_it_happens_again() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        worst = stage.app.desk.asking[0]
        await pilot.press("a", "X", *"fixed", "enter")
        assert stage.store.alarms[worst.group].state is AlarmState.CLOSED
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(5), id="again"))
        assert stage.store.alarms[worst.group].open


async def test_what_happens_while_a_note_is_typed_is_not_decided_upon() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        worst = stage.app.desk.asking[0]
        await pilot.press("a", "X", *"fixed")
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(5), id="meanwhile"))
        await pilot.press("enter")
        again = stage.store.alarms[worst.group]
        assert again.open
        assert (again.count, again.note) == (1, "fixed")
        await pilot.press("X", "enter")
        assert stage.store.alarms[worst.group].state is AlarmState.CLOSED


def noises(stage: Stage) -> list[str]:
    """What the terminal is told beside what is drawn, as it comes: bells and notifications."""
    written: list[str] = []

    class Tape(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            if data == "\x07" or data.startswith("\x1b]9;"):
                written.append(data)

    stage.app.driver_class = Tape
    return written


async def test_the_bell_rings_once_for_a_new_bad_alarm_of_now_and_again_after_a_mute_and_not_for_history() -> None:
    stage = staged()
    written = noises(stage)
    async with stage.app.run_test(size=WIDE, headless=False) as pilot:
        stage.bring(records.read_deleted("prod/old", eventTime=ago(7200), id="old"))
        assert "\x07" not in written
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(60), id="1"))
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(30), id="2"))
        await pilot.pause()
        assert written.count("\x07") == 1
        (told,) = [data for data in written if data.startswith("\x1b]9;")]
        assert "Access to a secret marked for deletion prod/gone" in told
        (alarm, *_) = [each for each in stage.app.desk.asking if each.secret and each.secret.name == "prod/gone"]
        stage.app.desk.mute(mutes_meant("5m", alarm, (), NOW)[0])
        stage.app.tick()
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(20), id="3"))
        assert written.count("\x07") == 1
        stage.now = NOW + timedelta(minutes=6)
        stage.app.tick()
        stage.app.flush()
        assert written.count("\x07") == 2, "it went on while it was muted"
        stage.app.desk.mute(mutes_meant("2h", alarm, (), stage.now)[0])
        stage.now = NOW + timedelta(hours=3)
        stage.app.tick()
        stage.app.flush()
        assert written.count("\x07") == 2, "nothing has happened since"
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(-10_000), id="4"))
        assert written.count("\x07") == 3, "it goes on after the mute"
        stage.app.desk.mute(mutes_meant("2h", alarm, (), stage.now)[0])
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(-10_001), id="5"))
        stage.app.desk.acknowledge(stage.store.alarms[alarm.group], "seen")
        stage.now = NOW + timedelta(hours=6)
        stage.app.tick()
        stage.app.flush()
        assert written.count("\x07") == 3, "somebody has seen to it"


async def test_alarms_that_come_together_are_one_noise_about_the_worst() -> None:
    stage = staged()
    written = noises(stage)
    async with stage.app.run_test(size=WIDE, headless=False):
        many = [records.read_deleted(f"prod/{n}", eventTime=ago(60 - n), id=f"{n}") for n in range(30)]
        stage.bring(records.delete("prod/other", eventTime=ago(5)), *many)
        assert written == ["\x07", "\x1b]9;CRITICAL Access to a secret marked for deletion prod/29 (+30 more)\x07"]


async def test_an_alarm_that_opens_while_its_rule_is_muted_is_heard_when_the_mute_ends() -> None:
    stage = staged()
    written = noises(stage)
    async with stage.app.run_test(size=WIDE, headless=False):
        stage.app.desk.mute(Mute(NOW + timedelta(hours=1), rule="SMW-DEL-01"))
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(10), id="1"))
        stage.bring(records.read_deleted("prod/old", eventTime=ago(7_200), id="old"))
        for minutes in (59, 61, 62):
            stage.now = NOW + timedelta(minutes=minutes)
            stage.app.tick()
            stage.app.flush()
        assert written == ["\x07", "\x1b]9;CRITICAL Access to a secret marked for deletion prod/gone\x07"]


async def test_what_is_to_be_heard_at_the_end_of_a_mute_outlives_the_screen() -> None:
    held: list[Sequence[str]] = []
    ended = Stage((), store=Store(engine=Engine(catalogue())), outside=Outside(hold=held.append))
    noises(ended)
    async with ended.app.run_test(size=WIDE, headless=False):
        ended.app.desk.mute(Mute(NOW + timedelta(hours=1), rule="SMW-DEL-01"))
        ended.bring(records.read_deleted("prod/gone", eventTime=ago(10), id="1"))
    (group,) = held[-1]
    assert ended.store.alarms[group].rule == "SMW-DEL-01"
    engine = Engine(catalogue())
    engine.restore(ended.store.alarms.values(), ended.store.mutes)
    again = Stage((), store=Store(engine=engine), outside=Outside(before=Before(unheard=held[-1]), hold=held.append))
    written = noises(again)
    async with again.app.run_test(size=WIDE, headless=False):
        for minutes in (40, 59):
            again.now = NOW + timedelta(minutes=minutes)
            again.app.tick()
            again.app.flush()
        assert written == []
        again.now = NOW + timedelta(minutes=61)
        again.app.tick()
        again.app.flush()
        assert written == ["\x07", "\x1b]9;CRITICAL Access to a secret marked for deletion prod/gone\x07"]
    assert held[-1] == []


async def test_an_alarm_that_was_known_before_the_screen_began_is_not_new() -> None:
    ended = staged(records.read_deleted("prod/gone", eventTime=ago(60), id="1"))
    engine = Engine(catalogue())
    engine.restore(known := tuple(ended.store.alarms.values()))
    again = Stage((), store=Store(engine=engine), outside=Outside(before=Before(known=known)))
    written = noises(again)
    async with again.app.run_test(size=WIDE, headless=False):
        again.store.recall()
        again.bring(records.read_deleted("prod/gone", eventTime=ago(30), id="2"))
        assert written == []
        (alarm,) = [each for each in again.app.desk.asking if each.rule == "SMW-DEL-01"]
        assert alarm.count == 2
        again.app.desk.close(alarm, "over")
        again.bring(records.read_deleted("prod/gone", eventTime=ago(20), id="3"))
        assert written.count("\x07") == 1, "it opens again"
        again.bring(records.read_deleted("prod/other", eventTime=ago(10), id="4"))
        assert written.count("\x07") == 2


async def test_the_wall_shows_alarms_large_and_goes_red_when_data_is_stale() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("W")
        await pilot.pause()
        assert "▲ CRITICAL  Access to a secret marked for deletion" in stage.text()
        assert "DATA IS NOT COMPLETE" not in stage.text()
        stage.now = NOW + timedelta(minutes=10)
        stage.app.tick()
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
    (mute,) = mutes_meant(text, alarm, (), NOW)
    assert (bool(mute.rule), bool(mute.secret), bool(mute.identity)) == covers
    assert mute.until > NOW


def test_a_mute_that_makes_no_sense_says_what_does() -> None:
    (alarm, *_) = staged(*incident()).store.alarms.values()
    with pytest.raises(ValueError, match="write rule, secret or principal"):
        mutes_meant("1h everything", alarm, (), NOW)
    with pytest.raises(ValueError, match="not a period"):
        mutes_meant("soon", alarm, (), NOW)


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


def sweep(count: int) -> list[Record]:
    """Deleted secrets that are still asked for: so many alarms, the last secret's the newest."""
    given = []
    for i in range(count):
        name = f"prod/gone{i:02}"
        given.append(records.delete(name, eventTime=ago(3000), id=f"delete{i}"))
        given.append(records.read_deleted(name, eventTime=ago(300 - i), id=f"asked{i}"))
    return given


def marked(stage: Stage) -> str:
    """The marked line of the list and the one below it, as they stand on the screen."""
    screen = stage.app.screen
    assert isinstance(screen, AlarmsScreen)
    width = screen.list.size.width
    lines = [line[:width] for line in stage.lines()]
    (at,) = [i for i, line in enumerate(lines) if line.startswith("›")]
    return " ".join(" ".join(lines[at : at + 2]).split())


def acted_on(stage: Stage) -> str:
    """The secret of the alarm that the next key acts on."""
    screen = stage.app.screen
    assert isinstance(screen, AlarmsScreen)
    assert screen.alarm is not None
    assert screen.alarm.secret is not None
    return screen.alarm.secret.name


@pytest.mark.parametrize("size", [(160, 30), (100, 30), (60, 20)])
@pytest.mark.parametrize("key", ["A", "X", "M"])
async def test_after_a_decision_the_next_key_acts_on_the_alarm_that_is_marked(key: str, size: tuple[int, int]) -> None:
    stage = staged(*sweep(30))
    async with stage.app.run_test(size=size) as pilot:
        await pilot.press("a", "j", "j")
        await pilot.pause()
        before = acted_on(stage)
        assert before in marked(stage)
        await pilot.press(key, "enter")
        await pilot.pause()
        after = acted_on(stage)
        assert after != before  # what comes next takes its place
        assert after in marked(stage)
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(stage.app.screen, PromptScreen)
        assert after in " ".join(stage.lines()[-5:])  # the question names it


@pytest.mark.parametrize("size", [(160, 30), (60, 20)])
async def test_the_last_alarm_that_is_decided_upon_stays_marked_where_it_goes(size: tuple[int, int]) -> None:
    stage = staged(*sweep(12))
    async with stage.app.run_test(size=size) as pilot:
        await pilot.press("a")
        while stage.app.desk.asking:
            await pilot.press("A", "enter")
        await pilot.pause()
        assert acted_on(stage) in marked(stage)


@pytest.mark.parametrize("keys", [("space",), ("G",), ("G", "g"), ("ctrl+d",), ("space", "space", "b")])
async def test_wherever_the_list_is_scrolled_to_an_alarm_in_sight_is_marked(keys: tuple[str, ...]) -> None:
    stage = staged(*sweep(30))
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await pilot.press("a", *keys)
        await pilot.pause()
        assert acted_on(stage) in marked(stage)


async def test_the_wheel_takes_the_mark_along() -> None:
    stage = staged(*sweep(30))
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await pilot.press("a")
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        screen.list.scroll_to(y=25, animate=False)
        await pilot.pause()
        assert acted_on(stage) in marked(stage)


async def test_the_mark_keeps_its_alarm_in_sight_while_others_come_above_it() -> None:
    stage = staged(*sweep(10))
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await pilot.press("a", *"jjj")
        before = acted_on(stage)
        again = [
            records.read_deleted(f"prod/gone{i:02}", eventTime=ago(5 - i / 10), id=f"more{i}")
            for i in range(10)
            if f"prod/gone{i:02}" != before
        ]
        stage.bring(*again)
        await pilot.pause()
        assert acted_on(stage) == before
        assert before in marked(stage)


async def test_while_a_page_hides_the_alarm_keys_act_on_none() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=(60, 24)) as pilot:
        await pilot.press("a", "enter", "j", "enter")  # to its secret
        await pilot.pause()
        await pilot.press("X")
        await pilot.pause()
        assert isinstance(stage.app.screen, AlarmsScreen)  # no question
        await pilot.press("escape", "X")
        assert isinstance(stage.app.screen, PromptScreen)


async def test_an_alarm_that_another_page_leads_to_is_marked_in_the_list() -> None:
    stage = staged(*incident(), records.put("prod/gone", error=("InvalidRequestException", records.MARKED), id="put"))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a")
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        first = screen.alarm
        (other,) = [each for each in stage.store.alarms.values() if each.rule == "SMW-DEL-02"]
        await pilot.press("enter")
        screen.detail.post_message(Sheet.Chosen(ToAlarm(other.group)))
        await pilot.pause()
        assert screen.alarm == other
        assert other.title[:20] in marked(stage)
        await pilot.press("escape")
        await pilot.pause()
        assert screen.alarm == first
        assert first is not None
        assert first.title in marked(stage)


async def test_alarms_stand_in_the_list_by_what_has_become_of_them() -> None:
    stage = staged(
        *sweep(8), *incident(), records.put("prod/gone00", error=("InvalidRequestException", records.MARKED))
    )
    store = stage.store
    worst = [alarm for alarm in shown(store.alarms.values()) if alarm.secret is not None and alarm.identity]
    for n, alarm in enumerate(worst):
        if n % 4 == 0:
            store.acknowledge(alarm.group, "", NOW)
        elif n % 4 == 1:
            store.close(alarm.group, "", NOW)
        elif n % 4 == 2:
            store.mute(mutes_meant("1h", alarm, (), NOW)[0])
    async with stage.app.run_test(size=(160, 50)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(stage.app.screen, AlarmsScreen)
        lines = stage.app.screen.list.lines
        heads = [each.pieces[0].text for each in lines if each.pieces and each.pieces[0].role == "heading"]
        assert heads == ["OPEN", "MUTED", "ACKNOWLEDGED", "CLOSED", "MUTES"]


async def test_what_is_muted_is_listed_and_can_be_ended_though_no_alarm_is_left_of_it() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a", "M", *["backspace"] * 2, *"8h rule", "enter")
        stage.bring(records.restore("prod/gone", eventTime=ago(1)))
        await pilot.press("G")
        await pilot.pause()
        assert "muted" in marked(stage)
        assert "rule SMW-DEL-01" in marked(stage)
        assert "for another 8h00m" in marked(stage)
        await pilot.press("X")
        assert isinstance(stage.app.screen, AlarmsScreen)  # a mute can't be closed
        await pilot.press("M", "enter")
        await pilot.pause()
        assert "MUTES" not in stage.text()


def test_0_ends_whatever_mutes_an_alarm() -> None:
    (alarm, *_) = [each for each in staged(*incident()).store.alarms.values() if each.secret and each.identity]
    (rule,) = mutes_meant("8h rule", alarm, (), NOW)
    (other,) = mutes_meant("8h", msgspec.structs.replace(alarm, rule="SMW-X"), (), NOW)
    assert mutes_meant("0", alarm, (rule, other), NOW) == [msgspec.structs.replace(rule, until=NOW)]
    with pytest.raises(ValueError, match="not muted"):
        mutes_meant("0", alarm, (other,), NOW)


async def test_an_alarm_that_went_on_after_a_decision_says_so() -> None:
    stage = staged(*incident())
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("a", "enter", "X", *"fixed", "enter")
        await pilot.pause()
        stage.bring(records.read_deleted("prod/gone", eventTime=ago(5), id="again"))
        await pilot.pause()
        assert "open again: it went on after it was closed" in stage.text()
        assert "closed        14:00:00, overtaken since" in stage.text()


async def test_alarms_that_are_worked_out_bit_by_bit_are_all_shown_and_kept() -> None:
    engine, kept = Engine(catalogue()), dict[str, Alarm]()
    engine.at_once, store = 1, Store(engine=engine)
    outside = Outside(keep=lambda alarms: kept.update((alarm.group, alarm) for alarm in alarms))
    old = records.read("prod/a", by=records.user("alice"), at=NOW - timedelta(days=20))
    new = [records.read(f"prod/{n}", by=records.user(f"bob-{n}"), at=NOW) for n in range(5)]
    stage = Stage([old, *new], store=store, outside=outside)
    async with stage.app.run_test(size=(160, 40)) as pilot:
        span = Span(NOW - timedelta(days=20), NOW + timedelta(hours=1))
        told = stage.app.apply(Delivery(watched=(Watched(FINE.source, (span,)),)))
        assert len(told) <= 1
        while store.unsettled:
            await pilot.pause(0.01)
    first = {group for group, alarm in store.alarms.items() if alarm.rule == "SMW-READ-04"}
    assert len(first) == 5
    assert first <= kept.keys() | {alarm.group for alarm in told}


async def test_no_alarm_is_worked_out_while_more_of_what_came_with_it_follows_at_once() -> None:
    stage = Stage([], store=Store(engine=Engine(catalogue())))
    reader = Reader()
    denials = [records.read_deleted("prod/gone", eventTime=ago(30 - n), id=f"r{n}") for n in range(2)]
    one, two = ((n, reader.read(records.raw(each), seen_by=SeenBy.LOGS, seen_at=NOW)) for n, each in enumerate(denials))
    async with stage.app.run_test(size=(160, 40)) as pilot:
        assert not stage.app.apply(Delivery((one,), more=True))
        await pilot.pause(50 * MOMENT)
        assert stage.store.unsettled
        assert {alarm.count for alarm in stage.app.apply(Delivery((two,)))} == {2}


async def test_making_room_for_the_alarm_restyles_no_other_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, restyled = staged(*incident()), list[DOMNode]()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        apply = stage.app.stylesheet.apply

        def noted(node: DOMNode, **how: Any) -> None:
            restyled.append(node)
            apply(node, **how)

        monkeypatch.setattr(stage.app.stylesheet, "apply", noted)
        await pilot.resize_terminal(160, 40)
        await pilot.pause()
        assert screen.detail.display
        assert screen.list not in restyled


async def test_an_alarm_draws_anew_the_rows_that_it_marks_and_no_others() -> None:
    refused = [records.denied(f"prod/{number}", eventTime=ago(300 - number)) for number in range(5)]
    stage = staged(*reads(20), *refused[:-1])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        stream = screen.stream
        before = dict(
            zip((event.key for event in stream._shown), stream.render_lines(stream.size.region), strict=False)
        )
        stage.bring(refused[-1])
        await pilot.pause()
        after = dict(zip((event.key for event in stream._shown), stream.render_lines(stream.size.region), strict=False))
        marked = {key for key in after if stream.level_of(key)}
        assert len(marked & before.keys()) == len(refused[:-1])
        assert all(after[key] != before[key] for key in marked & before.keys())
        assert all(after[key] is before[key] for key in before.keys() & after.keys() - marked)
        assert before.keys() & after.keys() - marked
