"""The journal that the settings name, and what it remembers of alarms; what is wrong with it is a sentence."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from smwatch.journal import FILE_NAME, Journal, JournalCorruptError, JournalError
from smwatch.journal.rows import aware
from smwatch.monitor.decisions import MUTES
from smwatch.rules.alarm import Alarm, Mute
from smwatch.settings import Settings, default_state_dir

KNOWN_SINCE = "known since"
"""What the journal keeps beside alarms and decisions: since when events are known."""
_FORGETS = "nothing will be remembered after the end"
_READ = "what it holds is shown, and what comes will not be remembered after the end"
_AGAIN = "what came after {:%Y-%m-%d %H:%M}Z is read, and by `smwatch tail` printed, anew at each start"


class Opened(NamedTuple):
    """A journal, and what it remembers of alarms."""

    journal: Journal
    alarms: tuple[Alarm, ...] = ()
    mutes: tuple[Mute, ...] = ()
    known_since: datetime | None = None
    """Engine.known_since when the alarms were kept."""
    notice: str = ""
    """A sentence on what is wrong with it."""


def state_dir(settings: Settings) -> Path:
    """Where the journal lies, if there is one."""
    return Path(settings.state_dir) if settings.state_dir else default_state_dir()


def open_journal(settings: Settings, at: datetime, *, only_read: bool = False) -> Opened:
    """The journal that the settings name, a damaged one set aside as of `at`; one in memory where it can't be kept."""
    if not settings.journal.enabled:
        return Opened(Journal())
    path = state_dir(settings) / FILE_NAME
    if only_read:
        try:
            return _opened(Journal(path, read_only=True) if path.exists() else Journal())
        except JournalError as error:
            return Opened(Journal(), notice=f"can't read the journal {path} ({error})")
    try:
        return _opened(Journal(path, upgrading=_say_upgrading))
    except JournalCorruptError as error:
        trouble = f"the journal {path} is damaged ({error})"
    except JournalError as error:
        return _remembered(path, settings.store.capacity, f"can't use the journal {path} ({error})")
    try:
        journal, aside = Journal.recovered(path, at)
        where = f"it is set aside as {aside.name}" if aside else "another smwatch has set it aside"
        return _opened(journal, "; ".join(filter(None, (trouble, f"{where}, and a new one begun", journal.unsaved))))
    except (JournalError, OSError) as worse:
        return Opened(Journal(), notice=f"{trouble}, and no new one can be begun ({worse}); {_FORGETS}")


def _remembered(path: Path, capacity: int, trouble: str) -> Opened:
    """A journal in memory, with what the one that can't be written to holds, if it can be read at least."""
    try:
        journal = Journal.copied(path, capacity)
        ends = [span.end for name in journal.sources() for span in journal.coverage(name).settled[-1:]]
        again = [_AGAIN.format(min(ends))] if ends else []
        return _opened(journal, "; ".join((trouble, _READ, *again)))
    except JournalError:
        return Opened(Journal(), notice=f"{trouble}; {_FORGETS}")


def _say_upgrading(events: int) -> None:
    """Say it at once, before there is a screen: a million events take seconds, in which nothing else goes on."""
    sys.stderr.write(f"smwatch: bringing the journal ({events:,} events) up to this version, once\n")
    sys.stderr.flush()


def _opened(journal: Journal, notice: str = "") -> Opened:
    try:
        mutes = journal.fact_as(MUTES, tuple[Mute, ...]) or ()
        since = journal.fact_as(KNOWN_SINCE, datetime)
        alarms = journal.alarms()
        notice = "; ".join(filter(None, (notice, journal.unreadable())))
        return Opened(journal, alarms, mutes, aware(since) if since else None, notice)
    except JournalError:
        journal.close()
        raise
