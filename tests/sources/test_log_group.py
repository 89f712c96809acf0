"""A log group over the wire whose events are ingested late, are found later, and fill many pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from smwatch.events.event import UNREADABLE, Event, SeenBy
from smwatch.journal import Journal
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.sources.coverage import Coverage, Lags
from smwatch.sources.logs import SCHEDULE, logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Found, Page, State
from smwatch.sources.tail import Tail
from tests.emulators.log_group import ARN, GROUP, LogGroupService
from tests.emulators.records import record
from tests.sources.hurry import Hurry, Watched, follow
from tests.sources.reading import opened, read

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def source_of(session: AwsSession, hurry: Hurry, **options: Any) -> Tail:
    return await logs_source(session, None, GROUP, NOW - HOUR, **hurry.options(hurry.local) | options)


async def test_pages_are_followed_for_ten_minutes_and_then_asked_for_anew(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    # at the end of the first window, which is not cut then
    held = [record(NOW - timedelta(minutes=18) + timedelta(seconds=n)) for n in range(12)]
    for one in held:
        log_group.put(one, datetime.fromisoformat(one["eventTime"]))
    log_group.page = 1

    def slowly(operation: str) -> None:
        hurry.slept += 130 if operation == "FilterLogEvents" else 0

    log_group.before_answer = slowly
    found, last, _ = await read(await source_of(session, hurry))
    assert last.state is State.DONE
    assert {one["eventID"] for one in found} == {one["eventID"] for one in held}
    asked = log_group.calls("FilterLogEvents")
    settling = [request for request in asked if request.get("endTime") == asked[0]["endTime"]]
    anew = [request["startTime"] for request in settling if "nextToken" not in request]
    assert 3 <= len(anew) <= 5, "after some pages, and again"
    moments = [int(datetime.fromisoformat(one["eventTime"]).timestamp() * 1000) for one in held]
    assert anew[1:] == sorted(anew[1:])
    assert {moment + 1 for moment in anew[1:]} <= set(moments), "from where it had come to"


class Late(NamedTuple):
    """A record that comes while the group is watched, and how long after its timestamp."""

    ingested: timedelta = timedelta()
    visible: timedelta = timedelta()

    async def followed(
        self, log_group: LogGroupService, hurry: Hurry, source: Tail, until: Callable[[Lags], bool]
    ) -> Watched:
        """Follow until the lags are so, and the record was handed over once."""

        def so(so_far: Watched) -> bool:
            if so_far.last.state is State.OK and not log_group.held:
                arrives = hurry.now() + timedelta(seconds=10)
                at = arrives - self.ingested
                log_group.put(record(NOW), at, ingested=arrives, visible=at + max(self))
            return until(so_far.coverage.lags)

        watched = await follow(source, so)
        assert len(watched.raw) == 1
        return watched


async def test_sweeps_reach_as_far_back_as_records_are_ingested_late(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    source = await source_of(session, hurry)
    late = Late(ingested=timedelta(seconds=49))
    watched = await late.followed(log_group, hurry, source, lambda lags: lags.sweep is not None)
    lag = watched.coverage.lags.sweep
    assert lag is not None
    assert 73 < lag.total_seconds() < 80, "half as much again"
    asked = len(log_group.calls("FilterLogEvents"))
    await follow(source, lambda _: len(log_group.calls("FilterLogEvents")) > asked + 4, coverage=watched.coverage)
    swept = [request for request in log_group.calls("FilterLogEvents")[asked:] if "endTime" not in request]
    assert hurry.now().timestamp() - swept[-1]["startTime"] / 1000 > 73, "also after a restart"


async def test_nothing_is_settled_sooner_than_records_are_ingested(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    source = await source_of(session, hurry)
    late = Late(ingested=timedelta(minutes=13))
    watched = await late.followed(log_group, hurry, source, lambda lags: lags.settle is not None)
    lags = watched.coverage.lags
    assert lags.settle == timedelta(minutes=19.5), "thirteen minutes, and half as much again"
    assert lags.settle_until is not None
    assert lags.settle_until - hurry.now() > timedelta(minutes=55), "for an hour, unless more are that late"
    again = await follow(source, lambda so_far: bool(so_far.coverage.settled), coverage=Coverage(lags=lags))
    assert lags.settle is not None
    assert hurry.now() - again.coverage.settled[-1].end > lags.settle


@pytest.mark.parametrize(
    ("at", "ingested"),
    [
        pytest.param(-30 * MINUTE, -10 * MINUTE, id="before anybody watched"),
        pytest.param(-30 * MINUTE, 2 * DAY, id="later than anybody could wait for"),
        pytest.param(-MINUTE, -MINUTE, id="at once"),
    ],
)
async def test_other_records_change_nothing(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry, at: timedelta, ingested: timedelta
) -> None:
    log_group.put(record(NOW), NOW + at, ingested=NOW + ingested, visible=NOW)
    source = await source_of(session, hurry)
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK and bool(so_far.raw))
    assert watched.coverage.lags == Lags()


async def test_what_can_be_found_long_after_it_was_ingested_widens_the_sweeps_as_well(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    late = Late(visible=timedelta(seconds=54))
    watched = await late.followed(
        log_group, hurry, await source_of(session, hurry), lambda lags: lags.sweep is not None
    )
    assert watched.coverage.lags.sweep is not None
    assert 75 <= watched.coverage.lags.sweep.total_seconds() < 90, "half as much again"
    assert watched.coverage.lags.settle is None


async def test_sweeps_that_are_far_apart_say_nothing_of_when_records_could_be_found(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    source = await source_of(session, hurry, schedule=msgspec.structs.replace(SCHEDULE, sweep_every=MINUTE))
    for n in range(300):
        at = hurry.now() + timedelta(seconds=n)
        log_group.put(record(at), at)
    watched = await follow(source, lambda so_far: len(so_far.raw) > 250)
    assert watched.coverage.lags == Lags()


def fill(log_group: LogGroupService, count: int = 30) -> list[str]:
    """One record each minute until now; their eventIDs, oldest first."""
    held = [record(NOW - MINUTE * n) for n in reversed(range(1, count + 1))]
    for one in held:
        log_group.put(one, datetime.fromisoformat(one["eventTime"]))
    return [one["eventID"] for one in held]


@pytest.mark.parametrize("known", [True, False], ids=["newest first", "refused by the endpoint"])
async def test_the_latest_come_first_on_a_screen(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    held = fill(log_group)
    log_group.page, log_group.knows_order = 7, known
    monkeypatch.setattr("smwatch.sources.logs.LATEST", 5)
    source = await source_of(session, hurry, latest_first=True)
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= len(held))
    seen = [json.loads(raw)["eventID"] for raw in watched.raw]
    assert sorted(seen) == sorted(held), "each once"
    assert (seen[:5] == held[-5:]) is known
    asked = log_group.calls("FilterLogEvents")
    assert [request["startFromHead"] for request in asked if "startFromHead" in request] == [False]
    assert asked[0]["startFromHead"] is False
    assert watched.last.message == ""


async def test_keys_that_have_expired_are_read_anew_when_their_file_changes_and_the_outage_is_filled(
    log_group: LogGroupService, aws_environment: Path, monkeypatch: pytest.MonkeyPatch, hurry: Hurry
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    file = aws_environment / ".aws" / "credentials"

    def sign_in(key: str) -> None:
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = example\n", encoding="utf-8")

    sign_in("AKIAOLD")
    held = fill(log_group)

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.OK and len(so_far.raw) == 30:
            log_group.expired_keys.add("AKIAOLD")
        if so_far.last.state is State.SIGN_IN and len(log_group.held) == 30:
            one = record(hurry.now())
            log_group.put(one, hurry.now())
            held.append(one["eventID"])
            sign_in("AKIANEW")
        return so_far.last.state is State.OK and len(so_far.raw) > 30

    async with opened() as session:
        watched = await follow(await source_of(session, hurry), until)
    assert watched.said(State.SIGN_IN) == [
        "the credentials have expired: renew them (`aws configure`); smwatch goes on by itself"
    ]
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == sorted(held)
    assert list(dict.fromkeys(log_group.keys)) == ["AKIAOLD", "AKIANEW"]
    assert watched.coverage.gaps == ()


async def test_an_hour_of_sleep_is_noticed_and_filled(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    held = fill(log_group)

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.OK and len(log_group.held) == 30:
            for _ in range(60):
                hurry.away += MINUTE
                one = record(hurry.now())
                log_group.put(one, hurry.now())
                held.append(one["eventID"])
        return so_far.last.state is State.OK and len(so_far.raw) >= 90

    watched = await follow(await source_of(session, hurry), until)
    assert "this machine was asleep for 60 min; reading what was missed" in watched.said(State.CATCHING_UP)
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == sorted(held)
    assert watched.coverage.gaps == ()


async def test_messages_that_are_no_records_count_each_by_its_own_time_whoever_shows_them(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    moments = [NOW - 40 * MINUTE, NOW - 20 * MINUTE]
    for at in (*moments, moments[1]):  # the last one came twice
        log_group.put("{cut off", at)
    delivered: list[Event] = []

    async def deliver(delivery: Delivery) -> None:
        delivered.extend(arrival.event for _, arrival in delivery.arrivals)

    with closing(Journal()) as journal:
        monitor = Monitor(journal, deliver=deliver, selects=lambda _: False, now=hurry.now)
        await monitor.read_once([await source_of(session, hurry, pattern="")])
        live = Page("live_tail:x", SeenBy.LIVE_TAIL, (Found("{cut off", moments[0]),), NOW)
        await monitor.take(live)
    assert [(event.name, event.at) for event in delivered] == [(UNREADABLE, at) for at in moments]


async def test_the_group_of_a_linked_account_has_its_retention_and_class_as_well(
    log_group: LogGroupService, session: AwsSession, hurry: Hurry
) -> None:
    arn = ARN.replace("123456789012", "999988887777")
    linked = {"logGroupName": GROUP, "arn": f"{arn}:*", "logGroupArn": arn, "retentionInDays": 1}
    log_group.linked.append(linked)
    held = fill(log_group)
    since = NOW - 3 * DAY
    found, last, coverage = await read(
        await logs_source(session, None, f"{arn}:*", since, **hurry.options(hurry.local))
    )
    assert sorted(one["eventID"] for one in found) == sorted(held)
    (gap,) = last.gaps
    assert gap in coverage.gaps
    assert gap.reason.startswith("older than what the service keeps")
    assert abs(gap.span.end - (NOW - timedelta(hours=23))) < 30 * MINUTE
    linked["logGroupClass"] = "INFREQUENT_ACCESS"
    _, last, _ = await read(await logs_source(session, None, arn, since, **hurry.options(hurry.local)))
    assert "is of class Infrequent Access" in last.message
