"""Who made a call, for every type of userIdentity and for those that say little."""

from __future__ import annotations

from typing import Any

import pytest

from smwatch.events.event import SeenBy
from smwatch.events.principal import Kind, Principal
from smwatch.events.reader import Reader
from tests import records
from tests.records import ABSENT, ACCOUNT, OTHER_ACCOUNT, Identity


def who(identity: Any, **fields: Any) -> Principal:
    return records.event(records.read(userIdentity=identity, **fields)).principal


IDENTITIES: list[tuple[Identity, Kind, str, str, str]] = [
    (records.root(), Kind.ROOT, "root", f"arn:aws:iam::{ACCOUNT}:root", ""),
    (records.root() | {"userName": "my-alias"}, Kind.ROOT, "root", f"arn:aws:iam::{ACCOUNT}:root", ""),
    (records.user("alice"), Kind.USER, "alice", f"arn:aws:iam::{ACCOUNT}:user/alice", ""),
    (records.user("alice", path="/team/a/"), Kind.USER, "alice", f"arn:aws:iam::{ACCOUNT}:user/team/a/alice", ""),
    (records.role("api", "i-1"), Kind.ROLE, "api", f"arn:aws:iam::{ACCOUNT}:role/api", "i-1"),
    (records.role("api", "a@b:c/d", path="/x/"), Kind.ROLE, "api", f"arn:aws:iam::{ACCOUNT}:role/x/api", "a@b:c/d"),
    (records.federated("bob"), Kind.FEDERATED, "bob", f"arn:aws:iam::{ACCOUNT}:user/federator", ""),
    (records.saml("bob@example.com"), Kind.FEDERATED, "bob@example.com", records.saml()["principalId"], ""),
    (records.web_identity("104"), Kind.FEDERATED, "104", records.web_identity("104")["principalId"], ""),
    (records.directory("carol"), Kind.FEDERATED, "carol", "d-9067642ac7:carol", ""),
    (records.aws_service("rds.amazonaws.com"), Kind.SERVICE, "rds.amazonaws.com", "rds.amazonaws.com", ""),
    (records.other_account(), Kind.OTHER_ACCOUNT, OTHER_ACCOUNT, "AROAIOSFODNN7EXAMPLE1", "deployer"),
]


@pytest.mark.parametrize("case", IDENTITIES, ids=lambda case: f"{case[1]} {case[2]}")
def test_every_type_has_a_kind_a_name_and_a_stable_identity(case: tuple[Identity, Kind, str, str, str]) -> None:
    identity, kind, name, stable, session = case
    by = who(identity)
    assert (by.kind, by.name, by.identity, by.session) == (kind, name, stable, session)
    assert by.arn == identity.get("arn", "")


def test_a_person_with_a_permission_set_is_shown_by_its_name() -> None:
    identity = records.sso("alice@example.com", "AdminAccess")
    by = who(identity)
    assert (by.kind, by.name, by.session) == (Kind.IDENTITY_CENTER, "AdminAccess", "alice@example.com")
    assert by.called == "alice@example.com"
    assert by.issuer == identity["sessionContext"]["sessionIssuer"]["arn"]
    assert "/aws-reserved/sso.amazonaws.com/" in by.issuer


def test_people_who_share_a_permission_set_are_two_and_each_the_same_in_all_sessions() -> None:
    alice, bob = (who(records.sso(f"{name}@example.com")) for name in ("alice", "bob"))
    assert alice.identity == alice.arn
    assert alice.identity != bob.identity
    assert alice.issuer == bob.issuer
    assert who(records.sso("alice@example.com") | {"accessKeyId": "ASIAOTHER"}).identity == alice.identity
    without_arn = who({key: value for key, value in records.sso("bob@example.com").items() if key != "arn"})
    assert without_arn.identity == f"{bob.issuer}/bob@example.com"


def test_a_person_of_identity_center_without_a_role_is_known_by_the_store() -> None:
    by = who(records.identity_center("544894e8"))
    assert (by.kind, by.name, by.account) == (Kind.IDENTITY_CENTER, "544894e8", ACCOUNT)
    assert by.identity == "arn:aws:identitystore::777788889999:identitystore/d-9067642ac7/544894e8"


