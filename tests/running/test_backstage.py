from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from smwatch.events.event import Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.running import backstage
from smwatch.running.backstage import SETTLED, Backstage, file_sources
from smwatch.running.parts import Parts
from smwatch.settings import NotifySettings, Settings
from smwatch.sources.coverage import Coverage
from smwatch.sources.files import FIRST, SCREEN_PAGE
from smwatch.sources.source import KEPT, Page, State
from smwatch.store.store import Store
from tests import records


def test_a_recording_is_not_said_to_be_asked_for_from_some_time_on(tmp_path: Path) -> None:
    behind = Backstage(Settings(since="1h"), file_sources([tmp_path / "trail.json"], None), remember=False)
    try:
        assert behind.desk.asked_since is None
    finally:
        assert behind.stop(None)


async def test_nobody_is_notified_of_what_is_replayed(tmp_path: Path) -> None:
    """Of URLs that are of no use nothing is said: they are not even looked at."""
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file(records.read_deleted()))
    settings = Settings(since="1h", notify=NotifySettings(urls=("carrier-pigeon://loft",)))
    behind = Backstage(settings, file_sources([trail], None), remember=False)
    ended, delivered, faults = asyncio.Event(), list[Delivery](), list[BaseException]()

    def apply(delivery: Delivery) -> Sequence[Alarm]:
        delivered.append(delivery)
        if any(status.state is State.DONE for status in delivery.statuses):
            ended.set()
        return ()

    def failed(error: BaseException) -> None:
        faults.append(error)
        ended.set()

    behind.start(apply, failed)
    try:
        await ended.wait()
    finally:
        assert behind.stop(None)
    assert faults == []
    assert sum(len(delivery.arrivals) for delivery in delivered) == 1


async def test_a_screen_takes_a_recording_in_small_pages(tmp_path: Path) -> None:
    trail, count = tmp_path / "trail.json", FIRST + SCREEN_PAGE + 1
    trail.write_bytes(records.trail_file(*(records.read(f"prod/{n}") for n in range(count))))
    parts = Parts(Settings(), Store, remember=False)
    with closing(parts.journal):
        async with file_sources([trail], None)(parts) as (source,):
            pages = [item async for item in source.read_once(Coverage()) if isinstance(item, Page)]
    assert [len(page.found) for page in pages] == [FIRST, SCREEN_PAGE, 1]


async def test_all_alarms_of_a_delivery_are_worked_out_before_the_next_one(tmp_path: Path) -> None:
    trail, many = tmp_path / "trail.json", 5 * SETTLED
    by = [records.role(f"app-{n}", "task") for n in range(many)]
    trail.write_bytes(records.trail_file(*(records.read_deleted(f"prod/{n}", by=by[n]) for n in range(many))))
    behind = Backstage(Settings(since="1h"), file_sources([trail], None), remember=False)
    ended, found, faults = asyncio.Event(), list[Alarm](), list[BaseException]()
    store = behind.desk.store

    def apply(delivery: Delivery) -> Sequence[Alarm]:
        if any(status.state is State.DONE for status in delivery.statuses):
            found.extend(alarm for alarm in store.alarms.values() if alarm.rule == "SMW-DEL-01")
            ended.set()
        return tuple(delivery.into(store)[1].values())

    def failed(error: BaseException) -> None:
        faults.append(error)
        ended.set()

    behind.start(apply, failed)
    try:
        await asyncio.wait_for(ended.wait(), 60)
    finally:
        assert behind.stop(None)
    assert faults == []
    assert len(found) == many


class Screen:
    """What a screen does with deliveries: its store takes them in."""

    def __init__(self, behind: Backstage) -> None:
        self._store = behind.desk.store
        self.ended = asyncio.Event()
        self.faults: list[BaseException] = []
        self.told: list[tuple[int, bool, list[str]]] = []
        """Of each delivery: how many events, whether there were rules, what progress sources said."""
        self.held: list[tuple[int, int]] = []
        """How many events, and alarms, there were after each."""

    def apply(self, delivery: Delivery) -> Sequence[Alarm]:
        progress = [status.progress for status in delivery.statuses]
        self.told.append((len(delivery.arrivals), self._store.engine is not None, progress))
        _, alarms = delivery.into(self._store)
        self.held.append((len(self._store.events), len(self._store.alarms)))
        ended = any(each.state in (State.DONE, State.FAILING) for each in delivery.statuses if each.source != KEPT)
        if ended and self.told[-1][1]:
            self.ended.set()
        return tuple(alarms.values())

    def failed(self, error: BaseException) -> None:
        self.faults.append(error)
        self.ended.set()


class Shown(NamedTuple):
    """What a screen has at the end of a recording, and how it came."""

    events: tuple[Event, ...]
    alarms: Mapping[str, Alarm]
    marked: Mapping[int, Alarm]
    kept: tuple[Alarm, ...]
    told: Sequence[tuple[int, bool, list[str]]]
    held: Sequence[tuple[int, int]]


async def seen(behind: Backstage, kept: Callable[[], tuple[Alarm, ...]]) -> Shown:
    """What a screen has at the end, and which alarms are `kept` then."""
    screen, store = Screen(behind), behind.desk.store
    behind.start(screen.apply, screen.failed)
    try:
        await screen.ended.wait()
        assert screen.faults == []
        while store.unsettled:
            store.settle()
        return Shown(tuple(store.events), dict(store.alarms), dict(store.levels), kept(), screen.told, screen.held)
    finally:
        assert behind.stop(None)


