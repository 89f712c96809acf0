"""What the screen's keys ask of the sources."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from smwatch.configuration import load
from smwatch.running.aws import AwsSources
from smwatch.settings import LogsSettings, Settings, SettingsError
from smwatch.sources.errors import ConfigurationError
from smwatch.sources.live_tail import LiveTail
from smwatch.sources.session import AwsSession
from smwatch.sources.tail import Tail
from tests.emulators.lookup_events import LookupEvents

NOW = datetime.now(UTC)
GROUP_ARN = "arn:aws:logs:us-east-1:123456789012:log-group:trail"


async def test_every_source_can_be_had_to_ask_at_once(history: LookupEvents) -> None:
    opened = AwsSources(msgspec.structs.replace(Settings(), regions=("eu-west-1", "us-east-1")), NOW)
    async with opened as sources:
        opened.poll_now()
        assert [source._poked.is_set() for source in sources if isinstance(source, Tail)] == [True, True]


async def test_a_region_that_is_named_twice_is_watched_once(history: LookupEvents) -> None:
    named = ("eu-west-1", "us-east-1", "eu-west-1")
    async with AwsSources(msgspec.structs.replace(Settings(), regions=named), NOW) as sources:
        assert [source.name.rpartition(":")[2] for source in sources] == ["eu-west-1", "us-east-1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('profile = "prud"', "profile: there is no profile 'prud': see `aws configure list-profiles`"),
        ('regions = ["eu-wset-1"]', "regions: there is no Region 'eu-wset-1': did you mean eu-west-1?"),
        ('[logs]\ngroup = "my trail"', "logs.group: 'my trail' is no log group: give its name, 1 to 512 letters, "),
        ('[logs]\ngroup = "arn:aws:logs:x"', "logs.group: 'arn:aws:logs:x' is no log group's ARN: arn:aws:logs:"),
        (
            '[logs]\ngroup = "arn:aws:logs:eu-wset-1:123456789012:log-group:trail"',
            "logs.group: there is no Region 'eu-wset-1': did you mean eu-west-1?",
        ),
        (
            'regions = ["eu-west-1", "us-east-1"]\n[logs]\ngroup = "trail"',
            "logs.group: in which of eu-west-1, us-east-1 is the log group trail? Write its ARN: arn:aws:logs:REGION:",
        ),
    ],
)
async def test_what_of_the_config_file_can_not_work_is_said_with_file_and_key(
    history: LookupEvents, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        async with AwsSources(load(path, {}), NOW):
            pass
    assert str(caught.value).startswith(f"{path}: {says}")


async def test_what_can_be_no_log_group_is_said_before_anybody_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[str | None]()

    async def open_session(profile: str | None, **_: object) -> AwsSession:
        opened.append(profile)
        raise ConfigurationError("there are no AWS credentials")

    monkeypatch.setattr(AwsSession, "open", open_session)
    settings = msgspec.structs.replace(Settings(), logs=LogsSettings(group="arn:aws:logs:x"))
    with pytest.raises(ConfigurationError, match="no log group's ARN"):
        async with AwsSources(settings, NOW):
            pass
    assert not opened


async def test_nothing_to_watch_is_said_with_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[cloudtrail]\nenabled = false")
    with pytest.raises(SettingsError, match=r"cloudtrail.enabled: nothing to watch: .*--log-group") as caught:
        AwsSources(load(path, {}), NOW)
    assert str(caught.value).startswith(str(path))


async def test_a_region_that_is_left_to_aws_is_not_said_of_the_config_file(
    history: LookupEvents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('since = "2h"')
    monkeypatch.setenv("AWS_REGION", "eu-wset-1")
    with pytest.raises(ConfigurationError, match=r"^there is no Region 'eu-wset-1'"):
        async with AwsSources(load(path, {}), NOW):
            pass


async def test_a_log_group_is_followed_in_the_region_of_its_arn(history: LookupEvents) -> None:
    settings = load(None, {"regions": ("eu-west-1", "us-east-1"), "logs.group": GROUP_ARN})
    async with AwsSources(settings, NOW) as sources:
        assert [source.name for source in sources if source.name.startswith("logs:")] == [
            "logs:123456789012:us-east-1:trail"
        ]


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
