"""What tests of the AWS side do with an account: set it up, look at it raw, break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.model import OperationModel

from smwatch.setup.apply import Progress
from smwatch.setup.aws import Aws
from smwatch.setup.place import Place
from smwatch.setup.plan import Plan
from smwatch.setup.run import carry_out, removal_plan, setup_plan
from smwatch.setup.wanted import Wanted

Made = tuple[str, str, Mapping[str, object]]
"""A call as (service, operation, parameters)."""
Hook = Callable[[str], None]

READING = ("Describe", "Filter", "Get", "Head", "List", "Lookup", "Test")
"""How the names of operations begin that change nothing."""


class Wire:
    """Sees every call of a session, before it is sent."""

    def __init__(self, session: boto3.Session) -> None:
        self.made: list[Made] = []
        self.before: list[Hook] = []
        session.events.register("provide-client-params", self._provided)
        session.events.register("before-call", self._before)

    def _provided(self, params: Mapping[str, object], model: OperationModel, **_: object) -> None:
        self.made.append((model.service_model.service_name, model.name, dict(params)))

    def _before(self, model: OperationModel, **_: object) -> None:
        for hook in self.before:
            hook(model.name)


@dataclass(frozen=True)
class Account:
    """An account that is to be set up, with what is seen on the wire."""

    aws: Aws
    wire: Wire
    place: Place

    def plan(self, wanted: Wanted) -> Plan:
        return setup_plan(self.aws, self.place, wanted)

    def set_up(self, wanted: Wanted) -> Plan:
        """Carry the plan out; return what is not as planned."""
        return carry_out(self.aws, self.plan(wanted), lambda: self.plan(wanted), tell=ignore, sleep=ignore)

    def plan_removal(self, wanted: Wanted, *, keep_logs: bool = False) -> Plan:
        return removal_plan(self.aws, self.place, wanted, keep_logs=keep_logs)

    def remove(self, wanted: Wanted, *, keep_logs: bool = False) -> Plan:
        def look() -> Plan:
            return self.plan_removal(wanted, keep_logs=keep_logs)

        return carry_out(self.aws, look(), look, tell=ignore, sleep=ignore)

    def arn(self, service: str, resource: str) -> str:
        return self.place.arn(service, resource)


@contextmanager
def broken_off(account: Account, at: int) -> Iterator[None]:
    """Press Ctrl-C just before the `at`-th call that changes something."""
    count = 0

    def press(operation: str) -> None:
        nonlocal count
        count += changing(operation)
        if changing(operation) and count == at:
            raise KeyboardInterrupt

    account.wire.before.append(press)
    try:
        yield
    finally:
        account.wire.before.remove(press)


def ignore(_: Progress | float) -> None:
    """Neither tell anybody nor wait."""


def changing(operation: str) -> bool:
    """Whether an operation changes something."""
    return not operation.startswith(READING)
