"""What comes together is told together: alarms are worked out once for all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.events.event import Arrival
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.watched import Watched
from smwatch.rules.alarm import Decided
from smwatch.rules.engine import Engine
from smwatch.sources.coverage import Span
from smwatch.sources.source import State, Status
from smwatch.store.judging import Judging
from smwatch.store.ledger import Ledger
from smwatch.store.store import Store
from tests import records
from tests.rules.judging import after, arrivals, catalogue


def deliveries(*parts: list[Arrival]) -> list[Delivery]:
    """These, all of which have come together."""
    return [
        Delivery(tuple((0, arrival) for arrival in part), more=number < len(parts))
        for number, part in enumerate(parts, 1)
    ]


@pytest.mark.parametrize("kind", [Store, Ledger])
@pytest.mark.parametrize("again", [False, True])
def test_an_alarm_that_several_parts_of_a_page_change_is_told_once_with_the_last_of_them(
    kind: type[Judging], again: bool
) -> None:
    reads = arrivals(records.read_deleted("prod/gone", at=after(n)) for n in range(6))
    store, whole = kind(engine=Engine(catalogue())), kind(engine=Engine(catalogue()))
    last = reads[:2] if again else reads[4:]  # known already: there is nothing new to judge with it
    told = [delivery.into(store)[1] for delivery in deliveries(reads[:2], reads[2:4], last)]
    assert told[:2] == [{}, {}]
    assert {alarm.count for alarm in told[2].values()} == {4 if again else 6}
    whole.add(reads[:4] if again else reads)
    assert store.alarms == whole.alarms
    assert told[2] == store.alarms


@pytest.mark.parametrize("kind", [Store, Ledger])
def test_a_delivery_has_alarms_worked_out_once_whatever_it_brings(kind: type[Judging]) -> None:
    engine = Engine(catalogue())
    store, engine.at_once = kind(engine=engine), 1
    source, hour = "cloudtrail:111122223333:eu-west-1", timedelta(hours=1)
    reads = arrivals(records.read_deleted(f"prod/gone-{n}", at=after(n)) for n in range(6))
    delivery = Delivery(
        tuple((0, arrival) for arrival in reads),
        statuses=(Status(source, "CloudTrail", State.OK, "", at=after(9), last_good_at=after(9)),),
        watched=(Watched(source, (Span(records.AT - hour, records.AT + hour),)),),
        decided=Decided(()),
    )
    _, told = delivery.into(store)
    assert len(told) == 1
    while store.unsettled:
        store.settle()
    assert len(store.alarms) == len(reads)
