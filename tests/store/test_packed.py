"""Packed keys and values are known as a dict knows them."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.store import packed
from smwatch.store.packed import BYTES, Packed

KEYS = st.one_of(st.integers(0, 12), st.integers(0, (1 << 8 * BYTES) - 1))
STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(KEYS, max_size=8)),
    st.tuples(st.just("drop"), st.integers(0, 6)),
    st.tuples(st.just("sort"), st.none()),
)


@pytest.mark.parametrize(("capacity", "worn"), [(100, packed.WORN), (1, packed.WORN), (4, 3)])
@given(steps=st.lists(STEPS, max_size=12))
def test_it_knows_what_a_dict_knows(steps: list[tuple[str, list[int] | int | None]], capacity: int, worn: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "WORN", worn)
        ours, theirs = Packed[str](capacity), dict[int, str]()
        for number, (step, given) in enumerate(steps):
            match given:
                case list():
                    for key in given:
                        assert ours.add(key, f"{number}") == theirs.get(key)
                        theirs.setdefault(key, f"{number}")
                    for key in given[:1]:
                        ours.replace(key, step)
                        theirs[key] = step
                case int():
                    count = min(given, len(theirs))
                    gone = list(islice(theirs, count))
                    assert ours.drop(count) == gone
                    for key in gone:
                        del theirs[key]
                case None:
                    ours.sort()
                    theirs = dict(sorted(theirs.items()))
            assert len(ours) == len(theirs)
            assert ours.first == next(iter(theirs), 0)
            for key in {*range(13), *theirs}:
                assert ours.get(key) == theirs.get(key)
                assert (key in ours) == (key in theirs)


@pytest.mark.parametrize("key", [-1, 1 << 8 * BYTES, 1 << 400])
def test_what_is_no_events_key_is_not_known(key: int) -> None:
    packed = Packed[str](4)
    packed.add(0, "the first")
    assert key not in packed
    assert packed.get(key) is None
