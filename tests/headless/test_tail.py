"""`smwatch tail` from outside: a real process before a LookupEvents stand-in, and what can happen to a pipe."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import json
import os
import re
import resource
import signal
import sqlite3
import sys
import termios
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest

from smwatch.journal import FILE_NAME, MIGRATIONS, Journal
from smwatch.monitor.decisions import MUTES
from smwatch.record import Record
from smwatch.rules.alarm import Mute
from tests import records
from tests.emulators.log_group import ARN, LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.known import journal_of_version
from tests.terminal import Terminal

REGION = "eu-west-1"
ROOT = Path(__file__).parent.parent.parent
HANGS = 180.0
"""Seconds after which what is waited for never comes, on a machine that is slow and at times stands still."""
CONFIG = """
[cloudtrail]
rate = 2.0
sweep_every = "1s"
settle_every = "1s"
settle_lag = "20m"
"""


def environment_in(home: Path) -> dict[str, str]:
    """Nothing of this machine's, and no way to the real AWS."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Account:
    """Some events in the event history, and the processes that read them."""

    def __init__(self, history: LookupEvents, folder: Path) -> None:
        self.history = history
        self.folder = folder
        self.state = folder / "state"
        self.held: set[str] = set()
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")

    def happen(self, count: int, *, ago: timedelta = timedelta(minutes=30)) -> None:
        """So many more events, visible at once."""
        at, first = datetime.now(UTC) - ago, len(self.held)
        batch = [
            records.read(f"prod/s{n % 7}", at=at + timedelta(seconds=n % 60), id=f"event-{first + n}")
            for n in range(count)
        ]
        self.held |= {record["eventID"] for record in batch}
        self.history.region(REGION).add(batch)

    @property
    def environment(self) -> dict[str, str]:
        """What leads to it."""
        return environment_in(self.folder) | {"AWS_ENDPOINT_URL_CLOUDTRAIL": self.history.url}

    @property
    def screen(self) -> list[str]:
        """The command that opens the screen on it."""
        config = str(self.folder / "config.toml")
        return [sys.executable, "-m", "smwatch", "--state-dir", str(self.state), "--config", config]

    async def tail(
        self, *more: str, environment: dict[str, str] | None = None, **process: Any
    ) -> asyncio.subprocess.Process:
        """Start `smwatch tail`."""
        command = [sys.executable, "-m", "smwatch", "tail", "--since", "1h", "--state-dir", str(self.state)]
        return await asyncio.create_subprocess_exec(
            *command,
            *("--config", str(self.folder / "config.toml")),
            *more,
            env=self.environment | (environment or {}),
            **{"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE, "limit": 1 << 26, **process},
        )

    async def read(self, *more: str, **process: Any) -> tuple[list[str], int, str]:
        """Run `tail --once --json` to its end: IDs printed, exit code, what it said."""
        running = await self.tail("--once", "--json", *more, **process)
        out, err = await running.communicate()
        assert running.returncode is not None
        assert b"Traceback" not in err, err.decode()
        messages = [line.get("message") or "" for line in map(json.loads, out.splitlines())]
        return ids(out), running.returncode, err.decode() + "".join(messages)

    def journaled(self) -> list[str]:
        """IDs in the journal."""
        with closing(sqlite3.connect(f"file:{self.state / FILE_NAME}?mode=ro", uri=True)) as db:
            return [json.loads(raw)["eventID"] for (raw,) in db.execute("SELECT raw FROM events")]


def ids(printed: bytes) -> list[str]:
    """The events that were printed whole."""
    told = [json.loads(line) for line in printed.splitlines(keepends=True) if line.endswith(b"\n")]
    return [line["id"] for line in told if line["type"] == "event"]


async def until(so: Callable[[], bool]) -> None:
    """Wait for something that nobody tells of."""
    async with asyncio.timeout(HANGS):
        while not so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def waiting_in(pipe: int) -> int:
    """How much of a pipe waits for its reader."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


@asynccontextmanager
async def an_account(folder: Path) -> AsyncIterator[Account]:
    async with LookupEvents(rate=100) as history:
        yield Account(history, folder)


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    async with an_account(tmp_path) as account:
        yield account


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_a_tail_whose_reader_is_stuck_and_nothing_is_lost_or_repeated(
    account: Account, number: signal.Signals
) -> None:
    account.happen(150)
    reading, writing = os.pipe()
    running = await account.tail("--json", stdout=writing)
    os.close(writing)
    await until(lambda: waiting_in(reading) > 60_000)  # all that a pipe takes: nobody reads
    running.send_signal(number)
    with os.fdopen(reading, "rb") as pipe:
        assert await running.wait() == 0
        first = ids(pipe.read())
    assert 0 < len(first) < 150
    again, code, _ = await account.read()
    assert code == 0
    assert sorted(first + again) == sorted(account.held)


async def test_what_happened_before_since_is_taken_in_and_printed_when_it_is_asked_for(account: Account) -> None:
    account.happen(3, ago=timedelta(minutes=15))
    early, code, _ = await account.read("--since", "5m")
    assert (early, code) == ([], 0)
    assert sorted(account.journaled()) == sorted(account.held), "what is complete has no holes"
    account.happen(4, ago=timedelta(minutes=3))
    recent, _, _ = await account.read("--since", "5m")
    assert len(recent) == 4
    before, _, _ = await account.read("--since", "1h")
    assert sorted(recent + before) == sorted(account.held)


async def test_what_one_run_was_to_print_the_next_one_does_though_less_is_asked_for(account: Account) -> None:
    """A start with a relative --since asks for less each time; what turns up late is not lost for that."""
    account.happen(1, ago=timedelta(minutes=2))
    first, _, _ = await account.read("--since", "15m")
    account.happen(2, ago=timedelta(minutes=12))
    account.happen(2, ago=timedelta(minutes=40))
    second, _, _ = await account.read("--since", "1m")
    assert (len(first), len(second)) == (1, 2)
    third, _, _ = await account.read("--since", "1h")
    assert sorted(first + second + third) == sorted(account.held)


async def test_an_alarm_of_what_happened_before_since_is_written_when_it_is_asked_for(account: Account) -> None:
    account.history.region(REGION).add([records.read_deleted(at=datetime.now(UTC) - timedelta(minutes=15))])
    for since, alarms in (("5m", []), ("5m", []), ("1h", ["open"]), ("1h", [])):
        running = await account.tail("--once", "--json", "--since", since, "--fail-on", "critical")
        out, _ = await running.communicate()
        told = [line["state"] for line in map(json.loads, out.splitlines()) if line["type"] == "alarm"]
        assert (told, running.returncode) == (alarms, 3 if alarms else 0)


async def test_reading_once_that_is_interrupted_is_exit_code_4_with_the_reason(account: Account) -> None:
    account.happen(200)
    running = await account.tail("--json", "--once")
    assert running.stdout is not None
    first = await running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out, err = await running.communicate()
    assert running.returncode == 4
    assert err == b"smwatch: interrupted before everything was read\n"
    again, code, _ = await account.read()
    assert code == 0
    assert sorted(ids(first + out) + again) == sorted(account.held)


async def test_a_period_that_the_service_no_longer_keeps_is_exit_code_4_and_said(account: Account) -> None:
    account.happen(20)
    for _ in range(2):
        printed, code, said = await account.read("--since", "91d")
        assert code == 4
        assert "CloudTrail can't be read from" in said
        assert "older than what the service keeps" in said
    assert printed == []
    assert (await account.read())[1] == 0


async def test_where_reading_fails_it_is_exit_code_4_with_how_far_all_was_read_and_why(account: Account) -> None:
    account.happen(20)
    assert (await account.read())[1] == 0
    account.history.faults.append({"error": "AccessDeniedException", "times": 1})
    _, code, said = await account.read()
    assert code == 4
    assert re.search(r"smwatch: CloudTrail: not read to the end but up to \S+ \S+Z: AWS denies", said)


async def test_a_reader_that_goes_away_ends_a_tail_that_has_nothing_to_print(account: Account) -> None:
    reading, writing = os.pipe()
    running = await account.tail(stdout=writing)  # for people: it prints events, and there are none
    os.close(writing)
    await until(lambda: bool(account.history.calls))
    os.close(reading)
    _, err = await running.communicate()
    assert (running.returncode, err) == (0, b"")


async def test_a_second_tail_on_a_state_directory_says_why_not_and_the_first_goes_on(account: Account) -> None:
    account.happen(3)
    first = await account.tail("--json")
    assert first.stdout is not None
    printed = [await first.stdout.readline()]
    _, code, said = await account.read()
    assert code == 1
    assert said.count("\n") == 1
    assert "another smwatch tail" in said
    assert "--state-dir" in said
    account.happen(2, ago=timedelta(minutes=5))
    async with asyncio.timeout(HANGS):
        while len(ids(b"".join(printed))) < 5:
            printed.append(await first.stdout.readline())
    first.send_signal(signal.SIGKILL)
    await first.communicate()
    again, code, _ = await account.read()  # the killed one holds nothing up; what it printed last may come again
    assert code == 0
    assert set(again) <= {"event-3", "event-4"}


async def test_a_disk_without_room_is_said_and_everything_is_printed_and_kept_later(account: Account) -> None:
    account.happen(150)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (260_000, resource.RLIM_INFINITY))

    printed, code, said = await account.read(preexec_fn=limited)
    assert code == 0
    assert sorted(printed) == sorted(account.held)
    assert "what is new is shown all the same, and read again after a restart" in said
    assert (unkept := account.held - set(account.journaled()))
    again, code, said = await account.read()
    assert (code, said) == (0, "")
    assert set(again) >= unkept
    assert sorted(account.journaled()) == sorted(account.held)
    assert (await account.read())[0] == []


async def test_a_state_directory_that_cannot_be_written_is_said_and_watching_goes_on(account: Account) -> None:
    account.happen(20)
    if os.geteuid() == 0:
        account.state = Path("/sys/smwatch")  # where not even root may write
    else:
        account.state.mkdir(mode=0o555)
    printed, code, said = await account.read()
    assert sorted(printed) == sorted(account.held)
    assert code == 0
    assert said.count("\n") == 1
    assert "name another --state-dir" in said
    assert "nothing will be remembered" in said


def powerless() -> None:
    """Have even root keep to what files allow; for a process that is about to begin."""
    drop_from_bounding_set, override_permissions = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override_permissions, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="root may write anywhere")
async def test_what_a_state_directory_holds_is_shown_though_it_can_only_be_read(account: Account) -> None:
    account.happen(20)
    assert len((await account.read())[0]) == 20
    with closing(sqlite3.connect(account.state / FILE_NAME)) as db:
        db.execute("DELETE FROM told WHERE seq > 15")  # five that a screen has journaled
        db.commit()
    files = {path: path.read_bytes() for path in account.state.iterdir()}
    for path in files:
        path.chmod(0o444)
    account.state.chmod(0o555)
    account.happen(3, ago=timedelta(minutes=5))
    printed, code, said = await account.read(preexec_fn=powerless)
    again, _, _ = await account.read(preexec_fn=powerless)
    account.state.chmod(0o755)
    assert code == 0
    assert said.count("\n") == 1
    assert "what it holds is shown, and what comes will not be remembered after the end" in said
    assert len(printed) == 8, "what was printed is not printed again"
    assert sorted(again) == sorted(printed), "but for what can't be noted"
    assert set(printed) <= account.held
    assert {path: path.read_bytes() for path in account.state.iterdir()} == files
    with closing(Journal(account.state / FILE_NAME, read_only=True)) as journal:
        (name,) = journal.sources()
        end = journal.coverage(name).settled[-1].end
    assert f"what came after {end:%Y-%m-%d %H:%M}Z is read, and by `smwatch tail` printed, anew at each start" in said


async def test_a_disk_without_room_for_the_lines_is_said_and_the_next_run_writes_them(
    account: Account, full: IO[str]
) -> None:
    account.happen(50)
    wrong = b"smwatch: can't write the output (No space left on device)\n"
    for more in (("--json",), (), ("--json", "--once")):
        process = await account.tail(*more, stdout=full)
        assert ((await process.communicate())[1], process.returncode) == (wrong, 1)
    command = [sys.executable, "-m", "smwatch", "export", "--format", "jsonl", "--state-dir", str(account.state)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=full, stderr=asyncio.subprocess.PIPE, env=account.environment
    )
    assert ((await process.communicate())[1], process.returncode) == (wrong, 1)
    printed, code, said = await account.read()
    assert (sorted(printed), code, said) == (sorted(account.held), 0, "")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def zeroed(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "says", "kept"),
    [
        (newer, "written by a newer smwatch", True),
        (zeroed, "is damaged", False),
        (cut, "damaged", False),
        (a_directory, "Is a directory", True),
    ],
)
async def test_a_journal_that_cannot_be_used_is_said_kept_and_watched_without(
    account: Account, damage: Callable[[Path], None], says: str, kept: bool
) -> None:
    account.happen(100)
    await account.read()
    path = account.state / FILE_NAME
    damage(path)
    before = path.read_bytes() if path.is_file() else b""
    account.happen(5, ago=timedelta(minutes=5))
    printed, code, said = await account.read()
    assert code == 0
    assert set(printed) >= {f"event-{n}" for n in range(100, 105)}
    assert says in said + str([path.name for path in account.state.iterdir()])
    aside = list(account.state.glob("*.corrupt-*"))
    if kept:
        assert not aside
        assert not path.is_file() or path.read_bytes() == before
    else:
        assert [one.read_bytes() for one in aside if not one.name.endswith(("-wal", "-shm"))] == [before]
        assert sorted(account.journaled()) == sorted(account.held)


async def test_a_journal_of_an_older_version_is_brought_up_to_date_once_and_said_so(account: Account) -> None:
    account.happen(3)
    account.state.mkdir(mode=0o700)
    given = [records.arrival(record) for record in account.history.region(REGION).held()]
    journal_of_version(account.state / FILE_NAME, 1, given).close()
    printed, code, said = await account.read()
    assert (sorted(printed), code) == (sorted(account.held), 0)
    assert said == "smwatch: bringing the journal (3 events) up to this version, once\n"
    assert await account.read() == ([], 0, "")


def overwritten(path: Path, name: str, *, share: float = 1.0) -> None:
    """Nonsense over the pages of a table or an index, as a disk may leave behind; or over the last of them."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY 1", (name,))]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for page in pages[-max(1, int(len(pages) * share)) :]:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


