"""kill -9 at every statement between a page and its printed lines, each in a process of its own.

    python -m tests.crashing [--every 5]        prints what went wrong, and how many statements were tried

A tail of two sources that hold overlapping events is run once with each statement of the journal, the keeper, the
monitor and the lines as its last one, then once to the end, then once more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import smwatch
from smwatch.events.event import SeenBy
from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import FILE_NAME, Journal
from smwatch.journal.printed import FROM
from smwatch.monitor.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.source import Found, Page, State, Status
from smwatch.store.store import Store
from tests import records

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
STEP = timedelta(seconds=10)
STEPS, PER_STEP = 3, 4
END = START + STEPS * STEP
TRACED = tuple(
    str(Path(smwatch.__file__).parent / name)
    for name in ("journal/", "monitor/keeper.py", "monitor/monitor.py", "headless/jsonl.py", "headless/output.py")
)

Statement = tuple[str, int]


class Ledger:
    """A source that has these events, by the step they fall into, and proves each step with its page."""

    label = "Ledger"
    seen_by = SeenBy.CLOUDTRAIL

    def __init__(self, name: str, numbers: Sequence[int]) -> None:
        self.name = name
        self.held = {f"{number:08}-0000-4000-8000-000000000000": number for number in numbers}

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield what the coverage leaves open."""
        for step in range(STEPS):
            span = Span(START + step * STEP, START + (step + 1) * STEP)
            if coverage.missing(span.start, span.end):
                found = [Found(_record(one, n)) for one, n in self.held.items() if n // PER_STEP == step]
                yield Page(self.name, self.seen_by, tuple(found), END, span)
            yield Status(self.name, self.label, State.OK, complete_to=span.end)
        yield Status(self.name, self.label, State.DONE, complete_to=END)

    read_once = follow

    async def close(self) -> None:
        """Nothing is held."""


def _record(event_id: str, number: int) -> str:
    at = START + number // PER_STEP * STEP
    made = records.read_deleted if number % PER_STEP == 1 else records.read
    return records.raw(made(f"prod/s{number}", at=at, id=event_id))


def ledgers() -> list[Ledger]:
    """Two sources; half of what each holds is in the other too."""
    every = range(STEPS * PER_STEP)
    return [Ledger("a", [n for n in every if n % 4 != 0]), Ledger("b", [n for n in every if n % 4 != 3])]


def tail(folder: Path, out: Path, since: datetime) -> None:
    """What `smwatch tail --once --json` does, over the ledgers."""

    async def run() -> None:
        journal = Journal(folder / FILE_NAME)
        prints_from = journal.begin_printing(since)
        engine = Engine(combine(load_builtin()))
        engine.restore(journal.alarms())
        with out.open("a", encoding="utf-8") as file:
            lines = Lines(Store(engine=engine), journal, json=True, prints_from=prints_from, out=Output(file))
            await _monitor(journal, lines.remember, engine).past.recall(START, 1000, printing_from=since)
            monitor = _monitor(journal, lines.deliver, engine)
            await monitor.past.recall_untold(since)
            await monitor.read_once(ledgers())
        journal.close()

    asyncio.run(run())


def _monitor(journal: Journal, deliver: Callable[..., Any], engine: Engine) -> Monitor:
    return Monitor(journal, deliver=deliver, selects=engine.selects, now=lambda: END)


def in_child(work: Callable[[], None]) -> int:
    """Fork, do it there; returns how that ended (a signal as a negative number)."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def traced(work: Callable[[], None], act: Callable[[Statement, int], None]) -> None:
    """Do the work, and `act(statement, how often it has been reached)` before each statement of what is under test."""
    reached: Counter[Statement] = Counter()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(TRACED):
            return None
        if event == "line":
            statement = frame.f_code.co_filename, frame.f_lineno
            reached[statement] += 1
            act(statement, reached[statement])
        return trace

    sys.settrace(trace)
    work()
    sys.settrace(None)


def statements(folder: Path) -> list[tuple[Statement, int]]:
    """Every statement that a run reaches: its first time, and its last where it has several."""
    listing = folder / "statements"

    def run() -> None:
        reached: Counter[Statement] = Counter()
        traced(
            lambda: tail(folder / "all", folder / "all.out", START), lambda statement, _: reached.update([statement])
        )
        listing.write_text(json.dumps(list(reached.items())), encoding="utf-8")

    assert in_child(run) == 0
    found = [((path, line), count) for (path, line), count in json.loads(listing.read_text(encoding="utf-8"))]
    return [(statement, time) for statement, count in found for time in sorted({1, count})]


def wrong_after(folder: Path, last: Statement, time: int) -> list[str]:
    """Kill a tail before this statement, run it again, and again; what is wrong then, as sentences."""

    def kill(statement: Statement, reached: int) -> None:
        if statement == last and reached == time:
            os.kill(os.getpid(), signal.SIGKILL)

    state, outs = folder / "state", [folder / f"{number}.out" for number in range(3)]
    code = in_child(lambda: traced(lambda: tail(state, outs[0], START), kill))
    wrong = [] if code == -signal.SIGKILL else [f"ended with {code} instead of being killed"]
    wrong += _wrong_in_journal(state, outs[0])
    # What was taken in and not printed is older than what the next ones ask for, once it is noted what this one was
    # asked for. Before that, it has asked nobody for anything.
    since = END if _noted_what_it_prints(state) else START
    codes = [in_child(lambda out=out: tail(state, out, since)) for out in outs[1:]]  # type: ignore[misc]
    if codes != [0, 0]:
        return [*wrong, f"the next ones ended with {codes}"]
    wrong += _wrong_in_journal(state, outs[1])
    printed = [_printed(out, "event", "id") for out in outs]
    held = {one for ledger in ledgers() for one in ledger.held}
    if set(printed[0]) | set(printed[1]) != held:
        wrong.append(f"lost: {held - set(printed[0]) - set(printed[1])}")
    if any(count > 1 for out in printed for count in Counter(out).values()):
        wrong.append("printed twice by one process")
    again = set(printed[0]) & set(printed[1])
    if len({_step(one) for one in again}) > 1 or printed[2]:
        wrong.append(f"repeated more than the last page: {again}, {printed[2]}")
    alarmed = {secret for out in outs for secret in _printed(out, "alarm", "secret")}
    expected = {f"prod/s{n}" for n in range(STEPS * PER_STEP) if n % PER_STEP == 1}
    if not expected <= alarmed:
        wrong.append(f"no alarm for {expected - alarmed}")
    return wrong


def _noted_what_it_prints(folder: Path) -> bool:
    with closing(Journal(folder / FILE_NAME)) as journal:
        return journal.fact(FROM) is not None


def _wrong_in_journal(folder: Path, out: Path) -> list[str]:
    """Whether the journal holds what it claims to hold, and claims what was printed."""
    wrong = []
    journal = Journal(folder / FILE_NAME)
    kept = Counter(json.loads(row.raw)["eventID"] for row in journal.between(START, END))
    if any(count > 1 for count in kept.values()):
        wrong.append("an event is in the journal twice")
    for ledger in ledgers():
        coverage = journal.coverage(ledger.name)
        claimed = {one for one, n in ledger.held.items() if coverage.holds(START + n // PER_STEP * STEP)}
        if not claimed <= kept.keys():
            wrong.append(f"claimed and not held: {claimed - kept.keys()}")
        said = [datetime.fromisoformat(moment) for moment in _printed(out, "status", "complete_to", ledger.name)]
        if said and max(said) > coverage.complete_to(START):
            wrong.append("the mark of completeness went back")
    journal.close()
    return wrong


def _printed(out: Path, kind: str, key: str, source: str | None = None) -> list[str]:
    lines = out.read_bytes().splitlines(keepends=True) if out.exists() else []
    told = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [one[key] for one in told if one["type"] == kind and (source is None or one["source"] == source)]


def _step(event_id: str) -> int:
    return int(event_id[:8]) // PER_STEP


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="try every so manieth statement only")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        tried = statements(Path(folder))[:: options.every]
        for number, (statement, time) in enumerate(tried):
            state = Path(folder, str(number))
            state.mkdir()
            for sentence in wrong_after(state, statement, time):
                failures += 1
                print(f"{Path(statement[0]).name}:{statement[1]}, time {time}: {sentence}")
    print(f"killed before {len(tried)} statements: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
