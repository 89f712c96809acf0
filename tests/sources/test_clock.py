"""The service's time, from Date headers of whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smwatch.sources.clock import ServerClock

EPOCH = datetime(2026, 11, 23, tzinfo=UTC)


class Machine:
    """A machine whose clock is off, and a service whose is not."""

    def __init__(self, error: float) -> None:
        self.true = EPOCH
        self.error = timedelta(seconds=error)
        self.clock = ServerClock(lambda: self.true + self.error)

    def ask(self, there: float, back: float) -> bool:
        sent_at = self.true + self.error
        self.true += timedelta(seconds=there)
        date = self.true.replace(microsecond=0)
        self.true += timedelta(seconds=back)
        return self.clock.heard(date, sent_at, self.true + self.error)


@given(
    error=st.floats(-3600, 3600),
    latencies=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 40)), min_size=1, max_size=20),
)
def test_it_is_never_ahead_of_the_service_and_not_far_behind(
    error: float, latencies: list[tuple[float, float]]
) -> None:
    machine = Machine(error)
    for there, back in latencies:
        machine.ask(there, back)
        behind = machine.true - machine.clock.now()
        assert timedelta() <= behind <= timedelta(seconds=1 + min(back for _, back in latencies) + 40)
    best = min(back for _, back in latencies)
    assert machine.true - machine.clock.now() <= timedelta(seconds=1 + best + 0.001)


def test_a_clock_that_ran_ahead_is_told_at_the_first_answer() -> None:
    assert Machine(error=600).ask(0.1, 0.1)
    assert not Machine(error=-600).ask(0.1, 0.1)
    assert not Machine(error=5).ask(0.1, 0.1)


def test_a_clock_that_is_set_forward_is_noticed() -> None:
    machine = Machine(error=0)
    assert not machine.ask(0.1, 0.1)
    machine.error = timedelta(minutes=10)
    assert machine.clock.now() > machine.true + timedelta(minutes=9)
    assert machine.ask(0.1, 0.1)
    assert machine.clock.now() <= machine.true
    assert not machine.ask(0.1, 0.1)


def test_an_answer_alone_that_is_far_off_is_not_believed() -> None:
    machine = Machine(error=0.0)
    machine.ask(0.1, 0.1)
    true = machine.true
    for far in (timedelta(days=100), timedelta(days=-100), timedelta(days=50)):
        assert machine.clock.heard(true + far, true, true) == (far < timedelta())
        assert machine.clock.doubted is not None
        assert abs(machine.clock.now() - true) <= timedelta(seconds=1)
    machine.ask(0.1, 0.1)
    assert machine.clock.doubted is None


def test_a_clock_that_is_far_off_is_told_at_the_second_answer() -> None:
    machine = Machine(error=100 * 86400.0)
    assert machine.ask(0.1, 0.1)
    assert (machine.clock.offset, machine.clock.sure) == (None, False)
    assert machine.ask(0.1, 0.1)
    assert machine.clock.sure
    assert abs(machine.clock.now() - machine.true) <= timedelta(seconds=2)


def test_a_service_that_tells_no_time_is_taken_at_this_machines_unless_it_told_another() -> None:
    undated, told = Machine(error=0.0).clock, Machine(error=100 * 86400.0)
    undated.answered_undated()
    assert undated.sure
    told.ask(0.1, 0.1)
    told.clock.answered_undated()
    assert not told.clock.sure
