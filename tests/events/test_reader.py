"""Any text becomes an event; no record is refused, changed or named differently from its copies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.event import UNREADABLE, Arrival, Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.scope import READS, in_scope
from smwatch.record import Record
from tests import records

AT = records.AT


def arrival(raw: str, reader: Reader | None = None, at: datetime | None = None) -> Arrival:
    return (reader or Reader()).read(raw, seen_by=SeenBy.LOGS, seen_at=AT, at=at)


def test_an_ordinary_read_says_who_read_what() -> None:
    raw = records.raw(records.read("prod/db", sourceIPAddress="198.51.100.7", at=AT))
    found = arrival(raw)
    event = found.event
    assert (event.name, event.source, event.at) == ("GetSecretValue", "secretsmanager.amazonaws.com", AT)
    assert event.secret is not None
    assert (event.secret.account, event.secret.region, event.secret.name) == ("111122223333", "eu-west-1", "prod/db")
    assert event.principal.name == "payments-api"
    assert (event.source_ip, event.region, event.account) == ("198.51.100.7", "eu-west-1", "111122223333")
    assert (event.read_only, event.failed, event.seen_by, event.seen_at) == (True, False, SeenBy.LOGS, AT)
    assert found.raw == raw
    assert found.record == json.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "null",
        "1",
        '"text"',
        "[{}]",
        "{",
        '{"eventID": ',
        '{"a": NaN}',
        "\ufeff{}",
        '{"a": "\ud800"}',
        '{"a":' * 5000 + "1" + "}" * 5000,
        "\x00",
        "{} {}",
    ],
)
def test_what_is_not_a_json_object_is_an_unreadable_event_that_keeps_its_text(raw: str) -> None:
    found = arrival(raw)
    assert found.raw == raw
    assert found.record == {}
    assert found.event.name == UNREADABLE
    assert found.event.error_message
    assert in_scope(found.event)
    assert found.event.key == arrival(raw, Reader()).event.key
    assert found.event.key != arrival(raw + " x").event.key


@pytest.mark.parametrize("name", sorted(READS))
def test_reading_calls_are_known_where_the_record_does_not_say(name: str) -> None:
    assert records.event(records.call(name, readOnly=records.ABSENT)).read_only
    assert not records.event(records.call(name, readOnly="false")).read_only


def test_a_record_without_any_time_takes_its_wrappers() -> None:
    raw = records.raw(records.read(eventTime="redacted"))
    assert arrival(raw).event.seconds == 0
    assert arrival(raw, at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)).event.at == datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=UTC
    )


def test_an_eventbridge_envelope_is_unwrapped_and_the_event_stays_the_same() -> None:
    record = records.read()
    wrapped = records.raw(records.eventbridge(record))
    assert arrival(wrapped).event == arrival(records.raw(record)).event
    assert arrival(wrapped).record == record
    assert arrival(wrapped).raw == wrapped


SHAPES: list[Record] = [
    records.read(),
    records.batch(["prod/db", records.arn("prod/api")]),
    records.denied(),
    records.create(),
    records.delete(),
    records.kms(),
    records.rotation_failed(),
    records.service_event("EndSecretVersionDelete"),
    records.eventbridge(records.put()),
]

garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in paths(item, (*path, key)))][(not path) :]


@st.composite
def mutated(draw: st.DrawFn) -> Record:
    record: Record = json.loads(json.dumps(draw(st.sampled_from(SHAPES))))
    for _ in range(draw(st.integers(1, 5))):
        *to, last = draw(st.sampled_from(paths(record)))
        value: Any = record
        for key in to:
            value = value[key]
        if isinstance(value, dict) and draw(st.booleans()):
            del value[last]
            if not record:
                break
        else:
            value[last] = draw(garbage)
    return record


STRINGS: tuple[str, ...] = (
    "name",
    "source",
    "secret_arn",
    "access_key",
    "source_ip",
    "user_agent",
    "region",
    "account",
)
STRINGS += ("error_code", "error_message", "odd_id", "call_text", "caller_text", "text", "id")


def check(event: Event) -> None:
    assert all(type(getattr(event, name)) is str for name in STRINGS)
    by = event.principal
    assert all(type(text) is str for text in (by.name, by.identity, by.session, by.arn, by.account, by.invoked_by))
    for secret in (event.secret, *event.others):
        assert secret is None or (secret.name.strip() and secret.name != "null")
    assert type(event.read_only) is bool
    assert event.at.tzinfo is UTC


@given(mutated())
def test_no_mutation_of_a_record_is_refused_or_loses_anything(record: Record) -> None:
    raw = json.dumps(record)
    found = arrival(raw)
    assert found.raw == raw
    check(found.event)
    assert in_scope(found.event) in (True, False)
    assert found.event.name != UNREADABLE
    again = arrival(json.dumps(record, indent=1, sort_keys=True))
    assert again.event.key == found.event.key
    assert again.event == found.event


@given(st.text())
def test_no_text_is_refused(text: str) -> None:
    assert arrival(text).raw == text
    check(arrival(text).event)
