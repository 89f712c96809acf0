"""One call between two accounts is in the trails of both: two records, linked by their sharedEventID, one action."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from smwatch.events.links import same_call
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.running.parts import Parts
from smwatch.settings import Settings
from smwatch.store.store import Store
from tests import records
from tests.known import DAY, Bringing, Known, journal_of_version

CALLER, OWNER = records.OTHER_ACCOUNT, records.ACCOUNT
SHARED = "2f1a3c9e-0b7d-4a55-9c1e-6a1d2b3c4d5e"
FIRST, SECOND, THIRD = (str(UUID(int=number)) for number in (7, 8, 9))


def seen_by(account: str, event_id: str, **more: Any) -> Record:
    """The record that one account has of a read of the deleted secret by a role of the other."""
    by = records.role("reader", account=CALLER)
    given: dict[str, Any] = {"by": by, "sharedEventID": SHARED, **more}
    return records.read_deleted(records.arn("prod/db"), id=event_id, account=account, **given)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("where", ["memory", "file"])
async def test_both_records_are_shown_and_the_call_counts_once_whichever_comes_first_and_after_a_restart(
    tmp_path: Path, order: tuple[int, ...], where: str
) -> None:
    given = [seen_by(CALLER, FIRST), seen_by(OWNER, SECOND), seen_by(OWNER, THIRD, sharedEventID=None)]
    known = Known(tmp_path / "journal.sqlite3" if where == "file" else None)
    for i in order:
        await known.read(given[i])
    await known.read(*given)  # another scan
    for _ in range(2):
        assert [event.id for event in known.store.events] == [FIRST, SECOND, THIRD]
        assert known.store.names["GetSecretValue"] == 3
        assert [dossier.events for dossier in known.store.secrets.values()] == [2]
        assert [dossier.events for dossier in known.store.principals.values()] == [2]
        (alarm,) = known.alarms("SMW-DEL-01")
        assert alarm.count == 2
        assert all(known.store.find(key) for key in alarm.event_keys)
        if where == "memory":
            break
        known = await known.restarted()
    known.journal.close()


async def test_records_that_name_the_caller_differently_count_each_under_its_name() -> None:
    known = Known()
    await known.read(seen_by(CALLER, FIRST), seen_by(OWNER, SECOND, by=records.other_account(CALLER)))
    assert sorted(alarm.principal for alarm in known.alarms("SMW-DEL-01")) == sorted(
        event.principal.name for event in known.store.events
    )
    assert {alarm.count for alarm in known.alarms("SMW-DEL-01")} == {1}
    known.journal.close()


@pytest.mark.parametrize("other", [{"sharedEventID": "another"}, {"sharedEventID": None}, {"sharedEventID": 5}])
async def test_what_shares_no_id_is_counted_by_itself(other: dict[str, Any]) -> None:
    known = Known()
    await known.read(seen_by(CALLER, FIRST), seen_by(OWNER, SECOND, **other))
    assert [alarm.count for alarm in known.alarms("SMW-DEL-01")] == [2]
    known.journal.close()


async def test_a_shared_id_hides_no_other_action() -> None:
    known = Known()
    await known.read(
        seen_by(CALLER, FIRST),
        records.delete("prod/db", id=SECOND, by=records.role("reader", account=CALLER), sharedEventID=SHARED),
        records.read("prod/db", id=THIRD, by=records.role("another", account=CALLER), sharedEventID=SHARED),
    )
    assert sorted(dossier.events for dossier in known.store.principals.values()) == [1, 2]
    known.journal.close()


async def test_a_line_holds_the_shared_id() -> None:
    known = Known()
    await known.read(seen_by(CALLER, FIRST), seen_by(OWNER, SECOND), records.read("prod/db", id=THIRD))
    assert {line["id"]: line["shared_id"] for line in known.lines} == {FIRST: SHARED, SECOND: SHARED, THIRD: None}
    known.journal.close()


async def test_the_journal_finds_the_records_of_a_call_until_they_are_pruned(tmp_path: Path) -> None:
    known = Known(tmp_path / "journal.sqlite3")
    await known.read(seen_by(OWNER, SECOND), seen_by(CALLER, FIRST))
    assert [stored.raw for stored in known.journal.same_call(SHARED)] == [
        records.raw(record) for record in (seen_by(OWNER, SECOND), seen_by(CALLER, FIRST))
    ]
    assert known.journal.same_call("another") == ()
    while known.journal.prune(records.AT + DAY):
        pass
    assert known.journal.same_call(SHARED) == ()
    known.journal.close()


async def test_the_calls_in_an_older_journal_are_found_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    given = [records.arrival(record) for record in (seen_by(OWNER, SECOND), seen_by(CALLER, FIRST))]
    journal_of_version(path, 2, given).close()
    known = Known(path)
    assert known.journal.same_call(SHARED) == ()
    while known.journal.link_older():
        pass
    assert [stored.seq for stored in known.journal.same_call(SHARED)] == [1, 2]
    known.journal.close()


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_correction_of_either_record_leaves_the_call_counted_once(order: tuple[int, ...]) -> None:
    for original in (FIRST, SECOND):
        addendum = {"reason": "UPDATED_DATA", "updatedFields": "errorMessage", "originalEventID": original}
        account = CALLER if original == FIRST else OWNER
        given = [seen_by(CALLER, FIRST), seen_by(OWNER, SECOND), seen_by(account, THIRD, addendum=addendum)]
        known = Known()
        for i in order:
            await known.read(given[i])
        assert [alarm.count for alarm in known.alarms("SMW-DEL-01")] == [1]
        assert [dossier.events for dossier in known.store.secrets.values()] == [1]
        known.journal.close()


@pytest.mark.parametrize("held", [True, False])
async def test_a_call_that_is_looked_up_is_about_the_secret_that_it_turned_out_to_be_about(
    tmp_path: Path, held: bool
) -> None:
    """A partial ARN that looks like the whole one of another secret; in the store, or let go."""
    parts = Parts(Settings(state_dir=str(tmp_path)), Store, remember=True)

    async def deliver(delivery: Delivery) -> None:
        delivery.into(parts.store)

    long = records.arn("my-s3cReT")
    typed = [
        records.read_deleted(long[:-7], id=each, account=account, by=records.role(account=CALLER), sharedEventID=SHARED)
        for each, account in ((FIRST, CALLER), (SECOND, OWNER))
    ]
    await parts.monitor(deliver).read_once([Bringing([*typed, records.read("my"), records.read("my-s3cReT")])])
    event = next(event for event in parts.store.events if event.id == FIRST)
    assert event.secret is not None
    assert event.secret.name == "my-s3cReT"
    if not held:
        parts.store = Store()
    one, other = parts.evidence.same_call(SHARED)
    assert same_call(one, event)
    assert same_call(other, event)
    parts.journal.close()
