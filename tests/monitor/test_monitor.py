import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import msgspec
import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor import handing
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.keeper import NOT_KEPT
from smwatch.monitor.monitor import Monitor
from smwatch.monitor.reading import Reading
from smwatch.monitor.upkeep import Upkeep
from smwatch.monitor.watched import Watched
from smwatch.sources.coverage import Audited, Coverage, Noted, Span
from smwatch.sources.source import Found, Page, Receipt, State, Status
from smwatch.store.store import Store
from tests import records

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Item = Page | Status | Exception


class Scripted:
    """A source that yields what it was given, one script each time it is followed."""

    label = "Scripted"
    seen_by = SeenBy.CLOUDTRAIL

    def __init__(self, name: str, *scripts: Sequence[Item]) -> None:
        self.name = name
        self.given: list[Coverage] = []
        self.closed = False
        self._scripts = list(scripts)

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        self.given.append(coverage)
        for item in self._scripts.pop(0) if self._scripts else ():
            if isinstance(item, Exception):
                raise item
            yield item

    read_once = follow

    async def close(self) -> None:
        self.closed = True


def page(source: str, *numbers: int, settled: Span | None = None, name: str = "GetSecretValue") -> Page:
    found = tuple(
        Found(records.raw(records.read(eventID=f"00000000-0000-4000-8000-{number:012d}", eventName=name)))
        for number in numbers
    )
    return Page(source, SeenBy.CLOUDTRAIL, found, NOW, settled)


