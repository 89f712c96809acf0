"""Who tries names, and who deletes what nobody knows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.events.secret import Secret
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


def test_who_is_refused_what_they_have_read_before_is_no_prober() -> None:
    names = [f"prod/{n}" for n in range(9)]
    refused = [records.denied(name, by=THIEF, at=after(n)) for n, name in enumerate(names)]
    read = [records.read(name, by=THIEF, at=before(hours=1, seconds=n)) for n, name in enumerate(names)]
    assert len(found(refused)) == 1
    assert found([*read[:5], *refused]) == []
    (alarm,) = found([*read[:4], *refused])
    assert alarm.secrets == tuple(Secret(records.ACCOUNT, records.REGION, name) for name in names[4:])
    others = [one | {"userIdentity": records.role("app", "a-1")} for one in read]
    assert len(found([*others, *refused])) == 1
    later = [records.read(name, by=THIEF, at=after(600 + n)) for n, name in enumerate(names)]
    assert len(found([*refused, *later])) == 1  # whoever made themselves a way in was probing all the same


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
