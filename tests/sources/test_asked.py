"""What the screen's keys ask of the sources."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from smwatch.aws import AwsSources
from smwatch.settings import Settings
from smwatch.sources.live_tail import LiveTail
from smwatch.sources.tail import Tail
from tests.emulators.lookup_events import LookupEvents

NOW = datetime.now(UTC)


async def test_every_source_can_be_had_to_ask_at_once(history: LookupEvents) -> None:
    opened = AwsSources(msgspec.structs.replace(Settings(), regions=("eu-west-1", "us-east-1")), NOW)
    async with opened as sources:
        opened.poll_now()
        assert [source._poked.is_set() for source in sources if isinstance(source, Tail)] == [True, True]


async def test_a_region_that_is_named_twice_is_watched_once(history: LookupEvents) -> None:
    named = ("eu-west-1", "us-east-1", "eu-west-1")
    async with AwsSources(msgspec.structs.replace(Settings(), regions=named), NOW) as sources:
        assert [source.name.rpartition(":")[2] for source in sources] == ["eu-west-1", "us-east-1"]


async def test_live_tail_is_there_to_be_switched_on_and_is_off_until_then(aws_environment: Path) -> None:
    settings = Settings()
    logs = msgspec.structs.replace(settings.logs, group="arn:aws:logs:eu-west-1:123456789012:log-group:trail")
    settings = msgspec.structs.replace(
        settings, logs=logs, cloudtrail=msgspec.structs.replace(settings.cloudtrail, enabled=False)
    )
    opened = AwsSources(settings, NOW - timedelta(minutes=1), screen=True)
    async with opened as sources:
        (live,) = [source for source in sources if isinstance(source, LiveTail)]
        states = [live.on]
        for on in (True, False):
            opened.live_tail(on)
            states.append(live.on)
        assert states == [False, True, False]
    async with AwsSources(settings, NOW) as sources:
        assert not any(isinstance(source, LiveTail) for source in sources)