class Told:
    """Collects what a monitor delivers."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.pauses: list[float] = []

    async def deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    @property
    def ids(self) -> list[int]:
        return [int(arrival.event.id[-12:]) for delivery in self.deliveries for _, arrival in delivery.arrivals]

    @property
    def messages(self) -> list[str]:
        return [status.message for delivery in self.deliveries for status in delivery.statuses]

    @property
    def states(self) -> list[State]:
        return [status.state for delivery in self.deliveries for status in delivery.statuses]


def monitor(journal: Journal, told: Told, *, selects: Callable[[Arrival], bool] = lambda _: False) -> Monitor:
    return Monitor(journal, deliver=told.deliver, selects=selects, now=lambda: NOW, sleep=told.sleep)


async def test_an_event_seen_by_both_sources_counts_once() -> None:
    told, journal = Told(), Journal()
    await monitor(journal, told).follow([Scripted("a", [page("a", 1, 2)]), Scripted("b", [page("b", 2, 3)])])
    assert sorted(told.ids) == [1, 2, 3]


async def test_a_page_is_committed_before_anyone_is_told() -> None:
    journal = Journal()
    committed: list[int] = []

    async def deliver(delivery: Delivery) -> None:
        committed.append(journal.last_seq())
        assert all(seq <= journal.last_seq() for seq, _ in delivery.arrivals)

    watching = Monitor(journal, deliver=deliver, selects=lambda _: False, now=lambda: NOW)
    settled = Span(NOW - timedelta(hours=1), NOW)
    await watching.follow([Scripted("a", [page("a", 1, 2, settled=settled)])])
    assert committed == [2]
    assert journal.coverage("a").settled == (settled,)


async def test_a_source_is_given_what_the_journal_holds_of_it() -> None:
    told, journal = Told(), Journal()
    settled = Span(NOW - timedelta(hours=1), NOW)
    journal.commit("a", [], settled=settled)
    source = Scripted("a", [])
    await monitor(journal, told).follow([source])
    assert source.given == [Coverage((settled,))]
    assert source.closed


@pytest.mark.parametrize(
    ("machine", "service", "left"),
    [
        (timedelta(days=100), timedelta(), 2),
        (timedelta(), timedelta(days=100), 2),
        (timedelta(days=100), timedelta(days=100), 0),
        (timedelta(days=100), None, 2),
    ],
)
async def test_what_is_old_is_let_go_by_the_services_time(
    tmp_path: Path, machine: timedelta, service: timedelta | None, left: int
) -> None:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    class Lasting(Scripted):
        async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
            yield page("a", 1, 2)
            service_at = NOW + service if service is not None else None
            yield Status("a", "A", State.OK, at=NOW + machine, last_good_at=NOW + machine, service_at=service_at)
            while len(slept) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0)

    slept: list[float] = []
    told, journal = Told(), Journal(tmp_path / FILE_NAME)
    watching = Monitor(journal, deliver=told.deliver, selects=lambda _: False, now=lambda: NOW + machine, sleep=sleep)
    await watching.follow([Lasting("a")])
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        assert db.execute("SELECT count(*) FROM events").fetchone() == (left,)
    journal.close()


async def test_a_fault_in_one_source_is_said_and_survived() -> None:
    told, journal = Told(), Journal()
    faulty = Scripted("a", [page("a", 1), ValueError("a bug\nof two lines")], [page("a", 1, 2)])
    await monitor(journal, told).follow([faulty, Scripted("b", [page("b", 3)])])
    assert sorted(told.ids) == [1, 2, 3]
    (status,) = [status for delivery in told.deliveries for status in delivery.statuses]
    assert status.state is State.FAILING
    assert "ValueError: a bug" in status.message
    assert "\n" not in status.message


async def test_a_fault_of_the_receiver_is_not_hidden() -> None:
    async def deliver(delivery: Delivery) -> None:
        raise BrokenPipeError

    watching = Monitor(Journal(), deliver=deliver, selects=lambda _: False, now=lambda: NOW)
    with pytest.raises(BaseExceptionGroup) as caught:
        await watching.follow([Scripted("a", [page("a", 1)])])
    assert caught.group_contains(BrokenPipeError)


async def test_a_page_of_thousands_is_handed_on_in_slices() -> None:
    told, journal = Told(), Journal()
    await monitor(journal, told).follow([Scripted("a", [page("a", *range(1, 1201))])])
    assert max(len(delivery.arrivals) for delivery in told.deliveries) <= 250
    assert told.ids == list(range(1, 1201))


@pytest.mark.parametrize("alone", [True, False])
async def test_what_is_handed_on_in_slices_says_of_all_but_the_last_that_more_follows(alone: bool) -> None:
    told, journal = Told(), Journal()
    watching = Monitor(
        journal, deliver=told.deliver, selects=lambda _: False, now=lambda: NOW, sleep=told.sleep, alone=alone
    )
    await watching.follow([Scripted("a", [page("a", *range(1, 1_201)), page("a", 1_201)])])
    slices = [len(delivery.arrivals) for delivery in told.deliveries]
    assert slices == ([1_000, 200, 1] if alone else [200] * 6 + [1])
    assert [delivery.more for delivery in told.deliveries] == [*[True] * (len(slices) - 2), False, False]


async def test_of_what_the_journal_held_a_screen_is_told_that_more_follows_until_all_has_been_handed_on() -> None:
    journal, told = Journal(), Told()
    await monitor(journal, Told()).follow([Scripted("a", [page("a", *range(1, 601))])])
    await monitor(journal, told).past.recall(NOW - timedelta(hours=1), limit=600)
    assert [bool(delivery.arrivals) for delivery in told.deliveries] == [delivery.more for delivery in told.deliveries]
    assert not told.deliveries[-1].more


async def test_records_of_other_services_are_left_out_unless_a_rule_wants_them() -> None:
    stop_logging = Found(records.raw(records.read(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")))
    other = Found(records.raw(records.read(eventSource="ec2.amazonaws.com", eventName="RunInstances", eventID="x")))
    told = Told()
    watching = monitor(Journal(), told, selects=lambda arrival: arrival.event.name == "StopLogging")
    await watching.follow([Scripted("a", [Page("a", SeenBy.LOGS, (stop_logging, other), NOW)])])
    assert [arrival.event.name for delivery in told.deliveries for _, arrival in delivery.arrivals] == ["StopLogging"]


async def test_a_source_that_asks_is_told_which_records_are_new_to_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / FILE_NAME)
    watching = monitor(journal, Told(), selects=lambda arrival: arrival.event.id.endswith("9"))
    other = Found(records.raw(records.call("RunInstances", id="event-9", eventSource="ec2.amazonaws.com")))
    asking = page("a", 1, 2, 3)
    asking = msgspec.structs.replace(asking, found=(*asking.found, other), receipt=Receipt())
    await watching.follow([Scripted("b", [page("b", 2)]), Scripted("a", [asking])])
    assert asking.receipt == Receipt(frozenset((asking.found[0].raw, asking.found[2].raw)))
    # when a journal has been lost, all is new to the next one
    (tmp_path / FILE_NAME).unlink()
    asking = msgspec.structs.replace(asking, receipt=Receipt())
    await watching.follow([Scripted("a", [page("a", 4), asking])])
    assert asking.receipt == Receipt()
    journal.close()


async def test_what_is_no_record_is_delivered_as_unreadable_once() -> None:
    told, journal = Told(), Journal()
    torn = Page("a", SeenBy.LOGS, (Found('{"eventName": "GetSec'), Found('{"eventName": "GetSec')), NOW)
    await monitor(journal, told).follow([Scripted("a", [torn])])
    ((_, arrival),) = [each for delivery in told.deliveries for each in delivery.arrivals]
    assert arrival.raw == '{"eventName": "GetSec'
    assert arrival.event.failed


def size_limited(journal: Journal, limited: bool) -> None:
    """Let SQLite find no room for another page, as on a full disk, or plenty."""
    pages = journal._write.execute("PRAGMA page_count").fetchone()[0] if limited else 1 << 30
    journal._write.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / FILE_NAME)
    yield journal
    journal.close()


async def test_on_a_full_disk_what_is_new_is_shown_all_the_same_and_said_to_be_unkept(journal: Journal) -> None:
    told = Told()
    size_limited(journal, True)
    settled = Span(NOW - timedelta(hours=1), NOW)
    pages = [page("a", *range(1, 31), settled=settled), page("a", *range(20, 41))]
    await monitor(journal, told).follow([Scripted("a", pages)])
    assert told.ids == list(range(1, 41))
    assert {seq for delivery in told.deliveries for seq, _ in delivery.arrivals} == {NOT_KEPT}
    assert told.states == [State.FAILING]
    assert "database or disk is full" in told.messages[0]
    assert "shown all the same" in told.messages[0]
    assert journal.coverage("a") == Coverage()
    assert journal.last_seq() == 0


async def test_what_a_full_disk_refused_is_kept_as_soon_as_there_is_room(journal: Journal) -> None:
    told = Told()
    size_limited(journal, True)
    settled = Span(NOW - timedelta(hours=1), NOW)

    async def sleep(seconds: float) -> None:
        if told.states:
            size_limited(journal, False)
        await asyncio.sleep(0)

    pages = [page("a", *range(1, 31)), page("a", *range(20, 41), settled=settled)]
    watching = Monitor(journal, deliver=told.deliver, selects=lambda _: False, now=lambda: NOW, sleep=sleep)
    await watching.follow([Scripted("a", pages)])
    assert told.states == [State.FAILING, State.OK]
    assert set(told.ids) == set(range(1, 41))
    assert journal.coverage("a").settled == (settled,)
    kept = {seq: arrival.event.id for each in told.deliveries for seq, arrival in each.arrivals if seq != NOT_KEPT}
    assert len(kept) == journal.last_seq() == 40
    assert max(delivery.upto or 0 for delivery in told.deliveries) == 40


async def test_what_a_full_disk_refused_for_long_is_written_without_holding_up_the_screen(journal: Journal) -> None:
    told = Told()
    size_limited(journal, True)
    watching = monitor(journal, told)
    for number in range(50):
        await watching.take(page("a", number))
    waiting, turns = 50 - journal.last_seq(), 0

    async def paint() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    size_limited(journal, False)
    painting = asyncio.create_task(paint())
    await watching.keep_held()
    painting.cancel()
    assert journal.last_seq() == 50
    assert turns >= waiting > 30


async def test_who_is_interrupted_while_it_writes_what_was_held_hands_all_of_it_on_next_time(journal: Journal) -> None:
    told = Told()
    size_limited(journal, True)
    watching = monitor(journal, told)
    for number in range(10):
        await watching.take(page("a", number))
    size_limited(journal, False)
    writing = asyncio.create_task(watching.keep_held())
    while not journal.last_seq():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    assert writing.cancelled()
    await watching.keep_held()
    kept = [seq for each in told.deliveries for seq, _ in each.arrivals if seq != NOT_KEPT]
    assert kept == list(range(1, 11))


async def test_who_ends_it_has_written_what_there_is_room_for_by_then(journal: Journal) -> None:
    told, handed = Told(), asyncio.Event()
    size_limited(journal, True)

    class Endless(Scripted):
        async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
            yield page("a", *range(1, 31))
            handed.set()
            await asyncio.Event().wait()

    watching = asyncio.create_task(monitor(journal, told).follow([Endless("a")]))
    await handed.wait()
    assert journal.last_seq() == 0
    size_limited(journal, False)
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled()
    assert journal.last_seq() == 30
    assert {seq for each in told.deliveries for seq, _ in each.arrivals if seq != NOT_KEPT} == set(range(1, 31))


async def test_a_source_is_shown_as_complete_only_as_far_as_the_journal_holds_what_proves_it(journal: Journal) -> None:
    told, hour = Told(), timedelta(hours=1)

    def known(hours: int) -> list[Page | Status]:
        status = Status("a", "A", State.OK, complete_to=NOW + hours * hour)
        return [page("a", hours, settled=Span(NOW, NOW + hours * hour)), status]

    watching = monitor(journal, told)

    class OnAFullDisk(Scripted):
        async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
            for item in known(1):
                yield item
            size_limited(journal, True)
            for item in [page("a", *range(10, 60)), *known(2)]:
                yield item
            size_limited(journal, False)
            await watching.keep_held()
            for item in known(3):
                yield item

    await watching.follow([OnAFullDisk("a")])
    statuses = [each for delivery in told.deliveries for each in delivery.statuses if each.source == "a"]
    assert [each.complete_to for each in statuses] == [NOW + hour, NOW + hour, NOW + 3 * hour]
    assert 2 in told.ids


async def test_a_journal_that_stays_full_holds_no_more_than_its_limit_and_claims_nothing(journal: Journal) -> None:
    told = Told()
    size_limited(journal, True)
    pages = [
        page("a", *range(start, start + 40), settled=Span(NOW + start * SECOND, NOW + (start + 40) * SECOND))
        for start in range(0, 400, 40)
    ]
    noted = Noted(audited=Audited(due_at=NOW), swept=(Span(NOW - SECOND, NOW),))
    pages = [msgspec.structs.replace(each, noted=noted) for each in pages]
    watching = Monitor(
        journal,
        deliver=told.deliver,
        selects=lambda _: False,
        now=lambda: NOW,
        sleep=told.sleep,
        upkeep=Upkeep(capacity=90),
    )
    await watching.follow([Scripted("a", pages)])
    assert told.ids == list(range(400))
    size_limited(journal, False)
    await watching.follow([Scripted("a")])
    assert journal.last_seq() == 80
    assert journal.coverage("a") == Coverage()  # they may prove a time whose records were let go
    later = Span(NOW + timedelta(hours=2), NOW + timedelta(hours=5))
    await watching.follow([Scripted("a", [page("a", settled=later)])])
    assert journal.coverage("a").settled == (Span(NOW + timedelta(hours=3), later.end),)


async def test_while_another_process_writes_what_is_new_is_shown_and_nothing_said(journal: Journal) -> None:
    assert journal.path is not None
    told, locked = Told(), sqlite3.connect(journal.path, isolation_level=None)
    journal._write.execute("PRAGMA busy_timeout = 0")
    locked.execute("BEGIN IMMEDIATE")

    async def deliver(delivery: Delivery) -> None:
        await told.deliver(delivery)
        if locked.in_transaction:
            locked.execute("COMMIT")

    watching = Monitor(journal, deliver=deliver, selects=lambda _: False, now=lambda: NOW, sleep=told.sleep)
    await watching.follow([Scripted("a", [page("a", 1, 2)])])
    assert [[seq for seq, _ in delivery.arrivals] for delivery in told.deliveries] == [[NOT_KEPT, NOT_KEPT], [1, 2]]
    locked.close()


async def test_a_journal_that_is_deleted_while_running_is_begun_anew(journal: Journal) -> None:
    assert journal.path is not None
    told = Told()
    watching = monitor(journal, told)
    await watching.follow([Scripted("a", [page("a", 1)])])
    for part in journal.path.parent.iterdir():
        part.unlink()

    proven_later = page("a", settled=Span(NOW - timedelta(hours=1), NOW))
    await watching.follow([Scripted("b", [page("b", 1, 2)]), Scripted("a", [proven_later])])
    assert any("moved or deleted" in message for message in told.messages)
    assert set(told.ids) == {1, 2}
    other = Journal(journal.path)
    assert other.last_seq() == 2
    assert other.coverage("a") == Coverage()  # what a handed over before is not in there
    other.close()


async def test_the_mark_of_a_journal_begun_anew_stays_and_says_why(journal: Journal) -> None:
    assert journal.path is not None
    told, hour = Told(), timedelta(hours=1)
    watching = monitor(journal, told)

    def complete_to(mark: datetime) -> list[Page | Status]:
        return [page("a", 1, settled=Span(NOW - hour, mark)), Status("a", "A", State.OK, complete_to=mark)]

    await watching.follow([Scripted("a", complete_to(NOW))])
    for part in journal.path.parent.iterdir():
        part.unlink()
    await watching.follow([Scripted("a", complete_to(NOW + hour))])
    status = [each for delivery in told.deliveries for each in delivery.statuses if each.source == "a"][-1]
    assert status.complete_to == NOW
    assert status.message == "a new journal was begun: the mark of completeness goes on from 17:00Z"
    other = Journal(journal.path)
    assert other.coverage("a") == Coverage(lost_to=NOW)
    other.close()


async def test_a_journal_damaged_while_running_is_set_aside_and_watching_goes_on(tmp_path: Path) -> None:
    told, path = Told(), tmp_path / FILE_NAME
    journal = Journal(path)
    watching = monitor(journal, told)
    await watching.follow([Scripted("a", [page("a", 1)])])
    journal._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    journal._write.execute("PRAGMA cache_size = 0")
    journal._write.execute("PRAGMA shrink_memory")
    await watching.follow([Scripted("b", [page("b", *range(2, 200))])])
    assert told.ids == list(range(1, 200))
    assert list(tmp_path.glob("*.corrupt-*"))
    journal.close()


async def test_events_of_another_process_are_delivered_too(tmp_path: Path) -> None:
    told = Told()
    ours, theirs = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    await monitor(theirs, Told()).follow([Scripted("a", [page("a", 1, 2)])])
    await monitor(ours, told).follow([Scripted("a", [page("a", 2, 3)])])
    assert told.ids == [1, 2, 3]
    ours.close()
    theirs.close()


async def test_reading_once_returns_the_last_word_of_each_source() -> None:
    done = Status("a", "A", State.DONE)
    denied = Status("b", "B", State.DENIED, "no permission")
    told = Told()
    last = await monitor(Journal(), told).read_once([Scripted("a", [page("a", 1), done]), Scripted("b", [denied])])
    assert last == {"a": done, "b": denied}
    assert told.ids == [1]


DOUBTFUL = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:my-AbCdEf"
"""Complete for the secret `my`, or without its suffix for `my-AbCdEf`."""


def secret_page(*read: tuple[str, int]) -> Page:
    """Reads of secrets by (name or ARN, number)."""
    found = tuple(
        Found(records.raw(records.read(name, eventID=f"00000000-0000-4000-8000-{number:012d}")))
        for name, number in read
    )
    return Page("a", SeenBy.CLOUDTRAIL, found, NOW)


@pytest.mark.parametrize(("each", "settled"), [(450, [600, 1200, 1200]), (10_000, [1200])])
async def test_alarms_of_what_is_past_are_worked_out_for_many_events_together(
    each: int, settled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "TOGETHER", each)
    told, done = Told(), Status("a", "a", State.DONE, at=NOW)
    pages = [page("a", *range(1, 401)), page("a", *range(401, 601)), page("a", *range(601, 1201))]
    await monitor(Journal(), told).read_once([Scripted("a", [*pages, done])], together=True)
    handed_on = [*accumulate(len(delivery.arrivals) for delivery in told.deliveries)]
    assert [count for count, each in zip(handed_on, told.deliveries, strict=True) if not each.more] == settled
    assert not told.deliveries[-1].more


async def test_what_a_page_teaches_about_names_sets_right_what_was_read_before() -> None:
    told = Told()
    watching = monitor(Journal(), told)
    await watching.read_once([Scripted("a", [secret_page((DOUBTFUL, 1), ("my-AbCdEf", 2), ("my", 3))])])
    store = Store()
    for delivery in told.deliveries:
        store.fold(delivery.renamed)
        store.add([arrival for _, arrival in delivery.arrivals])
    names = {int(event.id[-12:]): event.secret.name for event in store.events if event.secret}
    assert names == {1: "my-AbCdEf", 2: "my-AbCdEf", 3: "my"}
    assert {secret.name: dossier.events for secret, dossier in store.secrets.items()} == {"my-AbCdEf": 2, "my": 1}


async def test_what_a_later_page_teaches_about_names_is_told_before_its_events() -> None:
    told = Told()
    watching = monitor(Journal(), told)
    await watching.read_once([Scripted("a", [secret_page((DOUBTFUL, 1)), secret_page(("my-AbCdEf", 2))])])
    assert [bool(delivery.renamed) for delivery in told.deliveries] == [False, True, False]
    ((wrong, right),) = told.deliveries[1].renamed
    assert (wrong.name, right.name) == ("my", "my-AbCdEf")


async def test_events_read_again_from_the_journal_are_set_right_too() -> None:
    journal, told = Journal(), Told()
    await monitor(journal, told).read_once([Scripted("a", [secret_page((DOUBTFUL, 1), ("my-AbCdEf", 2))])])
    again = Reading(journal, Reader()).stored(journal.untold(datetime(1970, 1, 1, tzinfo=UTC), 99))
    assert [arrival.event.secret and arrival.event.secret.name for _, arrival in again] == ["my-AbCdEf", "my-AbCdEf"]


@pytest.mark.parametrize("backwards", [False, True])
async def test_what_the_journal_held_is_handed_on_either_way_and_no_more_than_asked_for(backwards: bool) -> None:
    journal, told = Journal(), Told()
    await monitor(journal, Told()).follow([Scripted("a", [page("a", *range(1, 601))])])
    await monitor(journal, told).past.recall(NOW - timedelta(hours=1), limit=400, backwards=backwards)
    oldest_first = list(range(201, 601))
    assert told.ids == (oldest_first[::-1] if backwards else oldest_first)


async def test_what_was_watched_is_told_once_its_events_have_been_handed_on() -> None:
    journal, told = Journal(), Told()
    hours = [Span(NOW - timedelta(hours=n + 1), NOW - timedelta(hours=n)) for n in range(4)]
    pages = [page("a", *range(1, 601), settled=hours[0]), page("a", settled=hours[1]), page("a", 601, settled=hours[3])]
    await monitor(journal, told).follow([Scripted("a", pages)])
    assert [delivery.watched for delivery in told.deliveries if delivery.watched] == [
        (Watched("a", (hours[n],)),) for n in (0, 1, 3)
    ]
    parts = [(len(delivery.arrivals), bool(delivery.watched)) for delivery in told.deliveries]
    assert parts == [(200, False), (200, False), (200, True), (0, True), (1, True)]


async def test_what_the_journal_says_was_watched_is_told_as_far_as_its_events_are() -> None:
    journal, told = Journal(), Told()
    hour = timedelta(hours=1)
    pages = [page("a", *range(1, 11), settled=Span(NOW - 9 * hour, NOW)), page("a", settled=Span(NOW, NOW + hour))]
    await monitor(journal, Told()).follow([Scripted("a", pages), Scripted("b", [page("b", 11)])])
    await monitor(journal, told).past.recall(NOW - 2 * hour, limit=400)
    assert told.deliveries[-1].watched == (Watched("a", (Span(NOW - 2 * hour, NOW + hour),)),)
    await monitor(journal, told).past.recall(NOW - 2 * hour, limit=3)
    assert told.deliveries[-1].watched == (Watched("a", (Span(records.AT + SECOND, NOW + hour),)),)
    assert sum(bool(delivery.watched) for delivery in told.deliveries) == 2


async def test_what_another_process_has_read_whole_is_told_once_after_its_events(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME)
    hour = timedelta(hours=1)
    first, second, own = (Span(NOW - n * hour, NOW - (n - 1) * hour) for n in (5, 4, 1))
    theirs.commit("a", [], settled=first)

    class Patient(Told):
        """Waits until another look at the journal would have told something twice."""

        def __init__(self) -> None:
            super().__init__()
            self.over = asyncio.Event()
            self._more = 20

        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if sum(bool(delivery.watched) for delivery in self.deliveries) >= 3:
                self._more -= 1
            if not self._more:
                self.over.set()

    told = Patient()

    class Beside(Scripted):
        """Reads an hour, and goes on while another process reads one, too."""

        async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
            yield page("b", 1, settled=own)
            await monitor(theirs, Told()).follow([Scripted("a", [page("a", 2, settled=second)])])
            await told.over.wait()

    watching = monitor(ours, told)
    await watching.past.recall(NOW - 6 * hour, limit=400)
    await watching.follow([Beside("b")])
    assert [delivery.watched for delivery in told.deliveries if delivery.watched] == [
        (Watched(source, (span,)),) for source, span in (("a", first), ("b", own), ("a", second))
    ]
    assert [
        (arrival.event.id[-1:], bool(each.watched)) for each in told.deliveries for _, arrival in each.arrivals
    ] == [
        ("1", True),
        ("2", True),
    ]
    ours.close()
    theirs.close()


async def test_of_a_log_group_nothing_was_watched_that_may_be_delivered_yet() -> None:
    journal, told = Journal(), Told()
    group, hour, late = "logs:1:eu-west-1:trail", timedelta(hours=1), timedelta(minutes=10)
    ends = [timedelta(minutes=minutes) for minutes in (5, 15, 20)]
    starts = [-hour, *ends]
    pages = [page(group, settled=Span(NOW + start, NOW + end)) for start, end in zip(starts, ends, strict=False)]
    await monitor(journal, told).follow([Scripted(group, pages)])
    watched = [span for delivery in told.deliveries for each in delivery.watched for span in each.spans]
    assert watched == [
        Span(NOW + (start - late if start in ends else start), NOW + end - late)
        for start, end in zip(starts, ends, strict=False)
    ]
    again = Told()
    await monitor(journal, again).past.recall(NOW - 2 * hour, limit=400)
    assert again.deliveries[-1].watched == (Watched(group, (Span(NOW - hour, NOW + late),)),)


async def test_of_a_time_whose_events_were_deleted_nothing_is_said_to_have_been_watched() -> None:
    journal, told, day = Journal(), Told(), timedelta(days=1)
    journal.commit("a", [], settled=Span(NOW - 30 * day, NOW))
    keeping = Monitor(journal, deliver=told.deliver, selects=lambda _: False, now=lambda: NOW, upkeep=Upkeep(7 * day))
    await keeping.past.recall(NOW - 14 * day, limit=400)
    assert told.deliveries == [Delivery(watched=(Watched("a", (Span(NOW - 7 * day, NOW),)),))]


async def test_what_was_watched_is_known_as_long_as_the_events_of_it_are_not_deleted() -> None:
    journal, told, day = Journal(), Told(), timedelta(days=1)
    await monitor(journal, Told()).follow([Scripted("a", [page("a", 1, settled=Span(NOW - 30 * day, NOW + day))])])
    (first,) = (row.at for row in journal.between(NOW - 30 * day, NOW + day))
    later = first + 10 * day
    keeping = Monitor(journal, deliver=told.deliver, selects=lambda _: False, now=lambda: later, upkeep=Upkeep(7 * day))
    await keeping.past.recall(NOW - 14 * day, limit=400)
    assert [each.spans for each in told.deliveries[-1].watched] == [(Span(first, NOW + day),)]
