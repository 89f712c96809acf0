"""A journal that can't be written to: what it holds is shown, and stays as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smwatch.journal import FILE_NAME, MIGRATIONS, Journal, JournalError
from smwatch.sources.coverage import Coverage, Gap, Span
from tests.journal.test_journal import ALARM, HOUR, NOW, arrival
from tests.known import journal_of_version

DAY = 24 * HOUR


def test_everything_it_holds_is_there(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    span, gap = Span(NOW - HOUR, NOW), Gap(Span(NOW - 3 * HOUR, NOW - 2 * HOUR), "unreadable")
    with closing(Journal(path)) as kept:
        kept.begin_printing(NOW - 30 * DAY)
        kept.commit("a", [arrival(n, ago=n * HOUR) for n in range(3)], settled=span, gaps=[gap])
        kept.keep([ALARM], {"note": b"1"})
        kept.tell([1, 2])
        before = path.read_bytes()
        with closing(Journal.copied(path, 100)) as journal:
            assert journal.path is None
            assert [row.seq for row in journal.recent(NOW - DAY, 9)] == [1, 2, 3]
            assert journal.raw(arrival(1, ago=HOUR).event) == arrival(1, ago=HOUR).raw
            assert journal.coverage("a") == Coverage((span,), (gap,))
            assert (journal.alarms(), journal.fact("note")) == ((ALARM,), b"1")
            assert [row.seq for row in journal.untold(NOW - DAY, 99)] == [3], "the others have been printed"
            committed = journal.commit("a", [arrival(2, ago=2 * HOUR), arrival(7)])
            assert [seq for seq, _ in committed.fresh] == [4], "what it knows is not new"
        assert path.read_bytes() == before


def test_of_very_many_events_the_newest_are_copied_and_those_of_two_days_are_known(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(Journal(path)) as kept:
        kept.begin_printing(NOW - 30 * DAY)
        kept.commit("a", [arrival(n, ago=(8 - n) * 10 * HOUR) for n in range(8)])
        kept.commit("a", [arrival(9, ago=9 * DAY)])  # the latest to come, and the oldest
        kept.tell(range(1, 10))
    with closing(Journal.copied(path, 2)) as journal:
        assert [row.seq for row in journal.recent(NOW - 30 * DAY, 99)] == [8, 7]
        again = journal.commit("a", [arrival(n, ago=(8 - n) * 10 * HOUR) for n in range(8)])
        assert [new.event.id[-1] for _, new in again.fresh] == ["0", "1", "2"], "what is older can't be known"
        assert len(list(journal.untold(NOW - 30 * DAY, 99))) == 3, "a number that is given anew was never printed"


def test_the_records_of_one_that_is_taken_over_are_forgotten_like_those_that_come(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(Journal(path)) as kept:
        kept.commit("a", [arrival(n) for n in (3, 1, 2)])
    with closing(Journal.copied(path, 100)) as journal:
        journal.commit("a", [arrival(4)])
        journal.forget(2)
        assert [journal.raw(arrival(n).event) is None for n in (3, 1, 2, 4)] == [True, True, False, False]
        assert journal.commit("a", [arrival(3)]).fresh == ()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_one_of_an_older_version_is_brought_up_to_date_in_memory_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / FILE_NAME
    journal_of_version(path, version, [arrival(1)]).close()
    before = path.read_bytes()
    with closing(Journal.copied(path, 100)) as journal:
        assert [row.raw for row in journal.recent(NOW - HOUR, 9)] == [arrival(1).raw]
        assert [seq for seq, _ in journal.commit("a", [arrival(1), arrival(2)]).fresh] == [2]
    assert path.read_bytes() == before


def test_one_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(JournalError):
        Journal.copied(path, 100)
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE somebodys (thing)")
    with pytest.raises(JournalError):
        Journal.copied(path, 100)


@pytest.mark.parametrize("version", [1, len(MIGRATIONS)])
def test_one_that_is_not_what_its_version_says_is_refused(tmp_path: Path, version: int) -> None:
    path = tmp_path / FILE_NAME
    with closing(journal_of_version(path, version, [arrival(1)])) as db:
        db.execute("ALTER TABLE events DROP COLUMN seen_by")
    with pytest.raises(JournalError):
        Journal.copied(path, 100)
