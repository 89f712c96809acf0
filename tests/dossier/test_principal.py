"""The blast radius of a principal."""

from smwatch.events.secret import Secret
from tests import records
from tests.dossier.dossiers import AT, after, principal


def secret(name: str) -> Secret:
    return Secret(records.ACCOUNT, records.REGION, name)


def test_every_secret_touched_is_told_in_order_with_results() -> None:
    by = records.role("app", "one")
    found = principal(
        records.read("b", by=by),
        records.read("b", by=by, at=after(minutes=3)),
        records.denied("c", by=by, at=after(minutes=2)),
        records.put("a", by=by, at=after(minutes=1)),
        records.read_deleted("d", by=by, at=after(minutes=4)),
        records.kms("e", by=by, at=after(minutes=5)),
        records.listing(by=by, at=after(minutes=6)),
    )
    told = [(one.secret.name, one.reads, one.denied, one.deleted, one.writes, one.exposed) for one in found.secrets]
    assert told == [
        ("b", 2, 0, 0, 0, True),
        ("a", 0, 0, 0, 1, False),
        ("c", 0, 1, 0, 0, False),
        ("d", 0, 0, 1, 0, False),
        ("e", 0, 0, 0, 0, True),
    ]
    assert (found.events, found.denied, found.writes) == (7, 1, 1)
    assert (found.secrets[0].first_at, found.secrets[0].last_at) == (AT, after(minutes=3))


def test_all_secrets_of_a_batch_are_touched_once() -> None:
    found = principal(records.batch(["a", "b"]), records.read("a", id="1"), records.read("b", id="2"))
    assert sorted((one.secret.name, one.reads) for one in found.secrets) == [("a", 1), ("b", 1)]


def test_keys_sessions_addresses_agents_and_regions_are_told_the_last_seen_first() -> None:
    found = principal(
        records.read(by=records.role("app", "one", key="ASIA1"), sourceIPAddress="10.0.0.1"),
        records.read(
            by=records.role("app", "two", key="ASIA2"),
            sourceIPAddress="10.0.0.2",
            userAgent="curl",
            region="us-east-1",
            at=after(minutes=1),
        ),
    )
    assert [seen.value for seen in found.access_keys] == ["ASIA2", "ASIA1"]
    assert [seen.value for seen in found.sessions] == ["two", "one"]
    assert [(seen.value, seen.last_at) for seen in found.source_ips] == [
        ("10.0.0.2", after(minutes=1)),
        ("10.0.0.1", AT),
    ]
    assert [seen.value for seen in found.user_agents] == ["curl", records.BOTO]
    assert [seen.value for seen in found.regions] == ["us-east-1", records.REGION]
    assert found.principal.session == "two"


def test_secrets_that_turn_out_to_be_one_are_folded() -> None:
    found = principal(records.read("a"), records.read("b", at=after(minutes=1)), records.listing())
    folded = found.folded({secret("b"): secret("a")})
    assert [(one.secret.name, one.reads) for one in folded.secrets] == [("a", 2)]
    assert (folded.events, folded.sessions, folded.first_key) == (found.events, found.sessions, found.first_key)
    assert len(found.secrets) == 2
    assert found.folded({secret("x"): secret("a")}) is found
