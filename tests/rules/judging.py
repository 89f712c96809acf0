"""Records judged by the built-in rules, for the tests of each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from types import FrameType
from typing import Any, TypeVar

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.envelope import RuleSet
from smwatch.rules.rule import combine, load_builtin, parse
from tests.records import AT

T = TypeVar("T")
SEEN_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def arrivals(records: Iterable[Record], seen_by: SeenBy = SeenBy.FILE) -> list[Arrival]:
    """The records as the program reads them."""
    reader = Reader()
    return [reader.read(json.dumps(record), seen_by=seen_by, seen_at=SEEN_AT) for record in records]


@cache
def catalogue() -> RuleSet:
    """The built-in rules as they are."""
    return combine(load_builtin())


READS = '{ $.eventName = "GetSecretValue" }'


def mine(*lines: str, when: str = READS, by: str = "identity") -> str:
    """A file with one rule, MINE, and these lines in it."""
    fixed = ['id = "MINE"', 'title = "t"', 'severity = "high"', 'why = "w"', f"when = '{when}'", f'by = ["{by}"]']
    rest = [] if any(line.startswith("next") for line in lines) else ['next = ["# nothing"]']
    return "\n".join(["[[rule]]", *fixed, *lines, *rest, ""])


def ruled(text: str, overrides: Mapping[str, Any] | None = None) -> RuleSet:
    """The rules of a file of one's own, alone."""
    return combine(parse(text, "mine.toml"), overrides=overrides)


def judged(
    records: Iterable[Record], rules: RuleSet | None = None, *, tick: datetime | None = None, batch: int = 0
) -> dict[str, Alarm]:
    """The alarms after these records, by group; `batch` records at a time (0: all at once), then the clock."""
    engine = Engine(rules or catalogue())
    everything = arrivals(records)
    for start in range(0, len(everything), batch or max(1, len(everything))):
        engine.judge(everything[start : start + (batch or len(everything))])
    if tick is not None:
        engine.tick(tick)
    return dict(engine.alarms)


def of(rule: str, alarms: Mapping[str, Alarm]) -> list[Alarm]:
    """The alarms of one rule, oldest first."""
    return sorted((alarm for alarm in alarms.values() if alarm.rule == rule), key=lambda alarm: alarm.first_at)


def only(rule: str, records: Iterable[Record], rules: RuleSet | None = None) -> Alarm:
    """The one alarm of a rule."""
    (alarm,) = of(rule, judged(records, rules))
    return alarm


def fired(records: Iterable[Record], rules: RuleSet | None = None) -> set[str]:
    """The ids of the rules that raised an alarm which is still open."""
    return {alarm.rule for alarm in judged(records, rules).values() if alarm.open}


def after(seconds: float = 0, **more: float) -> datetime:
    """A moment after AT."""
    return AT + timedelta(seconds=seconds, **more)


def before(**more: float) -> datetime:
    """A moment before AT."""
    return AT - timedelta(**more)


def lines(alarm: Alarm) -> Sequence[str]:
    """What the alarm says to run."""
    return alarm.next


def counting_calls(work: Callable[[], T]) -> tuple[T, int]:
    """What some work gives, and how many functions written in Python are called for it."""
    calls = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    profiled = sys.getprofile()
    sys.setprofile(count)
    try:
        result = work()
    finally:
        sys.setprofile(profiled)
    return result, calls
