"""What an access key was used for: counted bit by bit, and kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from smwatch.record import Record
from smwatch.tui.key_use import ASKED_FOR, NOTED, STEP, KeyUse
from smwatch.tui.lines import Line, Unfinished
from smwatch.tui.pages.targets import ToAccessKey
from smwatch.tui.screens.copying import copied
from tests import records
from tests.rules.judging import counting_calls
from tests.tui.scene import Stage, ago, reads
from tests.tui.test_watch import watch

KEY = "AKIAEVE0000000000000"
EVE = records.user("eve", key=KEY)


def used(number: int, first: float = 10) -> list[Record]:
    """Reads with the key of as many secrets."""
    return [records.read(f"prod/{n}", by=EVE, eventTime=ago(first + n), id=f"{first}.{n}") for n in range(number)]


def told(lines: Sequence[Line]) -> str:
    return " ".join(line.text for line in lines)


def test_no_more_is_done_in_one_go_than_a_step_allows() -> None:
    rows = [records.event(each) for each in used(3 * STEP // NOTED)]
    asked = list[int]()
    use = KeyUse(KEY, rows, lambda event: asked.append(event.key))
    steps = 1
    while use.step():
        steps += 1
    assert steps == 4  # in each a thousand
    assert use.dossier is not None
    assert use.dossier.events == len(rows)
    assert not asked
    missing = [records.event(records.read_missing(by=EVE, eventTime=ago(n), id=f"{n}")) for n in range(150)]
    use = KeyUse(KEY, missing, lambda event: asked.append(event.key))
    assert use.step()
    assert len(asked) == -(-STEP // (ASKED_FOR + 1))


def test_an_event_that_has_been_looked_at_is_not_noted_again_when_it_is_told_of() -> None:
    first, *later = [records.event(each) for each in used(4)]
    other = records.event(records.read("prod/other", eventTime=ago(5)))
    use = KeyUse(KEY, [first], lambda _: None)
    assert not use.step()
    use.note([other, first, *later])
    assert use.dossier is not None
    assert use.dossier.events == 4


async def test_the_page_of_a_key_grows_with_its_events_and_looks_at_no_others_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.app.TICK_SECONDS", 3600.0)
    monkeypatch.setattr("smwatch.tui.key_use.STEP", 50)
    stage = Stage([*reads(500), *used(6)])
    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.app.flush()
        watch(stage).show_target(ToAccessKey(KEY))
        assert "looking at 506 events: " in told(watch(stage).detail.lines)
        async with asyncio.timeout(60):
            while isinstance(watch(stage).detail.lines, Unfinished):
                await pilot.pause(0.01)
        assert "6 events." in told(watch(stage).detail.lines)
        stage.bring(*used(2, first=3))
        page = stage.app.desk.page_of(ToAccessKey(KEY), ())
        lines, calls = counting_calls(lambda: page(80))
        assert "8 events." in told(lines)
        assert calls < 1_000
        clip = await copied(stage.app.desk, ToAccessKey(KEY))
        assert clip is not None
        assert clip.text.count("rotate-secret") == 6
