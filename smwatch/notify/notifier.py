"""Sends new alarms to one place where people are, once each, and without ever holding anything up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

from smwatch.notify.notified import Notified, Refused
from smwatch.notify.senders import Send
from smwatch.rules.alarm import Alarm, Severity, message, urgency
from smwatch.rules.news import Told, is_news, seen, told_of
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
TURN = timedelta(seconds=2)
"""How soon to look again while another process is sending to the same URL."""


class Notifier:
    """Sends each alarm once when it opens, and again when it opens anew, gets worse, or went on during a mute.

    Of several processes that share what is `notified` one sends. `run` does the sending; `tell` never waits. A message
    says what `rules.alarm.message` says: names and times, no records, no credentials. What can't be sent waits, is
    tried again with growing pauses, and the trouble is said through `report`, with the `number` of the URL.
    """

    def __init__(
        self,
        send: Send,
        *,
        least: Severity,
        report: Callable[[Status], Awaitable[None]],
        now: Callable[[], datetime],
        notified: Notified,
        number: int = 1,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._send = send
        self._least = least
        self._report = report
        self._now = now
        self._notified = notified
        self._number = number
        self._sleep = sleep
        self._told = notified.read()
        self._waiting: dict[str, Alarm] = {}
        self._began = now()
        self._failing = False
        """Whether it has been said that a message could not be sent."""
        self._wake = asyncio.Event()
        self._sending = asyncio.Lock()

    @property
    def unsent(self) -> Collection[str]:
        """The alarms, by group, that have not been sent yet."""
        return list(self._waiting)

    def tell(self, alarms: Sequence[Alarm]) -> Mapping[str, bytes]:
        """Have those sent that are news; returns what the journal is to keep of how they stand."""
        now = self._now()
        changed: dict[str, Told] = {}
        if any(alarm.muted(now) for alarm in alarms):
            self._learn()  # what others have sent is not to be kept as it was before
        for alarm in alarms:
            group = alarm.group
            if self._wanted(alarm, now):
                self._waiting[group] = alarm
                self._wake.set()
                continue
            self._waiting.pop(group, None)  # dealt with before it was sent, also by another process
            if (told := self._told.get(group)) is not None:
                after = self._told[group] = seen(told, alarm, now)
                if after.muted_until != told.muted_until:
                    changed[group] = after
        return self._notified.facts(changed)

    def _wanted(self, alarm: Alarm, now: datetime) -> bool:
        asks = alarm.open and alarm.count > 0 and not alarm.muted(now) and alarm.severity >= self._least
        return asks and is_news(alarm, self._told.get(alarm.group), now)

    async def run(self) -> None:
        """Send for ever what there is to send."""
        while True:
            await self._wake.wait()
            await self._sleep((await self.send_due(EVERY)).total_seconds())

    async def finish(self, within: timedelta) -> None:
        """Send what waits now, without the pause between messages, but give up after this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                while await self.send_due() == TURN:  # unless another process is sending it
                    await self._sleep(TURN.total_seconds())

    async def send_due(self, distance: timedelta = timedelta()) -> timedelta:
        """Send one message about what waits, if none was sent within `distance`; returns how long to rest."""
        async with self._sending:
            self._wake.clear()
            with ExitStack() as turn:
                try:
                    turn.enter_context(self._notified.turn())
                except BlockingIOError:
                    self._wake.set()
                    return TURN
                except OSError:
                    pass  # no room for a lock file: told twice is better than never
                return await self._in_turn(distance)

    async def _in_turn(self, distance: timedelta) -> timedelta:
        now = self._now()
        self._learn()
        alarms = [alarm for alarm in self._waiting.values() if self._wanted(alarm, now)]
        self._waiting = {alarm.group: alarm for alarm in alarms}
        if not alarms:
            await self._recovered()
            return EVERY
        last = max((told.at for told in self._told.values()), default=now - EVERY)
        if (left := last + distance - now) > timedelta():
            self._wake.set()
            return left
        refused = self._refused()
        if refused is not None and distance and (left := refused.at + _pause(refused) - now) > timedelta():
            return await self._failed(len(alarms), min(left, _pause(refused)))  # another process has tried
        alarms.sort(key=urgency)
        if not await self._sent(*_written(alarms)):
            refused = Refused(self._now(), 1 if refused is None else refused.times + 1)
            self._notified.note_refused(refused)
            return await self._failed(len(alarms), _pause(refused))
        sent = {alarm.group: told_of(alarm, now) for alarm in alarms}
        self._told |= sent
        self._notified.note(sent)
        for alarm in alarms:
            if (waiting := self._waiting.get(alarm.group)) is not None and not self._wanted(waiting, now):
                del self._waiting[alarm.group]  # unless it has got worse meanwhile
        await self._recovered()
        return EVERY

    def _learn(self) -> None:
        """Take note of what other processes have sent."""
        for group, told in self._notified.read().items():
            if group not in self._told or self._told[group].at < told.at:
                self._told[group] = told

    def _refused(self) -> Refused | None:
        """How a message failed last; what did before the start says nothing: somebody may have seen to it."""
        refused = self._notified.refused()
        return refused if refused is not None and refused.at >= self._began else None

    async def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            await self._report(self._status(State.OK))

    async def _sent(self, title: str, body: str) -> bool:
        """Whether it was sent before patience ran out."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await self._send(title, body)
        except TimeoutError:
            return False

    async def _failed(self, number: int, pause: timedelta) -> timedelta:
        self._failing = True
        self._wake.set()
        what = "a new alarm" if number == 1 else f"{number} new alarms"
        sentence = (
            f"a message about {what} could not be sent, trying again in {pause.total_seconds():.0f} s: "
            f"check URL number {self._number} of [notify] urls in the config file"
        )
        await self._report(self._status(State.FAILING, sentence))
        return pause

    def _status(self, state: State, sentence: str = "") -> Status:
        suffix = f" {self._number}" if self._number > 1 else ""
        return Status(NAME + suffix.replace(" ", ":"), LABEL + suffix, state, sentence, at=self._now())


def _pause(refused: Refused) -> timedelta:
    """How long to wait before a message is tried again."""
    pause: timedelta = FIRST_PAUSE * 3 ** min(refused.times - 1, 10)
    return min(pause, LONGEST_PAUSE)


def _written(alarms: Sequence[Alarm]) -> tuple[str, str]:
    """The title and body of one message about these alarms, the worst first."""
    first, *lines = message(alarms[0]).split("\n")
    body = "\n\n".join(["\n".join(lines), *map(message, alarms[1:MOST])])
    if (more := len(alarms) - MOST) > 0:
        body += f"\n\nand {more:,} more alarms"
    return f"smwatch: {first}", body
