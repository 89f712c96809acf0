"""The real process against faults and kill -9, for as long as wanted; then all that was held must be there, once.

    python -m tests.soak --minutes 120 --seed 7              `smwatch tail`; prints figures each minute, and the verdict
    python -m tests.soak --minutes 120 --seed 7 --screen     the same with the screen, on a pseudo-terminal
    python -m tests.soak --minutes 120 --no-kill             one process all the time: whether its memory stays flat
    python -m tests.soak --minutes 120 --kill-every 600      processes that live for some ten minutes each
    python -m tests.soak --minutes 120 --burst 300           now and then 300 events within one second

A LookupEvents stand-in (late, unordered events; two calls a second) and a log group (moto) hold overlapping events; a
proxy in front of both resets, truncates, garbles, throttles and fails a third of the answers; smwatch is killed with
SIGKILL and started again at random. After each kill, the journal must hold what it claims to, and claim no less than
before; in the end, what smwatch printed and what its journal holds are compared with what the services hold.
"""

from __future__ import annotations

import argparse
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
import tempfile
import termios
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import msgspec

from smwatch.journal import FILE_NAME, Journal
from smwatch.record import Record
from smwatch.sources.coverage import Coverage
from tests import records
from tests.emulators.fault_proxy import FaultProxy, foul_weather
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.moto import started

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

REGION = "eu-west-1"
GROUP = "trail"
ROOT = Path(__file__).parent.parent
CONFIG = """
[cloudtrail]
rate = 2.0
sweep_every = "2s"
sweep_lag = "20s"
settle_every = "3s"
settle_lag = "12s"
audit_every = "20s"
[logs]
sweep_every = "1s"
sweep_lag = "10s"
settle_every = "3s"
settle_lag = "6s"
audit_every = "20s"
[store]
capacity = 2000
"""
"""Lags of seconds instead of an hour, so that a minute is as good as days; a store that is soon full, so that from then
on nothing more need be kept."""
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
PARTS = 20
"""Of a run, for which the memory is told one by one."""
GROWTH, GROWTH_SHORT, SHORT = 1.05, 1.15, 1200.0
"""What a long-lived process may hold in the last quarter of a run, compared with the second quarter: the noise of an
allocator, no more. The first quarter fills the store and the caches; in a run of fewer seconds than these the second
does so, too."""


