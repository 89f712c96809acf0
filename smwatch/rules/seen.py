"""What a case of different values has seen of them, and who may know of more."""

from __future__ import annotations

from collections.abc import Mapping

from smwatch.events.event import Event
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.measure import Measure
from smwatch.rules.plan import Plan
from smwatch.rules.sighter import Sighter
from smwatch.rules.slots import Slots
from smwatch.rules.times import FEW, PLANS, crowded
from smwatch.rules.valued import ValuedCase
from smwatch.rules.warmup import Warmup
from smwatch.rules.world import World

_ACCOUNT, _REGION = DIMENSIONS["account"], DIMENSIONS["region"]


class SeenCase(ValuedCase):
    """A case whose values are kept by when they were seen, as far as it was told: it has to `_catch_up` to know all."""

    __slots__ = ("_plans", "_sighters", "_warmup", "enough", "found", "newest_key", "slots", "width")

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value], measure: Measure) -> None:
        super().__init__(rule, world, values, measure)
        self.newest_key = -1
        self._warmup: Warmup | None = None
        """What says since when a share of all says something, where that is the same for all events of the case."""
        bar = measure.bar
        if bar is not None and bar.share.warmup and _ACCOUNT in values and _REGION in values:
            self._warmup = bar.population.warmed_up(world.vigil, self.place, int(bar.share.warmup))
        self.enough = False
        """Whether there are enough values at all, however far from each other."""
        self.width = measure.width
        self.slots = Slots(measure.width)
        self._plans: list[Plan] = []
        """Who may know of more."""
        self._sighters: list[Sighter] = []
        """Who does."""
        self.found = self.evident.by_slot
        """The evidence by slot: always the same mapping, as each event asks whether it is empty."""

    def listen(self, plan: Plan) -> None:
        """Have this plan tell before the values are judged."""
        self._plans.append(plan)
        if len(self._plans) > FEW and crowded(self._plans, plan.since):
            self._hear(PLANS // 4)

    def release(self, plan: Plan) -> None:
        """Have this plan, which has told all, listen no more."""
        if plan in self._plans:
            self._plans.remove(plan)

    def _hear(self, count: int) -> None:
        plans, self._plans = self._plans[:count], self._plans[count:]
        for plan in plans:
            plan.tell(self)

    def await_sighter(self, sighter: Sighter) -> None:
        """Have it tell before the values are judged."""
        self._sighters.append(sighter)

    def _catch_up(self) -> None:
        if self._plans:
            self._hear(PLANS)
        if self._sighters:
            sighters, self._sighters = self._sighters, []
            for sighter in sighters:
                sighter.tell()

    @property
    def calm(self) -> bool:
        """Whether it makes no difference that a value was seen once more."""
        return not (self.enough or self.found)

    def heard(self, event: Event) -> None:
        """Take in the newest event."""
        self.newest_key = event.key
        self.event = event
        if self.found:
            self.world.dirty[self] = None  # as evidence_changes() does: each event of a case with an alarm comes by

    def _count(self) -> None:
        """Find out whether there are enough values for any period."""
        slots = self.slots
        since = slots.oldest * self.width if slots.oldest is not None else None
        if since is not None and self._warmup is not None:
            since = max(since, self._warmup.since)
        enough = self.measure.enough(len(slots.values), since)
        if enough and not self.enough:
            self._catch_up()  # from now on it makes a difference
        elif not enough:
            slots.all_stale()
        self.enough = enough
