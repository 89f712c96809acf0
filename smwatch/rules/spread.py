"""Cases of many different values: distinct rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self

from smwatch.events.event import Event
from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm
from smwatch.rules.case import Case, Newest
from smwatch.rules.closeness import Ends
from smwatch.rules.command import joined
from smwatch.rules.dimension import DIMENSIONS, UNNAMED, Dimension, Renames, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import BEGINNING, END, LEVELS, Evidence, Shed, Total
from smwatch.rules.found import Found
from smwatch.rules.inquiry import Inquiry
from smwatch.rules.measure import Measure
from smwatch.rules.period import DAY
from smwatch.rules.plan import Plan
from smwatch.rules.sighter import SLOTS, Sighter
from smwatch.rules.slots import Slots
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import LISTED, Listing
from smwatch.rules.times import PLANS
from smwatch.rules.vigil import Place
from smwatch.rules.warmup import Warmup
from smwatch.rules.world import World

_IDENTITY, _ACCOUNT, _REGION = DIMENSIONS["identity"], DIMENSIONS["account"], DIMENSIONS["region"]
PAIRS = 5_000
"""Values in slots kept of each case; beyond them the oldest slots go, as long as a period's worth of them is left."""
KEPT = 7 * DAY
"""Seconds for which a slot without evidence is kept at the least: an event that comes later than that counts alone."""
ASKED = 4 * PAIRS
"""Answers, and facts that they hang on, held by each case before all are asked for again."""
NO_HABIT = ", with no habit known yet"
"""Ends the title of an alarm that a habit could excuse, where it would not be known."""
VALUES = 10_000
"""Values told apart in one slot, and among those no longer kept."""


