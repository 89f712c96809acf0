"""What stands behind the screen: the parts, a monitor in a thread, and what the screen asks of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from smwatch.events.secret import Secret
from smwatch.journal import JournalError
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.rules.alarm import Alarm
from smwatch.running.aws import AwsSources
from smwatch.running.background import Background, Deliver, InTurn, at_once
from smwatch.running.parts import Parts, now
from smwatch.running.unready import advice
from smwatch.settings import MeaningError, Settings
from smwatch.sources.begun import Begun
from smwatch.sources.errors import ConfigurationError
from smwatch.sources.source import Source, State, Status
from smwatch.store.store import Store
from smwatch.tui.outside import Answers, Before, Outside
from smwatch.tui.screens.desk import Desk, check
from smwatch.tui.stalls import Stalls

if TYPE_CHECKING:
    from smwatch.rules.engine import Engine

Sources = AbstractAsyncContextManager[Sequence[Source]]
GLANCED = 100
"""Events of the journal that are there before the rules are loaded: two screenfuls, so that it stands at once."""
SETTLED = 5
"""Alarms that are worked out in one go, each in up to a millisecond: serves "longest stall of the event loop"."""
SET_RIGHT = 500
"""Events, or alarms, that are set right in one go when secrets turn out to be others: serves "renamed"."""


def aws_sources(parts: Parts[Store]) -> AwsSources:
    """AWS, as the settings ask for it."""
    return AwsSources(parts.settings, parts.since, journal=parts.journal, screen=True, asked=parts.asked_of_log_group)


def file_sources(files: Sequence[Path], speed: float | None) -> Callable[[Parts[Store]], Sources]:
    """Trail files, paced by the time of their events if a speed is given."""

    @asynccontextmanager
    async def opened(_: Parts[Store]) -> AsyncIterator[Sequence[Source]]:
        from smwatch.sources.files import SCREEN_PAGE, FileSource

        yield [FileSource(files, speed=speed, page=SCREEN_PAGE, now=now, sleep=asyncio.sleep)]

    return opened


@asynccontextmanager
async def demo_sources(_: Parts[Store]) -> AsyncIterator[Sequence[Source]]:
    """The scripted incident."""
    from smwatch.sources.demo import demo_sources

    yield demo_sources(now, asyncio.sleep)


def live_tail_cost() -> str:
    """What Live Tail costs, in a sentence."""
    from smwatch.sources.live_tail import COST

    return COST


class Backstage:
    """Feeds a screen from sources, and does for it what is not a screen's to do.

    Made in any thread (SettingsError for what can't be); then `start` and `stop` belong to the screen's loop.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Callable[[Parts[Store]], Sources],
        *,
        remember: bool,
        title: str = "",
        glance: bool = False,
        recorded: bool = False,
    ) -> None:
        """With `glance`, the first page of each source is shown before rules are loaded: for files, read at once.

        Of what is `recorded`, the screen counts back from the newest event.
        """
        with settings.placed():
            check(settings.ui)
            self._stalls = _stalls(settings.ui.stalls)
        self.parts = parts = Parts(settings, Store, remember=remember, judging=False, packing=True)
        parts.check_filters(settings.ui.filters)
        self._sources = sources(parts)
        self._glance = glance
        self._aws = self._sources if isinstance(self._sources, AwsSources) else None
        parts.store.at_once = SET_RIGHT
        self._background = Background(self._work, keep=parts.keep, go_on=self._go_on)
        self._monitor: Monitor | None = None
        self._opened = asyncio.Event()
        """The sources are there, and may be asked for more than what they bring by themselves."""
        self._reached = parts.since
        self.desk = Desk(
            parts.store,
            record_of=parts.evidence.shown_record_of,
            now=now(),
            title=title,
            asked_since=parts.since if self._aws is not None else None,  # recordings are shown whole
            outside=self._outside(),
            ui=settings.ui,
            history=parts.filters_typed,
            recorded=recorded,
        )

    def start(
        self,
        apply: Callable[[Delivery], Sequence[Alarm]],
        failed: Callable[[BaseException], None],
        in_turn: InTurn = at_once,
    ) -> None:
        """Begin, from within the screen's loop; see `Background.start`."""
        if self._stalls is not None:
            self._stalls.start()
        self._background.start(apply, failed, in_turn)

    def stop(self, fault: BaseException | None) -> bool:
        """End the work; whether it ended, or is stuck in a system call. Advice is given on a failure."""
        parts = self.parts
        if self._aws is not None and isinstance(fault, ConfigurationError):
            for line in advice(parts.settings, parts.journal, os.environ, Path.home()):
                fault.add_note(line)
        ended = self._background.stop()
        parts.journal.close()
        if self._stalls is not None:
            self._stalls.stop()
        return ended

    async def _work(self, deliver: Deliver) -> None:
        parts = self.parts
        if self._glance:
            async with self._sources as opened:
                begun = [Begun(source) for source in opened]
                await self._judge(await self._show_first(begun, deliver))
                await parts.monitor(deliver, alone=False).follow(begun)
            return
        await self._show_newest(deliver)
        await self._show_alarms()
        self._monitor = monitor = parts.monitor(self._expecting(deliver), alone=False)
        if (status := parts.journal_status) is not None:
            await deliver(Delivery(statuses=(status,)))
        since, most = parts.looks_back_to, parts.settings.store.capacity
        if parts.store.judged_elsewhere:
            await monitor.past.refill(since, most, parts.successor)
        else:
            await monitor.past.recall(since, most)
        self._background.begin_gently()
        notifying = parts.notifying(deliver) if self._aws is not None else nullcontext()  # not of a recording
        async with notifying, self._sources as opened:
            self._opened.set()
            await monitor.follow(opened)

    def _go_on(self) -> bool:
        """On the screen's loop: do some of the work that was left; whether there may be more."""
        store = self.parts.store
        if store.set_right():
            return True
        if store.unsettled:
            self.desk.settle()
        return store.unsettled

    async def _show_first(self, begun: Sequence[Begun], deliver: Deliver) -> list[Delivery]:
        """Show the first page of each, but for what only rules select; what was shown. Serves "view-…"."""
        shown: list[Delivery] = []

        async def deliver_unjudged(delivery: Delivery) -> None:
            shown.append(delivery)
            await deliver(msgspec.structs.replace(delivery, statuses=tuple(map(_unjudged, delivery.statuses))))

        await self.parts.monitor_without_rules(deliver_unjudged).read_once(begun)
        return shown

    async def _show_newest(self, deliver: Deliver) -> None:
        """Show the newest events of the journal, if there are any. Serves "first-…"."""
        parts = self.parts
        most = min(GLANCED, parts.settings.store.capacity)
        await parts.monitor_without_rules(deliver).past.glance(parts.since, most)

    async def _show_alarms(self) -> None:
        """Load the rules, and have the screen show the alarms that were kept, until all that is known is judged.

        A journal that never held anything needs nobody to judge beside the screen. Serves "first-demo-whole".
        """
        try:
            self.parts.store.judged_elsewhere = self.parts.journal.last_seq() > 0
        except JournalError:
            self.parts.store.judged_elsewhere = True
        await self._judge_by(self.parts.engine_made())

    async def _judge(self, shown: Sequence[Delivery]) -> None:
        """Load the rules, and have the screen's store judge by them, what it has been `shown` before included."""
        engine = self.parts.engine_made()
        judged = Store(capacity=self.parts.store.capacity, engine=engine)  # here, so that the screen needs not wait
        for delivery in shown:
            delivery.into(judged)
        await self._judge_by(engine)
        if shown:
            self.parts.keep(tuple(engine.alarms.values()))

    async def _judge_by(self, engine: Engine) -> None:
        engine.at_once = SETTLED
        self.desk.expect(engine)
        await self._background.on_screen(lambda: self.parts.judge_by(engine))
        self._background.begin_gently()
        while await self._background.on_screen(self.parts.store.set_right):
            pass

    def _expecting(self, deliver: Deliver) -> Deliver:
        """The same, with the alarms of an engine that takes over put in order beforehand, for which a screen waits."""

        async def expecting(delivery: Delivery) -> None:
            if delivery.anew is not None:
                self.desk.expect(delivery.anew.engine)
            await deliver(delivery)

        return expecting

    # -- what the screen may have done

    def _outside(self) -> Outside:
        parts, aws = self.parts, self._aws
        return Outside(
            keep=self._background.keep,
            reach_back=self._reach_back if aws is not None else None,
            poll=(lambda: self._begin(aws.poll_now)) if aws is not None else None,
            live_tail=(lambda on: self._begin(lambda: aws.live_tail(on)))
            if aws is not None and parts.settings.logs.group
            else None,
            live_tail_on=parts.settings.logs.live_tail,
            live_tail_cost=live_tail_cost,
            ask=self._ask if aws is not None else None,
            same_call=parts.evidence.same_call,
            export=parts.evidence.write_file,
            remember=self._remember,
            before=Before(known=parts.alarms_kept, unheard=parts.alarms_unheard),
            hold=self._hold,
        )

    def _begin(self, work: Callable[[], None]) -> None:
        async def here() -> None:
            await self._opened.wait()
            work()

        self._background.submit(here)

    def _remember(self, filters: Sequence[str]) -> None:
        self._background.submit(lambda: self.parts.remember_filters(filters))

    def _hold(self, groups: Sequence[str]) -> None:
        self._background.submit(lambda: self.parts.remember_unheard(groups))

    async def _ask(self, secret: Secret) -> Answers:
        return await asyncio.wrap_future(self._background.submit(lambda: self._asked(secret)))

    async def _asked(self, secret: Secret) -> Answers:
        assert self._aws is not None
        await self._opened.wait()
        told = await self._aws.metadata.ask(secret)
        return Answers(told.asked_at, told.said)

    def _reach_back(self, since: datetime) -> Awaitable[bool] | None:
        if since >= self._reached:
            return None
        return asyncio.wrap_future(self._background.submit(lambda: self._reach(since)))

    async def _reach(self, since: datetime) -> bool:
        await self._opened.wait()
        assert self._aws is not None
        assert self._monitor is not None
        everything = self.parts.settings.store.capacity
        # Who waits for a moment sees it come nearer.
        await self._monitor.past.recall(since, everything, backwards=True, again=True)
        whole = await self._aws.reach(since)
        if whole:
            self._reached = min(since, self._reached)
        return whole


def _unjudged(status: Status) -> Status:
    """How a source is said to be while nothing is judged yet."""
    return msgspec.structs.replace(status, progress="judging…") if status.state is State.CATCHING_UP else status


def _stalls(file: str) -> Stalls | None:
    """What reports stalls, if it is asked for."""
    if not file:
        return None
    try:
        return Stalls(Path(file))
    except OSError as error:
        raise MeaningError("ui.stalls", f"can't write to {file}: {error.strerror}") from None
