"""Which accounts' own records are among what is watched: none of those is a stranger's."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from smwatch.rules.answer import Answer, Open
from smwatch.rules.memory import Asked
from smwatch.rules.watching import Watcher

MOST = 4_096
"""Accounts known; of more, each stays a stranger's."""


class Accounts:
    """The accounts that are watched: those that records were delivered to, and those that sources are of.

    Nobody outside can put a record of another recipientAccountId into a trail. That an account is watched may turn out
    at any time, and holds for all that was judged before.
    """

    __slots__ = ("_asked", "watched")

    def __init__(self) -> None:
        self.watched: set[str] = set()
        self._asked: Asked[str, _Account] = Asked(_Account)
        """Those that are not watched, as far as is known."""

    def see(self, account: str) -> None:
        """This account is watched; "" is none."""
        if account and account not in self.watched and len(self.watched) < MOST:
            self.watched.add(account)
            if (asked := self._asked.take(account)) is not None:
                asked.is_watched()

    def strangers(self, accounts: Iterable[str], *, negated: bool = False) -> Answer:
        """Whether one of these accounts is not watched."""
        asked = [self._asked[account] for account in accounts if account not in self.watched]
        if not asked:
            return negated

        def some() -> bool:
            return not all(account.watched for account in asked)

        return Open(lambda: some() is not negated, *asked, final=lambda: None if some() else negated)


class _Account:
    """One account that somebody asks about."""

    __slots__ = ("__weakref__", "_watchers", "watched")

    def __init__(self) -> None:
        self.watched = False
        self._watchers: WeakKeyDictionary[Watcher, None] = WeakKeyDictionary()

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` when it turns out to be watched."""
        self._watchers[watcher] = None

    def is_watched(self) -> None:
        """It has turned out to be."""
        self.watched = True
        for watcher in tuple(self._watchers):
            watcher.wake()
        self._watchers = WeakKeyDictionary()
