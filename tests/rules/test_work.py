"""How much is looked at to bring an alarm of many values up to date: what stands is not looked at again."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules import fact, standing, telling, timers
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.rules.alarm_group import group_of
from smwatch.rules.answer import Waker
from smwatch.rules.bygone import Bygone
from smwatch.rules.closeness import Close, Slots
from smwatch.rules.command import for_secrets
from smwatch.rules.dimension import UNNAMED, Dimension, Renames, Value, renamed
from smwatch.rules.engine import Engine
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import Evidence, Shed, Total, total_of
from smwatch.rules.finder import Finder
from smwatch.rules.found import Found
from smwatch.rules.group import Group, Member
from smwatch.rules.lately import Lately
from smwatch.rules.mark import Mark
from smwatch.rules.measure import Asker, Measure, Sight, sight
from smwatch.rules.period import DAY
from smwatch.rules.question import Lookout
from smwatch.rules.sighter import SLOTS
from smwatch.rules.sighting import SightingCase
from smwatch.rules.slots import More
from smwatch.rules.spread import AT_ONCE, SpreadCase
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import LISTED, Listing, Told, tell
from smwatch.rules.times import Times
from smwatch.rules.watching import Watcher
from tests import records
from tests.rules.judging import after, arrivals, before, catalogue, counting_calls, judged, mine, of, ruled

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MANY = 60
"""Secrets of which one session reads one each second, round and round."""


class Asked:
    """Counts the questions that are asked about single values."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: list[Secret] = []
        holds = Asker.holds

        def counted(
            asker: Asker,
            only: Iterable[Lookout],
            unless: Iterable[Lookout],
            shared: Mapping[Dimension, Value],
            second: int,
        ) -> bool:
            assert isinstance(asker.value, Secret)
            self.values.append(asker.value)
            return holds(asker, only, unless, shared, second)

        monkeypatch.setattr(Asker, "holds", counted)


class Looked:
    """Counts the sights that a rule looks at, and the values of which it finds evidence."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Sight] = []
        self.found: list[Value] = []
        counting = Measure.counting

        def counted(measure: Measure, sights: Sequence[Sight], case: SpreadCase) -> Sequence[Sight]:
            self.asked.extend(sights)
            return counting(measure, sights, case)

        def piece(at: int, key: int, rank: int, step: int, title: str, value: Value) -> Evidence:
            self.found.append(value)
            return Evidence(at, key, rank, step, title, value)

        monkeypatch.setattr(Measure, "counting", counted)
        monkeypatch.setattr("smwatch.rules.finder.Evidence", piece)


def thief(seconds: int, engine: Engine) -> None:
    """Have the engine judge what a session reads in so many seconds."""
    by = records.role("ci-deployer", "build-7")
    engine.judge(arrivals(records.read(f"prod/{n % MANY}", by=by, at=after(n)) for n in range(seconds)))


def test_what_one_session_does_is_asked_once_about_each_secret_however_often_it_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, asked = Engine(catalogue()), Asked(monkeypatch)
    thief(30 * MANY, engine)
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY
    assert len(asked.values) == len(set(asked.values)) == MANY


def test_where_a_secret_turns_out_to_be_another_nothing_is_asked_anew_about_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, asked = Engine(catalogue()), Asked(monkeypatch)
    thief(30 * MANY, engine)
    asked.values.clear()
    wrong, right = (Secret(records.ACCOUNT, records.REGION, name) for name in ("prod/7", "prod/8"))
    engine.fold([(wrong, right)])
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY - 1
    assert asked.values == [right]


def settle(engine: Engine) -> set[str]:
    """Have all that is left worked out, step by step; the groups of the alarms that changed."""
    changed = set[str]()
    while engine.unsettled:
        changed |= {alarm.group for alarm in engine.settle()}
    return changed


def test_of_who_has_not_written_a_secret_its_rotations_are_not_watched_until_that_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, engine, watched = Engine(catalogue()), Engine(catalogue()), 0

    def counted(watcher: Watcher) -> Waker:
        nonlocal watched
        watched += 1
        return Waker(watcher)

    monkeypatch.setattr("smwatch.rules.question.Waker", counted)
    thief(30 * MANY, engine)
    by = records.role("ci-deployer", "build-7")
    started, ended = (
        [records.service_event(name, f"prod/{n}", at=after(at)) for n in range(MANY)]
        for name, at in (("RotationStarted", -60), ("RotationSucceeded", 60))
    )
    written = [records.put(f"prod/{n}", by=by, at=after(n)) for n in range(MANY - 30)]
    pages = started, written, ended, [records.service_event("RotationSucceeded", "prod/3", at=after(2))]
    for page in pages:
        assert bool(watched) is (page in pages[2:])
        engine.judge(arrivals(page))
    whole.judge(arrivals(record for page in pages for record in page))
    thief(30 * MANY, whole)
    # One's rotation had ended, as has become known, before it was written; others have ended since.
    assert [alarm.count for alarm in of("SMW-READ-01", engine.alarms)] == [31]
    assert [alarm.count for alarm in of("SMW-READ-01", whole.alarms)] == [31]


class LookedAt:
    """Counts the sights that are looked through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sights = 0
        find = Close.find

        def counted(
            close: Close, slot: int, slots: Slots, more: More | None = None, lately: Lately | None = None
        ) -> list[int]:
            self.sights += len(slots[slot])
            return find(close, slot, slots, more, lately)

        monkeypatch.setattr(Close, "find", counted)

    def taken(self) -> int:
        """How many since it was asked last."""
        sights, self.sights = self.sights, 0
        return sights


