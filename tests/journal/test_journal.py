import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, MIGRATIONS, Journal, JournalBusyError, JournalCorruptError, JournalError
from smwatch.journal.schema import COMPLETE, shape
from smwatch.rules.alarm import Alarm, AlarmState, Decision, Severity
from smwatch.sources.coverage import Asked, Audited, Coverage, Gap, Lags, Noted, Span
from tests import records
from tests.known import journal_of_version

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALARM = Alarm(
    group="SMW-DEL-01:0",
    rule="SMW-DEL-01",
    severity=Severity.CRITICAL,
    state=AlarmState.ACKNOWLEDGED,
    title="A deleted secret is asked for",
    why="",
    count=1,
    first_at=NOW,
    last_at=NOW,
    changed_at=NOW,
    acknowledged=Decision(at=NOW, upto=0, note="known: rollout"),
)


def arrival(number: int, *, ago: timedelta = timedelta()) -> Arrival:
    record = records.read(
        eventID=f"00000000-0000-4000-8000-{number:012d}", eventTime=(NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    return Reader().read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=NOW)


@pytest.fixture(params=["memory", "disk"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(None if request.param == "memory" else tmp_path / "state" / FILE_NAME)
    yield journal
    journal.close()


def test_an_event_committed_twice_is_new_once(journal: Journal) -> None:
    first = journal.commit("a", [arrival(1), arrival(2), arrival(1)])
    second = journal.commit("b", [arrival(2), arrival(3)])
    assert [seq for seq, _ in first.fresh] == [1, 2]
    assert [(seq, new.event.id[-1]) for seq, new in second.fresh] == [(3, "3")]


def test_a_large_page_is_numbered_in_its_order_also_where_some_of_it_is_known(journal: Journal) -> None:
    known, page = arrival(1), [arrival(n) for n in range(130)]
    assert journal.commit("a", [known]).seqs == range(1, 2)
    committed = journal.commit("a", page)
    assert committed.arrivals == [one for one in page if one.event.key != known.event.key]
    assert committed.seqs == range(2, 131)
    later = [arrival(n) for n in range(200, 330)]
    assert journal.commit("b", later).seqs == range(131, 261)
    numbered = dict(enumerate((known, *committed.arrivals, *later), 1))
    held = {found.seq: found.raw for found in journal.recent(NOW - timedelta(days=1), 261)}
    assert held == {seq: one.raw for seq, one in numbered.items()}


def test_pages_that_partly_repeat_are_numbered_without_gaps(journal: Journal) -> None:
    pages = [range(3), range(2, 5), range(5), range(4, 8), range(8, 10), [10, 10, 11]]
    new = [
        [(seq, found.event.key) for seq, found in journal.commit("trail", [arrival(n) for n in page]).fresh]
        for page in pages
    ]
    assert [[seq for seq, _ in page] for page in new] == [[1, 2, 3], [4, 5], [], [6, 7, 8], [9, 10], [11, 12]]
    assert [key for page in new for _, key in page] == [arrival(n).event.key for n in range(12)]
    assert {stored.seq for stored in journal.recent(NOW - timedelta(days=1), 100)} == set(range(1, 13))


def test_the_same_event_id_in_two_accounts_is_two_events(journal: Journal) -> None:
    ours, theirs = (
        Reader().read(
            records.raw(records.read(eventID="00000000-0000-4000-8000-000000000001", recipientAccountId=account)),
            seen_by=SeenBy.FILE,
            seen_at=NOW,
        )
        for account in ("111122223333", "444455556666")
    )
    assert len(journal.commit("a", [ours, theirs]).fresh) == 2


def test_the_record_comes_back_as_it_was(journal: Journal) -> None:
    raw = '{"eventName" : "Get\\u0000Secret", "n": 1.50e3,\n "x":"\ud800 \u202e"}'
    odd = Reader().read(raw, seen_by=SeenBy.FILE, seen_at=NOW)
    journal.commit("a", [odd])
    assert journal.raw(odd.event) == raw
    assert journal.raw(arrival(7).event) is None


@pytest.mark.parametrize("raw", [records.raw(records.read(eventTime=records.ABSENT)), '{"torn": '])
def test_what_does_not_say_when_it_happened_is_read_again_as_of_the_same_moment(journal: Journal, raw: str) -> None:
    seen = Reader().read(raw, seen_by=SeenBy.LOGS, seen_at=NOW, at=NOW - HOUR)
    journal.commit("a", [seen])
    (stored,) = journal.between(NOW - HOUR, NOW)
    again = stored.read(Reader())
    assert (again.event.key, again.moved) == (seen.event.key, False)
    assert again.event.at == stored.at == NOW - HOUR


def test_coverage_is_kept_by_source_and_joined(journal: Journal) -> None:
    for start, end in [(0, 1), (2, 3), (1, 2)]:
        journal.commit("a", [], settled=Span(NOW + start * HOUR, NOW + end * HOUR))
    journal.commit("b", [], settled=Span(NOW, NOW + HOUR), gaps=[Gap(Span(NOW - HOUR, NOW), "older than 90 days")])
    assert journal.coverage("a") == Coverage((Span(NOW, NOW + 3 * HOUR),))
    assert journal.coverage("b").gaps == (Gap(Span(NOW - HOUR, NOW), "older than 90 days"),)
    journal.commit("b", [], untrue=journal.coverage("b").gaps)
    assert journal.coverage("b") == Coverage((Span(NOW, NOW + HOUR),))
    assert journal.coverage("c") == Coverage()


@pytest.mark.parametrize("unit", [HOUR, timedelta(microseconds=700)], ids=str)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=12))
def test_coverage_equals_what_joining_in_memory_gives(unit: timedelta, periods: list[tuple[int, int]]) -> None:
    journal, expected = Journal(), Coverage()
    for start, length in periods:
        span = Span(NOW + start * unit, NOW + (start + length) * unit)
        journal.commit("a", [], settled=span)
        expected = expected.with_settled(span)
    assert journal.coverage("a") == expected
    journal.close()


def test_what_was_covered_under_a_stand_in_is_the_accounts(journal: Journal) -> None:
    lags, gap = Lags(settle=timedelta(minutes=40)), Gap(Span(NOW - HOUR, NOW), "older than 90 days")
    for name, start in (("unknown-1f2e", 0), ("unknown-1f2e", 2), ("111122223333", 1), ("unknown-9999", 4)):
        journal.commit(f"cloudtrail:{name}:eu-west-1", [], settled=Span(NOW + start * HOUR, NOW + (start + 1) * HOUR))
    journal.commit("cloudtrail:unknown-1f2e:eu-west-1", [], gaps=[gap], noted=Noted(lags=lags))
    assert journal.account_of("unknown-1f2e") is None
    journal.know_account("unknown-1f2e", "111122223333")
    journal.know_account("unknown-1f2e", "111122223333")
    assert journal.account_of("unknown-1f2e") == "111122223333"
    assert journal.coverage("cloudtrail:111122223333:eu-west-1") == Coverage((Span(NOW, NOW + 3 * HOUR),), (gap,), lags)
    assert journal.sources() == ("cloudtrail:111122223333:eu-west-1", "cloudtrail:unknown-9999:eu-west-1")


def test_how_late_records_were_found_to_be_outlives_the_process(tmp_path: Path) -> None:
    lags = Lags(timedelta(minutes=90), timedelta(minutes=20), NOW + HOUR)
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        journal.commit("cloudtrail:1:eu-west-1", [], noted=Noted(lags=lags))
        journal.commit("cloudtrail:1:eu-west-1", [], settled=Span(NOW, NOW + HOUR))
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        assert journal.coverage("cloudtrail:1:eu-west-1").lags == lags
        assert journal.coverage("cloudtrail:1:us-east-1").lags == Lags()


def test_how_far_audits_and_sweeps_have_come_and_what_was_asked_for_outlives_the_process(tmp_path: Path) -> None:
    audited = Audited(
        due_at=NOW,
        turn_at=NOW - HOUR,
        left=(Span(NOW - HOUR, NOW), Span(NOW + HOUR, NOW + 2 * HOUR)),
        round=Span(NOW - 6 * HOUR, NOW),
        planned_at=NOW,
        unread=(Span(NOW - 9 * HOUR, NOW - 8 * HOUR),),
        urgent_next=True,
    )
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        noted = Noted(audited=audited, asked=(Asked(NOW - 9 * HOUR, NOW),), swept=audited.left)
        journal.commit("cloudtrail:1:eu-west-1", [], noted=noted)
        journal.commit("cloudtrail:1:eu-west-1", [], settled=Span(NOW, NOW + HOUR))
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        assert journal.coverage("cloudtrail:1:eu-west-1").audited == audited
        assert journal.coverage("cloudtrail:1:eu-west-1").asked == (Asked(NOW - 9 * HOUR, NOW),)
        assert journal.coverage("cloudtrail:1:eu-west-1").swept == audited.left
        assert journal.coverage("cloudtrail:1:us-east-1").audited == Audited()


def test_events_and_coverage_are_taken_together_or_not_at_all(journal: Journal) -> None:
    journal.commit("a", [arrival(1)])
    with pytest.raises(AttributeError):
        journal.commit("a", [arrival(2)], settled=Span(NOW, NOW + HOUR), gaps=["not a gap"])  # type: ignore[list-item]
    assert journal.last_seq() == 1
    assert journal.coverage("a") == Coverage()


def test_the_newest_come_first_and_only_those_that_had_arrived(journal: Journal) -> None:
    journal.commit("a", [arrival(n, ago=n * HOUR) for n in (3, 1, 2)])
    journal.commit("a", [arrival(0)])
    assert [row.at for row in journal.recent(NOW - 2 * HOUR, 3)] == [NOW - HOUR, NOW - 2 * HOUR]
    assert [row.seq for row in journal.recent(NOW - 9 * HOUR, 99)] == [4, 2, 3, 1]


@pytest.mark.parametrize(("limit", "seqs"), [(9, [4, 3, 2, 1]), (4, [4, 3, 2, 1]), (3, [3, 2, 1]), (0, [])])
def test_what_is_recalled_is_the_newest_oldest_first(journal: Journal, limit: int, seqs: list[int]) -> None:
    journal.commit("a", [arrival(n, ago=n * HOUR) for n in range(6)])
    assert [row.seq for row in journal.recalled(NOW - 3 * HOUR, 5, limit=limit)] == seqs
    assert journal.count(NOW - 3 * HOUR, limit) == len(seqs)


def test_what_was_told_is_not_told_again(journal: Journal) -> None:
    journal.commit("a", [arrival(n, ago=n * HOUR) for n in range(4)])
    assert [row.seq for row in journal.untold(NOW - 2 * HOUR, 9_999)] == [3, 2, 1]
    journal.tell([2, 3])
    assert [row.seq for row in journal.untold(NOW - 9 * HOUR, 9_999)] == [4, 1]


@pytest.mark.parametrize("since", [NOW - 9 * HOUR, NOW - 2 * HOUR, NOW])
@pytest.mark.parametrize(("taken", "dealt"), [(False, False), (True, False), (True, True)])
def test_what_is_there_when_printing_begins_is_remembered_or_printed(
    journal: Journal, since: datetime, taken: bool, dealt: bool
) -> None:
    if taken:
        journal.begin_printing(NOW - 4 * HOUR)
    journal.commit("a", [arrival(n, ago=n * HOUR) for n in range(6)])
    journal.tell([2, 3], dealt=4 if dealt else None)
    remembered = [row.seq for row in journal.recent(NOW - 9 * HOUR, 99, printing_from=since)]
    printed = [row.seq for row in journal.untold(since, 9_999)]
    assert sorted(remembered + printed) == [1, 2, 3, 4, 5, 6]
    assert {2, 3} <= set(remembered)
    assert 6 in (printed if since == NOW - 9 * HOUR else remembered), "nobody has asked for it"


def test_long_reads_come_in_chunks_and_miss_nothing(journal: Journal) -> None:
    journal.commit("a", [arrival(n, ago=timedelta(seconds=n // 3)) for n in range(1700)])
    assert len({row.seq for row in journal.between(NOW - HOUR, NOW + HOUR)}) == 1700
    assert [row.seq for row in journal.recent(NOW - HOUR, 1600)] == [
        row.seq for row in reversed(list(journal.between(NOW - HOUR, NOW + HOUR))) if row.seq <= 1600
    ]
    assert [row.at for row in journal.untold(NOW - HOUR, 9_999)] == sorted(
        row.at for row in journal.untold(NOW - HOUR, 9_999)
    )


def test_pruning_deletes_old_events_and_nothing_else(journal: Journal) -> None:
    journal.commit("a", [arrival(n, ago=n * HOUR) for n in range(4)], settled=Span(NOW - HOUR, NOW))
    journal.tell([1, 4])
    assert journal.prune(NOW - HOUR) == 2
    assert journal.prune(NOW - HOUR) == 0
    assert [row.seq for row in journal.between(NOW - 9 * HOUR, NOW + HOUR)] == [2, 1]
    assert journal.coverage("a").settled
    assert journal.commit("a", [arrival(9)]).fresh[0][0] == 5  # numbers are never used twice


def test_all_events_are_kept_from_the_oldest_on_as_long_as_that_is_not_deleted(journal: Journal) -> None:
    assert journal.kept_from(NOW - HOUR) == NOW - HOUR
    events = [arrival(n, ago=n * HOUR) for n in range(4)]
    journal.commit("a", events)
    assert journal.kept_from(NOW - HOUR) == events[-1].event.at
    journal.prune(NOW - HOUR)
    assert journal.kept_from(NOW - HOUR) == NOW - HOUR
    assert journal.kept_from(NOW) == events[1].event.at


def test_a_journal_in_memory_forgets_records_but_still_knows_them() -> None:
    journal = Journal()
    journal.commit("a", [arrival(n) for n in range(5)])
    journal.forget(2)
    assert [journal.raw(arrival(n).event) is None for n in range(5)] == [True, True, True, False, False]
    assert journal.commit("a", [arrival(0)]).fresh == ()


def test_a_journal_in_memory_takes_no_room_for_records_that_it_forgot() -> None:
    connections: list[sqlite3.Connection] = []
    with closing(Journal(begin=connections.append)) as journal:
        for start in range(0, 4_000, 100):
            journal.commit("a", [arrival(n) for n in range(start, start + 100)])
            journal.forget(100)
        (pages,), (size,) = (
            connections[0].execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
        assert pages * size < 4_000 * 120  # a record alone is 1.4 kB
        assert connections[0].execute("SELECT count(raw) FROM events").fetchone() == (100,)
        assert journal.commit("a", [arrival(0), arrival(3_999)]).fresh == ()


def test_what_is_known_already_takes_no_numbers(journal: Journal) -> None:
    for _ in range(3):
        journal.commit("a", [arrival(1), arrival(2)])
    ((third, _),) = journal.commit("a", [arrival(2), arrival(3), arrival(1)]).fresh
    ((fourth, _),) = journal.commit("a", [arrival(4)]).fresh
    assert (third, fourth) == (3, 4)


def test_two_processes_share_a_journal_and_see_each_others_events(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    ours.commit("a", [arrival(1)])
    committed = theirs.commit("a", [arrival(1), arrival(2)])
    assert [row.seq for row in committed.foreign] == [1]
    assert [seq for seq, _ in committed.fresh] == [2]
    assert [row.seq for row in ours.foreign()] == [2]
    assert ours.foreign() == ()
    ours.close()
    theirs.close()


def test_a_journal_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state" / FILE_NAME
    journal = Journal(path)
    journal.commit("a", [arrival(1)])
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys((FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"), "0o600")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    journal.close()


def test_a_journal_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(JournalError, match="newer smwatch"):
        Journal(path)


def test_a_damaged_journal_is_set_aside_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"This is no database, but somebody may want it back." * 100)
    with pytest.raises(JournalCorruptError, match="not a database"):
        Journal(path)
    journal, aside = Journal.recovered(path, NOW)
    assert journal.commit("a", [arrival(1)]).fresh
    journal.close()
    assert aside == path.with_name(f"{FILE_NAME}.corrupt-20261123T140000Z")
    assert aside.read_bytes().startswith(b"This is no database")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="name another --state-dir"):
        Journal(tmp_path / "file" / FILE_NAME)


def test_a_journal_of_version_1_is_brought_up_to_date_and_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first, second = arrival(1), arrival(2, ago=HOUR)
    with closing(journal_of_version(path, 1, [first, second])) as db:
        db.execute("INSERT INTO told VALUES (1)")
        db.execute("INSERT INTO settled VALUES ('a', 0, 1000000)")
        db.execute("INSERT INTO facts VALUES ('mutes', x'6B657074')")
        db.execute("INSERT INTO facts VALUES ('settle_lag a', CAST('\"PT5400S\"' AS BLOB))")
    journal = Journal(path)
    assert journal.commit("a", [second, first, arrival(3)]).fresh[0][0] == 3
    assert journal.raw(first.event) == first.raw
    assert [row.seq for row in journal.between(NOW - 2 * HOUR, NOW + HOUR)] == [2, 1, 3]
    assert [row.seq for row in journal.untold(NOW - 2 * HOUR, 9_999)] == [2, 3]
    assert journal.coverage("a").settled[0].end == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert journal.coverage("a").lags == Lags(settle=timedelta(minutes=90))
    assert journal.fact("mutes") == b"kept"
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS)))
def test_a_migrated_journal_has_the_tables_of_a_new_one(tmp_path: Path, number: int) -> None:
    journal_of_version(tmp_path / "old", number).close()
    tables = []
    for name in ("old", "new"):
        Journal(tmp_path / name).close()
        with closing(sqlite3.connect(tmp_path / name)) as db:
            tables.append(db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall())
    assert tables[0] == tables[1]


def test_of_an_alarm_that_is_none_no_migration_says_how_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    whole = (
        b'{"state":"open","severity":3,"count":1,"first_at":"2026-11-23T14:00:00Z","last_at":"2026-11-23T14:00:00Z"}'
    )
    with closing(journal_of_version(path, 5)) as db:
        db.execute("INSERT INTO told VALUES (1)")
        alarms = enumerate((b"[]", b"7", b'"open"', b"null", b'{"state":"open"}', b"{", whole))
        db.executemany("INSERT INTO alarms VALUES (?, ?)", [(str(number), alarm) for number, alarm in alarms])
    with closing(Journal(path)) as journal:
        assert journal.facts("written alarm ") == {"6": b'["open",3,1,"2026-11-23T14:00:00Z","2026-11-23T14:00:00Z"]'}


def test_how_far_a_log_group_was_said_to_be_complete_outlives_that_it_was_said_by_delivery(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    spans = {
        "logs:1:eu-west-1:trail": (start, start + timedelta(hours=2, seconds=7, milliseconds=123)),
        "cloudtrail:1:eu-west-1": (start, start + timedelta(hours=1)),
    }
    with closing(journal_of_version(path, 6)) as db:
        for source, (first, last) in spans.items():
            times = ((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for at in (first, last))
            db.execute("INSERT INTO settled VALUES (?, ?, ?)", (source, *times))
        db.execute("INSERT INTO settled VALUES ('logs:damaged', 1, 'at noon')")
        db.execute("INSERT INTO settled VALUES ('logs:far', 1, ?)", (2**62,))
    with closing(Journal(path)) as journal:
        group, history = (journal.coverage(source) for source in spans)
        assert group.said_to == spans["logs:1:eu-west-1:trail"][1]
        assert history.said_to is None
        assert group.told_to(start, timedelta(minutes=10)) == group.said_to
        assert list(journal.facts("said ")) == ["logs:1:eu-west-1:trail"]


def test_a_migration_that_fails_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(journal_of_version(path, 1)) as db:
        db.execute("DROP INDEX events_at")  # the second step will miss it
    with pytest.raises(JournalCorruptError, match="no such index: events_at"):
        Journal(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'events_identity'").fetchone() == (1,)


STEPS = sum(len(migration) for migration in MIGRATIONS[1:])
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from smwatch.journal import MIGRATIONS, Journal, file

steps = [statement for migration in MIGRATIONS[1:] for statement in migration]
connect = file.connect

def traced(*args, **more):
    connection = connect(*args, **more)
    connection.set_trace_callback(lambda sql: sql == steps[int(sys.argv[2])] and os.kill(os.getpid(), signal.SIGKILL))
    return connection

file.connect = traced
Journal(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", range(STEPS))
def test_a_migration_that_was_killed_is_done_by_the_next_process(tmp_path: Path, step: int) -> None:
    path = tmp_path / FILE_NAME
    held = [arrival(n) for n in range(20)]
    journal_of_version(path, 1, held).close()
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), str(step)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with closing(Journal(path)) as journal:
        assert journal._write.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert len(list(journal.between(NOW - 99 * HOUR, NOW + HOUR))) == 20
        assert journal.commit("a", held).fresh == ()


def test_processes_that_open_an_old_journal_at_once_all_come_up(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    journal_of_version(path, 1).close()
    program = f"from smwatch.journal import *; from pathlib import Path; print(Journal(Path({str(path)!r})).last_seq())"
    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in running] == ["0\n"] * 4


def test_another_programs_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text)")
    with pytest.raises(JournalCorruptError, match="something else"):
        Journal(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("DROP INDEX events_key", "it lacks events_key"),  # without it, events would be taken in twice
        ("ALTER TABLE settled DROP COLUMN end_us", r"it lacks settled\.end_us"),
        ("DROP TABLE told", r"it lacks told\.seq"),
        ("PRAGMA user_version = -1", "it is of version -1"),
        ("PRAGMA user_version = 1", "it is not what its version says: index events_key already exists"),
    ],
)
def test_a_journal_that_is_not_what_it_says_is_damaged(tmp_path: Path, change: str, says: str) -> None:
    path = tmp_path / FILE_NAME
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(change)
        db.commit()
    with pytest.raises(JournalCorruptError, match=says):
        Journal(path)
    if "user_version = 1" not in change:  # one that is only read may be of an older version
        with pytest.raises(JournalCorruptError, match=says):
            Journal(path, read_only=True)


def test_what_a_journal_is_to_have_is_what_it_is_made_with() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for statement in (one for migration in MIGRATIONS for one in migration):
            made.execute(statement)
        assert shape(made) == COMPLETE


def test_to_open_a_journal_makes_no_other_one(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    Journal(path).close()
    opened = list[object]()
    hooks = [lambda event, arguments: opened.append(arguments[0]) if event == "sqlite3.connect" else None]
    sys.addaudithook(lambda event, arguments: hooks[0](event, arguments) if hooks else None)  # there for good
    Journal(path).close()
    hooks.clear()
    assert opened
    assert all(str(path) in str(name) for name in opened)


def test_a_journal_is_told_by_its_statements_or_where_they_are_worded_otherwise_by_its_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smwatch.journal.schema.shape", looked := Mock(wraps=shape))
    path = tmp_path / FILE_NAME
    Journal(path).close()
    looked.assert_not_called()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP TABLE told")
        db.execute("CREATE TABLE told ( seq INTEGER PRIMARY KEY)")
    Journal(path).close()
    looked.assert_called_once()


def test_an_older_journal_that_has_the_rows_of_a_newer_one_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(journal_of_version(path, 4)) as db:
        db.execute("INSERT INTO facts VALUES ('settle_lag x', '1'), ('lags x', '1')")
        db.commit()
    with pytest.raises(JournalCorruptError, match="not what its version says: UNIQUE constraint failed"):
        Journal(path)


def test_a_file_of_zero_bytes_becomes_a_journal(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    journal = Journal(tmp_path / FILE_NAME)
    assert journal.commit("a", [arrival(1)]).fresh
    journal.close()


def test_a_directory_in_the_journals_place_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(JournalError, match="Is a directory; name another --state-dir"):
        Journal(tmp_path / FILE_NAME)


@settings(max_examples=30)
@given(st.data())
def test_what_a_power_loss_leaves_of_the_last_writes_is_whole_pages_in_their_order(data: st.DataObject) -> None:
    """The log cut anywhere, its end garbled: what remains is what some commit left, never half of one."""
    with tempfile.TemporaryDirectory() as folder:
        written, left = Path(folder, "written", FILE_NAME), Path(folder, "left", FILE_NAME)
        journal = Journal(written)
        for page in range(8):
            span = Span(NOW + page * HOUR, NOW + (page + 1) * HOUR)
            journal.commit("a", [arrival(10 * page + n, ago=-page * HOUR) for n in range(page + 1)], settled=span)
            journal.tell([page + 1])
        log = written.with_name(f"{FILE_NAME}-wal").read_bytes()
        size = data.draw(st.integers(0, len(log)))
        garbled = data.draw(st.binary(max_size=4096))
        left.parent.mkdir()
        left.write_bytes(written.read_bytes())
        left.with_name(f"{FILE_NAME}-wal").write_bytes(log[: max(0, size - len(garbled))] + garbled)
        journal.close()
        journal = Journal(left)
        kept = [row.at for row in journal.between(NOW, NOW + 9 * HOUR)]
        settled = journal.coverage("a").settled
        pages = round((settled[0].end - NOW) / HOUR) if settled else 0
        assert kept == [NOW + page * HOUR for page in range(pages) for _ in range(page + 1)]
        assert journal.commit("a", [arrival(99)]).fresh[0][0] == len(kept) + 1
        journal.close()


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    """SQLite syncs its log at each commit, and the journal asks for nothing less."""
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        uses: tuple[Callable[[], object], ...] = (
            lambda: None,
            lambda: journal.tell([1]),
            lambda: journal.prune(NOW),
            lambda: journal.keep([]),
        )
        for use in uses:
            use()
            assert journal._write.execute("PRAGMA synchronous").fetchone() == (2,)
            assert journal._write.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_alarms_and_mutes_are_saved_from_a_damaged_journal(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    journal = Journal(path)
    journal.keep([ALARM], {"mutes": b"[]"})
    journal.commit("a", [arrival(n) for n in range(300)], settled=Span(NOW - HOUR, NOW))
    journal._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (root,) = journal._write.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()
    (size,) = journal._write.execute("PRAGMA page_size").fetchone()
    journal._write.execute("PRAGMA shrink_memory")
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(JournalCorruptError):
        journal.commit("a", [arrival(1, ago=HOUR)])
    aside = journal.set_aside(NOW, {"b": NOW + HOUR, "c": None})
    assert aside is not None
    assert aside.exists()
    assert journal.coverage("a") == Coverage(lost_to=NOW)
    assert journal.coverage("b") == Coverage(lost_to=NOW + HOUR)
    assert journal.coverage("c") == Coverage()
    assert journal.alarms() == (ALARM,)
    assert journal.fact("mutes") == b"[]"
    assert journal.last_seq() == 0
    assert journal.commit("a", [arrival(1)]).fresh[0][0] == 1
    journal.close()


def broken(path: Path, *names: str, keeping: int = 0) -> None:
    """Overwrite the pages of these tables and indexes, but the first so many of each."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [
            page
            for name in names
            for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = ?", (name,)).fetchall()[keeping:]
        ]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("names", "keeping", "known", "unsaved"),
    [
        (("events",), 0, 1200, ""),
        (("events_key",), 0, 1200, ""),
        (("events", "events_key"), 0, 0, "1,200 of 1,200 printed lines can't be read from it: they may be repeated"),
        (("told",), 0, 0, "what `smwatch tail` has printed can't be read from it: lines may be repeated"),
        (("alarms", "events"), 0, 1200, "not all of its alarms and notes could be read"),
    ],
)
def test_what_was_printed_is_read_from_a_damaged_journal(
    tmp_path: Path, names: tuple[str, ...], keeping: int, known: int, unsaved: str
) -> None:
    path = tmp_path / FILE_NAME
    given = [arrival(n) for n in range(1500)]
    with closing(Journal(path)) as journal:
        journal.keep([ALARM], {"mutes": b"[]"})
        journal.tell([seq for seq, _ in journal.commit("a", given).fresh][:1200])
    broken(path, *names, keeping=keeping)
    journal, aside = Journal.recovered(path, NOW)
    with closing(journal):
        assert aside or journal.set_aside(NOW)  # not all damage is met with at once
        assert journal.unsaved == unsaved
        assert journal.set_aside(NOW)  # and once more, before any of it has come back
        assert not journal.unsaved
        assert journal.fact("mutes") == b"[]"
        seqs = [seq for seq, _ in journal.commit("a", given).fresh]
        assert len(seqs) == 1500
        assert journal.told_before(seqs) == set(seqs[:known])
        assert len(list(journal.untold(NOW - 2 * HOUR, 9_999))) == 1500 - known


def test_of_two_processes_only_one_sets_a_damaged_journal_aside(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    assert ours.set_aside(NOW) is not None
    ours.commit("a", [arrival(1)])
    assert theirs.set_aside(NOW) is None
    assert theirs.last_seq() == 1
    theirs.close()
    assert ours.set_aside(NOW) != ours.set_aside(NOW)  # a name for each
    assert len(list(tmp_path.glob("*.corrupt-*Z*"))) >= 3
    ours.close()


def test_alarms_that_could_not_be_kept_are_kept_with_the_next_page(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as journal, closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        journal._write.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalBusyError):
            journal.keep([ALARM])
        other.rollback()
        journal.commit("a", [])
        assert journal.alarms() == (ALARM,)


def test_alarms_and_notes_outlive_the_events_behind_them(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        journal.commit("a", [arrival(1, ago=100 * 24 * HOUR)])
        journal.keep([ALARM])
        assert journal.prune(NOW - 90 * 24 * HOUR) == 1
        assert journal.alarms() == (ALARM,)
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        assert journal.alarms() == (ALARM,)
        assert list(journal.between(NOW - 200 * 24 * HOUR, NOW + HOUR)) == []


def test_a_journal_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(Journal(path)) as journal:
        journal.commit("a", [arrival(1)])
    before = path.read_bytes()
    with closing(Journal(path, read_only=True)) as journal:
        assert [row.seq for row in journal.between(NOW - HOUR, NOW + HOUR)] == [1]
        with pytest.raises(JournalError, match="readonly"):
            journal.commit("a", [arrival(2)])
    assert path.read_bytes() == before


def test_only_one_process_prints_and_a_killed_one_makes_room(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    first.begin_printing(NOW)
    with pytest.raises(JournalError, match="another smwatch tail"):
        second.begin_printing(NOW)
    first.close()
    second.begin_printing(NOW)
    second.close()


def test_what_was_taken_in_to_be_printed_and_was_not_is_printed_though_less_is_asked_for(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as screen:
        screen.commit("a", [arrival(1, ago=9 * HOUR)])
    with closing(Journal(tmp_path / FILE_NAME)) as tail:
        tail.begin_printing(NOW - 8 * HOUR)
        assert list(tail.untold(NOW - HOUR, 9_999)) == []
        tail.tell([], dealt=tail.last_seq())
        tail.commit("a", [arrival(2, ago=8 * HOUR), arrival(3, ago=7 * HOUR), arrival(4)])
        tail.commit("a", [arrival(5, ago=10 * HOUR)])
        tail.tell([2], dealt=2)  # and here it is killed
    with closing(Journal(tmp_path / FILE_NAME)) as tail:
        assert tail.begin_printing(NOW - HOUR) == NOW - 8 * HOUR
        assert [row.seq for row in tail.untold(NOW - HOUR, 9_999)] == [3, 4]
    with closing(Journal(tmp_path / FILE_NAME)) as tail:
        assert tail.begin_printing(NOW - 12 * HOUR) == NOW - 12 * HOUR
        assert [row.seq for row in tail.untold(NOW - 12 * HOUR, 9_999)] == [5, 1, 3, 4]


def test_what_lay_there_to_be_printed_and_was_not_is_printed_though_less_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(Journal(path)) as screen:
        screen.commit("a", [arrival(n, ago=n * HOUR) for n in (9, 7, 6)])

    def printed_first(since: datetime) -> list[int]:
        tail.begin_printing(since)
        return [row.seq for row in tail.untold(since, tail.catch_up())]

    with closing(Journal(path)) as tail:
        assert printed_first(NOW - HOUR) == []
        tail.tell([], dealt=tail.caught_up_to)
    with closing(Journal(path)) as tail:
        assert printed_first(NOW - 8 * HOUR) == [2, 3]
        tail.tell([2])  # and here it is killed
    with closing(Journal(path)) as tail:
        assert printed_first(NOW - HOUR) == [3]


@pytest.mark.parametrize("printed", [True, False])
def test_what_an_older_smwatch_was_to_print_is_all_that_it_took_in(tmp_path: Path, printed: bool) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as older:
        older.commit("a", [arrival(n, ago=n * HOUR) for n in range(6)])
        older.tell([1] if printed else [])
    with closing(Journal(tmp_path / FILE_NAME)) as tail:
        assert tail.begin_printing(NOW - HOUR) == NOW - (5 if printed else 1) * HOUR
    with closing(Journal(tmp_path / FILE_NAME)) as tail:
        assert tail.begin_printing(NOW) == NOW - (5 if printed else 1) * HOUR


def test_a_number_is_not_given_again_though_all_events_were_pruned_and_it_was_closed(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    ours.commit("a", [arrival(n, ago=HOUR) for n in range(3)])
    assert len(theirs.foreign()) == 3
    assert ours.prune(NOW) == 3
    ours.close()
    ours = Journal(tmp_path / FILE_NAME)
    ((seq, _),) = ours.commit("a", [arrival(4)]).fresh
    assert [row.seq for row in theirs.foreign()] == [seq]
    ours.close()
    theirs.close()
