"""What really goes to the terminal, byte by byte, whatever stands in a record."""

from __future__ import annotations

import base64
import copy as copies
import itertools
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pyte
import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.source import State, Status
from smwatch.store.store import Store
from tests import records
from tests.terminal import ROOT, Terminal
from tests.tui.scene import NOW, Stage, ago

BOMBS = (
    "\x1b]0;PWNED\x07",
    "\x1b]52;c;UFdORUQ=\x07",
    "\x1b[2J\x1b[H",
    "\x9b31mred",
    "\x90payload\x9c",
    "[/]",
    "[@click=app.quit]x[/]",
    "[bold red]\\[",
    "\u202egnihtemos\u202c\u2066x\u2069\u200b\u200f",
    "\r\n\t\x00\x08\x7f",
    "宽字符" * 30,
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e" + "\u0301" * 300,
    "שלום عليكم",
    "{secret} %s $(rm -rf ~) `id`",
    "x" * 5000,
    "\u2028\u2029\ufeff\U000e0041",
)


class Tape(HeadlessDriver):
    """A terminal that keeps what is written to it."""

    written: ClassVar[list[str]] = []

    @property
    def is_headless(self) -> bool:
        """Textual writes nothing to a terminal that nobody sees."""
        return False

    def write(self, data: str) -> None:
        self.written.append(data)


def hostile(bomb: str, number: int) -> Record:
    """A record with the same bad text wherever text can be."""
    record = records.read_deleted(
        bomb, f"{bomb} this secret because it was marked for deletion", eventTime=ago(number), id=str(number)
    )
    who = records.role(bomb, bomb, key=bomb)
    record |= {
        "userIdentity": who | {"arn": bomb, "invokedBy": bomb, "onBehalfOf": {"userId": bomb}},
        "userAgent": bomb,
        "sourceIPAddress": bomb,
        "errorCode": bomb,
        "awsRegion": bomb,
        "eventName": "GetSecretValue" if number % 2 else bomb,
        "vpcEndpointId": bomb,
        "requestParameters": {"secretId": bomb, bomb: [bomb, {bomb: bomb}]},
        "tlsDetails": {"tlsVersion": bomb},
        "recipientAccountId": bomb,
    }
    return {**record, bomb: bomb}


