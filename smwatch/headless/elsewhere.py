"""Which events of a shared journal are of an account and Region that other processes watch, and this run does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Place = tuple[str, str]
"""Account and Region."""


class Elsewhere:
    """Tells which account and Region other processes alone watch: a journal does not say who put an event in.

    Nothing is taken to be others' where that would be a guess: where this run reads a log group, which may hold the
    events of any account, and where AWS does not tell the account.
    """

    def __init__(self, own: Iterable[str], asked: Callable[[], Iterable[str]]) -> None:
        """`own` are the names of this run's sources; `asked` gives those of all that were ever asked."""
        places = {_place(name) for name in own}
        self._own: set[Place] = set() if None in places else set(filter(None, places))
        """Empty where nothing is taken to be others'."""
        self._asked = asked
        self._others: set[Place] = set()
        self._nobodys: set[Place] = set()

    def look_again(self) -> None:
        """Ask again about places that nobody watched: others may have begun meanwhile."""
        self._nobodys.clear()

    def __bool__(self) -> bool:
        """Whether anything may be taken to be others'."""
        return bool(self._own)

    def holds(self, account: str, region: str) -> bool:
        """Whether what happened there is watched by others alone."""
        if not self._own:
            return False
        place = account, region
        if place in self._others:
            return True
        if place in self._nobodys or place in self._own:
            return False
        self._others.update(filter(None, map(_place, self._asked())))
        self._others -= self._own
        if place not in self._others:
            self._nobodys.add(place)
        return place in self._others


def _place(source: str) -> Place | None:
    """The only account and Region of which a source has events; None where it may have them of several."""
    kind, _, where = source.partition(":")
    account, _, region = where.partition(":")
    return (account, region) if kind == "cloudtrail" and account.isdecimal() else None
