"""What is copied: the text, and what to say it was."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import NamedTuple

from smwatch.events.event import UNREADABLE, Event
from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.tui.pages.event import as_command, as_json, as_ticket


class Clip(NamedTuple):
    """A text for the clipboard and its name."""

    text: str
    named: str


def next_step(alarm: Alarm) -> Clip | None:
    """The command that undoes what the alarm is about, if it names one, else the first one; without its remark."""
    steps = [each for each in alarm.next if not each.lstrip().startswith("#")]
    best = next((each for each in steps if " restore-secret " in each), steps[0] if steps else None)
    if best is None:
        return None
    command = _bare(best)
    return Clip(command, command)


@lru_cache(64)  # the band asks again for the same one with each frame
def _bare(command: str) -> str:
    """The command without the comment at its end; a # inside quotes is no comment."""
    for found in re.finditer(r"\s+#", command):
        head = command[: found.start()]
        try:
            shlex.split(head)
        except ValueError:
            continue  # a quote is open
        return head
    return command


def of_event(event: Event, record: Record | None, form: str) -> Clip | None:
    """An event as "json", as one line for a "ticket", or as the "command" that finds it; None: its record is gone.

    What is no record has neither JSON nor an eventID to find it by: always a line.
    """
    if event.name == UNREADABLE:
        form = "ticket"
    match form:
        case "ticket":
            return Clip(as_ticket(event), "the event as a line for a ticket")
        case "command":
            return Clip(as_command(event), "the command that finds the event")
        case _:
            return Clip(as_json(record), "the event as JSON") if record is not None else None
