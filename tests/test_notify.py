import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from smwatch.notify import EVERY, MOST, TRIES, Notifier, NotifyError, apprise_sender
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.sources.source import State, Status

apprises_own = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""apprise imports modules that Python has deprecated."""

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def alarm(group: str = "g", **fields: object) -> Alarm:
    plain = Alarm(
        group=group, rule="SMW-DEL-01", severity=Severity.CRITICAL, state=AlarmState.OPEN, title="Access", why="w",
        principal="ci", count=1, first_at=NOW, last_at=NOW, changed_at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


class Posts:
    """Somebody who takes messages, or refuses them."""

    def __init__(self, refuses: int = 0) -> None:
        self.sent: list[tuple[str, str]] = []
        self.reported: list[Status] = []
        self.pauses: list[float] = []
        self.done = asyncio.Event()
        self._refuses = refuses
        self.notifier = Notifier(self.send, least=Severity.HIGH, report=self.report, now=lambda: NOW, sleep=self.sleep)

    def send(self, title: str, body: str) -> bool:
        if self._refuses:
            self._refuses -= 1
            return False
        self.sent.append((title, body))
        return True

    async def report(self, status: Status) -> None:
        self.reported.append(status)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if seconds == EVERY.total_seconds():
            self.done.set()
        await asyncio.sleep(0)

    async def after(self, *told: Alarm) -> list[str]:
        """The bodies sent after these have been told, one after the other."""
        running = asyncio.create_task(self.notifier.run())
        for each in told:
            self.notifier.tell([each])
            if self.notifier.busy:
                await self.done.wait()
                self.done.clear()
        running.cancel()
        return [body for _, body in self.sent]


async def test_an_alarm_is_sent_when_it_opens_and_not_with_every_event() -> None:
    assert len(await Posts().after(alarm(), alarm(count=2), alarm(count=3))) == 1


async def test_an_alarm_is_sent_again_when_it_gets_worse_or_opens_anew() -> None:
    high = Severity.HIGH
    told = (alarm(severity=high), alarm(), alarm(state=AlarmState.CLOSED), alarm())
    assert len(await Posts().after(*told)) == 3


@pytest.mark.parametrize(
    "quiet",
    [
        alarm(severity=Severity.MEDIUM),
        alarm(state=AlarmState.ACKNOWLEDGED),
        alarm(count=0),
        alarm(muted_until=NOW + timedelta(hours=1)),
    ],
    ids=["below the severity asked for", "acknowledged", "taken back", "muted"],
)
async def test_what_nobody_wants_to_hear_is_not_sent(quiet: Alarm) -> None:
    assert await Posts().after(quiet) == []


async def test_what_an_earlier_run_told_of_is_not_sent_again() -> None:
    posts = Posts()
    posts.notifier.remember([alarm()])
    assert await posts.after(alarm(count=7)) == []


async def test_many_alarms_at_once_are_one_message() -> None:
    posts = Posts()
    posts.notifier.tell([alarm(f"g{n}") for n in range(MOST + 4)])
    (body,) = await posts.after(alarm("g0", count=2))
    assert body.count("CRITICAL") == MOST
    assert "and 4 more alarms" in body


async def test_a_refused_message_is_tried_again_and_the_trouble_shown() -> None:
    posts = Posts(refuses=2)
    assert len(await posts.after(alarm())) == 1
    assert [status.state for status in posts.reported] == [State.FAILING, State.FAILING, State.OK]
    assert posts.pauses[0] < posts.pauses[1]


async def test_a_message_nobody_takes_is_given_up_and_the_next_one_tried() -> None:
    posts = Posts(refuses=TRIES)
    assert len(await posts.after(alarm("a"), alarm("b"))) == 1
    assert "given up" in posts.reported[-1].message


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, list[dict[str, object]]]]:
    taken: list[dict[str, object]] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(json.loads(await request.text()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"json://127.0.0.1:{runner.addresses[0][1]}/", taken
    await runner.cleanup()


@apprises_own
async def test_a_message_goes_over_the_wire_through_apprise(hook: tuple[str, list[dict[str, object]]]) -> None:
    url, taken = hook
    send = apprise_sender([url])
    assert await asyncio.to_thread(send, "smwatch: CRITICAL", "somebody reads it")
    assert taken[0]["title"] == "smwatch: CRITICAL"
    assert taken[0]["message"] == "somebody reads it"


@apprises_own
def test_a_url_that_apprise_does_not_know_is_refused_without_repeating_it() -> None:
    with pytest.raises(NotifyError, match="number 2") as caught:
        apprise_sender(["json://127.0.0.1/", "carrier-pigeon://token@loft"])
    assert "loft" not in str(caught.value)
