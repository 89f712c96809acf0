"""Who tries names, and who deletes what nobody knows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from tests import records
from tests.rules.catalogue.story import known_for
from tests.rules.judging import after, before, judged, of

THIEF = records.role("ci-deployer", "build-7")


def guesses(count: int) -> list[Record]:
    return [records.read_missing(f"guess/{n}", by=THIEF, at=after(n * 20)) for n in range(count)]


def found(happened: list[Record], rule: str = "SMW-DISC-01") -> list[Alarm]:
    """The rule's alarms, the same in both directions."""
    alarms = [of(rule, judged(order, batch=1)) for order in (happened, happened[::-1])]
    assert alarms[0] == alarms[1]
    return alarms[0]


def test_names_that_never_were_count_as_probes() -> None:
    (alarm,) = found(guesses(5))
    assert (alarm.severity, alarm.count) == (Severity.HIGH, 5)
    assert found(guesses(4)) == []


def test_guesses_and_denials_count_together() -> None:
    (alarm,) = found([*guesses(3), *(records.denied(f"prod/{n}", by=THIEF, at=after(n)) for n in range(2))])
    assert alarm.count == 5


def test_a_name_that_was_is_no_guess() -> None:
    assert found([*guesses(5), records.describe("guess/3", at=before(days=2))]) == []


def test_some_reads_beside_guesses_are_no_theft_but_beside_denials_they_are() -> None:
    read = records.read("prod/open", by=THIEF, at=after(minutes=3))
    (alarm,) = found([*guesses(5), read])
    assert alarm.severity is Severity.HIGH
    (alarm,) = found([*guesses(5), read, records.denied("prod/a", by=THIEF, at=after(90))])
    assert alarm.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ([known_for(days=5)], "Secret that smwatch knows nothing of force-deleted"),
        ([known_for(days=5), records.describe(at=before(days=2))], "Secret force-deleted without recovery window"),
        ([known_for(days=5), records.read(at=before(days=2))], "Secret force-deleted without recovery window"),
        ([known_for(days=2)], "Secret force-deleted without recovery window"),
        ([records.delete(days=7, at=before(days=2))], "Recovery window cut short: secret force-deleted"),
    ],
)
def test_a_forced_deletion_says_what_was_known_of_the_secret(earlier: list[Record], said: str) -> None:
    (alarm,) = found([*earlier, records.delete(force=True)], "SMW-DEL-04")
    assert (alarm.title, alarm.severity) == (said, Severity.CRITICAL)


def test_a_scheduled_deletion_tells_how_long_it_can_be_undone() -> None:
    (alarm,) = found([records.delete(days=7)], "SMW-DEL-05")
    ends = records.AT + timedelta(days=7)
    assert any(f"its recovery window ends {ends:%Y-%m-%d}" in fact for fact in alarm.facts)
