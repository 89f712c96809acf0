"""What an alarm has to do to be heard of again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from smwatch.rules.alarm import Alarm, Decision, Severity
from smwatch.rules.news import is_news, seen, told_of
from tests.rules.test_alarm import AT, alarm

NOW = AT + timedelta(minutes=5)
HOUR = timedelta(hours=1)


def changed(known: Alarm, **changes: object) -> Alarm:
    return msgspec.structs.replace(known, **changes)


def test_an_alarm_that_nobody_was_told_of_is_news() -> None:
    assert is_news(alarm(), None, NOW)


@pytest.mark.parametrize(
    ("later", "news"),
    [
        (alarm(), False),
        (alarm(count=15, last_at=AT + HOUR), False),
        (alarm(first_at=AT - HOUR), False),
        (alarm(severity=Severity.HIGH), False),
        (alarm(level=1), True),
        (alarm(first_at=AT + HOUR, last_at=AT + HOUR), True),
        (alarm(acknowledged=Decision(NOW - HOUR, 7)), False),
        (alarm(acknowledged=Decision(NOW + HOUR, 7)), True),
        (alarm(closed=Decision(NOW + HOUR, 7)), True),
    ],
    ids=[
        *("the same", "more of it", "earlier evidence", "less bad"),
        *("escalated", "opened anew", "decided upon before", "acknowledged meanwhile", "closed meanwhile"),
    ],
)
def test_what_makes_an_alarm_news_again(later: Alarm, news: bool) -> None:
    assert is_news(later, told_of(alarm(), NOW), NOW + 2 * HOUR) is news


def test_a_mute_makes_news_only_of_what_goes_on_after_it_was_set_and_only_when_it_has_ended() -> None:
    told = seen(told_of(alarm(), NOW), alarm(count=15, last_at=AT + HOUR), NOW + HOUR)
    muted = alarm(count=15, last_at=AT + HOUR, muted_until=NOW + 2 * HOUR)
    told = seen(told, muted, NOW + HOUR)
    assert not is_news(muted, told, NOW + 3 * HOUR), "whoever muted it knew"
    more = changed(muted, count=16)
    told = seen(told, more, NOW + HOUR)
    assert not is_news(more, told, NOW + HOUR), "it is muted still"
    assert is_news(more, told, NOW + 2 * HOUR)
    longer = changed(more, muted_until=NOW + 4 * HOUR)
    assert not is_news(longer, seen(told, longer, NOW + HOUR), NOW + 5 * HOUR), "whoever muted it for longer knew"


def test_what_comes_together_with_a_mute_was_not_seen_by_whoever_muted_it() -> None:
    more = alarm(count=15, muted_until=NOW + HOUR)
    assert is_news(more, seen(told_of(alarm(), NOW), more, NOW), NOW + HOUR)


def test_once_told_of_what_went_on_during_a_mute_there_is_no_news_of_it() -> None:
    over = alarm(muted_until=NOW)
    assert not is_news(changed(over, count=20), told_of(over, NOW), NOW + HOUR)
