"""What goes on in all, for when nobody has chosen anything to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from smwatch.amount import amount
from smwatch.rules.alarm import Alarm
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, heading, line, sparkline, spread
from smwatch.tui.pages.targets import ToSecret
from smwatch.tui.pages.words import about, alarm_line
from smwatch.tui.tally import Tally, bins
from smwatch.tui.text import fit
from smwatch.tui.times import Zone

HOUR = timedelta(hours=1)
LISTED = 8


def overview_page(
    tally: Tally,
    alarms: Sequence[Alarm],
    now: datetime,
    zone: Zone,
    width: int,
    keys: KeyTable,
    *,
    recorded: bool = False,
) -> list[Line]:
    """Alarms, the last hour per minute, and the secrets and principals with most events."""
    lines: list[Line] = []
    if alarms:
        lines += heading("alarms", f"{keys.one('watch.alarms')} lists all")[1:]
        lines += [alarm_line(alarm, now, zone, width, about(alarm)) for alarm in alarms[:LISTED]]
    total = tally.totals(now, HOUR)
    lines += heading(
        f"the last hour{' of the recording' if recorded else ''}",
        f"{amount(total.events, 'events')}, {total.failed:,} failed",
    )[0 if lines else 1 :]
    minutes, count = bins(HOUR, width)
    buckets = tally.buckets(now, minutes, count)
    if any(events for events, _ in buckets):
        lines.append(line(Piece(sparkline([events for events, _ in buckets], count), "spark")))
    if any(failed for _, failed in buckets):
        lines.append(line(Piece(sparkline([failed for _, failed in buckets], count), "bad"), Piece(" failed", "quiet")))
    if total.secrets:
        lines += heading("secrets")
        for secret, events in total.secrets.most_common(LISTED):
            lines.append(spread([Piece(secret.name, "link")], [Piece(f"{events:,}")], width, ToSecret(secret)))
    if total.principals:
        lines += heading("principals")
        for (kind, name), events in total.principals.most_common(LISTED):
            lines.append(spread([Piece(fit(kind, 6), "quiet"), Piece(name)], [Piece(f"{events:,}")], width))
    return lines
