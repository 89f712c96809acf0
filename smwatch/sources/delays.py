"""What a source learns from when records turn up: how late they are, and how far back they have to be looked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from smwatch.sources.awaited import Awaited
from smwatch.sources.following import Following
from smwatch.sources.reader import Row
from smwatch.sources.scan import Kind, Scan, Took
from smwatch.sources.sightings import Lag


class Delays:
    """Measures one source while it is followed, and tells its agenda."""

    def __init__(self, happened_at: Callable[[Row], datetime | None]) -> None:
        """`happened_at` tells when what a row is about happened, where that is known."""
        self.lag = Lag()
        """From when something happened until it was seen."""
        self.late_events = 0
        """Records that came although nothing of their moments was said to be missing."""
        self._awaited = Awaited()
        self._happened_at = happened_at

    def expect(self, raw: str, at: datetime, ingested_at: datetime) -> None:
        """Something quicker has shown this record: it tells how late it can be found."""
        self._awaited.add(raw, at, ingested_at)

    def behind(self, agenda: Following, rows: Sequence[Row]) -> list[Row]:
        """The rows whose moments have been settled, or of whose time nothing was said to be missing."""
        return [
            row
            for row in rows
            if row.at is not None
            and (agenda.coverage.holds(row.at) or (agenda.delivery.planned and self._told_before(agenda, row)))
        ]

    def _told_before(self, agenda: Following, row: Row) -> bool:
        happened_at = self._happened_at(row)
        return happened_at is not None and agenda.told_before(happened_at)

    def came_late(self, agenda: Following, rows: Sequence[Row], came_at: datetime) -> None:
        """These rows of those that are `behind` were new to the journal."""
        self.late_events += len(rows)
        late = [
            _lateness(row.at, row.ingested_at, agenda.settle_lag) or came_at - row.at
            for row in rows
            if row.at is not None and agenda.coverage.holds(row.at)
        ]
        if late:
            agenda.late_by(max(late))

    def delivered(self, agenda: Following, fresh: Sequence[Row], at: datetime) -> None:
        """Learn how long after they happened records are delivered, where their time is that of the delivery."""
        if not agenda.delivery.planned:
            return
        moments = ((row.at, self._happened_at(row)) for row in fresh)
        delays = (at - happened_at for at, happened_at in moments if at is not None and happened_at is not None)
        for delay in sorted(delays)[-1:]:
            agenda.delivered(delay, at)

    def found(self, agenda: Following, scan: Scan, took: Took, rows: Sequence[Row], fresh: Sequence[Row]) -> None:
        """Learn how late records can be found from when the service had them; older ones may have been put there."""
        if agenda.began_at is None:
            return
        stamped = [(row.at, row.ingested_at) for row in fresh if row.at is not None and row.ingested_at is not None]
        stamped = [(at, ingested_at) for at, ingested_at in stamped if ingested_at >= agenda.began_at]
        delays = [ingested_at - at for at, ingested_at in stamped]
        swept_at = agenda.sweeps.swept_at
        if scan.kind is Kind.SWEEP and swept_at is not None:  # the sweep before could not find them yet
            reach = swept_at - agenda.sweeps.lag
            delays += [swept_at - ingested_at for at, ingested_at in stamped if at >= reach]
        self._awaited.found(row.found.raw for row in rows)
        if took.done and scan.kind is Kind.SWEEP:
            delays.append(self._awaited.longest(scan.start, scan.asked_at))
        if delays:
            agenda.turned_up(max(delays))

    def committed(
        self, agenda: Following, scan: Scan, rows: Sequence[Row], fresh: Sequence[Row], now: datetime
    ) -> None:
        """Learn from when records turn up how far back they have to be looked for."""
        match scan.kind:
            case Kind.SWEEP | Kind.GLANCE | Kind.PASS if agenda.sweeps.steady(now):
                for row in fresh:
                    if (happened_at := self._happened_at(row)) is not None:
                        self.lag.add(now, now - happened_at)
                    if row.at is not None:
                        agenda.sweeps.saw(row.at, now)
            case Kind.LATE:
                for _ in fresh:
                    agenda.sweeps.left_out()
            case Kind.SETTLE if agenda.sweeping and agenda.measured_from is not None:
                start = agenda.measured_from
                watched = sum(row.at is not None and row.at >= start for row in rows)
                agenda.settled_rows(watched, sum(row.at is not None and row.at >= start for row in fresh))
            case _:
                pass


def _lateness(at: datetime, ingested_at: datetime | None, settle_lag: timedelta) -> timedelta | None:
    """How late a record was for its settle, where it was the service that had it too late."""
    late = timedelta() if ingested_at is None else ingested_at - at
    return late if late > settle_lag else None