def test_what_cloudtrail_cannot_tell_is_unknown_with_whatever_name_there_is() -> None:
    assert who(records.unknown()) == Principal(Kind.UNKNOWN, ACCOUNT, ACCOUNT, account=ACCOUNT)
    assert who({"type": "Novel", "userName": "x"}).kind is Kind.UNKNOWN
    assert who({"type": "Novel", "userName": "x"}).name == "x"
    assert who({}, sourceIPAddress="203.0.113.1") == Principal(Kind.UNKNOWN, "", "")


@pytest.mark.parametrize("identity", [ABSENT, None, {}, [], 5, "", True])
def test_an_identity_that_is_none_is_unknown(identity: Any) -> None:
    assert who(identity).kind is Kind.UNKNOWN


def test_an_identity_that_is_a_text_is_read_as_an_arn_or_shown() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert (who(arn).kind, who(arn).name, who(arn).arn) == (Kind.USER, "alice", arn)
    assert who("alice").name == "alice"


def test_a_service_event_has_the_service_as_its_principal() -> None:
    by = records.event(records.service_event("RotationStarted")).principal
    assert by == Principal(
        Kind.SERVICE, "secretsmanager.amazonaws.com", "secretsmanager.amazonaws.com", account=ACCOUNT
    )
    for identity in (ABSENT, {"accountId": ACCOUNT}, None):
        event = records.event(records.service_event("RotationStarted", userIdentity=identity))
        assert (event.principal.kind, event.principal.name) == (Kind.SERVICE, "secretsmanager.amazonaws.com")


def test_a_service_that_acts_for_someone_is_said_beside_the_real_caller() -> None:
    by = records.event(records.kms(by=records.role("api", "i-1"))).principal
    assert (by.kind, by.name, by.invoked_by) == (Kind.ROLE, "api", "secretsmanager.amazonaws.com")


def test_a_session_is_a_role_even_where_the_type_says_user() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/user01"
    by = who({"type": "IAMUser", "principalId": "AROAEXAMPLE:user01", "arn": arn, "accountId": ACCOUNT})
    assert (by.kind, by.name, by.session) == (Kind.ROLE, "Admin", "user01")
    assert by.identity == f"arn:aws:iam::{ACCOUNT}:role/Admin"


def test_empty_session_issuers_are_none() -> None:
    session: Identity = {"sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": {}}}
    assert who(records.user("alice") | session) == who(records.user("alice"))
    bare = records.role("api", "i-1") | {"sessionContext": {"sessionIssuer": {}}}
    assert who(bare).identity == f"arn:aws:iam::{ACCOUNT}:role/api"


def test_a_role_without_its_arn_is_named_by_its_issuer() -> None:
    identity = records.role("api", "i-1") | {"arn": ""}
    by = who(identity)
    assert (by.kind, by.name, by.session) == (Kind.ROLE, "api", "i-1")
    assert by.identity == f"arn:aws:iam::{ACCOUNT}:role/api"


@pytest.mark.parametrize("identity", [records.role("api"), records.user("bo"), records.root(), records.sso()])
def test_a_caller_from_another_account_keeps_its_name(identity: Identity) -> None:
    here, there = who(identity), who(identity, recipientAccountId=OTHER_ACCOUNT)
    assert there.kind is Kind.OTHER_ACCOUNT
    assert (there.name, there.identity, there.account) == (here.name, here.identity, ACCOUNT)


def test_all_sessions_and_keys_of_a_role_have_one_identity() -> None:
    sessions = {who(records.role("api", f"i-{n}", key=f"ASIA{n}")).identity for n in range(3)}
    assert len(sessions) == 1


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions_are_read_alike(partition: str) -> None:
    by = who({"type": "AssumedRole", "arn": f"arn:{partition}:sts::{ACCOUNT}:assumed-role/api/i-1"})
    assert (by.kind, by.name) == (Kind.ROLE, "api")
    assert by.identity == f"arn:{partition}:iam::{ACCOUNT}:role/api"


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::1:", "arn:aws:iam::1:user/", "arn:aws:sts::1:assumed-role/", "arn:", "x", "arn:aws:s3:::b"]
)
def test_an_arn_that_names_nobody_leaves_it_to_the_other_fields(arn: str) -> None:
    assert who({"type": "IAMUser", "userName": "alice", "arn": arn}).name == "alice"


def test_equal_principals_are_one_object() -> None:
    reader = Reader()
    first, second = (
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT).event.principal
        for record in (records.read("a"), records.read("b", userAgent="other"))
    )
    assert first is second
