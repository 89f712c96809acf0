"""What each screen looks like, cell by cell, in the sizes and colours that matter.

`pytest tests/tui/test_snapshots.py --snapshot-update` takes them anew: look at the difference before you keep it.
"""

from __future__ import annotations

import string
from collections import Counter
from datetime import timedelta

import msgspec
import pyte
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.settings import UiSettings
from smwatch.sources.source import State, Status
from smwatch.store.store import Store
from tests import records
from tests.tui.scene import FINE, NOW, Stage, ago, reads
from tests.tui.test_raw import Tape

LOGS = Status(
    "logs:trail",
    "Logs",
    State.OK,
    at=NOW,
    last_good_at=NOW - timedelta(seconds=2),
    lag=timedelta(seconds=105),
    complete_to=NOW - timedelta(minutes=1),
    region="eu-west-1",
)
DENIED = msgspec.structs.replace(
    LOGS,
    state=State.DENIED,
    message="not allowed to call logs:FilterLogEvents; see smwatch policy watch",
    last_good_at=NOW - timedelta(minutes=7),
)


def busy() -> list[Record]:
    """An ordinary hour."""
    return [
        *reads(40, every=80, secret="prod/payments/db"),
        *reads(12, every=240, secret="prod/web/session-key", first=95),
        records.describe("prod/web/session-key", by=records.sso(), eventTime=ago(300), id="describe"),
        records.put("prod/payments/db", by=records.role("rotator", "rotate-1"), eventTime=ago(640), id="put"),
        records.denied("prod/payments/card-vault", by=records.user(), eventTime=ago(200), id="denied"),
        records.read("宽字符/密码", by=records.role("übersetzer", "x"), eventTime=ago(410), id="wide"),
        records.read("prod/\x1b[31m\u202ebad", by=records.role("[bold]", "x"), eventTime=ago(450), id="hostile"),
    ]


def incident() -> list[Record]:
    """The same hour with a secret that is deleted and still asked for."""
    deployer = records.role("ci-deployer", "run-77")
    return [
        *busy(),
        *(records.read("prod/checkout/api", by=deployer, eventTime=ago(2000 + 60 * i), id=f"r{i}") for i in range(5)),
        records.delete("prod/checkout/api", by=records.sso(), eventTime=ago(900), id="delete"),
        *(
            records.read_deleted("prod/checkout/api", by=deployer, eventTime=ago(30 + i * 110), id=f"x{i}")
            for i in range(7)
        ),
    ]


class Case(msgspec.Struct, frozen=True):
    """What is looked at."""

    records: tuple[Record, ...] = ()
    size: tuple[int, int] = (100, 30)
    keys: tuple[str, ...] = ()
    ui: UiSettings = UiSettings(glyphs="unicode")
    environment: tuple[tuple[str, str], ...] = ()
    statuses: tuple[Status, ...] = (FINE, LOGS)
    later: timedelta = timedelta()


BUSY, INCIDENT = tuple(busy()), tuple(incident())
CASES = {
    "empty": Case(),
    "busy": Case(BUSY),
    "alarm": Case(INCIDENT, (160, 40), ("j", "j")),
    "alarms": Case(INCIDENT, (120, 36), ("a",)),
    "stale": Case(BUSY, statuses=(FINE, DENIED), later=timedelta(minutes=9)),
    "narrow": Case(INCIDENT, (60, 20)),
    "wide": Case(INCIDENT, (250, 30)),
    "event": Case(BUSY, (100, 40), ("j", "enter", "G")),
    "names": Case(BUSY, (80, 24), ("f",)),
    "groups": Case(INCIDENT, (100, 24), ("v",)),
    "help": Case(size=(80, 24), keys=("question_mark",)),
    "wall": Case(INCIDENT, (160, 50), ("W",)),
    "wall-narrow": Case(INCIDENT, (60, 20), ("W",)),
    "wall-stale": Case(BUSY, (120, 40), ("W",), statuses=(FINE, DENIED), later=timedelta(minutes=9)),
    "wall-light": Case(INCIDENT, (100, 30), ("W",), UiSettings(glyphs="unicode", theme="light")),
    "light": Case(INCIDENT, (100, 24), ("j",), UiSettings(glyphs="unicode", theme="light")),
    "contrast": Case(INCIDENT, (80, 24), ("j",), UiSettings(glyphs="unicode", theme="contrast")),
    "sixteen-colours": Case(INCIDENT, (80, 24), ("j",), UiSettings(glyphs="unicode", theme="ansi")),
    "no-colour": Case(INCIDENT, (80, 24), ("j",), environment=(("NO_COLOR", "1"),)),
    "ascii": Case(INCIDENT, (80, 24), ("j",), UiSettings(glyphs="ascii")),
}


class Text(SingleFileSnapshotExtension):
    """A text file for each picture."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Text)


@pytest.mark.parametrize("name", CASES)
async def test_it_looks_as_it_did(name: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    for variable, value in case.environment:
        monkeypatch.setenv(variable, value)
    # One rule, so that the catalogue may grow without another look at all of them.
    catalogue = load_builtin()
    rules = combine(catalogue, disable=[rule for rule in catalogue.rules if rule != "SMW-DEL-01"])
    stage = Stage(case.records, status=None, store=Store(engine=Engine(rules)), ui=case.ui)
    for status in case.statuses:
        stage.store.report(status)
    Tape.written.clear()
    stage.app.driver_class = Tape
    async with stage.app.run_test(size=case.size, headless=False) as pilot:
        stage.app.flush()
        stage.now += case.later
        stage.app.tick()
        await pilot.pause()
        await pilot.press(*case.keys)
        await pilot.pause()
        assert snapshot == drawn("".join(Tape.written), case.size)


def drawn(written: str, size: tuple[int, int]) -> str:
    """A terminal that was sent this: its text, then a letter for the style of each cell, then what the letters mean."""
    screen = pyte.Screen(*size)
    pyte.Stream(screen).feed(written)
    styles = [[_style(screen.buffer[y][x]) for x in range(size[0])] for y in range(size[1])]
    common = Counter(style for row in styles for style in row).most_common()
    letters = dict(zip((style for style, _ in common), "." + string.ascii_letters + string.digits, strict=False))
    rows = ["".join(letters[style] for style in row).rstrip(".") for row in styles]
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join([*(line.rstrip() for line in screen.display), "", *rows, "", *legend, ""])


def _style(cell: pyte.screens.Char) -> str:
    ways = [way for way in ("bold", "italics", "underscore", "strikethrough", "reverse", "blink") if getattr(cell, way)]
    return " ".join([f"{cell.fg} on {cell.bg}", *ways])
