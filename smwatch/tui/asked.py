"""What the stream is asked for, and the view that answers: the filter, the window, and what is put aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from smwatch.filter import toggled, with_values
from smwatch.store.store import Store
from smwatch.store.view import Filter, View
from smwatch.tui.query import Query, compiled

MOVED_ON = timedelta(seconds=10)
"""How often a time window is moved on."""


class Asked:
    """The query of the stream and its views: `matches` holds what the query keeps, `rows` what is shown."""

    def __init__(self, store: Store, parse: Callable[[str, bool], Filter], now: datetime) -> None:
        """`parse(text, typing)` makes a filter of a text that may not be finished, or raises FilterError."""
        self.query = Query()
        self.in_context = False
        """Whether what the query leaves out is shown too, dim."""
        self.matches = store.view()
        self._all = store.view()
        self._parse = parse
        self._put_aside = Query()
        self._asked_at = now

    @property
    def shown(self) -> View:
        """The view to draw."""
        return self._all if self.in_context else self.matches

    @property
    def highlighted(self) -> Filter | None:
        """What is not dim; None: everything."""
        return self.matches.chosen if self.in_context else None

    def ask(self, query: Query, now: datetime, *, typing: bool = False) -> None:
        """Apply a query; raises FilterError, and changes nothing then."""
        chosen = compiled(query, lambda text: self._parse(text, typing), now)
        self._asked_at = now
        self.query = query
        self.matches.choose(chosen)

    def reword(self, text: str, now: datetime, *, typing: bool = False) -> None:
        """Apply another text, the window stays."""
        self.ask(msgspec.structs.replace(self.query, text=text), now, typing=typing)

    def switch(self, word: str, now: datetime) -> None:
        """Put a word of the filter language in, or take it out."""
        self.reword(toggled(self.query.text, word), now)

    def only(self, field: str, values: list[str], now: datetime) -> None:
        """Ask for some values of a field; for none: for all."""
        self.reword(with_values(self.query.text, field, values), now)

    def reach(self, minutes: int, now: datetime) -> None:
        """Ask for the last so many minutes; 0 for all."""
        self.ask(msgspec.structs.replace(self.query, minutes=minutes), now)

    def clear(self, now: datetime) -> bool:
        """Put the query aside, or take up the one put aside; False if there is neither."""
        if self.query:
            self._put_aside = self.query
            self.ask(Query(), now)
            return True
        if self._put_aside:
            self.ask(self._put_aside, now)
            return True
        return False

    def move_on(self, now: datetime) -> bool:
        """Let the time window follow the time; whether it did."""
        if not self.query.minutes or timedelta() <= now - self._asked_at < MOVED_ON:
            return False
        self.ask(self.query, now)
        return True
