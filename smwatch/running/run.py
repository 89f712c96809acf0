"""Every way of running without a screen: as lines, over files, as an export."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path

from smwatch.collector import Collector
from smwatch.configuration import load
from smwatch.events.event import Arrival
from smwatch.headless.jsonl import Lines
from smwatch.headless.meter import Meter
from smwatch.headless.output import OutputError
from smwatch.journal import JournalError, Stored
from smwatch.leaving import ALARM, FAILED, FINE, INCOMPLETE, left, let_go_of, when_asked
from smwatch.rules.alarm import Severity
from smwatch.running.aws import AwsSources
from smwatch.running.parts import Parts, now
from smwatch.running.remembered import state_dir
from smwatch.settings import Settings
from smwatch.sources.errors import TRYING_AGAIN
from smwatch.sources.source import State, Status
from smwatch.store.ledger import Ledger
from smwatch.store.store import Store
from smwatch.visible import visible

THREADS = "smwatch helper"
TICK_SECONDS = 15.0
BATCH = 500
TO_FILL = "`smwatch tail --once --since 7d`"
AHEAD = timedelta(days=1)
"""How far the clock of a host that stamped an event may be ahead of ours."""


def follow_lines(settings: Settings, *, json: bool, once: bool, fail_on: str | None) -> int:
    """`smwatch tail`: write what the sources hold since --since, then (without --once) what comes."""
    parts = Parts(settings, Ledger, remember=True)
    if parts.notice:
        notice(parts.notice)
    try:
        prints_from = parts.journal.begin_printing(parts.since)
    except JournalError as error:
        notice(str(error))
        return FAILED
    lines = Lines(
        parts.store,
        parts.journal,
        json=json,
        chosen=parts.chosen,
        keep=parts.keep,
        since=parts.since,
        prints_from=prints_from,
    )

    async def run() -> int:
        async with (
            parts.notifying(lines.deliver),
            AwsSources(
                settings, parts.since, journal=parts.journal, once=once, asked=parts.asked_of_log_group
            ) as sources,
        ):
            lines.print_only(source.name for source in sources)
            await parts.monitor(lines.remember).past.recall(
                parts.looks_back_to, settings.store.capacity, printing_from=parts.since
            )
            meter = Meter("read")
            monitor = parts.monitor(meter.delivering(lines.deliver) if once else lines.deliver)
            await monitor.past.recall_untold(parts.since)
            if once:
                last = await monitor.read_once(sources)
                meter.clear()
                return _verdict(last, INCOMPLETE)
            async with asyncio.TaskGroup() as tasks:
                ticking = tasks.create_task(_tick(lines))
                await monitor.follow(sources)
                ticking.cancel()
            return FINE

    return _headless(run, lines, parts, fail_on, interrupted=INCOMPLETE if once else FINE)


def replay_lines(settings: Settings, files: Sequence[Path], *, speed: float | None, fail_on: str | None) -> int:
    """`smwatch replay --json`: the same over recorded files; the journal lies in memory."""
    from smwatch.sources.files import FileSource

    parts = Parts(settings, Ledger, remember=False)
    source = FileSource(files, speed=speed, now=now, sleep=asyncio.sleep)
    lines = Lines(parts.store, parts.journal, json=True, chosen=parts.chosen)

    async def run() -> int:
        meter = Meter("read")
        try:
            monitor = parts.monitor(meter.delivering(lines.deliver))
            last = await monitor.read_once([source], together=speed is None)
            if source.empty:
                notice(f"{source.label}: {last[source.name].message}")
            return _verdict(last, FAILED)
        finally:
            meter.clear()

    return _headless(run, lines, parts, fail_on, interrupted=FAILED)


def demo_lines(config_file: Path | None) -> int:
    """`smwatch demo --json`: the whole scripted incident through the real path."""
    from smwatch.sources.demo import demo_sources

    load(config_file, {})  # of which nothing counts here, but it must be one
    parts = Parts(Settings(), Ledger, remember=False)
    lines = Lines(parts.store, parts.journal, json=True)

    async def run() -> int:
        await parts.monitor(lines.deliver).read_once(demo_sources(now, asyncio.sleep))
        return FINE

    return _headless(run, lines, parts, None, interrupted=FINE)


def export(settings: Settings, *, form: str) -> int:
    """`smwatch export`: what the journal holds since --since, on standard output."""
    from smwatch.evidence.export import csv_lines, jsonl_lines
    from smwatch.evidence.report import report_lines

    parts = Parts(settings, Store, remember=True, only_read=True)
    if parts.notice:
        notice(parts.notice)
        return FAILED
    if parts.journal.path is None:
        notice(f"there is no journal in {state_dir(settings)}, so nothing to write: {TO_FILL} makes one")
    reading = parts.reading()
    chosen = parts.chosen or (lambda _: True)

    def stored() -> Iterator[Stored]:
        return parts.journal.between(parts.since, now() + AHEAD)

    def arrivals() -> Iterator[Arrival]:
        names = stored()
        while reading.stored(islice(names, BATCH)):  # a line says what a name stands for by all that is known of it
            pass
        for each in stored():
            for _, arrival in reading.stored([each]):
                if chosen(arrival.event):
                    yield arrival

    found = Meter("written" if form != "report" else "read").counted(arrivals())
    match form:
        case "jsonl":
            lines = jsonl_lines(found)
        case "csv":
            lines = csv_lines(found)
        case _:
            while batch := list(islice(found, BATCH)):
                parts.store.add(batch, more=True)
            parts.store.settle()
            coverage = [(name, parts.journal.coverage(name)) for name in parts.journal.sources()]
            lines = report_lines(
                parts.store,
                parts.store.alarms.values(),
                since=parts.since,
                now=now(),
                coverage=coverage,
                filter_text=settings.filter,
                kept_from=parts.kept_from,
            )
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        return _nobody_reads()
    except OSError as error:
        return _unwritable(OutputError(f"can't write the output ({error.strerror})"))
    finally:
        parts.journal.close()
    return FINE


async def _tick(lines: Lines) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        await lines.tick(now())


async def _collect() -> None:
    collector = Collector(now())
    collector.start()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        collector.tick(now())


def _verdict(last: dict[str, Status], incomplete: int) -> int:
    unread = [status for status in last.values() if status.state is not State.DONE]
    for status in unread:
        upto = f" but up to {status.complete_to:%Y-%m-%d %H:%M:%S}Z" if status.complete_to is not None else ""
        why = status.message.removesuffix(TRYING_AGAIN) or status.state
        notice(f"{status.label}: not read to the end{upto}: {why}")
    gaps = [(status.label, gap) for status in last.values() for gap in status.gaps]
    for label, gap in gaps:
        period = f"{gap.span.start:%Y-%m-%d %H:%M}Z to {gap.span.end:%Y-%m-%d %H:%M}Z"
        notice(f"{label} can't be read from {period}: {gap.reason}")
    return incomplete if unread or gaps else FINE


def _headless(
    run: Callable[[], Coroutine[None, None, int]],
    lines: Lines,
    parts: Parts[Ledger],
    fail_on: str | None,
    *,
    interrupted: int,
) -> int:
    """Run until done, interrupted, or nobody reads any more; then say how it went as an exit code."""
    stopped = False

    async def interruptible() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def stop(*, by_signal: bool = True) -> None:
            nonlocal stopped
            stopped = by_signal
            task.cancel()

        when_asked(stop)
        lines.when_nobody_reads(lambda: stop(by_signal=False))
        collecting = loop.create_task(_collect())
        try:
            return await run()
        except asyncio.CancelledError:
            return interrupted if stopped else _nobody_reads()
        finally:
            collecting.cancel()

    threads = ThreadPoolExecutor(thread_name_prefix=THREADS)
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(threads)
        try:
            code = runner.run(interruptible())
        except BaseExceptionGroup as group:
            if group.subgroup(BrokenPipeError):
                code = _nobody_reads()
            elif (cause := _first(group, OutputError)) is not None:
                code = _unwritable(cause)
            else:
                raise
        except BrokenPipeError:
            code = _nobody_reads()
        except OutputError as error:
            code = _unwritable(error)
        finally:
            parts.journal.close()
        if stopped and code == INCOMPLETE:
            notice("interrupted before everything was read")
        worst = lines.worst(now())
        met = fail_on is not None and worst is not None and worst >= Severity(fail_on)
        return left(ALARM if met else code, at_once=_stuck(threads))


def _stuck(threads: ThreadPoolExecutor) -> bool:
    """Whether one of these does not end within half a second: it looks up a name without a network, say."""
    threads.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + 0.5
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join(max(0.0, deadline - time.monotonic()))
    return any(thread.name.startswith(THREADS) for thread in threading.enumerate())


def _nobody_reads() -> int:
    """The reader of a pipe has gone: end quietly, and keep Python from flushing into it at exit."""
    let_go_of(sys.stdout)
    return FINE


def _unwritable(error: OutputError) -> int:
    """Say why no more can be written."""
    notice(str(error))
    _nobody_reads()
    return FAILED


def _first(group: BaseExceptionGroup[BaseException], kind: type[OutputError]) -> OutputError | None:
    """Of a group of groups, the first exception of this kind."""
    for error in group.exceptions:
        found = _first(error, kind) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, kind):
            return found
    return None


def notice(message: str) -> None:
    """Say something to the person, beside the lines."""
    with suppress(OSError):  # a terminal that is gone
        sys.stderr.write(f"smwatch: {visible(message)}\n")
        sys.stderr.flush()
