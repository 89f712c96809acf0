"""A run: events are made, smwatch watches and is killed, and all is compared."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import math
import os
import pty
import random
import sqlite3
import statistics
import struct
import sys
import termios
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smwatch.journal import FILE_NAME, Journal
from smwatch.record import Record
from smwatch.sources.coverage import Coverage
from tests import records
from tests.emulators.fault_proxy import FaultProxy, foul_weather
from tests.emulators.lookup_events import LookupEvents
from tests.soak.outcome import PARTS, Outcome
from tests.soak.services import GROUP, REGION, log_group, put, surroundings

SPOILT = 0.3
"""The part of the services' answers that a network or a proxy does something to."""
LATEST = 10.0
"""Seconds by which the latest event is late: within the settle lag."""
LAST_DRAWN = 2_000
"""Bytes of what the screen drew that are kept, for when it ends by itself."""
SLOWEST = 20.0
"""Events a second that the last reading gets through at the least, of those that are not settled yet."""
WEIGH_SECONDS = 1.0
KILL_EVERY = 6.0
"""Seconds that a process lives on average, a half more or less."""
BURST_EVERY = 90.0
"""Seconds from one burst to the next on average, if there are any."""


class Soak:
    """One run."""

    def __init__(
        self,
        *,
        seconds: float,
        seed: int,
        events_per_second: float = 4.0,
        kill_every: float | None = KILL_EVERY,
        burst: int = 0,
        screen: bool = False,
    ) -> None:
        """A run of so many seconds; `kill_every` None lets one process live; `burst` is how many come at once."""
        self._seconds = seconds
        self._random = random.Random(seed)
        self._seed = seed
        self._rate = events_per_second
        self._kill_every = kill_every
        self._burst = burst
        self._screen = screen
        self._times: dict[str, dict[str, datetime]] = {"cloudtrail": {}, "logs": {}}
        """By kind of source: eventID → when it is on that source's time line."""
        self._settled: dict[str, Coverage] = {}
        self._held: dict[str, Record] = {}
        self._printed: Counter[str] = Counter()
        self._complete_to: dict[str, datetime] = {}
        self._weighed: list[list[float]] = [[] for _ in range(PARTS)]
        self.outcome = Outcome()

    async def run(self, folder: Path) -> Outcome:
        """Feed, watch, kill, compare."""
        began, struck = time.monotonic(), Counter[str]()
        self._began = began
        async with (
            log_group(folder / "moto") as logs_url,
            LookupEvents() as history,
            FaultProxy(history.url, seed=self._seed) as before_history,
            FaultProxy(logs_url, seed=self._seed + 1) as before_logs,
        ):
            for proxy in (before_history, before_logs):
                proxy.faults.extend(foul_weather(SPOILT))
            feeding = asyncio.create_task(self._feed(history, logs_url))
            foul = surroundings(folder, before_history.url, before_logs.url)
            while time.monotonic() - began < self._seconds:
                every, left = self._kill_every, self._seconds - (time.monotonic() - began)
                seconds = left if every is None else min(left, self._random.uniform(every / 2, 3 * every / 2))
                await (self._show if self._screen else self._watch)(folder, foul, seconds)
                self._audit(folder / "state" / FILE_NAME)
            feeding.cancel()
            await asyncio.sleep(LATEST + 1)
            # The last word, without faults: what is there must be found, and --once must say that it was read whole.
            calm = surroundings(folder, history.url, logs_url)
            code = await self._watch(folder, calm, 120 + len(self._held) / SLOWEST, "--once")
            assert code == 0, f"--once ended with {code}"
            outcome = self.outcome
            for proxy in (before_history, before_logs):
                struck.update(fault["called"] for fault in proxy.struck)
            outcome.faults = dict(struck)
            outcome.calls = len(history.calls)
        outcome.seconds = time.monotonic() - began
        outcome.held = len(self._held)
        outcome.lost = sorted(self._held.keys() - self._printed.keys())
        outcome.invented = sorted(self._printed.keys() - self._held.keys())
        outcome.not_journaled = sorted(self._held.keys() - _journaled(folder / "state" / FILE_NAME))
        outcome.repeated = sum(1 for count in self._printed.values() if count > 1)
        return outcome

    async def _feed(self, history: LookupEvents, logs_url: str) -> None:
        """Make events: seen by both services, or by one; at once, or late."""
        number = 0
        burst_at = time.monotonic() + self._random.expovariate(1 / BURST_EVERY) if self._burst else math.inf
        while True:
            await asyncio.sleep(self._random.expovariate(self._rate / 3))
            now = datetime.now(UTC)
            batch = []
            size = self._random.choice((1, 2, 3, 3, 6))
            if time.monotonic() >= burst_at:
                size, burst_at = self._burst, time.monotonic() + self._random.expovariate(1 / BURST_EVERY)
            for _ in range(size):
                number += 1
                happened = now - timedelta(seconds=self._random.choice((0, 0, 0, 1, 2)))
                batch.append(records.read(f"prod/s{number % 9}", at=happened, id=f"{self._seed}-{number}"))
            self._held |= {record["eventID"]: record for record in batch}
            delay = self._random.choice((0.0, 1.0, 3.0, LATEST - 3))
            where = self._random.choice(("both", "both", "history", "logs"))
            if where != "logs":
                self._times["cloudtrail"] |= {each["eventID"]: _moment(each["eventTime"]) for each in batch}
                history.region(REGION).add(batch, visible_at=now + timedelta(seconds=delay))
            if where != "history":
                put_at = datetime.now(UTC)
                await asyncio.to_thread(put, logs_url, batch, put_at)
                self._times["logs"] |= {record["eventID"]: put_at for record in batch}

    async def _watch(self, folder: Path, environment: dict[str, str], seconds: float, *more: str) -> int | None:
        """Run smwatch for so long and kill it, or let it end; returns its exit code."""
        process = await asyncio.create_subprocess_exec(
            *_command(folder, "tail", "--json", *more),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        assert process.stdout is not None
        printed: Counter[str] = Counter()
        code = None
        weighing = asyncio.create_task(self._weigh(process.pid))
        try:
            async with asyncio.timeout(seconds):
                async for line in process.stdout:
                    self._read(line, printed)
                code = await process.wait()
        except TimeoutError:
            process.kill()
            self.outcome.kills += 1
            async for line in process.stdout:
                self._read(line, printed)
            await process.wait()
        finally:
            weighing.cancel()
        again = sum(1 for event_id in printed if self._printed[event_id])
        self.outcome.most_repeated_at_once = max(self.outcome.most_repeated_at_once, again)
        self._printed += printed
        return code

    async def _show(self, folder: Path, environment: dict[str, str], seconds: float) -> None:
        """The screen for so long, then a kill."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *_command(folder),
            env=environment | {"TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        drawn = bytearray()
        loop = asyncio.get_running_loop()

        def draw() -> None:
            drawn.extend(_read_terminal(ours))
            del drawn[:-LAST_DRAWN]

        loop.add_reader(ours, draw)
        weighing = asyncio.create_task(self._weigh(process.pid))
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
            assert process.returncode is None, f"the screen ended by itself: {bytes(drawn)!r}"
            process.kill()
            self.outcome.kills += 1
            await process.wait()
        finally:
            weighing.cancel()
            loop.remove_reader(ours)
            os.close(ours)

    def _audit(self, path: Path) -> None:
        """See whether the journal holds what it claims, and claims what it claimed before."""
        if not path.exists() or not path.stat().st_size:
            return
        known = _journaled(path)
        with contextlib.closing(Journal(path, read_only=True)) as journal:
            now = {name: journal.coverage(name) for name in journal.sources()}
        for name, coverage in now.items():
            before = self._settled.get(name, Coverage())
            if any(Coverage(coverage.settled).missing(span.start, span.end) for span in before.settled):
                self.outcome.watermark_went_back += 1
            for event_id, at in self._times[name.partition(":")[0]].items():
                if event_id not in known and coverage.holds(at):
                    self.outcome.unfounded.append(event_id)
        self._settled = now

    def _read(self, line: bytes, printed: Counter[str]) -> None:
        if not line.endswith(b"\n"):
            return  # torn by the kill: the event was not told as printed, and comes again
        told = json.loads(line)
        if told["type"] == "event":
            assert told["record"] == self._held[told["id"]]
            printed[told["id"]] += 1
        elif told["type"] == "status" and told["complete_to"]:
            complete_to = datetime.fromisoformat(told["complete_to"])
            if complete_to < self._complete_to.get(told["source"], complete_to):
                self.outcome.watermark_went_back += 1
            self._complete_to[told["source"]] = complete_to

    async def _weigh(self, pid: int) -> None:
        """See what a process holds, again and again."""
        outcome = self.outcome
        while True:
            await asyncio.sleep(WEIGH_SECONDS)
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
            except (OSError, IndexError):  # it has ended
                return
            mib = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            outcome.peak_mib = max(outcome.peak_mib, mib)
            part = int((time.monotonic() - self._began) / self._seconds * PARTS)
            if part < PARTS:
                self._weighed[part].append(mib)
                outcome.memory_mib = [round(statistics.median(part), 1) for part in self._weighed if part]


def _command(folder: Path, *more: str) -> list[str]:
    where = ["--config", str(folder / "config.toml"), "--state-dir", str(folder / "state")]
    return [sys.executable, "-m", "smwatch", *more, "--since", "1h", "--log-group", GROUP, *where]


def _read_terminal(handle: int) -> bytes:
    try:
        return os.read(handle, 1 << 16)
    except OSError:  # the process has ended
        return b""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _journaled(path: Path) -> set[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT raw FROM events").fetchall()
    db.close()
    return {json.loads(raw)["eventID"] for (raw,) in rows}
