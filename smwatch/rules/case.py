"""A case: what one alarm is made of. Its alarm is worked out from the evidence anew each time something changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Self

from smwatch.events.secret import Secret
from smwatch.rules.alarm import BY_HAND, EVIDENCE, SECRETS, Alarm, AlarmState, Decision, Severity
from smwatch.rules.alarm_group import group_of
from smwatch.rules.command import filled
from smwatch.rules.dimension import Dimension, Value
from smwatch.rules.ending import Ending
from smwatch.rules.envelope import Rule, Telling
from smwatch.rules.evidence import BEGINNING, END, LEVELS, Evidence, Shed, Total, total_of
from smwatch.rules.newest import Commands, Newest
from smwatch.rules.telling import READERS, reach, sentences, values_alone
from smwatch.rules.tidings import Tidings
from smwatch.rules.watching import Teller
from smwatch.rules.whom import NAMED, SECRET, whom
from smwatch.rules.world import World

_SEVERITIES = tuple(Severity)
_KEY = attrgetter("key")


class Case(ABC):
    """One group of a rule: its events so far, and the alarm they amount to."""

    __slots__ = (
        "__weakref__",
        "_commands",
        "_group",
        "_watching",
        "about",
        "acknowledged",
        "base",
        "closed",
        "ending",
        "gone",
        "high",
        "last_key",
        "low",
        "newest",
        "own_high",
        "rule",
        "shed",
        "tidings",
        "values",
        "world",
    )

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value]) -> None:
        self.rule = rule
        self.world = world
        self.values = values
        self._group = ""
        self.about = tuple((d.name, str(values[d])) for d in rule.by if d in values and d not in NAMED)
        self.acknowledged: Decision | None = None
        self.closed: Decision | None = None
        self.ending = Ending(self)
        self.shed: Shed | None = None
        self.base: Alarm | None = None
        self.newest: Newest | None = None
        """What its principal's name and its commands come from."""
        self._commands: Commands | None = None
        """Most cases never need any."""
        self.last_key = -1
        """The key of the newest evidence."""
        self.gone: bool | None = False
        """Whether it was forgotten: what there is to tell of its group is another case's, be it woken all the same.

        None: its group has turned out to be another one, and it is gone once its alarm has been taken back.
        """
        self.low = self.high = self.own_high = BEGINNING
        """What facts say between these seconds can change the alarm, but for its ending; own_high: as it is judged."""
        self._watching: list[Teller] = []
        if rule.closed_by is not None:
            closers = world.known(rule.closed_by.when, rule.closed_by.same, values)
            if closers is not None:
                self.ending.hear_of(closers)
        self.tidings = Tidings(self) if rule.tell and not values_alone(rule) else None

    @property
    def group(self) -> str:
        """The stable key of its alarm; most cases never need one."""
        if not self._group:
            self._group = group_of(self.rule, self.values)
        return self._group

    @property
    def alarmed(self) -> bool:
        """Whether there is, or was, an alarm."""
        return self.last_key >= 0 or self.base is not None

    def newest_seen(self, newest: int) -> int:
        """The key up to which whoever sees the alarm has seen its evidence; `newest`: of the events that it carries."""
        return self.last_key if self.last_key >= 0 else newest

    def heed(self, second: int) -> None:
        """A fact that this case hangs on is now known of this second too."""
        if self.low <= second <= self.high:
            self.doubt_all()
            self.evidence_changes()

    def watches(self, known: Teller) -> None:
        """It watches this fact from now on, and keeps it: what is only asked about nobody else does."""
        self._watching.append(known)

    def wake(self) -> None:
        """Have the alarm worked out again, and all that it tells."""
        self.doubt_all()
        if self.tidings is not None:
            self.tidings.forget()
        self.evidence_changes()

    @abstractmethod
    def doubt_all(self) -> None:
        """Have all that was seen judged again, once the alarm is worked out."""

    def evidence_changes(self) -> None:
        """Have the alarm worked out again, with what it tells beside its evidence as it is."""
        self.world.dirty[self] = None

    @property
    def unready(self) -> bool:
        """Whether there is much to look at yet before the alarm can be worked out: `go_on` then looks at some of it."""
        return False

    def go_on(self) -> int:
        """Look at some of it; at how many things it did, which is about as many each time."""
        return 0

    @property
    def weight(self) -> int:
        """How much it is to work out its alarm: as much as to look at so many things."""
        return 0

    @abstractmethod
    def evidence(self) -> Sequence[Evidence]:
        """The evidence there is, ascending."""

    def resume(self, alarm: Alarm) -> None:
        """Go on from an alarm that was kept: its evidence counts, though the events may never be seen again."""
        self.base = alarm
        self.world.beginning.await_catching_up(self)
        self.acknowledged, self.closed = alarm.acknowledged, alarm.closed
        # What ends an alarm ends all that happened before; who closes one, only what they have seen. Of a silence there
        # is no event by which that could be told.
        by_hand = alarm.closed_by == BY_HAND and alarm.event_keys
        if alarm.state is AlarmState.CLOSED and alarm.ended_at is not None and not by_hand:
            self.ending.note(int(alarm.ended_at.timestamp()))

    def absorb(self, other: Self) -> None:
        """Take over what is known of a group that has turned out to be this one."""
        for decision in ("acknowledged", "closed"):
            mine, theirs = getattr(self, decision), getattr(other, decision)
            seen = max(filter(None, (mine, theirs)), key=attrgetter("upto", "at"), default=None)
            unseen = (case for case, known in ((self, mine), (other, theirs)) if known is None)
            if seen is not None and any(case.last_key > seen.upto for case in unseen):
                seen = None  # nobody has decided on that part of it
            setattr(self, decision, seen)
        self.ending.absorb(other.ending)
        if other.shed is not None:
            self.shed = other.shed if self.shed is None else self.shed.joined(other.shed)
        self.base = max(filter(None, (self.base, other.base)), key=attrgetter("changed_at"), default=None)
        other.shed, other.base = None, None
        if other.gone is False:
            other.gone = None
        self.wake()
        other.wake()

    def alarm(self) -> Alarm | None:
        """The alarm as of now; None while there is no evidence."""
        evidence, shed = self.evidence(), self.shed
        self._care_up_to(self.own_high)
        stands = bool(evidence) or shed is not None
        if self.tidings is not None:
            self.tidings.wanted = stands
        if not stands:
            if self.tidings is not None:
                self.tidings.forget()  # it may not hear of what changes that until there is an alarm again
            self.ending.care_up_to(BEGINNING if self.rule.timer is None else END)
            return None
        last_at, last_key = (evidence[-1].at, evidence[-1].key) if evidence else (BEGINNING, -1)
        if shed is not None and shed.last_at > last_at:
            last_at, last_key = shed.last_at, shed.last_key
        start, end = self.ending.around(last_at)
        self.ending.care_up_to(END if end is None or self.rule.timer is not None else end)
        by_hand = self.closed is not None and last_key <= self.closed.upto
        seen = self.closed.upto if self.closed is not None and not by_hand else -1
        self.last_key = last_key
        if start != BEGINNING or seen >= 0:
            evidence = [one for one in evidence if one.at > start and one.key > seen]
        if shed is not None and (shed.last_at <= start or shed.last_key <= seen):
            shed = None
        return self._alarm(evidence, shed, end, by_hand=by_hand)

    def _care_up_to(self, high: int) -> None:
        if high > self.high:
            for known in self._watching:
                known.grow_loud(high)
        self.high = high

    # -- what it amounts to

    def _alarm(self, episode: Sequence[Evidence], shed: Shed | None, end: int | None, *, by_hand: bool) -> Alarm:
        rule = self.rule
        total = self.total(episode)
        if shed is not None:
            total = Total(shed.rank, shed.step, shed.title, shed.first_at, shed.last_at).joined(total)
        rank, step, title, first_at, last_at = total
        level = rank * LEVELS + step
        keys = self.keys(episode)
        if shed is not None and self.base is not None and shed.known_upto < 0:  # a case of values knows no keys
            keys = sorted({*keys, *self.base.event_keys})[-EVIDENCE:]
        caused = self.caused(episode)
        acknowledged = self.acknowledged
        holds = acknowledged is not None and level <= acknowledged.level and bool(keys) and keys[0] <= acknowledged.upto
        closed = self.closed if by_hand else None
        if end is not None or by_hand:
            state = AlarmState.CLOSED
        else:
            state = AlarmState.ACKNOWLEDGED if holds else AlarmState.OPEN
        ended_at = _moment(end) if end is not None else closed.at if closed is not None else None
        changed_at = newest_at = _moment(last_at)
        if ended_at is not None or acknowledged is not None or self.closed is not None:
            decided = [decision.at for decision in (acknowledged, self.closed) if decision is not None]
            changed_at = max([newest_at, *([ended_at] if ended_at else []), *decided])
        secret = self.values.get(SECRET)
        identity, session, principal = whom(self.values, self.newest, self.base)
        return Alarm(
            group=self.group,
            rule=rule.id,
            severity=_SEVERITIES[rank],
            state=state,
            title=(title or rule.title) + self.reserve(last_at),
            why=rule.why,
            secret=secret if isinstance(secret, Secret) else None,
            principal=principal,
            identity=identity,
            session=session,
            count=max(1, self.count(episode, shed) - len(caused)),
            counted=self.counted,
            secrets=self._secrets(episode, shed)[-SECRETS:],
            first_at=_moment(first_at),
            last_at=newest_at,
            about=self.about,
            event_keys=tuple(keys) if self.rule.silence is None else (),
            caused=tuple(key for key in keys if key in caused) if caused else (),
            facts=self._facts(episode, shed, first_at, last_at),
            next=self._next(episode, shed),
            mitre=rule.mitre,
            level=level,
            acknowledged=acknowledged,
            closed=self.closed,
            ended_at=ended_at,
            closed_by=self._closed_by(end) if end is not None else BY_HAND if closed is not None else "",
            muted_until=self.world.muted_until(rule.id, secret, identity, session),
            changed_at=changed_at,
        )

    def secrets_in(self, _episode: Sequence[Evidence], _shed: Shed | None) -> tuple[Secret, ...]:
        """The different secrets that are counted, ascending by their first events; none where events are."""
        return ()

    def _secrets(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[Secret, ...]:
        return self.secrets_in(episode, shed)

    def listed(self, _episode: Sequence[Evidence], _shed: Shed | None) -> tuple[str, ...]:
        """What is said of each of these values."""
        return ()

    def _facts(self, episode: Sequence[Evidence], shed: Shed | None, first_at: int, last_at: int) -> tuple[str, ...]:
        """What else is known; after a restart, what was known then, unless as much is known again."""
        rule, base = self.rule, self.base
        tidings, facts = self.tidings, tuple[str, ...]()
        if tidings is not None:
            facts = sentences(tidings.of(first_at), rule, self.world, self.values, last_at)
        if Telling.VALUES in rule.tell:
            facts += self.listed(episode, shed)
        if base is None or int(base.first_at.timestamp()) != first_at:
            return facts
        began = self.world.beginning
        if began.caught_up or began.reaches(first_at - max(READERS, reach(rule)[0])):
            return facts
        # A deletion may lie further back than what is known again.
        return facts if facts and began.reaches(first_at - READERS) else base.facts or facts

    def count(self, episode: Sequence[Evidence], shed: Shed | None) -> int:
        """How many there are."""
        return len(episode) + (shed.count if shed is not None else 0)

    def reserve(self, _last_at: int) -> str:
        """What the title of an alarm whose evidence ends in this second adds to say how much it may mean."""
        return ""

    def total(self, episode: Sequence[Evidence]) -> Total:
        """What it amounts to."""
        return total_of(episode)

    def keys(self, episode: Sequence[Evidence]) -> list[int]:
        """The newest keys, ascending."""
        return list(map(_KEY, episode[-EVIDENCE:]))

    def caused(self, _episode: Sequence[Evidence]) -> Set[int]:
        """The keys of reads in it that do not count by themselves: they count with the batch that caused them."""
        return frozenset()

    @property
    def counted(self) -> str:
        """What the alarm counts."""
        return "events"

    def _next(self, episode: Sequence[Evidence], shed: Shed | None) -> tuple[str, ...]:
        newest = self.newest
        if newest is None:
            return self.base.next if self.base else filled(self.rule.next, {})
        if self._commands is None:
            self._commands = Commands(self.rule.next)
        return self._commands.of(newest, self.secrets_in(episode, shed)[-EVIDENCE:])

    def _closed_by(self, end: int) -> str:
        if event := self.ending.event_in(end):
            return event
        if self.base is not None and self.base.ended_at == _moment(end):
            return self.base.closed_by
        if self.rule.closed_by is None:
            return "events come in again"
        return self.world.fact(self.rule.closed_by.when).says or "what ends it was seen"


# Those that an alarm tells are of the last minute or two, most of them: serves the row "rules-trouble".
@lru_cache(4096)
def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
