"""How long a filter takes over many events, beside the plainest loop that could do the same.

Run with -s to see the figures. The bounds are ratios within one process, so that a busy machine does not matter.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from smwatch.events.event import Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.filter import Context, parse
from tests import records

ROWS = 20_000
CONTEXT = Context(record_of=lambda event: {}, levels=())


class Row(msgspec.Struct, gc=False):
    """An event with its search text as one string: the fastest plain text filter there is."""

    text: str


def best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(7):
        before = time.perf_counter()
        work()
        took.append(time.perf_counter() - before)
    return min(took)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    reader = Reader()
    events = []
    for i in range(ROWS):
        record = records.call(
            ("GetSecretValue", "GetSecretValue", "DescribeSecret", "PutSecretValue")[i % 4],
            {"secretId": f"team-{i % 20}/svc-{i % 25}"},
            by=records.role(f"role-{i % 40}", f"session-{i % 120}"),
            at=records.AT + timedelta(seconds=i // 10),
            id=f"{i:08x}-0000-4000-8000-000000000000",
            sourceIPAddress=f"10.0.{i % 4}.{i % 200}",
        )
        events.append(reader.event(record, seen_by=SeenBy.LOGS, seen_at=records.AT))
    return events


@pytest.mark.parametrize(
    ("text", "most"),
    [
        *(("svc-12", 1.2), ("nowhere", 1.2), ("-svc-12", 1.3), ("name:GetSecretValue", 0.7), ("name:Get*", 0.7)),
        *(("secret:team-1/*", 1.2), ("user:role-7", 1.2), ("ip:10.0.1.*", 1.2), ("error", 0.7), ("write", 0.7)),
    ],
)
def test_a_filter_costs_no_more_than_a_plain_search(events: list[Event], text: str, most: float) -> None:
    rows = [Row(event.text) for event in events]
    plain = best(lambda: [row for row in rows if "svc-12" in row.text])
    first = best(lambda: parse(text, CONTEXT).select(events))
    print(f"\n{text:24} {first / ROWS * 1e9:6.0f} ns a row, {first / plain:.2f} of a plain search")
    assert first <= most * plain