async def test_after_damage_nothing_that_was_printed_is_printed_again(account: Account) -> None:
    account.happen(300)
    assert len((await account.read())[0]) == 300
    overwritten(account.state / FILE_NAME, "events")
    account.happen(5, ago=timedelta(minutes=5))
    printed, code, said = await account.read()
    assert (sorted(printed), code) == ([f"event-{n}" for n in range(300, 305)], 0)
    assert "is damaged" in said
    assert "may be repeated" not in said
    assert sorted(account.journaled()) == sorted(account.held)
    assert (await account.read())[0] == []


async def test_what_was_printed_and_is_lost_with_the_damage_is_said_and_printed_again(account: Account) -> None:
    account.happen(300)
    await account.read()
    overwritten(account.state / FILE_NAME, "told")
    printed, code, said = await account.read()
    assert (sorted(printed), code) == (sorted(account.held), 0)
    assert "what `smwatch tail` has printed can't be read from it: lines may be repeated" in said


async def test_a_journal_damaged_under_a_running_tail_is_set_aside_and_watching_goes_on(account: Account) -> None:
    account.happen(200)
    running = await account.tail("--json")
    assert running.stdout is not None
    printed = [await running.stdout.readline()]
    while len(ids(b"".join(printed))) < 200:
        printed.append(await running.stdout.readline())
    path = account.state / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    account.happen(100, ago=timedelta(minutes=5))
    async with asyncio.timeout(HANGS):
        while len(set(ids(b"".join(printed)))) < 300:
            printed.append(await running.stdout.readline())
    running.terminate()
    rest, _ = await running.communicate()
    out = b"".join(printed) + rest
    assert sorted(ids(out)) == sorted(account.held)
    assert any("damaged" in (line.get("message") or "") for line in map(json.loads, out.splitlines()))
    assert list(account.state.glob("*.corrupt-*"))
    journal = Journal(path)
    assert journal.last_seq() >= 100
    journal.close()


