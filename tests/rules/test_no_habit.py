"""Where nobody has watched for long nothing is known to be habitual, and an alarm that a habit could excuse says so."""

from __future__ import annotations

from smwatch.events.event import SeenBy
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.valued import NO_HABIT
from tests import records
from tests.rules.catalogue.reads import EXTERNAL_SECRETS, sweep
from tests.rules.catalogue.story import known_for, over
from tests.rules.judging import after, arrivals, before, catalogue, of, only

RULE = "SMW-READ-01"
SWEEP = sweep("prod", 24, EXTERNAL_SECRETS)
TITLE = "Many different secrets read by one session"


def titled(*happened: Record, rule: str = RULE) -> tuple[str, Severity]:
    alarm = only(rule, happened)
    return alarm.title, alarm.severity


def test_on_the_first_days_an_alarm_says_that_no_habit_is_known_and_is_as_bad_all_the_same() -> None:
    assert titled(*SWEEP) == (TITLE + NO_HABIT, Severity.CRITICAL)
    assert titled(known_for(days=1), *SWEEP) == (TITLE + NO_HABIT, Severity.CRITICAL)
    assert titled(known_for(days=3), *SWEEP) == (TITLE, Severity.CRITICAL)


def test_it_says_so_up_to_the_day_from_which_on_three_days_excuse() -> None:
    for days, excused in ((1, False), (2, False), (3, True)):
        first = before(days=days, hours=2)
        again = [one for each in SWEEP for one in over(days, each)]
        happened = [records.describe("other/thing", at=first), *again, *SWEEP]
        engine = Engine(catalogue())
        engine.judge(arrivals(happened))
        (alarm,) = of(RULE, engine.alarms)
        assert (alarm.last_at < after()) is excused
        assert alarm.title == TITLE + NO_HABIT  # of the last day that no habit excuses


def test_whoever_learns_later_that_there_was_somebody_watching_says_it_no_more() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals(SWEEP))
    engine.judge(arrivals([known_for(days=5)]))
    (alarm,) = of(RULE, engine.alarms)
    assert alarm.title == TITLE


def test_after_a_restart_it_is_said_once() -> None:
    engine, later = Engine(catalogue()), Engine(catalogue())
    engine.judge(arrivals(SWEEP))
    later.restore(engine.alarms.values(), known_since=after())
    later.judge(arrivals(sweep("more", 12, EXTERNAL_SECRETS, at=after(minutes=30))))
    (alarm,) = of(RULE, later.alarms)
    assert alarm.title == TITLE + NO_HABIT


def test_after_a_restart_that_knows_of_no_days_before_it_is_not_said_where_habits_were_known() -> None:
    engine, later = Engine(catalogue()), Engine(catalogue())
    engine.judge(arrivals([known_for(days=5), *SWEEP]))
    later.restore(engine.alarms.values(), known_since=after())
    later.judge(arrivals(sweep("more", 12, EXTERNAL_SECRETS, at=after(minutes=30))))
    (alarm,) = of(RULE, later.alarms)
    assert alarm.title == TITLE


def test_a_restart_that_knows_again_what_was_watched_says_it_of_what_comes_when_nobody_is_any_more() -> None:
    day = int(after().timestamp()) // 86_400
    spans = [((day - 20) * 86_400, (day + 1) * 86_400)]
    first, later = Engine(catalogue()), Engine(catalogue())
    happened = arrivals(SWEEP, SeenBy.CLOUDTRAIL)
    more = arrivals(sweep("more", 12, EXTERNAL_SECRETS, at=after(days=20)), SeenBy.CLOUDTRAIL)
    first.judge(happened)
    first.watched((records.ACCOUNT, records.REGION), spans)
    assert of(RULE, first.alarms)[0].title == TITLE
    later.restore(first.alarms.values(), known_since=first.known_since, watched_follows=True)
    later.judge(happened)
    later.watched((records.ACCOUNT, records.REGION), spans)
    for engine in (first, later):
        engine.judge(more)
        assert [alarm.title for alarm in of(RULE, engine.alarms)] == [TITLE + NO_HABIT]


def test_a_rule_that_knows_no_habits_says_nothing_of_them() -> None:
    alarm: Alarm = only("SMW-DEL-06", [records.delete(f"prod/{n}", at=after(n)) for n in range(4)])
    assert alarm.title == "Several secrets deleted by one principal"
