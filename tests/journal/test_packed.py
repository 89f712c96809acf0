"""Records in memory, compressed: given back as they came, whatever was forgotten before."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import Journal
from smwatch.journal.records import BLOCK, OPENED, Records
from smwatch.sources.coverage import Gap, Span
from tests import records

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MANY = BLOCK * (OPENED + 4)
"""More than are opened at a time."""
PAGE = 128


def arrival(n: int, secret: str = "prod/db") -> Arrival:
    raw = records.raw(records.read(f"{secret}-{n}", at=NOW - timedelta(seconds=n)))
    return Reader().read(raw, seen_by=SeenBy.FILE, seen_at=NOW)


def filled(arrivals: list[Arrival], *, packing: bool = True) -> Journal:
    journal = Journal(packing=packing)
    for start in range(0, len(arrivals), PAGE):
        journal.commit("files", arrivals[start : start + PAGE])
    return journal


def room_of(arrivals: list[Arrival], *, packing: bool = True) -> int:
    """What their records take, in bytes."""
    held = Records(packing=packing)
    for start in range(0, len(arrivals), PAGE):
        held.hold(enumerate(arrivals[start : start + PAGE], start + 1))
    return held.size


@pytest.mark.parametrize("secret", ["prod/db", "prod/dé", "prod/\ud800"])
def test_every_record_is_given_back_as_it_came(secret: str) -> None:
    arrivals = [arrival(n, secret) for n in range(MANY)]
    with closing(filled(arrivals)) as journal:
        assert all(journal.raw(each.event) == each.raw for each in arrivals)
        assert all(journal.raw(each.event) == each.raw for each in reversed(arrivals))
        stored = journal.recent(datetime(1970, 1, 1, tzinfo=UTC), journal.last_seq())
        assert sorted(each.raw for each in stored) == sorted(each.raw for each in arrivals)


def test_those_of_a_part_of_a_block_are_forgotten() -> None:
    arrivals = [arrival(n) for n in range(5 * BLOCK)]
    with closing(filled(arrivals)) as journal:
        keep = 3 * BLOCK + BLOCK // 2
        forgotten = len(arrivals) - keep
        assert journal.raw(arrivals[forgotten - 1].event) is not None
        journal.forget(keep)
        assert [journal.raw(each.event) is None for each in arrivals] == [True] * forgotten + [False] * keep
        assert journal.commit("files", arrivals).fresh == ()
        assert journal.raw(arrivals[forgotten].event) == arrivals[forgotten].raw


@pytest.mark.parametrize("packing", [True, False])
def test_what_a_failed_transaction_would_have_put_in_is_not_given_back_for_what_comes_then(packing: bool) -> None:
    arrivals = [arrival(n) for n in range(9 * BLOCK)]
    unwritable = Gap(Span(NOW, NOW + timedelta(hours=1)), "\ud800")
    with closing(filled(arrivals[:10], packing=packing)) as journal:
        with pytest.raises(UnicodeEncodeError):
            journal.commit("files", arrivals[10 : 8 * BLOCK], gaps=[unwritable])
        others = arrivals[:9:-1]
        for start in range(0, len(others), PAGE):
            journal.commit("files", others[start : start + PAGE])
            assert all(journal.raw(each.event) == each.raw for each in others[: start + PAGE])


def test_callers_that_take_turns_take_as_little_room_as_one_after_the_other() -> None:
    def call(n: int, caller: int) -> Arrival:
        by = records.role(f"team-{caller}", f"i-{Random(caller).getrandbits(68):017x}")
        return Reader().read(records.raw(records.read("prod/db", by=by, id=str(n))), seen_by=SeenBy.FILE, seen_at=NOW)

    in_turns = room_of([call(n, n % 64) for n in range(BLOCK + 1)])
    assert in_turns < 1.1 * room_of([call(n, n // 4) for n in range(BLOCK + 1)])


@pytest.mark.parametrize("packing", [True, False])
def test_they_take_a_third_of_the_room_at_the_most_where_they_are_packed(packing: bool) -> None:
    arrivals = [arrival(n) for n in range(MANY)]
    assert (room_of(arrivals, packing=packing) < sum(len(each.raw) for each in arrivals) / 3) is packing
