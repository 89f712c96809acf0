"""All dossiers together say what each would, had every event been noted by itself."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.dossier import Dossiers, PrincipalDossier, SecretDossier, dossiers
from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from tests import records
from tests.dossier.dossiers import AT, after, all_told, told
from tests.rules.judging import counting_calls

NOW = after(hours=8)


def pool() -> list[Arrival]:
    """Few kinds of events, most of them alike, over three hours."""
    reader, random = Reader(), Random(7)
    made = []
    for _ in range(160):
        by = records.role(f"role-{random.randrange(2)}", f"session-{random.randrange(2)}")
        more: dict[str, Any] = {"by": by, "at": AT + timedelta(seconds=random.randrange(3 * 3600)), "id": _id(random)}
        call = random.choice((records.read, records.read, records.describe, records.kms, records.denied, records.put))
        record = call(random.choice(("prod/db", "dev/db")), **more)
        if random.randrange(20) == 0:
            record = records.batch(["prod/db", "dev/db"], **more)
        made.append(reader.read(records.raw(record), seen_by=SeenBy.LOGS, seen_at=AT))
    return made


def _id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


POOL = pool()
Said = tuple[Mapping[Secret, object], Mapping[str, object]]


def noted_by_themselves(arrivals: list[Arrival]) -> Said:
    secrets: dict[Secret, SecretDossier] = {}
    principals: dict[str, PrincipalDossier] = {}
    for one in arrivals:
        by = one.event.principal
        principals.setdefault(by.identity, PrincipalDossier(by)).note(one)
        for secret in filter(None, (one.event.secret, *one.event.others)):
            secrets.setdefault(secret, SecretDossier(secret)).note(one)
    return said(secrets, principals)


def said(secrets: dict[Secret, SecretDossier], principals: dict[str, PrincipalDossier]) -> Said:
    return {name: told(each, NOW) for name, each in secrets.items()}, {
        name: all_told(each) for name, each in principals.items()
    }


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "KNOWN", 16)


@settings(max_examples=40)
@given(st.permutations(POOL), st.integers(0, len(POOL)))
def test_events_that_are_counted_first_are_told_as_if_each_had_been_noted(order: list[Arrival], split: int) -> None:
    every = Dossiers()
    every.note_all(order[:split])
    every.settle()
    assert said(every.secrets, every.principals) == noted_by_themselves(order[:split])
    for one in order[split : split + 20]:
        every.note(one)
    every.note_all(order[split + 20 :])
    every.settle()
    assert said(every.secrets, every.principals) == noted_by_themselves(POOL)


def test_one_more_of_the_same_is_only_counted_until_somebody_looks() -> None:
    reader, every = Reader(), Dossiers()
    for i in range(50):
        raw = records.raw(records.read("prod/db", id=str(UUID(int=i)), at=AT + timedelta(seconds=i)))
        every.note(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=AT))
    (secret,), (principal,) = every.secrets.values(), every.principals.values()
    assert (secret.events, principal.events) == (1, 1)
    every.settle()
    assert (secret.events, principal.events) == (50, 50)
    every.settle()
    assert (secret.events, principal.events) == (50, 50)


def test_one_more_of_the_same_takes_no_call() -> None:
    reader, every = Reader(), Dossiers()
    reads = [
        reader.read(
            records.raw(records.read("prod/db", id=str(UUID(int=i)), at=AT + timedelta(seconds=i))),
            seen_by=SeenBy.LOGS,
            seen_at=AT,
        )
        for i in range(500)
    ]
    every.note_all(reads[:10])
    _, calls = counting_calls(lambda: every.note_all(reads[10:]))
    assert calls < 10
    every.settle()
    assert [dossier.events for dossier in every.secrets.values()] == [500]


def test_who_looks_at_one_dossier_has_no_other_brought_up_to_date() -> None:
    reader, every = Reader(), Dossiers()
    for i in range(40):
        by, name = records.role(f"role-{i % 2}"), ("prod/db", "dev/db")[i % 2]
        raw = records.raw(records.read(name, by=by, id=str(UUID(int=i)), at=AT + timedelta(seconds=i)))
        every.note(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=AT))
    one, other = every.secrets
    by_one, by_other = every.principals
    assert every.settled_secrets[one].events == 20
    assert (every.secrets[other].events, every.principals[by_other].events) == (1, 1)
    assert every.settled_principals[by_one].events == 20
    assert every.settled_principals[by_other].events == 20
    assert every.settled_secrets.keys() == {one, other}
    assert every.secrets[other].events == 20


def test_what_is_counted_is_of_as_many_kinds_as_are_remembered() -> None:
    reader, every = Reader(), Dossiers()
    for i in range(200):
        by = records.role("api", f"session-{i // 2 % 40}")
        raw = records.raw(records.read("prod/db", by=by, id=str(UUID(int=i)), at=AT))
        every.note(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=AT))
        assert len(every._again) <= 16
    assert len(every._again) > 8
    every.settle()
    assert [dossier.events for dossier in every.secrets.values()] == [200]


def test_what_comes_once_takes_no_room_among_what_is_counted() -> None:
    reader, every = Reader(), Dossiers()
    for i in range(40):
        by = records.role("api", f"session-{i}")
        raw = records.raw(records.read("prod/db", by=by, id=str(UUID(int=i)), at=AT))
        every.note(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=AT))
    assert not every._again
    assert [dossier.events for dossier in every.secrets.values()] == [40]


def test_what_comes_again_and_again_goes_on_being_counted() -> None:
    reader, every = Reader(), Dossiers()
    for i in range(200):
        session = "busy" if i % 3 == 0 else f"session-{i // 3}"
        raw = records.raw(records.read("prod/db", by=records.role("api", session), id=str(UUID(int=i)), at=AT))
        every.note(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=AT))
        assert i < 3 or any(known.event.principal.session == "busy" for known in every._again.values())
    assert len({known.event.principal.session for known in every._again.values()}) > 8


def test_a_look_at_one_dossier_goes_through_what_was_counted_of_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "KNOWN", 4096)
    every, reader = Dossiers(), Reader()
    for number in range(600):
        by = records.role(f"role-{number % 300}", "session")
        for second in range(2):
            record = records.read(
                f"db-{number % 300}", by=by, at=AT + timedelta(seconds=second), id=f"{number} {second}"
            )
            every.note(reader.read(records.raw(record), seen_by=SeenBy.LOGS, seen_at=AT))
    secret, who = next(iter(every.secrets)), next(iter(every.principals))
    found, calls = counting_calls(lambda: every.settled_secrets[secret])
    assert (found.events, calls < 60) == (4, True), calls
    found_too, calls = counting_calls(lambda: every.settled_principals[who])
    assert (found_too.events, calls < 60) == (4, True), calls
    every.settle()
    assert {each.events for each in every.secrets.values()} == {4}


def test_what_is_counted_no_more_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "KNOWN", 16)
    every = Dossiers()
    for one in POOL:
        every.note(one)
        held = {likeness for those in every._about.values() for likeness in those}
        assert held == every._again.keys()
    every.forget(set(every.secrets))
    assert every._about.keys().isdisjoint(every.secrets)
