"""What is known by what was read, and goes from one monitor to the next."""

from __future__ import annotations

import msgspec

from smwatch.events.reader import Reader
from smwatch.monitor.watched import Watching


class Knowledge(msgspec.Struct, frozen=True):
    """Shared by all monitors that hand on to the same store, one after the other."""

    reader: Reader = msgspec.field(default_factory=Reader)
    """Which names are whose."""
    watching: Watching = msgspec.field(default_factory=Watching)
    """Which periods have been told of as watched."""
