"""Records that an attacker wrote, all the way: over the wire, into the journal, and out to where people look."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smwatch.record import Record
from tests import records
from tests.emulators.log_group import GROUP, LogGroupService
from tests.headless.test_tail import environment_in
from tests.terminal import Terminal

pytestmark = pytest.mark.slow

HOSTILE = [
    "\x1b]52;c;UFdORUQ=\x07",  # writes the clipboard
    "\x1b]0;PWNED\x07",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1bP+q544e\x1b\\",
    "\x9b31m",
    "\x9d0;PWNED\x9c",
    "\x7f\x08\x08",
    "\x00",
    "\r\n# heading",
    "\u2028\u2029",
    "\u202egnp.\u2066",
    "\u200b\u200d\ufeff",
    "\U000e0041",
    "\ud83d",
    "e" + "\u0301" * 300,
    "[red]bold[/red][@click=app.quit]x[/]",
    "<script>alert(1)</script>",
    "![x](https://evil.example) | a",
    '=cmd|"/C calc"!A1',
    "../../../../etc/x",
    "$(touch pwned)`touch pwned`'\"",
    "9" * 5_000,
]
SAID = (
    "requestParameters",
    "userAgent",
    "sourceIPAddress",
    "errorMessage",
    "awsRegion",
    "eventName",
    "recipientAccountId",
)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories of characters that move, hide or reorder text."""
OURS = re.compile(
    r"\x1b\[[0-9;:?<>=$ ]*[A-Za-z@`]|\x1b[=>78c]"
    r"|\x1b\](?:2;(?:smwatch[^\x07\x1b]*)?|22;[a-z]*|9;[^\x07\x1b]*)(?:\x07|\x1b\\)"
)
"""What a screen is drawn with: no clipboard, no link, no title but smwatch's."""


def spoilt(at: datetime) -> Iterator[Record]:
    for number, text in enumerate(HOSTILE):
        for field in SAID:
            record = records.read_deleted("prod/gone", at=at, id=f"{number} {field}")
            if field == "requestParameters":
                record = records.read(f"prod/{text}", at=at, id=f"{number} secret")
            elif field == "eventName":
                record[field] += text
            else:
                record[field] = text
            yield record
        arn = f"arn:aws:sts::{records.ACCOUNT}:assumed-role/app{text}/session{text}"
        by = records.role() | {"arn": arn, "principalId": f"AROAEXAMPLE:session{text}", "sessionContext": {}}
        yield records.delete(f"prod/{number}", force=True, by=by, at=at, id=f"{number} principal")
        yield records.read(at=at, id=f"{number} keys") | {text: {text: [text, 10**400]}}


@pytest.fixture
async def group() -> AsyncIterator[LogGroupService]:
    """A log group full of what an attacker can write into a trail, and of what is no record at all."""
    at = datetime.now(UTC) - timedelta(minutes=20)
    async with LogGroupService() as group:
        messages = [json.dumps(record, ensure_ascii=False) for record in spoilt(at)]
        messages += [*HOSTILE, "[" * 50_000, '{"a":' * 50_000, '{"eventSource":"secretsmanager.amazonaws.com"}']
        for number, message in enumerate(messages):
            group.put(message, at + timedelta(milliseconds=number))
        yield group


async def said(folder: Path, group: LogGroupService, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "smwatch", *arguments),
        env=environment_in(folder) | {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": group.url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    return out.decode()


def harm(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in UNSEEN} - {"\n"}


async def test_what_comes_over_the_wire_harms_no_terminal_no_file_and_no_reader(
    group: LogGroupService, tmp_path: Path
) -> None:
    watch = ("--no-cloudtrail", "--log-group", GROUP, "--since", "1h")
    lines = await said(tmp_path, group, "tail", "--once", *watch)
    assert lines.count("\n") >= len(HOSTILE) * len(SAID)
    assert harm(lines) == set()
    written = {form: await said(tmp_path, group, "export", "--format", form) for form in ("report", "csv", "jsonl")}
    assert {form: harm(text) for form, text in written.items()} == {form: set() for form in written}
    assert "<script>" not in re.sub(r"(?m)^    .*$|\\<", "", written["report"])  # but where it is code
    assert len(written["jsonl"].splitlines()) == len(list(spoilt(datetime.now(UTC)))) + 1
    kept = tmp_path / "kept.jsonl"
    kept.write_text(written["jsonl"], encoding="utf-8")
    assert harm(await said(tmp_path, group, "replay", "--json", str(kept))) == set()
    screen = await asyncio.to_thread(looked_at, tmp_path, group, watch)
    assert harm(OURS.sub("", screen)) <= {"\r", "\a"}  # new alarms may ring
    assert "\u0301" * 4 not in screen
    assert sorted(path.name for path in tmp_path.rglob("*pwned*")) == []


def looked_at(folder: Path, group: LogGroupService, watch: tuple[str, ...]) -> str:
    """Everything that a person's terminal is sent who looks at all of it."""
    environment = environment_in(folder) | {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": group.url}
    with Terminal([sys.executable, "-m", "smwatch", *watch], environment) as terminal:
        terminal.wait_for("CRITICAL")
        terminal.wait_for("GetSecretValue")
        for _ in range(8):
            terminal.press("\x1b[6~", "\r")  # Page Down, and what is there
            terminal.pause()
            terminal.press("\x1b")
            terminal.pause()
        terminal.press("a")
        terminal.wait_for("prod/")
        terminal.press("\x1b[6~")
        terminal.pause()
        terminal.press("\x1b")
        terminal.pause()
        terminal.press("q")
        assert terminal.wait_for_the_end() == 0
        assert "Traceback" not in terminal.written
        return terminal.written
