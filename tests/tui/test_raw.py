"""What really goes to the terminal, byte by byte, whatever stands in a record."""

from __future__ import annotations

import re
from typing import ClassVar

import pyte
import pytest
from textual.drivers.headless_driver import HeadlessDriver

from smwatch.monitor import Delivery
from smwatch.record import Record
from smwatch.sources.source import State, Status
from tests import records
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
        bomb, bomb + " because it was marked for deletion", eventTime=ago(number), id=str(number)
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
    r"|\x1b\]22;[a-z-]*\x07"  # the mouse pointer's shape
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"  # the clipboard
    r"|\x1b\]9;[^\x00-\x1f\x7f-\x9f]*\x07"  # a notification
    r"|\x07"  # the bell
)
FORBIDDEN = re.compile(
    r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@pytest.fixture
def stage() -> Stage:
    Tape.written.clear()
    stage = Stage()
    stage.app.driver_class = Tape
    return stage


async def test_no_text_of_a_record_is_ever_obeyed(stage: Stage) -> None:
    status = Status("cloudtrail:x", BOMBS[0], State.DENIED, BOMBS[2] + BOMBS[6], at=NOW, region=BOMBS[8])
    async with stage.app.run_test(size=(150, 40), headless=False) as pilot:
        stage.bring(*(hostile(bomb, number) for number, bomb in enumerate(BOMBS)))
        stage.app.apply(Delivery(statuses=(status,)))
        stage.app.flush()
        for keys in (
            *(["j"] * len(BOMBS)),
            *("enter", "G", "g", "escape", "f", "escape", "P", "escape", "v", "v", "v", "escape"),
            *("a", "escape", "S", "escape", "W", "escape", "z", "Y", "y", "C", "question_mark", "escape"),
            *("slash", "u", "tab", "s", "e", "r", "colon", "tab", "escape", "t", "t", "t", "O", "H", "i"),
        ):
            await pilot.press(keys)
        await pilot.resize_terminal(60, 20)
        await pilot.press("j", "enter", "space", "space", "escape")
        assert stage.app.is_running
    written = "".join(Tape.written)
    assert len(written) > 50_000
    copied = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", written)
    assert copied, "copying goes through OSC 52, as base64"
    assert "UFdORUQ=" not in copied
    assert not FORBIDDEN.findall(KNOWN.sub("", written))


async def test_the_bytes_replayed_in_another_terminal_show_the_same_screen(stage: Stage) -> None:
    size = (120, 30)
    async with stage.app.run_test(size=size, headless=False) as pilot:
        stage.bring(*(records.read(f"prod/s{i}", eventTime=ago(10 * i), id=str(i)) for i in range(60)))
        await pilot.press("j", "j", "pagedown", "slash", "s", "1", "enter", "G")
        await pilot.pause()
        screen = pyte.Screen(*size)
        stream = pyte.Stream(screen)
        for data in Tape.written:
            stream.feed(data)
        assert [line.rstrip() for line in screen.display] == [line.rstrip() for line in stage.lines()]
