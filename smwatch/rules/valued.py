"""What an alarm says of the different values that it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm
from smwatch.rules.bygone import Bygone
from smwatch.rules.case import Case
from smwatch.rules.command import joined
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import Evidence, Shed, Total
from smwatch.rules.found import Found, Gone
from smwatch.rules.measure import Measure
from smwatch.rules.period import DAY
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import LISTED, Listing
from smwatch.rules.vigil import Place
from smwatch.rules.world import World

_IDENTITY, _ACCOUNT, _REGION = DIMENSIONS["identity"], DIMENSIONS["account"], DIMENSIONS["region"]
_NONE: Gone = {}
WEIGHT = 500
"""Sights that could be looked at while an alarm is worked out that lists a hundred values: about a millisecond. Serves
"longest stall of the event loop"."""
NO_HABIT = ", with no habit known yet"
"""Ends the title of an alarm that a habit could excuse, where it would not be known."""


class ValuedCase(Case):
    """A case whose evidence is different values: what there is to say of them, however they were found to be that."""

    __slots__ = ("_episode", "_listing", "bygone", "event", "evident", "measure")

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value], measure: Measure) -> None:
        super().__init__(rule, world, values)
        self.measure = measure
        self.event: Event | None = None
        """The newest, which need not be evidence."""
        self.evident = Found()
        """The values that are evidence."""
        self.bygone = Bygone()
        """Those that were in what is kept no longer."""
        self._listing = Listing()
        self._episode: tuple[Sequence[Evidence], Found] | None = None
        """What was told of last: it is asked for again and again while an alarm is worked out."""

    # -- whose they are

    @property
    def identity(self) -> str:
        """The stable identity behind the group."""
        return self.event.caller.principal.identity if self.event is not None else ""

    @property
    def place(self) -> Place:
        """The account and Region that the group, or else its newest event, is of."""
        event, values = self.event, self.values
        account, region = (event.account, event.region) if event is not None else ("", "")
        return str(values.get(_ACCOUNT, account)), str(values.get(_REGION, region))

    @property
    def shared(self) -> dict[Dimension, Value]:
        """What is known of each of its events, whatever its value."""
        account, region = self.place
        shared: dict[Dimension, Value] = {_ACCOUNT: account, _REGION: region, **self.values}
        if identity := self.identity:
            shared.setdefault(_IDENTITY, identity)
        return shared

    # -- what is counted no more

    def resume(self, alarm: Alarm) -> None:
        """Go on from an alarm that was kept: which values it counted is not known any more, only how many."""
        super().resume(alarm)
        title = alarm.title.removesuffix(NO_HABIT)
        self.bygone.keep(alarm, title if title != self.rule.title else "")
        self.shed = self.bygone.shed

    def newest_seen(self, newest: int) -> int:
        """The same; of an alarm that was kept, to the end of its last second.

        It carries the first event of each value, where the newest evidence may be the last one of some value.
        """
        seen, kept = super().newest_seen(newest), self.bygone.kept
        return seen if kept is None else max(seen, (kept.last_at + 1 << SECOND_BITS) - 1)

    # -- what is told

    @property
    def weight(self) -> int:
        """How much it is to work out its alarm; see Case."""
        return WEIGHT if self.alarmed else 0

    @property
    def counted(self) -> str:
        """What the alarm counts."""
        assert self.rule.distinct is not None
        return self.rule.distinct.of.plural

    def _of(self, episode: Sequence[Evidence]) -> Found:
        """What there is to tell of some of the evidence, or all."""
        if self._episode is not None and self._episode[0] is episode:
            return self._episode[1]
        found = self.evident if episode is self.evident.episode else Found.of(episode)
        self._episode = episode, found
        return found

    def _gone(self, shed: Shed | None) -> Gone:
        """The values in what is not kept, where that is told of."""
        return self.bygone.values if shed is not None else _NONE

    def reserve(self, last_at: int) -> str:
        """Nothing is habitual yet where nobody has watched for long: a theft looks like any program that starts."""
        habits, vigil = self.measure.habits, self.world.vigil
        if habits is None or vigil.enough(want := habits.foretold(self.place, last_at // DAY)):
            return ""
        kept = self.base if self.bygone.kept is not None else None
        if kept is not None and not kept.title.endswith(NO_HABIT):
            return ""  # before a restart it was known for how long somebody had watched
        vigil.hope(want, self)
        return NO_HABIT

    def total(self, episode: Sequence[Evidence]) -> Total:
        """What it amounts to."""
        return self._of(episode).total

    def keys(self, episode: Sequence[Evidence]) -> list[int]:
        """The newest keys of the first event with each value, ascending."""
        return self._of(episode).keys

    def secrets_in(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[Secret, ...]:
        """The different secrets in the evidence, also in what is not kept, ascending by their first events."""
        return self._of(episode).secrets(self._gone(shed))

    def _secrets(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[Secret, ...]:
        found = self.secrets_in(episode, shed)
        if self.bygone.kept is None or self.base is None:
            return found
        return tuple(dict.fromkeys((*self.base.secrets, *found)))  # also those of which nothing else is known yet

    def listed(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[str, ...]:
        """What is said of each of them."""
        found, gone = self._of(episode), self._gone(shed)
        return self._listing.of(found.seen(LISTED, gone), found.count(gone))

    def _next(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[str, ...]:
        found = super()._next(episode, shed)
        if self.bygone.kept is None or self.base is None:
            return found
        return joined(self.base.next, found)  # also for those of which nothing else is known yet

    def count(self, episode: Sequence[Evidence], shed: Shed | None) -> int:
        """How many different values there are in the evidence."""
        values = self._of(episode).count(self._gone(shed))
        return values if shed is None else max(shed.count, values)