async def test_a_name_that_is_looked_up_without_end_holds_no_signal_up(account: Account, tmp_path: Path) -> None:
    stalled = tmp_path / "stalled"
    stalled.mkdir()
    (stalled / "sitecustomize.py").write_text(
        "import socket, sys, time\n"
        "def getaddrinfo(*_, **__):\n"
        "    sys.stderr.write('looking up\\n')\n"
        "    sys.stderr.flush()\n"
        "    time.sleep(3600)\n"
        "socket.getaddrinfo = getaddrinfo\n",
        encoding="utf-8",
    )
    running = await account.tail(
        "--json",
        environment={"PYTHONPATH": f"{stalled}{os.pathsep}{ROOT}", "AWS_ENDPOINT_URL_CLOUDTRAIL": "http://far.example"},
    )
    assert running.stderr is not None
    assert await running.stderr.readline() == b"looking up\n"
    running.terminate()
    async with asyncio.timeout(HANGS):
        await running.communicate()
    assert running.returncode == 0


async def test_an_alarm_goes_on_from_run_to_run(account: Account) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=8)

    async def told(*happened: Record) -> tuple[list[tuple[str, int]], int | None]:
        """State and count in each line about the alarm, and the exit code, of a run after these have happened."""
        account.history.region(REGION).add(happened)
        running = await account.tail("--once", "--json", "--fail-on", "critical")
        out, _ = await running.communicate()
        lines = [json.loads(line) for line in out.splitlines()]
        alarms = [line for line in lines if line["type"] == "alarm" and line["rule"] == "SMW-DEL-01"]
        return [(line["state"], line["count"]) for line in alarms], running.returncode

    def read(minute: int) -> Record:
        return records.read_deleted(at=begun + timedelta(minutes=minute))

    assert await told(read(0)) == ([("open", 1)], 3)
    assert await told() == ([], 0)
    assert await told(read(1)) == ([("updated", 2)], 3)
    assert (await told(records.restore(at=begun + timedelta(minutes=2))))[0] == [("closed", 2)]
    assert await told(read(3)) == ([("open", 1)], 3)


