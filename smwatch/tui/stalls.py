"""A debug option: reports when the event loop of the screen stood still, for how long, and in what."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, thread_time
from types import FrameType
from typing import NamedTuple, Self, TextIO

STALL = timedelta(milliseconds=15)
"""A loop that has not come round for so long is stalled: a key pressed meanwhile waits as long."""
_BEAT = 0.004
_FRAMES = 6
"""Functions named of what was running, the innermost first."""


class _Beat(NamedTuple):
    """When the loop said last that it is alive, in seconds."""

    clock: float
    worked: float
    """Of the processor, by the loop's thread, up to then."""


class Stalls:
    """Writes a line to a file for each stall of the loop it is started on; costs some per cent of a core meanwhile.

    Beside how long it was by the clock stands how much of that the loop's own thread worked: of a machine that has no
    time for it, or while another thread holds Python's lock, that is little.

    The loop says every few milliseconds that it is alive, a thread listens for it. Python's global lock can be what a
    stall waits for: then what is named as running is where it waited.
    """

    def __init__(self, path: Path) -> None:
        """OSError if the file can't be written to."""
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._beaten = _now()
        self._main = threading.get_ident()
        self._stopped = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="stalls", daemon=True)
        self.running = ""
        """What the loop is in at present, if it stands still."""

    def start(self) -> Self:
        """Begin, from within the loop."""
        self._main = threading.get_ident()
        self._beat(asyncio.get_running_loop())
        self._watching.start()
        return self

    def stop(self) -> None:
        """End, and close the file."""
        self._stopped.set()
        if self._watching.is_alive():
            self._watching.join()
        self._file.close()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beaten = _now()
        if not self._stopped.is_set():
            loop.call_later(_BEAT, self._beat, loop)

    def _watch(self) -> None:
        since = self._beaten
        while not self._stopped.wait(_BEAT):
            beaten = self._beaten
            if self.running and beaten != since:  # it goes on
                self._report(since, beaten)
                self.running = ""
            elif not self.running and timedelta(seconds=monotonic() - beaten.clock) > STALL:
                since, self.running = beaten, _named(sys._current_frames().get(self._main))
        if self.running and self._beaten != since:
            self._report(since, self._beaten)

    def _report(self, since: _Beat, until: _Beat) -> None:
        took, worked = (until.clock - since.clock) * 1000, (until.worked - since.worked) * 1000
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        self._file.write(f"{at} {took:.0f} ms, {worked:.0f} of them at work, in {self.running}\n")
        self._file.flush()


def _now() -> _Beat:
    """The present moment, on the loop's thread."""
    return _Beat(monotonic(), thread_time())


def _named(frame: FrameType | None) -> str:
    names: list[str] = []
    while frame is not None and len(names) < _FRAMES:
        names.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(names) or "nothing that could be seen"
