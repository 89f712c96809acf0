"""A batch and the reads that it causes count once in an alarm, whichever of them come and in whatever order."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.envelope import RuleSet
from smwatch.rules.rule import combine, load_builtin
from smwatch.rules.sighting import MARKS
from smwatch.rules.subject import Subject
from tests import records
from tests.rules.judging import after, arrivals, catalogue, judged, of, only, ruled

ROOT = records.root()
RULE = "SMW-READ-05"
"""Counts by secret and principal."""


def batch(*secrets: str, second: float = 0) -> Record:
    return records.batch(list(secrets) or None, by=ROOT, at=after(second))


def read(secret: str = "prod/a", second: float = 0) -> Record:
    return records.read(secret, by=ROOT, at=after(second))


def counts(*happened: Record, rules: RuleSet | None = None, rule: str = RULE) -> dict[str, int]:
    """The count of each secret's alarm, the same one event at a time and in both directions."""
    found = []
    for ordered in (happened, tuple(reversed(happened))):
        alarms = of(rule, judged(ordered, rules, batch=1))
        found.append({alarm.secret.name if alarm.secret else "": alarm.count for alarm in alarms})
    assert found[0] == found[1]
    return found[0]


def test_a_batch_and_its_reads_count_once_for_each_secret() -> None:
    assert counts(batch("prod/a", "prod/b"), read("prod/a"), read("prod/b", 1)) == {"prod/a": 1, "prod/b": 1}


def test_reads_beside_a_batch_are_counted() -> None:
    assert counts(batch("prod/a"), read(), read(second=1), read(second=9)) == {"prod/a": 3}
    assert counts(batch("prod/a"), batch("prod/a", second=1), read(), read(second=1)) == {"prod/a": 2}
    elsewhere = records.read("prod/a", by=ROOT | {"accessKeyId": "ASIAOTHER"})
    assert counts(batch("prod/a"), elsewhere) == {"prod/a": 2}


def test_what_a_batch_asked_again_says_of_each_secret_is_held_once() -> None:
    first, again = (
        [one.event.call for one in Subject(arrival).each]
        for arrival in arrivals([batch("prod/a", "prod/b"), batch("prod/a", "prod/b", second=60)])
    )
    assert [(str(call.secret and call.secret.name), call.others) for call in first] == [("prod/a", ()), ("prod/b", ())]
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_who_reads_in_batches_reads() -> None:
    hourly = [records.batch(["prod/a", "prod/b"], at=after(hours=-hours)) for hours in range(1, 201)]
    alarm = only("SMW-DEL-05", [*hourly, records.delete("prod/b", at=after())])
    assert alarm.severity is Severity.CRITICAL
    assert alarm.title == "Secret in use scheduled for deletion"
    alone = records.delete("prod/c", at=after())
    assert only("SMW-DEL-05", [*hourly, alone]).severity is Severity.MEDIUM


def closing(*happened: Record) -> dict[str, int]:
    """The count of each secret's alarm about a closing window, some hours before it ends, in either direction."""
    deletions = [records.delete(name, days=7, at=after(days=-6)) for name in ("prod/a", "prod/b")]
    found = []
    for ordered in ([*deletions, *happened], [*reversed(happened), *deletions]):
        alarms = of("SMW-DEL-07", judged(ordered, tick=after(hours=1), batch=1))
        found.append({alarm.secret.name: alarm.count for alarm in alarms if alarm.secret})
    assert found[0] == found[1]
    return found[0]


def test_a_secret_whose_window_closes_is_asked_for_in_a_batch_as_well() -> None:
    assert closing(records.batch(["prod/a", "prod/c"], at=after())) == {"prod/a": 1}
    restored = records.restore("prod/a", at=after(hours=-5))
    assert closing(restored, records.batch(["prod/a", "prod/b"], at=after())) == {"prod/b": 1}
    refused = records.read_deleted("prod/a", at=after(1))
    assert closing(records.batch(["prod/a"], at=after()), refused) == {"prod/a": 1}
    assert closing(records.batch(at=after())) == {}


