"""Setting up and removing: as often as one likes, and broken off wherever one likes."""

from __future__ import annotations

import pytest

from smwatch.setup.apply import BrokenOffError
from tests.emulators.process import Emulator, post
from tests.setup.account import EVERYTHING, Account, broken_off, changing, contents
from tests.setup.conftest import OpenAccount

HERE = "us-east-1"
EMULATORS = ("ministack", "moto", pytest.param("localemu", marks=pytest.mark.slow))


@pytest.fixture(params=EMULATORS)
def anywhere(request: pytest.FixtureRequest, open_account: OpenAccount) -> Account:
    """An empty account, in each of the emulators."""
    emulator: Emulator = request.getfixturevalue(request.param)
    return open_account(emulator)


def test_setup_leaves_nothing_to_be_done(anywhere: Account) -> None:
    assert not anywhere.set_up(EVERYTHING).changes


def test_setup_twice_changes_nothing(anywhere: Account) -> None:
    anywhere.set_up(EVERYTHING)
    first = len(anywhere.wire.made)
    anywhere.set_up(EVERYTHING)
    second = [operation for _, operation, _ in anywhere.wire.made[first:]]
    assert "DescribeTrails" in second
    assert not [operation for operation in second if changing(operation)]


@pytest.mark.parametrize("emulator", ["moto", pytest.param("localemu", marks=pytest.mark.slow)])
def test_removing_leaves_nothing_behind(
    emulator: str, request: pytest.FixtureRequest, open_account: OpenAccount
) -> None:
    # ministack forgets the tags of CreateTrail, so there the trail would rightly be taken for somebody else's
    account = open_account(request.getfixturevalue(emulator))
    account.set_up(EVERYTHING)
    bucket = f"smwatch-trail-{account.place.account}-us-east-1"
    account.aws.s3(HERE).put_object(Bucket=bucket, Key="AWSLogs/some.json.gz", Body=b"")
    assert not account.remove(EVERYTHING).changes
    assert contents(account) == {}


def test_removing_spares_the_recorded_events_where_asked(account: Account) -> None:
    account.set_up(EVERYTHING)
    account.remove(EVERYTHING, keep_logs=True)
    assert set(contents(account)) == {"groups", "buckets"}


@pytest.mark.slow
def test_setup_interrupted_before_any_call_and_run_again_ends_complete(account: Account, moto: Emulator) -> None:
    # plans don't look at answers, so being interrupted after a call is being interrupted before the next one
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    account.set_up(EVERYTHING)
    complete = contents(account)
    assert calls > 15
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError, match="Run the same command again"):
            account.set_up(EVERYTHING)
        assert not account.set_up(EVERYTHING).changes
        assert contents(account) == complete, f"interrupted at call {at}"


@pytest.mark.slow
def test_what_an_interrupted_setup_left_is_removed_too(account: Account, moto: Emulator) -> None:
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.set_up(EVERYTHING)
        account.remove(EVERYTHING)
        assert contents(account) == {}, f"interrupted at call {at}"


@pytest.mark.slow
def test_removal_interrupted_before_any_call_and_run_again_leaves_nothing(account: Account) -> None:
    account.set_up(EVERYTHING)
    calls = sum(len(step.calls) for step in account.plan_removal(EVERYTHING).changes)
    for at in range(1, calls + 1):
        account.set_up(EVERYTHING)
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.remove(EVERYTHING)
        account.remove(EVERYTHING)
        assert contents(account) == {}, f"interrupted at call {at}"
