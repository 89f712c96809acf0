"""The secrets that one principal reached for, in the order it came to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from smwatch.dossier.dealings import Dealings, Dealt
from smwatch.dossier.outcome import Outcome
from smwatch.events.secret import Secret


class Touched(Dealt, frozen=True):
    """A secret that the principal reached for, and what came of it."""

    secret: Secret

    @property
    def exposed(self) -> bool:
        """Whether the principal got the value."""
        return bool(self.reads or self.decrypts)

    @property
    def refused(self) -> int:
        """Calls that failed, for whatever reason."""
        return self.denied + self.deleted + self.failed


class Secrets(Sequence[Touched]):
    """All of them; what came of each is told, as it is by then, when it is asked for.

    There may be 5,000, of which a screenful is looked at. Serves "longest stall of the event loop".
    """

    def __init__(self, dealings: Mapping[Secret, Dealings]) -> None:
        self._found = sorted(dealings.items(), key=lambda each: (each[1].first, each[0]))
        self.exposed = 0
        """Of how many the principal got the value, as of now."""
        self.refused = 0
        """Calls on them that failed, for whatever reason."""
        self.changed: list[bool] = []
        """Of each, whether the principal changed it."""
        for _, each in self._found:  # once: they lie far apart in memory
            self.exposed += bool(each.decrypts or each.singles or each.reads)
            self.changed.append(each.changed is not None)
            if each.refused is not None:
                self.refused += each.refused.denied + each.failed(*_FAILED)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> Touched: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Touched]: ...
    def __getitem__(self, at: int | slice) -> Touched | Sequence[Touched]:
        if isinstance(at, slice):
            return [dealings.told(Touched, secret=secret) for secret, dealings in self._found[at]]
        secret, dealings = self._found[at]
        return dealings.told(Touched, secret=secret)

    def __iter__(self) -> Iterator[Touched]:
        return (dealings.told(Touched, secret=secret) for secret, dealings in self._found)

    def place_of(self, secret: Secret) -> int | None:
        """Where a secret stands among them; None: nowhere."""
        return next((n for n, (each, _) in enumerate(self._found) if each == secret), None)

    def place_of_last(self, key: int) -> int | None:
        """The first changed one that was last touched by the event with this key; None: there is none."""
        return next((n for n, (_, each) in enumerate(self._found) if each.last == key and each.writes), None)


_FAILED = Outcome.DELETED, Outcome.MISSING, Outcome.FAILED
"""How reads end that are counted beside those denied."""
