"""What one line of the stream says of an event: its columns, how they share a width, what stands in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from smwatch.events.call import Call
from smwatch.events.event import Event, SeenBy
from smwatch.events.principal import Principal
from smwatch.settings import MeaningError
from smwatch.tui.text import fit_middle
from smwatch.tui.times import CLOCK, DATED, SHORT_DATED, Zone, period, written


class Column(msgspec.Struct, frozen=True):
    """One column: what it is called and how it gives way when there is no room."""

    id: str
    title: str
    least: int
    """Cells below which it is dropped rather than shown."""
    good: int
    """Cells that it has before a column of a higher rank is shown at all."""
    ideal: int
    """Cells beyond which it gains nothing."""
    rank: int
    """Lower ones stay longer."""


COLUMNS: tuple[Column, ...] = (
    Column("mark", "", 3, 3, 3, 0),
    Column("time", "time", 8, 8, 8, 0),
    Column("event", "event", 14, 18, 24, 1),
    Column("secret", "secret", 14, 26, 44, 2),
    Column("principal", "principal", 12, 20, 34, 3),
    Column("result", "result", 12, 16, 28, 4),
    Column("ip", "source ip", 13, 15, 15, 5),
    Column("seen", "seen by", 12, 12, 12, 6),
    Column("region", "region", 10, 14, 14, 7),
    Column("agent", "user agent", 16, 24, 30, 8),
    Column("account", "account", 12, 12, 12, 9),
)
"""In the order they stand on the screen; users may choose others and another order."""
NARROWEST, WIDEST = 3, 200
"""Cells that a column may be set to."""
CORE = 3
"""Columns up to this rank are kept as long as there is any room."""
DEFAULT = ("mark", "time", "event", "secret", "principal", "ip", "region", "result", "seen", "agent", "account")
BY_ID = {column.id: column for column in COLUMNS}
DATED_WIDTH, SHORT_DATED_WIDTH = 14, 11
ROOMY = 66
"""Cells from which a date leaves room for the seconds."""
ROLES = ("time", "event", "write", "secret", "principal", "quiet", "failed", "late")
"""What a cell can be; each has a style."""
EXCEPTION = "Exception"
"""How most error codes end."""
BADGE = 6
"""Cells of the principal's badge word and its gap."""
BADGED = 22
"""A principal column narrower than this shows the name alone."""


class Placed(NamedTuple):
    """A column with the room it got."""

    id: str
    title: str
    width: int


@lru_cache(64)
def lay_out(
    width: int, chosen: Sequence[str] = DEFAULT, *, dated: bool = False, zone: Zone = Zone.UTC
) -> tuple[Placed, ...]:
    """Share `width` cells among the chosen columns, one cell between two; the ones that matter least go first.

    `chosen` names columns as the config file does, see `column_meant`. The widths and gaps add up to `width` where a
    secret of no fixed width is among them.
    """
    columns = [column_meant(name) for name in chosen]
    fixed = {each.id for each in columns if each.least == each.ideal}
    if dated:
        day = DATED_WIDTH if width >= ROOMY else SHORT_DATED_WIDTH
        columns = [_of_width(each, max(day, each.least)) if each.id == "time" else each for each in columns]
    while len(columns) > 1:
        last = max(columns, key=lambda column: column.rank)
        if last.rank <= CORE and sum(column.least + 1 for column in columns) - 1 <= width:
            break
        if sum(column.good + 1 for column in columns if column is not last) + last.least <= width:
            break
        columns.remove(last)
    widths = {column.id: column.least for column in columns}
    spare = width - sum(widths.values()) - (len(columns) - 1)
    for wanted in ("good", "ideal"):
        spare = _shared(columns, widths, spare, wanted)
    if "secret" in widths and "secret" not in fixed and spare > 0:
        widths["secret"] += spare
    return tuple(Placed(c.id, f"time {zone.title()}" if c.id == "time" else c.title, widths[c.id]) for c in columns)


