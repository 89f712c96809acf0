"""From a thread that reads to the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import closing, suppress
from typing import TypeVar

import msgspec

AHEAD = 8
"""Items made in advance while whoever takes them works on the one before."""
IDLE = 0.2
"""Seconds without an item after which a pause is told."""

_T = TypeVar("_T")


async def in_thread(parts: Generator[_T, None, None]) -> AsyncGenerator[_T | None, None]:
    """Run an iterator in a thread of its own, some items ahead of whoever takes them; None when it pauses.

    The thread is a daemon: one that waits for standard input can't be woken, and must not keep the program alive.
    """
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[_T | _End | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)
    unwanted = threading.Event()

    def hand_over(item: _T | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to take it
            loop.call_soon_threadsafe(items.put_nowait, item)

    def work() -> None:
        error = None
        try:
            with closing(parts):
                for part in parts:
                    room.acquire()
                    if unwanted.is_set():
                        return
                    hand_over(part)
        except Exception as fault:  # handed on, to be raised where the items are taken
            error = fault
        finally:
            hand_over(_End(error))

    threading.Thread(target=work, name="smwatch-reads", daemon=True).start()
    try:
        item: _T | _End | None = None
        while True:
            # A timer, as wait_for loses a cancellation that comes to a nested generator (Python 3.11).
            pause = loop.call_later(IDLE, items.put_nowait, None) if item is not None and items.empty() else None
            try:
                item = await items.get()
            finally:
                if pause is not None:
                    pause.cancel()
            if isinstance(item, _End):
                break
            yield item
            if item is not None:
                room.release()
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        room.release()


class _End(msgspec.Struct, frozen=True):
    """Nothing follows, because of this."""

    error: Exception | None
