"""A short form of the soak: the real process, faults on the wire, kill -9."""

from pathlib import Path

import pytest

from tests.soak.run import Soak


@pytest.mark.slow
async def test_faults_and_kills_lose_nothing_and_invent_nothing(tmp_path: Path) -> None:
    outcome = await Soak(seconds=40, seed=3).run(tmp_path)
    assert outcome.failures == []
    assert outcome.held > 50
    assert outcome.kills > 2
    assert sum(outcome.faults.values()) > 5


@pytest.mark.slow
async def test_a_screen_among_faults_and_kills_loses_nothing_and_invents_nothing(tmp_path: Path) -> None:
    outcome = await Soak(seconds=25, seed=5, screen=True).run(tmp_path)
    assert outcome.failures == []
    assert outcome.held > 30
    assert outcome.kills > 2
