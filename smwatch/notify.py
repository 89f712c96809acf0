"""New alarms to where people are: through apprise (extra `notify`), without ever holding anything up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from smwatch.rules.alarm import Alarm, Severity, message, urgency
from smwatch.sources.source import State, Status

NAME, LABEL = "notify", "Notify"
EVERY = timedelta(seconds=30)
"""At most one message in this time; alarms that come meanwhile share the next one."""
TRIES = 5
FIRST_PAUSE = 5.0
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
    return lambda title, body: bool(services.notify(body=body, title=title))


class Notifier:
    """Sends each alarm once when it opens, and again when it opens anew or gets worse.

    `run` does the sending; `tell` never waits. A message says what `rules.alarm.message` says: names and times, no
    records, no credentials. What can't be sent is tried again with growing pauses, and said through `report`.
    """

    def __init__(
        self,
        send: Send,
        *,
        least: Severity,
        report: Callable[[Status], Awaitable[None]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._send = send
        self._least = least
        self._report = report
        self._now = now
        self._sleep = sleep
        self._told: dict[str, tuple[bool, int, int]] = {}
        self._waiting: deque[Alarm] = deque(maxlen=WAITING)
        self._wake = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._waiting)

    def remember(self, alarms: Sequence[Alarm]) -> None:
        """Take note of alarms that were told of by an earlier run."""
        for alarm in alarms:
            self._told[alarm.group] = _stage(alarm)

    def tell(self, alarms: Sequence[Alarm]) -> None:
        """Have those sent that are news."""
        for alarm in alarms:
            before, stage = self._told.get(alarm.group), _stage(alarm)
            self._told[alarm.group] = stage
            news = before is None or not before[0] or stage[1:] > before[1:]
            if alarm.open and alarm.count and news and alarm.severity >= self._least and not alarm.muted(self._now()):
                self._waiting.append(alarm)
                self._wake.set()

    async def run(self) -> None:
        """Send for ever what there is to send."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            alarms = {alarm.group: alarm for alarm in self._waiting}
            self._waiting.clear()
            await self._deliver(sorted(alarms.values(), key=urgency))
            await self._sleep(EVERY.total_seconds())

    async def _deliver(self, alarms: Sequence[Alarm]) -> None:
        title = f"smwatch: {alarms[0].severity.upper()} {alarms[0].title}"
        body = "\n\n".join(map(message, alarms[:MOST]))
        if len(alarms) > MOST:
            body += f"\n\nand {len(alarms) - MOST} more alarms"
        pause = FIRST_PAUSE
        for attempt in range(1, TRIES + 1):
            if await asyncio.to_thread(self._send, title.split("\n")[0], body):
                if attempt > 1:
                    await self._report(Status(NAME, LABEL, State.OK, at=self._now()))
                return
            left = TRIES - attempt
            what = f"trying again in {pause:.0f} s" if left else f"given up after {TRIES} tries"
            sentence = f"a message about {len(alarms)} alarms could not be sent; {what}: check [notify] urls"
            await self._report(Status(NAME, LABEL, State.FAILING, sentence, at=self._now()))
            if left:
                await self._sleep(pause)
                pause *= 3


def _stage(alarm: Alarm) -> tuple[bool, int, int]:
    """What makes an alarm news when it changes: open again, worse, escalated."""
    return alarm.open and alarm.count > 0, alarm.severity.rank, alarm.level
