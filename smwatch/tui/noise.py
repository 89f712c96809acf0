"""The noise that is made about new alarms: the terminal's bell and, where it knows one, its notification (OSC 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smwatch.rules.alarm import Alarm, urgency
from smwatch.tui.bell import Bell
from smwatch.tui.screens.desk import Desk
from smwatch.tui.text import visible

ANNOUNCED = 200
"""Characters of a notification."""


class Noise:
    """Is heard for alarms that are new; those that are new together are one noise."""

    def __init__(
        self,
        desk: Desk,
        bell: Bell,
        *,
        ring: Callable[[], None],
        write: Callable[[str], None],
        plain: Callable[[str], str] = str,
    ) -> None:
        """`ring` rings the bell, `write` tells the terminal something, in characters that `plain` leaves of a text."""
        self._store = desk.store
        self._bell = bell
        self._ring = ring
        self._write = write
        self._plain = plain

    def about(self, groups: Iterable[str], *, heard: bool) -> None:
        """Be heard for what is new among these alarms; where nothing is to be `heard`, only take note of them."""
        new = self._bell.new(self._store.alarms, groups)
        if new and heard:
            self._ring()
            self._write(f"\x1b]9;{self._plain(announced(new))}\x07")


def announced(alarms: Sequence[Alarm]) -> str:
    """The worst of some alarms, and how many more there are, in one harmless line."""
    worst = min(alarms, key=urgency)
    about = worst.secret.name if worst.secret is not None else worst.principal
    more = f" (+{len(alarms) - 1:,} more)" if len(alarms) > 1 else ""
    return visible(f"{worst.severity.value.upper()} {worst.title} {about}")[: ANNOUNCED - len(more)] + more
