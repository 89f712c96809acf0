"""Everything doctor says of one Region, in the order in which events go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from smwatch.setup.check_alarm import AlarmChecks
from smwatch.setup.check_events import EventChecks
from smwatch.setup.check_group import GroupChecks
from smwatch.setup.check_trail import TrailChecks
from smwatch.setup.finding import Finding, age, broken, ok, shell, warn
from smwatch.setup.judge import Judge
from smwatch.setup.seeing import Unread
from smwatch.setup.trouble import UNKNOWN_KEY

QUIET = timedelta(hours=1)
"""After so long without an event the Region is quiet, or CloudTrail is late."""


class Checks(Judge):
    """The checks of one Region."""

    def findings(self) -> Iterator[Finding]:
        """Yield everything there is to say."""
        yield self.region()
        yield self.permissions()
        for kind in (TrailChecks, GroupChecks, AlarmChecks, EventChecks):
            yield from kind(self.seen, self.profile).findings()
        yield self.lookup()

    def region(self) -> Finding:
        """Whether the Region can be used at all."""
        name = self.seen.place.region
        if isinstance(self.seen.trails, Unread) and self.seen.trails.code in UNKNOWN_KEY:
            message = f"{name} does not know these credentials: it is not enabled for this account."
            return broken("region", message, shell("aws", "account", "enable-region", "--region-name", name))
        if isinstance(self.seen.trails, Unread) and not self.seen.trails.code:
            return broken("region", self.seen.trails.why, shell("aws", "account", "list-regions"))
        return ok("region", f"{name} ({self.seen.place.partition})")

    def permissions(self) -> Finding:
        """Whether everything that was asked for was allowed."""
        missing = self.seen.unread_actions
        mend = shell(
            "smwatch", "policy", "watch", "--profile", self.profile, "--region", self.home, "--log-group", self.group
        )
        if missing:
            return broken("permissions", f"Missing: {', '.join(missing)}.", mend)
        if self.seen.trials:
            return ok("permissions", "Everything smwatch can ask for is allowed.")
        return ok("permissions", "Everything asked for was allowed; --try-all tries Live Tail and secret metadata too.")

    def lookup(self) -> Finding:
        """Whether the event history answers, and how late it is."""
        newest = self.seen.lookup
        if isinstance(newest, Unread):
            again = shell("aws", "cloudtrail", "lookup-events", "--max-items", "1", *self.where(self.seen.place.region))
            return broken("lookup", newest.why, again)
        if newest is None:
            return warn("lookup", "The event history answers, and is empty: a new account, or a quiet Region.")
        waited = self.seen.now - newest
        message = f"The event history answers; its newest event is {age(waited)} old."
        return (
            warn("lookup", f"{message} It is quiet here, or CloudTrail is late.")
            if waited > QUIET
            else ok("lookup", message)
        )
