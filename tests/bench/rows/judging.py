"""Filter patterns and rules.

Processor time, on records that are decoded (`pattern`) or events that are read (`rules`) already: only the judging
counts. The floor decodes the same records with msgspec. For `renamed`, which has a target in milliseconds, it is the
median of the same steps, of which the figure is the longest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import chain, count
from random import Random
from statistics import median

import msgspec

from smwatch import patterns
from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.record import decode
from smwatch.rules.documented import DOCUMENTED_PATTERN
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.running.backstage import SETTLED
from tests import records
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.rows.parsing import Fresh, decoding
from tests.bench.traffic import PAGE, AnyTraffic, AtRandom, Traffic, Trouble, Varied
from tests.records import AT

SECRETS = 300
"""Read by the caller of the row "renamed"."""


@contextmanager
def pattern(size: int) -> Iterator[Pair]:
    """The pattern that AWS documents for the alarm on deleted secrets, asked about decoded records."""
    texts = Traffic().texts(size)
    decoded = [(decode(text), text) for text in texts]
    compiled = patterns.compile(DOCUMENTED_PATTERN)

    def smwatch() -> float:
        began = clock()
        for record, text in decoded:
            compiled.matches_record(record, text)
        return clock() - began

    yield Pair(smwatch, lambda: decoding(texts))


@contextmanager
def rules(size: int, traffic_of: Callable[[], AnyTraffic] = Traffic) -> Iterator[Pair]:
    """All built-in rules, which have judged so many events already, on events that were just read."""
    traffic, reader, engine = traffic_of(), Reader(), Engine(combine(load_builtin()))
    fresh = Fresh(traffic, PAGE)

    def judge(texts: list[str]) -> float:
        arrivals = [reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in texts]
        began = clock()
        engine.judge(arrivals)
        return clock() - began

    with collecting():
        for _ in range(0, size, PAGE):
            judge(traffic.texts(PAGE))
        yield Pair(lambda: judge(fresh.smwatch()), lambda: decoding(fresh.floor()))


@contextmanager
def renamed(size: int) -> Iterator[Pair]:
    """One of many secrets, which one caller reads again and again, turns out to be another: step by step."""
    reader, engine, by = Reader(), Engine(combine(load_builtin())), records.role("backup", "i-0a1b2c3d4e5f60718")
    random, steps = Random(1), list[float]()
    engine.at_once = SETTLED
    names = (Secret(records.ACCOUNT, records.REGION, f"prod/{number}") for number in chain((0,), count(SECRETS)))
    secret = next(names)

    def step(work: Callable[[], object]) -> None:
        began = clock()
        work()
        steps.append((clock() - began) * 1e3)

    def smwatch() -> float:
        nonlocal secret
        steps.clear()
        was, secret = secret, next(names)
        step(lambda: engine.fold([(was, secret)]))
        while engine.unsettled:
            step(engine.settle)
        return max(steps)

    with collecting():
        for start in range(0, size, PAGE):
            seconds = [timedelta(seconds=number // 20) for number in range(start, min(size, start + PAGE))]
            texts = [
                records.raw(records.read(f"prod/{random.randrange(SECRETS)}", by=by, at=AT + second))
                for second in seconds
            ]
            engine.judge([reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in texts])
        yield Pair(smwatch, lambda: median(steps))


_rules = Row(
    name="rules",
    what=f"all built-in rules on {PAGE:,} records",
    floor="msgspec.json.decode of the same bytes",
    target=3.0,
    size=20_000,
    sized="events judged before",
    ready=rules,
)

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
    _rules,
    msgspec.structs.replace(
        _rules,
        name="rules-varied",
        what=f"{_rules.what}, of 400 principals and 3,000 secrets",
        ready=partial(rules, traffic_of=Varied),
    ),
    msgspec.structs.replace(
        _rules,
        name="rules-random",
        what=f"{_rules.what}, each a random call of 36 callers and 180 secrets",
        ready=partial(rules, traffic_of=AtRandom),
    ),
    msgspec.structs.replace(
        _rules,
        name="rules-trouble",
        what=f"{_rules.what}, five of six refused, failed or writing",
        size=10_000,
        ready=partial(rules, traffic_of=Trouble),
    ),
    Row(
        name="renamed",
        what=f"one of {SECRETS} secrets read by one caller is another: longest stall",
        floor="the median of the steps",
        target=15.0,
        absolute=True,
        unit="ms",
        size=20_000,
        sized="reads",
        ready=renamed,
    ),
)