async def test_an_alarm_that_a_screen_with_the_same_journal_met_first_is_printed_all_the_same(
    account: Account,
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=8)
    account.history.region(REGION).add([records.read_deleted(at=begun)])

    def look_and_acknowledge() -> None:
        """A person at the screen."""
        with Terminal(account.screen, account.environment) as terminal:
            terminal.wait_for("CRITICAL")
            terminal.press("A")
            terminal.wait_for("Acknowledge: ")
            terminal.press("seen", "\r")
            terminal.wait_for("acknowledged: ")
            terminal.press("q")
            assert terminal.wait_for_the_end() == 0

    async def told() -> tuple[list[tuple[str, int]], int | None]:
        running = await account.tail("--once", "--json", "--fail-on", "critical")
        out, _ = await running.communicate()
        lines = [json.loads(line) for line in out.splitlines()]
        alarms = [line for line in lines if line["type"] == "alarm" and line["rule"] == "SMW-DEL-01"]
        return [(line["state"], line["count"]) for line in alarms], running.returncode

    await asyncio.to_thread(look_and_acknowledge)
    assert await told() == ([("acknowledged", 1)], 0)
    account.history.region(REGION).add([records.read_deleted(at=begun + timedelta(minutes=1), id="second")])
    assert await told() == ([("acknowledged", 2)], 0)
    assert await told() == ([], 0)


