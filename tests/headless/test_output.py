import asyncio
import fcntl
import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from smwatch.headless.output import TOGETHER, Output, OutputError

LINE = b"x" * 999


class Pipe:
    """A pipe as small as can be, with an Output at its end."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.reading, False)
        self.stream = os.fdopen(writing, "w")
        self.output = Output(self.stream)

    def read(self, size: int = 1 << 20) -> bytes:
        """What is there to be read, b"" for nothing."""
        try:
            return os.read(self.reading, size)
        except BlockingIOError:
            return b""


def _read_whole(handle: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as stream:
        return stream.read()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    with suppress(OSError):
        os.close(pipe.reading)
    pipe.stream.close()


async def test_a_slow_reader_gets_every_line_while_other_work_goes_on(pipe: Pipe) -> None:
    lines = [b"%d" % number + LINE for number in range(100)]
    writing = asyncio.create_task(pipe.output.write(lines))
    got, turns = b"", 0
    while not writing.done() or got.count(b"\n") < 100:
        await asyncio.sleep(0)
        turns += 1
        if turns % 10 == 0:
            got += pipe.read(1500)
    assert got == b"".join(line + b"\n" for line in lines)
    assert pipe.output.written == 100


@pytest.mark.parametrize("count", [50, 2 * TOGETHER + 50])
async def test_cancelled_before_a_reader_that_goes_on_it_writes_every_line(pipe: Pipe, count: int) -> None:
    writing = asyncio.create_task(pipe.output.write([LINE] * count))
    for _ in range(10):
        await asyncio.sleep(0)
    writing.cancel()
    os.set_blocking(pipe.reading, True)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(_read_whole, pipe.reading)
        with pytest.raises(asyncio.CancelledError):
            await writing
        pipe.stream.close()
        assert reading.result() == (LINE + b"\n") * count
    assert pipe.output.written == count


async def test_cancelled_before_a_reader_that_reads_once_more_it_ends_with_a_whole_line(pipe: Pipe) -> None:
    writing = asyncio.create_task(pipe.output.write([LINE] * 50))
    for _ in range(10):
        await asyncio.sleep(0)
    got = pipe.read()  # four lines, and a part of the fifth
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    got += pipe.read()
    assert got == (LINE + b"\n") * pipe.output.written
    assert pipe.output.written == 5


async def write_and_cancel(pipe: Pipe) -> None:
    """Write more lines than the pipe takes, for some turns of the loop."""
    writing = asyncio.create_task(pipe.output.write([LINE] * 50))
    for _ in range(10):
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing


async def test_cancelled_before_a_reader_that_is_stuck_it_counts_whole_lines_only(pipe: Pipe) -> None:
    await write_and_cancel(pipe)
    assert pipe.read().count(b"\n") == pipe.output.written == 4


async def test_cancelled_as_the_reader_goes_it_is_cancelled(pipe: Pipe) -> None:
    writing = asyncio.create_task(pipe.output.write([LINE] * 50))
    for _ in range(10):
        await asyncio.sleep(0)
    writing.cancel()
    os.close(pipe.reading)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert pipe.output.written == 4


async def test_a_reader_that_has_gone_is_noticed_although_nothing_is_written(pipe: Pipe) -> None:
    gone = asyncio.Event()
    pipe.output.when_nobody_reads(gone.set)
    os.close(pipe.reading)
    await gone.wait()
    with pytest.raises(BrokenPipeError):
        await pipe.output.write([LINE])


async def test_a_pipe_that_others_made_non_blocking_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    writing = asyncio.create_task(pipe.output.write([LINE] * 50))
    got = b""
    while got.count(b"\n") < 50:
        await asyncio.sleep(0)
        got += pipe.read(700)
    await writing
    assert got == (LINE + b"\n") * 50


async def test_cancelled_before_a_pipe_that_others_fill_it_counts_what_it_has_written(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others who share the pipe may fill it between the look whether there is room and the writing."""
    os.set_blocking(pipe.stream.fileno(), False)
    monkeypatch.setattr(pipe.output, "_room", lambda seconds: seconds <= 0)
    await write_and_cancel(pipe)
    assert pipe.output.written == pipe.read().count(b"\n") == 4


async def test_a_socket_is_written_to_like_a_pipe() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, os.fdopen(os.dup(ours.fileno()), "w") as stream:
        writing = asyncio.create_task(Output(stream).write([LINE] * 2000))
        theirs.setblocking(False)
        loop, got = asyncio.get_running_loop(), b""
        while len(got) < 2_000_000:
            got += await loop.sock_recv(theirs, 1 << 16)
        await writing
    assert got == (LINE + b"\n") * 2000


async def test_what_is_no_file_is_written_to_as_well() -> None:
    text = io.StringIO()
    await Output(text).write(["é".encode(), b"2"])
    assert text.getvalue() == "é\n2\n"


async def test_a_full_disk_is_an_error_of_the_output(full: IO[str]) -> None:
    output = Output(full)
    with pytest.raises(OutputError, match=r"can't write the output \(No space left on device\)"):
        await output.write([LINE])
    assert output.written == 0


@pytest.mark.parametrize("room", [2, 2 * TOGETHER, 2 * TOGETHER + 2])
@pytest.mark.parametrize("flags", ["w", "a"])
def test_a_file_that_takes_no_more_is_left_with_whole_lines(tmp_path: Path, flags: str, room: int) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"before\n" if flags == "a" else b"")
    program = f"""
import asyncio, resource
from smwatch.headless.output import Output, OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, ({room * 1000 + 500}, resource.RLIM_INFINITY))
with open({str(path)!r}, {flags!r}) as file:
    output = Output(file)
    try:
        asyncio.run(output.write([b"x" * 999] * {room + 3}))
    except OutputError as error:
        print(output.written, error)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == f"{room} can't write the output (File too large)\n"
    assert path.read_bytes() == (b"before\n" if flags == "a" else b"") + (LINE + b"\n") * room
