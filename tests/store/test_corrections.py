"""A record with an addendum takes the place of the one it corrects, whichever comes first; both count as one."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.headless.lines import event_line
from smwatch.journal import Journal
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from tests import records
from tests.known import Known, journal_of_version

FIRST, SECOND = str(UUID(int=7)), str(UUID(int=8))


def arrival(record: Record) -> Arrival:
    return Reader().read(records.raw(record), seen_by=SeenBy.LOGS, seen_at=records.AT)


def correction(original: str = FIRST, *, event_id: str = SECOND, **more: Any) -> Record:
    addendum = {"reason": "UPDATED_DATA", "updatedFields": "errorMessage", "originalEventID": original}
    return records.read_deleted("prod/db", id=event_id, addendum=addendum, **more)


def original(**more: Any) -> Record:
    return records.read("prod/db", id=FIRST, **more)


def test_a_correction_has_an_id_of_its_own_and_the_key_of_what_it_corrects() -> None:
    first, second = arrival(original()).event, arrival(correction()).event
    assert second.key == first.key
    assert (first.id, first.corrects) == (FIRST, "")
    assert (second.id, second.corrects) == (SECOND, FIRST)
    assert first.own_key == first.key
    assert second.own_key == arrival(records.read_deleted("prod/db", id=SECOND)).event.key


@pytest.mark.parametrize(
    "addendum",
    [
        *(None, "x", [], {}, {"reason": "DELIVERY_DELAY"}),
        *({"originalEventID": original} for original in (None, "", 5, SECOND, "not a uuid")),
    ],
)
def test_what_corrects_nothing_is_an_event_like_others(addendum: object) -> None:
    event = arrival(records.read("prod/db", id=SECOND, addendum=addendum)).event
    assert (event.id, event.corrects, event.own_key) == (SECOND, "", event.key)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_comes_first_the_correction_is_shown_and_the_action_counted_once(order: tuple[int, ...]) -> None:
    given = [original(), correction(), records.read("prod/db", id=str(UUID(int=9)))]
    engine = Engine(combine(load_builtin()))
    store = Store(engine=engine)
    view = store.view()
    for i in order:
        store.add([arrival(given[i])])
    for record in given:  # and again, as another scan brings them
        assert not store.add([arrival(record)]).added
    assert sorted(event.id for event in store.events) == [SECOND, str(UUID(int=9))]
    assert view.rows == store.events
    assert store.names["GetSecretValue"] == 2
    (alarm,) = [each for each in store.alarms.values() if each.rule == "SMW-DEL-01"]
    assert alarm.count == 1
    assert [store.find(key) for key in alarm.event_keys] == [store.find(arrival(correction()).event.key)]


def test_the_journal_keeps_both_records_and_gives_back_the_right_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    first, second = arrival(original()), arrival(correction())
    assert len(journal.commit("logs", [first, second, first, second]).fresh) == 2
    assert journal.raw(first.event) == first.raw
    assert journal.raw(second.event) == second.raw
    assert journal.known([second]) == {second.event.own_key}
    journal.close()


LATER = records.AT + timedelta(minutes=5)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("moved", [timedelta(minutes=5), timedelta(minutes=-5)])
@pytest.mark.parametrize("where", ["memory", "file"])
async def test_a_correction_of_the_time_counts_once_whichever_comes_first_and_after_a_restart(
    tmp_path: Path, order: tuple[int, ...], moved: timedelta, where: str
) -> None:
    given = [original(), correction(at=records.AT + moved), correction(event_id=str(UUID(int=9)), at=records.AT)]
    path = tmp_path / "journal.sqlite3" if where == "file" else None
    known = Known(path)
    for i in order:
        await known.read(given[i])
    for record in given:
        await known.read(record)
    (event,) = known.store.events
    assert event.corrects == FIRST
    (alarm,) = known.alarms("SMW-DEL-01")
    assert alarm.count == 1
    assert known.store.find(alarm.event_keys[0]) == event
    assert [dossier.events for dossier in known.store.secrets.values()] == [1]
    assert sorted(known.printed) == sorted(record["eventID"] for record in given)
    if path is not None:
        again = await known.restarted()
        for record in reversed(given):
            await again.read(record)
        assert [one.corrects for one in again.store.events] == [FIRST]
        assert [one.count for one in again.alarms("SMW-DEL-01")] == [1]
        assert again.store.events[0].key == event.key
    known.journal.close()


async def test_a_correction_of_the_time_is_told_with_the_time_that_it_gives(tmp_path: Path) -> None:
    known = Known(tmp_path / "journal.sqlite3")
    await known.read(original())
    await known.read(correction(at=LATER))
    times = [(line["id"], line["time"], line["supersedes"]) for line in known.lines]
    assert times == [(FIRST, records.stamp(records.AT), None), (SECOND, records.stamp(LATER), FIRST)]
    known.journal.close()


async def test_what_another_process_journals_is_corrected_too(tmp_path: Path) -> None:
    one, other = Known(tmp_path / "journal.sqlite3"), Known(tmp_path / "journal.sqlite3")
    await one.read(correction(at=LATER))
    await other.read(original())
    await one.read(records.read("prod/db", id=str(UUID(int=9))))
    for known in (one, other):
        assert [event.corrects for event in known.store.events if event.id == SECOND] == [FIRST]
        assert known.store.names["GetSecretValue"] == len(known.store.events)
        known.journal.close()


def test_corrections_in_an_older_journal_are_found_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    given = [original(), correction(at=LATER)]
    journal_of_version(path, 2, map(arrival, given)).close()
    with closing(Journal(path)) as journal:
        while journal.link_older():
            pass
        stored = list(journal.between(records.AT - timedelta(days=1), LATER + timedelta(days=1)))
        assert [one.second for one in stored] == [int(records.AT.timestamp())] * 2
        assert not journal.commit("logs", map(arrival, given)).fresh


def test_a_line_says_what_it_supersedes() -> None:
    told = msgspec.json.decode(event_line(arrival(correction())))
    assert (told["id"], told["supersedes"]) == (SECOND, FIRST)
    assert msgspec.json.decode(event_line(arrival(original())))["supersedes"] is None