def test_one_more_read_has_none_of_the_slots_before_it_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(catalogue())
    thief(30 * MANY, engine)
    looked_at = LookedAt(monkeypatch)
    engine.judge(arrivals([records.read("prod/7", by=records.role("ci-deployer", "build-7"), at=after(30 * MANY))]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.last_at == after(30 * MANY)
    # Once for each of what makes it an alarm, or worse; SMW-READ-01b has nothing to judge before its warm-up.
    assert looked_at.sights == 1 + 1 + 1


def test_the_first_read_of_a_slot_has_only_that_before_it_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, by = Engine(catalogue()), records.role("ci-deployer", "build-7")
    engine.judge(arrivals(records.read(f"prod/{n % MANY}", by=by, at=after(minutes=n)) for n in range(3 * MANY)))
    looked = Looked(monkeypatch)
    engine.judge(arrivals([records.read("prod/7", by=by, at=after(minutes=3 * MANY))]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert (alarm.count, alarm.last_at) == (MANY, after(minutes=3 * MANY))
    assert len(looked.found) <= 1 + 5  # of a dozen slots into which its hour reaches


def test_one_more_read_where_enough_was_read_long_since_has_no_period_of_its_slot_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, many = Engine(ruled(mine('distinct = { of = "secret", min = 10, within = "1h" }'))), records.role(), 500
    engine.judge(arrivals(records.read(f"prod/{n}", by=by, at=after(n)) for n in range(many)))
    found, lines = Close.find, 0

    def traced(_frame: FrameType, event: str, _arg: object) -> TraceFunction:
        nonlocal lines
        lines += event == "line"
        return traced

    def counted(
        close: Close, slot: int, slots: Slots, more: More | None = None, lately: Lately | None = None
    ) -> list[int]:
        before = sys.gettrace()
        sys.settrace(traced)
        try:
            return found(close, slot, slots, more, lately)
        finally:
            sys.settrace(before)

    monkeypatch.setattr(Close, "find", counted)
    engine.judge(arrivals([records.read("prod/new", by=by, at=after(many))]))
    (alarm,) = engine.alarms.values()
    assert alarm.count == many + 1
    assert 0 < lines < many / 2


def test_one_more_read_has_those_of_the_hour_before_counted_without_going_through_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, seconds, looked_at = Engine(catalogue()), records.role("ci-deployer", "build-7"), 80 * MANY, 0
    thief(seconds, engine)
    more = arrivals(records.read("prod/7", by=by, at=after(seconds + n)) for n in range(2))
    engine.judge(more[:1])

    def value(sight: Sight) -> Value:
        nonlocal looked_at
        looked_at += 1
        return sight.value

    for module in ("closeness", "lately"):
        monkeypatch.setattr(f"smwatch.rules.{module}._value", value, raising=False)
    engine.judge(more[1:])
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.last_at == after(seconds + 1)
    assert looked_at < MANY  # hundreds lie within the hour


def test_new_slots_have_those_of_the_hour_before_counted_without_going_through_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, looked_at = Engine(catalogue()), records.role("ci-deployer", "build-7"), 0
    reads = arrivals(records.read(f"prod/{n % MANY}", by=by, at=after(20 * n)) for n in range(450))
    for start in range(0, 360, 30):
        engine.judge(reads[start : start + 30])  # two slots

    def value(sight: Sight) -> Value:
        nonlocal looked_at
        looked_at += 1
        return sight.value

    for module in ("closeness", "lately"):
        monkeypatch.setattr(f"smwatch.rules.{module}._value", value)
    monkeypatch.setattr("smwatch.rules.closeness.Counter", lambda _values: pytest.fail("an hour is gone through"))
    for start in range(360, 450, 30):
        engine.judge(reads[start : start + 30])
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.last_at == after(20 * 449)
    assert looked_at < 450


def test_a_slot_that_is_evidence_to_its_end_is_not_judged_again_as_others_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, judged = Engine(catalogue()), records.role("ci-deployer", "build-7"), list[int]()
    reads = arrivals(records.read(f"prod/{n % MANY}", by=by, at=after(10 * n)) for n in range(240))
    engine.judge(reads[:180])
    judge = Finder._judge

    def noted(self: Finder, slot: int, *rest: Any) -> None:
        judged.append(slot)
        judge(self, slot, *rest)

    monkeypatch.setattr(Finder, "_judge", noted)
    engine.judge(reads[180:])
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.last_at == after(10 * 239)
    assert len(judged) == len({*judged}) == 60 * 10 // 300


@given(
    gaps=st.lists(st.tuples(st.sampled_from((0, 0, 1, 3, 9)), st.integers(0, 5)), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 7), min_size=1),
)
def test_as_many_values_were_seen_lately_as_a_look_through_all_sights_finds(
    gaps: list[tuple[int, int]], sizes: list[int]
) -> None:
    second, sights, lately = 1_000, list[Sight](), Lately((4, 20))
    for n, (gap, value) in enumerate(gaps):
        second += gap
        sights.append(Sight(second, (second << SECOND_BITS) + n, str(value)))
    known, asks = list[Sight](), False
    while len(known) < len(sights):
        size = sizes[len(known) % len(sizes)]
        asks = not asks or size > 2
        new = sights[len(known) : len(known) + size]
        slots = {slot: [*some] for slot, some in groupby(new, lambda one: one.second // 4)}
        lately.go_on(slots, [[*known]])
        known += new
        for within in (4, 20) if asks else ():
            assert lately.counts(within, 0) is None
            counts = [each for slot in slots for each in lately.counts(within, slot) or ()]
            assert [at for at, _ in counts] == [*dict.fromkeys(one.second for one in new)]
            for at, count in counts:
                assert count == len({one.value for one in known if at - within <= one.second <= at})


def test_one_more_read_has_the_evidence_of_its_own_slot_alone_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, summed_up = Engine(catalogue()), list[int]()
    thief(30 * MANY + 1, engine)  # the last one begins a slot

    def counted(evidence: Sequence[Evidence]) -> Total:
        summed_up.append(len(evidence))
        return total_of(evidence)

    monkeypatch.setattr("smwatch.rules.part.total_of", counted)
    engine.judge(arrivals([records.read("prod/7", by=records.role("ci-deployer", "build-7"), at=after(30 * MANY + 1))]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert (alarm.count, alarm.last_at) == (MANY, after(30 * MANY + 1))
    assert summed_up == [1]


def test_one_more_read_is_told_of_its_secret_alone() -> None:
    engine, by = Engine(catalogue()), records.role("ci-deployer", "build-7")
    thief(30 * MANY, engine)
    (alarm,) = of("SMW-READ-01", engine.alarms)
    engine.judge(arrivals([records.read("prod/7", by=by, at=after(30 * MANY))]))
    (later,) = of("SMW-READ-01", engine.alarms)
    assert [fact for fact in later.facts if fact not in alarm.facts] == [
        "prod/7 in eu-west-1: first 2026-11-23 14:00:07Z, last 2026-11-23 14:30:00Z"
    ]


SLOTTED = 15 * 70
"""Reads in seventy slots."""


def long_session(many: int) -> Engine:
    """A session has read so many secrets round and round, for so long that its first slots are kept no longer."""
    engine, by = Engine(catalogue()), records.role("ci-deployer", "build-7")
    engine.judge(arrivals(records.read(f"prod/{n % many}", by=by, at=after(20 * n)) for n in range(SLOTTED)))
    return engine


def test_one_more_read_has_none_of_the_values_of_what_is_kept_no_longer_placed_among_all_again() -> None:
    called = list[int]()
    for many in (MANY, 3 * MANY):
        engine, by = long_session(many), records.role("ci-deployer", "build-7")
        (alarm,) = of("SMW-READ-01", engine.alarms)
        more = arrivals([records.read(f"prod/{many - 1}", by=by, at=after(20 * SLOTTED))])
        _, calls = counting_calls(partial(engine.judge, more))
        called.append(calls)
        (later,) = of("SMW-READ-01", engine.alarms)
        assert (later.count, later.first_at, later.last_at) == (many, after(0), after(20 * SLOTTED))
        assert later.secrets == alarm.secrets
        assert [line for line in later.facts if line not in alarm.facts] == [later.facts[-1]]
    assert called[1] < called[0] + MANY


def test_the_evidence_of_a_slot_that_is_kept_no_longer_is_counted_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def counted(*known: Any) -> Shed:
        nonlocal made
        made += 1
        return Shed(*known)

    monkeypatch.setattr("smwatch.rules.bygone.Shed", counted)
    engine = long_session(MANY)
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert (alarm.count, alarm.first_at) == (MANY, after(0))
    assert 70 - SLOTS - AT_ONCE <= made <= 70 - SLOTS


class _GoneThrough(list[Evidence]):
    """Evidence that notes when it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Evidence]:
        type(self).times += 1
        return super().__iter__()


def test_evidence_in_the_newest_slot_changes_without_that_of_others_being_gone_through() -> None:
    found, width = Found(), 10
    for second in (1, 11, 21):
        found.put(second // width, [Evidence(second, second << SECOND_BITS, 2, 0, "", "a")])
    assert len(found.episode) == 3
    for part in found.by_slot.values():
        part.evidence = _GoneThrough(part.evidence)
    for second in (22, 23):
        found.change(2, (), [Evidence(second, second << SECOND_BITS, 2, 0, "", f"{second}")])
        assert [one.at for one in found.episode] == [1, 11, 21, *range(22, second + 1)]
    assert _GoneThrough.times == 2  # its own, each time


class _LookedUp(dict[Value, int]):
    """Keys by value that note when values are looked up, or gone through."""

    times = 0

    def __contains__(self, value: object) -> bool:
        type(self).times += 1
        return super().__contains__(value)

    def __iter__(self) -> Iterator[Value]:
        type(self).times += 1
        return super().__iter__()

    def keys(self) -> Any:  # by which another dict is brought up to date with all of them
        type(self).times += 1
        return super().keys()


def test_a_value_that_is_evidence_once_more_has_no_value_of_other_slots_placed_again() -> None:
    found, width = Found(), 10
    for second in range(1, 1_000, width):
        found.put(second // width, [Evidence(second, second << SECOND_BITS, 2, 0, "", f"{second % 97}")])
    before = found.seen(100, {})
    for part in found.by_slot.values():
        part.firsts, part.lasts = _LookedUp(part.firsts), _LookedUp(part.lasts)
    found.put(100, [Evidence(1_001, 1_001 << SECOND_BITS, 2, 0, "", "7")])
    (changed,) = {*found.seen(100, {})} - {*before}
    assert changed[1:] == (1_001, "7")
    assert _LookedUp.times == 0


def evidence_of_slot(slot: int, sights: Iterable[tuple[int, int, int]]) -> list[Evidence]:
    """Of each value the first and the last of these: its number, the second in a slot of ten, and how bad it is."""
    keys: dict[Secret, dict[int, int]] = {}
    for number, second, rank in sights:
        keys.setdefault(Secret("", "", f"v{number}"), {})[(10 * slot + second << SECOND_BITS) + number] = rank
    ends = {value: {min(ranks), max(ranks)} for value, ranks in keys.items()}
    every = [(key, value) for value, both in ends.items() for key in both]
    return [Evidence(key >> SECOND_BITS, key, keys[value][key], 0, "", value) for key, value in sorted(every)]


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 2)), max_size=8),
        ),
        max_size=12,
    ),
    asked=st.integers(1, 3),
    several=st.sampled_from((0, 2, 32)),
    drops=st.sets(st.integers(0, 11)),
)
def test_what_was_found_amounts_to_the_same_brought_up_to_date_and_brought_together(
    steps: list[tuple[int, list[tuple[int, int, int]]]], asked: int, several: int, drops: set[int]
) -> None:
    found, known = Found(), dict[int, list[Evidence]]()
    bygone, dropped = Bygone(), list[Evidence]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smwatch.rules.found.SEVERAL", several)
        patch.setattr("smwatch.rules.part.FEW", several)
        for n, (slot, sights) in enumerate(steps):
            evidence = evidence_of_slot(slot, sights)
            before, known[slot] = known.get(slot, []), evidence
            if n % 2 and before and evidence:
                keys, was = {(one.key, one.value) for one in evidence}, {(one.key, one.value) for one in before}
                kept = {(one.key, one.value): one for one in before}
                known[slot] = evidence = [kept.get((one.key, one.value), one) for one in evidence]
                gone = [
                    Sight(one.at, one.key, one.value or UNNAMED) for one in before if (one.key, one.value) not in keys
                ]
                found.change(slot, gone, [one for one in evidence if (one.key, one.value) not in was])
            else:
                found.put(slot, evidence)
            if n in drops and found.by_slot:
                oldest = next(iter(found.by_slot))
                dropped += known.pop(oldest)
                bygone.drop(found.by_slot[oldest])
                found.drop(oldest)
            if n % asked == 0:
                whole = Found()
                for number in sorted(known):
                    whole.put(number, known[number])
                assert found.episode == whole.episode
                assert (found.total, found.keys) == (whole.total, whole.keys)
                assert found.total == total_of(found.episode)
                every, seconds = [*dropped, *whole.episode], dict[Value, list[int]]()
                for one in every:
                    seconds.setdefault(one.value or UNNAMED, []).append(one.at)
                times = sorted((min(ats), max(ats), value) for value, ats in seconds.items())
                assert found.secrets(bygone.values) == tuple(seconds)
                assert found.count(bygone.values) == len(seconds)
                for most in (1, 3, 100):
                    assert found.seen(most, bygone.values) == times[-most:]


def test_one_more_secret_of_thousands_has_none_of_those_before_it_gone_through() -> None:
    asked = 0

    class Gone(dict[Value, tuple[int, int]]):
        def __contains__(self, value: object) -> bool:
            nonlocal asked
            asked += 1
            return super().__contains__(value)

    secrets = [Secret("111122223333", "eu-west-1", f"prod/{n}") for n in range(3_001)]
    evidence = [Evidence(n, n << SECOND_BITS, 1, 0, "", secret) for n, secret in enumerate(secrets)]
    found, gone = Found(), Gone()
    found.put(0, evidence[:-1])
    assert found.secrets(gone) == tuple(secrets[:-1])
    assert asked >= 3_000
    asked = 0
    found.put(1, evidence[-1:])
    assert found.secrets(gone) == tuple(secrets)
    assert asked < 10


def test_events_that_have_many_values_each_are_named_once_and_as_many_as_others() -> None:
    each = [(n // 3 if n < 900 else 300) for n in range(1_100)]  # 300 events of three values, and one of 200
    found = Found.of([Evidence(at, at << SECOND_BITS, 1, 0, "", f"value-{n:04}") for n, at in enumerate(each)])
    assert found.keys == [at << SECOND_BITS for at in range(201, 301)]


def test_one_more_read_has_no_other_value_of_its_slot_made_ready_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, made = Engine(catalogue()), list[Value]()
    thief(30 * MANY + 1, engine)

    def counted(seen: tuple[int, int, Value]) -> Sight:
        made.append(seen[2])
        return sight(seen)

    monkeypatch.setattr("smwatch.rules.slots.sight", counted)
    engine.judge(arrivals([records.read("prod/7", by=records.role("ci-deployer", "build-7"), at=after(30 * MANY + 1))]))
    assert {value.name for value in made if isinstance(value, Secret)} == {"prod/7"}


def test_where_the_newest_read_is_in_another_region_no_secret_of_the_commands_is_quoted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, quoted = Engine(catalogue()), records.role("ci-deployer", "build-7"), list[Secret]()
    regions = ("eu-west-1", "us-east-1")
    reads = [records.read(f"prod/{n % MANY}", by=by, region=regions[n % 2], at=after(n)) for n in range(30 * MANY)]
    engine.judge(arrivals(reads[:-2]))

    def noted(secrets: Sequence[Secret]) -> list[dict[str, str]]:
        quoted.extend(secrets)
        return for_secrets(secrets)

    monkeypatch.setattr("smwatch.rules.newest.for_secrets", noted)
    for read in reads[-2:]:
        engine.judge(arrivals([read]))
        (alarm,) = of("SMW-READ-01", engine.alarms)
        assert f"--region {read['awsRegion']} " in alarm.next[0]
        assert sum("rotate-secret" in command for command in alarm.next) == len(regions)
    assert not quoted


def test_of_thousands_of_values_only_those_that_are_told_are_named() -> None:
    named = 0

    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            nonlocal named
            named += 1
            return super().__str__()

    found = Found.of([Evidence(n, n << SECOND_BITS, 1, 0, "", Name(f"value-{n}")) for n in range(3_000)])
    told = Listing().of(found.seen(LISTED, {}), 3_000)
    assert told[0] == "2,900 more, earlier than these"
    assert [line.partition(":")[0] for line in told[1:]] == [f"value-{n}" for n in range(2_900, 3_000)]
    assert named <= 2 * LISTED


def test_of_values_that_are_told_on_none_is_named_again_as_one_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    named, found, listing = list[Value](), Found(), Listing()

    def noted(value: Value, first: int, last: int) -> str:
        named.append(value)
        return f"{value}: {first} to {last}"

    monkeypatch.setattr("smwatch.rules.telling._seen", noted)
    everything = [Evidence(n, n << SECOND_BITS, 1, 0, "", f"value-{n:04}") for n in range(2 * LISTED)]
    for number in range(2 * LISTED):
        found.put(0, everything[: number + 1])
        told = listing.of(found.seen(LISTED, {}), number + 1)
    assert told == (f"{LISTED} more, earlier than these", *(f"value-{n:04}: {n} to {n}" for n in range(LISTED, 200)))
    assert named == [one.value for one in everything]


def test_of_a_deletion_nothing_is_told_anew_but_what_became_known_from_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, times = Engine(catalogue()), 0

    def counted(rule: Rule, *about: Any) -> Told:
        nonlocal times
        times += rule.id == "SMW-DEL-05"
        return tell(rule, *about)

    monkeypatch.setattr("smwatch.rules.tidings.tell", counted)
    alice, bob, carol = (records.role(name, "run") for name in ("alice", "bob", "carol"))
    deleted = [records.delete(at=after(seconds)) for seconds in (0, 60)]
    engine.judge(arrivals([records.read(by=alice, at=before(hours=1)), *deleted]))
    assert times == 1
    engine.judge(arrivals(records.read(by=bob, at=after(n)) for n in range(1, 30)))
    assert times == 1
    engine.judge(arrivals([records.read(by=carol, at=before(hours=2))]))
    (alarm,) = of("SMW-DEL-05", engine.alarms)
    assert alarm.facts[0] == "read in the 7 days before by alice, carol"
    assert times == 2


def test_one_more_failure_of_somebody_who_has_never_read_has_hardly_anything_asked_of_those_before() -> None:
    def calls(failed: int) -> int:
        """What one more takes, after so many."""
        engine = Engine(catalogue())
        told = [records.denied("prod/db", at=after(minutes=n), id=f"{n}") for n in range(failed + 1)]
        coming = arrivals(told)
        engine.judge(coming[:failed])
        return counting_calls(lambda: engine.judge(coming[failed:]))[1]

    few, many = 20, 90
    assert calls(many) - calls(few) <= 2 * (many - few)


def test_a_change_that_alarms_would_tell_of_costs_the_same_however_many_fail_without_one() -> None:
    def calls(failing: int) -> int:
        """What a change of the secret takes that so many have failed to read."""
        engine = Engine(catalogue())
        roles = [records.role(f"app-{n}", "run") for n in range(failing)]
        engine.judge(arrivals(records.denied("prod/db", by=by, at=after(n)) for n, by in enumerate(roles)))
        changed = records.put("prod/db", at=before(minutes=5))
        return counting_calls(lambda: engine.judge(arrivals([changed])))[1]

    few, many = calls(2), calls(40)
    assert many - few < 38  # not a call for each


def test_where_a_screen_waits_an_alarm_of_many_reads_is_worked_out_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "LOOKED_AT", 200)
    wrong, right = (Secret(records.ACCOUNT, records.REGION, name) for name in ("prod/7", "prod/8"))
    more = records.read("prod/new", by=records.role("ci-deployer", "build-7"), at=after(29 * MANY))
    at_once, bit_by_bit = Engine(catalogue()), Engine(catalogue())
    for engine in (at_once, bit_by_bit):
        thief(30 * MANY, engine)
    at_once.fold([(wrong, right)])
    bit_by_bit.at_once, looked_at = 10, LookedAt(monkeypatch)
    bit_by_bit.fold([(wrong, right)])
    steps = [looked_at.taken()]
    while bit_by_bit.unsettled:
        bit_by_bit.settle()
        steps.append(looked_at.taken())
    assert sum(steps) >= 3 * 6 * 2 * (MANY - 1)  # in each of six slots
    assert max(steps) <= 200 + 2 * MANY
    assert bit_by_bit.alarms == at_once.alarms
    bit_by_bit.fold([(right, wrong)])
    for engine in (bit_by_bit, at_once):  # in the middle of it
        engine.judge(arrivals([more]))
    at_once.fold([(right, wrong)])
    settle(bit_by_bit)
    assert bit_by_bit.alarms == at_once.alarms
    (alarm,) = of("SMW-READ-01", bit_by_bit.alarms)
    assert alarm.count == MANY


class WorkedOut:
    """Lists the rules of the cases of events whose alarms are worked out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rules: list[str] = []
        alarm = SightingCase.alarm

        def noted(case: SightingCase) -> Alarm | None:
            self.rules.append(case.rule.id)
            return alarm(case)

        monkeypatch.setattr(SightingCase, "alarm", noted)


def test_who_fails_is_judged_from_when_there_are_as_many_failures_as_make_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, worked_out = Engine(catalogue()), WorkedOut(monkeypatch)
    engine.judge(arrivals([records.read(at=before(hours=1))]))
    for n in range(2):
        engine.judge(arrivals([records.denied(at=after(n))]))
    assert "SMW-HLTH-01" not in worked_out.rules
    engine.judge(arrivals([records.denied(at=after(2))]))
    assert worked_out.rules.count("SMW-HLTH-01") == 1
    (alarm,) = of("SMW-HLTH-01", engine.alarms)
    assert alarm.count == 3


def test_an_alarm_that_tells_of_changes_before_it_is_not_worked_out_anew_for_one_that_comes_after_it_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([records.read(at=before(hours=1)), *[records.denied(at=after(n)) for n in range(3)]]))
    (alarm,) = of("SMW-HLTH-01", engine.alarms)
    worked_out, by = WorkedOut(monkeypatch), records.role("admin", "alice")
    engine.judge(arrivals([records.put(by=by, at=after(1))]))
    assert "SMW-HLTH-01" not in worked_out.rules
    engine.judge(arrivals([records.put(by=by, at=before(minutes=1))]))
    (later,) = of("SMW-HLTH-01", engine.alarms)
    assert not alarm.facts
    assert "PutSecretValue" in later.facts[0]


def test_where_a_screen_waits_few_of_many_alarms_that_events_change_are_worked_out_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked_out, amounts = 0, SightingCase.alarm

    def counted(case: SightingCase) -> Alarm | None:
        nonlocal worked_out
        worked_out += 1
        return amounts(case)

    monkeypatch.setattr(SightingCase, "alarm", counted)
    whole, sliced, changed = Engine(catalogue()), Engine(catalogue()), set[str]()
    sliced.at_once = 3
    for page in range(3):
        storm = [
            records.read_deleted(f"prod/{n}", by=records.role(f"app-{n}", "task"), at=after(60 * page + n))
            for n in range(MANY)
        ]
        whole.judge(arrivals(storm))
        worked_out = 0
        changed |= {alarm.group for alarm in sliced.judge(arrivals(storm))}
        assert 0 < worked_out <= 3
        for _ in range(5 * page):  # the next page may come in the midst of it
            worked_out = 0
            changed |= {alarm.group for alarm in sliced.settle()}
            assert worked_out <= 3
    changed |= settle(sliced)
    assert len(of("SMW-DEL-01", sliced.alarms)) == MANY
    assert dict(sliced.alarms) == dict(whole.alarms)
    assert changed == set(whole.alarms)


def test_an_engine_that_takes_over_does_nothing_about_each_alarm_that_is_known_to_be_the_same() -> None:
    known, fresh, many, lines = Engine(catalogue()), Engine(catalogue()), 1_500, 0
    for engine in (known, fresh):
        engine.judge(arrivals([records.read_deleted()]))
        (alarm,) = of("SMW-DEL-01", engine.alarms)
        engine.restore(msgspec.structs.replace(alarm, group=f"{n}", rule="OLD") for n in range(many))
    compared = fresh.compared(known)
    (decided,) = known.acknowledge(alarm.group, "looked at", after(60))
    late = arrivals([records.read_deleted("prod/late", at=after(30))])
    changes = known.judge(late)

    def traced(_frame: FrameType, event: str, _arg: object) -> TraceFunction:
        nonlocal lines
        lines += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        gone = fresh.take_over(known, compared)
    finally:
        sys.settrace(before)
    assert {one.group: one.count for one in gone} == {one.group: 0 for one in changes}
    assert fresh.alarms[alarm.group] == decided
    assert 0 < lines < many
    assert {one.group for one in fresh.judge(late)} == {one.group for one in changes}
    assert not compared.here - {alarm.group}  # nothing is noted any more
    assert fresh.take_over(known) == ()


def test_where_a_secret_turns_out_to_be_another_what_is_known_of_the_rest_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, looked_at = Engine(catalogue()), list[tuple[Value | None, ...]]()

    def noted(by: Sequence[Dimension], values: tuple[Value | None, ...], right: Renames) -> tuple[Value | None, ...]:
        looked_at.append(values)
        return renamed(by, values, right)

    for module in (fact, timers):
        monkeypatch.setattr(module, "renamed", noted)
    engine.judge(
        arrivals([records.read(f"prod/{n}", by=records.role(f"role-{n}"), at=after(n), id=f"{n}") for n in range(MANY)])
    )
    names = ("prod/7", "prod/8")
    wrong, right = (Secret(records.ACCOUNT, records.REGION, name) for name in names)
    engine.fold([(wrong, right)])
    assert looked_at
    assert all(wrong in values or f"{wrong.account} {wrong.name}" in values for values in looked_at)


def test_one_more_read_of_many_secrets_is_all_that_is_asked_about_found_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, seconds = Engine(catalogue()), 30 * MANY + 2 * MANY  # its slot has each secret twice
    thief(seconds, engine)
    looked, told, seen = Looked(monkeypatch), list[Value](), telling._seen

    def sentence(value: Value, first: int, last: int) -> str:
        told.append(value)
        return seen(value, first, last)

    monkeypatch.setattr(telling, "_seen", sentence)
    by = records.role("ci-deployer", "build-7")
    engine.judge(arrivals([records.read("prod/7", by=by, at=after(seconds))]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY
    assert alarm.last_at == after(seconds)
    (value,) = {one.value for one in looked.asked}
    assert len(looked.asked) <= 2  # SMW-READ-01 and SMW-READ-01b
    assert looked.found == told == [value]


def test_one_more_read_amid_those_of_its_slot_has_none_of_them_asked_about_gone_through_or_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, engine, by = Engine(catalogue()), Engine(catalogue()), records.role("ci-deployer", "build-7")
    seconds, late = 32 * MANY, records.read("prod/new", by=by, at=after(32 * MANY - 20))
    thief(seconds, engine)
    looked, gone_through, through = Looked(monkeypatch), list[int](), Close._found

    def noted(
        close: Close, slot: int, slots: Slots, counts: Iterable[tuple[int, int]] | None
    ) -> tuple[int, int] | None:
        gone_through.append(slot)
        return through(close, slot, slots, counts)

    monkeypatch.setattr(Close, "_found", noted)
    engine.judge(arrivals([late]))
    (value,) = {one.value for one in looked.asked}
    assert looked.found == [value]
    assert not gone_through
    whole.judge(arrivals([late]))
    thief(seconds, whole)
    assert dict(engine.alarms) == dict(whole.alarms)
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY + 1


SPREADS = (
    ('distinct = { of = "secret", min = 3, within = "10s" }', 'tell = ["values"]'),
    (
        'distinct = { of = "secret", min = 3, within = "10s" }',
        'escalate = [{ min = 5, within = "25s", severity = "critical", title = "more" }]',
    ),
    (
        'distinct = { of = "secret", min = 3, within = "10s", habit = { days = 2, within = "14d", factor = 1.5 } }',
        'escalate = [{ min = 4, within = "12s", severity = "medium", title = "less" }]',
    ),
    (
        'distinct = { of = "secret", min = 3, within = "10s" }',
        'unless = [{ seen = \'{ $.eventName = "PutSecretValue" }\', same = ["secret"] }]',
    ),
)


@pytest.mark.parametrize("rule", SPREADS)
@given(
    gaps=st.lists(
        st.tuples(
            st.sampled_from((0, 0, 1, 1, 2, 3, 8, 11, 86_400)),
            st.sampled_from((*(0,) * 25, 3, 12, 40)),
            st.integers(0, 6),
            st.sampled_from((*(records.read,) * 8, records.put)),
        ),
        max_size=50,
    ),
    batch=st.sampled_from((1, 2, 5)),
)
@settings(max_examples=60, deadline=None)
def test_what_is_found_event_by_event_is_what_is_found_of_all_at_once(
    rule: tuple[str, ...],
    gaps: list[tuple[int, int, int, Callable[..., Record]]],
    batch: int,
) -> None:
    at, story = 0, list[Record]()
    for gap, late, number, call in gaps:
        at += gap
        story.append(call(f"prod/{number}", by=records.role(), at=after(at - late)))
    rules = ruled(mine(*rule))
    assert judged(story, rules, batch=batch) == judged(story, rules)


def read_each(*reads: str) -> list[Record]:
    """Reads of secrets by one caller: "a 8" is of prod/a, eight seconds after."""
    by, parts = records.role(), [each.split() for each in reads]
    return [records.read(f"prod/{name}", by=by, at=after(int(at)), id=f"{name}{at}") for name, at in parts]


def test_one_more_read_amid_others_may_have_enough_read_earlier_than_was_known() -> None:
    engine = Engine(ruled(mine('distinct = { of = "secret", min = 3, within = "10s" }')))
    engine.judge(arrivals(read_each("a 8", "b 18", "c 19", "d 19")))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (3, after(18))
    engine.judge(arrivals(read_each("e 17")))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (5, after(8))


def test_a_first_read_that_does_not_count_takes_away_what_counted_in_its_place() -> None:
    # Of each secret the first and the last read of a slot are kept, and one soon after a change does not count.
    unless = """unless = [{ seen = '{ $.eventName = "PutSecretValue" }', same = ["secret"], within = "1s" }]"""
    engine = Engine(ruled(mine('distinct = { of = "secret", min = 4, within = "10s" }', unless)))
    put = records.put("prod/b", at=after(9))
    engine.judge(arrivals([put, *read_each("a 8", "b 11", "c 12", "d 12", "b 19", "e 19")]))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (5, after(8))
    engine.judge(arrivals(read_each("b 10", "c 19")))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (4, after(12))


def test_what_is_habitual_is_the_most_of_any_period_also_of_one_amid_what_was_known() -> None:
    habit = "habit = { days = 2, within = '14d', factor = 1.5 }"
    engine = Engine(ruled(mine(f'distinct = {{ of = "secret", min = 3, within = "10s", {habit} }}')))

    def on(day: int, *reads: str) -> list[Record]:
        return read_each(*(f"{name} {int(at) + day * DAY}" for name, _, at in (each.partition(" ") for each in reads)))

    for day in range(2):
        engine.judge(arrivals(on(day, "a 5", "b 5", "c 12", "d 19")))
        engine.judge(arrivals(on(day, "e 13")))  # then four had been read within ten seconds
    known = len(engine.alarms)
    engine.judge(arrivals(on(2, "a 5", "b 5", "c 5", "d 5", "e 5")))
    assert all(alarm.last_at < after(2 * DAY) for alarm in engine.alarms.values())
    engine.judge(arrivals(on(2, "f 5", "g 5")))
    assert known
    assert any(alarm.last_at == after(2 * DAY + 5) for alarm in engine.alarms.values())


@pytest.mark.parametrize("looks", range(6))
def test_what_becomes_known_between_two_looks_at_a_case_is_not_missed(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LOOKED_AT", 3)
    unless = """unless = [{ seen = '{ $.eventName = "PutSecretValue" }', same = ["secret"], within = "1s" }]"""
    rules = ruled(mine('distinct = { of = "secret", min = 3, within = "10s" }', unless))
    by = records.role()
    reads = [records.read(f"prod/{number}", by=by, at=after(number)) for number in range(4)]
    engine = Engine(rules)
    engine.at_once = 1
    engine.judge(arrivals(reads))
    for _ in range(looks):
        engine.settle()
    engine.judge(arrivals([records.put(f"prod/{number}", by=by, at=after(number)) for number in range(2)]))
    settle(engine)
    assert not engine.alarms


def test_where_a_screen_waits_few_of_many_cases_whose_time_has_come_are_woken_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "WOKEN", 7)
    rules = ruled(mine('absence = { until = \'{ $.eventName = "Never" }\', within = "1h", same = ["identity"] }'))
    whole, sliced, woken, wake = Engine(rules), Engine(rules), 0, SightingCase.wake
    sliced.at_once = 10

    def counted(case: SightingCase) -> None:
        nonlocal woken
        woken += 1
        wake(case)

    monkeypatch.setattr(SightingCase, "wake", counted)
    story = [records.read(by=records.role(f"app-{n}", "task"), at=after(n)) for n in range(MANY)]
    for engine in (whole, sliced):
        engine.judge(arrivals(story))
        settle(engine)
    assert not whole.alarms
    later, steps = records.put(at=after(hours=2)), list[int]()
    whole.judge(arrivals([later]))
    assert woken == MANY
    woken = 0
    sliced.judge(arrivals([later]))
    steps.append(woken)
    while sliced.unsettled:
        woken = 0
        sliced.settle()
        steps.append(woken)
    assert sum(steps) == MANY
    assert max(steps) == 7
    assert len(sliced.alarms) == MANY
    assert dict(sliced.alarms) == dict(whole.alarms)


def test_where_a_screen_waits_few_of_many_events_that_waited_for_a_fact_are_taken_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = ruled(mine('only = [{ seen = \'{ $.eventName = "DeleteSecret" }\', same = ["secret"], within = "1h" }]'))
    whole, sliced, taken, add = Engine(rules), Engine(rules), 0, SightingCase.add
    sliced.at_once = 2

    def counted(case: SightingCase, mark: Mark) -> None:
        nonlocal taken
        taken += 1
        add(case, mark)

    monkeypatch.setattr(SightingCase, "add", counted)
    story = [records.read(at=after(n)) for n in range(MANY)]
    for engine in (whole, sliced):
        engine.judge(arrivals(story))
    assert not taken
    late, steps = records.delete(at=before(minutes=1)), list[int]()
    whole.judge(arrivals([late]))
    assert taken == MANY
    taken = 0
    sliced.judge(arrivals([late]))
    steps.append(taken)
    while sliced.unsettled:
        taken = 0
        sliced.settle()
        steps.append(taken)
    assert sum(steps) == MANY
    assert max(steps) == 2 * standing.TAKEN
    (alarm,) = sliced.alarms.values()
    assert alarm.count == MANY
    assert dict(sliced.alarms) == dict(whole.alarms)


def test_what_stands_whatever_is_read_later_is_not_judged_again_for_a_later_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, judged = Engine(catalogue()), records.role(), list[str]()
    listed, destroyed = "SMW-DISC-02b", "SMW-TAMP-06"  # whoever lists then reads, and whoever reads then destroys
    happened = [
        records.listing(by=by, at=after(0)),
        *(records.read(f"prod/{n}", by=by, at=after(n + 1)) for n in range(3)),
    ]
    engine.judge(arrivals([*happened, records.delete("prod/2", by=by, at=after(10))]))
    assert {listed, destroyed} <= {alarm.rule for alarm in engine.alarms.values()}
    evidence = SightingCase.evidence

    def noted(case: SightingCase) -> Sequence[Evidence]:
        judged.append(case.rule.id)
        return evidence(case)

    monkeypatch.setattr(SightingCase, "evidence", noted)
    engine.judge(arrivals([records.read("prod/2", by=by, at=after(20))]))
    assert not {listed, destroyed} & {*judged}
    engine.judge(arrivals([records.read("prod/2", by=by, at=after(9)), records.restore("prod/2", by=by, at=after(30))]))
    assert destroyed in judged
    assert [alarm.state for alarm in of(destroyed, engine.alarms)] == [AlarmState.CLOSED]


def test_what_would_be_told_of_an_alarm_that_there_is_not_has_nothing_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, by, judged = Engine(catalogue()), records.role(), list[str]()
    rule = "SMW-DISC-01b"
    engine.judge(arrivals([records.kms("prod/db", at=after(0)), records.denied("prod/db", by=by, at=after(20))]))
    evidence = SightingCase.evidence

    def noted(case: SightingCase) -> Sequence[Evidence]:
        judged.append(case.rule.id)
        return evidence(case)

    monkeypatch.setattr(SightingCase, "evidence", noted)
    engine.judge(arrivals([records.kms("prod/db", at=after(10))]))
    assert rule not in judged
    engine.judge(arrivals([records.denied("prod/db", by=by, at=after(20 + n)) for n in range(1, 10)]))
    (alarm,) = of(rule, engine.alarms)
    cause = records.write("PutResourcePolicy", "prod/db", at=after(15))
    engine.judge(arrivals([cause]))
    (later,) = of(rule, engine.alarms)
    assert later.facts != alarm.facts
    whole = Engine(catalogue())
    whole.judge(
        arrivals(
            [
                *(records.kms("prod/db", at=after(at)) for at in (0, 10)),
                cause,
                *(records.denied("prod/db", by=by, at=after(20 + n)) for n in range(10)),
            ]
        )
    )
    assert [each.facts for each in of(rule, whole.alarms)] == [later.facts]


def test_of_who_works_and_is_refused_now_and_then_nothing_is_judged_again_for_a_read_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, whole, by, judged = Engine(catalogue()), Engine(catalogue()), records.role(), list[str]()
    rule, evidence = "SMW-HLTH-01", SightingCase.evidence

    def refused(*seconds: int) -> list[Record]:
        return [records.denied("prod/db", by=by, at=after(at), id=f"{at}") for at in seconds]

    def read(*seconds: int) -> list[Record]:
        return [records.read("prod/db", by=by, at=after(at)) for at in seconds]

    def noted(case: SightingCase) -> Sequence[Evidence]:
        judged.append(case.rule.id)
        return evidence(case)

    engine.judge(arrivals([*read(0), *refused(60, 120), *read(150), *refused(180, 190)]))
    monkeypatch.setattr(SightingCase, "evidence", noted)
    engine.judge(arrivals(read(40)))
    engine.judge(arrivals(read(100)))
    assert rule not in judged
    engine.judge(arrivals(refused(200)))
    (alarm,) = of(rule, engine.alarms)
    assert (alarm.count, alarm.first_at) == (3, after(180))
    engine.judge(arrivals(read(195)))
    whole.judge(arrivals([*read(0, 40, 100, 150, 195), *refused(60, 120, 180, 190, 200)]))
    assert of(rule, engine.alarms) == of(rule, whole.alarms) == []


def test_an_alarm_that_comes_back_tells_what_became_known_while_there_was_none() -> None:
    engine, by = Engine(catalogue()), records.role()

    def refused(at: int, which: str = "") -> Record:
        return records.denied("prod/db", by=by, at=after(at), id=f"{at}{which}")

    engine.judge(arrivals([records.read("prod/db", by=by, at=after(0)), *map(refused, (60, 61, 62))]))
    (alarm,) = of("SMW-HLTH-01", engine.alarms)
    engine.judge(arrivals([records.read("prod/db", by=by, at=after(61))]))
    engine.judge(arrivals([refused(300)]))
    assert not of("SMW-HLTH-01", engine.alarms)
    engine.judge(arrivals([records.write("PutResourcePolicy", "prod/db", at=after(30))]))
    engine.judge(arrivals([refused(60, "again")]))
    (back,) = of("SMW-HLTH-01", engine.alarms)
    assert back.first_at == alarm.first_at
    assert any("PutResourcePolicy" in fact for fact in back.facts)


def test_a_need_for_more_values_than_there_are_is_not_looked_for_until_there_are_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    escalate = 'escalate = [{ min = 6, within = "1h", severity = "critical" }]'
    engine = Engine(ruled(mine('distinct = { of = "secret", min = 3, within = "10m" }', escalate)))
    needs, find = list[int](), Close.find

    def noted(
        close: Close, slot: int, slots: Slots, more: More | None = None, lately: Lately | None = None
    ) -> list[int]:
        needs.append(close.need.least)
        return find(close, slot, slots, more, lately)

    monkeypatch.setattr(Close, "find", noted)
    for n in range(5):
        engine.judge(arrivals([records.read(f"prod/{n}", at=after(250 * n))]))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.severity, {*needs}) == (5, Severity.HIGH, {3})
    engine.judge(arrivals([records.read("prod/5", at=after(1250))]))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.severity, {*needs}) == (6, Severity.CRITICAL, {3, 6})


def test_who_has_no_alarm_of_a_rule_that_has_none_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named = list[str]()

    def noted(rule: Rule, values: Mapping[Dimension, Value]) -> str:
        named.append(str(values))
        return group_of(rule, values)

    monkeypatch.setattr("smwatch.rules.case.group_of", noted)
    engine = Engine(ruled(mine('count = { min = 3, within = "1h" }')))
    engine.judge(arrivals(records.read(by=records.role(f"app-{n}"), at=after(n)) for n in range(MANY)))
    assert not named
    engine.judge(arrivals(records.read(by=records.role("app-7"), at=after(MANY + n)) for n in range(2)))
    assert len(named) == len(engine.alarms) == 1


def test_one_more_read_of_a_session_that_has_gone_on_for_long_takes_no_step_for_each_slot_and_value() -> None:
    engine, by, seconds = Engine(catalogue()), records.role("ci-deployer", "build-7"), 80 * MANY
    thief(seconds, engine)
    more = arrivals(records.read("prod/7", by=by, at=after(seconds + n)) for n in range(2))
    engine.judge(more[:1])
    _, calls = counting_calls(lambda: engine.judge(more[1:]))
    assert calls < 440  # 380, and 510 if it does


def test_as_many_in_an_hour_as_would_be_many_in_five_minutes_have_nothing_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    escalate = 'escalate = [{ min = 9, within = "1h", severity = "medium", title = "slowly" }]'
    rules, judged = ruled(mine('distinct = { of = "secret", min = 4, within = "5m" }', escalate)), 0
    engine, judge = Engine(rules), SpreadCase.evidence

    def noted(case: SpreadCase) -> Sequence[Evidence]:
        nonlocal judged
        judged += 1
        return judge(case)

    monkeypatch.setattr(SpreadCase, "evidence", noted)
    for n in range(8):
        engine.judge(arrivals([records.read(f"prod/{n}", at=after(minutes=7 * n))]))
    assert not judged
    engine.judge(arrivals([records.read("prod/8", at=after(minutes=56))]))
    (alarm,) = engine.alarms.values()
    assert (judged, alarm.count, alarm.severity, alarm.title) == (1, 9, Severity.MEDIUM, "slowly")
    for n in range(3):
        engine.judge(arrivals([records.read(f"prod/{n}", at=after(minutes=200 + n))]))
    assert judged == 1 + 3  # its newest event is told
    engine.judge(arrivals([records.read("prod/3", at=after(minutes=204))]))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.severity) == (9, Severity.HIGH)


def listed(*seconds: int, reads: int = 3) -> list[Record]:
    """Lists by one caller who reads so many secrets right after each."""
    by = records.role()
    found: list[Record] = []
    for at in seconds:
        found.append(records.listing(by=by, at=after(at), id=f"list{at}"))
        found += [records.read(f"prod/{n}", by=by, at=after(at + n + 1), id=f"read{at}-{n}") for n in range(reads)]
    return found


@pytest.mark.parametrize("reads", [2, 3])
def test_who_lists_and_reads_all_day_has_none_of_the_lists_before_judged_again(
    monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    engine, asked = Engine(catalogue()), list[int]()
    engine.judge(arrivals([*listed(0), *listed(*range(3_600, 60 * 3_600, 3_600), reads=reads)]))
    among = Group.among

    def noted(group: Group, low: int, high: int, most: int | None = None) -> Sequence[Member]:
        asked.append(low)
        return among(group, low, high, most)

    monkeypatch.setattr(Group, "among", noted)
    for record in listed(60 * 3_600):
        engine.judge(arrivals([record]))
    assert {*asked} == {int(after(60 * 3_600).timestamp())}
    (alarm,) = of("SMW-DISC-02b", engine.alarms)
    assert alarm.count == (61 if reads == 3 else 2)


def test_reads_that_come_late_make_the_lists_before_them_evidence_and_no_other() -> None:
    engine, whole, story = Engine(catalogue()), Engine(catalogue()), listed(3_600, 7_200)
    early = [records.listing(by=records.role(), at=after(at), id=f"early{at}") for at in (0, 600, 1_900)]
    engine.judge(arrivals([*early, *story]))
    late = listed(500)[1:]
    for record in late:
        engine.judge(arrivals([record]))
    (alarm,) = of("SMW-DISC-02b", engine.alarms)
    assert (alarm.count, alarm.first_at) == (4, after(0))  # but for the one of second 600, as before
    whole.judge(arrivals([*early, *story, *late]))
    assert dict(engine.alarms) == dict(whole.alarms)


@pytest.mark.parametrize("seed", range(12))
def test_who_lists_and_then_reads_is_found_whatever_the_order_and_whatever_a_secret_turns_out_to_be(seed: int) -> None:
    rnd, engine, whole = random.Random(seed), Engine(catalogue()), Engine(catalogue())
    story = [
        each for at in range(0, 9 * 1_500, 1_500) for each in listed(at + rnd.randrange(900), reads=rnd.randrange(5))
    ]
    whole.judge(arrivals(story))
    rnd.shuffle(story)
    wrong, right = (Secret(records.ACCOUNT, records.REGION, name) for name in ("prod/1", "prod/2"))
    fold_at = rnd.randrange(len(story))
    for n, record in enumerate(story):
        engine.judge(arrivals([record]))
        if n == fold_at:
            engine.fold([(wrong, right)])
    engine.fold([(wrong, right)])
    whole.fold([(wrong, right)])
    assert of("SMW-DISC-02b", engine.alarms) == of("SMW-DISC-02b", whole.alarms)


def test_who_lists_after_hundreds_of_reads_has_only_the_secrets_read_since_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, by, asked, known = Engine(catalogue()), records.role(), list[Times](), Times.any
    engine.judge(arrivals(records.read(f"prod/{n}", by=by, at=after(n)) for n in range(300)))
    engine.judge(arrivals([records.listing(by=by, at=after(hours=9)), *read_each("7 32401")]))

    def noted(times: Times, low: int, high: int) -> bool:
        if low == int(after(hours=9).timestamp()):
            asked.append(times)
        return known(times, low, high)

    monkeypatch.setattr(Times, "any", noted)
    for more in ("8 32402", "9 32403"):
        engine.judge(arrivals(read_each(more)))
    assert len(asked) == 2 + 3
    (alarm,) = of("SMW-DISC-02b", engine.alarms)
    assert alarm.count == 1
