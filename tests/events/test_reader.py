"""Any text becomes an event; no record is refused, changed or named differently from its copies."""

from __future__ import annotations

import gc
import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events import event
from smwatch.events.event import UNREADABLE, Arrival, Event, SeenBy
from smwatch.events.header import Header, quick_header, unwrapped
from smwatch.events.reader import Reader
from smwatch.events.recent import Recent
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
        '{"a":' * 100_000 + "1" + "}" * 100_000,  # deeper than any Python follows
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
STRINGS += ("error_code", "error_message", "odd_id", "text", "id")


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


def test_a_uuid_is_kept_as_a_number_and_comes_back() -> None:
    event = records.event(records.read(id="2499febe-be52-4707-b0be-2ff6d4f9116a"))
    assert (event.id, event.odd_id) == ("2499febe-be52-4707-b0be-2ff6d4f9116a", "")
    assert (
        event.key == (int(AT.timestamp()) << 168) | (int("2499febebe524707b0be2ff6d4f9116a", 16) << 40) | 111122223333
    )


@pytest.mark.parametrize(
    "event_id",
    [
        "2499FEBE-be52-4707-b0be-2ff6d4f9116a",
        "2499febebe524707b0be2ff6d4f9116a",
        "2499febeb-e52-4707-b0be-2ff6d4f9116a",
        "2499febe-be52-4707-b0be-2ff6d4f9116g",
        "2499febe-be52-4707-b0be-2ff6d4f9116",
        "-------------------------------------",
        "EXAMPLE3-90ab-cdef-fedc-ba987EXAMPLE",
        "２499febe-be52-4707-b0be-2ff6d4f9116a",
        "x",
        "-",
        "x" * 9000,
    ],
)
def test_any_other_id_keeps_its_text(event_id: str) -> None:
    event = records.event(records.read(eventID=event_id))
    assert (event.id, event.odd_id) == (event_id, event_id)
    assert event.key != records.event(records.read(eventID=event_id + "y")).key


@given(st.uuids())
def test_every_uuid_comes_back(event_id: UUID) -> None:
    assert records.event(records.read(id=str(event_id))).id == str(event_id)


@pytest.mark.parametrize("event_id", [records.ABSENT, None, ""])
def test_a_record_without_id_has_one_of_its_own_however_it_is_written(event_id: Any) -> None:
    record = records.read(eventID=event_id, n=1.50)
    first = arrival(records.raw(record)).event
    again = arrival(json.dumps(record, indent=2, sort_keys=True)).event
    wrapped = arrival(records.raw(records.eventbridge(record))).event
    assert first == again == wrapped
    assert first.id.startswith("no eventID: ")
    assert first.key != records.event(records.read(eventID=event_id, n=2)).key


def test_an_account_that_is_none_never_collides_with_one_that_is() -> None:
    odd = ["", "ACCOUNT", "1234", "000000000000x", "１２３４５６７８９０１２"]
    keys = {account: records.event(records.read(id="x", account=account)).key & (1 << 40) - 1 for account in odd}
    assert len(set(keys.values())) == len(odd)
    assert all(key >= 10**12 for key in keys.values())
    assert records.event(records.read(account="000000000001")).key & (1 << 40) - 1 == 1


def test_keys_sort_by_time_first() -> None:
    moments = [datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 1999, 2026, 2106, 9999)]
    keys = [records.event(records.read(at=at)).key for at in moments]
    assert keys == sorted(keys)
    assert [records.event(records.read(at=at)).at for at in moments] == moments


def test_a_record_of_logstash_has_its_time_in_another_field() -> None:
    record = records.read(eventTime=records.ABSENT) | {"@timestamp": "2024-10-17T21:48:45.000Z", "@version": "1"}
    assert records.event(record).at == datetime(2024, 10, 17, 21, 48, 45, tzinfo=UTC)


def test_fields_of_other_types_are_shown_as_their_json() -> None:
    record = records.read(eventName=5, userAgent={"b": 1, "a": [True]}, awsRegion=False, sourceIPAddress=["1", "2"])
    event = records.event(record)
    assert (event.name, event.user_agent, event.region, event.source_ip) == (
        "5",
        '{"a":[true],"b":1}',
        "false",
        '["1","2"]',
    )


ORDINARY: list[Record] = [
    *SHAPES,
    records.listing(),
    records.batch(),
    records.read_missing(),
    records.read("prod/db", resources=[{"ARN": records.arn("prod/db"), "type": "AWS::SecretsManager::Secret"}]),
    records.read(sourceIPAddress="AWS Internal"),
    records.read(sourceIPAddress="81.2.69.142, 192.168.10.10"),
    records.call("AssumeRole", {"roleArn": "x"}, {"credentials": {}}, eventSource="sts.amazonaws.com"),
    *(
        records.read(userIdentity=by)
        for by in (
            records.root(),
            records.sso(),
            records.saml(),
            records.identity_center(),
            records.other_account(),
            records.aws_service(),
            records.unknown(),
        )
    ),
]


