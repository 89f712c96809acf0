from datetime import timedelta

import pytest

from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from smwatch.tui.title import RESTORE, SAVE, Title
from tests import records
from tests.tui.scene import NOW, Stage, ago
from tests.tui.test_raw import Tape


def test_the_title_is_written_when_it_is_news_and_put_back_at_the_end() -> None:
    written: list[str] = []
    title = Title(written.append, {"TERM": "tmux-256color"})
    for alarms, blind in ((0, False), (0, False), (1, False), (2, True)):
        title.tell(alarms, blind=blind)
    title.restore()
    title.restore()
    assert written == [
        f"{SAVE}\x1b]2;smwatch\x07",
        "\x1b]2;smwatch: 1 alarm\x07",
        "\x1b]2;smwatch: 2 alarms, data not complete\x07",
        RESTORE,
    ]


@pytest.mark.parametrize("term", ["linux", "dumb", "vt100", ""])
def test_a_terminal_that_might_print_a_title_gets_none(term: str) -> None:
    written: list[str] = []
    title = Title(written.append, {"TERM": term})
    title.tell(3, blind=True)
    title.restore()
    assert written == []


async def test_alarms_and_old_data_show_in_the_title() -> None:
    Tape.written.clear()
    stage = Stage(
        [records.read_deleted("prod/\x07gone", eventTime=ago(60))], store=Store(engine=Engine(combine(load_builtin())))
    )
    stage.app.driver_class = Tape
    async with stage.app.run_test(headless=False) as pilot:
        await pilot.pause()
        assert "\x1b]2;smwatch: 1 alarm\x07" in "".join(Tape.written)
        stage.now = NOW + timedelta(minutes=9)
        stage.app.tick()
        assert "\x1b]2;smwatch: 1 alarm, data not complete\x07" in "".join(Tape.written)
    assert RESTORE in "".join(Tape.written)
