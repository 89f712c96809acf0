"""Secret values stay out of sight, and nothing else does."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.redact import REDACTED, TOO_DEEP, redact
from smwatch.record import Record, decode, encode
from tests import records

VALUE = "hunter2-the-value"


KEYS = (
    "secretString SecretString secret_string secretBinary SECRETBINARY rotationToken password masterUserPassword"
    " db-password passwd passphrase privateKey clientSecret apiKey secretAccessKey sessionToken randomPassword"
)


@pytest.mark.parametrize("key", KEYS.split())
def test_values_of_secrets_and_passwords_are_replaced_wherever_they_are(key: str) -> None:
    for parameters in ({key: VALUE}, {"a": {key: VALUE}}, {"a": [{key: [VALUE]}]}, {key: {"x": VALUE}}):
        record = records.call("PutSecretValue", {"secretId": "a"} | parameters)
        shown = encode(redact(record))
        assert VALUE not in shown
        assert REDACTED in shown
        assert decode(shown)["requestParameters"]["secretId"] == "a"


def test_json_in_a_string_is_looked_into() -> None:
    for text in (json.dumps({"secretString": VALUE}), json.dumps([{"password": VALUE}])):
        assert VALUE not in encode(redact(records.read(requestParameters=text)))
        assert VALUE not in encode(redact(records.call("X", {"body": text})))


def test_what_only_sounds_like_a_secret_stays() -> None:
    parameters = {
        "secretId": "prod/password",
        "clientRequestToken": "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
        "passwordLength": None,
        "requirePassword": False,
        "password": "",
        "resourcePolicy": '{\n "Version": "2012-10-17"}',
        "nextToken": "x",
        "kmsKeyId": "alias/password",
    }
    record = records.call("X", parameters)
    assert redact(record) is record


def test_the_record_itself_is_not_changed() -> None:
    record = records.put(secretString=VALUE)
    record["requestParameters"]["secretString"] = VALUE
    before = deepcopy(record)
    assert redact(record) != record
    assert record == before


def test_a_value_too_deep_to_look_at_is_not_shown() -> None:
    deep: Record = {"secretString": VALUE}
    for _ in range(400):
        deep = {"a": deep}
    shown = encode(redact(deep))
    assert VALUE not in shown
    assert TOO_DEEP in shown


def test_secret_values_are_not_searched() -> None:
    parameters = {"secretId": "a", "secretString": VALUE}
    event = records.event(records.call("PutSecretValue", parameters, userAgent={"password": VALUE}))
    assert VALUE not in event.text
    assert VALUE not in event.user_agent


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "secretString"]), inner, max_size=3)
    ),
)


@given(values)
def test_redacting_twice_is_redacting_once(value: object) -> None:
    once = redact(value)
    assert redact(once) == once
    assert json.dumps(once)
