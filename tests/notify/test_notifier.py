import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from smwatch.events.secret import Secret
from smwatch.journal import FILE_NAME, Journal
from smwatch.notify import Notified, Notifier, NotifyError, apprise_senders
from smwatch.notify.notified import begin
from smwatch.notify.notifier import EVERY, FIRST_PAUSE, LONGEST_PAUSE, MOST
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Decision, Severity
from smwatch.rules.news import told_of
from smwatch.sources.source import State, Status
from tests import records
from tests.emulators.lookup_events import LookupEvents

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def alarm(group: str = "g", **fields: object) -> Alarm:
    plain = Alarm(
        group=group, rule="SMW-DEL-01", severity=Severity.CRITICAL, state=AlarmState.OPEN, title="Access", why="w",
        principal="ci", count=1, first_at=NOW, last_at=NOW, changed_at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


class Posts:
    """Somebody who takes messages, or refuses them."""

    def __init__(self, refuses: int = 0, journal: Journal | None = None, now: datetime = NOW) -> None:
        self.now = now
        self.tried = 0
        self.sent: list[tuple[str, str]] = []
        self.reported: list[Status] = []
        self.pauses: list[float] = []
        self.rested, self.paused = asyncio.Event(), asyncio.Event()
        self._refuses = refuses
        self.notified = Notified(journal or Journal(), "json://hook/")
        self.notifier = Notifier(
            self.send,
            least=Severity.HIGH,
            report=self.report,
            now=lambda: self.now,
            notified=self.notified,
            sleep=self.sleep,
        )

    async def send(self, title: str, body: str) -> bool:
        self.tried += 1
        if self._refuses:
            self._refuses -= 1
            return False
        self.sent.append((title, body))
        return True

    async def report(self, status: Status) -> None:
        self.reported.append(status)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.paused.set()
        self.now += timedelta(seconds=seconds)
        if seconds == EVERY.total_seconds():
            self.rested.set()
        await asyncio.sleep(0)

    async def after(self, *told: Alarm) -> list[tuple[str, str]]:
        """What is sent after these have been told, one after the other."""
        running = asyncio.create_task(self.notifier.run())
        for each in told:
            self.notifier.tell([each])
            if self.notifier.unsent:
                await self.rested.wait()
                self.rested.clear()
        running.cancel()
        return self.sent


async def test_a_message_names_what_happened_and_when() -> None:
    ((title, body),) = await Posts().after(alarm(secret=Secret("111122223333", "eu-west-1", "prod/db"), count=14))
    assert title == "smwatch: CRITICAL Access"
    assert body.splitlines() == [
        "secret prod/db (111122223333 eu-west-1) by ci",
        "14 events, first 2026-11-23 14:00:00Z, last 2026-11-23 14:00:00Z",
        "SMW-DEL-01, open",
    ]


async def test_an_alarm_is_sent_when_it_opens_and_not_with_every_event() -> None:
    assert len(await Posts().after(alarm(), alarm(count=2), alarm(count=3))) == 1


async def test_an_alarm_is_sent_again_when_it_gets_worse_or_opens_anew() -> None:
    high = Severity.HIGH
    closed = Decision(NOW + timedelta(seconds=45), 7)
    told = (alarm(severity=high), alarm(), alarm(state=AlarmState.CLOSED, closed=closed), alarm(closed=closed))
    assert len(await Posts().after(*told)) == 3


async def test_an_alarm_that_goes_on_after_a_mute_is_sent_then() -> None:
    posts = Posts()
    muted = alarm(muted_until=NOW + timedelta(hours=1))
    assert len(await posts.after(alarm(), muted)) == 1
    posts.now = NOW + timedelta(hours=2)
    assert len(await posts.after(muted)) == 1, "nothing has happened since"
    assert len(await posts.after(msgspec.structs.replace(muted, count=3), msgspec.structs.replace(muted, count=4))) == 2


async def test_an_alarm_that_went_on_during_a_mute_is_sent_at_its_end_also_after_a_restart() -> None:
    journal = Journal()
    posts = Posts(journal=journal)
    muted = alarm(muted_until=NOW + timedelta(hours=1))
    assert len(await posts.after(alarm())) == 1
    journal.keep((), dict(posts.notifier.tell([muted])))
    again = Posts(journal=journal)
    again.now = NOW + timedelta(hours=1)
    assert len(await again.after(msgspec.structs.replace(muted, count=2))) == 1


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


async def test_what_is_dealt_with_before_it_was_sent_is_not_sent() -> None:
    posts = Posts()
    posts.notifier.tell([alarm("a"), alarm("b")])
    posts.notifier.tell([alarm("a", state=AlarmState.ACKNOWLEDGED), alarm("b", count=5)])
    assert posts.notifier.unsent == ["b"]
    await posts.notifier.finish(EVERY)
    ((_, body),) = posts.sent
    assert "5 events" in body


async def test_what_an_earlier_run_told_of_is_not_sent_again_and_what_it_did_not_is() -> None:
    journal = Journal()
    first = Posts(journal=journal)
    assert len(await first.after(alarm("told"))) == 1
    first.notifier.tell([alarm("waits")])
    told = (alarm("told", count=7), alarm("waits"), alarm("met elsewhere", title="Elsewhere"))
    ((title, body),) = await Posts(journal=journal).after(*told)
    assert (title + body).count("CRITICAL") == 2
    assert "Elsewhere" in title + body


def test_what_was_known_before_anything_was_to_be_sent_is_not_sent() -> None:
    journal = Journal()
    (place,) = begin(journal, ["json://hook/"], [alarm("old"), alarm("waits")], NOW, unsent=["waits"])
    begin(journal, ["json://hook/"], [alarm("old"), alarm("new")], NOW)
    assert set(place.read()) == {"old"}
    _, added = begin(journal, ["json://hook/", "json://too/"], [alarm("old"), alarm("new")], NOW)
    assert set(added.read()) == {"old", "new"}


def test_a_url_in_the_place_of_one_that_did_not_work_is_told_what_that_one_was_not() -> None:
    journal = Journal()
    (typo,) = begin(journal, ["json://hok/"], [alarm("old")], NOW)
    typo.note({"sent": told_of(alarm("sent"), NOW)})
    alarms = [alarm("old"), alarm("sent"), alarm("failed")]
    (right,) = begin(journal, ["json://hook/"], alarms, NOW)
    assert set(right.read()) == {"old", "sent"}
    _, added = begin(journal, ["json://hook/", "json://too/"], alarms, NOW)
    assert set(added.read()) == {"old", "sent", "failed"}, "the first one is gone for good"


async def test_of_two_processes_with_one_journal_one_sends(tmp_path: Path) -> None:
    asked, answers = asyncio.Event(), asyncio.Event()

    class Slow(Posts):
        async def send(self, title: str, body: str) -> bool:
            asked.set()
            await answers.wait()
            return True

    both = [kind(journal=Journal(tmp_path / FILE_NAME)) for kind in (Slow, Posts)]

    one, other = both
    for each in both:
        each.notifier.tell([alarm("a"), alarm("b")])
    sending = asyncio.create_task(one.notifier.finish(EVERY))
    await asked.wait()
    waiting = asyncio.create_task(other.notifier.finish(EVERY))
    await other.paused.wait()
    answers.set()
    await asyncio.gather(sending, waiting)
    assert other.sent == []
    assert [list(each.notifier.unsent) for each in both] == [[], []]
    other.notifier.tell([alarm("a", level=1)])
    await other.notifier.finish(EVERY)
    assert len(other.sent) == 1


async def test_what_this_process_could_not_send_and_another_did_is_no_trouble_any_more(tmp_path: Path) -> None:
    one, other = Posts(refuses=1, journal=Journal(tmp_path / FILE_NAME)), Posts(journal=Journal(tmp_path / FILE_NAME))
    for each in (one, other):
        each.notifier.tell([alarm()])
        await each.notifier.finish(EVERY)
    await one.notifier.finish(EVERY)
    assert (len(one.sent), len(other.sent)) == (0, 1)
    assert [status.state for status in one.reported] == [State.FAILING, State.OK]


async def test_of_processes_whose_url_refuses_only_one_tries_again_at_a_time(tmp_path: Path) -> None:
    one, other = (Posts(refuses=9, journal=Journal(tmp_path / FILE_NAME)) for _ in range(2))
    for each in (one, other):
        each.notifier.tell([alarm()])
    assert await one.notifier.send_due(EVERY) == FIRST_PAUSE
    other.now += timedelta(seconds=1)
    assert await other.notifier.send_due(EVERY) == FIRST_PAUSE - timedelta(seconds=1)
    assert (one.tried, other.tried) == (1, 0)
    assert [status.state for status in other.reported] == [State.FAILING]
    other.now = NOW + FIRST_PAUSE
    assert await other.notifier.send_due(EVERY) == 3 * FIRST_PAUSE, "whoever is awake first"
    one.now = NOW + FIRST_PAUSE
    assert await one.notifier.send_due(EVERY) == 3 * FIRST_PAUSE
    assert (one.tried, other.tried) == (1, 1)
    begun = Posts(journal=Journal(tmp_path / FILE_NAME), now=NOW + 2 * FIRST_PAUSE)
    begun.notifier.tell([alarm()])
    await begun.notifier.send_due(EVERY)
    assert len(begun.sent) == 1, "somebody may have seen to it before they started this one"
    one.now = other.now = NOW + 4 * FIRST_PAUSE
    for each in (one, other):
        await each.notifier.send_due(EVERY)
        assert [status.state for status in each.reported][-1] is State.OK
    assert (one.tried, other.tried) == (1, 1)
    one.notifier.tell([alarm("b")])
    one.now += EVERY
    assert await one.notifier.send_due(EVERY) == FIRST_PAUSE, "it has worked since"


async def test_a_mute_does_not_take_back_what_another_process_has_sent(tmp_path: Path) -> None:
    one, other = (Posts(journal=Journal(tmp_path / FILE_NAME)) for _ in range(2))
    for each in (one, other):
        await each.after(alarm())
    one.now += timedelta(minutes=5)
    await one.after(alarm(level=1))
    muted = alarm(level=1, muted_until=one.now + timedelta(hours=1))
    Journal(tmp_path / FILE_NAME).keep((), dict(other.notifier.tell([muted])))
    third = Posts(journal=Journal(tmp_path / FILE_NAME))
    third.now = one.now + timedelta(hours=2)
    assert await third.after(muted) == []


async def test_what_another_process_was_killed_over_is_sent_by_this_one(tmp_path: Path) -> None:
    killed, other = (Posts(journal=Journal(tmp_path / FILE_NAME)) for _ in range(2))
    killed.notifier.tell([alarm()])
    other.notifier.tell([alarm()])
    with killed.notified.turn(), pytest.raises(BlockingIOError), other.notified.turn():
        pytest.fail("both have their turn")
    await other.notifier.finish(EVERY)
    assert len(other.sent) == 1


async def test_processes_with_one_journal_keep_the_distance_between_messages_together(tmp_path: Path) -> None:
    one, other = (Posts(journal=Journal(tmp_path / FILE_NAME)) for _ in range(2))
    assert len(await one.after(alarm("a"))) == 1
    other.now = NOW + timedelta(seconds=10)
    assert await other.notifier.send_due(EVERY) == EVERY, "nothing to send"
    other.notifier.tell([alarm("b")])
    assert await other.notifier.send_due(EVERY) == EVERY - timedelta(seconds=10)
    assert (other.sent, other.notifier.unsent) == ([], ["b"])


async def test_many_alarms_at_once_are_one_message() -> None:
    posts = Posts()
    posts.notifier.tell([alarm(f"g{n}") for n in range(MOST + 4)])
    ((title, body),) = await posts.after(alarm("g0", count=2))
    assert (title + body).count("CRITICAL") == MOST
    assert "and 4 more alarms" in body


async def test_of_a_flood_the_worst_are_written_out_and_all_are_counted() -> None:
    posts = Posts()
    posts.notifier.tell([alarm(f"g{n}", severity=Severity.HIGH) for n in range(600)])
    posts.notifier.tell([alarm(f"worse{n}") for n in range(100)])
    await posts.notifier.finish(EVERY)
    ((title, body),) = posts.sent
    assert title.startswith("smwatch: CRITICAL")
    assert "HIGH" not in body
    assert f"and {700 - MOST} more alarms" in body
    assert posts.notifier.unsent == []


async def test_messages_have_their_distance() -> None:
    posts = Posts()
    assert len(await posts.after(alarm("a"), alarm("b"), alarm("c"))) == 3
    assert posts.pauses == [EVERY.total_seconds()] * 3


async def test_a_refused_message_waits_is_tried_again_and_the_trouble_shown() -> None:
    posts = Posts(refuses=2)
    assert len(await posts.after(alarm())) == 1
    assert [status.state for status in posts.reported] == [State.FAILING, State.FAILING, State.OK]
    assert "a new alarm could not be sent, trying again in 5 s" in posts.reported[0].message
    assert posts.pauses == [5, 15, 30]


async def test_a_message_that_nobody_takes_for_hours_is_not_given_up() -> None:
    posts = Posts(refuses=40)
    assert len(await posts.after(alarm("a"))) == 1
    assert max(posts.pauses) == LONGEST_PAUSE.total_seconds()


async def test_the_end_waits_for_what_is_being_sent_and_not_for_ever() -> None:
    posts = Posts(refuses=1)
    posts.notifier.tell([alarm()])
    await posts.notifier.finish(EVERY)
    assert (posts.sent, posts.notifier.unsent) == ([], ["g"])
    await posts.notifier.finish(EVERY)
    assert (len(posts.sent), posts.notifier.unsent) == (1, [])
    await posts.notifier.finish(EVERY)
    assert len(posts.sent) == 1


async def test_a_service_that_hangs_holds_nothing_up() -> None:
    async def never(_title: str, _body: str) -> bool:
        await asyncio.Event().wait()
        return True

    async def report(_: Status) -> None:
        """Nothing is said of what is given up."""

    notifier = Notifier(
        never, least=Severity.HIGH, report=report, now=lambda: NOW, notified=Notified(Journal(), "json://hook/")
    )
    notifier.tell([alarm()])
    await notifier.finish(timedelta(milliseconds=10))
    assert notifier.unsent == ["g"]


class Hook:
    """An HTTP endpoint that apprise's json:// posts to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []
        self.statuses: list[int] = []
        self.url = ""
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append(json.loads(await request.text()))
        self.asked.set()
        await self.answers.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    found = Hook()
    app = web.Application()
    app.router.add_post("/", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"json://127.0.0.1:{runner.addresses[0][1]}/"
    yield found
    await runner.cleanup()


async def test_a_message_goes_over_the_wire_through_apprise_as_plain_text(hook: Hook) -> None:
    (send,) = await apprise_senders([hook.url])
    assert await send("smwatch: CRITICAL", "<b>somebody</b> *reads* it & \\n <!channel>")
    assert hook.taken[0]["title"] == "smwatch: CRITICAL"
    assert hook.taken[0]["message"] == "<b>somebody</b> *reads* it & \\n <!channel>"


async def test_an_endpoint_that_refuses_or_is_not_there_is_a_message_not_sent(hook: Hook) -> None:
    send, nobody = await apprise_senders([hook.url, "json://127.0.0.1:9/"])
    hook.statuses = [500]
    assert not await send("t", "b")
    assert await send("t", "b")
    assert not await nobody("t", "b")


async def test_a_message_that_is_given_up_leaves_no_process_behind(hook: Hook) -> None:
    (send,) = await apprise_senders([f"{hook.url}?rto=3600"])
    hook.answers.clear()
    sending = asyncio.create_task(send("t", "b"))
    await hook.asked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not [each for each in Path("/proc").glob("[0-9]*/cmdline") if is_mine(each) and "messenger" in words(each)]
    hook.answers.set()


def words(cmdline: Path) -> str:
    try:
        return cmdline.read_text(errors="replace")
    except OSError:
        return ""  # it has ended


def is_mine(cmdline: Path) -> bool:
    try:
        return f"\nPPid:\t{os.getpid()}\n" in cmdline.with_name("status").read_text()
    except OSError:
        return False


async def test_a_url_that_apprise_does_not_know_is_refused_without_repeating_it() -> None:
    with pytest.raises(NotifyError, match="number 2") as caught:
        await apprise_senders(["json://127.0.0.1/", "carrier-pigeon://token@loft"])
    assert "loft" not in str(caught.value)


SENSITIVE = "AKIAIOSFODNN7EXAMPLE"


async def started(folder: Path, history: LookupEvents, *arguments: str, urls: Sequence[str]) -> Process:
    """A `smwatch tail` in a process of its own."""
    config = folder / "config.toml"
    config.write_text(f"[notify]\nurls = {json.dumps(urls)}\n", encoding="utf-8")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "smwatch", "tail", "--config", str(config), "--state-dir", str(folder), *arguments),
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": records.REGION,
            "AWS_ENDPOINT_URL_CLOUDTRAIL": history.url,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def once(folder: Path, history: LookupEvents, *arguments: str, urls: Sequence[str]) -> tuple[int, str]:
    """A run of `smwatch tail --once`: its exit code and what it said."""
    running = await started(folder, history, "--once", *arguments, urls=urls)
    _, said = await running.communicate()
    return running.returncode or 0, said.decode()


def a_deleted_secret_read() -> Record:
    happened = datetime.now(UTC) - timedelta(minutes=10)
    return records.read_deleted("prod/db", at=happened, requestID="request-7", by=records.role(key=SENSITIVE))


@pytest.mark.slow
async def test_a_run_of_once_tells_of_its_alarms_and_the_next_of_what_could_not_be_sent(
    tmp_path: Path, hook: Hook
) -> None:
    async with LookupEvents(rate=None) as history:
        read = a_deleted_secret_read()
        history.region().add([read])
        hook.statuses = [503] * 9
        code, said = await once(tmp_path, history, "--fail-on", "critical", urls=[hook.url])
        assert code == 3
        assert "could not be sent" in said
        hook.taken, hook.statuses = [], []
        assert await once(tmp_path, history, urls=[hook.url]) == (0, "")
        assert len(hook.taken) == 1
        assert await once(tmp_path, history, urls=[hook.url]) == (0, "")
        assert len(hook.taken) == 1
    message = f"{hook.taken[0]['title']}\n{hook.taken[0]['message']}"
    assert "prod/db" in message
    assert "payments-api" in message
    for private in (SENSITIVE, "request-7", str(read["eventID"]), str(read["userAgent"]), str(read["sourceIPAddress"])):
        assert private not in message


@pytest.mark.slow
async def test_a_service_that_fails_makes_no_other_repeat_itself(tmp_path: Path, hook: Hook) -> None:
    urls = ["json://127.0.0.1:9/", hook.url]
    async with LookupEvents(rate=None) as history:
        history.region().add([a_deleted_secret_read()])
        for _ in range(2):
            code, said = await once(tmp_path, history, urls=urls)
            assert code == 0
            assert "URL number 1" in said
            assert "URL number 2" not in said
            assert "127.0.0.1" not in said
    assert len(hook.taken) == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
async def test_nobody_waits_for_a_service_that_hangs_when_the_watching_is_ended(
    tmp_path: Path, hook: Hook, end: signal.Signals
) -> None:
    async with LookupEvents(rate=None) as history:
        history.region().add([a_deleted_secret_read()])
        hook.answers.clear()
        running = await started(tmp_path, history, urls=[f"{hook.url}?rto=3600"])
        await hook.asked.wait()
        running.send_signal(end)
        await running.communicate()
        assert running.returncode == (0 if end == signal.SIGINT else -end)
        hook.answers.set()
        await once(tmp_path, history, urls=[f"{hook.url}?rto=3600"])
        await once(tmp_path, history, urls=[f"{hook.url}?rto=3600"])
    assert len(hook.taken) == 2, "what was not heard of is sent by the next run"
