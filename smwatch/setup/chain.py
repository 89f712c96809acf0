"""Which trail, log group and role the chain hangs on: what exists goes before what would be made."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smwatch.setup.place import Place, is_arn, last_name
from smwatch.setup.seen import Trail
from smwatch.setup.wanted import Wanted


class Chain(msgspec.Struct, frozen=True):
    """The trail to use and what it delivers to."""

    place: Place
    """Where the log group, the metric filters and the alarms are: the trail's home Region."""
    trail: Trail | None
    """None: one has to be made."""
    trail_name: str
    log_group: str
    role: str
    delivers: bool
    """Whether the trail delivers to this log group already."""
    problems: tuple[str, ...] = ()
    """What keeps the trail from being used."""

    @property
    def trail_arn(self) -> str:
        """ARN of the trail, also of one that is yet to be made."""
        return self.trail.arn if self.trail else self.place.trail(self.trail_name)


def choose(trails: Sequence[Trail], place: Place, wanted: Wanted) -> Chain:
    """Return the chain for these trails of a Region; pure.

    The best trail is the one that delivers where it should already, then one that logs everything, everywhere.
    Another account's organisation trail can't be changed from here, and a second trail costs money: that is said.
    """
    names = wanted.names
    own = [trail for trail in trails if trail.account == place.account and trail.covers(place.region)]
    foreign = [trail for trail in trails if trail.account != place.account]
    if wanted.trail_named:
        own = [trail for trail in own if names.trail in (trail.name, trail.arn)]
    problems = []
    if wanted.trail_named and not own and is_arn(names.trail):
        problems.append(f"There is no trail {names.trail} of this account that reaches {place.region}.")
    elif not own and foreign and not (wanted.new_trail or wanted.trail_named):
        problems.append(
            f"The organisation trail {foreign[0].name} of account {foreign[0].account} logs this account, and delivers "
            f"there: run setup in that account. --new-trail makes one here too, a second copy that AWS charges for."
        )
    if not own or (wanted.new_trail and not wanted.trail_named):
        return Chain(place, None, last_name(names.trail), names.log_group, names.role, False, tuple(problems))
    trail = max(own, key=lambda each: _worth(each, wanted))
    if trail.log_group and wanted.group_named and trail.log_group != names.log_group:
        if not wanted.replace_delivery:
            problems.append(
                f"The trail {trail.name} delivers to the log group {trail.log_group}: leave out --log-group to use it, "
                f"or add --replace-delivery to have the trail deliver to {names.log_group} from now on."
            )
        delivers = False
    else:
        delivers = bool(trail.log_group)
    return Chain(
        place=place.at(trail.home_region),
        trail=trail,
        trail_name=trail.name,
        log_group=trail.log_group if delivers else names.log_group,
        role=trail.role if delivers else names.role,
        delivers=delivers,
        problems=tuple(problems),
    )


def _worth(trail: Trail, wanted: Wanted) -> tuple[bool | str, ...]:
    return (
        wanted.group_named and trail.log_group == wanted.names.log_group,
        trail.selectors is not None and trail.selectors.complete,
        bool(trail.log_group),
        trail.multi_region,
        trail.delivery is not None and trail.delivery.logging,
        not trail.organization,
        trail.name,  # any order, but always the same one
    )
