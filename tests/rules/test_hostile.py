"""Whatever stands in a record's place, rules judge it, tell of it within bounds, and say nothing that a shell obeys."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.moments import seconds
from smwatch.record import Record
from smwatch.rules.rule import combine, load_builtin
from tests.rules.judging import judged
from tests.rules.test_catalogue import RULES

LISTED = combine(
    load_builtin(),
    overrides={"lists": {"audit": ["trail-*", "*"], "decoys": ["prod/*"], "org_accounts": ["999988887777"]}},
)
RECORDS = [record for rule in RULES.values() for record in rule.finds.records]
HOSTILE: list[Any] = [
    None,
    "",
    0,
    -1,
    1e308,
    True,
    [],
    {},
    [[]],
    {"": ""},
    [None, 1, {}, "arn:aws:iam::1:root"],
    "x" * 5_000,
    "arn:aws:secretsmanager:::secret:",
    "arn:" + ":" * 40,
    "*",
    "$(touch x)`id`'\"; rm -rf /",
    "a\nb\x1b]52;c;eA==\x07\u202e\x00",
    "-rf",
    "{" * 2_000,
    '{"Statement":[{"Principal":{"AWS":[[]]},"Action":5,"Condition":{"StringEquals":[]}}]}',
    "rate(" + "9" * 400 + " days)",
    "٣٣٣٣٣٣٣٣٣٣٣٣",
    "\ud800",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def spoilt(record: Record, where: tuple[Any, ...], what: Any) -> Record:
    changed = copy.deepcopy(record)
    inside: Any = changed
    for key in where[:-1]:
        inside = inside[key]
    inside[where[-1]] = what
    return changed


@st.composite
def spoilt_records(draw: st.DrawFn) -> Record:
    record = draw(st.sampled_from(RECORDS))
    for _ in range(draw(st.integers(1, 3))):
        record = spoilt(record, draw(st.sampled_from(list(places(record)))), draw(st.sampled_from(HOSTILE)))
    return record


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(spoilt_records(), min_size=1, max_size=25))
def test_spoilt_records_are_judged(happened: list[Record]) -> None:
    everything = [*RECORDS[:40], *happened]
    found = judged(everything, LISTED)
    for alarm in found.values():
        assert json.loads(json.dumps(alarm.facts)) == list(alarm.facts)
        assert all(len(fact) < 12_000 for fact in alarm.facts)
        for command in alarm.next:
            assert command.isprintable()
            assert shlex.split(command, comments=True) or command.startswith("#")


def test_rules_judge_what_happens_at_the_end_of_time() -> None:
    last = 253402300799  # 9999-12-31T23:59:59Z: what waits for something to come waits beyond it
    for rule in RULES.values():
        records = rule.finds.records
        times = [seconds(record["eventTime"]) or 0 for record in records]
        moved = [
            {**record, "eventTime": f"{datetime.fromtimestamp(last - max(times) + at, UTC):%Y-%m-%dT%H:%M:%SZ}"}
            for record, at in zip(records, times, strict=True)
        ]
        for alarm in judged(moved, LISTED, tick=datetime.max.replace(tzinfo=UTC)).values():
            assert alarm.last_at.year == 9999
            assert alarm.last_at <= alarm.changed_at
