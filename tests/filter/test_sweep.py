"""A filter over all events by the numbers of their calls and callers, against asking each."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from smwatch.events.event import Event
from smwatch.events.numbered import Numbered
from smwatch.filter import Context, parse
from smwatch.filter.sweep import ASKED, Sweep
from tests import records
from tests.rules.judging import counting_calls

KEYS = set[int]()
CONTEXT = Context(record_of=lambda _: {}, levels=KEYS)
CALLS = (records.read, records.describe, records.put, records.denied)
EVENTS = sorted(
    (
        records.event(
            CALLS[n % 4](
                f"{('prod', 'dev')[n % 2]}/db-{n % 7}",
                by=records.role(f"app-{n % 5}", f"i-{n % 11:012x}", key=f"ASIA{n % 13:016}"),
                at=records.AT + timedelta(seconds=n),
                sourceIPAddress=f"10.0.0.{n % 17}",
                id=f"event {n}" if n % 10 == 0 else None,
            )
        )
        for n in range(400)
    ),
    key=lambda event: event.key,
)
KEYS.update(event.key for event in EVENTS[::9])
ODD = records.event(records.read("odd", eventID="0123ABCD-beef"))
MIDDLE = EVENTS[201].id
TEXTS = [
    *("prod", "-prod", "nothing", "app-3", "i-000000000004", "10.0.0.1", "asia0000", "name:get*", "-name:get*"),
    *(
        "user:app-1",
        "user:app-1,app-2",
        "user:app-1,asia*7",
        "-user:i-00000000000a,asia*",
        "-user:*app-1*",
        "user:asia*7",
        "ip:10.0.0.1*",
        "ip:10.0.0.1,10.0.0.2",
    ),
    *("secret:prod/", "-secret:dev/*", "error", "-error", "denied", "read", "write", "region:eu*", "agent:boto"),
    *("prod app-3", "prod -app-3", "-prod -app-3", "prod user:app-1 -error", "name:get* secret:dev/", "alarm prod"),
    *(
        "-alarm -prod",
        MIDDLE,
        MIDDLE[:13],
        f"prod {MIDDLE[9:]}",
        f"-{MIDDLE[:8]}",
        f"id:{MIDDLE[:6]} db",
        "111122223333",
    ),
    *("0123abcd-beef", "000000000004 prod", "-000000000004 -prod", "i-000000000004 prod", "i-000000000004 -10.0.0.1"),
    *("prod secretsmanager", "secretsmanager", "-secretsmanager", "event 20 prod", "-event"),
]


def swept(text: str, events: list[Event], *, since: int = 0) -> list[Event]:
    numbered = Numbered()
    numbered.added(events, events, steady=False)
    sweep = parse(text, CONTEXT).sweep(numbered, since=since)
    assert sweep is not None
    while sweep.ask():
        pass
    middle = len(events) // 3
    return sweep.pick(events, 0, middle) + sweep.pick(events, middle, len(events))


@pytest.mark.parametrize("text", TEXTS)
def test_a_sweep_keeps_what_the_filter_keeps(text: str) -> None:
    events, chosen = sorted([*EVENTS, ODD], key=lambda event: event.key), parse(text, CONTEXT)
    kept = [event for event in events if chosen(event)]
    assert swept(text, events) == kept == chosen.select(events)
    since = EVENTS[250].key
    assert swept(text, events, since=since) == [event for event in kept if event.key >= since]


@pytest.mark.parametrize(
    "text",
    [
        "id:0123*",
        "id:*bcd-be*",
        "-id:*bcd-be*",
        f"id:{MIDDLE}",
        f"id:{MIDDLE[:3]}*",
        "id:?*-beef",
        f"-id:*{MIDDLE[9:18]}*",
    ],
)
def test_ids_are_found_by_their_digits(text: str) -> None:
    events, chosen = sorted([*EVENTS, ODD], key=lambda event: event.key), parse(text, CONTEXT)
    assert chosen.select(events) == [event for event in events if chosen(event)]
    assert chosen.select([]) == []


def asked_of_many(text: str) -> tuple[list[Event], Sweep, int]:
    """Events, each by a caller of its own, what a filter said of these, and in how many steps it did."""
    numbered = Numbered()
    events = [replace(EVENTS[0], key=n, caller=replace(EVENTS[0].caller, text=f"caller-{n}")) for n in range(3 * ASKED)]
    numbered.added(events, events, steady=False)
    sweep = parse(text, CONTEXT).sweep(numbered)
    assert sweep is not None
    steps = 0
    while sweep.ask():
        steps += 1
    return events, sweep, steps


def test_what_few_are_left_is_all_that_is_asked_about() -> None:
    events, sweep, steps = asked_of_many("caller-77 caller-777")
    assert steps == 4
    assert [event.key for event in sweep.pick(events, 0, len(events))] == [777, *range(7770, 7780)]


@pytest.mark.parametrize("text", ["", "alarm", "id:abc", '{ $.eventName = "GetSecretValue" }'])
def test_there_is_none_where_only_events_themselves_are_asked_about(text: str) -> None:
    assert parse(text, CONTEXT).sweep(Numbered()) is None


@pytest.mark.parametrize("text", ["app-3", "-prod", "user:app-1", "name:get*", "prod app-3"])
def test_to_go_through_more_events_takes_no_more_calls(text: str) -> None:
    _, few = counting_calls(lambda: swept(text, EVENTS[:100]))
    _, many = counting_calls(lambda: swept(text, EVENTS[:100] * 10))
    assert many <= few + 9  # what a collection of garbage calls is counted, too


def test_many_values_are_asked_about_in_steps() -> None:
    *_, steps = asked_of_many("caller-77")
    assert steps == 4
