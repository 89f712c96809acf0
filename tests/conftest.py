"""What every test may ask for."""

import gc
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "noisy machine",
    deadline=None,  # nothing here is judged by how long it takes
    suppress_health_check=[HealthCheck.too_slow],
    # Where a change is judged, the same examples each time: what turns red there is the change and not the dice.
    # Whoever runs the tests by hand throws new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("noisy machine")

pytest_plugins = [
    "tests.emulators.aws_cli",
    "tests.emulators.localemu",
    "tests.emulators.ministack",
    "tests.emulators.moto",
]

BEGUN = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """NOW, where it is the time of the clock, is when a test begins: its module was read long before."""
    now = getattr(request.module, "NOW", None)
    if isinstance(now, datetime) and now.tzinfo is not None and now >= BEGUN.replace(microsecond=0):
        monkeypatch.setattr(request.module, "NOW", datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What a test leaves behind is let go of: smwatch's commands put off Python's search for cycles (`Collector`)."""
    thresholds = gc.get_threshold()
    yield
    if gc.get_threshold() != thresholds:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@pytest.fixture
def full() -> Iterator[IO[str]]:
    """A file on a disk without room."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("this system has no disk that is always full")
    with path.open("w", encoding="utf-8") as file:
        yield file
