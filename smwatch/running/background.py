"""A monitor beside a screen: in a thread with an event loop of its own, so that neither waits for the other."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import msgspec

from smwatch.monitor.delivery import Delivery
from smwatch.rules.alarm import Alarm

T = TypeVar("T")
MOST, LEAST = 100, 10
"""Events in a part, which is applied in one go: as many as the screen can take in within LONG, between these.

No more, as some take ten times as long as those before them, of which nobody knows beforehand: other sessions, say.
"""
LONG = 0.01
"""Seconds: rules that look back far take up to a millisecond an event. Serves "longest stall of the event loop"."""
BEGUN = 0.0025
"""Seconds after which no further part is begun in one turn of the screen's loop: as much as that can be told
beforehand, turns take as long on a machine that is slow. Serves the same."""
SPARED = 0.005
"""Seconds after which `go_on` is not called once more in one go; a call takes some milliseconds at most."""
TOGETHER = 250
"""Alarms that are kept in one transaction, each of which waits for the disk: some milliseconds."""
GIVES_WAY = 0.001
"""Seconds after which the thread gives the interpreter's lock to a screen that wants it; Python's are 0.005.

The screen lets go of the lock whenever it writes, several times for each delivery, and waited as often for all of
them. Serves "longest stall of the event loop".
"""
SETTLED_EVERY = 0.1
"""Seconds after which alarms are worked out although more of what came together follows: none is told late for that."""
Deliver = Callable[[Delivery], Awaitable[None]]
InTurn = Callable[[Callable[[], None]], None]


def at_once(act: Callable[[], None]) -> None:
    """Do it in the present turn of the loop."""
    act()


class Background:
    """Runs `work(deliver)` in a thread; each delivery is applied on the screen's loop before the next one is made.

    `apply` runs on the screen's loop and returns the alarms that changed; `keep` stores them, back in the thread, those
    of a delivery together before `deliver` returns.
    `go_on` does a bit of what a delivery has left to do (names to set right, alarms to work out), and says whether
    there may be more. It is called until there is none: after what a delivery says of secrets' names, before its
    events are applied; and at its end, unless more follows at once (`Delivery.more`) and the last time was less than
    SETTLED_EVERY ago.
    `failed` is called on the screen's loop if the work ends with an exception. The thread stays until it is stopped:
    what people do on a screen whose files have all been read is kept like anything else.
    """

    def __init__(
        self,
        work: Callable[[Deliver], Coroutine[Any, Any, None]],
        *,
        keep: Callable[[Sequence[Alarm]], None],
        go_on: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._work = work
        self._keep = keep
        self._go_on = go_on
        self._apply: Callable[[Delivery], Sequence[Alarm]] = lambda _: ()
        self._in_turn: InTurn = at_once
        self._clock = clock
        self._most = LEAST
        """How many events are applied in one go at present; the first take longest, as each is of a new kind."""
        self._unkept: dict[str, Alarm] = {}
        """What a delivery has changed so far: kept at its end, as it is then. For the screen's loop alone."""
        self._delivering = False
        self._thread: threading.Thread | None = None
        self._loop = asyncio.new_event_loop()
        self._screen: tuple[asyncio.AbstractEventLoop, contextvars.Context] | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._usual = sys.getswitchinterval()

    def start(
        self,
        apply: Callable[[Delivery], Sequence[Alarm]],
        failed: Callable[[BaseException], None],
        in_turn: InTurn = at_once,
    ) -> None:
        """Begin, from within the screen's loop, on which `in_turn` does what takes long."""
        self._screen = screen, context = asyncio.get_running_loop(), contextvars.copy_context()
        self._apply, self._in_turn = apply, in_turn
        settled_at = self._clock()

        async def deliver(delivery: Delivery) -> None:
            nonlocal settled_at
            if _names(delivery):
                names = Delivery(renamed=delivery.renamed, anew=delivery.anew, more=True)
                await self.on_screen(partial(self._take_in, names))
                while await self.on_screen(self._some_more):
                    pass
                delivery = msgspec.structs.replace(delivery, renamed=(), anew=None)
            parts = self._parted(delivery)
            while await self.on_screen(partial(self._take_in_some, parts)):
                pass
            # Not for each part: an alarm that several of them change is worked out once.
            if delivery.more and self._clock() - settled_at < SETTLED_EVERY:
                return
            while await self.on_screen(self._some_more):
                pass
            settled_at = self._clock()

        async def run() -> None:
            with self._lock:
                if self._stopped:
                    return
                self._task = asyncio.current_task()
            try:
                await self._work(deliver)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                _tell(screen, context, partial(failed, error))
            await asyncio.Event().wait()

        def thread() -> None:
            with suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(run())

        sys.setswitchinterval(GIVES_WAY)
        self._thread = threading.Thread(target=thread, name="smwatch monitor", daemon=True)
        self._thread.start()

    async def on_screen(self, act: Callable[[], T]) -> T:
        """From within the work: have something done on the screen's loop, and wait for its result.

        Once the screen has been left there is none: `stop` ends the wait.
        """
        assert self._screen is not None
        screen, context = self._screen
        done: Future[T] = Future()

        def there() -> None:
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(act())
                except BaseException as error:
                    done.set_exception(error)

        _tell(screen, context, partial(self._in_turn, there))
        return await asyncio.wrap_future(done)

    def _take_in(self, delivery: Delivery) -> None:
        """Apply it, and go by how long that took."""
        began = self._clock()
        self._gather(self._apply(delivery))
        took = self._clock() - began
        if took > LONG:
            self._most = max(LEAST, len(delivery.arrivals) // 2)
        elif took < LONG / 4 and len(delivery.arrivals) >= self._most:
            self._most = min(MOST, self._most * 2)

    def _take_in_some(self, parts: Iterator[tuple[Delivery, bool]]) -> bool:
        """Apply parts for as long as the screen can be spared; whether there are more."""
        until = self._clock() + BEGUN
        for part, more in parts:
            self._take_in(part)
            if not more or self._clock() >= until:
                return more
        return False

    def _some_more(self) -> bool:
        """Go on for as long as the screen can be spared; whether there may be more to do."""
        until = self._clock() + SPARED
        self._delivering = True
        try:
            while self._go_on():
                if self._clock() >= until:
                    return True
        finally:
            self._delivering = False
        self._keep_gathered()
        return False

    def _gather(self, alarms: Sequence[Alarm]) -> None:
        self._unkept |= {alarm.group: alarm for alarm in alarms}
        if len(self._unkept) >= TOGETHER:
            self._keep_gathered()

    def _keep_gathered(self) -> None:
        """Have the thread keep them before anything that it is given after this."""
        if self._unkept and not self._loop.is_closed():
            alarms, self._unkept = tuple(self._unkept.values()), {}
            self._loop.call_soon_threadsafe(self._keep, alarms)

    def _parted(self, delivery: Delivery) -> Iterator[tuple[Delivery, bool]]:
        """In parts, each of which the screen takes in without standing still, and whether there are more after it.

        What is no event comes last.
        """
        arrivals = delivery.arrivals
        while len(arrivals) > (most := self._most):
            yield Delivery(arrivals[:most], more=True), True
            arrivals = arrivals[most:]
        yield msgspec.structs.replace(delivery, arrivals=arrivals), False

    def keep(self, alarms: Sequence[Alarm]) -> None:
        """Store alarms that changed on the screen, without making it wait."""
        if not alarms or self._stopped:
            return
        self._gather(alarms)
        if not self._delivering:  # by a person, or by the clock
            self._keep_gathered()

    def begin_gently(self) -> None:
        """Have few events applied in one go again, as at first: each takes longer from now on than those before."""
        self._most = LEAST

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Have something else done in the thread, beside the work; a fault in it is in the future.

        What comes before `start` waits for it.
        """
        return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def stop(self, seconds: float = 1.0) -> bool:
        """End the work and wait for it, `seconds` at the most; whether it ended, or is stuck in a system call."""
        sys.setswitchinterval(self._usual)
        self._keep_gathered()
        with self._lock:
            self._stopped = True
            if self._task is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is None:
            self._loop.close()
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()


def _names(delivery: Delivery) -> bool:
    """Whether it tells that secrets are not the ones they seemed to be."""
    return bool(delivery.renamed) or delivery.anew is not None


def _tell(screen: asyncio.AbstractEventLoop, context: contextvars.Context, act: Callable[[], object]) -> None:
    """Have something done on the screen's loop, unless the screen has been left meanwhile."""
    try:
        screen.call_soon_threadsafe(act, context=context)
    except RuntimeError:
        if not screen.is_closed():
            raise
