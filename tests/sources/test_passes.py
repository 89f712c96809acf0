"""How the latest minutes are read where there is too much to sweep them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from smwatch.sources.coverage import Span
from smwatch.sources.lateness import Lateness
from smwatch.sources.passes import EVERY, LEAD, MARGIN, Passes
from smwatch.sources.scan import Kind, Scan

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG_AGO = START - timedelta(hours=1)
LATENESS = Lateness()


def read(passes: Passes, at: datetime) -> list[tuple[Span, bool]]:
    """What is read at this time, and whether for the last time."""
    passes.plan(at, LONG_AGO, LATENESS)
    pieces = []
    while piece := passes.next():
        scan = Scan(Kind.PASS, piece.start, piece.end, asked_at=at, began=0, newest_first=True, resolution=SECOND)
        pieces.append((piece, passes.read(scan)))
    return pieces


def test_every_moment_is_read_twice_as_many_seconds_apart() -> None:
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    assert passes.apart is not None
    early: dict[Span, datetime] = {}
    late: dict[Span, datetime] = {}
    for n in range(1, 30):
        at = START + n * EVERY
        for piece, last in read(passes, at):
            (late if last else early)[piece] = at
    for pieces in (early, late):
        assert all(one.end == other.start for one, other in itertools.pairwise(pieces))
    twice = early.keys() & late.keys()
    assert len(twice) > 15
    assert {late[piece] - early[piece] for piece in twice} == {passes.apart}
    assert next(iter(early)).start == max(piece.end for piece in late.keys() - twice)  # all before, the sweep has read
    for piece, at in late.items():
        middle = at - piece.start - (piece.end - piece.start) / 2
        assert abs(middle + LEAD - MARGIN * LATENESS.habit) <= EVERY


def test_the_older_piece_comes_first() -> None:
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    (late, _), (early, _) = read(passes, START + EVERY)
    assert late.end < early.start


def test_what_could_not_be_read_is_part_of_what_is_read_next() -> None:
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    passes.plan(START + EVERY, LONG_AGO, LATENESS)
    first = passes.next()
    assert first is not None
    passes.dropped()
    assert passes.next() is None
    (late, _), _ = read(passes, START + 2 * EVERY)
    assert late.start == first.start
    assert late.end > first.end


def test_what_is_settled_is_left_out() -> None:
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    passes.plan(START + timedelta(hours=2), START + timedelta(hours=1), LATENESS)
    piece = passes.next()
    assert piece is not None
    assert piece.start == START + timedelta(hours=1)


def test_after_a_sweep_in_between_nothing_is_read_early_again() -> None:
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    for n in range(1, 4):
        read(passes, START + n * EVERY)
    passes.start(START + 4 * EVERY, LATENESS)
    early_to = passes.early_to
    (early, *_) = [piece for piece, last in read(passes, START + 5 * EVERY) if not last]
    assert early.start == early_to


def test_moments_that_there_are_no_calls_for_to_read_twice_are_read_late_alone() -> None:
    """Of three, one is read twice; the late readings lose nothing by that, and come when they would have come."""
    passes = Passes(SECOND)
    passes.start(START, LATENESS)
    early: list[Span] = []
    late: dict[Span, datetime] = {}
    for n in range(1, 40):
        at = START + n * EVERY
        passes.plan(at, LONG_AGO, LATENESS, 1 / 3)
        while piece := passes.next():
            scan = Scan(Kind.PASS, piece.start, piece.end, asked_at=at, began=0, newest_first=True, resolution=SECOND)
            if passes.read(scan):
                late[piece] = at
            else:
                early.append(piece)
    assert len(early) == 13
    assert all(one.end == other.start for one, other in itertools.pairwise(late))
    for piece, at in late.items():
        middle = at - piece.start - (piece.end - piece.start) / 2
        assert abs(middle + LEAD - MARGIN * LATENESS.habit) <= EVERY
