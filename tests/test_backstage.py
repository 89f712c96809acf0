from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from smwatch.backstage import Backstage, file_sources
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
