"""What is said where smwatch can't begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from smwatch.journal import FILE_NAME, Journal
from smwatch.running.unready import advice
from smwatch.settings import Settings
from smwatch.sources.coverage import Span

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_it_says_what_was_looked_for_and_when_that_last_worked(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").touch()
    journal = Journal(tmp_path / FILE_NAME)
    journal.commit("cloudtrail:1:eu-west-1", [], settled=Span(NOW - timedelta(hours=1), NOW))
    journal.commit("logs:1:x", [], settled=Span(NOW - timedelta(hours=3), NOW - timedelta(hours=2)))
    settings = Settings(profile="prod", regions=("eu-west-1", "us-east-1"))
    text = "\n".join(advice(settings, journal, {"AWS_ACCESS_KEY_ID": "AKIA"}, tmp_path))
    assert "profile prod, Region eu-west-1, us-east-1; AWS_ACCESS_KEY_ID (set)" in text
    assert "~/.aws/config (there), ~/.aws/credentials (not there)" in text
    assert "last worked  2026-11-23 14:00 UTC (cloudtrail:1:eu-west-1)" in text
    journal.close()


def test_without_a_journal_nobody_knows_when_it_last_worked(tmp_path: Path) -> None:
    text = "\n".join(advice(Settings(), Journal(), {"AWS_PROFILE": "dev", "AWS_REGION": "eu-west-2"}, tmp_path))
    assert "profile dev, Region eu-west-2" in text
    assert "last worked  unknown: there is no journal" in text
    for command in ("smwatch demo", "smwatch doctor", "smwatch setup"):
        assert command in text
