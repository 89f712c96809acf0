"""CloudTrail's event history over the wire."""

from __future__ import annotations

import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from smwatch.events.event import UNREADABLE, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.scope import in_scope
from smwatch.sources.agenda import OLDER
from smwatch.sources.clock import LocalClock
from smwatch.sources.cloudtrail import SCHEDULE, cloudtrail_source, row_of
from smwatch.sources.coverage import Coverage, Gap, Span
from smwatch.sources.pace import Paces
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, State, Status
from smwatch.sources.tail import Tail
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.records import record
from tests.sources.hurry import Hurry, follow
from tests.sources.reading import read

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**period: float) -> datetime:
    return NOW - timedelta(**period)


async def source_of(session: AwsSession, *, since: datetime | None = None, **options: Any) -> Tail:
    return await cloudtrail_source(session, None, since or ago(hours=1), paces=Paces(), rate=1000, **options)


async def test_everything_since_is_handed_over_once_and_untouched(history: LookupEvents, session: AwsSession) -> None:
    records = [record(ago(seconds=20 * n)) for n in range(170)]
    history.region().add(records)
    found, last, _ = await read(await source_of(session))
    assert last.state is State.DONE
    by_id = {one["eventID"]: one for one in found}
    assert len(found) == len(by_id)
    assert by_id == {one["eventID"]: one for one in records}


async def test_requests_are_what_the_strict_service_accepts(history: LookupEvents, session: AwsSession) -> None:
    history.region().add(record(ago(minutes=n)) for n in range(60))
    source = await source_of(session)
    await read(source)
    assert all(call["answer"] == "ok" for call in history.calls)
    assert all("smwatch/" in call["user_agent"] for call in history.calls)
    assert {call["region"] for call in history.calls} == {"eu-west-1"}
    assert source.name.startswith("cloudtrail:unknown-")
    assert source.region == "eu-west-1"


@pytest.mark.parametrize("cursors", [False, True])
async def test_two_hundred_events_in_one_second_cross_page_borders(
    history: LookupEvents, session: AwsSession, cursors: bool
) -> None:
    history.region().cursors = cursors
    burst = [record(ago(minutes=90)) for _ in range(200)]
    history.region().add(burst)
    found, last, coverage = await read(await source_of(session, since=ago(hours=2)))
    assert len(found) == 200
    assert last.complete_to is not None
    assert last.complete_to > ago(minutes=90)
    assert coverage.holds(ago(minutes=90))


async def test_empty_and_sparse_pages_are_not_the_end(history: LookupEvents, session: AwsSession) -> None:
    history.region().sparse = True
    history.region().add(record(ago(minutes=n / 4)) for n in range(200))
    found, last, _ = await read(await source_of(session))
    assert len(found) == 200
    assert last.state is State.DONE


async def test_a_second_reading_finds_what_came_late_to_the_first(history: LookupEvents, session: AwsSession) -> None:
    history.region().add([record(ago(minutes=30))])
    found, _, coverage = await read(await source_of(session, since=ago(minutes=40)))
    assert len(found) == 1
    late = record(ago(minutes=50))
    history.region().add([late])
    found, _, _ = await read(await source_of(session, since=ago(minutes=5)), coverage)
    assert late["eventID"] in {one["eventID"] for one in found}


@pytest.mark.parametrize("ahead", [100, -100])
async def test_one_answer_with_another_time_gives_nothing_up(
    history: LookupEvents, session: AwsSession, ahead: int
) -> None:
    history.region().add(record(ago(minutes=n)) for n in range(60))
    history.wrong_dates.append(NOW + timedelta(days=ahead))
    found, last, coverage = await read(await source_of(session))
    assert len(found) == 60
    assert last.gaps == coverage.gaps == ()
    assert last.complete_to is not None
    assert last.complete_to <= datetime.now(UTC)


@pytest.mark.parametrize("since", [timedelta(minutes=80), timedelta(days=80)])
async def test_a_machine_whose_clock_is_far_ahead_gives_nothing_up(
    history: LookupEvents, session: AwsSession, since: timedelta
) -> None:
    history.region().add(record(ago(minutes=n)) for n in range(60))
    early = await source_of(
        session, since=NOW - since, local=LocalClock(lambda: datetime.now(UTC) + timedelta(days=100))
    )
    found, last, coverage = await read(early)
    assert len({one["eventID"] for one in found}) == 60
    assert last.gaps == coverage.gaps == ()
    assert all(span.end <= datetime.now(UTC) for span in coverage.settled)


@pytest.mark.parametrize("end", [timedelta(days=10), -timedelta(minutes=5)])
async def test_a_gap_that_a_wrong_clock_wrote_is_none(
    history: LookupEvents, session: AwsSession, end: timedelta
) -> None:
    history.region().add([record(ago(minutes=30))])
    gap = Gap(Span(ago(hours=1), NOW + end), f"{OLDER} (from 2026-12-08 13:23Z on)")
    found, last, _ = await read(await source_of(session), Coverage(gaps=(gap,)))
    assert len(found) == 1
    assert last.gaps == ()


