"""How late records usually are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smwatch.sources.lateness import PRIOR, SAMPLES, Lateness

MOMENT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(("share", "delay"), PRIOR[1:-1])
def test_what_was_measured_on_a_real_trail_is_taken_for_granted_at_first(share: float, delay: float) -> None:
    assert abs(Lateness().within(share).total_seconds() - delay) < 10
    assert abs(Lateness().beyond(seconds(delay)) - (1 - share)) < 0.01


def test_what_is_seen_takes_its_place() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES):
        lateness.add(seconds(20))
    assert lateness.within(0.999) == seconds(20)
    assert lateness.beyond(seconds(20)) == 0
    assert lateness.beyond(seconds(19)) == 1


def test_a_record_from_the_future_is_not_late() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES):
        lateness.add(seconds(-5))
    assert lateness.within(0.5) == seconds(0)


def test_what_lies_between_two_looks_is_told_by_what_is_known() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES // 4):  # three of four, where it was measured that every second record is that quick
        for _ in range(3):
            lateness.add_between(seconds(0), seconds(201))
        lateness.add_between(seconds(201), seconds(594))
    assert lateness.beyond(seconds(201)) == pytest.approx(0.25, abs=0.01)
    assert lateness.beyond(seconds(149)) == pytest.approx(0.25 + 0.75 / 2, abs=0.1)
    assert lateness.beyond(seconds(337)) == pytest.approx(0.25 / 2, abs=0.03)


def test_records_that_come_quickly_do_not_count_before_the_others_of_their_moment() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES):
        lateness.hold(MOMENT, seconds(0), seconds(1))
    assert lateness.release(MOMENT) == 0
    assert lateness.within(0.5) > seconds(100)
    assert lateness.release(MOMENT + seconds(1)) == SAMPLES
    assert lateness.within(0.5) <= seconds(1)


def test_of_many_records_those_of_some_seconds_count() -> None:
    lateness = Lateness()
    for second in range(1000):
        lateness.hold(MOMENT + seconds(second), seconds(0), seconds(1), wanted=0.2)
    assert 180 < lateness.release(MOMENT + seconds(1000), wanted=0.2) < 220


def test_what_can_be_seen_of_the_last_minutes_is_what_is_not_later() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES // 2):
        lateness.add(seconds(100))
        lateness.add(seconds(300))
    assert lateness.visible(seconds(100)) == seconds(0)
    assert lateness.visible(seconds(200)) == seconds(50)
    assert lateness.visible(seconds(400)) == seconds(200)


def test_one_look_before_the_last_comes_when_it_spares_the_most_waiting() -> None:
    lateness = Lateness()
    for _ in range(SAMPLES // 2):
        lateness.add(seconds(100))
        lateness.add(seconds(300))
    assert lateness.midway(seconds(400)) == seconds(100)  # half spared 300 s, rather than all 100
    assert lateness.midway(seconds(900)) == seconds(300)  # all spared 600 s, rather than half 800
    assert lateness.spared(seconds(300), seconds(900)) == 600
