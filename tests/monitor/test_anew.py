"""What turns out to have been about another secret is judged again, as if that had been known from the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Lesson
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor import successor
from smwatch.monitor.anew import Anew
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.knowledge import Knowledge
from smwatch.monitor.monitor import Monitor
from smwatch.monitor.past import LESSONS
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Mute
from smwatch.rules.engine import Engine
from smwatch.sources.coverage import Coverage
from smwatch.sources.source import Page, Status
from smwatch.store.judging import Judging
from smwatch.store.ledger import Ledger
from smwatch.store.store import Store
from tests import records
from tests.known import Bringing
from tests.records import AT, arn
from tests.rules.judging import after, arrivals, catalogue
from tests.rules.test_order import in_order, pieces

SHORT, LONG = "my", "my-s3cReT"
"""Two secrets: the ARN of the second, without its suffix, may be the first's with one."""
PARTIAL = arn(LONG)[:-7]


class Watcher:
    """A store that is fed by a monitor, whose events come in the order in which they are given."""

    def __init__(
        self, kind: type[Judging] = Store, *, at_once: int | None = None, journal: Journal | None = None
    ) -> None:
        self.journal = journal or Journal()
        self.store = kind(engine=Engine(catalogue()))
        self.store.at_once = at_once
        self.changed: list[Alarm] = []
        self._knowledge = Knowledge()
        self.monitor = self.made()

    def made(self) -> Monitor:
        """A monitor that feeds the store."""
        return Monitor(
            self.journal,
            deliver=self._deliver,
            selects=lambda arrival: self.engine.selects(arrival),
            now=lambda: AT + timedelta(days=60),
            anew=lambda: Anew(self.store, self.engine, Engine(self.engine.rules)),
            knowledge=self._knowledge,
        )

    @property
    def engine(self) -> Engine:
        """By which it judges at present."""
        assert isinstance(self.store.engine, Engine)
        return self.store.engine

    async def see(self, *pieces: Iterable[Record]) -> None:
        """Sources bring these, one after the other."""
        for piece in pieces:
            await self.monitor.read_once([Bringing(piece)])

    def alarms(self, rule: str) -> dict[str, Alarm]:
        """The alarms of a rule, by the names of their secrets."""
        alarms = [alarm for alarm in self.engine.alarms.values() if alarm.rule == rule]
        return {alarm.secret.name if alarm.secret else "": alarm for alarm in alarms}

    @property
    def known(self) -> object:
        """All that does not depend on how it came to be known."""
        store, alarms = self.store, dict(self.engine.alarms)
        if not isinstance(store, Store):
            return alarms
        events = [(event.key, event.secret, event.others) for event in store.events]
        secrets = {secret: (each.events, each.first_key, each.last_key) for secret, each in store.secrets.items()}
        principals = {who: (each.events, each.last_key) for who, each in store.principals.items()}
        return alarms, events, secrets, principals

    @property
    def levels(self) -> dict[int, str]:
        """Which alarm each event is marked with."""
        return {key: alarm.group for key, alarm in self.store.levels.items()}

    async def _deliver(self, delivery: Delivery) -> None:
        _, changed = delivery.into(self.store)
        while self.store.set_right():
            pass
        self.changed += changed.values()


INCIDENT = [
    records.delete(SHORT, at=after(0)),
    records.read_deleted(PARTIAL, at=after(60)),
    records.read_deleted(SHORT, at=after(70)),
    records.read(PARTIAL, at=after(80), by=records.user("alice")),
    records.describe(LONG, at=after(90)),
]
"""Of what is asked of the first secret, which is deleted, a part is the second's; that there is one comes out last."""


@pytest.mark.parametrize(("kind", "at_once"), [(Store, None), (Store, 1), (Ledger, None)])
async def test_what_was_taken_for_one_secret_is_parted_in_any_order(kind: type[Judging], at_once: int | None) -> None:
    expected = Watcher(kind)
    await expected.see(INCIDENT[::-1])
    assert {name: alarm.count for name, alarm in expected.alarms("SMW-DEL-01").items()} == {SHORT: 1, LONG: 1}
    for order in permutations(INCIDENT):
        watcher = Watcher(kind, at_once=at_once)
        await watcher.see(*([record] for record in order))
        assert watcher.known == expected.known
        assert watcher.levels == expected.levels


