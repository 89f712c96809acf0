"""What a page of events does to what is known: where and when there are any, and each to the rules that it is for."""

from __future__ import annotations

from collections.abc import Sequence

from smwatch.events.event import Arrival, SeenBy
from smwatch.rules.cases import Cases
from smwatch.rules.route import Router
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.times import EVER
from smwatch.rules.vigil import Stretch
from smwatch.rules.world import World

_FILE = SeenBy.FILE


class Intake:
    """Takes events in.

    Most are one more of the same, at a place and in a second that are known, which their plan only has to note: that is
    done here for all of them, without a call for each. Serves the row "rules" of the benchmarks.
    """

    __slots__ = ("_cases", "_router", "_world")

    def __init__(self, world: World, router: Router, cases: Cases) -> None:
        self._world = world
        self._router = router
        self._cases = cases

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Take these in, in any order."""
        world, router, recalled = self._world, self._router, self._cases.recalled
        turns, known, plan_of, bits = world.turns, router.plans.get, router.plan, SECOND_BITS
        began = EVER if world.beginning.at is None else world.beginning.at
        stretches = dict[tuple[str, str, bool], Stretch]()  # an organisation's trail goes from one place to the other
        account, region, seen_by, first, last, newest = "", "", _FILE, EVER, -1, 0
        for arrival in arrivals:
            event = arrival.event
            key, caller = event.key, event.caller
            second = key >> bits
            if (
                not first <= second <= last
                or caller.region != region
                or caller.account != account
                or event.seen_by is not seen_by
            ):
                if not second or (arrival.decoded is not None and _unreadable(arrival)):
                    continue  # it does not say when it happened, or cannot be read
                if second > newest:
                    newest = second
                if second < began:
                    began = second
                    world.beginning.move(second)
                account, region, seen_by = caller.account, caller.region, event.seen_by
                stretch = stretches.get(place := (account, region, seen_by is _FILE))
                if stretch is None:
                    stretch = stretches[place] = world.vigil.stretch((account, region), recorded=seen_by is _FILE)
                    world.accounts.see(account)
                if not stretch.first <= second <= stretch.last:
                    stretch.see(second)
                first, last = stretch.first, stretch.last
            if recalled and key in recalled and not _unreadable(arrival):
                self._cases.recognise(event)
            plan = known(arrival.likeness) if turns.count == router.turn else None
            if plan is None and (
                (arrival.decoded is not None and _unreadable(arrival)) or (plan := plan_of(arrival)) is None
            ):
                continue
            if not plan.since <= second <= plan.until:
                plan.hear(arrival, second)
                continue
            noted = plan.noted
            noted.append(event)
            if len(noted) >= plan.most:
                plan.pass_on(arrival, second)
        world.move(newest, newest)


def _unreadable(arrival: Arrival) -> bool:
    return arrival.decoded is not None and not arrival.decoded
