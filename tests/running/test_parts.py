"""What is built at the start, whatever state the journal is in."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from smwatch.journal import FILE_NAME, Journal
from smwatch.journal.printed import WRITTEN
from smwatch.monitor.decisions import DECIDED
from smwatch.notify.notified import Notified, Refused, begin
from smwatch.rules.news import told_of
from smwatch.running.parts import Parts
from smwatch.running.remembered import open_journal
from smwatch.settings import Settings
from smwatch.sources.source import State
from smwatch.store.judging import Judging
from smwatch.store.ledger import Ledger
from smwatch.store.store import Store
from tests.journal.test_journal import ALARM, NOW


def parts(state_dir: Path) -> Parts[Store]:
    return Parts(Settings(state_dir=str(state_dir)), Store, remember=True, judging=False)


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


def test_what_is_kept_of_an_alarm_goes_once_that_is_taken_back(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        gone = msgspec.structs.replace(ALARM, group="SMW-DEL-01:1")
        for url in ("json://replaced/", "json://hook/"):
            (place,) = begin(journal, [url], [], NOW)
            place.note({alarm.group: told_of(alarm, NOW) for alarm in (ALARM, gone)})
            place.note_refused(Refused(NOW, 1))
        about = {f"{kept}{alarm.group}": b"{}" for alarm in (ALARM, gone) for kept in (DECIDED, WRITTEN)}
        journal.keep([ALARM, gone], {**about, "filters": b"[]"})
        before = set(journal.facts(""))
        built = parts(tmp_path)
        with closing(built.journal):
            built.tidy()
            replaced = Notified(journal, "json://replaced/").name
            assert before - set(journal.facts("")) == {name for name in before if replaced in name}
            journal.keep([msgspec.structs.replace(gone, count=0)])
            built.tidy()
        left = set(journal.facts(""))
        assert not [name for name in left if name.endswith(gone.group)]
        assert {name for name in left if name.endswith(ALARM.group)} == {
            f"{kept}{ALARM.group}" for kept in (DECIDED, WRITTEN, f"notified {place.name} ")
        }
        assert {"filters", f"notified since {place.name}", f"notified not {place.name}"} < left


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


@pytest.mark.parametrize(("store", "sparing"), [(Ledger, True), (Store, False)])
def test_rules_that_judge_anew_are_as_sparing_as_those_before(store: type[Judging], sparing: bool) -> None:
    built = Parts(Settings(), store, remember=False)
    with closing(built.journal):
        engines = (built.engine, built.judge_anew().engine, built.successor().engine)
        assert [engine._route._sparing for engine in engines] == [sparing] * 3
