"""Dossiers say the same whatever order events come in, and when two of them are put together."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.dossier import bounded, noted, principal, users
from smwatch.events.event import Arrival
from smwatch.events.secret import Secret
from tests import records
from tests.dossier.dossiers import AT, SECRET, after, all_told, arrival, dossier, told
from tests.dossier.dossiers import principal as principal_dossier

POLICY = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}'


def pool() -> list[Arrival]:
    """Events of every kind, by few principals, close together in time."""
    made = []
    for i in range(90):
        by = records.role(f"role-{i % 7}", f"session-{i % 4}", key=f"ASIA{i % 3}")
        at = AT + timedelta(minutes=i * 37 % 400)
        more = {"by": by, "at": at, "id": f"{i}", "sourceIPAddress": f"10.0.0.{i % 5}"}
        made.append(
            [
                lambda more: records.read(**more),
                lambda more: records.read_deleted(**more),
                lambda more: records.denied(**more),
                lambda more: records.read_missing(message="... for staging label: AWSPENDING", **more),
                lambda more: records.batch(["prod/db", "dev/db"], **more),
                lambda more: records.put(**more),
                lambda more: records.delete(days=7, **more),
                lambda more: records.restore(**more),
                lambda more: records.kms(**more),
                lambda more: records.write("PutResourcePolicy", parameters={"resourcePolicy": POLICY}, **more),
                lambda more: records.write("ReplicateSecretToRegions", parameters=REPLICAS, **more),
                lambda more: records.service_event("RotationStarted", at=more["at"], id=more["id"]),
                lambda more: records.rotation_failed(at=more["at"], id=more["id"]),
                lambda more: records.service_event("EndSecretVersionDelete", at=more["at"], id=more["id"]),
                lambda more: records.write("UpdateSecretVersionStage", parameters=MOVE, **more),
                lambda more: records.write(
                    "TagResource", parameters={"tags": [{"key": "a", "value": more["id"]}]}, **more
                ),
            ][i % 16](more)
        )
    return [arrival(record) for record in made]


REPLICAS = {"addReplicaRegions": [{"region": "us-east-1", "kmsKeyId": "alias/x"}]}
MOVE = {"versionStage": "AWSCURRENT", "moveToVersionId": "b" * 36, "removeFromVersionId": "a" * 36}
POOL = pool()
NOW = after(hours=8)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds small enough to be exceeded."""
    monkeypatch.setattr(users, "USERS", 4)
    monkeypatch.setattr(users, "TRACES", 3)
    monkeypatch.setattr(principal, "SECRETS", 3)
    monkeypatch.setattr(principal, "SEEN", 3)
    monkeypatch.setattr(principal, "CAME", 4)
    for name, bound in {"HOURS": 3, "CODES": 2, "VERSIONS": 1, "TURNS": 4, "STEPS": 5, "MOVES": 6}.items():
        monkeypatch.setattr(noted, name, bound)
    for name in ("POLICIES", "CHANGES", "WRITES", "FAILURES"):
        monkeypatch.setattr(noted, name, 3)


def test_what_is_beyond_the_bounds_is_counted_together() -> None:
    found = dossier(*POOL)
    kept = found.users(NOW)
    assert len(kept) == 4
    assert found.others == found.events - sum(user.calls for user in kept) > 0
    assert all(len(user.traces) <= 3 for user in kept)
    assert (len(found.errors), len(found.policies), len(found.moves)) == (2, 3, 6)
    assert len([hour for hour in found.hours(NOW, 48) if hour.reads or hour.failed]) == 3
    of_one = principal_dossier(*BY_ONE)
    assert (len(of_one.secrets), len(of_one.source_ips)) == (3, 3)
    assert of_one.others == of_one.events - sum(touched.calls for touched in of_one.secrets) > 0


@settings(max_examples=60)
@given(st.permutations(POOL))
def test_the_order_of_arrival_does_not_show_in_a_secrets_dossier(order: list[Arrival]) -> None:
    assert told(dossier(*order), NOW) == told(dossier(*POOL), NOW)