async def test_a_gap_that_is_true_stays(history: LookupEvents, session: AwsSession) -> None:
    gaps = (
        Gap(Span(ago(days=100), ago(days=89, hours=23)), f"{OLDER} (from then on)"),
        Gap(Span(ago(hours=3), ago(hours=2)), "unreadable"),
    )
    _, last, _ = await read(await source_of(session, since=ago(days=99)), Coverage(gaps=gaps))
    assert last.gaps == gaps


async def test_what_is_too_old_is_given_up_though_the_service_tells_no_time(
    history: LookupEvents, session: AwsSession
) -> None:
    history.region().add([record(ago(minutes=30))])
    history.dated = False
    found, last, _ = await read(await source_of(session, since=ago(days=95)))
    assert len({one["eventID"] for one in found}) == 1
    assert [OLDER in gap.reason for gap in last.gaps] == [True]


@pytest.mark.parametrize("ahead", [0, 100])
async def test_what_follows_gives_nothing_up_by_a_wrong_clock(
    history: LookupEvents, session: AwsSession, ahead: int
) -> None:
    quick = msgspec.structs.replace(SCHEDULE, sweep_every=timedelta(milliseconds=20))
    history.wrong_dates += [] if ahead else [NOW, NOW, NOW + timedelta(days=100), NOW, NOW + timedelta(days=-100)]
    source = await source_of(
        session, schedule=quick, local=LocalClock(lambda: datetime.now(UTC) + timedelta(days=ahead))
    )
    async with aclosing(source.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Status):
                assert item.gaps == ()
                if item.state is State.OK and len(history.calls) > 8:
                    break
                source.poll_now()


async def test_what_comes_with_a_time_long_before_ours_is_as_good_as_not_read(
    history: LookupEvents, session: AwsSession
) -> None:
    history.region().add([record(ago(minutes=30))])
    history.wrong_dates.append(NOW - timedelta(days=100))
    source = await source_of(session)
    async with aclosing(source.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Status):
                assert item.last_good_at is None
            else:
                assert not item.found
                assert not item.settled
            if len(history.calls) == 1:
                history.faults.append({"error": "InternalFailure", "status": 500, "times": 99})
            if len(history.calls) > 2:
                break
            source.poll_now()


async def test_following_shows_new_events_as_they_become_visible(history: LookupEvents, session: AwsSession) -> None:
    quick = msgspec.structs.replace(SCHEDULE, sweep_every=timedelta(milliseconds=20))
    flow = (await source_of(session, schedule=quick)).follow(Coverage())
    states = []
    async for item in flow:
        if isinstance(item, Status):
            if item.state is State.OK and State.OK not in states:
                history.region().add([record(ago(minutes=2), "DeleteSecret")])
            states.append(item.state)
        elif item.found:
            assert [json.loads(one.raw)["eventName"] for one in item.found] == ["DeleteSecret"]
            break
    await flow.aclose()
    assert states[0] in (State.STARTING, State.CATCHING_UP)
    assert State.OK in states


@pytest.mark.parametrize(
    ("bare", "lacking"),
    [
        (True, frozenset()),
        (False, {"eventName"}),
        (False, {"eventSource"}),
        (False, {"eventName", "eventSource"}),
        (False, {"eventID"}),
        (False, {"eventTime"}),
    ],
)
async def test_what_a_record_lacks_is_told_by_the_wrapper_around_it(
    history: LookupEvents, session: AwsSession, bare: bool, lacking: frozenset[str]
) -> None:
    happened = record(ago(minutes=3), sourceIPAddress="203.0.113.7")
    history.region().add([happened])
    history.region().bare, history.region().lacking = bare, frozenset(lacking)
    items = [item async for item in (await source_of(session)).read_once(Coverage())]
    (found,) = (found for item in items if isinstance(item, Page) for found in item.found)
    arrival = Reader().read(found.raw, seen_by=SeenBy.CLOUDTRAIL, seen_at=NOW, at=found.at)
    assert in_scope(arrival.event)
    assert (arrival.event.name, arrival.event.id) == ("GetSecretValue", happened["eventID"])
    assert arrival.event.at == ago(minutes=3)
    assert arrival.event.source_ip == ("" if bare else "203.0.113.7")


@pytest.mark.parametrize("text", ['{"eventName": "Get', "[]", "12", ""])
async def test_a_record_that_is_none_is_kept_as_it_came_and_called_unreadable(text: str) -> None:
    row = row_of(
        {"EventId": "1", "EventTime": NOW, "EventSource": "secretsmanager.amazonaws.com", "CloudTrailEvent": text}
    )
    assert row.found.raw == text
    assert Reader().read(text, seen_by=SeenBy.CLOUDTRAIL, seen_at=NOW).event.name == UNREADABLE


async def test_the_last_second_that_there_is_ends_nothing(
    history: LookupEvents, session: AwsSession, hurry: Hurry
) -> None:
    latest = datetime.max.replace(microsecond=0, tzinfo=UTC)
    given = [record(NOW), *(record(latest) for _ in range(60))]
    history.region().add(given)
    source = await cloudtrail_source(session, None, ago(hours=1), **hurry.options())
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK)
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == sorted(one["eventID"] for one in given)
