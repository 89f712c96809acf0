"""What is built at the start, whatever state the journal is in."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from smwatch.journal import FILE_NAME
from smwatch.parts import Parts
from smwatch.settings import Settings
from smwatch.sources.source import State


def parts(state_dir: Path) -> Parts:
    return Parts(Settings(state_dir=str(state_dir)), remember=True, judging=False)


def test_a_journal_that_is_well_is_not_worth_a_word(tmp_path: Path) -> None:
    with closing(parts(tmp_path).journal):
        pass
    again = parts(tmp_path)
    with closing(again.journal):
        assert again.journal_status is None


@pytest.mark.parametrize(
    ("damaged", "state", "words"),
    [(True, State.OK, "and a new one begun"), (False, State.FAILING, "nothing will be remembered after the end")],
)
def test_a_journal_begun_anew_is_all_right_and_one_that_cannot_be_had_is_not(
    tmp_path: Path, damaged: bool, state: State, words: str
) -> None:
    if damaged:
        (tmp_path / FILE_NAME).write_bytes(b"nonsense" * 1000)
    else:
        (tmp_path / FILE_NAME).mkdir()
    built = parts(tmp_path)
    with closing(built.journal):
        status = built.journal_status
        assert status is not None
        assert status.state is state
        assert words in status.message
