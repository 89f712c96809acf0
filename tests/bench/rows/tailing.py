"""A log group on standard output, beside the two tools that people use for it.

Each side is a process that writes all records of the same group to a file, asked for by the same filter pattern; that
all are in the file is checked. What counts is the time by the clock from its start to its end, its processor time, and
its memory at the most, as the kernel tells them at its end.

Where the group is makes a difference. AWS gives pages of 1 MB and grants ten calls a second, and so does the stand-in;
moto gives as many records as are asked for, as often as it can. Both answer at once, and AWS does not: how long it
takes for a page is nowhere said, so the rows `tail-later` say what they suppose.

The peers' programs are not small (the AWS CLI v2 is 70 MB), so these rows are measured only where they are asked for:

    SMWATCH_BENCH_PEERS=1 python -m tests.bench tail
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from tarfile import TarFile
from typing import TYPE_CHECKING

import boto3
import msgspec

from smwatch.sources.logs import PATTERN, QUOTA
from tests.bench.harness import Row, Runs
from tests.bench.traffic import Traffic
from tests.emulators.log_group import GROUP, LogGroupService
from tests.emulators.loopback import beside
from tests.emulators.moto import started
from tests.emulators.process import Emulator
from tests.emulators.venv import emulator_venv

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

ASKED_FOR = "SMWATCH_BENCH_PEERS"
CLI_PACKAGE, CLI_VERSION = "aws-cdk-asset-awscli-v2", "2.0.198"
"""The official AWS CLI v2 (2.38.5), as the CDK wraps it up."""
AWSLOGS_VERSION = "0.15.0"
REGION = "eu-west-1"
"""Where AWS grants ten calls of FilterLogEvents a second."""
LATENCY = 0.3
"""Seconds that an answer takes where it does not come at once."""
TRIES = 20
"""How often the peers ask for a page that is refused: with the CLI's three some runs would not come to their end."""
BATCH = 500
"""Records that are put into moto at a time."""
WITHIN = timedelta(minutes=40)
ROOT = Path(__file__).parents[3]
MEASURED = """
import os, sys, time
began = time.monotonic()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
sys.stderr.write(f"\\n{time.monotonic() - began} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Spent(msgspec.Struct, frozen=True):
    """What a process took."""

    clock: float
    """Seconds from its start to its end, the emulator's answers included: what a person waits."""
    processor: float
    """Seconds of its own work."""
    peak: float
    """MiB of memory at the most."""


def aws_cli() -> Path:
    """The program `aws`, version 2."""
    venv = emulator_venv(CLI_PACKAGE, CLI_VERSION).parent
    layer = venv / "layer"
    if not layer.exists():
        (packed,) = venv.glob("lib/python*/site-packages/aws_cdk/asset_awscli_v2/_jsii/*.tgz")
        with tempfile.TemporaryDirectory(dir=venv) as folder:
            with TarFile.open(packed) as archive:
                archive.extract("package/lib/layer.zip", folder, filter="data")
            with zipfile.ZipFile(Path(folder, "package/lib/layer.zip")) as zipped:
                zipped.extractall(Path(folder, "layer"))
            Path(folder, "layer").rename(layer)
    (program,) = layer.glob("awscli/v2/*/dist/aws")
    program.chmod(0o755)
    return program


def aws_logs_tail() -> list[str]:
    """The command `aws logs tail`, with the pattern that smwatch asks for: what of a trail's group is of interest."""
    return [str(aws_cli()), "logs", "tail", GROUP, "--since", "1h", "--filter-pattern", PATTERN]


def awslogs_get() -> list[str]:
    """The command `awslogs get`, with the same pattern."""
    program = str(emulator_venv("awslogs", AWSLOGS_VERSION) / "awslogs")
    return [program, "get", GROUP, "--start=1h", "--filter-pattern", PATTERN]


@contextmanager
def as_aws(size: int, *, takes: float = 0.0) -> Iterator[str]:
    """The URL of a log group of so many records in pages of 1 MB, and of as many calls a second as AWS grants.

    Each page comes after so many seconds.
    """
    group = LogGroupService()
    group.quota, group.takes = QUOTA, takes
    for text, at in _records(size):
        group.put(text, at)
    with beside(group):
        yield group.url


