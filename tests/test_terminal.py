"""The whole program in a real terminal, over real wires, as a person uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import termios
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests import records
from tests.emulators.process import Emulator, free_port, running
from tests.terminal import ROOT, Terminal

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

REGION, KEY = "eu-west-1", "AKIAEXAMPLEEXAMPLE00"
ESCAPE, ENTER, UP = "\x1b", "\r", "\x1b[A"
SMWATCH = [sys.executable, "-m", "smwatch"]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has never used AWS or smwatch here."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def aws(home: dict[str, str], tmp_path: Path, moto: Emulator) -> Iterator[dict[str, str]]:
    """LookupEvents and a log group on the loopback, holding overlapping events of the last half hour."""
    now = datetime.now(UTC)
    looked_up = [records.read(f"prod/s{i % 7}", at=now - timedelta(seconds=20 * i), id=str(i)) for i in range(70)]
    looked_up += [records.read_deleted("prod/gone", at=now - timedelta(seconds=30 * i), id=f"d{i}") for i in range(5)]
    looked_up += [records.read("prod/ancient", at=now - timedelta(days=3), id="ancient")]
    logged = [*looked_up[20:-1], records.describe("prod/logged", at=now - timedelta(minutes=1))]
    port = free_port()
    history = f"http://127.0.0.1:{port}"
    logs = boto3.client(
        "logs", endpoint_url=moto.url, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=KEY
    )
    logs.create_log_group(logGroupName="trail")
    logs.create_log_stream(logGroupName="trail", logStreamName="1")
    delivered = int((now - timedelta(minutes=1)).timestamp() * 1000)
    batch: list[InputLogEventTypeDef] = [
        {"timestamp": delivered + i, "message": records.raw(record)} for i, record in enumerate(logged)
    ]
    logs.put_log_events(logGroupName="trail", logStreamName="1", logEvents=batch)
    with running(
        [sys.executable, "-m", "tests.emulators.lookup_events", "--port", str(port)],
        home=tmp_path / "history",
        environment={"PYTHONPATH": str(ROOT)},
        ready=f"{history}/_control/calls",
        within=120,
    ):
        body = json.dumps({"region": REGION, "events": looked_up}).encode()
        asked = urllib.request.Request(f"{history}/_control/events", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60):
            yield home | {
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": KEY,
                "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL_CLOUDTRAIL": history,
                "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": moto.url,
            }


@pytest.mark.slow
def test_an_incident_in_a_terminal_from_the_first_event_to_q(aws: dict[str, str]) -> None:
    with Terminal([*SMWATCH, "--since", "2h", "--log-group", "trail"], aws) as terminal:
        terminal.wait_for("76 events")
        terminal.wait_for("prod/logged")
        terminal.wait_for("CRITICAL")
        assert "prod/gone" in terminal.text
        terminal.press("/", *"secret:prod/s3", ENTER)
        terminal.wait_for("10 of 76")
        assert "prod/s4" not in terminal.text.split("SECRETS")[0]
        terminal.press(ESCAPE)
        terminal.wait_for("10 of 76", gone=True)
        terminal.press("/", *"gone", ENTER, ENTER)
        terminal.wait_for("THIS EVENT")
        terminal.resize(60, 20)
        terminal.wait_for("THIS EVENT", gone=True)
        terminal.pause()
        terminal.press(ESCAPE)
        terminal.pause()
        assert "/ filter" in terminal.text
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0
        assert (
            terminal.written.rstrip().endswith(("\x1b[?1049l", "\x1b[?25h")) or "\x1b[?1049l" in terminal.written[-400:]
        )
        assert "Traceback" not in terminal.written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_screen_leaves_the_terminal_as_it_was(
    home: dict[str, str], number: signal.Signals
) -> None:
    with Terminal([*SMWATCH, "demo"], home) as terminal:
        terminal.wait_for("CRITICAL")
        terminal.send(number)
        assert terminal.wait_for_the_end() == 0
        assert "\x1b[?1049l" in terminal.written[-400:]
        assert "\x1b[?1000l" in terminal.written  # the mouse is the terminal's again
        assert "Traceback" not in terminal.written


@pytest.mark.parametrize(("command", "heard"), [(["demo"], True), (["replay", "trail.json"], False)])
def test_the_terminal_is_not_told_of_what_is_replayed_as_it_is_of_what_goes_on(
    home: dict[str, str], tmp_path: Path, command: list[str], heard: bool
) -> None:
    trail = tmp_path / "trail.json"
    trail.write_bytes(records.trail_file(records.read_deleted("prod/gone", at=datetime.now(UTC))))
    with Terminal([*SMWATCH, *(str(trail) if word == trail.name else word for word in command)], home) as terminal:
        terminal.wait_for("CRITICAL")
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0
        rung = "\x07" in re.sub(r"\x1b\][^\x07]*\x07", "", terminal.written)
        assert ("\x1b]9;" in terminal.written, rung) == (heard, heard)


def test_a_terminal_that_is_closed_ends_the_screen(home: dict[str, str]) -> None:
    with Terminal([*SMWATCH, "demo"], home) as terminal:
        terminal.wait_for("CRITICAL")
        assert terminal.close() == 0


def test_a_terminal_that_is_closed_while_much_is_drawn_ends_the_screen(home: dict[str, str]) -> None:
    screen, master = os.forkpty()
    if not screen:
        os.execvpe(SMWATCH[0], [*SMWATCH, "demo"], home | {"TERM": "xterm-256color"})
    termios.tcsetwinsize(master, (50, 160))
    drawn = b""
    while b"CRITICAL" not in drawn:
        drawn += os.read(master, 65_536)
    os.close(master)  # nothing of what is drawn from now on is taken
    _, status = os.waitpid(screen, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.slow
def test_a_longer_window_and_a_jump_bring_what_happened_before_the_start(aws: dict[str, str]) -> None:
    with Terminal([*SMWATCH, "--since", "2h", "--no-journal"], aws) as terminal:
        terminal.wait_for("75 events")
        terminal.press("6")
        terminal.wait_for("back-filling")
        terminal.wait_for("76 of 76")
        terminal.press("/", *"ancient", ENTER)
        terminal.wait_for("1 of 76")
        terminal.press("\x7f", "@", *"80h", ENTER)
        terminal.wait_for("paused")
        terminal.wait_for("back-filling", gone=True)
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0


@pytest.mark.slow
def test_filters_that_were_typed_are_there_the_next_time(aws: dict[str, str]) -> None:
    for keys, query in ((("/", *"secret:prod/s3", ENTER), "secret:prod/s3"), (("/", UP, ENTER), "secret:prod/s3")):
        with Terminal([*SMWATCH, "--since", "2h"], aws) as terminal:
            terminal.wait_for("75 events")
            terminal.press(*keys)
            terminal.wait_for(f"/ {query}")
            terminal.wait_for("10 of 75")
            terminal.pause()
            terminal.press("q")
            assert terminal.wait_for_the_end() == 0


@pytest.mark.slow
def test_without_credentials_the_screen_ends_with_what_to_do_and_exit_code_2(home: dict[str, str]) -> None:
    with Terminal([*SMWATCH, "--region", REGION], home, columns=100) as terminal:
        assert terminal.wait_for_the_end() == 2
        assert "Error: there are no AWS credentials: run `aws configure`" in terminal.text
        assert f"looked for   profile default, Region {REGION}; AWS_ACCESS_KEY_ID (not set)" in terminal.text
        assert "/config (not\r\n" + " " * 15 + "there), " in terminal.written
        assert "last worked  never, as far as the journal tells" in terminal.text
        assert "2 to 10 minutes after" in terminal.text
        assert "smwatch demo" in terminal.text
        assert "Traceback" not in terminal.written
