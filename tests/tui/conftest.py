"""The terminal that tests of the screen have, whatever the one does in which they run."""

import pytest
from textual.notifications import Notification

from smwatch.tui import composed
from smwatch.tui.screens import frame

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("TERM", "xterm-256color"), ("COLORTERM", "truecolor")):
        monkeypatch.setenv(variable, value)
    for variable in ("NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told for a moment is there until it has been looked at, however long this machine stands still."""
    own = Notification.time_left.fget  # type: ignore[attr-defined]

    def left(told: Notification) -> float:
        return HOUR if told.timeout >= 1 else float(own(told))  # less is meant to be over at once

    monkeypatch.setattr(frame, "SAID_SECONDS", HOUR)
    monkeypatch.setattr(Notification, "time_left", property(left))


@pytest.fixture(autouse=True)
def _painting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is painted at once: a pilot that pauses waits for no turn of the loop in which more is drawn."""
    monkeypatch.setattr(composed, "AT_ONCE", 10_000)