def columns_meant(chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns that a person lists, the marks before all others; without any the usual ones.

    MeaningError says what is wrong with them.
    """
    meant = [column_meant(each).id for each in chosen]
    if twice := next((each for each in meant if meant.count(each) > 1), None):
        raise MeaningError("ui.columns", f"{twice} is there twice")
    if not meant:
        return DEFAULT
    return tuple(chosen) if "mark" in meant else ("mark", *chosen)


def column_meant(text: str) -> Column:
    """The column that `secret` or, with a width in cells, `secret:40` means; MeaningError for none."""
    name, colon, width = text.partition(":")
    column = BY_ID.get(name.strip())
    if column is None:
        raise MeaningError("ui.columns", f"there is no column {name!r}; there are {', '.join(BY_ID)}")
    if not colon:
        return column
    if not (width.strip().isdecimal() and NARROWEST <= int(width) <= WIDEST):
        allowed = f"write a width of {NARROWEST} to {WIDEST} cells, as in {name}:40"
        raise MeaningError("ui.columns", f"{text!r}: {allowed}")
    return _of_width(column, int(width))


def _of_width(column: Column, width: int) -> Column:
    return msgspec.structs.replace(column, least=width, good=width, ideal=width)


def _shared(columns: Sequence[Column], widths: dict[str, int], spare: int, wanted: str) -> int:
    """Widen columns towards their `wanted` width, all of them by turns; what is still to spare."""
    while spare > 0 and (wanting := [each for each in columns if widths[each.id] < getattr(each, wanted)]):
        for column in sorted(wanting, key=lambda column: column.rank):
            share = min(getattr(column, wanted) - widths[column.id], max(1, spare // len(wanting)), spare)
            widths[column.id] += share
            spare -= share
    return spare


LATE = {
    SeenBy.CLOUDTRAIL: timedelta(minutes=10),
    SeenBy.LOGS: timedelta(minutes=5),
    SeenBy.LIVE_TAIL: timedelta(minutes=2),
}
"""How long each source may usually take; what took longer while smwatch was watching is marked as late."""
SEEN = {SeenBy.CLOUDTRAIL: "trail", SeenBy.LOGS: "logs", SeenBy.LIVE_TAIL: "live", SeenBy.FILE: "file"}


def called(principal: Principal) -> str:
    """What a person calls the principal: somebody signed in through Identity Center by their own name."""
    return principal.called


def secret_name(event: Event) -> str:
    """What the secret of a call is called; "" for none."""
    return event.secret.name if event.secret is not None else ""


def late_by(event: Event, watching_since: datetime | None) -> timedelta | None:
    """How long an event took to be seen, if longer than usual; None otherwise, and for what was back-filled."""
    if watching_since is None or event.seconds < watching_since.timestamp():
        return None
    usual = LATE.get(event.seen_by)
    delay = event.seen_at - event.at
    return delay if usual is not None and delay > usual else None


def result(call: Call) -> str:
    """How the call ended, in a word or the error code."""
    return call.error_code or call.error_message or "ok"


def _fitting(code: str, width: int) -> str:
    """An error code without its ending where there is no room for it: every one has that, and it says nothing."""
    stem = code.removesuffix(EXCEPTION)
    if len(code) <= width or stem == code or len(stem) > width:
        return code
    return f"{stem}…" if len(stem) < width else stem


def seen(event: Event, watching_since: datetime | None, late: timedelta | None) -> str:
    """Which source brought the event first, and how long after it happened."""
    if late is not None:
        return f"late +{period(late)}"
    if watching_since is None or event.seconds < watching_since.timestamp() or event.seen_by is SeenBy.FILE:
        return SEEN[event.seen_by]
    return f"{SEEN[event.seen_by]} +{period(event.seen_at - event.at)}"


def time_form(width: int) -> str:
    """How a time column of this width writes its moments."""
    return DATED if width >= DATED_WIDTH else SHORT_DATED if width >= SHORT_DATED_WIDTH else CLOCK


def told(
    event: Event, placed: Sequence[Placed], signs: str, *, zone: Zone, now: datetime, since: datetime | None
) -> list[tuple[str, str]]:
    """What stands in each column, with its role; `signs` begin the column of marks.

    `since` is when watching began: what happened before was back-filled, and is not late.
    """
    cells: list[tuple[str, str]] = []
    call, caller = event.call, event.caller
    failed, reads = bool(call.error_code or call.error_message), call.read_only
    late = late_by(event, since)
    for column, _, width in placed:
        match column:
            case "mark":
                sign = "✗" if failed else "•" if not reads else "+" if late is not None else " "
                role = "failed" if failed else "late" if late is not None and reads else "write"
                cells.append((signs + sign, role))
            case "time":
                cells.append((written(event.seconds, zone, now, time_form(width)), "time"))
            case "event":
                cells.append((call.name, "event" if reads else "write"))
            case "secret":
                cells.append((_secrets(call, width), "secret"))
            case "principal":
                who = caller.principal
                badge = f"{who.kind.value:<{BADGE}}" if width >= BADGED else ""
                cells.append((badge + who.called, "principal"))
            case "result":
                cells.append((_fitting(result(call), width), "failed" if failed else "quiet"))
            case "ip":
                cells.append((caller.came.source_ip, "quiet"))
            case "seen":
                cells.append((seen(event, since, late), "late" if late is not None else "quiet"))
            case "region":
                cells.append((caller.region, "quiet"))
            case "account":
                cells.append((caller.account, "quiet"))
            case _:
                cells.append((caller.came.user_agent, "quiet"))
    return cells


def _secrets(call: Call, width: int) -> str:
    """The secret a call was about; of a batch the first one and how many more."""
    name = call.secret.name if call.secret is not None else ""
    if not call.others:
        return name if len(name) <= width and name.isascii() else fit_middle(name, width)
    more = f" +{len(call.others)}"
    return fit_middle(name, width - len(more)).rstrip() + more
