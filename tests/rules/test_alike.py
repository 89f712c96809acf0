"""Events that are alike have the same answers to all that is asked of alike events, going by their whole records."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from smwatch.events.event import CALLER_BITS, Arrival, Event, Likeness, SeenBy
from smwatch.events.reader import Reader
from smwatch.patterns.conditions import parse_selector
from smwatch.record import Record, decode, encode
from smwatch.rules.alike import OF_CALLER, SAME, Callers, of_header, same_if_alike
from smwatch.rules.dimension import DIMENSIONS, KEY_OF_RESOURCES
from smwatch.rules.engine import Engine
from smwatch.rules.glance import Glance, path_of
from smwatch.rules.stop import PatternPart
from smwatch.rules.subject import Subject
from tests import records
from tests.records import AT
from tests.rules.judging import after, arrivals, catalogue, counting_calls

MISSING = object()
VALUES = st.sampled_from([MISSING, None, "", "a", "b", "x" * 3000, True, 1, ["a"], {"a": "b"}])
KEYS = st.sampled_from(["arn:aws:kms:eu-west-1:111122223333:key/1", "arn:aws:kms:eu-west-1:111122223333:key/2", "a"])
GLANCE = Glance(
    [
        *(
            (parse_selector(f"$.{'.'.join(path)}"), lambda record, path=path: told(record, path))
            for path in sorted(SAME)
        ),
        KEY_OF_RESOURCES,
    ],
    of_header,
)
RESOURCES = st.lists(st.fixed_dictionaries({}, optional={"ARN": KEYS, "type": st.sampled_from(["a", "b"])}), max_size=2)


@example([(("requestParameters", "keyId"), "arn:aws:kms:eu-west-1:111122223333:key/3", [])])
@example([(("eventType",), "a", [{"type": "a"}, {"ARN": "arn:aws:kms:eu-west-1:111122223333:key/1"}])])
@example([(("errorCode",), MISSING, []), (("sessionCredentialFromConsole",), "", [])])
@given(st.lists(st.tuples(st.sampled_from(sorted(SAME)), VALUES, RESOURCES), min_size=2, max_size=12))
def test_alike_events_have_the_same_in_every_field_that_is_asked(
    changes: list[tuple[tuple[str, ...], Any, Any]],
) -> None:
    reader = Reader()
    known: dict[Hashable, str | list[str]] = {}
    for path, value, resources in changes:
        record = json.loads(records.raw(records.read("prod/db")))
        put(record, path, value)
        if resources:
            record["resources"] = resources
        read = reader.read(json.dumps(record), seen_by=SeenBy.FILE, seen_at=AT)
        decoded = Arrival(read.event, read.raw, decode(read.raw))
        assert GLANCE.answers(read) == GLANCE.answers(decoded)
        assert DIMENSIONS["key"].get(Subject(read)) == DIMENSIONS["key"].get(Subject(decoded))
        if (like := read.likeness) is not None:
            assert known.setdefault(like, asked(record)) == asked(record)
            for half, paths in ((like >> CALLER_BITS, SAME - OF_CALLER), (like % (1 << CALLER_BITS), OF_CALLER)):
                said = [told(record, path) for path in sorted(paths)]
                assert known.setdefault((half, len(paths)), said) == said


def test_a_header_tells_of_every_such_field() -> None:
    assert of_header([*SAME, path_of(KEY_OF_RESOURCES[0])]) is not None
    assert of_header([*SAME, ("tlsDetails",)]) is None


def test_one_more_of_the_same_is_alike_and_another_version_is_not() -> None:
    reader = Reader()
    plain, again, other = (
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=AT).likeness
        for record in (
            records.read("prod/db"),
            records.read("prod/db", id="again", eventTime="2026-11-23T14:05:00Z"),
            records.read("prod/db", requestParameters={"secretId": "prod/db", "versionStage": "AWSPREVIOUS"}),
        )
    )
    assert plain is not None
    assert plain == again
    assert other not in (plain, None)


def test_alike_events_are_the_same_but_for_their_keys() -> None:
    reader = Reader()
    context = {"SecretARN": records.arn("prod/db"), "SecretVersionId": "v1"}
    several = [
        records.read("prod/db"),
        records.read("prod/db", readOnly=False),
        records.kms("prod/db", requestParameters={"encryptionContext": context}),
        records.kms("prod/db", requestParameters={"encryptionContext": context | {"SecretVersionId": "v2"}}),
    ]
    found: dict[Hashable, Event] = {}
    for record in (*several, *several):
        raw = records.raw(record | {"eventID": str(uuid4())})
        arrival = reader.read(raw, seen_by=SeenBy.FILE, seen_at=AT)
        event = replace(arrival.event, key=0)
        assert found.setdefault(arrival.likeness, event) == event
    assert len(found) == len(several)


def test_what_readers_do_not_read_is_not_the_same_for_alike_events() -> None:
    def question(record: Record) -> bool:
        return bool(record)

    assert same_if_alike((parse_selector("$.errorCode"), question))
    assert same_if_alike(KEY_OF_RESOURCES)
    assert not same_if_alike((parse_selector("$.resources"), question))
    assert not same_if_alike((parse_selector("$.tlsDetails.tlsVersion"), question))
    assert not same_if_alike((parse_selector("$.userIdentity"), question))


@pytest.mark.parametrize("name", ["GetSecretValue", "DescribeSecret", "Decrypt"])
def test_built_in_rules_ask_of_the_commonest_calls_only_what_is_the_same_for_alike_events(name: str) -> None:
    source = "kms.amazonaws.com" if name == "Decrypt" else "secretsmanager.amazonaws.com"
    rules = catalogue()
    patterns = [each for rule in rules.rules for each in rule.when]
    patterns += [each for fact in rules.facts.values() for each in fact.when]
    here = [part for part in map(PatternPart, patterns) if part.possible(source, name)]
    looks = {look for part in here for look in part.looks or ()}
    assert here
    assert {path_of(look[0]) for look in looks if not same_if_alike(look)} <= {("eventSource",), ("eventName",)}


def put(record: Record, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        record = record.setdefault(key, {})
    if value is MISSING:
        record.pop(path[-1], None)
    else:
        record[path[-1]] = value


def asked(record: Record) -> str:
    """All that may be asked of it, as text."""
    return str([KEY_OF_RESOURCES[1](record), *(told(record, path) for path in sorted(SAME))])


def told(record: Record, path: tuple[str, ...]) -> str:
    """The value of a field, as text."""
    value: Any = record
    for key in path:
        value = value.get(key, ...) if isinstance(value, dict) else ...
    return "missing" if value is ... else encode(value)


def test_callers_are_alike_whatever_their_address_in_no_public_network_or_in_one() -> None:
    callers, reader = Callers((), {}), Reader()

    def like(address: str, **more: str) -> Likeness | None:
        told = records.read("prod/db", id=f"{address} {more}", sourceIPAddress=address, **more)
        return callers.like(reader.read(records.raw(told), seen_by=SeenBy.LOGS, seen_at=AT))

    assert like("10.0.0.1") is not None
    assert like("10.0.0.1") == like("10.9.8.7") == like("secretsmanager.amazonaws.com")
    assert like("8.8.8.8") == like("8.8.8.9")
    assert len({like(address) for address in ("10.0.0.1", "8.8.8.8", "8.8.4.4")}) == 3
    assert like("10.0.0.1") != like("10.0.0.1", userAgent="curl")


def test_what_a_caller_does_from_yet_another_address_is_not_asked_anew() -> None:
    engine = Engine(catalogue())
    told = [records.read("prod/db", at=after(n), id=f"{n}", sourceIPAddress=f"10.0.0.{n}") for n in range(60)]
    coming = arrivals(told)
    for arrival in coming[:50]:
        engine.judge([arrival])
    _, calls = counting_calls(lambda: engine.judge(coming[50:]))
    assert calls < 16 * 10  # 11 each, and 22 if it is