async def shown_of(trail: Path, *, glance: bool) -> Shown:
    settings = Settings(since="1h")
    behind = Backstage(settings, file_sources([trail], None), remember=False, glance=glance)
    return await seen(behind, behind.parts.journal.alarms)


AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def incident() -> list[Record]:
    """A secret by two names that is read while it is deleted; the trail stopped; then many reads, a first page long."""
    begun = [
        records.read("prod/db", eventTime=stamp(0)),
        records.delete("prod/db", eventTime=stamp(1)),
        records.read_deleted("prod/db", eventTime=stamp(2)),
        records.read(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", eventTime=stamp(3)),
        records.read(eventSource="s3.amazonaws.com", eventName="GetObject", eventTime=stamp(4)),
        records.read(records.arn("prod/db"), eventTime=stamp(5)),
    ]
    reads = [records.read(f"prod/{i % 7}", eventTime=stamp(10 + i)) for i in range(150)]
    return [*begun, *reads, records.read_deleted("prod/db", eventTime=stamp(200))]


def stamp(seconds: int) -> str:
    return f"{AT + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


async def test_the_first_page_of_a_recording_is_shown_before_there_are_rules(tmp_path: Path) -> None:
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file(*incident()))
    told = (await shown_of(trail, glance=True)).told
    unjudged = [each for each in told if not each[1]]
    assert sum(count for count, _, _ in unjudged) == 98  # of a hundred records two are of other services
    assert [progress for _, _, statuses in unjudged for progress in statuses] == ["judging…"]
    assert "judging…" not in [progress for _, judged, statuses in told if judged for progress in statuses]
    assert any("reading" in statuses for _, judged, statuses in told if judged)


async def test_what_was_shown_before_there_were_rules_is_judged_as_all_else(tmp_path: Path) -> None:
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file(*incident()))
    early, late = await shown_of(trail, glance=True), await shown_of(trail, glance=False)
    assert all(judged for _, judged, _ in late.told)
    assert "StopLogging" in {event.name for event in early.events}
    assert len(early.events) == len(incident()) - 1
    assert [(event.key, event.secret) for event in early.events] == [(event.key, event.secret) for event in late.events]
    assert len(early.alarms) > 2
    assert early.alarms == late.alarms
    assert early.marked == late.marked
    assert {alarm.group for alarm in early.kept} == set(early.alarms) == {alarm.group for alarm in late.kept}


async def remembered(folder: Path, given: Sequence[Record]) -> Shown:
    """What a screen has of a journal of these, beside a recording of nothing."""
    folder.mkdir(exist_ok=True)
    (folder / "trail.json").write_bytes(records.trail_file())
    reader = Reader()
    with closing(Journal(folder / FILE_NAME)) as journal:
        journal.commit("logs", [reader.read(records.raw(each), seen_by=SeenBy.LOGS, seen_at=AT) for each in given])
    settings = Settings(since="2026-11-23T13:00:00Z", state_dir=str(folder))
    behind = Backstage(settings, file_sources([folder / "trail.json"], None), remember=True)
    return await seen(behind, behind.parts.journal.alarms)


async def test_the_newest_events_of_a_journal_are_shown_before_there_are_rules_and_judged_as_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = await remembered(tmp_path / "early", incident())
    assert sum(count for count, judged, _ in early.told if not judged) == backstage.GLANCED
    monkeypatch.setattr(backstage, "GLANCED", 0)
    late = await remembered(tmp_path / "late", incident())
    assert all(judged for _, judged, _ in late.told)
    assert len(early.events) == len(incident())
    assert early.events == late.events
    assert len(early.alarms) > 2
    assert early.alarms == late.alarms
    # A mark keeps its alarm as it was when it was marked, which hangs on what came together.
    groups = [{key: alarm.group for key, alarm in shown.marked.items()} for shown in (early, late)]
    assert groups[0] == groups[1]


async def test_nobody_judges_beside_a_screen_over_an_empty_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def successor(_: Parts[Store]) -> None:
        raise AssertionError

    monkeypatch.setattr(Parts, "successor", successor)
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file(*incident()))
    assert len((await shown_of(trail, glance=False)).alarms) > 2


async def test_a_recording_of_nothing_is_said_to_be_one(tmp_path: Path) -> None:
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file())
    shown = await shown_of(trail, glance=True)
    assert shown.events == ()


async def test_a_journal_fills_the_screen_without_a_hole_before_its_events_are_judged(tmp_path: Path) -> None:
    some = incident()
    reads = [records.read(f"prod/{i % 7}", eventTime=stamp(-2_400 + i)) for i in range(2_400 - len(some))]
    first = await remembered(tmp_path / "journal", [*reads, *some])
    assert [progress for _, _, statuses in first.told for progress in statuses if progress][:4] == [
        "1,000 of 2,400 shown",
        "2,000 of 2,400 shown",
        "1,000 of 2,400 judged",
        "2,000 of 2,400 judged",
    ]
    filled = [events for events, _ in first.held].index(2_400)
    assert {alarms for _, alarms in first.held[: filled + 1]} == {0}
    assert len(first.alarms) > 2
    assert {alarm.group for alarm in first.kept} == set(first.alarms)
    again = await remembered(tmp_path / "journal", [])
    kept = len(first.kept)
    assert again.held[-1] == (2_400, kept)
    assert {alarms for events, alarms in again.held if backstage.GLANCED < events < 2_400} == {kept}
    assert again.events == first.events
    assert again.alarms == first.alarms
    assert again.marked.keys() == first.marked.keys()
