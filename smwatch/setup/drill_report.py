"""How a drill went, as values, as a table and as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from smwatch.setup.render import as_json
from smwatch.visible import visible


class Sighting(msgspec.Struct, frozen=True):
    """What became of one witness."""

    witness: str
    seen_at: datetime | None = None
    delay: timedelta | None = None
    why: str = ""
    """Why it saw nothing, "" if it did."""


class Report(msgspec.Struct, frozen=True):
    """How a drill went."""

    secret: str
    refused_at: datetime
    sightings: tuple[Sighting, ...]
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether everybody saw it."""
        return all(sighting.seen_at for sighting in self.sightings)


def report_text(report: Report) -> str:
    """Return the report as a table."""
    rows = [("what", "at (UTC)", "after"), ("reading refused", f"{report.refused_at:%H:%M:%S}", "")]
    for each in report.sightings:
        if each.seen_at and each.delay is not None:
            rows.append((each.witness, f"{each.seen_at:%H:%M:%S}", in_words(each.delay)))
        else:
            rows.append((each.witness, "not seen", each.why))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{visible(what):{width}}  {at:8}  {visible(after)}".rstrip() for what, at, after in rows)


def report_json(report: Report) -> str:
    """Return the report as one JSON object; times are ISO 8601, delays seconds."""
    sightings = [
        {
            "witness": each.witness,
            "seen_at": each.seen_at,
            "delay_s": round(each.delay.total_seconds(), 1) if each.delay is not None else None,
            "why": each.why,
        }
        for each in report.sightings
    ]
    return as_json(
        {
            "secret": report.secret,
            "refused_at": report.refused_at,
            "sightings": sightings,
            "passed": report.passed,
            "interrupted": report.interrupted,
        }
    )


def in_words(period: timedelta) -> str:
    """A period to the second."""
    seconds = round(period.total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
