"""One outage is one alarm, however fast or seldom its consumer asks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.rules.engine import Engine
from tests import records
from tests.rules.catalogue.keys import OTHER_KEY, REFUSED, to_key
from tests.rules.judging import READS, after, arrivals, before, catalogue, fired, mine, of, ruled

HEALTH = "SMW-HLTH-01"
WORKED = records.read(at=before(hours=1))


def found(happened: Sequence[Record], rule: str = HEALTH) -> list[Alarm]:
    """The rule's alarms, the same in any order."""
    results: list[list[Alarm]] = []
    for seed in range(6):
        coming = arrivals(happened)
        random.Random(seed).shuffle(coming)
        engine = Engine(catalogue())
        for one in coming:
            engine.judge([one])
        results.append(of(rule, engine.alarms))
    assert all(each == results[0] for each in results)
    return results[0]


def denied(times: int, **apart: float) -> list[Record]:
    return [records.denied(at=after(**{unit: n * each for unit, each in apart.items()})) for n in range(times)]


@pytest.mark.parametrize(
    ("apart", "severity"),
    [
        ({"seconds": 10.0}, Severity.HIGH),
        ({"minutes": 2.0}, Severity.HIGH),
        ({"minutes": 20.0}, Severity.MEDIUM),
        ({"hours": 1.0}, Severity.MEDIUM),
        ({"hours": 24.0}, Severity.LOW),
    ],
)
def test_who_asks_seldom_is_found_too(apart: dict[str, float], severity: Severity) -> None:
    period = sum(each for unit, each in apart.items() if unit == "hours")
    worked = records.read(at=before(hours=max(1.0, period)))
    (alarm,) = found([worked, *denied(3, **apart)])
    assert (alarm.severity, alarm.count) == (severity, 3)


def test_a_slow_outage_that_quickens_is_the_same_alarm_and_worse() -> None:
    slow = denied(4, hours=1)
    fast = [records.denied(at=after(hours=5, seconds=n)) for n in range(3)]
    (alarm,) = found([WORKED, *slow])
    assert (alarm.severity, alarm.title) == (Severity.MEDIUM, "A consumer that worked fails each time it asks")
    (worse,) = found([WORKED, *slow, *fast])
    assert (worse.severity, worse.count) == (Severity.HIGH, 7)
    assert worse.group == alarm.group
    assert worse.level > alarm.level


@pytest.mark.parametrize("apart", [{"minutes": 20.0}, {"hours": 20.0}])
def test_a_success_between_failures_starts_the_count_anew(apart: dict[str, float]) -> None:
    (unit, each) = next(iter(apart.items()))
    between = records.read(at=after(**{unit: 1.5 * each}))
    assert found([WORKED, *denied(4, **apart), between]) == []


def test_a_success_closes_it() -> None:
    (alarm,) = found([WORKED, *denied(3, hours=1), records.read(at=after(hours=4))])
    assert alarm.state is AlarmState.CLOSED


def test_two_failures_or_who_never_could_are_none() -> None:
    assert found([WORKED, *denied(2, hours=1)]) == []
    assert found(denied(9, hours=1)) == []
    assert found([records.read(at=before(days=5)), *denied(3, hours=24)]) == []


def test_somebody_who_tries_thrice_in_a_week_is_none() -> None:
    assert found([WORKED, *denied(3, hours=60)]) == []


@pytest.mark.parametrize(
    ("failure", "rule"),
    [
        (records.read_missing, "SMW-DEL-03"),
        (records.read_deleted, "SMW-DEL-01"),
        (lambda at: records.read(error=REFUSED, at=at), "SMW-KMS-01"),
        (records.denied, HEALTH),
    ],
)
@pytest.mark.parametrize("apart", [20, 60])
def test_an_outage_is_one_alarm(failure: object, rule: str, apart: int) -> None:
    assert callable(failure)
    happened = [WORKED, *(failure(at=after(seconds=n * apart)) for n in range(12))]
    assert fired(happened) == {rule}


def test_a_missing_label_of_a_secret_that_is_there_is_an_outage() -> None:
    message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    fails = [records.read_missing(message=message, at=after(n)) for n in range(3)]
    assert fired([WORKED, *fails]) == {HEALTH}


def test_steps_go_with_a_sequence_that_counts() -> None:
    fact = f"[fact.mine]\nwhen = '{READS}'\n"
    step = 'escalate = [{ min = 3, within = "6h", severity = "low" }]'
    counting = 'sequence = { after = "mine", same = ["identity"], within = "1h", min = 3, burst = "5m" }'
    assert ruled(fact + mine(counting, step)).rules
    for which in ("after", "then"):
        plain = f'sequence = {{ {which} = "mine", same = ["identity"], within = "1h" }}'
        with pytest.raises(ValueError, match="not with sequence without after and min"):
            ruled(fact + mine(plain, step))


def test_a_key_that_is_enabled_again_closes_its_alarm_and_no_other() -> None:
    disabled, enabled = to_key("DisableKey"), to_key("EnableKey", at=after(60))
    deleted, cancelled = to_key("ScheduleKeyDeletion"), to_key("CancelKeyDeletion", at=after(30))
    other, again = to_key("EnableKey", OTHER_KEY, at=after(60)), to_key("DisableKey", at=after(90))
    for happened, still_open in (
        ([disabled, enabled], False),
        ([deleted, cancelled], True),  # the key is disabled still
        ([deleted, cancelled, enabled], False),
        ([disabled, other], True),
        ([disabled, enabled, again], True),
    ):
        assert [alarm.open for alarm in found(happened, "SMW-KMS-02")] == [still_open]
