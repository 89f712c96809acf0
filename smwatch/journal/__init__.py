"""The memory that outlives the process: events, what has been read whole, alarms. SQLite, one file, private."""

from smwatch.journal.errors import JournalBusyError, JournalCorruptError, JournalError
from smwatch.journal.file import FILE_NAME
from smwatch.journal.journal import Journal
from smwatch.journal.rows import Stored
from smwatch.journal.schema import MIGRATIONS
from smwatch.journal.taking import Committed

__all__ = [
    "FILE_NAME",
    "MIGRATIONS",
    "Committed",
    "Journal",
    "JournalBusyError",
    "JournalCorruptError",
    "JournalError",
    "Stored",
]