KNOWN = re.compile(
    r"\x1b\[[0-9;?<>=$]*[A-Za-z]"  # CSI with plain parameters: colours, cursor moves, modes that Textual sets
    r"|\x1b\[[0-9;?]*\$p"
    r"|\x1b\]2;(?:smwatch[a-z0-9:, ]*)?\x07"  # the title, in our own words
    r"|\x1b\]22;[a-z-]*\x07"  # the mouse pointer's shape
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"  # the clipboard
    r"|\x1b\]9;[^\x00-\x1f\x7f-\x9f]*\x07"  # a notification
    r"|\x07"  # the bell
)
FORBIDDEN = re.compile(
    r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


SHAPES = (
    records.read("prod/db", version="v1", stage="AWSPENDING"),
    records.read_deleted("prod/gone", by=records.sso()),
    records.denied("prod/db", by=records.user()),
    records.describe(by=records.saml()),
    records.listing(by=records.web_identity()),
    records.batch(["a", "b"], by=records.identity_center()),
    records.create("prod/new", by=records.federated()),
    records.put(by=records.root()),
    records.write("PutResourcePolicy", parameters={"resourcePolicy": '{"Statement": [{"Principal": "*"}]}'}),
    records.write("UpdateSecretVersionStage", parameters={"versionStage": "AWSCURRENT", "moveToVersionId": "v2"}),
    records.write("RotateSecret", parameters={"rotationLambdaARN": "arn:aws:lambda:eu-west-1:111122223333:function:f"}),
    records.write("ReplicateSecretToRegions", parameters={"addReplicaRegions": [{"region": "us-east-1"}]}),
    records.delete(by=records.other_account()),
    records.restore(by=records.directory()),
    records.service_event("RotationStarted"),
    records.rotation_failed(),
    records.kms(),
)
KEPT = ("eventTime", "eventSource")
"""Without these a record is none that is shown."""


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where text stands in a record."""
    match value:
        case dict():
            for key, each in value.items():
                yield from leaves(each, (*path, key))
        case list():
            for i, each in enumerate(value):
                yield from leaves(each, (*path, i))
        case str():
            yield path


def bombed(record: Record, path: tuple[str | int, ...], bomb: str) -> Record:
    """A record like this with a bomb in one place, as CloudTrail would write it."""
    copy = copies.deepcopy(record)
    inner: Any = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = bomb if path != ("errorMessage",) else f"{inner[path[-1]]} {bomb}"
    return copy


def one_by_one() -> list[Record]:
    """Records of every shape, each with a bomb in another of its fields; all bombs have their turn."""
    found = [
        (shape, path) for shape in SHAPES for path in leaves(shape) if path[0] not in KEPT and path != ("eventName",)
    ]
    turn = itertools.cycle(BOMBS)
    return [
        bombed(shape, path, next(turn))
        | {"eventTime": ago(100 + i), **({} if path == ("eventID",) else {"eventID": f"e{i}"})}
        for i, (shape, path) in enumerate(found)
    ]


@pytest.fixture
def stage() -> Stage:
    Tape.written.clear()
    stage = Stage(store=Store(engine=Engine(combine(load_builtin()))))
    stage.app.driver_class = Tape
    return stage


def harmless(written: str) -> str:
    """What was written, if a terminal obeys nothing of it but what we mean; what was copied is looked at, too."""
    assert not FORBIDDEN.findall(KNOWN.sub("", written))
    for copied in re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", written):
        text = base64.b64decode(copied).decode()
        assert text != "PWNED"
        assert not FORBIDDEN.findall(text), "what is copied is pasted somewhere"
    return written


async def tour(stage: Stage, pilot: Pilot[Any]) -> None:
    """Look at everything there is, with something under the cursor."""
    for key in (
        *(
            "enter",
            "G",
            "g",
            "slash",
            "x",
            "enter",
            "n",
            "escape",
            "escape",
            "f",
            "space",
            "escape",
            "P",
            "G",
            "escape",
        ),
        *(
            "v",
            "v",
            "v",
            "v",
            "v",
            "escape",
            "L",
            "escape",
            "a",
            "j",
            "j",
            "enter",
            "G",
            "escape",
            "y",
            "A",
            "x",
            "enter",
        ),
        *("N", "x", "enter", "M", "1", "h", "enter", "escape", "escape", "S", "escape", "W", "t", "escape"),
        *("z", "m", "Y", "y", "C", "s", "s", "U", "U", "question_mark", "escape", "at", "escape", "colon", "escape"),
        *("slash", "u", "s", "e", "r", "colon", "tab", "tab", "escape", "slash", *"secret:", "tab", "escape", "escape"),
        *("slash", *"region:", "tab", "escape", "t", "t", "t", "O", "O", "H", "H", "i", "i", "e", "E"),
    ):
        await pilot.press(key)
    assert stage.app.is_running


async def test_no_text_of_a_record_is_ever_obeyed(stage: Stage) -> None:
    status = Status("cloudtrail:x", BOMBS[0], State.DENIED, BOMBS[2] + BOMBS[6], at=NOW, region=BOMBS[8])
    async with stage.app.run_test(size=(150, 40), headless=False) as pilot:
        stage.bring(*(hostile(bomb, number) for number, bomb in enumerate(BOMBS)))
        stage.app.apply(Delivery(statuses=(status,)))
        stage.app.flush()
        for _ in BOMBS:
            await pilot.press("j", "Y", "C", "y", "enter", "escape")
        await pilot.press("g")
        await tour(stage, pilot)
        await pilot.resize_terminal(60, 20)
        await pilot.press("j", "enter", "space", "space", "escape", "W", "escape", "a", "escape")
        assert stage.app.is_running
    written = harmless("".join(Tape.written))
    assert len(written) > 50_000
    assert written.count("\x1b]52;c;") >= 2 * len(BOMBS), "copying goes through OSC 52, as base64"
    assert "\x1b]9;" in written, "an alarm is announced"


async def test_a_bomb_in_any_one_field_is_harmless_too(stage: Stage) -> None:
    given = one_by_one()
    assert len(given) > 200
    async with stage.app.run_test(size=(250, 60), headless=False) as pilot:
        stage.bring(*given)
        await pilot.press("G", *(["pagedown"] * 6))
        for _ in range(0, len(given), 12):
            await pilot.press(*(["up"] * 11), "enter", "Y", "escape")
        await tour(stage, pilot)
    harmless("".join(Tape.written))


@pytest.mark.slow
def test_a_hostile_file_is_harmless_in_a_real_terminal_and_in_every_form(tmp_path: Path) -> None:
    given = [*(hostile(bomb, number) for number, bomb in enumerate(BOMBS)), *one_by_one()]
    file = tmp_path / "hostile.jsonl"
    file.write_text("".join(records.raw(each) + "\n" for each in given), encoding="utf-8")
    home = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    smwatch = [sys.executable, "-m", "smwatch"]
    with Terminal([*smwatch, "replay", str(file)], home, columns=160, rows=50) as terminal:
        terminal.wait_for(f"{len(given):,} events")
        for keys in ("jjj", "\r", "GG", "q", "f", "f", "W", "W", "a", "jj", "q", "v", "vv", "q", "Y", "C", "y"):
            terminal.press(*keys)
            terminal.pause()
        assert "Traceback" not in terminal.text
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0
    harmless(terminal.written)
    told = subprocess.run([*smwatch, "replay", "--json", str(file)], env=home, capture_output=True, check=True)
    assert not FORBIDDEN.findall(told.stdout.decode())
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert sum(each["type"] == "event" for each in lines) == len(given)
    assert {each["record"]["userAgent"] for each in lines if each["type"] == "event"} >= set(BOMBS), (
        "nothing is changed"
    )


WIDE = (
    "prod/db",
    "宽字符/密码",
    "prod/🔑/key",
    "cafe\u0301",
    "ｆｕｌｌ",
    "שלום",
    "한국어" * 30,
    "prod/❤\ufe0f/x",
)


@pytest.mark.parametrize("names", [("prod/s",), WIDE], ids=["plain", "wide"])
async def test_the_bytes_replayed_in_another_terminal_show_the_same_screen(
    stage: Stage, names: tuple[str, ...]
) -> None:
    size = (120, 30)
    async with stage.app.run_test(size=size, headless=False) as pilot:
        for i in range(60):
            name = names[i % len(names)]
            stage.bring(records.read(f"{name}{i}", by=records.role(name, name), eventTime=ago(10 * i), id=str(i)))
        await pilot.press("j", "j", "pagedown", "up", "slash", "1", "enter", "G", "j", "j")
        await pilot.pause()
        screen = pyte.Screen(*size)
        stream = pyte.Stream(screen)
        for data in Tape.written:
            stream.feed(data)
        # The other terminal puts characters and their marks together.
        drawn = [unicodedata.normalize("NFC", line).rstrip() for line in screen.display]
        assert drawn == [unicodedata.normalize("NFC", line).rstrip() for line in stage.lines()]
