"""A monitor beside a screen: in a thread with an event loop of its own, so that neither waits for the other."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from smwatch.monitor import Delivery
from smwatch.rules.alarm import Alarm

T = TypeVar("T")
Deliver = Callable[[Delivery], Awaitable[None]]


class Background:
    """Runs `work(deliver)` in a thread; each delivery is applied on the screen's loop before the next one is made.

    `apply` runs on the screen's loop and returns the alarms that changed; `keep` stores them, back in the thread.
    `failed` is called on the screen's loop if the work ends with an exception.
    """

    def __init__(
        self,
        work: Callable[[Deliver], Coroutine[Any, Any, None]],
        *,
        keep: Callable[[Sequence[Alarm]], None],
    ) -> None:
        self._work = work
        self._keep = keep
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def start(self, apply: Callable[[Delivery], Sequence[Alarm]], failed: Callable[[BaseException], None]) -> None:
        """Begin, from within the screen's loop."""
        screen, context = asyncio.get_running_loop(), contextvars.copy_context()

        def on_screen(done: Future[Sequence[Alarm]], delivery: Delivery) -> None:
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(apply(delivery))
                except BaseException as error:
                    done.set_exception(error)

        async def deliver(delivery: Delivery) -> None:
            done: Future[Sequence[Alarm]] = Future()
            screen.call_soon_threadsafe(on_screen, done, delivery, context=context)
            if alarms := await asyncio.wrap_future(done):
                self._keep(alarms)

        async def run() -> None:
            with self._lock:
                if self._stopped:
                    return
                self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            await self._work(deliver)

        def thread() -> None:
            try:
                asyncio.run(run())
            except asyncio.CancelledError:
                pass
            except BaseException as error:
                screen.call_soon_threadsafe(failed, error, context=context)

        self._thread = threading.Thread(target=thread, name="smwatch monitor", daemon=True)
        self._thread.start()

    def keep(self, alarms: Sequence[Alarm]) -> None:
        """Store alarms that changed on the screen, without making it wait."""
        if alarms and self._loop is not None:
            self._loop.call_soon_threadsafe(self._keep, alarms)

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Have something else done in the thread, beside the work; a fault in it is in the future."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def stop(self, seconds: float = 1.0) -> bool:
        """End the work and wait for it, `seconds` at the most; whether it ended, or is stuck in a system call."""
        with self._lock:
            self._stopped = True
            if self._loop is not None and self._task is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()
