"""Filter patterns and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from smwatch import patterns
from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.record import decode
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.rows.parsing import decoding
from tests.bench.traffic import PAGE, Traffic, Trouble
from tests.records import AT

DELETED = (
    '{ $.eventName = "GetSecretValue" && $.errorCode = "InvalidRequestException" '
    '&& $.errorMessage = "*secret because it was marked for deletion*" }'
)


@contextmanager
def pattern(size: int) -> Iterator[Pair]:
    """The pattern that AWS documents for the alarm on deleted secrets, asked about decoded records."""
    texts = Traffic().texts(size)
    decoded = [(decode(text), text) for text in texts]
    compiled = patterns.compile(DELETED)

    def smwatch() -> float:
        began = clock()
        for record, text in decoded:
            compiled.matches_record(record, text)
        return clock() - began

    yield Pair(smwatch, lambda: decoding(texts))


@contextmanager
def rules(size: int, traffic_of: Callable[[], Traffic | Trouble] = Traffic) -> Iterator[Pair]:
    """All built-in rules, which have judged so many events already, on events that were just read."""
    traffic, reader, engine = traffic_of(), Reader(), Engine(combine(load_builtin()))

    def judge() -> float:
        arrivals = [reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in traffic.texts(PAGE)]
        began = clock()
        engine.judge(arrivals)
        return clock() - began

    with collecting():
        for _ in range(0, size, PAGE):
            judge()
        yield Pair(judge, lambda: decoding(traffic.texts(PAGE)))


ROWS = (
    Row(
        name="pattern",
        what="one filter pattern on one record",
        floor="msgspec.json.decode of the same bytes",
        target=0.3,
        size=5_000,
        sized="records",
        ready=pattern,
    ),
    Row(
        name="rules",
        what=f"all built-in rules on {PAGE:,} records",
        floor="msgspec.json.decode of the same bytes",
        target=3.0,
        size=20_000,
        sized="events judged before",
        ready=rules,
    ),
    Row(
        name="rules-trouble",
        what=f"all built-in rules on {PAGE:,} records, five of six refused, failed or writing",
        floor="msgspec.json.decode of the same bytes",
        target=3.0,
        size=10_000,
        sized="events judged before",
        ready=partial(rules, traffic_of=Trouble),
    ),
)
