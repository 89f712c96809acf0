"""Stories: records that happen in an account, and what one rule makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from tests import records
from tests.rules.judging import arrivals, before, catalogue, of


@dataclass(frozen=True)
class Story:
    """Records in any order; what the account's lists hold; when the clock is looked at last; how a feed is heard."""

    records: Sequence[Record] = ()
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tick: datetime | None = None
    feed: Sequence[tuple[datetime, datetime]] = ()
    """(time of the newest event, time of the reading) for each time that the source was read whole."""
    since: datetime | None = None
    """Alarms that are over by then are not asked for."""

    def alarms(self, rule: str) -> list[Alarm]:
        """The alarms of one rule at its end."""
        rules = combine(load_builtin(), overrides={"lists": dict(self.lists)}) if self.lists else catalogue()
        engine = Engine(rules)
        engine.judge(arrivals(self.records))
        for newest_at, now in self.feed:
            engine.feed("cloudtrail", newest_at, now)
        if self.tick is not None:
            engine.tick(self.tick)
        return [alarm for alarm in of(rule, engine.alarms) if self.since is None or alarm.last_at >= self.since]


def story(
    *happened: Record | Iterable[Record],
    tick: datetime | None = None,
    since: datetime | None = None,
    **lists: Sequence[str],
) -> Story:
    """A story of records and lists of records."""
    told: list[Record] = []
    for one in happened:
        told += [one] if isinstance(one, dict) else list(one)
    return Story(told, lists, tick, since=since)


@dataclass(frozen=True)
class Rule:
    """One rule's three stories."""

    finds: Story
    severity: Severity
    count: int
    leaves: Story
    """Ordinary work that comes near to it: no alarm of the rule."""
    noise: Story
    """What it is known to be mistaken about: no open alarm of the rule, or one of no more than `noise_is`."""
    noise_is: Severity | None = None
    closed: bool = False
    """Whether what it finds is over already."""


def known_for(**period: float) -> Record:
    """Something ordinary that happened so long ago: events are known since then."""
    return records.describe("other/thing", by=records.role("inventory", "nightly"), at=before(**period))


def over(days: int, make: Record) -> list[Record]:
    """The same once a day on each of the days before."""
    at = datetime.fromisoformat(make["eventTime"])
    return [make | {"eventTime": records.stamp(at - timedelta(days=day)), "eventID": f"{make['eventID'][:-4]}{day:04}"}
            for day in range(1, days + 1)]  # fmt: skip
