"""The wall at every size, in every state, and for weeks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from rich.cells import cell_len

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.source import State, Status
from smwatch.store.store import Store
from smwatch.tui.health import health, sources_page
from smwatch.tui.lines import Line
from smwatch.tui.pages.big import big, drawable, rows_of, scale_for, width_of
from smwatch.tui.pages.wall import Scene, wall_page
from smwatch.tui.pages.words import shown
from smwatch.tui.tally import DISTINCT, MINUTES, Tally
from smwatch.tui.times import Zone
from tests import records
from tests.records import arrival
from tests.tui.scene import FINE, NOW, ago, reads

SIZES = [(60, 20), (80, 24), (100, 30), (120, 40), (160, 50), (250, 80)]
FRESH = msgspec.structs.replace(FINE, last_good_at=NOW - timedelta(seconds=3))


def scene(*given: Record, statuses: Sequence[Status] = (FRESH,), watched: timedelta = timedelta(hours=1)) -> Scene:
    """What the wall is told after these records."""
    store, tally = Store(engine=Engine(combine(load_builtin()))), Tally()
    tally.note(store.add([arrival(one) for one in given]).added, NOW)
    alarms = store.alarms.values()
    return Scene(
        alarms=shown(alarms),
        asking=[alarm for alarm in shown(alarms) if alarm.open and not alarm.muted(NOW)],
        statuses=statuses,
        tally=tally,
        now=NOW,
        clock=NOW,
        recorded=False,
        since=NOW - watched,
        zone=Zone.UTC,
    )


def incident() -> list[Record]:
    """Reads, and refused reads of two secrets that are being deleted."""
    refused = [records.read_deleted(f"prod/gone{i}", eventTime=ago(20 + i), id=f"d{i}") for i in range(12)]
    return [*reads(50), *refused]


def text(lines: Sequence[Line]) -> str:
    return "\n".join(each.text for each in lines)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("state", ["quiet", "alarm", "stale", "both"])
def test_the_wall_says_what_counts_at_every_size(size: tuple[int, int], state: str) -> None:
    statuses = [msgspec.structs.replace(FRESH, state=State.DENIED, message="no access")] * (state in ("stale", "both"))
    given = incident() if state in ("alarm", "both") else reads(50)
    lines = wall_page(scene(*given, statuses=[FRESH, *statuses]), *size)
    assert len(lines) <= size[1]
    assert all(cell_len(each.text) <= size[0] for each in lines)
    told = text(lines)
    in_large = [row for scale in range(9) for row in big("UTC", scale)[:1]]
    assert sum(told.count(each) for each in {"UTC", *in_large}) == 1, "the zone stands beside the clock, and only there"
    assert ("CRITICAL" in told and "prod/gone" in told) is (state in ("alarm", "both"))
    assert ("DATA IS NOT COMPLETE" in told) is (state in ("stale", "both"))
    assert "CloudTrail eu-west-1 ok" in told
    roles = {piece.role for each in lines for piece in each.pieces}
    assert ("alarm" in roles) is (state != "quiet")


@pytest.mark.parametrize("height", [20, 24, 50])
def test_the_clock_leaves_room_for_however_many_alarms_there_are(height: int) -> None:
    one = scene(*incident())
    storm = msgspec.structs.replace(one, asking=[one.asking[0]] * 1443)
    verdicts = ["▲ 1,443 ALARMS", *(big("1,443 ALARMS", scale)[0].rstrip() for scale in (0, 1))]
    for width in range(60, 251):
        top = text(wall_page(storm, width, height)[:8])
        assert any(each in top for each in verdicts), width
        assert "…" not in top, width


@pytest.mark.parametrize("state", [State.OK, State.STARTING, State.THROTTLED, State.CATCHING_UP, State.UNREACHABLE])
def test_old_data_is_red_whatever_a_source_says_of_itself(state: State) -> None:
    status = msgspec.structs.replace(FRESH, state=state, last_good_at=NOW - timedelta(minutes=3))
    told = text(wall_page(scene(*reads(3), statuses=[status]), 120, 40))
    assert "DATA IS NOT COMPLETE" in told
    assert "3m00s" in told


def test_a_source_to_which_nothing_is_delivered_makes_the_wall_red_though_it_was_asked_just_now() -> None:
    stale = msgspec.structs.replace(FRESH, label="Logs", state=State.STALE, message="the trail is switched off")
    told = text(wall_page(scene(*reads(3), statuses=[FRESH, stale]), 120, 40))
    assert "DATA IS NOT COMPLETE" in told
    assert "the trail is switched off" in told
    (last_read,) = [each for each in sources_page([stale], NOW, Zone.UTC, 80) if each.text.startswith("last read")]
    assert "bad" not in {piece.role for piece in last_read.pieces}


def test_the_page_of_the_sources_says_of_one_that_was_never_read_that_it_was_not() -> None:
    denied = msgspec.structs.replace(FRESH, state=State.DENIED, last_good_at=None, lag=None, lag_max=None)
    told = text(sources_page([denied], NOW, Zone.UTC, 80))
    assert "complete to" in told, "of before it began nothing is promised"
    assert "last read   not yet" in told


@pytest.mark.parametrize("given", [incident(), reads(3)], ids=["alarms", "none"])
def test_the_smallest_wall_says_all_that_is_to_be_done_about_a_source(given: list[Record]) -> None:
    who = "arn:aws:sts::111122223333:assumed-role/watcher/me"
    denied = f"AWS denies cloudtrail:LookupEvents to {who}: attach the policy that `smwatch policy watch` prints"
    status = msgspec.structs.replace(FRESH, state=State.DENIED, message=denied)
    others = [
        msgspec.structs.replace(FRESH, label="Logs", state=State.DENIED, message=denied, source=f"{i}")
        for i in range(2)
    ]
    lines = wall_page(scene(*given, statuses=[status, *others]), 60, 20)
    assert denied in " ".join(text(lines).split())
    assert " ✗ DATA IS NOT COMPLETE: there may be more" in (each.text.rstrip() for each in lines)


def test_a_wall_says_that_no_source_has_answered_yet() -> None:
    assert "no source has answered yet" in text(wall_page(scene(*reads(3), statuses=()), 60, 20))
    assert "no source has answered yet" not in text(wall_page(scene(*reads(3)), 60, 20))


@pytest.mark.parametrize("statuses", [(), (msgspec.structs.replace(FRESH, state=State.STARTING, last_good_at=None),)])
def test_a_wall_that_never_heard_of_its_sources_is_not_quiet(statuses: Sequence[Status]) -> None:
    young = wall_page(scene(statuses=statuses, watched=timedelta(seconds=20)), 50, 15)
    assert "○ STARTING" in text(young)
    assert "DATA IS NOT COMPLETE" not in text(young)
    old = wall_page(scene(statuses=statuses, watched=timedelta(minutes=5)), 50, 15)
    assert "✗ STALE" in text(old)
    assert "DATA IS NOT COMPLETE" in text(old)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_many_sources_leave_room_for_the_rest_and_those_in_trouble_come_first(size: tuple[int, int]) -> None:
    many = [msgspec.structs.replace(FRESH, source=f"s{i}", region=f"eu-{i}") for i in range(20)]
    many[17] = msgspec.structs.replace(many[17], state=State.DENIED, message="no access")
    told = text(wall_page(scene(*incident(), statuses=many), *size))
    assert "CloudTrail eu-17 denied" in told
    assert re.search(r"● \d+ more ok", told)
    assert "EVENTS" in told


def test_a_recording_that_is_being_played_is_not_stale_unless_it_stops() -> None:
    playing = msgspec.structs.replace(FRESH, state=State.CATCHING_UP, last_good_at=None, at=NOW, progress="playing 60×")
    stuck = msgspec.structs.replace(playing, at=NOW - timedelta(minutes=5))
    assert "DATA IS NOT COMPLETE" not in text(wall_page(scene(*reads(3), statuses=[playing]), 120, 40))
    assert "DATA IS NOT COMPLETE" in text(wall_page(scene(*reads(3), statuses=[stuck]), 120, 40))


def test_sources_without_room_that_are_busy_are_not_called_broken() -> None:
    busy = [msgspec.structs.replace(FRESH, source=f"s{i}", state=State.CATCHING_UP) for i in range(30)]
    told = text(wall_page(scene(*reads(50), statuses=busy), 100, 30))
    assert re.search(r"◐ \d+ more catching up", told)
    assert "not ok" not in told


def test_a_source_that_takes_minutes_to_be_read_is_not_stale_while_pages_come() -> None:
    """A sweep of ten events a second is of dozens of pages, with ever more pages between two of them."""
    scanned_at, later = NOW, NOW + timedelta(minutes=5)
    paging = msgspec.structs.replace(FRESH, last_good_at=scanned_at, answered_at=later - timedelta(seconds=5))
    assert health(paging, later).fine
    stuck = msgspec.structs.replace(paging, answered_at=scanned_at + timedelta(minutes=1))
    assert health(stuck, later).word == "stale 4m00s"


def test_a_recording_that_has_been_read_is_not_stale() -> None:
    done = msgspec.structs.replace(FRESH, state=State.DONE, last_good_at=NOW - timedelta(days=1))
    assert "DATA IS NOT COMPLETE" not in text(wall_page(scene(*reads(3), statuses=[done]), 120, 40))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_alarms_there_is_no_room_for_are_counted(size: tuple[int, int]) -> None:
    given = scene(*incident())
    listed = [each.text for each in wall_page(given, *size) if "×" in each.text]
    told = text(wall_page(given, *size))
    hidden = int(found[1]) if (found := re.search(r"and (\d+) more", told)) else 0
    assert len(listed) + hidden == len(given.asking)


@pytest.mark.parametrize("name", ["prod/öl", "宽字符", "prod/\x1b[31m", "x" * 512, "[/]", ""])
def test_a_name_that_has_no_large_letters_or_no_room_is_written_small(name: str) -> None:
    lines = wall_page(scene(records.read_deleted(name, eventTime=ago(5), id="1")), 100, 30)
    assert "▲ CRITICAL" in text(lines)
    assert all(cell_len(each.text) <= 100 for each in lines)


def test_large_letters_take_the_room_they_say() -> None:
    assert drawable("prod/payments-db_1+2=3@x.y")
    assert drawable("1,443 ALARMS")
    assert not drawable("ö")
    for scale in range(4):
        rows = big("A1/", scale)
        assert len(rows) == rows_of(scale)
        assert {len(row) for row in rows} == {width_of("A1/", scale)}
    assert scale_for("A", 3, 20) is None
    assert scale_for("A", 4, 3) == 0
    assert scale_for("A", 100, 5) == 1


def test_weeks_of_events_take_no_more_memory_than_a_day() -> None:
    tally, reader = Tally(), Reader()
    for minute in range(0, 14 * 24 * 60, 2):
        now = NOW + timedelta(minutes=minute)
        record = records.read("prod/db", eventTime=records.stamp(now), id=str(minute))
        far = records.read("prod/db", eventTime="2099-01-01T00:00:00Z", id=f"f{minute}")
        tally.note(
            [reader.read(records.raw(each), seen_by=SeenBy.FILE, seen_at=now).event for each in (record, far)], now
        )
    assert len(tally._minutes) <= MINUTES + 61
    assert tally.totals(now, timedelta(days=1)).events == MINUTES // 2


def test_guessed_names_without_number_are_counted_and_not_kept() -> None:
    tally = Tally()
    tally.note(
        [arrival(records.read(f"guess{i}", eventTime=ago(0), id=str(i))).event for i in range(DISTINCT + 50)], NOW
    )
    total = tally.totals(NOW, timedelta(hours=1))
    assert (total.events, len(total.secrets)) == (DISTINCT + 50, DISTINCT)


def test_events_are_counted_by_secret_and_principal_in_whatever_minute_they_are() -> None:
    tally = Tally()
    asked = [
        records.read("prod/a", eventTime=ago(5), id="1"),
        records.denied("prod/a", eventTime=ago(200), id="2"),
        records.read("prod/b", by=records.user("eve"), eventTime=ago(6), id="3"),
        records.listing(by=records.user("eve"), eventTime=ago(7), id="4"),
    ]
    for some in (asked[:1], asked[1:]):
        tally.note([arrival(each).event for each in some], NOW)
    total = tally.totals(NOW, timedelta(hours=1))
    assert (total.events, total.failed) == (4, 1)
    assert {secret.name: count for secret, count in total.secrets.items()} == {"prod/a": 2, "prod/b": 1}
    assert total.principals[("USER", "eve")] == 2
    assert sum(total.principals.values()) == 4


def test_what_is_asked_each_second_is_added_up_when_something_is_new() -> None:
    tally, hour = Tally(), timedelta(hours=1)
    tally.note([arrival(records.read("prod/a", eventTime=ago(3500), id="1")).event], NOW)
    first = tally.totals(NOW, hour)
    assert tally.totals(NOW + timedelta(seconds=1), hour) is first
    tally.note([arrival(records.read("prod/b", eventTime=ago(5), id="2")).event], NOW)
    assert tally.totals(NOW, hour).events == 2
    assert tally.totals(NOW + timedelta(minutes=5), hour).events == 1, "an hour after the first it counts no more"


def test_a_narrow_wall_says_how_far_a_back_fill_has_come_before_anything_else_of_a_source() -> None:
    filling = msgspec.structs.replace(
        FRESH, state=State.CATCHING_UP, progress="back to 09:40", lag=timedelta(minutes=4), complete_to=NOW
    )
    assert "back to 09:40" in text(wall_page(scene(*reads(5), statuses=[filling]), 60, 20))