def test_the_events_of_a_batch_are_all_behind_its_alarm() -> None:
    alarm = only(RULE, [batch("prod/a"), read()])
    assert (alarm.count, len(alarm.event_keys), len(alarm.caused)) == (1, 2, 1)
    assert alarm.severity is Severity.CRITICAL


def test_one_alarm_over_several_secrets_counts_a_batch_by_filter_once() -> None:
    rules = ruled(
        """
[[rule]]
id = "root"
title = "Root reads"
severity = "high"
why = "It should not."
when = '{ ($.userIdentity.type = "Root") && ($.errorCode NOT EXISTS) }'
by = ["identity"]
"""
    )
    assert counts(batch(), read("prod/a"), read("prod/b"), read("prod/a", 1), rules=rules, rule="root") == {"": 2}


def test_a_count_rule_is_not_reached_by_a_batch_and_its_reads() -> None:
    rules = ruled(
        """
[[rule]]
id = "often"
title = "Root reads a lot"
severity = "high"
why = "It should not."
when = '{ $.userIdentity.type = "Root" }'
by = ["secret"]
count = { min = 3, within = "10s" }
"""
    )
    twice = [batch("prod/a"), read(), batch("prod/a", second=5), read(second=5)]
    assert counts(*twice, rules=rules, rule="often") == {}
    assert counts(*twice, read(second=9), rules=rules, rule="often") == {"prod/a": 3}


def test_an_alarm_that_is_kept_counts_on_from_what_it_counted() -> None:
    before, later = [batch("prod/a"), read(), read(second=5)], [read(second=20)]
    kept = judged(before)
    engine = Engine(catalogue())
    engine.restore(kept.values())
    engine.judge(arrivals(later))
    (alarm,) = of(RULE, engine.alarms)
    assert alarm.count == 3
    engine.judge(arrivals(before))
    assert of(RULE, engine.alarms)[0].count == 3


def test_what_is_no_longer_kept_of_an_alarm_was_counted_once_too() -> None:
    everything = [make for n in range(2 * MARKS) for make in (batch("prod/a", second=10 * n), read(second=10 * n + 1))]
    assert counts_in_order(everything) == 2 * MARKS


def counts_in_order(happened: list[Record]) -> int:
    (alarm,) = of(RULE, judged(happened, batch=7))
    return alarm.count


EVENTS = st.lists(
    st.one_of(
        st.builds(batch, st.just("prod/a"), second=st.integers(0, 12)),
        st.builds(batch, st.just("prod/a"), st.just("prod/b"), second=st.integers(0, 12)),
        st.builds(read, st.sampled_from(["prod/a", "prod/b"]), st.integers(0, 12)),
        st.builds(lambda second: records.restore("prod/a", by=ROOT, at=after(second)), st.integers(0, 12)),
    ),
    min_size=2,
    max_size=20,
)
ENDED = combine(
    load_builtin(),
    disable=[rule.id for rule in catalogue().rules if rule.id != RULE],
    overrides={RULE: {"closed_by": {"when": "restores", "same": ["secret"]}}},
)


def run(happened: list[Record], kept: tuple[Alarm, ...] = (), size: int = 1) -> dict[str, Alarm]:
    engine = Engine(ENDED)
    engine.restore(kept, known_since=after(0))
    coming = arrivals(happened)
    for start in range(0, len(coming), size):
        engine.judge(coming[start : start + size])
    return dict(engine.alarms)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, st.integers(), st.integers(1, 5), st.integers(0, 20))
def test_any_order_and_any_restart_counts_the_same(happened: list[Record], seed: int, size: int, until: int) -> None:
    happened = [read("prod/z", 0), *happened]  # as far back as events are known
    expected = run(happened)
    assert all(0 < alarm.count <= len(alarm.event_keys) for alarm in expected.values())
    shuffled = happened.copy()
    random.Random(seed).shuffle(shuffled)
    assert run(shuffled, size=size) == expected
    assert run(shuffled, tuple(run(happened[:until]).values()), size) == expected