@contextmanager
def in_moto(size: int) -> Iterator[str]:
    """The URL of a log group of so many records in moto."""
    with tempfile.TemporaryDirectory() as home, started(Path(home)) as moto:
        with closing(_client(moto.url)) as logs:
            logs.create_log_group(logGroupName=GROUP)
            logs.create_log_stream(logGroupName=GROUP, logStreamName="1")
            records = _records(size)
            while batch := list(islice(records, BATCH)):
                logs.put_log_events(
                    logGroupName=GROUP,
                    logStreamName="1",
                    logEvents=[{"timestamp": int(at.timestamp() * 1000), "message": text} for text, at in batch],
                )
        yield moto.url


def _client(url: str) -> CloudWatchLogsClient:
    return boto3.client(
        "logs", endpoint_url=url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def _records(size: int) -> Iterator[tuple[str, datetime]]:
    """Records and the times of their delivery."""
    start = (datetime.now(UTC) - WITHIN).replace(microsecond=0)
    texts = Traffic(start=start, per_second=size / WITHIN.total_seconds()).texts(size)
    for number, text in enumerate(texts):
        yield text, start + WITHIN * (number / size)


@contextmanager
def tailing(
    size: int, *, peer: Callable[[], list[str]], held: Callable[[int], AbstractContextManager[str]]
) -> Iterator[tuple[Callable[[], Spent], Callable[[], Spent]]]:
    """A log group of so many records, `held` somewhere; each side writes all of them to a file.

    `peer` is asked for its command, and may have to be installed for it, only where it is measured.
    """
    with tempfile.TemporaryDirectory() as name, held(size) as url:
        folder = Path(name)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            "PYTHONPATH": str(ROOT),
            "AWS_MAX_ATTEMPTS": str(TRIES),
            **Emulator(url, region=REGION).environment(),
        }

        def measured(command: Sequence[str]) -> Spent:
            out = folder / "out"
            spent = _run(command, environment, out)
            with out.open("rb") as file:
                assert sum(b"eventVersion" in line for line in file) == size
            return spent

        def smwatch() -> Spent:
            shutil.rmtree(folder / "state", ignore_errors=True)
            tail = [sys.executable, "-m", "smwatch", "tail", "--json", "--once", "--since", "1h", "--no-cloudtrail"]
            return measured([*tail, "--log-group", GROUP, "--state-dir", str(folder / "state")])

        yield smwatch, lambda: measured(peer())


def _run(command: Sequence[str], environment: dict[str, str], out: Path) -> Spent:
    # By way of a small process: what a process took counts from its fork on, when it still has its parent's memory.
    with out.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-S", "-c", MEASURED, *command],
            stdout=file,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
        )
    said, _, figures = done.stderr.decode().rpartition("\n")
    assert done.returncode == 0, said
    clock, processor, peak = map(float, figures.split())
    return Spent(clock, processor, peak / 1024)


def _rows(
    short: str,
    what: str,
    peer: Callable[[], list[str]],
    held: Callable[[int], AbstractContextManager[str]],
    where: str,
) -> Iterator[Row]:
    runs = Runs(partial(tailing, peer=peer, held=held))
    clock = Row(
        name=f"tail-{short}",
        what=f"tail --json --once of a log group {where}, by the clock",
        floor=what,
        target=1.0,
        size=100_000,
        sized="events",
        rounds=3,
        exact=True,
        largest=100_000,
        remark="takes long",
        ready=partial(runs.told, figure=attrgetter("clock")),
    )
    return runs.rows(
        clock,
        ("cpu", "the same, processor", "s", attrgetter("processor")),
        ("memory", "the same, memory at the most", "MiB", attrgetter("peak")),
    )


AWS_CLI, AWSLOGS = "aws logs tail --since (AWS CLI v2)", "awslogs get"
PAGED = "in pages of 1 MB, ten a second"
LATER = f"{PAGED}, each after {LATENCY} s"
MOTO = "in moto"
ROWS = (
    *_rows("aws", AWS_CLI, aws_logs_tail, as_aws, PAGED),
    *_rows("awslogs", AWSLOGS, awslogs_get, as_aws, PAGED),
    *_rows("later-aws", AWS_CLI, aws_logs_tail, partial(as_aws, takes=LATENCY), LATER),
    *_rows("later-awslogs", AWSLOGS, awslogs_get, partial(as_aws, takes=LATENCY), LATER),
    *_rows("moto-aws", AWS_CLI, aws_logs_tail, in_moto, MOTO),
    *_rows("moto-awslogs", AWSLOGS, awslogs_get, in_moto, MOTO),
)
