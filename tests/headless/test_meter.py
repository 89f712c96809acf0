"""Long work tells how far it has come, on a terminal, and leaves nothing there."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from smwatch.headless.meter import Meter
from smwatch.monitor.delivery import Delivery
from smwatch.sources.source import State, Status


class Screen(io.StringIO):
    """Text that goes to a terminal."""

    def isatty(self) -> bool:
        return True


def meter(stream: io.StringIO, clock: Sequence[float], *, out: io.StringIO | None = None) -> Meter:
    """A meter whose clock shows these seconds, one after the other."""
    times = iter(clock)
    return Meter("read", stream=stream, out=out or io.StringIO(), clock=lambda: next(times))


def test_work_of_more_than_a_second_is_counted_and_the_line_goes_away() -> None:
    screen = Screen()
    counting = meter(screen, [0, 0.5, 1.5, 1.5, 1.6])
    assert list(counting.counted("abc")) == ["a", "b", "c"]
    assert screen.getvalue() == "\r\x1b[K2 events read\r\x1b[K"


@pytest.mark.parametrize(("stream", "out"), [(io.StringIO(), io.StringIO()), (Screen(), Screen())])
def test_nothing_is_counted_aloud_where_nobody_looks_or_the_results_are_shown(
    stream: io.StringIO, out: io.StringIO
) -> None:
    counting = meter(stream, [0] + [10] * 20, out=out)
    counting.add(5)
    counting.clear()
    assert stream.getvalue() == ""


async def test_what_sources_say_of_their_progress_is_shown_harmlessly() -> None:
    screen = Screen()
    counting = meter(screen, [0, 5, 5, 5.1])
    taken: list[Delivery] = []

    async def deliver(delivery: Delivery) -> None:
        taken.append(delivery)

    status = Status("a", "Logs\x1b[2J", State.CATCHING_UP, progress="back-filling 1 of ~3 min")
    await counting.delivering(deliver)(Delivery(statuses=(status,)))
    assert taken == [Delivery(statuses=(status,))]
    await counting.delivering(deliver)(Delivery())
    assert screen.getvalue() == "\r\x1b[K0 events read; Logs␛[2J back-filling 1 of ~3 min"


async def test_the_line_stands_while_work_goes_on() -> None:
    screen = Screen()
    counting = meter(screen, [0, 5, 5, 5.1, 5.1])

    async def deliver(_: Delivery) -> None:
        screen.write("smwatch: said\n")

    delivering = counting.delivering(deliver)
    await delivering(Delivery())
    await delivering(Delivery())
    await delivering(Delivery(statuses=(Status("a", "A", State.OK),)))
    counted = "\r\x1b[K0 events read"
    said = "smwatch: said\n"
    assert screen.getvalue() == f"{said}{counted}{said}\r\x1b[K{said}{counted}"