def test_alarms_are_worked_out_for_many_events_together_and_in_the_end_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = 1_000
    monkeypatch.setattr(successor, "TOGETHER", together)
    rules = catalogue()
    known, fresh = Engine(rules), Engine(rules)
    denied = arrivals(records.read_deleted("prod/gone", at=after(n)) for n in range(together + 10))
    store = Store(engine=known)
    store.add(denied)
    anew, counts = Anew(store, known, fresh), list[list[int]]()
    for start in range(0, len(denied), 250):
        anew.take(denied[start : start + 250])
        while anew.settle():
            pass
        counts.append([alarm.count for alarm in fresh.alarms.values()])
    assert counts == [[], [], [], [together], [together]]
    anew.compare()
    assert fresh.alarms == known.alarms


async def test_what_was_decided_holds_and_what_is_known_is_not_told_again() -> None:
    watcher = Watcher()
    await watcher.see(INCIDENT[:3])
    (known,) = watcher.alarms("SMW-DEL-01").values()
    assert known.count == 2
    watcher.store.acknowledge(known.group, "calling the owner", after(75))
    watcher.store.mute(Mute(after(hours=9), rule="SMW-DEL-07"))
    others = {group: alarm for group, alarm in watcher.engine.alarms.items() if group != known.group}
    before = watcher.engine
    before.at_once = 1_000
    watcher.changed.clear()
    await watcher.see(INCIDENT[4:])
    assert watcher.engine is not before
    assert watcher.engine.at_once == 1_000
    short, long = (watcher.alarms("SMW-DEL-01")[name] for name in (SHORT, LONG))
    assert (short.group, short.count, short.state, short.note) == (
        known.group,
        1,
        AlarmState.ACKNOWLEDGED,
        "calling the owner",
    )
    assert (long.count, long.state) == (1, AlarmState.OPEN)
    assert watcher.engine.mutes == before.mutes
    told = {alarm.group for alarm in watcher.changed}
    assert told >= {short.group, long.group}
    assert not told & {group for group, alarm in others.items() if watcher.engine.alarms.get(group) == alarm}


async def test_what_is_only_being_read_is_set_right_as_well() -> None:
    watcher, expected = Watcher(), Watcher()
    await expected.see(INCIDENT[::-1])
    await watcher.see(INCIDENT[:1])
    async with asyncio.TaskGroup() as tasks:
        for piece in (INCIDENT[1:3], INCIDENT[3:4], INCIDENT[4:]):
            tasks.create_task(watcher.see(piece))
    assert watcher.known == expected.known


async def test_what_others_have_put_in_and_was_not_handed_on_yet_is_not_judged_with_the_rest(tmp_path: Path) -> None:
    """No alarm is about an event that nobody has been shown."""
    late = records.read_deleted("theirs", at=after(100))

    class Beside(Bringing):
        """Another process puts in something more once the page is in the journal."""

        async def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
            async for page in super().read_once(coverage):
                yield page
            arrival = Reader().read(records.raw(late), seen_by=SeenBy.LOGS, seen_at=AT)
            with closing(Journal(tmp_path / FILE_NAME)) as others:
                others.commit("theirs", [arrival])

    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        watcher = Watcher(journal=journal)
        await watcher.see(INCIDENT[:3])
        before = watcher.engine
        await watcher.monitor.read_once([Beside(INCIDENT[3:])])
        assert watcher.engine is not before
        assert sorted(watcher.alarms("SMW-DEL-01")) == [SHORT, LONG]
        await watcher.see([records.read(SHORT, at=after(110), id="later")])
        assert {name: alarm.count for name, alarm in watcher.alarms("SMW-DEL-01").items()} == {
            SHORT: 1,
            LONG: 1,
            "theirs": 1,
        }


async def test_it_is_judged_anew_while_sources_are_followed() -> None:
    watcher, expected = Watcher(), Watcher()
    await expected.see(INCIDENT[::-1])
    await watcher.monitor.follow([Bringing(INCIDENT[:3])])
    known = watcher.known
    following = asyncio.create_task(watcher.monitor.follow([Bringing(INCIDENT[3:]), Bringing([], ends=False)]))
    while watcher.known != expected.known:
        assert not following.done()
        await asyncio.sleep(0)
    assert known != expected.known
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_what_the_next_monitor_learns_sets_right_what_the_last_one_read() -> None:
    watcher, expected = Watcher(), Watcher()
    await expected.see(INCIDENT[::-1])
    await watcher.see(INCIDENT[:4])
    watcher.monitor = watcher.made()
    await watcher.see(INCIDENT[4:])
    assert watcher.known == expected.known


