"""How fast AWS is asked: one budget per account, Region and API, shared by everything in the process."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Callable
from enum import IntEnum

FLOOR = 0.1
BURST = 2.0
RAISE_EVERY = 30.0
RAISE_BY, RAISE_PART = 0.05, 0.025
"""Calls a second by which a rate recovers after so many seconds, or that part of what was asked for, if it is more."""
HOLD = (1.0, 2.0)
ROUNDING = 1e-6


class Priority(IntEnum):
    """Who is served first when calls are scarce."""

    LIVE = 0
    BACKFILL = 1
    AUDIT = 2


class _Waiter:
    """One caller in the queue of a Pace."""

    __slots__ = ("moved", "order", "priority")

    def __init__(self, priority: Priority, order: int) -> None:
        self.priority = priority
        self.order = order
        self.moved = asyncio.Event()

    def __lt__(self, other: _Waiter) -> bool:
        return (self.priority, self.order) < (other.priority, other.order)


class Pace:
    """A token bucket whose rate halves when AWS throttles and recovers step by step (AIMD).

    AWS counts the calls of everyone in the account, so what is left for smwatch is only known by being refused.
    """

    def __init__(
        self,
        ceiling: float,
        *,
        unrefused: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """At `ceiling` calls a second at the most; at `unrefused` of them, if that is more, until AWS first says no."""
        self.ceiling = max(ceiling, unrefused)
        self._shared = ceiling
        """What may be taken where others ask as well, as far as being refused tells."""
        self.throttles = 0
        """How often AWS has said that it is too much."""
        self.throttled_at: float | None = None
        self.clock = clock
        self._chance = chance
        self._rate = self.ceiling
        self._raised_at = self._counted_at = clock()
        self._tokens = BURST
        self._held_until = 0.0
        self._order = itertools.count()
        self._queue: list[_Waiter] = []

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        steps = int((self.clock() - self._raised_at) / RAISE_EVERY)
        if steps > 0:
            self._rate = min(self.ceiling, self._rate + steps * max(RAISE_BY, RAISE_PART * self.ceiling))
            self._raised_at += steps * RAISE_EVERY
        return self._rate

    @property
    def often(self) -> str:
        """The rate in words: "2 times a second", "once in 8 s"."""
        rate = self.rate
        return f"{rate:.3g} times a second" if rate > 1 else f"once in {1 / rate:.2g} s"

    @property
    def slowed(self) -> bool:
        """Whether calls are made more slowly than was asked for."""
        return self.rate < self.ceiling

    async def turn(self, priority: Priority, patience: float | None = None) -> bool:
        """Wait for the right to make one call; give up, with False, after `patience` seconds."""
        gives_up_at = None if patience is None else self.clock() + patience
        waiter = _Waiter(priority, next(self._order))
        heapq.heappush(self._queue, waiter)
        try:
            while True:
                first = self._queue[0] is waiter
                wait = self._until_token() if first else None
                if wait is not None and wait <= 0:
                    self._tokens -= 1
                    return True
                if gives_up_at is not None:
                    left = gives_up_at - self.clock()
                    if left <= 0:
                        return False
                    wait = left if wait is None else min(wait, left)
                waiter.moved.clear()
                try:
                    async with asyncio.timeout(wait):
                        await waiter.moved.wait()
                except TimeoutError:
                    pass
        finally:
            self._queue.remove(waiter)
            heapq.heapify(self._queue)
            if self._queue:
                self._queue[0].moved.set()

    def throttled(self, asked_at: float | None = None) -> float:
        """AWS said no: halve the rate and hold everyone back; the seconds until the next call.

        The first time it is enough to leave others what is theirs, where that was taken as well.
        A call of `asked_at` (by `clock`) that was under way when the rate was last halved says nothing of the new one.
        """
        now = self.clock()
        self.throttles += 1
        if asked_at is not None and self.throttled_at is not None and asked_at <= self.throttled_at:
            return self._until_token()
        self.throttled_at = now
        self._rate = self._shared if self.ceiling > self._shared else max(FLOOR, self.rate / 2)
        self.ceiling = min(self.ceiling, self._shared)
        self._raised_at = now
        self._tokens = 0.0
        self._counted_at = now
        self._held_until = now + self._chance(*HOLD)
        return self._until_token()

    def _until_token(self) -> float:
        now = self.clock()
        rate = self.rate
        self._tokens = min(BURST, self._tokens + (now - self._counted_at) * rate)
        self._counted_at = now
        held, missing = self._held_until - now, 1 - self._tokens
        return max(held, missing / rate if missing > ROUNDING else 0.0)


class Paces:
    """The budgets of a process, one per (account, Region, API)."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._paces: dict[tuple[str, str, str], Pace] = {}

    def of(self, account: str, region: str, api: str, ceiling: float, *, unrefused: float = 0.0) -> Pace:
        """The one budget of this API; the smallest ceiling that was ever asked for counts."""
        key = (account, region, api)
        if key not in self._paces:
            self._paces[key] = Pace(ceiling, unrefused=unrefused, clock=self._clock, chance=self._chance)
        pace = self._paces[key]
        pace.ceiling = min(pace.ceiling, max(ceiling, unrefused))
        return pace


PACES = Paces()
"""The budgets of this process."""
