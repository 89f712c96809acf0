"""Checks of the log group that the trail delivers to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from smwatch.setup.finding import Finding, age, broken, ok, shell, unknown, warn
from smwatch.setup.judge import Judge
from smwatch.setup.place import Names
from smwatch.setup.seeing import Unread
from smwatch.setup.seen import LogGroup

STALE = timedelta(hours=1)
"""A group where nothing came in for so long belongs to a quiet account or to a chain that does not work."""
FIRST = timedelta(minutes=20)
"""How long a new trail may take to deliver for the first time."""
SHORT = 7
"""Days; who keeps less can't look back over a weekend."""


class GroupChecks(Judge):
    """Checks of the log group."""

    def findings(self) -> Iterator[Finding]:
        """Yield whether there is a log group that serves, and what is in it."""
        group = self.seen.group
        if isinstance(group, Unread):
            yield unknown("log group", group.why)
            return
        if group is None:
            yield broken(
                "log group", f"There is no log group {self.group} in {self.home}.", self.setup("--part", "trail")
            )
            return
        yield self.kept(group)
        yield self.newest()

    def kept(self, group: LogGroup) -> Finding:
        """Whether the group's class and retention serve."""
        if group.log_class != "STANDARD":
            message = f"{group.name} is of class {group.log_class}: no metric filter, no Live Tail, no FilterLogEvents."
            usual = Names().log_group
            other = f"{usual}Standard" if group.name == usual else usual
            mend = shell("smwatch", "setup", *self.where(self.home), "--log-group", other, "--replace-delivery")
            return broken("log group", message, mend)
        if group.retention is not None and group.retention < SHORT:
            message = f"{group.name} keeps events for only {group.retention} days."
            return warn("log group", message, self.setup("--part", "trail", "--retention", "90"))
        kept = f"for {group.retention} days" if group.retention else "for ever"
        return ok("log group", f"{group.name}, kept {kept}")

    def newest(self) -> Finding:
        """Whether events come in."""
        newest = self.seen.newest
        if isinstance(newest, Unread):
            return unknown("newest event", newest.why)
        started = self.trail.delivery.started_at if self.trail and self.trail.delivery else None
        if newest is None and started is not None and self.seen.now - started < FIRST:
            return ok("newest event", "None yet: the trail was started only now.")
        if newest is None:
            return warn("newest event", f"{self.group} holds no event of the last 90 days.")
        waited = self.seen.now - newest
        message = f"The newest event came {age(waited)} ago."
        return warn("newest event", message) if waited > STALE else ok("newest event", message)
