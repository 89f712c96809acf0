"""How late records usually are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.sources.lateness import PRIOR, SAMPLES, Lateness


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
