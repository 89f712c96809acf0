"""What is built at the start, whatever state the journal is in."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from smwatch.journal import FILE_NAME, Journal
from smwatch.parts import Parts
from smwatch.remembered import open_journal
from smwatch.settings import Settings
from smwatch.sources.source import State
from tests.test_journal import ALARM, NOW


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


def test_the_alarms_of_a_journal_that_can_only_be_read_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        journal.keep([ALARM])

    opened = os.open

    def read_only(path: Path, flags: int, mode: int = 0o777) -> int:
        """As `open` does on a medium that can't be written to, for root, too."""
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", read_only)
    found = open_journal(Settings(state_dir=str(tmp_path)), NOW)
    with closing(found.journal):
        assert found.alarms == (ALARM,)
        assert found.journal.path is None
        assert "Read-only file system; name another --state-dir); what it holds is shown, and what" in found.notice
