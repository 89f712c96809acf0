"""The story of the demo: what happens when, for ever; the same again for the same base time.

An hour of everyday use lies before the base, and near its end someone deletes a secret that is still needed. Minutes
after the base it is restored. From then on a like incident, about another secret, comes every ten minutes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import count

import msgspec

from smwatch.sources.demo import cast
from smwatch.sources.demo.cast import Caller
from smwatch.sources.demo.happening import Happening, delivered, moment_at, shares
from smwatch.sources.demo.records import MARKED_FOR_DELETION, Clerk, secret_arn, uuid_of
from smwatch.sources.demo.scenes import (
    SWEPT,
    Incident,
    Scene,
    batch,
    deletion,
    denied_sweep,
    disguise,
    look_around,
    opened_to_all,
    rotation,
)

HISTORY = 3600
"""Seconds of story before the base."""
ROUND = 600
"""Seconds from one incident to the next."""
FIRST_ENDS = 300
"""Seconds after the base when the first incident is over and everything about it has been delivered."""


class Habit(msgspec.Struct, frozen=True):
    """An ordinary reader of a secret."""

    by: Caller
    secret: str
    every: float
    by_arn: bool = False
    customer_key: bool = False
    """The secret has a key of the customer's own, so that each read shows up in KMS too."""


HABITS = (
    Habit(cast.PAYMENTS, "prod/payments/db", 31, by_arn=True, customer_key=True),
    Habit(cast.PAYMENTS, "prod/payments/card-vault", 61, by_arn=True, customer_key=True),
    Habit(cast.CHECKOUT, "prod/checkout/stripe-api", 29),
    Habit(cast.STOREFRONT, "prod/search/opensearch", 43),
    Habit(cast.STOREFRONT, "prod/web/session-key", 53),
    Habit(cast.ORDERS, "prod/orders/rabbitmq", 37, by_arn=True),
    Habit(cast.ORDERS, "prod/shipping/carrier-api", 79, by_arn=True),
    Habit(cast.INVOICES, "prod/billing/quickbooks", 97),
    Habit(cast.INVOICES, "shared/smtp", 139),
    Habit(cast.REPORTING, "shared/smtp", 193),
    Habit(cast.CI, "staging/payments/db", 293),
)
VICTIMS = ("prod/checkout/stripe-api", "prod/billing/quickbooks", "prod/shipping/carrier-api", "prod/web/session-key")


def incident(turn: int) -> Incident:
    """The incident of a turn, the first of which is under way at the base."""
    if turn == 0:
        return Incident(VICTIMS[0], cast.ALICE, -420, 84)
    by = cast.ALICE if turn % 2 == 0 else cast.CAROL
    return Incident(VICTIMS[turn % len(VICTIMS)], by, ROUND * turn + 20, ROUND * turn + 200)


class Story:
    """Everything that happens, told from a base time."""

    def __init__(self, base: datetime) -> None:
        self.base = base.replace(microsecond=0)

    def happenings(self) -> Iterator[Happening]:
        """All of it, in the order of time; never ends."""
        habits = [self._everyday(habit) for habit in HABITS]
        return heapq.merge(self._scripted(), *habits, key=lambda happening: happening.at)

    # -- everyday use

    def _everyday(self, habit: Habit) -> Iterator[Happening]:
        clerk = Clerk(f"{self.base}/{habit.by.arn}/{habit.secret}")
        version = uuid_of(habit.secret)
        for n in count():
            at = -HISTORY + habit.every * (n + 0.7 * shares(f"{habit.secret}/{n}")[0])
            moment = moment_at(self.base, at)
            request = {"secretId": secret_arn(habit.secret) if habit.by_arn else habit.secret}
            error = MARKED_FOR_DELETION if _is_deleted(habit.secret, at) else None
            yield delivered(moment, clerk.call(moment, "GetSecretValue", habit.by, request, error=error))
            if habit.customer_key and not error:
                yield delivered(moment, clerk.decryption(moment, habit.by, habit.secret, version), kms=True)

    # -- what is scripted

    def _scripted(self) -> Iterator[Happening]:
        for turn in count():
            scene = Scene(self.base, f"turn {turn}")
            if turn == 0:
                _the_hour_before(scene)
            else:
                _another_turn(scene, turn)
            yield from scene.happenings()


def _the_hour_before(scene: Scene) -> None:
    rotation(scene, -3300, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")
    batch(scene, -2760)
    look_around(scene, -2400, cast.ALICE, "prod/billing/quickbooks")
    rotation(scene, -1980, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=True)
    rotation(scene, -1500, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=True)
    denied_sweep(scene, -1260)
    disguise(scene, -840)
    batch(scene, -600)
    deletion(scene, incident(0))
    # The event history brings this one only when everything around it has long been seen.
    scene.call(-436, "GetSecretValue", cast.ALICE, secret_arn(VICTIMS[0]), late=420)
    opened_to_all(scene, 8, 130, "prod/search/opensearch")
    batch(scene, 240)
    rotation(scene, 330, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")


def _another_turn(scene: Scene, turn: int) -> None:
    begin = turn * ROUND
    deletion(scene, incident(turn))
    opened_to_all(scene, begin + 110, begin + 240, SWEPT[turn % len(SWEPT)])
    rotation(scene, begin + 300, "prod/payments/db", cast.PAYMENTS_ROTATION, "rotate-payments-db")
    denied_sweep(scene, begin + 370)
    rotation(scene, begin + 430, "prod/orders/rabbitmq", cast.ORDERS_ROTATION, "rotate-orders-mq", fails=turn % 2 == 0)
    batch(scene, begin + 480)
    if turn % 3 == 2:
        scene.call(begin + 520, "ListSecrets", cast.ROOT, more={"maxResults": 100, "includePlannedDeletion": True})
    if turn % 2:
        disguise(scene, begin + 540)


def _is_deleted(secret: str, offset: float) -> bool:
    turn = max(0, int(offset // ROUND))
    return any(it.secret == secret and it.deleted < offset < it.restored for it in map(incident, (turn, turn + 1)))