@pytest.mark.parametrize("record", ORDINARY, ids=lambda record: str(record.get("eventName")))
def test_the_short_way_and_the_long_way_to_read_a_record_agree(record: Record) -> None:
    short = arrival(records.raw(record)).event
    long = arrival(records.raw(record | {"padding": "x" * 9000})).event
    decoded = Reader().event(unwrapped(record), seen_by=SeenBy.LOGS, seen_at=AT)
    assert short == long == decoded


@given(st.lists(st.sampled_from(ORDINARY), max_size=12))
def test_what_was_read_before_changes_nothing_about_an_ordinary_record(before: list[Record]) -> None:
    reader = Reader(remember=2)
    for record in before:
        assert arrival(records.raw(record), reader).event == arrival(records.raw(record)).event


ALMOST_ALIKE: list[Record] = [
    records.read(userIdentity={"type": "IAMUser", "arn": f"arn:aws:{arn}", "accessKeyId": key}, sourceIPAddress=address)
    for arn in (
        "iam::111122223333:user/x",
        "iam::111122223333:user/x/y",
        "sts::111122223333:assumed-role/x",
        "sts::111122223333:assumed-role/x/",
        "sts::111122223333:assumed-role/x/y",
        "sts::111122223333:assumed-role/x/y/z",
    )
    for key in ("AKIAIOSFODNN7EXAMPLE", "no access key")
    for address in ("198.51.100.7", "198.51.100.8", "AWS Internal", "kms.amazonaws.com", "", None)
]


@given(st.lists(st.sampled_from(ALMOST_ALIKE), max_size=30), st.sampled_from((2, 64)))
def test_callers_that_are_almost_alike_are_not_taken_for_each_other(these: list[Record], remember: int) -> None:
    reader = Reader(remember)
    for record in these:
        found, alone = arrival(records.raw(record), reader).event, arrival(records.raw(record)).event
        assert (found, found.text) == (alone, alone.text)


@given(mutated(), mutated())
def test_what_was_read_before_changes_nothing_about_an_odd_record(first: Record, second: Record) -> None:
    reader = Reader()
    arrival(json.dumps(first), reader)
    assert arrival(json.dumps(second), reader).event == arrival(json.dumps(second)).event


@pytest.mark.parametrize("record", ORDINARY, ids=lambda record: str(record.get("eventName")))
def test_a_word_is_in_the_text_or_in_one_of_its_parts(record: Record) -> None:
    event = records.event(record)
    for word in set(event.text.split("\n")) - {""}:
        assert (
            word in event.call.text
            or word in event.caller.text
            or word in event.source_ip
            or word.upper() in event.access_key
        ), word
    fields = [event.name, event.source, event.secret_arn, event.access_key, event.source_ip, event.user_agent]
    fields += [event.region, event.account, event.error_code, event.error_message, event.principal.kind.value]
    fields += [event.principal.name, event.principal.identity, event.principal.session, event.principal.arn]
    assert all(field.lower() in event.text for field in fields)


def test_texts_and_names_that_are_equal_are_one_object() -> None:
    reader = Reader()
    first, second = (arrival(records.raw(records.read("prod/db", id=each)), reader).event for each in ("a", "b"))
    for field in (
        "name",
        "source",
        "secret",
        "principal",
        "access_key",
        "source_ip",
        "user_agent",
        "region",
        "account",
    ):
        assert getattr(first, field) is getattr(second, field), field
    assert first.call is second.call
    assert first.caller is second.caller


def test_what_a_reader_remembers_is_bounded() -> None:
    reader = Reader(remember=8)
    for n in range(200):
        record = records.denied(f"name-{n}", by=records.role(f"role-{n}", f"session-{n}", key=f"ASIA{n}"), id=str(n))
        arrival(records.raw(record | {"userAgent": f"agent {n}", "sourceIPAddress": f"AWS {n}"}), reader)
        arrival(records.raw(records.service_event("RotationStarted", f"name-{n}", account=str(n))), reader)
    tables = [table for table in vars(reader._known).values() if isinstance(table, Recent)]
    assert len(tables) >= 7
    assert all(len(table) <= 8 for table in tables)


def test_as_many_callers_as_are_to_be_remembered_are() -> None:
    reader = Reader(remember=8)
    texts = [records.raw(records.read(by=records.role(f"role-{n}", f"session-{n}"), id=str(n))) for n in range(12)]
    last = [arrival(text, reader).event.caller for text in texts][-8:]
    assert all(arrival(text, reader).event.caller is caller for text, caller in zip(texts[-8:], last, strict=True))


def test_a_caller_that_has_not_come_lately_is_forgotten_and_one_that_has_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.events.reader.LATELY", 10)
    reader = Reader()
    rare, often = (records.raw(records.read(by=records.role(name))) for name in ("rare", "often"))
    first, others = arrival(rare, reader).event.caller, [arrival(often, reader).event.caller for _ in range(25)]
    assert all(caller is others[0] for caller in others)
    again = arrival(rare, reader).event.caller
    assert again == first
    assert again is not first


