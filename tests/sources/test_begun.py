from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from smwatch.events.event import SeenBy
from smwatch.sources.begun import Begun
from smwatch.sources.coverage import Coverage
from smwatch.sources.source import Page, State, Status

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
READING = Status("files", "trail.json", State.CATCHING_UP)
FIRST, SECOND = (Page("files", SeenBy.FILE, (), NOW.replace(minute=minute)) for minute in (1, 2))
DONE = Status("files", "trail.json", State.DONE)


class Recording:
    name, label, seen_by = "files", "trail.json", SeenBy.FILE

    def __init__(self, *items: Page | Status) -> None:
        self.items = items
        self.yielded: list[Page | Status] = []
        self.closed = 0

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        assert coverage == Coverage()
        for item in self.items:
            self.yielded.append(item)
            yield item

    def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        return self.follow(coverage)

    async def close(self) -> None:
        self.closed += 1


async def test_a_recording_is_read_up_to_its_first_page_alone() -> None:
    recording = Recording(READING, FIRST, SECOND, DONE)
    assert [item async for item in Begun(recording).read_once(Coverage())] == [READING, FIRST]
    assert recording.yielded == [READING, FIRST]


async def test_followed_it_says_all_from_its_beginning_and_reads_nothing_twice() -> None:
    recording = Recording(READING, FIRST, SECOND, DONE)
    begun = Begun(recording)
    assert [item async for item in begun.read_once(Coverage())] == [READING, FIRST]
    assert [item async for item in begun.follow(Coverage())] == [READING, FIRST, SECOND, DONE]
    assert recording.yielded == [READING, FIRST, SECOND, DONE]
    await begun.close()
    assert recording.closed == 1


async def test_one_without_a_page_is_read_to_its_end_and_says_it_again() -> None:
    begun = Begun(Recording(READING, DONE))
    assert [item async for item in begun.read_once(Coverage())] == [READING, DONE]
    assert [item async for item in begun.follow(Coverage())] == [READING, DONE]


async def test_one_that_is_followed_anew_is_read_anew() -> None:
    recording = Recording(READING, FIRST, DONE)
    begun = Begun(recording)
    for _ in range(2):
        assert [item async for item in begun.follow(Coverage())] == [READING, FIRST, DONE]
    assert recording.yielded == [READING, FIRST, DONE] * 2
