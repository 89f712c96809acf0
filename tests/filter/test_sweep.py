"""A filter over all events by the numbers of their calls and callers, against asking each."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from smwatch.events.call import Caller
from smwatch.events.event import Event
from smwatch.events.numbered import Numbered
from smwatch.filter import Context, parse
from smwatch.filter.sweep import ASKED, BMP, Sweep
from smwatch.filter.word import Word
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


@pytest.mark.parametrize("before", TEXTS)
@pytest.mark.parametrize("text", ["prod", "-prod", "app-3", "user:app-1", "user:asia*7", "denied prod", "10.0.0.12"])
def test_a_sweep_after_another_keeps_what_the_filter_keeps(before: str, text: str) -> None:
    numbered = Numbered()
    numbered.added(EVENTS, EVENTS, steady=False)
    first = parse(before, CONTEXT).sweep(numbered)
    assert first is not None
    while first.ask():
        pass
    first.pick(EVENTS, 0, len(EVENTS))
    chosen = parse(text, CONTEXT)
    second = chosen.sweep(numbered, before=first)
    assert second is not None
    while second.ask():
        pass
    assert second.pick(EVENTS, 0, len(EVENTS)) == [event for event in EVENTS if chosen(event)]


class Noting(Word):
    """Notes how many callers it was asked about."""

    asked = 0

    def finds_callers(self, callers: Sequence[Caller]) -> list[bool]:
        self.asked += len(callers)
        return super().finds_callers(callers)


def of_callers(names: Iterable[str]) -> list[Event]:
    """An event of each."""
    return [replace(EVENTS[0], key=n, caller=replace(EVENTS[0].caller, text=text)) for n, text in enumerate(names)]


def through(text: str, numbered: Numbered, before: Sweep | None = None) -> tuple[Sweep, int]:
    """A sweep that looks for a text and has asked, and of how many callers."""
    word = Noting(text)
    sweep = Sweep([word], numbered, before=before)
    while sweep.ask():
        pass
    return sweep, word.asked


def test_a_narrower_sweep_asks_only_about_what_the_one_before_it_found() -> None:
    events, numbered = of_callers(f"caller-{n}" for n in range(3 * ASKED)), Numbered()
    numbered.added(events, events, steady=False)
    first, asked = through("caller-77", numbered)
    assert asked == 3 * ASKED
    second, asked = through("caller-777", numbered, first)
    assert asked == 111
    assert second.pick(events, 0, len(events)) == [events[777], *events[7770:7780]]
    more = [replace(event, key=event.key + len(events)) for event in of_callers(["caller-777 b", "other"])]
    numbered.added(more, events + more, steady=False)
    third, asked = through("caller-777", numbered, second)
    assert asked == 2
    assert third.pick(events + more, 7775, len(events) + 2) == [*events[7775:7780], more[0]]


def test_what_was_said_of_a_value_is_not_said_of_one_that_has_got_its_number() -> None:
    events, numbered = of_callers(["aa", "b", "ab"]), Numbered()
    numbered.added(events, events, steady=False)
    first, _ = through("a", numbered)
    numbered.dropped(2)
    more = [replace(event, key=event.key + 3) for event in of_callers(["abc", "b"])]
    numbered.added(more, [events[2], *more], steady=False)
    second, asked = through("ab", numbered, first)
    assert asked == 3
    assert second.pick([events[2], *more], 0, 3) == [events[2], more[0]]


@pytest.fixture(scope="module")
def as_many_callers_as_characters() -> tuple[list[Event], Numbered]:
    """Their numbers are brackets, surrogates and whatever else characters are."""
    events, numbered = of_callers(f"{n} of {n:x}." for n in range(BMP)), Numbered()
    numbered.added(events, events, steady=False)
    return events, numbered


@pytest.mark.parametrize("text", ["5d.", "d800.", "dfff.", "feff.", "of 0.", "of 5", "of d8", "of 2", "ffff."])
def test_whatever_number_a_value_has_it_is_found(
    as_many_callers_as_characters: tuple[list[Event], Numbered], text: str
) -> None:
    events, numbered = as_many_callers_as_characters
    sweep, _ = through(text, numbered)
    assert sweep.pick(events, 0, len(events)) == [event for event in events if text in event.caller.text]
    assert sweep.pick(events, 50, 2_000) == [event for event in events[50:2_000] if text in event.caller.text]


def test_many_values_are_asked_about_in_steps() -> None:
    *_, steps = asked_of_many("caller-77")
    assert steps == 4
