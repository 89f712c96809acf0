"""Files are read once, whatever they are called; what can't be read is said, and costs nothing else."""

import asyncio
import gzip
import json
import os
import resource
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.headless.lines import event_line
from smwatch.sources import playback
from smwatch.sources.coverage import Coverage
from smwatch.sources.demo import demo_sources
from smwatch.sources.files import FIRST, PAGE, FileSource
from smwatch.sources.source import Page, Source, State, Status

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Clock:
    """Time that passes only when someone sleeps, or a little at each look."""

    def __init__(self, step: timedelta = timedelta()) -> None:
        self.at = START
        self.step = step
        self.slept: list[float] = []

    def now(self) -> datetime:
        self.at += self.step
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def record(n: int, at: datetime | None = START) -> str:
    time = f'"eventTime":"{at:%Y-%m-%dT%H:%M:%SZ}",' if at else ""
    return f'{{"eventVersion":"1.11",{time}"eventName":"GetSecretValue","n":{n}}}'


def trail(*numbers: int) -> bytes:
    return ('{"Records":[' + ",".join(map(record, numbers)) + "]}").encode()


class Reading:
    """Everything that one reading yielded."""

    def __init__(self, items: Sequence[Page | Status]) -> None:
        self.pages = [item for item in items if isinstance(item, Page)]
        self.statuses = [item for item in items if isinstance(item, Status)]
        self.raws = [found.raw for page in self.pages for found in page.found]
        self.last = self.statuses[-1]
        assert items[-1] is self.last

    @property
    def numbers(self) -> list[int]:
        return [json.loads(raw)["n"] for raw in self.raws]


