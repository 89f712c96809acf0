"""New alarms to where people are: through apprise (extra `notify`), without ever holding anything up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from smwatch.rules.alarm import Alarm, Severity, message, urgency
from smwatch.sources.source import State, Status

NAME, LABEL = "notify", "Notify"
EVERY = timedelta(seconds=30)
"""At most one message in this time; alarms that come meanwhile share the next one."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
"""Before a message is tried again, at first and at last; each pause is three times the one before."""
PATIENCE = timedelta(seconds=60)
"""How long a message may take; one that takes longer counts as not sent."""
MOST = 5
"""Alarms written out in one message; the rest are counted."""
WAITING = 500
"""Alarms that wait for a message; beyond that the least urgent are only counted."""

Send = Callable[[str, str], bool]
"""(title, body) → whether every service took it; may block."""


class NotifyError(Exception):
    """Notifications can't work as configured; one sentence with the next step."""


def apprise_sender(urls: Sequence[str]) -> Send:
    """Send through these apprise URLs; NotifyError if apprise is not installed or does not know one."""
    try:
        import apprise
    except ModuleNotFoundError:
        raise NotifyError("[notify] urls needs the extra: pip install 'smwatch[notify]'") from None
    services = apprise.Apprise()
    for number, url in enumerate(urls, 1):
        if not services.add(url):  # the URL itself holds credentials: it is never repeated
            raise NotifyError(f"[notify] urls: apprise does not understand URL number {number}")

    def send(title: str, body: str) -> bool:
        try:
            # plain text: what stands in a name is markup for none of the services
            return bool(services.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))
        except Exception:  # a fault in one of apprise's hundred services is a message not sent, no end of smwatch
            return False

    return send


class Notifier:
    """Sends each alarm once when it opens, and again when it opens anew or gets worse.

    `run` does the sending; `tell` never waits. A message says what `rules.alarm.message` says: names and times, no
    records, no credentials. What can't be sent waits, is tried again with growing pauses, and the trouble is said
    through `report`. `keep` is told which alarms (by group) still wait, whenever some have been sent.
    """

    def __init__(
        self,
        send: Send,
        *,
        least: Severity,
        report: Callable[[Status], Awaitable[None]],
        now: Callable[[], datetime],
        keep: Callable[[Collection[str]], None] = lambda _unsent: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._send = send
        self._least = least
        self._report = report
        self._now = now
        self._keep = keep
        self._sleep = sleep
        self._told: dict[str, tuple[bool, int, int]] = {}
        self._waiting: dict[str, Alarm] = {}
        self._uncounted = 0
        self._failures = 0
        self._wake = asyncio.Event()
        self._sending = asyncio.Lock()

    @property
    def unsent(self) -> Collection[str]:
        """The alarms, by group, that have not been sent yet."""
        return list(self._waiting)

    def remember(self, alarms: Sequence[Alarm], unsent: Collection[str] = ()) -> None:
        """Take note of alarms that an earlier run knew; those that it had yet to send are news still."""
        for alarm in alarms:
            if alarm.group not in unsent:
                self._told[alarm.group] = _stage(alarm)
        self.tell([alarm for alarm in alarms if alarm.group in unsent])

    def tell(self, alarms: Sequence[Alarm]) -> None:
        """Have those sent that are news."""
        for alarm in alarms:
            before, stage = self._told.get(alarm.group), _stage(alarm)
            self._told[alarm.group] = stage
            news = before is None or not before[0] or stage[1:] > before[1:]
            wanted = alarm.open and alarm.count and alarm.severity >= self._least and not alarm.muted(self._now())
            if wanted and (news or alarm.group in self._waiting):
                self._waiting[alarm.group] = alarm
                self._wake.set()
            elif not wanted:
                self._waiting.pop(alarm.group, None)  # dealt with before it was sent
        for alarm in sorted(self._waiting.values(), key=urgency)[WAITING:]:
            del self._waiting[alarm.group]
            self._uncounted += 1

    async def run(self) -> None:
        """Send for ever what there is to send."""
        while True:
            await self._wake.wait()
            await self._sleep((await self._round()).total_seconds())

    async def finish(self, within: timedelta) -> None:
        """Send what waits now, without the pause between messages, but give up after this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._round()

    async def _round(self) -> timedelta:
        """Send one message about what waits; returns how long to wait before the next."""
        async with self._sending:
            self._wake.clear()
            alarms = sorted(self._waiting.values(), key=urgency)
            if not alarms:
                return EVERY
            uncounted = self._uncounted
            if not await _in_time(self._send, *_written(alarms, uncounted)):
                return await self._failed(len(alarms))
            self._uncounted -= uncounted
            for alarm in alarms:
                if self._waiting.get(alarm.group) is alarm:  # it may have got worse meanwhile
                    del self._waiting[alarm.group]
            self._keep(self.unsent)
            if self._failures:
                self._failures = 0
                await self._report(Status(NAME, LABEL, State.OK, at=self._now()))
            return EVERY

    async def _failed(self, number: int) -> timedelta:
        pause: timedelta = min(FIRST_PAUSE * 3**self._failures, LONGEST_PAUSE)
        self._failures = min(self._failures + 1, 10)
        self._wake.set()
        what = "a new alarm" if number == 1 else f"{number} new alarms"
        sentence = (
            f"a message about {what} could not be sent, trying again in {pause.total_seconds():.0f} s: "
            "check [notify] urls in the config file"
        )
        await self._report(Status(NAME, LABEL, State.FAILING, sentence, at=self._now()))
        return pause


def _written(alarms: Sequence[Alarm], uncounted: int) -> tuple[str, str]:
    """The title and body of one message about these alarms, the worst first."""
    first, *lines = message(alarms[0]).split("\n")
    body = "\n\n".join(["\n".join(lines), *map(message, alarms[1:MOST])])
    if more := len(alarms) - MOST + uncounted:
        body += f"\n\nand {more:,} more alarms" if more > 0 else ""
    return f"smwatch: {first}", body


async def _in_time(send: Send, title: str, body: str) -> bool:
    """Whether it was sent before patience ran out, by a thread that nobody ever has to wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()

    def conclude(sent: bool) -> None:
        if not done.done():
            done.set_result(sent)

    def work() -> None:
        sent = send(title, body)
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody wants to know
            loop.call_soon_threadsafe(conclude, sent)

    threading.Thread(target=work, name="smwatch notify", daemon=True).start()
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await done
    except TimeoutError:
        return False


def _stage(alarm: Alarm) -> tuple[bool, int, int]:
    """What makes an alarm news when it changes: open again, worse, escalated."""
    return alarm.open and alarm.count > 0, alarm.severity.rank, alarm.level
