"""The stream shows exactly the rows of its view, and keeps the reader's place whatever happens to them."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from datetime import timedelta

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp

from smwatch.events.event import Event, SeenBy
from smwatch.events.numbered import Numbered
from smwatch.store.store import Store
from smwatch.store.view import View
from smwatch.tui.text import visible
from smwatch.tui.times import Zone, formatted
from smwatch.tui.widgets.stream import EventStream
from tests import records
from tests.records import arrival
from tests.tui.scene import NOW, ago


class OneStream(App[None]):
    """Nothing but a stream."""

    def __init__(self, view: View, *, newest_first: bool = True) -> None:
        super().__init__()
        self.stream = EventStream(view, level_of=lambda _: "", newest_first=newest_first)
        self.stream.now = NOW

    def compose(self) -> ComposeResult:
        yield self.stream

    def on_mount(self) -> None:
        self.stream.focus()

    def shown(self) -> list[str]:
        """The lines on the screen that hold an event, without the scrollbar."""
        lines = [strip.text for strip in self.screen._compositor.render_strips()]
        return [line[4:].rstrip() for line in lines if line.strip()]


def filled(count: int, *, capacity: int = 100_000) -> Store:
    store = Store(capacity=capacity)
    store.add([arrival(records.read(f"prod/{i}", eventTime=ago(10 + 10 * i), id=str(i))) for i in range(count)])
    return store


def secret(event: Event) -> str:
    assert event.secret is not None
    return event.secret.name


async def test_the_newest_event_is_on_top_and_is_followed() -> None:
    store = filled(50)
    app = OneStream(store.view())
    async with app.run_test(size=(80, 10)) as pilot:
        assert "prod/0 " in app.shown()[0]
        store.add([arrival(records.read("prod/new", eventTime=ago(1)))])
        app.stream.update()
        await pilot.pause()
        assert "prod/new" in app.shown()[0]
        assert app.stream.following


async def test_moving_stops_following_and_says_how_many_are_new() -> None:
    store = filled(50)
    app = OneStream(store.view())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("j")
        before = app.shown()
        store.add([arrival(records.read(f"prod/new{i}", eventTime=ago(1), id=str(i))) for i in range(14)])
        app.stream.update()
        await pilot.pause()
        assert app.shown() == before
        assert (app.stream.following, app.stream.unseen) == (False, 14)
        await pilot.press("G")
        assert "prod/new" in app.shown()[0]
        assert (app.stream.following, app.stream.unseen, app.stream.cursor) == (True, 0, None)


async def test_a_late_event_is_inserted_without_moving_the_cursor_row() -> None:
    store = filled(50)
    app = OneStream(store.view())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press(*"jjj")
        under = app.stream.event
        store.add([arrival(records.read("prod/late", eventTime=ago(15)))])
        app.stream.update()
        await pilot.pause()
        assert app.stream.event is under
        assert "prod/late" in app.shown()[1]


async def test_up_past_the_newest_event_follows_again() -> None:
    app = OneStream(filled(50).view())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press("j", "j", "k", "k")
        assert app.stream.following


async def test_a_click_chooses_a_row_and_a_double_click_opens_it() -> None:
    opened: list[Event] = []

    class Opening(OneStream):
        def on_event_stream_opened(self, message: EventStream.Opened) -> None:
            opened.append(message.event)

    app = Opening(filled(50).view())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.click(EventStream, offset=(20, 3))
        assert app.stream.event is not None
        assert secret(app.stream.event) == "prod/3"
        await pilot.click(EventStream, offset=(20, 3), times=2)
        await pilot.pause()
        assert [secret(event) for event in opened] == ["prod/3"]


async def test_the_wheel_scrolls_and_back_at_the_top_it_follows() -> None:
    app = OneStream(filled(50).view())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot._post_mouse_events([MouseScrollDown], EventStream, (5, 5), button=0)
        await pilot.pause()
        assert not app.stream.following
        assert "prod/3 " in app.shown()[0]
        await pilot._post_mouse_events([MouseScrollUp], EventStream, (5, 5), button=0)
        await pilot.pause()
        assert app.stream.following


async def test_a_hundred_thousand_rows_format_only_what_is_seen() -> None:
    event = records.event(records.read())
    view = View([_at(event, i) for i in range(100_000)])
    app = OneStream(view)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("end")
        await pilot.press("pageup")
        assert len(app.stream._strips) < 100
        assert app.stream.place.total == 100_000


def _at(event: Event, number: int) -> Event:
    return msgspec.structs.replace(event, key=event.key + number)


HOSTILE = "\x1b]0;PWNED\x07\x1b[31m[bold]x[/]\u202egnp\x9b2J\r\n"


async def test_hostile_text_is_drawn_and_not_obeyed() -> None:
    record = records.read(
        "x", userAgent=HOSTILE, sourceIPAddress=HOSTILE, errorCode=HOSTILE, eventName=HOSTILE, awsRegion=HOSTILE
    )
    record["requestParameters"] = {"secretId": HOSTILE}
    record["userIdentity"] = records.role(HOSTILE, HOSTILE)
    view = View([arrival(record).event])
    app = OneStream(view)
    async with app.run_test(size=(200, 5)):
        (line,) = app.shown()
        assert "␛]0;PWNED" in line
        assert "[bold]x[/]" in line
        assert line == visible(line)


class Only:
    """Keeps every third event."""

    text = "every third"
    changeable = False

    def __call__(self, event: Event) -> bool:
        return event.seconds % 3 == 0

    def select(self, events: list[Event]) -> list[Event]:
        return [event for event in events if self(event)]

    def reach(self, events: list[Event], end: int) -> int:
        return max(0, end - 50)

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> None:
        pass

    def narrows(self, other: object) -> bool:
        return isinstance(other, Only)


@pytest.mark.parametrize(("seed", "newest_first"), [(1, True), (2, False), (3, True), (4, False)])
async def test_after_anything_that_can_happen_the_screen_shows_the_rows_of_the_view(
    seed: int, newest_first: bool
) -> None:
    """Random additions (late ones too), evictions, filters and keys against a model that is a plain list."""
    chance = random.Random(seed)
    store = Store(capacity=300)
    view = store.view()
    stamps = iter(range(10**9))
    app = OneStream(view, newest_first=newest_first)
    moves = ["move(1)", "move(-1)", "page(1)", "page(-1)", "page(0.5)", "edge(0)", "edge(1)", "follow", "pause"]
    async with app.run_test(size=(80, 12)) as pilot:
        stream = app.stream
        for _ in range(100):
            shown = view.rows[::-1] if newest_first else view.rows
            top = shown[stream.place.first] if shown else None
            under, following = stream.event, stream.following
            grew = False
            match chance.randrange(4):
                case 0 | 1:
                    count = chance.choice([1, 1, 3, 40])
                    late = chance.choice([0, 0, 30, 3000])
                    new = [
                        records.read(f"s{n}", eventTime=ago(chance.randint(0, late) - n // 3), id=str(n))
                        for n in (next(stamps) for _ in range(count))
                    ]
                    store.add([arrival(record) for record in new])
                    grew = True
                case 2:
                    view.choose(Only() if chance.random() < 0.5 else None)
                    while view.step():
                        pass
                case _:
                    await stream.run_action(chance.choice(moves))
            stream.update()
            await pilot.pause()
            rows = view.rows[::-1] if newest_first else view.rows
            height = stream.size.height
            first = stream.place.first
            # What stands on the screen is a full window of the rows, in order.
            assert [line.split()[2] for line in app.shown()] == [secret(row) for row in rows[first : first + height]]
            assert 0 <= first <= max(0, len(rows) - height)
            assert stream.place.total == len(rows)
            if stream.following:
                assert stream.cursor is None
                assert first == (0 if newest_first else max(0, len(rows) - height))
            if grew and not following and rows:
                assert not stream.following
                if top is not None and top.key >= view.rows[0].key:
                    # The reader's place is a row: it moves only where the rows end.
                    assert rows[first] is top or first == max(0, len(rows) - height)
                if under is not None and under.key >= view.rows[0].key:
                    assert stream.event is under
                newer = len(view.rows) - bisect_left(
                    view.rows, stream._window._newest_seen + 1, key=lambda row: row.key
                )
                assert stream.unseen == newer


async def test_times_follow_the_zone_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    app = OneStream(View([arrival(records.read("prod/db", eventTime=ago(90))).event]))
    async with app.run_test(size=(90, 5)) as pilot:
        assert app.shown()[0].startswith("13:58:30")
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        formatted.cache_clear()
        app.stream.set_zone(Zone.LOCAL)
        await pilot.pause()
        assert app.shown()[0].startswith("19:28:30")
        app.stream.set_zone(Zone.RELATIVE)
        await pilot.pause()
        assert app.shown()[0].startswith("1m30s")
        app.stream.tick(NOW + timedelta(minutes=1))
        await pilot.pause()
        assert app.shown()[0].startswith("2m30s")
    monkeypatch.undo()
    time.tzset()
    formatted.cache_clear()


async def test_an_event_that_took_unusually_long_is_marked_as_late() -> None:
    late = arrival(records.read(eventTime=ago(900)), seen_by=SeenBy.LOGS).event
    app = OneStream(View([late]))
    app.stream.watching_since = NOW - timedelta(hours=1)
    async with app.run_test(size=(160, 5)) as pilot:
        await pilot.pause()
        assert "late +15m00s" in app.shown()[0]