FROM_MANY = [
    arrival(records.read(at=AT + timedelta(days=75_000 * (i == 6)), id=f"{i}", sourceIPAddress=f"10.0.0.{i % 7}"))
    for i in range(9)
]
"""Six of seven ways within one second, one of them two centuries later."""


@settings(max_examples=30)
@given(st.permutations(FROM_MANY), st.integers(0, len(FROM_MANY)))
def test_of_the_ways_of_one_second_the_same_ones_are_kept(order: list[Arrival], split: int) -> None:
    both = dossier(*order[:split]).merged(dossier(*order[split:]))
    [user] = both.users(NOW)
    assert [trace.source_ip for trace in user.traces] == ["10.0.0.6", "10.0.0.5", "10.0.0.4"]
    assert user.traces[0].last_at == AT + timedelta(days=75_000)


@settings(max_examples=60)
@given(st.permutations(POOL), st.integers(0, len(POOL)))
def test_two_dossiers_of_one_secret_are_together_what_one_would_have_been(order: list[Arrival], split: int) -> None:
    both = dossier(*order[:split]).merged(dossier(*order[split:]))
    assert told(both, NOW) == told(dossier(*POOL), NOW)


def test_a_renamed_dossier_says_the_same_of_another_secret() -> None:
    other = Secret("1", "2", "3")
    renamed = dossier(*POOL).renamed(other)
    assert renamed.secret == other
    assert told(renamed.renamed(SECRET), NOW) == told(dossier(*POOL), NOW)


BY_ONE = [
    arrival(
        (records.read, records.denied, records.put, records.describe)[i % 4](
            f"team-{i % 11}/db",
            by=records.role("one", f"session-{i % 6}", key=f"ASIA{i % 8}"),
            at=AT + timedelta(minutes=i * 29 % 200),
            id=f"{i}",
            sourceIPAddress=f"10.0.0.{i % 9}",
            userAgent=f"agent {i % 5}",
        )
    )
    for i in range(70)
]


@settings(max_examples=60)
@given(st.permutations(BY_ONE))
def test_the_order_of_arrival_does_not_show_in_a_principals_dossier(order: list[Arrival]) -> None:
    assert all_told(principal_dossier(*order)) == all_told(principal_dossier(*BY_ONE))


@settings(max_examples=60)
@given(st.permutations(BY_ONE), st.integers(0, len(BY_ONE)))
def test_reading_a_principals_dossier_in_between_changes_nothing(order: list[Arrival], split: int) -> None:
    found = principal_dossier(*order[: split + 1])
    all_told(found)
    for one in order[split + 1 :]:
        found.note(one)
    assert all_told(found) == all_told(principal_dossier(*BY_ONE))


class Happened:
    def __init__(self, key: int) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Happened) and self.key == other.key

    def __hash__(self) -> int:
        return self.key


@given(st.lists(st.integers(0, 50), unique=True), st.integers(1, 9))
def test_the_newest_are_kept(keys: list[int], bound: int) -> None:
    entries: tuple[Happened, ...] = ()
    for key in keys:
        entries = bounded.kept(entries, Happened(key), bound)
    assert [entry.key for entry in entries] == sorted(keys)[-bound:]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 200)), unique_by=lambda pair: pair[1]), st.integers(1, 9))
def test_the_names_seen_last_are_kept(seen: list[tuple[int, int]], bound: int) -> None:
    known: dict[int, int] = {}
    for name, key in seen:
        bounded.latest(known, name, key, bound)
        assert len(known) <= 2 * bound
    expected = dict(sorted(seen, key=lambda pair: pair[1]))
    assert bounded.newest(known, bound) == sorted(expected.items(), key=lambda kv: -kv[1])[:bound]


@given(st.lists(st.text(max_size=3)), st.integers(1, 5))
def test_a_sample_is_the_same_in_whatever_order_and_counts_exactly(names: list[str], bound: int) -> None:
    def counted(names: list[str]) -> dict[str, int]:
        kept: bounded.Counted[str] = bounded.Counted(bound)
        for name in names:
            kept.count(name)
        return dict(kept)

    kept = counted(names)
    assert kept == counted(sorted(names)) == counted(names[::-1])
    assert len(kept) == min(bound, len(set(names)))
    assert all(count == names.count(name) for name, count in kept.items())