class SpreadCase(Case):
    """A case whose evidence is different values close to each other in time."""

    __slots__ = (
        "_dropped",
        "_episode",
        "_found",
        "_gone",
        "_inquiry",
        "_kept",
        "_listing",
        "_plans",
        "_sighters",
        "_warmup",
        "enough",
        "event",
        "found",
        "measure",
        "newest_key",
        "slots",
        "width",
    )

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value], measure: Measure) -> None:
        super().__init__(rule, world, values)
        self.measure = measure
        self.newest_key = -1
        self.event: Event | None = None
        self._warmup: Warmup | None = None
        """What says since when a share of all says something, where that is the same for all events of the case."""
        if (bar := measure.bar) is not None:
            if bar.share.warmup and _ACCOUNT in values and _REGION in values:
                self._warmup = bar.population.warmed_up(world.vigil, self.place, int(bar.share.warmup))
            bar.population.watch(self)
        self.enough = False
        """Whether there are enough values at all, however far from each other."""
        self.width = measure.width
        self.slots = Slots(measure.width)
        self._gone: dict[Value, Ends] = {}
        """Values that were evidence in slots no longer kept, and the first and last second of it."""
        self._kept: Shed | None = None
        """What an alarm that was kept says, until all of it is known again."""
        self._dropped: Shed | None = None
        """What the evidence in slots no longer kept amounts to."""
        self._plans: list[Plan] = []
        """Who may know of more."""
        self._sighters: list[Sighter] = []
        """Who does."""
        self._listing = Listing()
        self._inquiry = Inquiry(self)
        self._found = self._inquiry.found
        self._episode: tuple[Sequence[Evidence], Found] | None = None
        """What was told of last, where that is not all that was found."""
        self.found = self._found.by_slot
        """The evidence by slot: always the same mapping, as each event asks whether it is empty."""

    def listen(self, plan: Plan) -> None:
        """Have this plan tell before the values are judged."""
        self._plans.append(plan)
        if len(self._plans) > PLANS:
            self._hear(PLANS // 4)

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

    def wake(self) -> None:
        """Have all values judged again; what was asked about each holds until it is doubted."""
        self._inquiry.restart()
        super().wake()

    def doubt(self, value: Value) -> None:
        """What was asked about a value may have another answer."""
        self._inquiry.doubt(value)
        self.evidence_changes()

    def heard(self, event: Event) -> None:
        """Take in the newest event."""
        self.newest_key = event.key
        self.event = event
        if self.found:
            self.evidence_changes()

    @property
    def identity(self) -> str:
        """The stable identity behind the group."""
        return self.event.principal.identity if self.event is not None else ""

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

    def add(self, value: Value, key: int, second: int) -> list[int]:
        """Take in that a value was seen; the value's first and last key in that slot, as long as that is kept."""
        number, slots = second // self.width, self.slots
        slot = slots.by_number.get(number)
        if slot is None:
            if not self._make_room(number):
                return [key, key]
            slot = slots.new(number)
        ends = slot.get(value)
        if ends is None:
            ends = [key, key]
            if len(slot) >= VALUES:
                return ends
            if slots.put(slot, value, ends) or number == slots.oldest:
                self._count()
            slots.stale(number, value, ())
        elif key > ends[1]:
            slots.stale(number, value, ends)
            ends[1] = key
        elif key < ends[0]:
            slots.stale(number, value, ends)
            ends[0] = key
        else:
            return ends
        self._inquiry.see(number)
        if not self._inquiry.due and self.enough and slots.enough_near(number, self.measure.near):
            self._inquiry.due = True
            self.evidence_changes()
        return ends

    def _make_room(self, number: int) -> bool:
        """Let go of what there is no room for beside a new slot; whether there is room for that one."""
        slots = self.slots
        while (count := len(slots.by_number)) >= SLOTS or (slots.pairs > PAIRS and count > 2 * self.measure.reach):
            oldest = slots.oldest
            assert oldest is not None
            if number < oldest:
                return False
            self._drop(oldest)
        return True

    def resume(self, alarm: Alarm) -> None:
        """Go on from an alarm that was kept: which values it counted is not known any more, only how many."""
        super().resume(alarm)
        rank, step = divmod(alarm.level, LEVELS)
        first_at, last_at = int(alarm.first_at.timestamp()), int(alarm.last_at.timestamp())
        last_key = alarm.event_keys[-1] if alarm.event_keys else last_at << SECOND_BITS
        title = alarm.title.removesuffix(NO_HABIT)
        title = title if title != self.rule.title else ""
        self.shed = self._kept = Shed(alarm.count, first_at, last_at, last_key, rank, step, title)

    def absorb(self, other: Self) -> None:
        """Take over the values of a group that has turned out to be this one."""
        self._catch_up()
        other._catch_up()
        slots, other.slots = other.slots, Slots(other.width)
        other._inquiry.end()
        kept, dropped = (self._kept, other._kept), (self._dropped, other._dropped)
        super().absorb(other)
        self._gone = _spanned((*self._gone.items(), *other._gone.items()))
        self._kept, self._dropped = _most_of(*kept), _most_of(*dropped)
        other._kept = other._dropped = None
        self._sum_up()
        if other.event is not None and other.newest_key > self.newest_key:
            self.heard(other.event)
        for value, key in slots.each():
            self.add(value, key, key >> SECOND_BITS)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the newest event by the right names of its secrets."""
        self._catch_up()
        if self.event is not None and names_any(self.event, right):
            self.event, self._commands = renamed_event(self.event, right), None
            self.evidence_changes()

    def fold(self, right: Renames) -> None:
        """Count values that have turned out to be others as those."""
        self._catch_up()
        if right.keys().isdisjoint(self.slots.values) and right.keys().isdisjoint(self._gone):
            return
        self._gone = _spanned((right.get(value, value), ends) for value, ends in self._gone.items())
        self.slots.fold(right)
        self.measure.forget({*right, *right.values()})
        self._count()
        if (habits := self.measure.habits) is not None:
            habits.recount(self.identity, self.slots.days(DAY), self)
        self.wake()

    def evidence(self) -> Sequence[Evidence]:
        """The kept events of the values that are evidence."""
        self._catch_up()
        self.newest = Newest(self.event, {}) if self.event is not None else None
        began = self.world.beginning
        if self._kept is not None and began.caught_up and began.reaches(self._kept.first_at):
            self._kept = None  # all of it is known again, and judged anew
            self._sum_up()
        while self.unready:
            self._inquiry.finish()
        return self._found.episode

    @property
    def unready(self) -> bool:
        """Whether there is more to judge: a slot, for one need, at a time."""
        if not self._inquiry.under_way:
            self._catch_up()
            self._inquiry.reconsider()
        return self._inquiry.due or self._inquiry.under_way

    def go_on(self) -> int:
        """Judge some of it; how many sights that meant looking at."""
        return self._inquiry.go_on()

    def hear_all(self) -> None:
        """Hear of whatever becomes known from now on: what does so between two looks is not to be missed."""
        self.low, self.own_high = BEGINNING, END
        self._care_up_to(END)

    @property
    def counted(self) -> str:
        """What the alarm counts."""
        assert self.rule.distinct is not None
        return self.rule.distinct.of.plural

    def _of(self, episode: Sequence[Evidence]) -> Found:
        """What there is to tell of some of the evidence, or all."""
        if episode is self._found.episode:
            return self._found
        if self._episode is None or self._episode[0] is not episode:
            self._episode = episode, Found.of(episode)
        return self._episode[1]

    def reserve(self, last_at: int) -> str:
        """Nothing is habitual yet where nobody has watched for long: a theft looks like any program that starts."""
        habits, vigil = self.measure.habits, self.world.vigil
        if habits is None or vigil.enough(want := habits.foretold(self.place, last_at // DAY)):
            return ""
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
        found = self._of(episode).secrets
        if shed is None or not self._gone:
            return found
        gone = (value for value in self._gone if isinstance(value, Secret) and value is not UNNAMED)
        return tuple(dict.fromkeys((*gone, *found)))

    def _secrets(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[Secret, ...]:
        found = self.secrets_in(episode, shed)
        if self._kept is None or self.base is None:
            return found
        return tuple(dict.fromkeys((*self.base.secrets, *found)))  # also those of which nothing else is known yet

    def listed(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[str, ...]:
        """What is said of each of them."""
        found = self._of(episode)
        if shed is not None and self._gone:
            seen = ((value, (first, last)) for first, last, value in found.seen(VALUES))
            times = sorted((*ends, value) for value, ends in _spanned((*self._gone.items(), *seen)).items())
            return self._listing.of(times[-LISTED:], found.count(self._gone))
        return self._listing.of(found.seen(LISTED), found.count({}))

    def _next(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[str, ...]:
        found = super()._next(episode, shed)
        if self._kept is None or self.base is None:
            return found
        return joined(self.base.next, found)  # also for those of which nothing else is known yet

    def count(self, episode: Sequence[Evidence], shed: Shed | None) -> int:
        """How many different values there are in the evidence."""
        found = self._of(episode)
        return found.count({}) if shed is None else max(shed.count, found.count(self._gone))

    def recounted(self, first: int, last: int, *, more: bool) -> None:
        """There are more values in all than was thought, so that what was evidence may be none; or there are fewer."""
        if more and not (self.enough or self.found):
            return  # what was too little of all is too little of more
        self._catch_up()
        self._count()
        oldest = self.slots.oldest
        if oldest is not None and oldest * self.width < last and first <= self.newest_key >> SECOND_BITS:
            self.wake()

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

    def forget_before(self, second: int) -> None:
        """Let go of slots without evidence from before this second: most cases are sessions that never come back."""
        limit = second // self.width
        if (oldest := self.slots.oldest) is None or oldest >= limit:
            return
        self._find()
        for number in [number for number in self.slots.by_number if number < limit and number not in self.found]:
            self._drop(number)

    @property
    def empty(self) -> bool:
        """Whether it is as good as one that is made anew."""
        return not (self.slots.by_number or self._gone or self.found) and self.shed is None

    def _find(self) -> None:
        """Have `found` hold what is evidence by all that is known."""
        self._catch_up()
        if (bar := self.measure.bar) is not None:
            bar.population.tell()
        if self._inquiry.open:
            self.evidence()

    def _drop(self, number: int) -> None:
        """Forget a slot; what was evidence in it is still counted."""
        if not self.calm or self._inquiry.under_way:
            self._find()
        gone = self.slots.drop(number)
        self._inquiry.forget(number)
        if gone:
            self._catch_up()  # it may have been seen since
        if self.enough:
            self._count()
        for one in self._found.drop(number):
            if one.value is not None and (one.value in self._gone or len(self._gone) < VALUES):
                first, _ = self._gone.get(one.value, (one.at, one.at))
                self._gone[one.value] = first, one.at
            shed = Shed(len(self._gone), one.at, one.at, one.key, one.rank, one.step, one.title)
            self._dropped = _most_of(self._dropped, shed)
            self._sum_up()
        if len(self._watching) > ASKED or self.measure.asked > ASKED:
            self._watching.clear()
            self.measure.forget_all()
            self.wake()

    def _sum_up(self) -> None:
        """What is only counted any more: what was kept, and what has been dropped since."""
        self.shed = _most_of(self._kept, self._dropped)


def _most_of(one: Shed | None, other: Shed | None) -> Shed | None:
    """Both together, where the values of one may be the other's too."""
    if one is None or other is None:
        return one or other
    return replace(one.joined(other), count=max(one.count, other.count))


def _spanned(times: Iterable[tuple[Value, Ends]]) -> dict[Value, Ends]:
    """Values with their first and last seconds, each once."""
    spanned = dict[Value, Ends]()
    for value, (first, last) in times:
        known = spanned.get(value, (first, last))
        spanned[value] = min(first, known[0]), max(last, known[1])
    return spanned
