"""Reading a log group once, in windows side by side: every row once, in order, for hardly a call more."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.sources.clock import LocalClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.logs import SCHEDULE
from smwatch.sources.nature import Nature
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Answer, Row
from smwatch.sources.source import Found, Page, State, Status
from smwatch.sources.tail import PART, Tail
from smwatch.sources.telling import Named
from tests.sources.reading import SignedIn, keep
from tests.sources.virtual_time import run

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LATENCY = 0.4
SIDE_BY_SIDE = 3


class Group(SignedIn):
    """A log group with rows of these ages (in milliseconds before NOW), and its service."""

    api = "FilterLogEvents"
    nature = Nature(newest_first=False, resolution=MILLISECOND, side_by_side=SIDE_BY_SIDE)

    def __init__(
        self, ages: Sequence[int], *, page: int = 10, looks: timedelta = timedelta.max, always_token: bool = False
    ) -> None:
        self.moments = sorted(NOW - age * MILLISECOND for age in ages)
        self.calls: list[float] = []
        self.under_way = self.most_under_way = 0
        self.trouble: dict[int, Remedy] = {}
        """What becomes of the n-th call."""
        self._page, self._looks = page, looks
        """Rows on a page at the most, and how much time one call looks through, whether there are rows in it or not."""
        self._always_token = always_token
        """Whether a token comes with each page that has rows, also with the last: as recorded from the service."""

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        number = len(self.calls)
        self.calls.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(LATENCY)
        finally:
            self.under_way -= 1
        if (remedy := self.trouble.get(number)) is not None:
            raise CallError(State.UNREACHABLE, "no", remedy)
        first = bisect_left(self.moments, start) if token is None else int(token.split()[0])
        begun = start if token is None else datetime.fromisoformat(token.split()[1])
        end = NOW if until is None else until
        looked_to = min(end, begun + min(self._looks, end - begun)) if begun < end else end
        last = min(first + self._page, bisect_right(self.moments, looked_to))
        rows = tuple(
            Row(str(n), self.moments[n], Found(str(n), self.moments[n])) for n in range(first, max(first, last))
        )
        more = bisect_right(self.moments, end) > last or looked_to < end or (self._always_token and bool(rows))
        reached = rows[-1].at if len(rows) == self._page and rows[-1].at is not None else looked_to
        return Answer(rows, f"{max(first, last)} {reached.isoformat()}" if more else None)

    def edge(self, at: datetime) -> datetime | None:
        return None


class Reading:
    """A consumer with a journal that reads a group once, perhaps in several goes."""

    def __init__(self, group: Group, *, since: timedelta, rate: float = 1000.0) -> None:
        self.group, self.since, self.rate = group, NOW - since, rate
        self.takes = 0.0
        """Seconds that taking in a page takes."""
        self.coverage = Coverage()
        self.rows: list[int] = []
        self.pages: list[Page] = []
        self.last: Status | None = None
        self.pace: Pace | None = None

    async def go(self, *, break_off_after: int | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.pace = Pace(self.rate, clock=loop.time, chance=lambda low, _: low)
        tail = Tail(
            self.group,
            Named("logs", "Logs", "eu-west-1", SeenBy.LOGS),
            since=self.since,
            schedule=SCHEDULE,
            pace=self.pace,
            local=LocalClock(lambda: NOW, monotonic=loop.time),
        )
        pages, flow = 0, tail.read_once(self.coverage)
        async for item in flow:
            if isinstance(item, Status):
                self.last = item
                continue
            if break_off_after is not None and pages == break_off_after:
                break
            pages += 1
            self.commit(item)
            await asyncio.sleep(self.takes)
        await flow.aclose()

    def commit(self, page: Page) -> None:
        self.rows += [int(found.raw) for found in page.found]
        self.pages.append(page)
        self.coverage = keep(self.coverage, page)


def steady(count: int, over: timedelta, seed: int = 1) -> list[int]:
    """Ages of so many rows, as they come by chance."""
    chance = Random(seed)
    return [chance.randrange(over // MILLISECOND) for _ in range(count)]


HOURS = st.integers(0, 3 * 3_600_000)
BURSTS = st.lists(st.tuples(HOURS, st.integers(1, 40), st.sampled_from([0, 1, 50, 5_000])), max_size=6)


@settings(deadline=None, max_examples=40)
@given(
    bursts=BURSTS,
    page=st.integers(1, 12),
    looks=st.sampled_from([timedelta.max, timedelta(minutes=7)]),
    always_token=st.booleans(),
    rate=st.sampled_from([2.0, 1000.0]),
    breaks=st.lists(st.integers(0, 12), max_size=3),
    trouble=st.dictionaries(
        st.integers(0, 40), st.sampled_from([Remedy.PACE, Remedy.RETRY, Remedy.GARBLED, Remedy.RESUME]), max_size=4
    ),
)
def test_every_row_is_handed_over_in_its_order_whatever_happens(
    *,
    bursts: list[tuple[int, int, int]],
    page: int,
    looks: timedelta,
    always_token: bool,
    rate: float,
    breaks: list[int],
    trouble: dict[int, Remedy],
) -> None:
    async def main() -> None:
        ages = [start + n * apart for start, count, apart in bursts for n in range(count)]
        group = Group(ages, page=page, looks=looks, always_token=always_token)
        group.trouble = trouble
        reading = Reading(group, since=timedelta(hours=10), rate=rate)
        for break_off_after in breaks:
            await reading.go(break_off_after=break_off_after)
        started = len(reading.rows)
        await reading.go()
        assert reading.last is not None
        assert reading.last.state is State.DONE
        assert sorted(set(reading.rows)) == list(range(len(group.moments)))
        assert reading.coverage.missing(NOW - timedelta(hours=10), NOW - timedelta(hours=1)) == ()
        if not trouble:  # the edges of windows are read twice, as all edges are
            moments = [group.moments[row] for row in dict.fromkeys(reading.rows[started:])]
            assert moments == sorted(moments)

    run(main())


def test_a_window_is_about_a_page_and_costs_hardly_a_call_more() -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500)
        reading = Reading(group, since=timedelta(hours=1))
        await reading.go()
        assert len(set(reading.rows)) == 40_000
        assert len(reading.rows) < 40_000 * 1.01
        assert len(group.calls) < 80 * 1.3

    run(main())


def test_rows_of_another_time_than_was_asked_for_tell_nothing_of_the_next_windows() -> None:
    class Odd(Group):
        async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
            answer = await super().page(start, until, token)
            if token is None and until is not None and len(self.calls) < 4:
                rows = [Row(f"-{n}", until + timedelta(hours=1), Found(f"-{n + 1}")) for n in range(20)]
                return Answer(tuple(rows), "0 " + start.isoformat())
            return answer

    async def main() -> None:
        reading = Reading(Odd(steady(2_000, timedelta(hours=2)), page=500), since=timedelta(hours=3))
        await reading.go()
        assert reading.last is not None
        assert reading.last.state is State.DONE
        assert {row for row in reading.rows if row >= 0} == set(range(2_000))

    run(main())


def test_an_empty_past_is_not_asked_for_by_the_minute() -> None:
    async def main() -> None:
        group = Group([5_000, 6_000])
        await Reading(group, since=timedelta(days=30)).go()
        assert len(group.calls) <= 12

    run(main())


def test_what_comes_at_a_time_is_handed_over_in_parts_that_prove_nothing_before_the_last() -> None:
    group = Group([3_600_000] * (PART * 2 + 500), page=PART * 3)
    reading = Reading(group, since=timedelta(hours=2))
    run(reading.go())
    parts = [page for page in reading.pages if page.found]
    assert [len(part.found) for part in parts] == [PART, PART, 500]
    assert reading.rows == list(range(PART * 2 + 500))
    before, last = parts[:-1], parts[-1]
    assert not any(part.settled for part in before)
    assert last.settled is not None
    assert last.settled.start < group.moments[0] < last.settled.end


def test_a_token_after_the_last_row_makes_windows_as_long_as_can_be() -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500, always_token=True)
        reading = Reading(group, since=timedelta(hours=1), rate=2.5)
        await reading.go()
        assert len(set(reading.rows)) == 40_000
        assert len(group.calls) < 80 * 1.12, "one more a window: the token has to be followed"

    run(main())


def test_where_one_reader_is_too_slow_windows_of_a_few_pages_are_read_ahead() -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500, always_token=True)
        reading = Reading(group, since=timedelta(hours=1), rate=8)
        await reading.go()
        assert len(set(reading.rows)) == 40_000
        assert len(group.calls) < 80 * 1.65
        assert asyncio.get_running_loop().time() < 80 * LATENCY * 0.65, "one page after the other would take 80"

    run(main())


@pytest.mark.parametrize("always_token", [True, False])
def test_where_taking_in_takes_longer_than_reading_nothing_more_is_read_ahead(*, always_token: bool) -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500, always_token=always_token)
        reading = Reading(group, since=timedelta(hours=1), rate=8)
        reading.takes = LATENCY
        await reading.go()
        assert len(set(reading.rows)) == 40_000
        assert len(group.calls) < 80 * (1.12 if always_token else 1.3)
        assert group.most_under_way <= 2
        assert asyncio.get_running_loop().time() < len(group.calls) * LATENCY * 1.1

    run(main())


def test_what_is_read_ahead_of_a_period_that_is_no_longer_expected_is_given_up() -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500, always_token=True)
        reading = Reading(group, since=timedelta(hours=1), rate=8)
        await reading.go(break_off_after=40)
        calls = len(group.calls)
        await asyncio.sleep(60)
        assert (group.under_way, len(group.calls)) == (0, calls)

    run(main())


def test_a_window_of_a_moment_does_not_make_those_after_it_narrow() -> None:
    async def main() -> None:
        group = Group(steady(40_000, timedelta(minutes=40)), page=500)
        reading = Reading(group, since=timedelta(seconds=20))
        await reading.go()
        pages = len(reading.rows) / 500
        assert 25 < pages < 35, "what is not settled yet is read whole"
        assert len(group.calls) <= 1.25 * pages + 3

    run(main())


def test_windows_are_asked_for_side_by_side_and_never_more_of_them_than_is_planned() -> None:
    async def main() -> None:
        group = Group(steady(20_000, timedelta(hours=2)), page=500)
        await Reading(group, since=timedelta(hours=3)).go()
        assert group.most_under_way == SIDE_BY_SIDE
        took = asyncio.get_running_loop().time()
        assert took < len(group.calls) * LATENCY / 2

    run(main())


def test_all_of_them_share_one_budget() -> None:
    async def main() -> None:
        group = Group(steady(20_000, timedelta(hours=2)), page=500)
        await Reading(group, since=timedelta(hours=3), rate=5).go()
        assert len(group.calls) > 40
        for n, at in enumerate(group.calls):
            assert sum(at <= other < at + 1 for other in group.calls[n:]) <= 5 + 2

    run(main())


def test_what_is_refused_side_by_side_slows_down_once() -> None:
    async def main() -> None:
        group = Group(steady(20_000, timedelta(hours=2)), page=500)
        group.trouble = dict.fromkeys((10, 11), Remedy.PACE)
        reading = Reading(group, since=timedelta(hours=3), rate=8)
        await reading.go()
        assert reading.pace is not None
        assert reading.pace.throttles == 2
        assert 4 <= reading.pace.rate < 5
        assert len(set(reading.rows)) == 20_000

    run(main())


@pytest.mark.parametrize("remedy", [Remedy.RETRY, Remedy.GARBLED, Remedy.SIGN_IN])
def test_what_failed_before_its_turn_is_asked_for_again(remedy: Remedy) -> None:
    async def main() -> None:
        group = Group(steady(5_000, timedelta(hours=2)), page=500)
        await Reading(group, since=timedelta(hours=3)).go()
        calls = len(group.calls)
        group.calls.clear()
        group.trouble = {5: remedy}
        again = Reading(group, since=timedelta(hours=3))
        await again.go()
        assert again.last is not None
        assert again.last.state is State.DONE
        assert len(group.calls) == calls + 1
        assert len(set(again.rows)) == 5_000

    run(main())
