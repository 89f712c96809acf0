"""A soak from the command line; prints figures each minute, and the verdict.

python -m tests.soak --minutes 120 --seed 7              `smwatch tail`
python -m tests.soak --minutes 120 --seed 7 --screen     the same with the screen, on a pseudo-terminal
python -m tests.soak --minutes 120 --no-kill             one process all the time: whether its memory stays flat
python -m tests.soak --minutes 120 --kill-every 600      processes that live for some ten minutes each
python -m tests.soak --minutes 120 --burst 300           now and then 300 events within one second
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.soak.run import KILL_EVERY, Soak


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