async def test_of_two_regions_one_goes_on_while_the_other_fails_whose_events_come_later(account: Account) -> None:
    both = ("--json", "--region", REGION, "--region", "us-east-1")
    at = datetime.now(UTC) - timedelta(minutes=8)
    elsewhere = records.read("elsewhere", at=at, id="elsewhere", region="us-east-1")
    account.history.region("us-east-1").add([elsewhere])
    account.history.disabled.add("us-east-1")
    account.happen(2)
    tail = await account.tail(*both)
    assert tail.stdout is not None
    lines: list[dict[str, Any]] = []

    async def read_to(so: Callable[[], bool]) -> None:
        assert tail.stdout is not None
        async with asyncio.timeout(HANGS):
            while not so():
                lines.append(json.loads(await tail.stdout.readline()))

    def printed() -> set[str]:
        return {line["id"] for line in lines if line["type"] == "event"}

    def states(region: str) -> list[str]:
        told = [line for line in lines if line["type"] == "status"]
        return [line["state"] for line in told if line["source"].endswith(region)]

    await read_to(lambda: printed() == account.held and "sign in" in states("us-east-1"))
    account.happen(1, ago=timedelta(minutes=1))
    await read_to(lambda: printed() == account.held)
    assert "ok" in states(REGION)
    assert "ok" not in states("us-east-1")
    tail.terminate()
    await tail.communicate()
    account.history.disabled.clear()
    assert (await account.read(*both))[:2] == (["elsewhere"], 0)
    assert {call["region"] for call in account.history.calls if call["answer"] == "ok"} == {REGION, "us-east-1"}


