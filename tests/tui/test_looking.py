"""The ways to look at many events: groups, histogram, context, times, marks, files, questions to AWS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input

from smwatch.events.event import Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.monitor.delivery import Delivery
from smwatch.rules.alarm import Alarm
from smwatch.tui.clip import of_event
from smwatch.tui.outside import Answers, Outside
from smwatch.tui.pages import groups
from smwatch.tui.pages.targets import ToAccessKey, ToEvent, ToPrincipal, ToSecret
from smwatch.tui.screens.copying import copied
from smwatch.tui.screens.groups import GroupsScreen
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.tally import Tally, bins
from smwatch.tui.widgets.histogram import Histogram
from tests import records
from tests.tui.scene import NOW, Stage, ago, reads

WIDE = (160, 40)


def watch(stage: Stage) -> WatchScreen:
    screen = stage.app.screen
    assert isinstance(screen, WatchScreen)
    return screen


def page(stage: Stage, target: object) -> str:
    """The page of a target as text, a line each."""
    lines = stage.app.desk.page_of(target, ())(120)
    return "\n".join("".join(piece.text for piece in line.pieces).rstrip() for line in lines)


async def test_grouping_counts_and_enter_shows_only_that_group() -> None:
    stage = Stage([*reads(5, secret="prod/a"), *reads(3, secret="prod/b"), records.denied("prod/b", eventTime=ago(9))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("v")
        await pilot.pause()
        assert [line.split()[:2] for line in stage.lines()[2:4]] == [["›prod/a", "5"], ["prod/b", "4"]]
        await pilot.press("j", "enter")
        await pilot.pause()
        assert "4 of 9" in stage.lines()[-1]
        assert "secret:prod/b" in stage.lines()[-1]


async def test_many_events_are_grouped_bit_by_bit_and_the_last_field_asked_for_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "STEP", 2)
    stage = Stage([*reads(5, secret="prod/a"), *reads(4, secret="prod/b")])
    async with stage.app.run_test(size=WIDE) as pilot:
        watch(stage).action_group()
        screen = stage.app.screen
        assert isinstance(screen, GroupsScreen)
        assert "counting by secret: 2 of 9 events" in screen._told
        while "counting" in screen._told:
            await pilot.pause(0.01)
        await pilot.pause()
        assert "9 events by secret" in stage.lines()[0]
        assert [line.split()[:2] for line in stage.lines()[2:4]] == [["›prod/a", "5"], ["prod/b", "4"]]
        await pilot.press("v", "v")
        while "counting" in screen._told:
            await pilot.pause(0.01)
        await pilot.pause()
        assert "9 events by name" in stage.lines()[0]
        assert stage.lines()[2].split()[:2] == ["›GetSecretValue", "9"]


async def test_context_shows_what_the_filter_hides_and_n_goes_from_match_to_match() -> None:
    stage = Stage([*reads(20, secret="prod/a", every=60), *reads(2, secret="rare/b", every=600, first=90)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"rare", "enter", "z")
        stream = watch(stage).stream
        assert len(stream.view.rows) == 22
        assert "2 of 22 bright" in stage.lines()[-1]
        seen = []
        for key in ("n", "n", "N"):
            await pilot.press(key)
            assert stream.event is not None
            seen.append(stream.event.seconds)
        assert seen[0] == seen[2] > seen[1]
        await pilot.press("escape")
        assert len(stream.view.rows) == 2


async def test_what_is_led_to_stays_though_the_move_before_it_is_told_later() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        watch(stage).stream.action_move(1)
        watch(stage).action_principal()
        assert watch(stage).focused is watch(stage).detail
        await pilot.pause()
        assert watch(stage).stream.cursor is not None
        assert isinstance(watch(stage).detail.target, ToPrincipal)


async def test_a_time_can_be_jumped_to() -> None:
    stage = Stage(reads(60, every=60, first=30))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("at", *"13:30", "enter")
        event = watch(stage).stream.event
        assert event is not None
        assert event.at == datetime(2026, 11, 23, 13, 29, 30, tzinfo=UTC)
        await pilot.press("T", *"nonsense", "enter")
        assert "is not a time" in stage.lines()[-1]


async def test_marks_are_gone_through_in_a_circle() -> None:
    stage = Stage(reads(10))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "m", "j", "j", "m")
        stream = watch(stage).stream
        marks = sorted(stream.marked, reverse=True)
        places = []
        for _ in range(3):
            await pilot.press("u")
            places.append(stream.cursor)
        assert places == [marks[0], marks[1], marks[0]]
        assert sum("◆" in line for line in stage.lines()) == 1  # the other one stands under the cursor


async def test_a_click_on_the_histogram_goes_there() -> None:
    stage = Stage(reads(50, every=60))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        histogram = watch(stage).histogram
        assert histogram.display
        await pilot.click(Histogram, offset=(histogram.size.width // 2, 1))
        await pilot.pause()
        event = watch(stage).stream.event
        assert event is not None
        assert abs((NOW - event.at) - timedelta(minutes=30)) <= timedelta(minutes=2)


def test_buckets_hold_every_event_of_their_time_once() -> None:
    tally = Tally()
    given = [records.event(records.read(eventTime=ago(17 * i), id=str(i))) for i in range(200)]
    tally.note(given[:100], NOW)
    tally.note(given[100:], NOW)
    for span, room in ((timedelta(hours=1), 200), (timedelta(hours=1), 7), (timedelta(hours=6), 100)):
        minutes, count = bins(span, room)
        assert count <= room
        assert timedelta(minutes=minutes * count) >= span
        buckets = tally.buckets(NOW, minutes, count)
        oldest = (int(NOW.timestamp()) // 60 - minutes * count + 1) * 60
        assert sum(events for events, _ in buckets) == sum(event.seconds >= oldest for event in given)


async def test_the_filtered_events_are_written_to_the_file_named(tmp_path: Path) -> None:
    written: list[tuple[Path, Sequence[Event], str]] = []

    def export(
        path: Path, events: Sequence[Event], alarms: Sequence[Alarm], query: str, told: Callable[[int], None]
    ) -> str:
        written.append((path, events, query))
        told(len(events) + len(alarms))
        return f"wrote {len(events)} events"

    stage = Stage([*reads(5, secret="prod/a"), *reads(3, secret="prod/b")], outside=Outside(export=export))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"prod/b", "enter", "X")
        await pilot.pause()
        stage.app.screen.query_one(Input).value = str(tmp_path / "out.csv")
        await pilot.press("enter")
        await asyncio.wait_for(stage.app.workers.wait_for_complete(), 10)
        assert [(path.name, len(events), query) for path, events, query in written] == [("out.csv", 3, "prod/b")]
        assert "wrote 3 events" in stage.lines()[-1]


async def test_what_aws_says_of_a_secret_stands_on_its_page() -> None:
    async def ask(secret: Secret) -> Answers:
        return Answers(
            NOW, (("DescribeSecret", {"Name": secret.name, "CreatedDate": NOW}), ("GetResourcePolicy", "denied: x"))
        )

    stage = Stage(reads(3, secret="prod/a"), outside=Outside(ask=ask))
    async with stage.app.run_test(size=(160, 90)) as pilot:
        await pilot.press("j", "o")
        await asyncio.wait_for(stage.app.workers.wait_for_complete(), 10)
        await pilot.pause()
        text = stage.text()
        assert "FROM AWS" in text
        assert '"CreatedDate": "2026-11-23T14:00:00+00:00"' in text
        assert "denied: x" in text


async def test_where_aws_can_not_be_asked_the_key_says_why() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "o")
        assert "nobody to ask: what is shown does not come from AWS" in stage.lines()[-1]
        await pilot.press("X")
        assert "smwatch export" in stage.lines()[-1]


async def test_json_folds_and_unfolds() -> None:
    stage = Stage([records.read("prod/a", eventTime=ago(5))])
    async with stage.app.run_test(size=(160, 120)) as pilot:
        await pilot.press("j", "enter", "G")
        before = len(watch(stage).detail.lines)
        for _ in range(40):
            await pilot.press("k")
            line = watch(stage).detail.line
            if line is not None and '"requestParameters"' in line.text:
                break
        await pilot.press("enter")
        assert len(watch(stage).detail.lines) < before
        assert "{ … }" in stage.text()
        await pilot.press("enter")
        assert len(watch(stage).detail.lines) == before


async def test_the_record_on_the_page_is_the_record() -> None:
    record = records.read("prod/a", eventTime=ago(5), extra={"a": [1, 2.5, None, True, {"b": []}], "c": {}})
    stage = Stage([record])
    async with stage.app.run_test(size=(160, 200)) as pilot:
        await pilot.press("j", "enter")
        lines = [line.text for line in watch(stage).detail.lines]
        start = max(i for i, line in enumerate(lines) if line == "{")
        assert msgspec.json.decode("".join(part.strip() for part in lines[start:])) == record


async def test_a_text_is_found_in_the_details() -> None:
    stage = Stage([records.read("prod/a", eventTime=ago(5), extra={"needle": "here", "other": "NEEDLE"})])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "enter", "slash", *"needle", "enter")
        detail = watch(stage).detail
        places = []
        for _ in range(3):
            assert detail.line is not None
            places.append(detail.line.text.strip())
            await pilot.press("n")
        assert [place.split(":")[0] for place in places] == ['"needle"', '"other"', '"needle"']
        await pilot.press("slash", *"nowhere", "enter")
        await pilot.pause()
        assert "does not occur here" in stage.lines()[-1]


async def test_an_access_key_leads_to_every_secret_it_reached_for() -> None:
    stolen = records.role("ci-deployer", "build-7", key="ASIASTOLENKEYEXAMPLE")
    stage = Stage(
        [
            *reads(3, secret="prod/other"),
            records.read("prod/a", by=stolen, eventTime=ago(50)),
            records.denied("prod/b", by=stolen, eventTime=ago(40)),
            records.put("prod/c", by=stolen, eventTime=ago(30)),
        ]
    )
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        text = page(stage, ToAccessKey("ASIASTOLENKEYEXAMPLE"))
        assert "ASIASTOLENKEYEXAMPLE (temporary)" in text
        assert "Got the value of 1 of the 3 secrets it reached for; 1 call on them refused, 1 denied in all" in text
        used = await copied(stage.app.desk, ToAccessKey("ASIASTOLENKEYEXAMPLE"))
        assert used is not None
        assert used.text.splitlines() == [
            "# secrets whose value ASIASTOLENKEYEXAMPLE got, in order",
            "aws secretsmanager rotate-secret --secret-id prod/a --region eu-west-1",
        ]
        assert page(stage, ToAccessKey("AKIANOBODY")) == "Nothing is known of this any more."
        by = stage.store.events[-1].principal.identity
        watch(stage).show_target(ToPrincipal(by))
        await pilot.press("tab")
        sheet = watch(stage).detail
        row = next(i for i, line in enumerate(sheet.lines) if line.target == ToAccessKey("ASIASTOLENKEYEXAMPLE"))
        assert row


async def test_the_page_of_a_secret_names_the_key_behind_a_change() -> None:
    by = records.user("alice")
    stage = Stage([records.put("prod/a", by=by, eventTime=ago(40)), records.delete("prod/a", by=by, eventTime=ago(30))])
    async with stage.app.run_test(size=WIDE):
        text = page(stage, ToSecret(Secret(records.ACCOUNT, records.REGION, "prod/a")))
        assert "by USER alice with AKIAIOSFODNN7EXAMPLE (long-term)" in text
        assert "2 changes" in text


@pytest.mark.parametrize(
    ("written", "told"), [("2026-11-23T13:05:11Z", "2026-11-23 13:05:11 UTC"), ("some day", "some day")]
)
def test_when_somebody_signed_in_is_told_as_every_other_moment(written: str, told: str) -> None:
    record = records.read(by=records.role())
    record["userIdentity"]["sessionContext"]["attributes"]["creationDate"] = written
    stage = Stage([record])
    assert f"signed in   {told}" in page(stage, ToEvent(records.event(record).key)).splitlines()


def test_what_is_no_record_is_said_to_be_none() -> None:
    stage = Stage()
    broken = Reader().read('{"eventName": "GetSecretValue", "value": "hunter2', seen_by=SeenBy.FILE, seen_at=NOW)
    stage.app.apply(Delivery(((1, broken),)))
    told = page(stage, ToEvent(broken.event.key))
    assert "This is no CloudTrail record: not JSON" in told
    assert "X writes it to a file as it came" in " ".join(told.split())
    assert "hunter2" not in told
    assert "somebody" not in told
    for form in ("json", "command", "ticket"):
        copied = of_event(broken.event, {}, form)
        assert copied is not None
        assert "(unreadable)" in copied.text
