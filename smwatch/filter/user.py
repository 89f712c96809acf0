"""The term that asks who made a call."""

from __future__ import annotations

from smwatch.events.event import ACCESS_KEY, Event
from smwatch.events.principal import Principal
from smwatch.filter.answers import Answers, Holding
from smwatch.filter.field import Field
from smwatch.filter.glob import Glob

SAMPLE = 1_000
"""Events of which is seen whether their search texts tell most of them apart."""


class User(Field):
    """Asks whether one of the names of a principal, or its access key, fits one of some globs.

    A principal takes longer to be found again than a text, and most of a large organisation's are sessions that no two
    steps have in common. So the search text of the caller, which has all of its names and every key that is not one of
    ACCESS_KEY's characters, tells first who cannot fit.
    """

    def __init__(self, globs: tuple[Glob, ...], *, exclude: bool = False) -> None:
        super().__init__("user", globs, exclude=exclude)
        cores = [glob.core for glob in globs]
        self._may = (
            Holding(cores[0]) if len(cores) == 1 else Answers[str](lambda text: any(map(text.__contains__, cores)))
        )
        """For search texts of callers."""
        self._who = Answers(self._fits_principal)
        self._in_key = any(not core.strip(ACCESS_KEY.lower()) for core in cores)
        """Whether an access key may fit that is in no search text."""
        self._upper = cores[0].upper() if len(cores) == 1 else ""

    def _found(self, event: Event) -> bool:
        return self._who[event.principal] or self._texts[event.access_key]

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        may, some = self._may, events[:SAMPLE]
        if len([e for e in some if may[e.caller.text]]) * 2 > len(some):
            return self._by_principal(events, exclude)
        return self._by_text(events, exclude)

    def _by_text(self, events: list[Event], exclude: bool) -> list[Event]:
        may, who, texts, key, upper = self._may, self._who, self._texts, self._in_key, self._upper
        return [
            e
            for e in events
            if (
                (may[e.caller.text] and (who[e.caller.principal] or texts[e.caller.access_key]))
                or (key and upper in e.caller.access_key and texts[e.caller.access_key])
            )
            is not exclude
        ]

    def _by_principal(self, events: list[Event], exclude: bool) -> list[Event]:
        may, who, texts, key, upper = self._may, self._who, self._texts, self._in_key, self._upper
        return [
            e
            for e in events
            if (
                who[e.caller.principal]
                or (may[e.caller.text] and texts[e.caller.access_key])
                or (key and upper in e.caller.access_key and texts[e.caller.access_key])
            )
            is not exclude
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