OTHERS = [(records.OTHER_ACCOUNT, REGION), (records.ACCOUNT, "us-east-1")]


@pytest.mark.parametrize(("number", "region"), OTHERS, ids=["another account", "another Region"])
async def test_what_others_watch_with_the_same_journal_is_left_for_their_runs(
    account: Account, number: str, region: str
) -> None:
    """Both beside them and after them, with its alarms."""
    of_others = {"AWS_ACCOUNT_ID": number, "AWS_REGION": region}
    account.happen(3)
    own = {"AWS_ACCOUNT_ID": records.ACCOUNT}
    at = datetime.now(UTC) - timedelta(minutes=8)
    beside = [
        records.read("beside", at=at, id="beside", account=number, region=region),
        records.read_deleted("gone", at=at, id="gone", account=number, region=region),
    ]
    async with LookupEvents(rate=100) as theirs:
        theirs.region(region).add(beside)
        tail = await account.tail("--json", environment=own)
        assert tail.stdout is not None
        before = [json.loads(await tail.stdout.readline()) for _ in range(4)]
        there = account.environment | of_others | {"AWS_ENDPOINT_URL_CLOUDTRAIL": theirs.url}
        with Terminal(account.screen, there) as terminal:
            await asyncio.to_thread(terminal.wait_for, "CRITICAL")
        account.happen(1, ago=timedelta(minutes=1))
        async with asyncio.timeout(HANGS):
            while (line := json.loads(await tail.stdout.readline())).get("id") != "event-3":
                before.append(line)
        tail.terminate()
        rest, _ = await tail.communicate()
        lines = [*before, line, *map(json.loads, rest.splitlines())]
        assert {line["id"] for line in lines if line["type"] == "event"} == account.held
        assert "SMW-DEL-01" not in [line["rule"] for line in lines if line["type"] == "alarm"]
        assert (await account.read("--fail-on", "critical", environment=own))[:2] == ([], 0)
        there = {key: there[key] for key in (*of_others, "AWS_ENDPOINT_URL_CLOUDTRAIL")}
        found, code, _ = await account.read("--fail-on", "critical", environment=there)
        assert (sorted(found), code) == (["beside", "gone"], 3)


