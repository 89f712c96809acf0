"""Alarms as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, AlarmState, Decision, Severity, message, urgency

AT = datetime(2026, 8, 21, 14, 5, 58, tzinfo=UTC)


def alarm(**changes: object) -> Alarm:
    base = Alarm(
        group="SMW-DEL-01:0",
        rule="SMW-DEL-01",
        severity=Severity.CRITICAL,
        state=AlarmState.OPEN,
        title="Access to a secret marked for deletion",
        why="Something depends on it.",
        secret=Secret("111122223333", "eu-west-1", "prod/payments/db"),
        principal="ci-deployer",
        count=14,
        first_at=AT - timedelta(minutes=7),
        last_at=AT,
        changed_at=AT,
    )
    return msgspec.structs.replace(base, **changes)


def test_severities_are_ordered_by_how_bad_they_are() -> None:
    shuffled = [Severity.HIGH, Severity.INFO, Severity.CRITICAL, Severity.LOW, Severity.MEDIUM]
    assert [severity.value for severity in sorted(shuffled)] == ["info", "low", "medium", "high", "critical"]
    assert max(Severity) is Severity.CRITICAL
    assert Severity.HIGH > Severity.MEDIUM >= Severity.MEDIUM > "low"


def test_an_alarm_survives_its_way_through_json() -> None:
    kept = alarm(event_keys=(1 << 190, (1 << 190) + 1), closed=Decision(AT, upto=1 << 190, note="done"))
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Alarm) == kept


def test_open_and_worse_alarms_come_first() -> None:
    closed = alarm(group="closed", state=AlarmState.CLOSED)
    older = alarm(group="older", last_at=AT - timedelta(hours=1))
    medium = alarm(group="medium", severity=Severity.MEDIUM)
    newest = alarm(group="newest")
    ordered = sorted([closed, older, medium, newest], key=urgency)
    assert [each.group for each in ordered] == ["newest", "older", "medium", "closed"]


def test_the_note_is_that_of_the_latest_decision() -> None:
    acknowledged = Decision(AT, upto=1, note="looking")
    closed = Decision(AT + timedelta(hours=1), upto=2, note="restored")
    assert alarm().note == ""
    assert alarm(acknowledged=acknowledged).note == "looking"
    assert alarm(acknowledged=acknowledged, closed=closed).note == "restored"


def test_an_alarm_is_muted_up_to_a_moment() -> None:
    assert not alarm().muted(AT)
    assert alarm(muted_until=AT + timedelta(seconds=1)).muted(AT)
    assert not alarm(muted_until=AT).muted(AT)


def test_a_message_says_what_happened_to_which_secret() -> None:
    assert message(alarm()).splitlines() == [
        "CRITICAL Access to a secret marked for deletion",
        "secret prod/payments/db (111122223333 eu-west-1) by ci-deployer",
        "14 events, first 2026-08-21 13:58:58Z, last 2026-08-21 14:05:58Z",
        "SMW-DEL-01, open",
    ]


def test_an_alarm_of_several_secrets_names_the_newest_and_how_many_others() -> None:
    one, other = (Secret("111122223333", "eu-west-1", name) for name in ("prod/a", "prod/b"))
    assert alarm(secret=None).whereof == ""
    assert alarm(secret=None, secrets=(one,), count=1, counted="secrets").whereof == "prod/a"
    several = alarm(secret=None, secrets=(one, other), count=1_200, counted="secrets")
    assert several.whereof == "prod/b and 1,199 more"
    assert "secret prod/b and 1,199 more by ci-deployer" in message(several).splitlines()


@pytest.mark.parametrize("hostile", ["\x1b]9;hi\x07", "a\nb", "\u202egnp.exe", "\x9b31m", "x" * 5_000])
def test_a_message_carries_no_control_characters_whatever_a_name_holds(hostile: str) -> None:
    text = message(alarm(principal=hostile, secret=Secret(hostile, hostile, hostile)))
    assert len(text.splitlines()) == 4
    assert all(char.isprintable() for line in text.split("\n") for char in line)
    assert len(text) < 1_500


@pytest.mark.parametrize(
    ("count", "counted", "said"),
    [
        (1, "events", "1 event"),
        (14, "events", "14 events"),
        (1204, "secrets", "1,204 secrets"),
        (1, "access keys", "1 access key"),
        (1, "policies", "1 policy"),
        (2, "policies", "2 policies"),
    ],
)
def test_an_alarm_says_in_words_how_much_there_is(count: int, counted: str, said: str) -> None:
    assert msgspec.structs.replace(alarm(), count=count, counted=counted).amount == said
