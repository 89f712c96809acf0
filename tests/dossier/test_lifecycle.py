"""Whether a secret can still be read, and until when it can be restored."""

from datetime import timedelta

import pytest

from smwatch.dossier.lifecycle import State
from tests import records
from tests.dossier.dossiers import AT, after, dossier


def test_without_events_that_tell_the_state_is_unknown() -> None:
    assert dossier(records.describe()).lifecycle(after(days=1)).state is State.UNKNOWN
    assert dossier(records.read_missing(), records.denied()).lifecycle(after(days=1)).state is State.UNKNOWN


def test_a_created_a_restored_and_a_read_secret_is_active() -> None:
    assert dossier(records.create()).lifecycle(AT).state is State.ACTIVE
    life = dossier(records.delete(), records.restore(at=after(hours=1), by=records.user("alice"))).lifecycle(
        after(days=99)
    )
    assert (life.state, life.by and life.by.name, life.inferred) == (State.ACTIVE, "alice", False)
    assert dossier(records.read()).lifecycle(AT).inferred


@pytest.mark.parametrize(("days", "window"), [(7, 7), (30, 30), (None, 30)])
def test_a_deleted_secret_counts_down_to_the_end_of_its_window(days: int | None, window: int) -> None:
    by = records.user("mallory", key="AKIAMALLORYEXAMPLE11")
    found = dossier(records.create(at=after(days=-1)), records.delete(days=days, by=by))
    life = found.lifecycle(after(days=2))
    assert (life.state, life.window_days, life.since) == (State.PENDING, window, AT)
    assert life.deletion_at == after(days=window)
    assert life.remaining(after(days=2)) == timedelta(days=window - 2)
    assert (life.by and life.by.name, life.access_key) == ("mallory", "AKIAMALLORYEXAMPLE11")
    assert found.lifecycle(after(days=window)).state is State.DELETED
    assert found.lifecycle(after(days=window)).remaining(after(days=window)) is None


@pytest.mark.parametrize(
    "date",
    ["Dec 23, 2026, 2:00:00\u202fPM", "Dec 23, 2026 2:00:00 PM", "2026-12-23T14:00:00Z", 1798034400, 1.7980344e9],
)
def test_the_date_in_the_answer_counts_however_it_is_written(date: object) -> None:
    record = records.delete(days=7)
    record["responseElements"]["deletionDate"] = date
    assert dossier(record).lifecycle(AT).deletion_at == after(days=30)


@pytest.mark.parametrize("date", ["soon", None, [], {}, True, -1, 1e300, "9999999-01-01"])
@pytest.mark.parametrize("days", ["7", 7, 7.0])
def test_a_date_that_means_nothing_is_reckoned_from_the_window(date: object, days: object) -> None:
    record = records.delete()
    record["responseElements"]["deletionDate"] = date
    record["requestParameters"]["recoveryWindowInDays"] = days
    assert dossier(record).lifecycle(AT).deletion_at == after(days=7)


@pytest.mark.parametrize("days", ["", "x", None, [7], {}, True, 10**15, -1, 1e300])
def test_a_window_that_means_nothing_is_the_default(days: object) -> None:
    record = records.delete()
    record["responseElements"] = None
    record["requestParameters"]["recoveryWindowInDays"] = days
    assert dossier(record).lifecycle(AT).window_days == 30


def test_a_window_that_ends_beyond_all_dates_is_survived() -> None:
    record = records.delete()
    record |= {"eventTime": "9999-12-31T00:00:00Z", "responseElements": None}
    assert dossier(record).lifecycle(AT).state is State.PENDING


@pytest.mark.parametrize("flag", [True, "true", "True"])
def test_a_forced_deletion_is_final_at_once(flag: object) -> None:
    record = records.delete(force=True)
    record["requestParameters"]["forceDeleteWithoutRecovery"] = flag
    life = dossier(record).lifecycle(AT)
    assert (life.state, life.forced, life.deletion_at) == (State.DELETED, True, AT)


def test_what_failed_changes_nothing() -> None:
    error = ("AccessDenied", "no")
    found = dossier(records.create(), records.delete(error=error, at=after(hours=1)))
    assert found.lifecycle(after(days=1)).state is State.ACTIVE


def test_the_end_of_the_deletion_confirms_it_and_keeps_who_asked_for_it() -> None:
    end = records.service_event("EndSecretVersionDelete", at=after(days=7))
    life = dossier(records.delete(days=30, by=records.user("alice")), end).lifecycle(after(days=8))
    assert (life.state, life.deletion_at, life.by and life.by.name) == (State.DELETED, after(days=7), "alice")


def test_the_end_of_a_deletion_that_was_not_seen_says_so_by_itself() -> None:
    end = records.service_event("EndSecretVersionDelete", at=after(days=7))
    life = dossier(records.create(), end).lifecycle(after(days=8))
    assert (life.state, life.by, life.forced) == (State.DELETED, None, True)


def test_an_old_version_that_goes_does_not_take_the_secret_with_it() -> None:
    end = records.service_event("EndSecretVersionDelete", at=after(days=7), requestID="something else")
    assert dossier(records.create(), end).lifecycle(after(days=8)).state is State.ACTIVE


def test_a_refused_read_shows_a_deletion_that_was_not_seen() -> None:
    life = dossier(records.read(at=after(days=-1)), records.read_deleted()).lifecycle(AT)
    assert (life.state, life.inferred, life.since, life.deletion_at) == (State.PENDING, True, AT, None)
    assert life.remaining(AT) is None


def test_a_read_after_the_deletion_shows_that_it_was_restored_but_not_within_a_minute() -> None:
    assert (
        dossier(records.delete(), records.read(at=after(seconds=30))).lifecycle(after(hours=1)).state is State.PENDING
    )
    life = dossier(records.delete(), records.read(at=after(minutes=5))).lifecycle(after(hours=1))
    assert (life.state, life.inferred) == (State.ACTIVE, True)


def test_a_refusal_shortly_after_the_restoration_proves_nothing() -> None:
    found = dossier(records.delete(at=after(days=-1)), records.restore(), records.read_deleted(at=after(seconds=30)))
    assert found.lifecycle(after(hours=1)).state is State.ACTIVE


def test_a_description_read_of_a_deleted_secret_proves_nothing() -> None:
    assert (
        dossier(records.delete(), records.describe(at=after(hours=1))).lifecycle(after(days=1)).state is State.PENDING
    )


def test_a_secret_that_is_created_again_is_active() -> None:
    found = dossier(records.delete(force=True), records.create(at=after(minutes=1), suffix="ZzZzZz"))
    assert found.lifecycle(after(days=1)).state is State.ACTIVE
