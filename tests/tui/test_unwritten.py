"""Pages with more on them than is written before it is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.tui.lines import Line
from smwatch.tui.pages import groups
from smwatch.tui.pages.groups import LISTED, Counting, Grouping, groups_page
from smwatch.tui.pages.targets import ToAccessKey, ToEvent, ToPrincipal, ToSecret, ToValue
from smwatch.tui.times import Zone
from smwatch.tui.unwritten import place_of
from tests import records
from tests.rules.judging import counting_calls
from tests.tui.scene import Stage, ago

EVE = records.user("eve")


def stage_of(secrets: int) -> Stage:
    """Every fifth secret is changed, every third refused, the others are read."""

    def reach(n: int) -> Record:
        made = records.put if n % 5 == 0 else records.denied if n % 3 == 0 else records.read
        return made(f"prod/{n:04}", by=EVE, eventTime=ago(3_000 - n), id=f"{n}")

    return Stage([reach(n) for n in range(secrets)])


def page(stage: Stage, width: int) -> Sequence[Line]:
    (identity,) = stage.store.principals
    return stage.app.desk.page_of(ToPrincipal(identity), ())(width)


@pytest.mark.parametrize("width", [40, 80])
def test_each_secret_of_a_principal_stands_where_what_is_above_it_leaves_off(width: int) -> None:
    lines = page(stage_of(12), width)
    told = list(lines)
    assert len(told) == len(lines)
    assert [line.target.secret.name for line in told if isinstance(line.target, ToSecret)] == [
        f"prod/{n:04}" for n in range(12)
    ]
    changed = [told[i - (1 if width >= 54 else 2)].target for i, line in enumerate(told) if "changed it" in line.text]
    assert [each.secret.name for each in changed if isinstance(each, ToSecret)] == [
        "prod/0000",
        "prod/0005",
        "prod/0010",
    ]
    assert (told[-2].text, told[-1].text.split()[0]) == ("REGIONS", records.REGION)


@pytest.mark.parametrize("width", [40, 80])
def test_each_target_on_the_page_of_a_principal_is_found_at_its_first_line(width: int) -> None:
    stage = stage_of(12)
    stage.bring(records.batch(["prod/0001", "prod/0005"], by=EVE, eventTime=ago(5)))
    lines = page(stage, width)
    targets = [line.target for line in lines]
    kinds = {type(target) for target in targets}
    assert kinds >= {ToSecret, ToEvent, ToAccessKey, ToValue}
    assert [place_of(lines, target) for target in targets if target] == [
        targets.index(target) for target in targets if target
    ]
    assert place_of(lines, ToSecret(Secret(records.ACCOUNT, records.REGION, "other"))) is None
    assert place_of(lines, ToEvent(1)) is None
    assert place_of(lines, ToValue("ip", "other")) is None


def test_pages_of_a_principal_are_equal_as_long_as_they_read_the_same() -> None:
    stage = stage_of(6)
    before = page(stage, 80)
    assert before == page(stage, 80)
    assert before != page(stage, 81)
    stage.app.desk.zone = Zone.RELATIVE
    assert before != page(stage, 80)
    stage.app.desk.zone = Zone.UTC
    stage.bring(records.read("prod/0001", by=EVE, eventTime=ago(2_990)))
    assert before != page(stage, 80)


def test_the_page_of_a_principal_writes_no_more_secrets_than_are_looked_at() -> None:
    few, many = stage_of(10), stage_of(1_000)
    for stage in (few, many):
        page(stage, 80)[:10]  # what is worked out once

    def calls(stage: Stage) -> int:
        return counting_calls(lambda: page(stage, 80)[:40])[1]

    assert (calls(many) - calls(few)) / 990 < 6  # to be put in order, and counted; to be written takes over 30


@pytest.mark.parametrize("others", [0, 3])
def test_of_many_groups_the_largest_are_listed_and_the_others_counted(
    monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.setattr(groups, "STEP", 100)
    names = [f"prod/{n % (LISTED + others):04}" for n in range(LISTED + others + 10)]
    rows = [records.event(records.read(name, eventTime=ago(900 - n))) for n, name in enumerate(names)]
    counting, steps = Counting(rows, Grouping.SECRET), 1
    while counting.step():
        steps += 1
    assert steps >= 10
    lines = groups_page(counting.groups, Grouping.SECRET, 80, counting.others)
    told = [line.text.split()[:2] for line in lines]
    assert told[1:12] == [*([f"prod/{n:04}", "2"] for n in range(10)), ["prod/0010", "1"]]
    assert told[LISTED] == [f"prod/{LISTED - 1:04}", "1"]
    assert told[LISTED + 1 :] == ([["and", "3"]] if others else [])
    assert place_of(lines, ToValue("secret", "prod/0010")) == 11
    assert place_of(lines, ToValue("ip", "prod/0010")) is None


def test_a_group_is_written_when_it_is_looked_at() -> None:
    rows = [records.event(records.read(f"prod/{n:04}", eventTime=ago(900 - n))) for n in range(LISTED)]
    counting = Counting(rows, Grouping.SECRET)
    assert not counting.step()
    _, calls = counting_calls(lambda: groups_page(counting.groups, Grouping.SECRET, 80)[:20])
    assert calls < 1_000
    _, calls = counting_calls(lambda: list(groups_page(counting.groups, Grouping.SECRET, 80)))
    assert calls > 5_000