@pytest.mark.parametrize("by", [records.role(), records.aws_service()])
def test_the_addresses_of_one_caller_are_forgotten_as_well(by: records.Identity) -> None:
    """However many there are, in memory is what so many more take that nothing refers to."""
    reader, held = Reader(remember=8), list[int]()
    gc.collect()
    tracemalloc.start()
    for _ in range(4):
        for n in range(400):
            arrival(records.raw(records.read(by=by, id=str(n), sourceIPAddress=f"10.9.{len(held)}.{n}")), reader)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] - held[0] < 20_000


def test_a_string_longer_than_any_of_aws_is_clipped_in_the_event_but_not_in_the_record() -> None:
    long = "x" * 100_000
    found = arrival(records.raw(records.read(long, userAgent=long, error=("E", long))))
    event = found.event
    assert event.secret is not None
    for text in (event.secret.name, event.user_agent, event.error_message):
        assert len(text) == 2048
        assert text.endswith("x…")
    assert found.record["requestParameters"]["secretId"] == long


@pytest.mark.parametrize("by", [records.user("u" * 3000), records.role("r", "s" * 3000), records.saml("p" * 3000)])
@pytest.mark.parametrize("first", [False, True])
def test_who_has_a_name_longer_than_any_of_aws_is_the_same_in_a_short_record_and_a_long_one(
    by: records.Identity, first: bool
) -> None:
    reader, record = Reader(), records.read(by=by)
    if first:  # of two userIdentity in one record the last one counts
        short = records.raw(records.read(by=records.user(), id=record["eventID"]))[:-1]
        short += f',"userIdentity":{records.raw(by)}}}'
    else:
        short = records.raw(record)
    event, long = arrival(short, reader).event, arrival(records.raw(record | {"padding": "x" * 9000}), reader).event
    assert event == long
    assert max(map(len, (event.principal.name, event.principal.arn, event.principal.session))) <= 2048


def test_the_record_is_decoded_when_it_is_asked_for_and_only_once() -> None:
    found = arrival(records.raw(records.read()))
    assert found.record is found.record


def said(header: Header | None) -> dict[str, object]:
    """What a header says, whether its userIdentity was read with it or later."""
    assert header is not None
    return msgspec.structs.asdict(header)


def test_the_header_of_who_or_what_is_new_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = Reader(), list[str]()
    told = [
        records.raw(records.read(secret, by=records.role(name), id=f"{secret} {name}"))
        for secret, name in (("prod/db", "app"), ("prod/job", "app"), ("prod/job", "job"), ("prod/db", "job"))
    ]
    arrivals = [reader.read(raw, seen_by=SeenBy.FILE, seen_at=AT) for raw in told]

    def noted(raw: str) -> Header | None:
        read.append(raw)
        return quick_header(raw)

    monkeypatch.setattr(event, "quick_header", noted)
    assert [said(arrival.header) for arrival in arrivals] == [said(quick_header(raw)) for raw in told]
    assert read == told[3:]


def test_the_header_is_read_when_it_is_asked_for_and_only_once() -> None:
    record = records.read("prod/db")
    found = arrival(records.raw(record))
    assert said(msgspec.convert(record, Header)) == said(found.header)
    assert found.header is found.header


@pytest.mark.parametrize(
    "raw", ["", "[]", '{"eventName":null', '{"detail":{"eventName":"GetSecretValue"}}', '{"userAgent":null}']
)
def test_there_is_no_header_of_what_has_to_be_decoded(raw: str) -> None:
    event = arrival(records.raw(records.read())).event
    assert arrival(raw).header is Arrival(event, raw).header is None


def test_what_is_read_of_an_identity_is_the_same_whatever_came_before() -> None:
    """An identity that was read once is known by its text; one whose parts are out of the ordinary never is."""
    first, odd = Reader(), records.role() | {"accessKeyId": None}
    by = [records.role(), odd, records.role(), odd, records.role() | {"arn": 1}, records.role("other"), odd]
    for number, one in enumerate(by * 2):
        raw = records.raw(records.read(by=one, id=str(number)))
        found, alone = arrival(raw, first), arrival(raw)
        assert found.event == alone.event
        assert found.record == alone.record
        assert (found.header is None) == (alone.header is None) == (quick_header(raw) is None)


@pytest.mark.parametrize("agent", ["\\ud800", "a\\udc00b"])
def test_half_a_surrogate_pair_does_not_hide_an_event(agent: str) -> None:
    raw = records.raw(records.read("prod/db", userAgent="AGENT")).replace("AGENT", agent)
    event = arrival(raw).event
    assert (event.name, event.secret and event.secret.name) == ("GetSecretValue", "prod/db")
    assert "\ufffd" in event.user_agent