async def reading(
    *paths: Path | str, clock: Clock | None = None, speed: float | None = None, stdin: int = 0
) -> Reading:
    clock = clock or Clock()
    source = FileSource(paths, now=clock.now, sleep=clock.sleep, speed=speed, stdin=stdin)
    items = [item async for item in source.follow(Coverage())]
    await source.close()
    return Reading(items)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def to(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return to


Write = Callable[[str, bytes], Path]


def test_it_is_a_source() -> None:
    source: Source = FileSource(["a.json"], now=Clock().now)
    assert (source.name, source.label, source.seen_by) == ("files", "a.json", SeenBy.FILE)
    assert FileSource(["a", "b"], now=Clock().now).label == "2 files"
    assert FileSource(["-"], now=Clock().now).label == "stdin"


async def test_files_are_read_in_the_order_given_and_then_it_is_done(write: Write) -> None:
    read = await reading(write("b.json", trail(1, 2)), write("a.json", trail(3)))
    assert read.numbers == [1, 2, 3]
    assert read.raws[0] == record(1)
    assert (read.last.state, read.last.message) == (State.DONE, "")
    assert read.last.progress == "3 records from 2 files"
    assert {(page.source, page.seen_by, page.seen_at) for page in read.pages} == {("files", SeenBy.FILE, START)}
    assert all(page.settled is None for page in read.pages)


async def test_reading_once_and_following_are_the_same(write: Write) -> None:
    source = FileSource([write("a.json", trail(1, 2))], now=Clock().now)
    assert [x async for x in source.read_once(Coverage())] == [x async for x in source.follow(Coverage())]


async def test_gzip_is_told_by_content_and_not_by_name(write: Write) -> None:
    read = await reading(write("a.json", gzip.compress(trail(1))), write("b.json.gz", trail(2)))
    assert read.numbers == [1, 2]
    assert read.last.state is State.DONE


async def test_gzip_members_and_padding_are_one_text(write: Write) -> None:
    data = gzip.compress(trail(1)) + gzip.compress(trail(2)) + bytes(512)
    assert (await reading(write("a.gz", data))).numbers == [1, 2]


async def test_a_page_holds_no_more_than_its_limit_and_the_first_little(write: Write) -> None:
    count = FIRST + PAGE * 2 + 7
    read = await reading(write("a.json", trail(*range(count))), write("b.json", trail(99_999)))
    assert [len(page.found) for page in read.pages] == [FIRST, PAGE, PAGE, 8]
    assert read.numbers == [*range(count), 99_999]


async def test_pages_are_as_small_as_whoever_takes_them_wants(write: Write) -> None:
    source = FileSource([write("a.json", trail(*range(FIRST + 25)))], now=Clock().now, page=10)
    pages = [item async for item in source.read_once(Coverage()) if isinstance(item, Page)]
    assert [len(page.found) for page in pages] == [FIRST, 10, 10, 5]


async def test_a_directory_is_read_recursively_in_the_order_of_names(write: Write, tmp_path: Path) -> None:
    write("t/2026/11/24/a.json.gz", gzip.compress(trail(4)))
    write("t/2026/11/23/b.json.gz", gzip.compress(trail(2)))
    write("t/2026/11/23/a.json.gz", gzip.compress(trail(1)))
    write("t/2026/11/23/c.jsonl", record(3).encode())
    write("t/0.json", trail(0))
    write("t/.hidden/x.json", trail(8))
    write("t/.x.json", trail(9))
    assert (await reading(tmp_path / "t")).numbers == [0, 1, 2, 3, 4]


async def test_what_lies_beside_trail_files_is_passed_over_and_counted(write: Write, tmp_path: Path) -> None:
    write("AWSLogs/1/CloudTrail/eu-west-1/a.json.gz", gzip.compress(trail(1)))
    write("AWSLogs/1/CloudTrail-Digest/eu-west-1/a.json.gz", gzip.compress(b'{"digestStartTime":"2026"}'))
    write("AWSLogs/1/CloudTrail-Insight/eu-west-1/a.json.gz", gzip.compress(trail(2)))
    write("exports/aws-logs-write-test", b"Permission Check Successful")
    write("package.json", b'{"name":"x"}')
    read = await reading(tmp_path)
    assert read.numbers == [1]
    assert read.last.state is State.DONE
    assert read.last.message == "passed over 4 files of digests, insights or other things"


async def test_a_link_back_into_a_directory_is_not_followed(write: Write, tmp_path: Path) -> None:
    write("t/a.json", trail(1))
    (tmp_path / "t/again").symlink_to(tmp_path / "t")
    os.mkfifo(tmp_path / "t/pipe")
    assert (await reading(tmp_path / "t")).numbers == [1]


async def test_a_file_that_is_named_must_hold_records(write: Write) -> None:
    path = write("README.md", b"# Hello\n")
    read = await reading(path, write("b.json", trail(2)))
    assert read.numbers == [2]
    assert read.last.state is State.FAILING
    assert read.last.message == f"{path}: holds no CloudTrail records: neither JSON nor a log export"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.json", "No such file or directory"),
        ("s3://bucket/AWSLogs", "not a local file; fetch it first: aws s3 sync s3://bucket/AWSLogs DIRECTORY"),
    ],
)
async def test_a_file_that_is_not_there_is_said_and_the_rest_is_read(write: Write, path: str, said: str) -> None:
    read = await reading(path, write("b.json", trail(2)))
    assert read.numbers == [2]
    assert (read.last.state, read.last.message) == (State.FAILING, f"{path}: {said}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read_is_said(write: Write) -> None:
    path = write("a.json", trail(1))
    path.chmod(0)
    assert (await reading(path)).last.message == f"{path}: Permission denied"


async def test_a_name_that_no_file_can_have_is_said() -> None:
    name = "x" * 5000
    assert (await reading(name)).last.message == f"{name}: File name too long"


async def test_an_empty_directory_is_said(tmp_path: Path) -> None:
    read = await reading(tmp_path)
    assert (read.last.state, read.last.message) == (State.FAILING, f"{tmp_path}: no files in this directory")


async def test_each_trouble_is_reported_and_the_last_word_counts_them(write: Write) -> None:
    read = await reading("no-1.json", "no-2.json", write("b.json", trail(2)), "no-3.json")
    failing = [status.message for status in read.statuses if status.state is State.FAILING]
    assert failing[:-1] == [f"no-{n}.json: No such file or directory" for n in (1, 2, 3)]
    assert failing[-1] == "no-1.json: No such file or directory (and 2 more like this)"
    assert read.last.last_good_at is None


async def test_gzip_data_that_ends_early_keeps_what_came_before(write: Write) -> None:
    whole = gzip.compress(trail(*range(3000)))
    path = write("a.json.gz", whole[: len(whole) // 2])
    read = await reading(path, write("b.json", trail(9999)))
    assert len(read.numbers) > 100
    assert read.numbers == [*range(len(read.numbers) - 1), 9999]
    assert (read.last.state, read.last.message) == (State.FAILING, f"{path}: its gzip data ends early; fetch it again")


async def test_damaged_gzip_data_keeps_what_came_before(write: Write) -> None:
    whole = bytearray(gzip.compress(trail(*range(3000))))
    whole[len(whole) // 2] ^= 0xFF
    path = write("a.json.gz", bytes(whole))
    read = await reading(path)
    assert read.raws[:100] == [record(n) for n in range(100)]
    assert read.last.state is State.FAILING
    assert path.name in read.last.message


async def test_a_wrong_check_sum_costs_no_record(write: Write) -> None:
    whole = bytearray(gzip.compress(trail(*range(30))))
    whole[-6] ^= 0xFF
    path = write("a.json.gz", bytes(whole))
    read = await reading(path)
    assert read.numbers == [*range(30)]
    assert read.last.message == f"{path}: its gzip data is damaged; fetch it again"


async def test_something_behind_gzip_data_is_said(write: Write) -> None:
    read = await reading(write("a.gz", gzip.compress(trail(1)) + b"oops"))
    assert read.numbers == [1]
    assert "something that is not gzip follows" in read.last.message


async def test_a_hyphen_is_standard_input() -> None:
    out, into = os.pipe()
    os.write(into, gzip.compress(trail(1, 2)))
    os.close(into)
    try:
        read = await reading("-", stdin=out)
    finally:
        os.close(out)
    assert read.numbers == [1, 2]
    assert read.last.progress == "2 records from 1 file"


async def test_trouble_with_standard_input_is_said() -> None:
    out, into = os.pipe()
    os.write(into, b"hello")
    os.close(into)
    try:
        read = await reading("-", stdin=out)
    finally:
        os.close(out)
    assert read.last.message == "standard input: holds no CloudTrail records: neither JSON nor a log export"


async def test_lines_that_are_still_being_written_are_handed_on_as_they_come() -> None:
    out, into = os.pipe()
    source = FileSource(["-"], now=Clock().now, stdin=out)
    items = source.follow(Coverage())
    for n in range(3):
        os.write(into, f"{record(n)}\n".encode())
        while not isinstance(item := await anext(items), Page):
            pass
        assert [found.raw for found in item.found] == [record(n)]
    os.close(into)
    assert [item.state async for item in items if isinstance(item, Status)] == [State.DONE]
    os.close(out)


async def test_waiting_for_standard_input_can_be_given_up() -> None:
    out, into = os.pipe()
    source = FileSource(["-"], now=Clock().now, stdin=out)
    items = source.follow(Coverage())
    assert isinstance(await anext(items), Status)
    waiting = asyncio.ensure_future(anext(items))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(into)
    await ended()
    os.close(out)


async def test_reading_that_is_given_up_leaves_nothing_behind(write: Write) -> None:
    source = FileSource([write(f"{n}.json", trail(*range(PAGE))) for n in range(40)], now=Clock().now)
    items = source.follow(Coverage())
    assert isinstance(items, AsyncGenerator)
    async for item in items:
        if isinstance(item, Page):
            break
    await items.aclose()
    await ended()


async def ended() -> None:
    """Wait for the reading thread to notice that it is not wanted."""
    for thread in threading.enumerate():
        if thread.name == "smwatch-reads":
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()


async def test_progress_is_told_every_second(write: Write) -> None:
    clock = Clock(step=timedelta(milliseconds=300))
    read = await reading(*[write(f"{n}.json", trail(n)) for n in range(8)], clock=clock)
    told = [status.progress for status in read.statuses[1:-1]]
    assert told[0] == "file 2 of 8, 2 records"
    assert told[-1].startswith("file 8 of 8")
    assert len(set(told)) == len(told) >= 4
    assert all(status.state is State.CATCHING_UP for status in read.statuses[:-1])


async def test_what_tail_has_printed_is_read_back_as_it_was(write: Write) -> None:
    _, logs = demo_sources(lambda: START)
    reader = Reader()
    pages = [item async for item in logs.read_once(Coverage()) if isinstance(item, Page)]
    raws = [found.raw for page in pages for found in page.found] + ["oops", '{"eventName": "\x1b[2J', "7"]
    lines = [event_line(reader.read(raw, seen_by=SeenBy.LOGS, seen_at=START)) for raw in raws]
    read = await reading(write("evidence.jsonl", "\n".join(lines).encode()))
    assert len(raws) > 600
    assert list(map(meaning, read.raws)) == list(map(meaning, raws))


def meaning(raw: str) -> object:
    """What a text says as JSON, which may write a character in more ways than one; itself if it is none."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw


# -- playing back


def at(minutes: float) -> datetime:
    return START - timedelta(days=90) + timedelta(minutes=minutes)


async def test_a_speed_plays_records_in_the_order_and_rhythm_of_their_times(write: Write) -> None:
    clock = Clock()
    first = write("1.jsonl", "\n".join([record(3, at(2)), record(1, at(0))]).encode())
    second = write("2.jsonl", "\n".join([record(2, at(1)), record(4, at(4))]).encode())
    read = await reading(first, second, clock=clock, speed=60)
    assert read.numbers == [1, 2, 3, 4]
    assert [(page.seen_at - START).total_seconds() for page in read.pages] == [0, 1, 2, 4]
    assert clock.slept == [1, 1, 2]
    assert read.last.state is State.DONE


async def test_a_long_pause_is_cut_short_and_said(write: Write) -> None:
    clock = Clock()
    path = write("1.jsonl", "\n".join([record(1, at(0)), record(2, at(60 * 8)), record(3, at(60 * 8 + 1))]).encode())
    read = await reading(path, clock=clock, speed=60)
    assert clock.slept == [5, 1]
    assert read.last.message == "cut 7 h 55 min without events short"
    assert "playing 60× at 2026-08-25 22:00:00Z" in [status.progress for status in read.statuses]


async def test_records_of_one_moment_are_played_together(write: Write) -> None:
    clock = Clock()
    lines = [record(n, at(0) + timedelta(seconds=n)) for n in range(1000)]
    read = await reading(write("1.jsonl", "\n".join(lines).encode()), clock=clock, speed=100)
    assert read.numbers == [*range(1000)]
    assert len(read.pages) <= 101
    assert sum(clock.slept) == pytest.approx(10, abs=0.2)


async def test_a_record_without_a_time_is_played_with_the_one_before_it(write: Write) -> None:
    lines = [record(3, at(5)), record(4, None), "oops", record(1, at(0)), record(2, None)]
    read = await reading(write("1.jsonl", "\n".join(lines).encode()), speed=1000)
    assert read.raws == [record(1, at(0)), record(2, None), record(3, at(5)), record(4, None), "oops"]


async def test_the_time_of_the_wrapper_serves_where_the_record_has_none(write: Write) -> None:
    lines = [f"{at(n):%Y-%m-%dT%H:%M:%SZ} {record(n, None)}" for n in (2, 1)]
    read = await reading(write("1.log", "\n".join(lines).encode()), speed=1000)
    assert read.numbers == [1, 2]
    assert [found.at for page in read.pages for found in page.found] == [at(1), at(2)]


async def test_more_records_than_fit_into_memory_are_played_all_the_same(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "IN_MEMORY", 1000)
    lines = [record(n, at(-n)) for n in range(100)]
    read = await reading(write("1.jsonl", "\n".join(lines).encode()), speed=1e6)
    assert read.numbers == [*reversed(range(100))]


async def test_a_playback_that_there_is_no_room_for_is_said_with_the_way_out(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "IN_MEMORY", 1000)
    path = write("1.jsonl", "\n".join(record(n, at(-n)) for n in range(2_000)).encode())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        read = await reading(path, speed=1e6)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read.raws == []
    assert read.last.state is State.FAILING
    assert read.last.message == (
        f"there is no room in {tempfile.gettempdir()} to sort what is to be played back (File too large):"
        " set TMPDIR to where there is, or leave out --speed"
    )


async def test_an_unreadable_file_is_said_after_playing_too(write: Write) -> None:
    read = await reading("missing.json", write("1.json", trail(1)), speed=10)
    assert read.numbers == [1]
    assert read.last.state is State.FAILING


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_a_speed_is_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        FileSource(["a"], now=Clock().now, speed=speed)
