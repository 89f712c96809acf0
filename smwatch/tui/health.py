"""How the sources are doing, in as many words as there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from smwatch.amount import amount
from smwatch.sources.source import KEPT, State, Status
from smwatch.tui.lines import Line, Piece, heading, line, paragraph
from smwatch.tui.lines import fields as field_lines
from smwatch.tui.text import cells
from smwatch.tui.times import Zone, moment, period

STALE_AFTER = timedelta(minutes=2)
"""A source whose last whole scan is older than this is called stale, whatever it says itself."""

_GLYPHS = {
    State.STARTING: ("○", "quiet"),
    State.OK: ("●", "good"),
    State.CATCHING_UP: ("◐", "warn"),
    State.THROTTLED: ("◐", "warn"),
    State.DENIED: ("✗", "bad"),
    State.SIGN_IN: ("✗", "bad"),
    State.UNREACHABLE: ("✗", "bad"),
    State.FAILING: ("✗", "bad"),
    State.STALE: ("✗", "bad"),
    State.DONE: ("■", "quiet"),
}


class Health(NamedTuple):
    """What is to be said of one source at one moment."""

    glyph: str
    word: str
    role: str
    status: Status

    @property
    def fine(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.status.state in (State.OK, State.DONE) and self.role != "bad"

    @property
    def progress(self) -> str:
        """What it is on its way with: nothing where it is in trouble."""
        return self.status.progress if self.role != "bad" else ""


def health(status: Status, now: datetime) -> Health:
    """How a source is doing; one that has silently stopped turns bad by itself."""
    glyph, role = _GLYPHS[status.state]
    word = status.state.value
    if _overdue(status, now):
        heard_at = _heard_at(status)
        assert heard_at is not None
        age = period(now - heard_at)
        if status.state in (State.OK, State.STARTING):
            word = f"stale {age}"
        elif role == "bad":
            word = f"{word} {age}"
        else:  # busy with something else, but what is shown is old all the same
            word = f"{word}, stale {age}"
        return Health("✗", word, "bad", status)
    return Health(glyph, word, role, status)


def _overdue(status: Status, now: datetime) -> bool:
    """Whether a source that has been read once brings nothing any more."""
    heard_at = _heard_at(status)
    return status.state is not State.DONE and heard_at is not None and now - heard_at > STALE_AFTER


def _heard_at(status: Status) -> datetime | None:
    """When it last brought something; None while nothing came back whole."""
    if status.last_good_at is None or status.answered_at is None:
        return status.last_good_at
    return max(status.last_good_at, status.answered_at)


def ranked(statuses: Sequence[Status], now: datetime) -> list[Health]:
    """The sources in use, the ones in trouble first, otherwise by label and Region."""
    order = {"bad": 0, "warn": 1}
    found = [health(status, now) for status in statuses if not _switched_off(status)]
    return sorted(
        found, key=lambda each: (order.get(each.role, 2), each.status.label, each.status.region, each.status.source)
    )


def _switched_off(status: Status) -> bool:
    """Whether it takes room from those that watch: a Live Tail that somebody has ended, or what the journal held."""
    return status.state is State.DONE and (status.source.startswith("live_tail:") or status.source == KEPT)


def blind(statuses: Sequence[Status], now: datetime, since: datetime) -> bool:
    """Whether something may happen that is not shown: a source is in trouble, silent, or has never spoken `since`."""
    if any(health(each, now).role == "bad" for each in statuses):
        return True
    return now - since > STALE_AFTER and (not statuses or any(_unheard(each, now) for each in statuses))


def _unheard(status: Status, now: datetime) -> bool:
    """Whether a source has brought nothing whole yet, and is not known to be on its way through a recording."""
    if status.last_good_at is not None or status.state is State.DONE:
        return False
    return status.state is State.STARTING or status.at is None or now - status.at > STALE_AFTER


def summary(statuses: Sequence[Status], now: datetime, zone: Zone, width: int) -> list[Piece]:
    """The sources on one line of at most `width` cells: how late, complete up to when, last read whole when."""
    found = ranked(statuses, now)
    if not found:
        return [Piece("○ no source yet", "quiet")]
    several = _several(found)
    for detail in (5, 4, 3, 2, 1):
        pieces: list[Piece] = []
        for each in found:
            if pieces:
                pieces.append(Piece("   "))
            pieces += _told(each, now, zone, detail, several)
        if _size(pieces) <= width:
            return pieces
    fine = sum(each.fine for each in found)
    pieces = [Piece(f"● {fine} ok", "good")] if fine else []
    for each in found:
        if not each.fine:
            pieces += [Piece("  " if pieces else ""), Piece(f"{each.glyph} {each.status.label} {each.word}", each.role)]
    return pieces if _size(pieces) <= width else counted(found, width)


def counted(found: Sequence[Health], width: int, more: str = "") -> list[Piece]:
    """How many (`more`) sources are in trouble, busy with something or fine, as far as there is room."""
    counts = Counter((each.glyph, "not ok" if each.role == "bad" else each.word, each.role) for each in found)
    pieces: list[Piece] = []
    for (glyph, word, role), count in counts.items():
        told = [Piece(" ")] * bool(pieces) + [Piece(f"{glyph} {count} {more}{word}", role)]
        if pieces and _size([*pieces, *told]) > width:
            break
        pieces += told
    return pieces


def _several(found: Sequence[Health]) -> bool:
    """Whether a source has to be told apart by its Region."""
    return len({each.status.region for each in found if each.status.region}) > 1


def _size(pieces: Sequence[Piece]) -> int:
    return sum(cells(piece.text) for piece in pieces)


def _told(each: Health, now: datetime, zone: Zone, detail: int, several: bool) -> list[Piece]:
    status = each.status
    label = f"{status.label} {status.region}" if several and status.region else status.label
    pieces = [Piece(f"{each.glyph} ", each.role), Piece(label, "strong" if detail > 1 else "")]
    if detail == 2 and each.progress and status.state is State.CATCHING_UP:
        return [*pieces, Piece(f" {each.progress}", each.role)]  # how long it takes, rather than that it does
    if each.status.state is not State.OK or each.role == "bad":
        pieces.append(Piece(f" {each.word}", each.role))
    if each.progress and detail >= 3:
        pieces.append(Piece(f" {each.progress}", "quiet"))
    if status.lag is not None and detail >= 2:
        longest = f", {period(status.lag_max)} at most" if detail >= 5 and status.lag_max is not None else ""
        pieces.append(Piece(f" lag {period(status.lag)}{longest}", "quiet"))
    if status.complete_to is not None and detail >= 3:
        words = "complete to" if detail >= 4 else "to"
        pieces.append(Piece(f" {words} {moment(status.complete_to, zone, now)}", "quiet"))
    if status.gaps and detail >= 2:
        pieces.append(Piece(f" {amount(len(status.gaps), 'gaps')}", "warn"))
    if status.last_good_at is not None and detail >= 5 and status.state is not State.DONE:
        pieces.append(Piece(f" read {period(max(timedelta(), now - status.last_good_at))} ago", "quiet"))
    return pieces


def troubles(statuses: Sequence[Status], now: datetime, zone: Zone, again: str = "") -> list[tuple[str, str]]:
    """(sentence, role) for each source that has something to say, the worst first; `again` is the key that asks it."""
    asks = f"; {again} asks again now" if again else ""
    told: list[tuple[str, str]] = []
    found = ranked(statuses, now)
    several = _several(found)
    for each in found:
        status = each.status
        stale = "stale" in each.word
        if not status.message and not stale:
            continue
        message = status.message or f"nothing has come back since {moment(_heard_at(status), zone, now)}{asks}"
        where = f" {status.region}" if several and status.region else ""
        role = each.role if each.role in ("bad", "warn") else "quiet"
        told.append((f"{each.glyph} {status.label}{where} {each.word}: {message}", role))
    return told


def _last_read(status: Status, zone: Zone, now: datetime) -> str:
    """When a source was read without a hole, which a mark of completeness from before it began does not tell."""
    if status.last_good_at is not None:
        return moment(status.last_good_at, zone, now)
    return "not yet" if status.calls or status.complete_to is not None else ""


def sources_page(statuses: Sequence[Status], now: datetime, zone: Zone, width: int) -> list[Line]:
    """Everything known about each source, for the screen that the header opens."""
    lines: list[Line] = []
    for each in (*ranked(statuses, now), *(health(one, now) for one in statuses if _switched_off(one))):
        status = each.status
        lines += heading(f"{status.label} {status.region}".strip(), status.source)
        lines.append(line(Piece(f"{each.glyph} {each.word}", each.role), Piece(f"  {each.progress}", "quiet")))
        if status.message:
            lines += paragraph(status.message, width, each.role)
        lag = f"{period(status.lag)} usual" if status.lag is not None else ""
        if lag and status.lag_max is not None:
            lag += f", {period(status.lag_max)} at most"
        lines += field_lines(
            [
                ("lag", lag, ""),
                ("complete to", moment(status.complete_to, zone, now), ""),
                ("last read", _last_read(status, zone, now), "bad" if _overdue(status, now) else ""),
                ("calls", f"{status.calls:,}" if status.calls else "", ""),
                ("late events", f"{status.late_events:,} after they were due" if status.late_events else "", "warn"),
            ],
            width,
        )
        for gap in status.gaps:
            span = f"{moment(gap.span.start, zone, now)} to {moment(gap.span.end, zone, now)}"
            lines += paragraph(f"gap {span}: {gap.reason}", width, "warn")
    return lines[1:] or [line(Piece("No source has said anything yet.", "quiet"))]
