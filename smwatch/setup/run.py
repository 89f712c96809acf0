"""Look, plan, apply, look again: what setup and its removal have in common."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smwatch.setup.apply import Progress, apply
from smwatch.setup.aws import Aws
from smwatch.setup.observe import observe, observe_made
from smwatch.setup.place import Place
from smwatch.setup.plan import Plan
from smwatch.setup.planner import plan
from smwatch.setup.removal import plan_removal
from smwatch.setup.wanted import Wanted

Look = Callable[[], Plan]
PASSES = 2
"""How often what did not stick is done again."""
LOOKS = 3
"""How often AWS is asked whether it is as planned: an answer may be some seconds old."""
BETWEEN_LOOKS = 3.0


def setup_plan(aws: Aws, place: Place, wanted: Wanted) -> Plan:
    """Return what has to be done for these wishes, from what there is now."""
    return plan(observe(aws, place, wanted), wanted)


def removal_plan(aws: Aws, place: Place, wanted: Wanted, *, keep_logs: bool) -> Plan:
    """Return what has to be done to take away what setup made, from what there is now."""
    return plan_removal(observe_made(aws, place, wanted), wanted, keep_logs=keep_logs)


def carry_out(
    aws: Aws,
    agreed: Plan,
    look: Look,
    *,
    tell: Callable[[Progress], None],
    sleep: Callable[[float], None],
    profile: str = "",
) -> Plan:
    """Apply the plan that was agreed to, then look again; return the plan as it is then, empty if all is so.

    What did not stick is done once more, but nothing that was not agreed to.
    """
    things = {step.what for step in agreed.changes}
    found = agreed
    for _ in range(PASSES):
        apply(aws, found, tell=tell, sleep=sleep, profile=profile)
        seen = _settled(look, sleep)
        found = msgspec.structs.replace(seen, steps=tuple(step for step in seen.steps if step.what in things))
        if not found.changes:
            break
    return found


def _settled(look: Look, sleep: Callable[[float], None]) -> Plan:
    for _ in range(LOOKS - 1):
        found = look()
        if not found.changes:
            return found
        sleep(BETWEEN_LOOKS)
    return look()
