"""What the journal held is shown first, and judged behind it, by rules that take over then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.filter import Context, parse
from smwatch.journal import FILE_NAME, Journal, JournalCorruptError, JournalError, Stored
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.rules.engine import Engine
from smwatch.running.parts import Parts
from smwatch.settings import Settings
from smwatch.sources.source import State
from smwatch.store.store import Store
from smwatch.store.view import View
from tests import records
from tests.records import AT, arn
from tests.rules.judging import arrivals

SINCE = AT - timedelta(hours=1)
READS = [records.read(f"prod/{n % 9}", at=AT + timedelta(seconds=n), id=f"read-{n}") for n in range(1_500)]
DELETED = records.read_deleted("prod/gone", at=AT + timedelta(seconds=700))


def filled(folder: Path, given: Sequence[Record]) -> None:
    """Have a journal there that holds these."""
    reader = Reader()
    with closing(Journal(folder / FILE_NAME)) as journal:
        journal.commit("logs", [reader.read(records.raw(each), seen_by=SeenBy.LOGS, seen_at=AT) for each in given])


async def refilled(
    folder: Path, *, meanwhile: Callable[[Parts[Store], Delivery], None] = lambda *_: None
) -> tuple[Parts[Store], list[Delivery]]:
    """A store with what the journal there holds, once the rules have taken over; and what it was told."""
    parts, told = Parts(Settings(state_dir=str(folder)), Store, remember=True), list[Delivery]()
    parts.store.recall()
    parts.store.judged_elsewhere = True

    async def deliver(delivery: Delivery) -> None:
        _, alarms = delivery.into(parts.store)
        told.append(delivery)
        parts.keep(tuple(alarms.values()))
        meanwhile(parts, delivery)

    await parts.monitor(deliver, alone=False).past.refill(SINCE, 10_000, parts.successor)
    assert not parts.store.judged_elsewhere
    return parts, told


def deletion(parts: Parts[Store]) -> Alarm:
    (alarm,) = [alarm for alarm in parts.store.alarms.values() if alarm.rule == "SMW-DEL-01"]
    return alarm


async def test_what_is_decided_while_the_rules_learn_holds_once_they_have_taken_over(tmp_path: Path) -> None:
    filled(tmp_path, [*READS, DELETED])
    first, _ = await refilled(tmp_path)
    first.journal.close()
    assert deletion(first).open

    def acknowledge(parts: Parts[Store], delivery: Delivery) -> None:
        if any("judged" in status.progress for status in delivery.statuses) and deletion(parts).open:
            parts.store.acknowledge(deletion(parts).group, "looked at", AT + timedelta(hours=2))

    again, _ = await refilled(tmp_path, meanwhile=acknowledge)
    again.journal.close()
    assert (deletion(again).state, deletion(again).note) == (AlarmState.ACKNOWLEDGED, "looked at")


async def test_rules_judge_what_comes_after_they_have_taken_over_by_what_the_journal_held(tmp_path: Path) -> None:
    filled(tmp_path, [records.delete("prod/gone", at=AT)])
    parts, _ = await refilled(tmp_path)
    with closing(parts.journal):
        parts.store.add([records.arrival(DELETED)])
        assert deletion(parts).event_keys == (parts.store.events[-1].key,)


async def test_a_journal_that_cannot_be_read_to_the_end_leaves_nobody_without_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, [*READS, DELETED])

    def torn(*_: object, **__: object) -> Iterator[Stored]:
        raise JournalError("disk I/O error")

    monkeypatch.setattr(Journal, "recalled", torn)
    parts, told = await refilled(tmp_path)
    with closing(parts.journal):
        messages = [status.message for delivery in told for status in delivery.statuses if status.message]
        assert messages == ["can't read the journal (disk I/O error): older events are not judged"]
        parts.store.add([records.arrival(records.read_deleted("prod/late", at=AT + timedelta(hours=2), id="late"))])
        assert deletion(parts).secret == parts.store.events[-1].secret


async def test_what_was_shown_of_a_damaged_journal_is_judged_once_as_sources_bring_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, [*READS, DELETED])
    recalled = Journal.recalled

    def torn(*arguments: Any, **more: Any) -> Iterator[Stored]:
        yield from islice(recalled(*arguments, **more), 300)
        raise JournalCorruptError("database disk image is malformed")

    monkeypatch.setattr(Journal, "recalled", torn)
    parts, _ = await refilled(tmp_path)
    with closing(parts.journal):
        store, expected = parts.store, Store(engine=Engine(parts.engine.rules))
        shown, dossiers = tuple(store.events), {secret: each.events for secret, each in store.secrets.items()}
        assert not store.alarms
        for _ in range(2):
            store.add(arrivals([*READS, DELETED]))
        expected.add(arrivals([*READS, DELETED]))
        assert store.alarms == expected.alarms
        assert deletion(parts).count == 1
        assert (tuple(store.events), {secret: each.events for secret, each in store.secrets.items()}) == (
            shown,
            dossiers,
        )


async def test_a_secret_that_turns_out_to_be_another_is_that_one_in_events_and_alarms(tmp_path: Path) -> None:
    partial, known = arn("my-s3cReT")[:-7], arn("my-s3cReT")
    given = [records.read_deleted(partial, at=AT), records.read(known, at=AT - timedelta(seconds=9), id="known")]
    filled(tmp_path, given)
    parts, _ = await refilled(tmp_path)
    with closing(parts.journal):
        assert {event.secret for event in parts.store.events} == {deletion(parts).secret}


async def test_what_is_read_last_is_no_reason_to_take_an_alarm_that_was_kept_for_one_of_another_secret(
    tmp_path: Path,
) -> None:
    short, known = "my", "my-s3cReT"
    given = [
        records.read_deleted(short, at=AT),
        records.describe(known, at=AT + timedelta(seconds=10)),
        records.read_deleted(arn(known)[:-7], at=AT + timedelta(seconds=20)),
    ]
    filled(tmp_path, given)
    for _ in range(2):
        parts, _ = await refilled(tmp_path)
        parts.journal.close()
        alarms = [alarm for alarm in parts.store.alarms.values() if alarm.rule == "SMW-DEL-01"]
        assert {alarm.secret.name: alarm.count for alarm in alarms if alarm.secret} == {short: 1, known: 1}


async def test_what_shows_events_in_evidence_alone_has_them_bit_by_bit_once_the_rules_have_taken_over(
    tmp_path: Path,
) -> None:
    gone = [records.read_deleted("prod/gone", at=AT + timedelta(seconds=700 + n)) for n in range(5)]
    filled(tmp_path, [*READS, *gone])
    views, shown = list[View](), list[int]()

    def look(parts: Parts[Store], delivery: Delivery) -> None:
        if not views:
            parts.store.at_once = 2
            views.append(parts.store.view(parse("alarm", Context(record_of=lambda _: {}, levels=parts.store.levels))))
        if delivery.anew is not None:
            shown.append(len(views[0].rows))
            while parts.store.set_right():
                shown.append(len(views[0].rows))

    parts, _ = await refilled(tmp_path, meanwhile=look)
    parts.journal.close()
    assert max(after - before for before, after in pairwise(shown)) == 2
    assert {event.key for event in views[0].rows} == parts.store.levels.keys() >= set(deletion(parts).event_keys)


async def test_what_is_told_of_it_ends_with_it(tmp_path: Path) -> None:
    filled(tmp_path, [*READS, DELETED])
    parts, told = await refilled(tmp_path)
    parts.journal.close()
    said = [(status.state, status.progress) for delivery in told for status in delivery.statuses]
    assert said == [
        (State.CATCHING_UP, "1,000 of 1,501 shown"),
        (State.CATCHING_UP, "1,000 of 1,501 judged"),
        (State.DONE, ""),
    ]
