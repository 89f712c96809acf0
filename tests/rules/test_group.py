"""What is known of one value, told apart by others."""

from __future__ import annotations

import pytest

from smwatch.rules import group
from smwatch.rules.group import Group
from smwatch.rules.times import EVER, Times
from smwatch.rules.watching import Teller


def known(members: range) -> Group:
    """A group of such members, in the order in which they came."""
    made = Group()
    for member in members:
        times = Times()
        times.groups = (made,)
        made.put(str(member), times)
    return made


def test_of_too_many_that_are_brought_together_those_go_that_have_been_known_for_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group, "MEMBERS", 4)
    before, lately = known(range(4)), known(range(4, 6))
    lately.absorb(before)
    assert [*lately.members] == ["2", "3", "4", "5"]
    assert before.members is lately.members
    assert {times.groups for times in lately.members.values()} == {(lately,)}


class Hearing:
    """A watcher of all that becomes known."""

    high = EVER

    def __init__(self) -> None:
        self.heard: list[int] = []

    def watches(self, known: Teller) -> None:
        """It keeps nothing."""

    def heed(self, second: int) -> None:
        self.heard.append(second)

    def wake(self) -> None:
        """It hangs on nothing else."""


def test_who_watches_a_group_that_is_another_name_by_now_hears_of_what_becomes_known() -> None:
    first, second, third, watchers = Group(), Group(), Group(), [Hearing(), Hearing()]
    first.watch(watchers[0])
    second.absorb(first)
    third.absorb(second)
    first.watch(watchers[1])
    third.tell_watchers(7)
    assert [watcher.heard for watcher in watchers] == [[7], [7]]


def test_a_group_of_one_is_read_as_one_of_several_and_takes_no_dict() -> None:
    alone, several = known(range(1)), known(range(2))
    times = alone.members.get("0")
    assert times is not None
    assert not isinstance(alone.members, dict)
    assert (len(alone.members), [*alone.members]) == (1, ["0"])
    assert ([*alone.members.values()], [*alone.members.items()]) == ([times], [("0", times)])
    assert alone.members.get("1") is None
    several.forget("1")
    assert [*several.members] == [*alone.members]


def test_members_come_and_go() -> None:
    group = known(range(1))
    for member in ("1", "0"):
        group.forget(member)
    assert not group.members
    times = Times()
    times.groups = (group,)
    group.put("2", times)
    group.dismiss("2")
    assert [*group.members] == []
    for member in ("3", "4", "3"):
        group.put(member, times)
    assert [*group.members] == ["3", "4"]


def test_who_is_another_name_for_a_group_of_one_has_each_member_that_joins_it() -> None:
    first, second, third = known(range(1)), known(range(1, 2)), Group()
    third.rename(first)
    second.absorb(first)
    times = Times()
    second.put("2", times)
    assert [*second.members] == [*first.members] == ["0", "1", "2"]
    empty, other = Group(), Group()
    empty.rename(other)
    other.put("5", times)
    assert [*empty.members] == [*other.members] == ["5"]
