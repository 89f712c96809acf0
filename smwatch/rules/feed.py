"""Whether the sources still bring events: silence can mean peace, or that somebody cut the trail."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from smwatch.events import moments
from smwatch.rules.alarm import Alarm
from smwatch.rules.case import Case
from smwatch.rules.dimension import Dimension, Value
from smwatch.rules.envelope import Rule, Silence
from smwatch.rules.evidence import Evidence
from smwatch.rules.period import DAY
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.times import Times
from smwatch.rules.world import World

ADVANCES = 2_000
"""How many times a source brought something newer are remembered."""
SILENCES = 20


class FeedCase(Case):
    """One source: it falls silent, and is heard again."""

    __slots__ = ("_advances", "_heard", "_newest", "_silences")

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value]) -> None:
        super().__init__(rule, world, values)
        self._heard = self.ending.known = Times()
        self._advances: deque[tuple[int, int]] = deque(maxlen=ADVANCES)
        """(second of the newest event, seconds since the one before), as each was brought."""
        self._newest = 0
        self._silences: list[Evidence] = []

    def resume(self, alarm: Alarm) -> None:
        """Go on from an alarm that was kept."""
        super().resume(alarm)
        rank = self.rule.severity.rank
        self._newest = int(alarm.last_at.timestamp()) - 1
        self._silences.append(Evidence(self._newest + 1, self._newest << SECOND_BITS, rank, 0, ""))

    def heard(self, newest: int, now: int) -> None:
        """The source has been read whole at `now`; its newest event is from `newest`."""
        silence = self.rule.silence
        assert silence is not None
        if newest > self._newest:
            if self._newest:
                self._advances.append((newest, newest - self._newest))
            self._newest = newest
            self._heard.add(newest)
            self.wake()
        longest = self._longest(silence, now)
        if longest is not None and now - self._newest > longest:
            evidence = Evidence(self._newest + longest, self._newest << SECOND_BITS, self.rule.severity.rank, 0, "")
            if not self._silences or self._silences[-1].key != evidence.key:
                self._silences.append(evidence)
                del self._silences[:-SILENCES]
                self.wake()

    def doubt_all(self) -> None:
        """Nothing is to be judged again: a silence was one."""

    def evidence(self) -> Sequence[Evidence]:
        """Each silence, from when it was too long."""
        return self._silences

    @property
    def counted(self) -> str:
        """What the alarm counts."""
        return "silences"

    def _longest(self, silence: Silence, now: int) -> int | None:
        """How long it may be silent; None where silence is usual."""
        gaps = sorted(gap for at, gap in self._advances if at > now - DAY)
        if len(gaps) < silence.arm:
            return None
        return max(int(silence.after), int(silence.factor * gaps[min(len(gaps) - 1, len(gaps) * 99 // 100)]))


class Feeds:
    """The rules about silence, and the sources they listen to."""

    def __init__(self, rules: Sequence[Rule], world: World) -> None:
        self._rules = rules
        self._world = world
        self._cases: dict[tuple[str, str], FeedCase] = {}

    def heard(self, source: str, newest_at: datetime | None, now: datetime) -> list[FeedCase]:
        """A source has been read whole; its cases."""
        cases = [self.case(rule, dict.fromkeys(rule.by, source)) for rule in self._rules]
        if newest_at is not None:
            for case in cases:
                case.heard(moments.seconds_of_datetime(newest_at), moments.seconds_of_datetime(now))
        return cases

    def case(self, rule: Rule, values: Mapping[Dimension, Value]) -> FeedCase:
        """The case of a source."""
        key = rule.id, "\n".join(map(str, values.values()))
        if key not in self._cases:
            self._cases[key] = FeedCase(rule, self._world, values)
        return self._cases[key]
