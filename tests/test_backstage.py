from __future__ import annotations

from pathlib import Path

from smwatch.backstage import Backstage, file_sources
from smwatch.settings import Settings


def test_a_recording_is_not_said_to_be_asked_for_from_some_time_on(tmp_path: Path) -> None:
    behind = Backstage(Settings(since="1h"), file_sources([tmp_path / "trail.json"], None), remember=False)
    try:
        assert behind.desk.asked_since is None
    finally:
        assert behind.stop(None)