@pytest.mark.parametrize("printed", [True, False], ids=["by the older tail", "by none"])
async def test_after_an_upgrade_no_alarm_is_printed_again_that_was_printed(account: Account, *, printed: bool) -> None:
    account.history.region(REGION).add([records.read_deleted(at=datetime.now(UTC) - timedelta(minutes=8))])

    async def told() -> list[tuple[str, int]]:
        """The lines about the alarm, of a run."""
        out, _ = await (await account.tail("--once", "--json")).communicate()
        lines = [json.loads(line) for line in out.splitlines()]
        return [(line["state"], line["count"]) for line in lines if line.get("rule") == "SMW-DEL-01"]

    assert await told() == [("open", 1)]
    with closing(sqlite3.connect(account.state / FILE_NAME)) as db:  # as a version left it that noted no alarms
        db.execute("DELETE FROM facts WHERE name GLOB 'written alarm *'")
        if not printed:
            db.execute("DELETE FROM told")
        db.execute("PRAGMA user_version = 5")
        db.commit()
    assert await told() == ([] if printed else [("open", 1)])
    account.history.region(REGION).add([records.read_deleted(at=datetime.now(UTC) - timedelta(minutes=7), id="more")])
    assert await told() == [("updated", 2)]


async def test_what_is_decided_at_a_screen_is_known_to_a_tail_beside_it_and_outlives_what_that_keeps(
    account: Account,
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=8)
    account.history.region(REGION).add([records.read_deleted(at=begun)])
    tail = await account.tail("--json")
    assert tail.stdout is not None
    told: list[tuple[str, int, bool]] = []

    async def read_to(state: str, count: int, *, muted: bool = False) -> None:
        """Read on until the alarm is printed so."""
        assert tail.stdout is not None
        async with asyncio.timeout(HANGS):
            while (state, count, muted) not in told:
                line = json.loads(await tail.stdout.readline())
                if line["type"] == "alarm" and line["rule"] == "SMW-DEL-01":
                    told.append((line["state"], line["count"], line["muted_until"] is not None))

    await read_to("open", 1)
    with Terminal(account.screen, account.environment) as terminal:
        await asyncio.to_thread(terminal.wait_for, "CRITICAL")
        terminal.press("A")
        await asyncio.to_thread(terminal.wait_for, "Acknowledge: ")
        terminal.press("seen", "\r")
        await read_to("acknowledged", 1)
        terminal.press("a")
        await asyncio.to_thread(terminal.wait_for, "note: seen")
        terminal.press("M")
        await asyncio.to_thread(terminal.wait_for, "Mute: ")
        terminal.press("\r")
        await asyncio.to_thread(terminal.wait_for, "muted for 1h00m")
        account.history.region(REGION).add([records.read_deleted(at=begun + timedelta(minutes=1), id="second")])
        await read_to("acknowledged", 2, muted=True)
        terminal.press("\x1b")
        await asyncio.to_thread(terminal.pause)
        terminal.press("q")
        assert await asyncio.to_thread(terminal.wait_for_the_end) == 0
    account.history.region(REGION).add([records.read_deleted(at=begun + timedelta(minutes=2), id="third")])
    await read_to("acknowledged", 3, muted=True)  # and kept by the tail, which is alone now
    tail.terminate()
    await tail.communicate()
    with closing(Journal(account.state / FILE_NAME)) as journal:
        (alarm,) = [alarm for alarm in journal.alarms() if alarm.rule == "SMW-DEL-01"]
        assert (alarm.state, alarm.note, alarm.count) == ("acknowledged", "seen", 3)
        assert alarm.muted(datetime.now(UTC))