class Outcome(msgspec.Struct):
    """What came of a run."""

    seconds: float = 0.0
    held: int = 0
    kills: int = 0
    faults: dict[str, int] = {}
    calls: int = 0
    lost: list[str] = []
    """Held by the services, never printed."""
    invented: list[str] = []
    """Printed, but held by no service."""
    not_journaled: list[str] = []
    repeated: int = 0
    """Events printed more than once."""
    most_repeated_at_once: int = 0
    """The most events that one restart printed again."""
    watermark_went_back: int = 0
    unfounded: list[str] = []
    """Held by a service in a period that the journal claimed to be settled, and not in the journal."""
    peak_mib: float = 0.0
    """The most that a process held, in MiB."""
    memory_mib: list[float] = []
    """The median of what the process held in each of PARTS equal parts of the run, in MiB."""

    @property
    def failures(self) -> list[str]:
        """What must not be, as sentences; none for a good run."""
        most = GROWTH_SHORT if self.seconds < SHORT else GROWTH
        wrong = {
            f"{len(self.lost)} events lost": self.lost,
            f"{len(self.invented)} events invented": self.invented,
            f"{len(self.not_journaled)} events missing in the journal": self.not_journaled,
            f"{len(self.unfounded)} events missing in settled periods": self.unfounded,
            f"the mark of completeness went back {self.watermark_went_back} times": self.watermark_went_back,
            f"{self.repeated} events repeated by {self.kills} kills": self.repeated and not self.kills,
            f"memory grew to {self.growth:.2f} times of what it was": self.growth > most,
        }
        return [sentence for sentence, is_so in wrong.items() if is_so]

    @property
    def growth(self) -> float:
        """What one process held in the last quarter of its run, by what it held in the second; 0 for several."""
        if self.kills > 1 or len(self.memory_mib) < PARTS:
            return 0.0
        quarters = [statistics.median(self.memory_mib[i : i + PARTS // 4]) for i in (PARTS // 4, 3 * PARTS // 4)]
        return quarters[1] / quarters[0]


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
            _log_group(folder / "moto") as logs_url,
            LookupEvents() as history,
            FaultProxy(history.url, seed=self._seed) as before_history,
            FaultProxy(logs_url, seed=self._seed + 1) as before_logs,
        ):
            for proxy in (before_history, before_logs):
                proxy.faults.extend(foul_weather(SPOILT))
            feeding = asyncio.create_task(self._feed(history, logs_url))
            environment = _environment(folder, before_history.url, before_logs.url)
            while time.monotonic() - began < self._seconds:
                every, left = self._kill_every, self._seconds - (time.monotonic() - began)
                seconds = left if every is None else min(left, self._random.uniform(every / 2, 3 * every / 2))
                await (self._show if self._screen else self._watch)(folder, environment, seconds)
                self._audit(folder / "state" / FILE_NAME)
            feeding.cancel()
            await asyncio.sleep(LATEST + 1)
            # The last word, without faults: what is there must be found, and --once must say that it was read whole.
            calm = _environment(folder, history.url, logs_url)
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
                await asyncio.to_thread(_put, logs_url, batch, put_at)
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


def _environment(folder: Path, history: str, logs: str) -> dict[str, str]:
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": history,
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _logs(url: str) -> CloudWatchLogsClient:
    return boto3.client(
        "logs",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLEEXAMPLE00",
        aws_secret_access_key="example",
    )


@asynccontextmanager
async def _log_group(home: Path) -> AsyncIterator[str]:
    with started(home) as emulator:
        url = emulator.url
        client = await asyncio.to_thread(_logs, url)
        await asyncio.to_thread(client.create_log_group, logGroupName=GROUP)
        await asyncio.to_thread(client.create_log_stream, logGroupName=GROUP, logStreamName="1")
        yield url


def _put(url: str, batch: list[Record], at: datetime) -> None:
    stamp = int(at.timestamp() * 1000)
    events: list[InputLogEventTypeDef] = [{"timestamp": stamp, "message": records.raw(record)} for record in batch]
    _logs(url).put_log_events(logGroupName=GROUP, logStreamName="1", logEvents=events)


def _journaled(path: Path) -> set[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT raw FROM events").fetchall()
    db.close()
    return {json.loads(raw)["eventID"] for (raw,) in rows}


async def _main(soak: Soak) -> int:
    with tempfile.TemporaryDirectory() as folder:
        running = asyncio.create_task(soak.run(Path(folder)))
        while not running.done():
            await asyncio.wait([running], timeout=60)
            kills, peak, memory = soak.outcome.kills, soak.outcome.peak_mib, soak.outcome.memory_mib
            print(f"{kills} kills, {peak:.0f} MiB at most, {memory[-1:]} now", flush=True)
        outcome = await running
    print(msgspec.json.format(msgspec.json.encode(outcome), indent=2).decode())
    print("; ".join(outcome.failures) or "nothing lost, nothing invented")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=4.0, help="events a second")
    parser.add_argument("--kill-every", type=float, default=KILL_EVERY, help="seconds that a process lives on average")
    parser.add_argument("--no-kill", action="store_true", help="one process all the time: shows its memory")
    parser.add_argument("--burst", type=int, default=0, help="events that come within a second now and then")
    parser.add_argument("--screen", action="store_true", help="the screen instead of `tail`")
    options = parser.parse_args()
    soak = Soak(
        seconds=options.minutes * 60,
        seed=options.seed,
        events_per_second=options.rate,
        kill_every=None if options.no_kill else options.kill_every,
        burst=options.burst,
        screen=options.screen,
    )
    sys.exit(asyncio.run(_main(soak)))
