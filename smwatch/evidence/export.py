"""Events for somebody else: JSON lines, which are evidence, and rows for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from smwatch.events.event import Arrival, Event
from smwatch.headless.lines import event_line
from smwatch.visible import visible

COLUMNS = (
    "time", "name", "secret", "principal_kind", "principal", "identity", "session", "access_key", "source_ip",
    "region", "account", "read_only", "error_code", "error_message", "user_agent", "source", "secret_arn", "seen_by",
    "seen_at", "id",
)  # fmt: skip
"""The columns of a CSV export."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How cells begin that spreadsheets run, in full width too."""


def jsonl_lines(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """Event lines as `smwatch tail --json` prints them; `smwatch replay` reads them back."""
    return (event_line(arrival) + "\n" for arrival in arrivals)


def csv_lines(arrivals: Iterable[Arrival]) -> Iterator[str]:
    """A heading and one line an event; no cell can run as a formula in a spreadsheet."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(COLUMNS)
    for arrival in arrivals:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        writer.writerow([_cell(value) for value in _row(arrival.event)])
    yield line.getvalue()


def _row(event: Event) -> tuple[str, ...]:
    who = event.principal
    return (
        iso(event.at), event.name, event.secret.name if event.secret else "", who.kind, who.name, who.issuer,
        who.session, event.access_key, event.source_ip, event.region, event.account, str(event.read_only).lower(),
        event.error_code, event.error_message, event.user_agent, event.source, event.secret_arn, event.seen_by,
        iso(event.seen_at), event.id,
    )  # fmt: skip


def _cell(text: str) -> str:
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def iso(at: datetime) -> str:
    """A moment to the second, in UTC."""
    return f"{at.replace(microsecond=0):%Y-%m-%dT%H:%M:%SZ}"