async def test_a_muted_alarm_is_printed_and_fails_no_pipeline(account: Account) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=8)

    async def code(minute: int) -> tuple[list[str], int | None]:
        """The lines about the alarm, and the exit code, of a run after one more read in this minute."""
        account.history.region(REGION).add([records.read_deleted(at=begun + timedelta(minutes=minute))])
        running = await account.tail("--once", "--json", "--fail-on", "critical")
        out, _ = await running.communicate()
        lines = [json.loads(line) for line in out.splitlines()]
        return [line["state"] for line in lines if line.get("rule") == "SMW-DEL-01"], running.returncode

    def mute(minutes: float) -> None:
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        with closing(Journal(account.state / FILE_NAME)) as journal:
            journal.keep((), {MUTES: msgspec.json.encode((Mute(until, rule="SMW-DEL-01"),))})

    assert await code(0) == (["open"], 3)
    mute(60)
    assert await code(1) == (["updated"], 0)
    mute(-1)
    assert await code(2) == (["updated"], 3)


async def test_a_log_group_brings_what_the_rules_are_about_and_not_the_rest(tmp_path: Path) -> None:
    """The trail is stopped, a key disabled, a role loses its policy; functions start and machines are launched."""

    def other(name: str, service: str, parameters: dict[str, Any], *, changes: bool = True) -> Record:
        source, by = f"{service}.amazonaws.com", records.user("mallory")
        return records.call(name, parameters, None, read_only=not changes, at=at, by=by, eventSource=source)

    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    happened = [
        records.read(at=at - timedelta(minutes=20)),
        other("DetachRolePolicy", "iam", {"roleName": "payments-api"}),
        other("DisableKey", "kms", {"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}),
        other("StopLogging", "cloudtrail", {"name": "management"}),
        other("CreateLogStream", "logs", {"logStreamName": "2026/11/23/[$LATEST]1"}),
        other("RunInstances", "ec2", {}),
        other("Decrypt", "kms", {"keyId": "another"}, changes=False),
        *(records.denied(at=at + timedelta(seconds=n)) for n in range(3)),
    ]
    async with LogGroupService() as service:
        for record in happened:
            service.put(record, datetime.fromisoformat(record["eventTime"]))
        endpoints = {f"AWS_ENDPOINT_URL_{name}": service.url for name in ("CLOUDWATCH_LOGS", "CLOUDTRAIL")}
        command = ["tail", "--json", "--once", "--since", "2h", "--no-cloudtrail", "--log-group", ARN]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smwatch", *command, "--state-dir", str(tmp_path / "state")),
            env=environment_in(tmp_path) | endpoints,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    lines = [json.loads(line) for line in printed.splitlines()]
    names = [line["name"] for line in lines if line["type"] == "event"]
    assert sorted(set(names)) == ["DetachRolePolicy", "DisableKey", "GetSecretValue", "StopLogging"]
    alarms = {line["rule"] for line in lines if line["type"] == "alarm"}
    assert {"SMW-EVA-01", "SMW-KMS-02", "SMW-HLTH-01"} <= alarms


async def test_what_is_new_or_unused_is_said_of_what_was_read_whole(account: Account) -> None:
    """Alice has read for days, and then Bob does; a secret goes that nobody has read. So it is after the next start."""

    def ago(**period: float) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) - timedelta(**period)

    async def told(*happened: Record) -> set[tuple[str, str, str | None]]:
        account.history.region(REGION).add(happened)
        out, err = await (await account.tail("--json", "--once", "--since", "12d")).communicate()
        assert b"Traceback" not in err
        alarms = [line for line in map(json.loads, out.splitlines()) if line["type"] == "alarm"]
        return {(alarm["rule"], alarm["severity"], alarm["principal"]) for alarm in alarms}

    alice = [records.read(by=records.role("alice"), at=ago(days=day)) for day in (11, 9, 5)]
    first = await told(*alice, records.read("prod/b", by=records.role("bob"), at=ago(hours=5)),
                       records.delete("prod/old", by=records.role("ci"), at=ago(hours=4)))  # fmt: skip
    assert first == {("SMW-READ-04", "high", "bob"), ("SMW-DEL-05", "medium", "ci")}
    again = records.read(by=records.role("alice"), at=ago(minutes=9))
    later = await told(again, records.read("prod/b", by=records.role("carol"), at=ago(minutes=5)))
    assert later == {("SMW-READ-04", "high", "carol")}
