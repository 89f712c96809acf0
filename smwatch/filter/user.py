"""The term that asks who made a call."""

from __future__ import annotations

from collections.abc import Sequence

from smwatch.events.call import Caller
from smwatch.events.event import ACCESS_KEY
from smwatch.events.principal import Principal
from smwatch.filter.answers import Answers, held, or_held
from smwatch.filter.field import Field
from smwatch.filter.glob import Glob


class User(Field):
    """Asks whether one of the names of a principal, or its access key, fits one of some globs.

    Most of a large organisation's principals are sessions that few events have in common. So the search text of the
    caller, which has all of its names and every key that is not one of ACCESS_KEY's characters, tells first who cannot
    fit.
    """

    def __init__(self, globs: tuple[Glob, ...], *, exclude: bool = False) -> None:
        super().__init__("user", globs, exclude=exclude)
        self._cores = [glob.core for glob in globs]
        self._who = Answers(self._fits_principal)
        self._keys = [core.upper() for core in self._cores if not core.strip(ACCESS_KEY.lower())]
        """Parts of access keys, one of which is in each that fits and is in no search text."""

    def finds_caller(self, caller: Caller) -> bool:
        """Whether it is one of those asked for."""
        return self._who[caller.principal] or self._texts[caller.came.access_key]

    def finds_callers(self, callers: Sequence[Caller]) -> list[bool]:
        """The same of many, most of which their texts tell from those asked for."""
        who, fits = self._who, self._fits
        may = held([caller.text for caller in callers], *self._cores)
        keys = [caller.came.access_key for caller in callers] if self._keys else []
        for part in self._keys:
            may = or_held(may, part, keys)
        return [
            said and (who[caller.principal] or fits(caller.came.access_key))
            for said, caller in zip(may, callers, strict=True)
        ]

    def _fits_principal(self, who: Principal) -> bool:
        texts, fits = self._texts, self._fits  # sessions have most of their names in common
        return (
            texts[who.name]
            or fits(who.session)
            or texts[who.identity]
            or fits(who.arn)
            or (who.shared_role != "" and texts[who.shared_role])
        )
