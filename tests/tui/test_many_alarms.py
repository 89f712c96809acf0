"""The list of alarms where there are so many that not all of them may be written for each change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Decision, Mute
from smwatch.rules.engine import Engine
from smwatch.store.change import MANY
from smwatch.store.store import Store
from smwatch.tui.incoming import Incoming
from smwatch.tui.outside import Outside
from smwatch.tui.pages.alarms import AlarmLines
from smwatch.tui.pages.targets import ToAlarm, ToMute, ToPrincipal, ToSecret
from smwatch.tui.pages.words import Standing, standing
from smwatch.tui.screens.alarms import AlarmsScreen
from smwatch.tui.times import Zone
from smwatch.tui.unwritten import KEPT
from tests import records
from tests.rules.judging import catalogue, counting_calls
from tests.store.test_store import ByPrincipal, alarm
from tests.tui.scene import NOW, Stage, ago
from tests.tui.test_alarms import staged, sweep

SECOND = timedelta(seconds=1)
DB = Secret("111122223333", "eu-west-1", "prod/db")
NOTED = Decision(NOW, 1, note="on it")
ALARMS = [
    alarm("bare", [1]),
    msgspec.structs.replace(alarm("secret", [2]), secret=DB),
    msgspec.structs.replace(alarm("secrets", [8]), secrets=(DB,), count=7),
    msgspec.structs.replace(alarm("principal", [3]), principal="ci", muted_until=NOW + timedelta(hours=1)),
    msgspec.structs.replace(alarm("both", [4], state="acknowledged"), secret=DB, principal="ci", acknowledged=NOTED),
    msgspec.structs.replace(alarm("wordless", [5], state="acknowledged"), acknowledged=Decision(NOW, 1)),
    msgspec.structs.replace(alarm("closed", [6], state="closed"), acknowledged=NOTED, closed=Decision(NOW, 1)),
    msgspec.structs.replace(alarm("closed with a word", [7], state="closed"), closed=NOTED),
]
MUTES = [Mute(NOW + timedelta(hours=1), identity="ci"), Mute(NOW + timedelta(hours=2), rule="SMW-DEL-01")]


def lines_of(
    *, mutes: Sequence[Mute] = (), later: timedelta = timedelta(), zone: Zone = Zone.UTC, width: int = 80
) -> AlarmLines:
    sections = {stand: [each for each in ALARMS if standing(each, NOW) is stand] for stand in Standing}
    return AlarmLines(sections, mutes, NOW + later, zone, width)


def test_each_line_stands_where_what_is_above_it_leaves_off() -> None:
    lines = lines_of(mutes=MUTES)
    assert [each.text.partition("   ×")[0].partition("   for")[0].rstrip() for each in lines] == [
        "OPEN  3",
        " ▲ HIGH      bare",
        " ▲ HIGH      secret",
        "             prod/db",
        " ▲ HIGH      secrets",
        "             prod/db and 6 more",
        "",
        "MUTED  1",
        " ▲ HIGH      principal",
        "             ci",
        "",
        "ACKNOWLEDGED  2",
        " ▲ HIGH      both",
        "             prod/db · ci",
        "             note: on it",
        " ▲ HIGH      wordless",
        "",
        "CLOSED  2",
        " ▲ HIGH      closed",
        "             note: on it",
        " ▲ HIGH      closed with a word",
        "             note: on it",
        "",
        "MUTES  2",
        " muted       every rule",
        "             ci",
        " muted       rule SMW-DEL-01",
    ]
    assert lines[2:9] == [lines[i] for i in range(2, 9)]
    assert lines[-1] == lines[len(lines) - 1]
    with pytest.raises(IndexError):
        lines[len(lines)]


def test_an_alarm_or_a_mute_is_found_at_its_first_line() -> None:
    lines = lines_of(mutes=MUTES)
    targets = [*(ToAlarm(each.group) for each in ALARMS), *map(ToMute, MUTES)]
    assert [lines.place_of(each) for each in targets] == [
        [line.target for line in lines].index(each) for each in targets
    ]
    assert lines.place_of(ToAlarm("another")) is None


def test_lists_are_equal_as_long_as_they_read_the_same() -> None:
    seen = lines_of()
    assert seen == lines_of()
    assert seen == lines_of(later=SECOND)
    assert seen != lines_of(width=81)
    assert seen != lines_of(zone=Zone.LOCAL)
    assert seen != lines_of(later=timedelta(days=1))  # the same clock, another date
    assert lines_of(zone=Zone.RELATIVE) != lines_of(zone=Zone.RELATIVE, later=SECOND)
    assert lines_of(mutes=MUTES) != lines_of(mutes=MUTES, later=SECOND)


def test_lines_that_were_looked_at_are_not_all_kept() -> None:
    many = [alarm(f"{number}", [number]) for number in range(1, 2 * KEPT)]
    lines = AlarmLines({Standing.OPEN: many}, (), NOW, Zone.UTC, 80)
    first = lines[1]
    assert lines[1] is first
    assert len(list(lines)) == len(many) + 1
    assert lines[1] is not first
    assert lines[1] == first


def crowd() -> Stage:
    """Two thousand alarms on a screen."""
    stage = Stage((), store=Store(engine=ByPrincipal()))
    stage.bring(*(records.denied("prod/db", by=records.user(f"u{n:04}"), eventTime=ago(60)) for n in range(2_000)))
    return stage


async def test_very_many_alarms_that_changed_are_shown_without_waiting_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 3600.0)
    monkeypatch.setattr("smwatch.tui.incoming.RAISED_SECONDS", 3600.0)
    stage, shown, flush = Stage((), store=Store(engine=ByPrincipal())), asyncio.Event(), Incoming.flush

    def noted(incoming: Incoming) -> None:
        flush(incoming)
        shown.set()

    async with stage.app.run_test(size=(160, 40)):
        stage.bring(records.denied("prod/db", by=records.user("first"), eventTime=ago(60)))
        monkeypatch.setattr(Incoming, "flush", noted)
        failed = [records.denied("prod/db", by=records.user(f"u{n}"), eventTime=ago(60)) for n in range(MANY)]
        stage.store.add([records.arrival(each) for each in failed[:-1]])
        await asyncio.sleep(0)
        assert not shown.is_set()
        stage.store.add([records.arrival(failed[-1])])
        async with asyncio.timeout(60):
            await shown.wait()


async def test_an_alarm_that_is_new_or_open_again_does_not_wait_as_long_as_rows_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 3600.0)
    monkeypatch.setattr("smwatch.tui.app.TICK_SECONDS", 3600.0)
    stage = Stage([records.read("prod/db", eventTime=ago(60))], store=Store(engine=Engine(catalogue())))

    async def until(wanted: str) -> None:
        async with asyncio.timeout(60):
            while wanted not in stage.text():
                await pilot.pause(0.01)

    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.app.flush()
        stage.store.add([records.arrival(records.read("prod/row", eventTime=ago(50)))])  # which has it all wait
        stage.store.add([records.arrival(records.read_deleted("prod/gone", eventTime=ago(40), id="1"))])
        await until("CRITICAL")
        (alarm,) = stage.app.desk.asking
        stage.app.desk.acknowledge(alarm, "")
        stage.app.flush()
        await pilot.pause()
        assert "CRITICAL" not in stage.text()
        stage.app.desk.close(alarm, "")
        stage.app.flush()
        stage.store.add([records.arrival(records.read_deleted("prod/gone", eventTime=ago(30), id="2"))])
        await until("CRITICAL")


async def test_many_alarms_that_are_muted_are_all_kept_and_shown_so_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.rules.standing.MUTED", 3)
    monkeypatch.setattr("smwatch.tui.app.TICK_SECONDS", 3600.0)
    engine, kept = Engine(catalogue()), list[int]()
    stage = Stage(
        [records.delete(f"prod/{n}", eventTime=ago(60 - n)) for n in range(8)],
        store=Store(engine=engine),
        outside=Outside(keep=lambda alarms: kept.append(len(alarms))),
    )
    engine.at_once = 1
    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.app.flush()
        stage.app.desk.mute(Mute(NOW + timedelta(hours=1), rule="SMW-DEL-05"))
        assert kept == [3]
        stage.app.flush()
        async with asyncio.timeout(60):
            while stage.store.unsettled:
                await pilot.pause(0.01)
        assert kept == [3, 3, 2]
        assert len(stage.app.desk.muted) == 8


async def test_few_of_two_thousand_alarms_are_looked_at_for_a_change_a_second_a_key_or_a_decision() -> None:
    stage = crowd()
    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.app.flush()
        await pilot.press("a")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        stage.store.add([records.arrival(records.denied("prod/db", by=records.user("u0500"), id="more"))])

        def mute() -> None:
            stage.app.desk.mute(Mute(NOW + timedelta(hours=1), identity="u0600"))
            stage.app.flush()

        works: dict[str, Callable[[], object]] = {
            "change": stage.app.flush,
            "second": stage.app.tick,
            "last": lambda: screen.list.action_edge(1),
            "first": lambda: screen.list.action_edge(0),
            "next": lambda: screen.list.action_move(1),
            "mute": mute,
            "look": lambda: screen.list.select(ToAlarm("u0900")),
        }
        for name, work in works.items():
            _, calls = counting_calls(work)
            assert calls < 20_000, name  # to paint all of the screen takes 13,000
        await pilot.pause()
        assert screen.alarm is not None
        assert screen.alarm.group == "u0900"
        assert "1,999 open, 2,000 in all" in stage.lines()[0]


@pytest.mark.parametrize("target", ["secret", "principal"])
def test_a_page_looks_closer_only_at_its_own_alarms(target: str) -> None:
    stage = crowd()
    stage.bring(records.read("prod/quiet", by=records.user("alice")))
    (secret,) = (each for each in stage.store.secrets if each.name == "prod/quiet")
    (identity,) = (each for each, dossier in stage.store.principals.items() if dossier.principal.name == "alice")
    assert stage.app.desk.asking  # as the band does with each frame
    page = stage.app.desk.page_of(ToSecret(secret) if target == "secret" else ToPrincipal(identity), ())
    lines, calls = counting_calls(lambda: page(80))
    assert lines
    assert calls < 1_500


@pytest.mark.parametrize("zone", [Zone.UTC, Zone.RELATIVE])
async def test_a_second_in_which_nothing_happens_leaves_the_list_where_it_is_scrolled_to(zone: Zone) -> None:
    stage = staged(*sweep(30))
    stage.app.desk.zone = zone
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await pilot.press("a")
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        screen.list.scroll_to(y=1, animate=False)
        await pilot.pause()
        stage.now += SECOND
        stage.app.tick()
        await pilot.pause()
        assert screen.list.scroll_offset.y == 1


async def test_what_changes_out_of_sight_paints_no_line_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, painted = staged(*sweep(30)), list[object]()
    async with stage.app.run_test(size=(60, 20)) as pilot:
        stage.app.desk.mute(Mute(NOW + timedelta(hours=1), identity="nobody"))
        await pilot.press("a", "j")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, AlarmsScreen)
        refresh = screen.list.refresh

        def noted(*regions: Any, **how: Any) -> Any:
            painted.append(regions)
            return refresh(*regions, **how)

        monkeypatch.setattr(screen.list, "refresh", noted)
        before = screen.list.lines
        stage.now += 61 * SECOND
        stage.app.tick()
        assert screen.list.lines != before  # the mute lasts for another 58m59s
        assert painted == []
        await pilot.press("G")
        await pilot.pause()
        assert "for another 58m59s" in stage.text()
