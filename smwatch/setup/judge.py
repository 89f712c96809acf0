"""What all checks of a Region have: what was seen there, and how the commands that mend it begin."""

from __future__ import annotations

from smwatch.setup.finding import shell
from smwatch.setup.seeing import RegionSeen


class Judge:
    """Judges what was found in one Region; asks nothing."""

    def __init__(self, seen: RegionSeen, profile: str) -> None:
        self.seen = seen
        self.profile = profile
        self.trail = seen.chain.trail if seen.chain else None
        self.group = seen.chain.log_group if seen.chain else ""
        self.home = seen.chain.place.region if seen.chain else seen.place.region

    def setup(self, *more: str) -> str:
        """Return the setup command that mends things here, for what the person named."""
        wanted, names = self.seen.wanted, self.seen.wanted.names
        named = [
            *(("--log-group", names.log_group) if wanted.group_named else ()),
            *(("--trail", names.trail) if wanted.trail_named else ()),
            *(("--topic", names.topic) if wanted.topic_named and "--topic" not in more else ()),
        ]
        return shell("smwatch", "setup", *self.where(self.seen.place.region), *named, *more)

    def aws(self, *words: str) -> str:
        """Return an AWS CLI command for the Region where the chain is."""
        return shell("aws", *words, *self.where(self.home))

    def where(self, region: str) -> tuple[str, ...]:
        """Return the options that say for whom and where."""
        return "--profile", self.profile, "--region", region
