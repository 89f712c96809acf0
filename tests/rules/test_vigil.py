"""For how long each account and Region was watched: who waits for more is woken once, in whatever order it comes."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from smwatch.rules.period import HOUR
from smwatch.rules.times import EVER
from smwatch.rules.vigil import HOPES, PLACES, Span, Vigil, Want, joined
from smwatch.rules.warmup import MARGIN, Warmup
from smwatch.rules.watching import Teller

HERE, THERE = ("111122223333", "eu-west-1"), ("111122223333", "us-east-1")


class Waiting:
    """Counts how often it is woken."""

    high = 0

    def __init__(self) -> None:
        self.woken = 0

    def watches(self, _known: Teller) -> None:
        """It hangs on nothing else."""

    def heed(self, _second: int) -> None:
        raise AssertionError

    def wake(self) -> None:
        self.woken += 1


def enough(vigil: Vigil, low: int, high: int, seconds: int) -> bool:
    return vigil.enough(Want(HERE, low, high, seconds))


def test_nothing_is_known_of_a_place_that_nobody_watches() -> None:
    vigil = Vigil()
    vigil.read(THERE, [(0, 1_000)])
    assert not enough(vigil, 0, 1_000, 1)


def test_what_was_read_whole_counts_and_a_gap_does_not() -> None:
    vigil = Vigil()
    vigil.read(HERE, [(0, 300), (700, 1_000)])
    assert enough(vigil, 0, 1_000, 600)
    assert not enough(vigil, 0, 1_000, 601)
    assert not enough(vigil, 200, 800, 201)
    vigil.read(HERE, [(200, 800)])
    assert enough(vigil, 0, 1_000, 1_000)


def test_what_may_be_of_any_place_counts_from_the_first_event_of_this_one() -> None:
    vigil = Vigil()
    vigil.read(("", ""), [(0, 1_000)])
    assert not enough(vigil, 0, 1_000, 1)
    vigil.stretch(HERE, recorded=False).see(400)
    assert enough(vigil, 0, 1_000, 600)
    assert not enough(vigil, 0, 1_000, 601)


def test_a_source_of_an_account_that_is_not_known_counts_for_those_of_its_region() -> None:
    vigil = Vigil()
    vigil.stretch(HERE, recorded=False).see(100)
    vigil.stretch(THERE, recorded=False).see(100)
    vigil.read(("", HERE[1]), [(0, 1_000)])
    assert enough(vigil, 0, 1_000, 900)
    assert not vigil.enough(Want(THERE, 0, 1_000, 1))


def test_a_recording_counts_from_its_first_event_to_its_last() -> None:
    vigil = Vigil()
    for second in (500, 100, 800):
        vigil.stretch(HERE, recorded=True).see(second)
    assert enough(vigil, 0, 1_000, 700)
    assert not enough(vigil, 0, 1_000, 701)


def test_each_is_woken_once_as_history_comes_newest_first() -> None:
    vigil = Vigil()
    stretch = vigil.stretch(HERE, recorded=True)
    stretch.see(10_000)
    waiting = {second: Waiting() for second in range(0, 10_000, 100)}
    for second, one in waiting.items():
        for _ in range(3):
            vigil.hope(Want(HERE, 0, 10_000, 10_000 - second), one)
    for second in range(9_999, 4_999, -1):
        stretch.see(second)
    assert {second for second, one in waiting.items() if one.woken} == set(range(5_000, 10_000, 100))
    assert {one.woken for one in waiting.values()} == {0, 1}


def test_nobody_waits_for_what_is_known() -> None:
    vigil, one = Vigil(), Waiting()
    vigil.read(HERE, [(100, 500)])
    vigil.hope(Want(HERE, 0, 500, 400), one)
    vigil.read(HERE, [(0, 100)])
    assert one.woken == 0


def test_who_is_no_more_is_forgotten() -> None:
    vigil, one = Vigil(), Waiting()
    vigil.hope(Want(HERE, 0, 100, 100), one)
    for second in range(HOPES * 3):
        vigil.hope(Want(HERE, 0, second + 1, second + 1), Waiting())
    gc.collect()
    vigil.hope(Want(HERE, 0, 50, 50), one)
    assert len(vigil._scenes[HERE]._hoping) == 1
    assert len(vigil._scenes[HERE]._first) <= HOPES + 2
    vigil.read(HERE, [(0, 100)])
    assert one.woken == 2
    assert not vigil._scenes[HERE]._hoping


def test_one_that_hopes_for_ever_more_keeps_the_latest() -> None:
    vigil, one, other = Vigil(), Waiting(), Waiting()
    vigil.hope(Want(HERE, 0, 100, 100), other)
    for second in range(HOPES * 20):
        vigil.hope(Want(HERE, second, second + 100, 100), one)
    (hopes,) = (each for who, each in vigil._scenes[HERE]._hoping.items() if who() is one)
    assert len(hopes._heap) <= HOPES * 4
    vigil.read(HERE, [(HOPES * 20 - 1, HOPES * 20 + 99)])
    assert one.woken == 1
    vigil.read(HERE, [(0, 100)])
    assert one.woken == other.woken == 1


def test_places_made_up_push_out_none_that_are_watched() -> None:
    vigil = Vigil()
    vigil.read(HERE, [(0, 1_000)])
    for number in range(PLACES * 2):
        vigil.stretch((str(number), ""), recorded=False).see(number)
    assert enough(vigil, 0, 1_000, 1_000)


PERIODS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 40)), max_size=8).map(
    lambda found: [(start, start + length) for start, length in found]
)
WANTS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 60), st.integers(1, 60)).map(
        lambda each: Want(HERE, each[0], each[0] + each[1], min(each[1], each[2]))
    ),
    max_size=8,
)


@given(PERIODS, PERIODS, st.lists(st.integers(0, 120), max_size=8), st.lists(st.integers(0, 120), max_size=8), WANTS,
       st.integers())  # fmt: skip
def test_all_orders_end_alike_and_nobody_is_left_waiting(
    here: list[Span], anywhere: list[Span], live: list[int], recorded: list[int], wants: list[Want], seed: int
) -> None:
    vigil, rng = Vigil(), random.Random(seed)
    waiting = {want: Waiting() for want in wants}
    in_vain: set[Want] = set()

    def hope(want: Want) -> None:
        if vigil.enough(want):
            in_vain.add(want)
        vigil.hope(want, waiting[want])

    deeds: list[Callable[[], None]] = [partial(vigil.read, HERE, [period]) for period in here]
    deeds += [partial(vigil.read, rng.choice([("", ""), ("", HERE[1])]), [period]) for period in anywhere]
    deeds += [partial(vigil.stretch(HERE, recorded=False).see, at) for at in live]
    deeds += [partial(vigil.stretch(HERE, recorded=True).see, at) for at in recorded]
    deeds += [partial(hope, want) for want in waiting]
    rng.shuffle(deeds)
    for deed in deeds:
        deed()
    first = min([*live, *recorded], default=1 << 40)
    seconds = {second for start, end in here for second in range(start, end)}
    seconds |= {second for start, end in anywhere for second in range(max(start, first), end)}
    seconds |= set(range(min(recorded, default=0), max(recorded, default=0)))
    for want in wants:
        there = len(seconds & set(range(want.low, want.high))) >= want.seconds
        assert vigil.enough(want) is there
        assert waiting[want].woken == (there and want not in in_vain)


def test_periods_that_touch_are_one() -> None:
    assert joined([(5, 9), (1, 3), (3, 4), (8, 12), (20, 20)]) == ((1, 4), (5, 12))


def test_since_when_enough_was_watched_is_told_and_told_again_as_earlier_periods_are_read() -> None:
    vigil, told = Vigil(), list[tuple[int, int]]()
    warmup = Warmup(vigil, HERE, 10 * HOUR, lambda first, last: told.append((first, last)))
    vigil.read(HERE, [(100 * HOUR, 109 * HOUR)])
    assert warmup.since == EVER
    vigil.read(HERE, [(120 * HOUR, 130 * HOUR)])
    assert warmup.since == 121 * HOUR - MARGIN
    vigil.read(HERE, [(130 * HOUR, 200 * HOUR)])
    vigil.read(HERE, [(50 * HOUR, 58 * HOUR)])
    assert warmup.since == 102 * HOUR - MARGIN
    assert told == [(120 * HOUR, EVER), (101 * HOUR, 120 * HOUR)]


def test_a_warmup_is_never_later_than_what_was_watched_says() -> None:
    for seed in range(50):
        chance, vigil = random.Random(seed), Vigil()
        warmup = Warmup(vigil, HERE, 5 * HOUR, lambda _first, _last: None)
        for _ in range(30):
            start = chance.randrange(100 * HOUR)
            vigil.read(HERE, [(start, start + chance.randrange(1, 3 * HOUR))])
            found = vigil.reached(HERE, 5 * HOUR)
            assert warmup.since <= (EVER if found is None else found)
            assert found is None or vigil.enough(Want(HERE, 0, found, 5 * HOUR))
            assert found is None or not vigil.enough(Want(HERE, 0, found - 1, 5 * HOUR))
