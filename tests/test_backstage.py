from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from smwatch.backstage import SETTLED, Backstage, file_sources
from smwatch.monitor import Delivery
from smwatch.rules.alarm import Alarm
from smwatch.settings import NotifySettings, Settings
from smwatch.sources.source import State
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
