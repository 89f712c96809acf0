"""Records may hold anything anywhere: dossiers survive it, within their bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.dossier.users import USERS
from tests import records
from tests.dossier.dossiers import after, all_told, dossier, principal, told

WORDS = st.sampled_from(
    [
        *("requestParameters", "responseElements", "additionalEventData", "errorMessage", "errorCode", "resources"),
        *("secretId", "versionStages", "versionStage", "moveToVersionId", "resourcePolicy", "Statement", "Principal"),
        *("addReplicaRegions", "region", "tags", "key", "value", "tagKeys", "rotationRules", "automaticallyAfterDays"),
        *(
            "recoveryWindowInDays",
            "deletionDate",
            "encryptionContext",
            "SecretVersionId",
            "ARN",
            "removeReplicaRegions",
        ),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)
NAMES = [
    *("GetSecretValue", "BatchGetSecretValue", "CreateSecret", "UpdateSecret", "PutSecretValue", "DeleteSecret"),
    *("RestoreSecret", "UpdateSecretVersionStage", "PutResourcePolicy", "DeleteResourcePolicy", "RotateSecret"),
    *("CancelRotateSecret", "ReplicateSecretToRegions", "RemoveRegionsFromReplication", "StopReplicationToReplica"),
    *(
        "AssociateCrossAccountReplica",
        "TagResource",
        "UntagResource",
        "EndSecretVersionDelete",
        "RotationFailed",
        "Decrypt",
    ),
]


@given(st.sampled_from(NAMES), st.dictionaries(WORDS, JSON, max_size=6), st.dictionaries(WORDS, JSON, max_size=4))
def test_no_record_breaks_a_dossier(name: str, parameters: dict[str, object], more: dict[str, object]) -> None:
    source = "kms.amazonaws.com" if name == "Decrypt" else records.SECRETS_MANAGER
    record = records.call(name, parameters, {"arn": records.arn("prod/db")} | parameters, eventSource=source) | more
    told(dossier(record), after(days=1))
    all_told(principal(record))


@pytest.mark.parametrize(
    "policy", ["", "{", "[]", "null", "[" * 50_000, '{"Statement":' * 2000, "\x1b[2J", "{}" * 20_000]
)
def test_what_is_no_policy_is_shown_as_such(policy: str) -> None:
    (change,) = dossier(records.write("PutResourcePolicy", parameters={"resourcePolicy": policy})).policies
    assert not change.grade.readable
    assert change.text == policy[:20_480]


def test_a_thousand_principals_are_kept_and_the_rest_counted() -> None:
    found = dossier(*(records.read(by=records.role(f"r{i}"), id=f"{i}") for i in range(USERS + 200)))
    assert len(found.users(after(hours=1))) == USERS
    assert found.others == 200
    assert found.disclosure().reads == USERS + 200


def test_long_texts_are_cut() -> None:
    tags = {"tags": [{"key": "k" * 5000, "value": "v"}] * 1000}
    found = dossier(records.write("TagResource", parameters=tags))
    assert len(found.changes[0].what) <= 500
    assert len(found.changes[0].added) <= 100
    assert len(found.timeline()[0].what) <= 500
