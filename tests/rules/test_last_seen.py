"""When each of many values was seen last."""

from __future__ import annotations

from smwatch.rules.last_seen import LastSeen


def test_a_value_counts_by_its_last_sight_alone() -> None:
    known = LastSeen([("a", 1), ("b", 3), ("a", 5)])
    assert (known.since(1), known.since(4), known.since(6), known.newest) == (2, 1, 0, 5)
    assert (known.see("b", 7), known.see("c", 7)) == (3, -1)
    assert (known.since(5), known.since(6), known.newest) == (3, 2, 7)


def test_only_what_was_not_seen_since_is_forgotten() -> None:
    known = LastSeen([("a", 1), ("b", 3)])
    known.see("a", 4)
    known.forget([(0, 1, "a"), (0, 3, "b")])
    assert (known.since(0), known.newest) == (1, 4)
    assert LastSeen([]).newest == -1
