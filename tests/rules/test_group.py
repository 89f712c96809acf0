"""What is known of one value, told apart by others."""

from __future__ import annotations

import pytest

from smwatch.rules import group
from smwatch.rules.group import Group
from smwatch.rules.times import Times


def known(members: range) -> Group:
    """A group of such members, in the order in which they came."""
    made = Group()
    for member in members:
        times = Times()
        times.groups = (made,)
        made.members[str(member)] = times
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
