"""The main screen, driven by keys."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from smwatch.events.secret import Secret
from smwatch.sources.live_tail import COST
from smwatch.sources.source import State, Status
from smwatch.tui.outside import Answers, Outside
from smwatch.tui.pages.names import ToName
from smwatch.tui.screens.names import NamesScreen
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.widgets.stream import EventStream
from tests import records
from tests.tui.scene import FINE, NOW, Stage, ago, reads

WIDE, NARROW = (160, 40), (60, 20)


def watch(stage: Stage) -> WatchScreen:
    screen = stage.app.screen
    assert isinstance(screen, WatchScreen)
    return screen


async def test_events_appear_as_they_arrive() -> None:
    stage = Stage()
    async with stage.app.run_test(size=WIDE) as pilot:
        stage.bring(*reads(3, secret="prod/payments/db"))
        await pilot.pause()
        assert stage.text().count("prod/payments/db") >= 3
        assert "3 events" in stage.text()


async def test_what_the_first_events_come_to_is_told_with_them_and_where_there_are_far_more_what_these_do() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        before = "THE LAST HOUR  0 events"
        for brought in ({"prod/db": 10, "prod/other": 30}, {"prod/third": 50}, {"prod/fourth": 200}):
            assert before in stage.text()
            for secret, count in brought.items():
                stage.bring(*reads(count, every=1, secret=secret))
            for _ in range(100):
                await pilot.pause(0.02)
                if before not in stage.text():
                    break
            before = f"THE LAST HOUR  {len(stage.store.events)} events"
        assert before in stage.text()


async def test_the_header_says_how_late_and_how_complete_each_source_is() -> None:
    stage = Stage(reads(1))
    async with stage.app.run_test(size=WIDE):
        head = stage.lines()[0]
        assert "● CloudTrail" in head
        assert "lag 4m10s" in head
        assert "complete to 13:56:00" in head
        assert "14:00:00 UTC" in head


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (120, "◐ CloudTrail back-filling 3 of ~12 min   ◐ Logs back-filling 3 of ~12 min"),
        (80, "◐ CloudTrail catching up   ◐ Logs catching up"),
    ],
)
async def test_where_there_is_room_for_little_the_header_says_how_long_it_takes(width: int, told: str) -> None:
    busy = msgspec.structs.replace(FINE, state=State.CATCHING_UP, progress="back-filling 3 of ~12 min")
    stage = Stage(reads(1), status=busy)
    stage.store.report(msgspec.structs.replace(busy, source="logs:111122223333:eu-west-1:trail", label="Logs"))
    async with stage.app.run_test(size=(width, 30)):
        assert told in stage.lines()[0]


async def test_a_source_that_falls_silent_turns_bad_by_itself() -> None:
    stage = Stage(reads(1))
    async with stage.app.run_test(size=WIDE) as pilot:
        stage.now = NOW + timedelta(minutes=5)
        stage.app.tick()
        await pilot.pause()
        assert "✗ CloudTrail stale 5m08s" in stage.lines()[0]


async def test_a_source_in_trouble_says_what_to_do() -> None:
    denied = msgspec.structs.replace(FINE, state=State.DENIED, message="cloudtrail:LookupEvents is not allowed")
    stage = Stage(reads(1), status=denied)
    async with stage.app.run_test(size=WIDE):
        assert "✗ CloudTrail denied: cloudtrail:LookupEvents is not allowed" in stage.text()


async def test_of_two_regions_the_one_in_trouble_is_named() -> None:
    elsewhere = msgspec.structs.replace(FINE, source="cloudtrail:111122223333:eu-west-2", region="eu-west-2")
    stage = Stage(reads(1), status=elsewhere)
    stage.store.report(msgspec.structs.replace(FINE, state=State.DENIED, message="not allowed"))
    async with stage.app.run_test(size=WIDE):
        assert "✗ CloudTrail eu-west-1 denied: not allowed" in stage.lines()[1]


async def test_what_to_do_about_a_source_is_a_key_away_where_it_has_no_room() -> None:
    advice = "attach the policy that `smwatch policy watch` prints"
    denied = msgspec.structs.replace(FINE, state=State.DENIED, message=f"AWS denies cloudtrail:LookupEvents: {advice}")
    stage = Stage(reads(1), status=denied)
    async with stage.app.run_test(size=NARROW) as pilot:
        assert stage.lines()[1].endswith("…  S says all ")
        await pilot.press("S")
        await pilot.pause()
        assert advice in " ".join(stage.text().split())


async def test_an_empty_stream_says_all_of_what_to_try_on_a_narrow_screen() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(60, 30)) as pilot:
        await pilot.pause()
        told = " ".join(stage.text().split())
        assert "smwatch doctor check credentials, trail, log group and permissions" in told
        assert "smwatch setup set up trail, log group and alarm in AWS" in told


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_screen_says_of_a_source_in_trouble_nothing_that_does_not_go_on(size: tuple[int, int]) -> None:
    denied = msgspec.structs.replace(FINE, state=State.DENIED, message="not allowed", progress="back-filling")
    stage = Stage(status=denied)
    async with stage.app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "not allowed" in stage.text()
        assert "back-filling" not in stage.text()


async def test_a_typed_filter_narrows_as_it_is_typed_and_enter_keeps_it() -> None:
    stage = Stage([*reads(3, secret="prod/a"), *reads(2, secret="staging/b")])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"stag")
        assert "2 of 5" in stage.lines()[-1]
        await pilot.press("enter", "j")
        assert "2 of 5" in stage.lines()[-1]
        assert not watch(stage).filter_line.is_open


async def test_escape_takes_back_what_was_typed() -> None:
    stage = Stage([*reads(3, secret="prod/a"), *reads(2, secret="staging/b")])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"stag", "enter", "slash", *"xyz", "escape")
        assert "2 of 5" in stage.lines()[-1]
        assert "/ stag " in stage.lines()[-1]


async def test_letters_are_only_letters_while_typing() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"qfwxa!?")
        assert watch(stage).filter_line.input.value == "qfwxa!?"
        assert stage.app.is_running


async def test_keys_typed_ahead_reach_the_filter() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        for character in "/db":
            key = "slash" if character == "/" else character
            stage.app.post_message(events.Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert watch(stage).filter_line.input.value == "db"


async def in_one_go(stage: Stage, keys: str) -> None:
    """Keys as they come when they are pasted, or typed while the screen was busy."""
    named = {"/": "slash", "@": "at", "\r": "enter", "\t": "tab", "\x7f": "backspace", ":": "colon", "\x1b": "escape"}
    for character in keys:
        stage.app.post_message(events.Key(named.get(character, character), character))


@pytest.mark.parametrize(
    ("keys", "query", "cursor"),
    [
        ("/stag\rjj", "stag", 3),
        ("/stag\r\x7fjjj", "", 3),
        ("/sec\tprod\rj", "secret:prod*", 1),
        ("/stag\x1bj", "", 1),
        ("/use:\rx\x7f\x7f\x7f\x7f\x7fstag\rj", "stag", 3),
        ("@1m\rjx", "error", 0),
        ("0/stag\r@2m\rx", "stag error", 0),
    ],
)
async def test_keys_that_come_in_one_go_are_taken_in_their_order(keys: str, query: str, cursor: int) -> None:
    stage = Stage([*reads(3, secret="prod/a"), *reads(2, secret="staging/b", first=300)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await in_one_go(stage, keys)
        screen = watch(stage)
        for _ in range(20):
            await pilot.pause()
        assert screen.asked.query.text == query
        assert not screen.filter_line.is_open
        if cursor:
            assert screen.stream.event is not None
            lines = [line for line in stage.lines() if line.startswith("›")]
            assert len(lines) == 1


async def test_a_bad_filter_says_why_and_the_last_good_one_stays() -> None:
    stage = Stage([*reads(3, secret="prod/a"), *reads(2, secret="staging/b")])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"prod/a", "enter")
        await pilot.press("slash", *"use:x", "enter")
        assert "did you mean" in stage.text()
        assert "/ prod/a use " in stage.lines()[-1]
        assert watch(stage).filter_line.is_open


async def test_a_field_without_a_value_says_so_once_it_is_not_typed_any_more() -> None:
    stage = Stage(reads(3, secret="prod/a"))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"name:")
        assert "has no value" not in stage.text()
        await pilot.press("space")
        assert "“name:” has no value: it follows the colon without a space" in stage.text()
        await pilot.press("backspace", "enter")
        assert "“name:” has no value" in stage.text()
        assert watch(stage).filter_line.is_open
        await pilot.press("escape")
        assert "/ name" not in stage.text()


async def test_filtering_by_event_name_takes_two_keys() -> None:
    stage = Stage([*reads(5), records.put(eventTime=ago(5))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "2")
        assert "1 of 6" in stage.lines()[-1]
        assert "name:PutSecretValue" in stage.lines()[-1]


async def test_event_names_show_their_counts_and_several_can_be_ticked() -> None:
    stage = Stage([*reads(5), records.put(eventTime=ago(5)), records.describe(eventTime=ago(6))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(stage.app.screen, NamesScreen)
        assert any("GetSecretValue" in line and " 5 " in line for line in stage.lines())
        await pilot.press("space", "space", "enter")
        assert "6 of 7" in stage.lines()[-1]


async def test_event_names_asked_for_before_there_are_events_are_listed_once_there_are() -> None:
    stage = Stage([])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f")
        assert "No events yet." in stage.text()
        stage.bring(*reads(3), records.delete("prod/db", eventTime=ago(20)))
        await pilot.pause()
        stage.bring(records.put("prod/db", eventTime=ago(10)))  # is not listed: each name keeps its digit
        await pilot.pause()
        picker = stage.app.screen
        assert isinstance(picker, NamesScreen)
        assert picker.at == ToName("GetSecretValue")
        assert "PutSecretValue" not in "".join(line for line in stage.lines() if "[ ]" in line)
        await pilot.press("2")
        assert "name:DeleteSecret" in stage.lines()[-1]


@pytest.mark.parametrize(
    ("keys", "said"), [("f", False), ("f2f", False), ("wf", True), ("3f", True)], ids=["all", "name", "word", "window"]
)
async def test_event_names_under_a_filter_say_that_their_counts_are_of_all_events(keys: str, said: bool) -> None:
    stage = Stage([*reads(5), records.put(eventTime=ago(5))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        (title,) = (line for line in stage.lines() if "Event names" in line)
        assert ("counts are of all events; a digit shows only that one" in title) is said
        assert any("GetSecretValue" in line and " 5 " in line for line in stage.lines())


async def test_switches_are_words_in_the_filter_and_backspace_takes_all_away_and_back() -> None:
    stage = Stage([*reads(5), records.put(eventTime=ago(5)), records.denied(eventTime=ago(6))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("w")
        assert "1 of 7" in stage.lines()[-1]
        await pilot.press("w", "x")
        assert "1 of 7" in stage.lines()[-1]
        assert "/ error" in stage.lines()[-1]
        await pilot.press("backspace")
        assert "7 events" in stage.lines()[-1]
        await pilot.press("backspace")
        assert "1 of 7" in stage.lines()[-1]


async def test_digits_show_a_time_window_that_moves_on() -> None:
    stage = Stage(reads(10, every=60, first=30))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("1")
        assert "5 of 10" in stage.lines()[-1]
        assert "last 5 min" in stage.lines()[-1]
        stage.now = NOW + timedelta(minutes=2)
        stage.app.tick()
        await pilot.pause()
        assert "3 of 10" in stage.lines()[-1]


async def test_the_details_follow_the_cursor_beside_a_wide_stream() -> None:
    stage = Stage([*reads(2, secret="prod/a", first=10), *reads(2, secret="prod/b", first=500)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j")
        assert watch(stage).detail.lines[0].text == "prod/a"
        await pilot.press("end")
        assert watch(stage).detail.lines[0].text == "prod/b"


async def test_at_sixty_columns_the_details_are_a_screen_of_their_own() -> None:
    stage = Stage(reads(3, secret="prod/a"))
    async with stage.app.run_test(size=NARROW) as pilot:
        await pilot.press("j", "enter")
        assert isinstance(stage.app.screen, PageScreen)
        assert "prod/a" in stage.text()
        await pilot.press("escape")
        assert watch(stage).stream.has_focus


async def test_resizing_to_sixty_columns_puts_the_pane_away() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "enter")
        assert watch(stage).detail.has_focus
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert not watch(stage).detail.display
        assert watch(stage).stream.has_focus
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert watch(stage).detail.display


async def test_escape_goes_back_one_step_at_a_time_and_never_quits() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("x", "x", "slash", *"db", "enter", "j", "enter")
        screen = watch(stage)
        assert screen.detail.has_focus
        await pilot.press("escape")
        assert screen.stream.has_focus
        await pilot.press("escape")
        assert not screen.asked.query
        assert screen.stream.event is not None
        await pilot.press("escape")
        assert screen.stream.following
        await pilot.press("escape", "escape", "escape")
        assert stage.app.is_running


@pytest.mark.parametrize("keys", [["q"], ["ctrl+c", "ctrl+c"]])
async def test_q_or_ctrl_c_twice_leaves_with_exit_code_zero(keys: list[str]) -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press(*keys)
    assert stage.app.return_value == 0


async def test_ctrl_c_once_only_says_how_to_leave() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+c")
        assert stage.app.is_running
        stage.now = NOW + timedelta(seconds=10)
        await pilot.press("ctrl+c")
        assert stage.app.is_running


async def test_an_empty_stream_says_what_was_asked_and_how_late_cloudtrail_is() -> None:
    stage = Stage()
    async with stage.app.run_test(size=WIDE):
        text = stage.text()
        assert "No Secrets Manager events" in text
        assert "last read 8s ago" in text
        assert "minutes after they happen" in text
        assert "smwatch demo" in text


async def test_each_second_only_what_reads_otherwise_is_drawn_of_what_an_empty_stream_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, drawn, render_lines = Stage(), list[int](), EventStream.render_lines

    def noted(stream: EventStream, crop: Region) -> list[Strip]:
        drawn.append(crop.height)
        return render_lines(stream, crop)

    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "last read 8s ago" in stage.text()
        monkeypatch.setattr(EventStream, "render_lines", noted)
        stage.now += timedelta(seconds=1)
        stage.app.tick()
        await pilot.pause()
        assert drawn == [1]
        assert "last read 9s ago" in stage.text()
        stage.bring(*reads(3))
        await pilot.press("slash", *"nosuch", "enter")
        assert "None of the 3 events in memory matches" in stage.text()
        assert "last read" not in stage.text()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (msgspec.structs.replace(FINE, state=State.DENIED, message="not allowed"), "What happened can't be read."),
        (msgspec.structs.replace(FINE, state=State.STARTING, last_good_at=None), "What happened is being asked for."),
    ],
    ids=lambda each: each.state.value if isinstance(each, Status) else "",
)
async def test_what_could_not_be_read_is_not_mistaken_for_silence(status: Status, says: str) -> None:
    stage = Stage(status=status)
    async with stage.app.run_test(size=WIDE):
        assert says in stage.text()
        assert "No Secrets Manager events" not in stage.text()


async def test_a_filter_that_matches_nothing_is_not_mistaken_for_silence() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"nosuch", "enter")
        assert "None of the 5 events in memory matches" in stage.text()


async def test_y_copies_the_event_as_json() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "y")
        assert msgspec.json.decode(stage.app.clipboard)["eventName"] == "GetSecretValue"
        assert "copied" in stage.lines()[-1]


async def test_y_copies_a_record_with_numbers() -> None:
    parameters = {"half": 1.5, "long": 123456789012345678901234567890}
    record = records.read("prod/db", eventTime=ago(60), requestParameters=parameters)
    stage = Stage([record])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "y")
        assert msgspec.json.decode(stage.app.clipboard)["requestParameters"]["half"] == 1.5
        assert '"long": 123456789012345678901234567890' in stage.app.clipboard


async def test_help_lists_every_key() -> None:
    stage = Stage(reads(5))
    async with stage.app.run_test(size=(120, 150)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = stage.text()
        assert "Type a filter" in text
        assert "Escape" in text or "Esc" in text
        await pilot.press("escape")
        assert isinstance(stage.app.screen, WatchScreen)


async def test_p_shows_everything_a_principal_touched() -> None:
    stage = Stage([*reads(2, secret="prod/a"), *reads(2, secret="prod/b", first=300)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "P")
        assert "Got the value of 2 of the 2 secrets" in stage.text()
        await pilot.press("y")
        assert stage.app.clipboard.splitlines()[1:] == [
            f"aws secretsmanager rotate-secret --secret-id prod/{name} --region eu-west-1" for name in "ba"
        ]


async def test_who_got_no_value_has_nothing_to_rotate_and_it_is_said_so() -> None:
    stage = Stage([records.denied("prod/a", by=records.user("mallory"), eventTime=ago(50))])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("j", "P", "y")
        assert stage.app.clipboard == "# arn:aws:iam::111122223333:user/mallory got no secret's value\n"
        assert "copied: a remark that it got no secret's value" in stage.text()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (160, 50), (250, 80)])
async def test_nothing_is_clipped_at_any_size(size: tuple[int, int]) -> None:
    stage = Stage(reads(100))
    async with stage.app.run_test(size=size) as pilot:
        await pilot.press("j")
        lines = stage.lines()
        assert len(lines) == size[1]
        assert "smwatch" in lines[0]
        assert lines[0].rstrip().endswith("UTC")
        assert "100 events" in lines[-1]
        assert "? help" in lines[-1]


async def test_a_key_has_the_sources_asked_at_once() -> None:
    asked: list[str] = []
    stage = Stage(reads(3), outside=Outside(poll=lambda: asked.append("now")))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("r")
        assert asked == ["now"]


async def test_live_tail_says_what_it_costs_before_a_second_key_switches_it_on() -> None:
    switched: list[bool] = []
    stage = Stage(reads(3), outside=Outside(live_tail=switched.append, live_tail_cost=lambda: COST))
    async with stage.app.run_test(size=NARROW) as pilot:
        await pilot.press("V")
        assert "V again switches it on: Live Tail costs $0.01 a minute" in stage.text()
        assert switched == []
        await pilot.press("V")
        assert switched == [True]
        await pilot.press("V")
        assert switched == [True, False]


async def test_a_live_tail_that_was_switched_off_is_told_on_the_page_of_the_sources_alone() -> None:
    stage = Stage(reads(1))
    source = "live_tail:111122223333:eu-west-1:trail"
    stage.store.report(Status(source, "Live Tail", State.DONE, "switched off", at=NOW, region="eu-west-1"))
    async with stage.app.run_test(size=WIDE) as pilot:
        assert "Live Tail" not in stage.text()
        await pilot.press("S")
        await pilot.pause()
        assert "switched off" in stage.text()


async def test_live_tail_without_a_log_group_says_what_to_do() -> None:
    async def ask(_: Secret) -> Answers:
        raise AssertionError("nothing is asked here")

    stage = Stage(reads(3), outside=Outside(ask=ask))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("V")
        assert "start smwatch with --log-group" in stage.text()


async def test_what_does_not_come_from_aws_has_no_live_tail() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("V")
        assert "no Live Tail: what is shown does not come from AWS" in stage.text()


async def test_a_page_that_leads_nowhere_offers_no_key_for_that() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        for key in ("question_mark", "S"):
            await pilot.press(key)
            assert stage.lines()[-1].strip() == "Esc back  / find  y copy"
            await pilot.press("escape")