async def test_the_next_run_makes_no_mistake_that_was_made_before() -> None:
    watcher = Watcher()
    await watcher.see(INCIDENT)
    lessons = watcher.journal.fact_as(LESSONS, list[Lesson])
    assert lessons == [("exists", records.ACCOUNT, records.REGION, LONG)]
    reader = Reader()
    reader.teach(lessons)
    read = [reader.read(records.raw(each), seen_by=SeenBy.FILE, seen_at=AT).event.secret for each in INCIDENT]
    assert [secret.name for secret in read if secret] == [SHORT, LONG, SHORT, LONG, LONG]
    assert not reader.mistaken
    assert reader.lessons == tuple(lessons)


async def test_an_arn_that_led_to_a_secret_is_a_lesson_too() -> None:
    read = [records.read(by) for by in (SHORT, PARTIAL, f"{PARTIAL}-q1W2e3")]
    reader, taught = Reader(), Reader()
    for each in read:
        reader.read(records.raw(each), seen_by=SeenBy.FILE, seen_at=AT)
    assert reader.mistaken
    taught.teach(reader.lessons)
    for each in read:
        taught.read(records.raw(each), seen_by=SeenBy.FILE, seen_at=AT)
    assert not taught.mistaken
    assert taught.lessons == reader.lessons != ()


async def test_a_batch_that_names_one_secret_twice_counts_once() -> None:
    batch, read = records.batch([LONG, "other", PARTIAL], at=after(0)), records.read(LONG, at=after(1))
    watcher, expected = Watcher(), Watcher()
    await expected.see([read, batch])
    await watcher.see([batch], [read])
    assert watcher.known == expected.known
    (dossier,) = (each for each in watcher.store.secrets.values() if each.secret.name == LONG)
    assert dossier.events == 2


NAMES = [SHORT, LONG, "my-s3cReT-q1W2e3", "other"]


def spelled(name: str, way: str, by: Record, second: int, number: int) -> Record:
    typed = {"name": name, "partial": arn(name)[:-7], "complete": arn(name)}
    more: dict[str, Any] = {"by": by, "at": after(second), "id": f"{number:08}-0000-4000-8000-000000000000"}
    match way.split():
        case ["read", how]:
            return records.read(typed[how], **more)
        case ["gone", how]:
            return records.read_deleted(typed[how], **more)
        case ["denied", how]:
            return records.denied(typed[how], **more)
        case ["batch", how]:
            return records.batch([typed[how], "other", PARTIAL], **more)
        case _:
            return {"delete": records.delete, "restore": records.restore, "put": records.put}[way](name, **more)


WAYS = [f"{what} {how}" for what in ("read", "gone", "denied", "batch") for how in ("name", "partial", "complete")]
HAPPENED = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([*WAYS, "read partial", "gone partial", "delete", "restore", "put"]),
        st.sampled_from([records.role(), records.user("alice"), records.role("ci-deployer", "build-7")]),
        st.integers(0, 40 * 3_600),
    ),
    min_size=2,
    max_size=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(HAPPENED, st.lists(st.integers(1, 6), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_any_order_gives_the_same(
    happened: Sequence[tuple[str, str, Record, int]], sizes: list[int], rng: Random
) -> None:
    seen = [spelled(*each, number) for number, each in enumerate(happened)]
    ordered = in_order(seen)

    async def known(order: list[Record], sizes: list[int]) -> object:
        watcher = Watcher()
        await watcher.see(*pieces(order, sizes))
        watcher.store.tick(AT + timedelta(days=60))
        return watcher.known

    expected = asyncio.run(known(ordered, [len(ordered)]))
    assert asyncio.run(known(ordered[::-1], [1])) == expected
    shuffled = [*seen, *seen[: len(seen) // 3]]
    rng.shuffle(shuffled)
    assert asyncio.run(known(shuffled, sizes)) == expected
