"""Events grouped by what they share, with counts and how they spread over time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from smwatch.events.event import Event
from smwatch.tui.columns import called, secret_name
from smwatch.tui.lines import Line, Piece, line, sparkline
from smwatch.tui.pages.targets import ToValue
from smwatch.tui.text import fit, fit_middle
from smwatch.tui.unwritten import Unwritten

LISTED = 500
STEP = 2_000
"""Events that are counted in one go, and groups that are put in order, in some milliseconds."""
BUCKETS = 24
NONE = array("I", [0] * BUCKETS)


class Grouping(StrEnum):
    """What events are grouped by."""

    SECRET = "secret"  # noqa: S105, not a secret
    USER = "user"
    NAME = "name"
    KEY = "access key"
    IP = "ip"
    ERROR = "error"

    @property
    def field(self) -> str:
        """The field of the filter language that asks for a group."""
        return "user" if self is Grouping.KEY else self.value

    def turned(self, step: int) -> Grouping:
        """The one so many steps on, round the end."""
        all_of_them = list(Grouping)
        return all_of_them[(all_of_them.index(self) + step) % len(all_of_them)]


BADGED = (Grouping.USER, Grouping.KEY)
"""Groups that say of what kind their principal is."""


class Group(msgspec.Struct, gc=False):
    """Events that share a value; there may be as many groups as events, which Python need not look through."""

    value: str
    badge: str = ""
    events: int = 0
    failed: int = 0
    writes: int = 0
    spread: array[int] = msgspec.field(default_factory=lambda: array("I", NONE))


_SHARED: dict[Grouping, Callable[[Event], str]] = {
    Grouping.SECRET: secret_name,
    Grouping.USER: lambda event: called(event.principal),
    Grouping.NAME: lambda event: event.name,
    Grouping.KEY: lambda event: event.access_key,
    Grouping.IP: lambda event: event.source_ip,
    Grouping.ERROR: lambda event: event.error_code,
}


class Counting:
    """Groups of events, ascending in time, that are counted bit by bit: `step` until it says False.

    All at once it takes a tenth of a second for 100,000: serves "opened-groups".
    """

    def __init__(self, rows: Sequence[Event], by: Grouping) -> None:
        self.by = by
        self.counted = 0
        """Of the events."""
        self.groups: list[Group] = []
        """The LISTED largest, the largest first, in the end; events without the value are left out."""
        self._rows = rows
        self._groups: dict[str, Group] = {}
        self._unordered: list[Group] = []

    @property
    def others(self) -> int:
        """How many groups there are beside the largest."""
        return len(self._groups) - len(self.groups)

    def step(self) -> bool:
        """Count some more, or put some more groups in their places; whether there are more."""
        if self.counted < len(self._rows):
            self._count()
            if self.counted < len(self._rows):
                return True
            self._unordered = list(self._groups.values())
        some = self._unordered[-STEP:]
        del self._unordered[-STEP:]
        self.groups = sorted([*self.groups, *some], key=lambda group: (-group.events, group.value))[:LISTED]
        return bool(self._unordered)

    def _count(self) -> None:
        rows, by, groups = self._rows, self.by, self._groups
        shared, start = _SHARED[by], rows[0].seconds
        length = max(1, rows[-1].seconds - start + 1)
        for event in rows[self.counted : self.counted + STEP]:
            value = shared(event)
            if not value:
                continue
            group = groups.get(value)
            if group is None:
                badge = event.principal.kind.value if by in BADGED else ""
                group = groups[value] = Group(value, badge)
            group.events += 1
            if event.error_code or event.error_message:
                group.failed += 1
            elif not event.read_only:
                group.writes += 1
            group.spread[(event.seconds - start) * BUCKETS // length] += 1
        self.counted = min(self.counted + STEP, len(rows))


class GroupLines(Unwritten):
    """The head of the table, a line for each of the largest groups, and how many there are beside them."""

    def __init__(self, groups: Sequence[Group], others: int, by: Grouping, width: int) -> None:
        self._of = groups, others, by, width
        self._badge = 6 if by in BADGED else 0
        self._chart = BUCKETS if width >= 90 else BUCKETS // 2 if width >= 56 else 0
        self._name = max(12, width - self._badge - 9 - 9 - 9 - (self._chart + 2 if self._chart else 0))
        super().__init__([1] * (1 + len(groups) + bool(others)))

    def _write(self, n: int) -> list[Line]:
        groups, others, by, _ = self._of
        if n == 0:
            return [self._head(by)]
        return [self._row(groups[n - 1], by) if n <= len(groups) else line(Piece(f"and {others:,} more", "quiet"))]

    def place_of(self, target: object) -> int | None:
        """The line of the group whose events it asks for."""
        groups, _, by, _ = self._of
        return next((n for n, each in enumerate(groups, 1) if target == ToValue(by.field, each.value)), None)

    def __eq__(self, other: object) -> bool:
        return self._of == other._of if isinstance(other, GroupLines) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def _head(self, by: Grouping) -> Line:
        head = fit("", self._badge) + fit(by.value, self._name) + f"{'events':>9}{'failed':>9}{'writes':>9}"
        return line(Piece(head + (f"  {'over time':<{self._chart}}" if self._chart else ""), "label"))

    def _row(self, group: Group, by: Grouping) -> Line:
        chart = self._chart
        return line(
            Piece(fit(group.badge, self._badge), "quiet"),
            Piece(fit_middle(group.value, self._name), "link"),
            Piece(f"{group.events:>9,}"),
            Piece(f"{group.failed:>9,}" if group.failed else " " * 9, "warn"),
            Piece(f"{group.writes:>9,}" if group.writes else " " * 9, "key"),
            Piece(f"  {sparkline(_into(group.spread, chart), chart)}" if chart else "", "spark"),
            target=ToValue(by.field, group.value),
        )


def _into(counts: Sequence[int], room: int) -> list[int]:
    """Counts over as many periods as there is room for."""
    each = BUCKETS // room
    return [sum(counts[i : i + each]) for i in range(0, BUCKETS, each)]


def groups_page(groups: Sequence[Group], by: Grouping, width: int, others: int = 0) -> Sequence[Line]:
    """One line a group; `others` is how many more there are."""
    if not groups:
        return [line(Piece(f"No event here has a value for {by.value}.", "quiet"))]
    return GroupLines(groups, others, by, width)
