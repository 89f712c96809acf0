"""What each place that alarms are sent to has been told, as the journal keeps it for all processes that watch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from hashlib import blake2b

import msgspec

from smwatch.journal import Journal, JournalError
from smwatch.rules.alarm import Alarm
from smwatch.rules.news import Told, told_of

_SINCE = "notified since "
"""Before the hash of a URL: since when alarms are sent to it; nothing once another one has taken its place."""
_REFUSED = "notified not "
"""Before the hash of a URL: how often in a row, and when last, a message to it failed; nothing once one was taken."""


class Refused(msgspec.Struct, frozen=True):
    """A message was not taken."""

    at: datetime
    times: int
    """So many in a row."""


class Notified:
    """The alarms that one URL has been told of, by group; of the URL itself, which is a credential, a hash is kept.

    Whoever sends holds the `turn` while it looks what has been told, sends, and notes it: so of several processes with
    one journal one sends. A process that is killed in between leaves the message to be sent again.
    """

    def __init__(self, journal: Journal, url: str) -> None:
        self._journal = journal
        self.name = blake2b(url.encode(), digest_size=8).hexdigest()
        self._prefix = _prefix(self.name)

    def turn(self) -> AbstractContextManager[object]:
        """Be the only process that sends; BlockingIOError while another one does."""
        return self._journal.turn(f"notify.{self.name}.lock")

    def read(self) -> dict[str, Told]:
        """What has been told, by whichever process; what can't be read is not known."""
        return _read(self._journal, self.name)

    def note(self, told: Mapping[str, Told]) -> None:
        """Keep what has been told, and with it that the URL works."""
        with suppress(JournalError):  # kept with the next page that can be; told twice is better than never
            works = {_REFUSED + self.name: b"null"} if self._journal.fact(_REFUSED + self.name) else {}
            self._journal.keep((), {**self.facts(told), **works})

    def refused(self) -> Refused | None:
        """How it failed last, by whichever process; None if it did not since it worked last."""
        with suppress(JournalError):
            return self._journal.fact_as(_REFUSED + self.name, Refused)
        return None

    def note_refused(self, refused: Refused) -> None:
        """Keep that a message was not taken, so that no other process tries as well."""
        with suppress(JournalError):  # then each tries for itself
            self._journal.keep((), {_REFUSED + self.name: msgspec.json.encode(refused)})

    def facts(self, told: Mapping[str, Told]) -> dict[str, bytes]:
        """The same as facts of the journal, for whoever keeps more at once."""
        return {self._prefix + group: msgspec.json.encode(each) for group, each in told.items()}


def begin(
    journal: Journal, urls: Sequence[str], alarms: Iterable[Alarm], now: datetime, unsent: Collection[str] = ()
) -> list[Notified]:
    """What each of these URLs has been told.

    One to which nothing was to be sent before takes what is known already for told, but for `unsent`. Where it takes
    the place of URLs that are gone, perhaps because they did not work, it is told what those were not.
    """
    places = [Notified(journal, url) for url in urls]
    with suppress(JournalError):  # kept with the next page that can be
        since = {name: kept for name, kept in journal.facts(_SINCE).items() if kept}
        gone = since.keys() - {place.name for place in places}
        told_there = {group for name in gone for group in _read(journal, name)}
        facts = {_SINCE + name: b"" for name in gone}
        for place in places:
            if place.name not in since:
                known = place.read()
                told = {
                    alarm.group: told_of(alarm, alarm.changed_at)
                    for alarm in alarms
                    if alarm.group not in unsent
                    and alarm.group not in known
                    and (not gone or alarm.group in told_there)
                }
                facts |= {_SINCE + place.name: msgspec.json.encode(now), **place.facts(told)}
        if facts:
            journal.keep((), facts)
    return places


def tidy(journal: Journal) -> None:
    """Let go of what was noted of alarms that are kept no more, and of URLs in whose place there are others."""
    for name, kept in journal.facts(_SINCE).items():
        if kept:
            journal.forget_of_no_alarm([_prefix(name)])
        else:
            for prefix in (_prefix(name), _SINCE + name, _REFUSED + name):
                journal.forget_facts(prefix)


def _prefix(name: str) -> str:
    return f"notified {name} "


def _read(journal: Journal, name: str) -> dict[str, Told]:
    with suppress(JournalError):
        return journal.facts_as(_prefix(name), Told)
    return {}
