"""The store against a naive one: everything ever added, sorted, cut and filtered anew."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smwatch.store.store
from smwatch.dossier import SecretDossier, dossiers
from smwatch.dossier.again import Again
from smwatch.events.event import Arrival, Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.filter import Context, parse
from smwatch.record import Record
from smwatch.rules.alarm import EVIDENCE, Alarm, AlarmState, Decided, Mute, Severity
from smwatch.rules.engine import Engine
from smwatch.sources.coverage import Span
from smwatch.sources.source import State, Status
from smwatch.store import marks
from smwatch.store.change import MANY
from smwatch.store.judging import Corrected
from smwatch.store.store import Store
from tests import records
from tests.filter.steps import in_steps
from tests.rules.judging import catalogue

AT = records.AT


def arrival(record: Record) -> Arrival:
    return Reader().read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=AT)


def arrivals(count: int, ip: str = "203.0.113.12") -> list[Arrival]:
    return [arrival(records.read(at=AT + timedelta(seconds=i), id=f"{i}", sourceIPAddress=ip)) for i in range(count)]


NAMES = ("prod/db", "prod/db2", "dev/db", "x")
SECRETS = [Secret(records.ACCOUNT, records.REGION, name) for name in NAMES]
MAKERS = (records.read, records.describe, records.denied, records.read_deleted, records.delete)
POOL = [
    arrival(
        MAKERS[i % 5](NAMES[i % 4], at=AT + timedelta(seconds=i * 11 % 37), by=records.role(f"role-{i % 3}"), id=f"{i}")
    )
    for i in range(70)
] + [
    arrival(records.batch(list(NAMES[:2]), at=AT + timedelta(seconds=3))),
    arrival(records.batch(list(NAMES[1:3]), at=AT + timedelta(seconds=30))),
    arrival({}),
]
KEYS = [one.event.key for one in POOL]


def alarm(group: str, keys: Sequence[int], severity: Severity = Severity.HIGH, state: str = "open") -> Alarm:
    return Alarm(
        group=group,
        rule=group,
        severity=severity,
        state=AlarmState(state),
        title=group,
        why="",
        count=len(keys),
        first_at=AT,
        last_at=AT,
        changed_at=AT,
        event_keys=tuple(sorted(keys))[-EVIDENCE:],
    )


class ByPrincipal:
    """Raises an alarm for each principal whose calls fail, with all of them as evidence."""

    def __init__(self) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.mutes: list[Mute] = []
        self.judged: list[int] = []
        self.fed: list[tuple[str, datetime | None, datetime]] = []
        self.was_watched: list[tuple[tuple[str, str], list[tuple[int, int]]]] = []

    def judge(self, arrivals: Sequence[Arrival], *, more: bool = False) -> Sequence[Alarm]:
        self.judged += [one.event.key for one in arrivals]
        changed: dict[str, Alarm] = {}
        for one in arrivals:
            event = one.event
            if event.failed:
                before = self.alarms.get(event.principal.name)
                keys = [*(before.event_keys if before is not None else ()), event.key]
                changed[event.principal.name] = self.alarms[event.principal.name] = alarm(event.principal.name, keys)
        return tuple(changed.values())

    def mute(self, mute: Mute) -> Sequence[Alarm]:
        group = mute.identity
        self.mutes.append(mute)
        self.alarms[group] = msgspec.structs.replace(self.alarms[group], muted_until=mute.until)
        return (self.alarms[group],)

    def adopt(self, decided: Decided, *, more: bool = False) -> Sequence[Alarm]:
        return [alarm for mute in decided.mutes for alarm in self.mute(mute)]

    def feed(self, source: str, newest_at: datetime | None, now: datetime, *, more: bool = False) -> Sequence[Alarm]:
        self.fed.append((source, newest_at, now))
        return ()

    def watched(
        self, place: tuple[str, str], spans: Iterable[tuple[int, int]], *, more: bool = False
    ) -> Sequence[Alarm]:
        self.was_watched.append((place, list(spans)))
        return ()

    def tick(self, now: datetime) -> Sequence[Alarm]:
        return ()

    @property
    def unsettled(self) -> bool:
        return False

    def settle(self) -> Sequence[Alarm]:
        return ()

    def fold(self, renames: Iterable[tuple[Secret, Secret]]) -> Sequence[Alarm]:
        return ()

    def acknowledge(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        self.alarms[group] = msgspec.structs.replace(self.alarms[group], state=AlarmState.ACKNOWLEDGED)
        return (self.alarms[group],)

    def close(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        self.alarms[group] = msgspec.structs.replace(self.alarms[group], state=AlarmState.CLOSED)
        return (self.alarms[group],)


Deed = tuple[str, object]
DEEDS = st.one_of(
    st.tuples(st.just("add"), st.lists(st.integers(0, len(POOL) - 1), max_size=15)),
    st.tuples(
        st.just("choose"), st.sampled_from([None, "prod", "prod/db", "secret:dev/db", "alarm", "-alarm", "alarm dev"])
    ),
    st.tuples(st.just("step"), st.none()),
    st.tuples(
        st.just("fold"), st.lists(st.tuples(st.sampled_from(SECRETS), st.sampled_from(SECRETS)), min_size=1, max_size=3)
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(DEEDS, max_size=20), st.integers(5, 40), st.sampled_from([None, 1, 7]))
def test_whatever_happens_the_store_is_what_a_naive_one_would_be(
    deeds: list[Deed], capacity: int, at_once: int | None
) -> None:
    engine = ByPrincipal()
    store = Store(capacity=capacity, engine=engine)
    store.at_once = at_once
    context = Context(record_of=lambda event: {}, levels=store.levels)
    view = store.view()
    known: dict[int, tuple[Secret, ...]] = {}
    added = 0
    for deed, what in deeds:
        if deed == "add":
            assert isinstance(what, list)
            fresh = {KEYS[i] for i in what} - known.keys()
            change = store.add([POOL[i] for i in what])
            assert {event.key for event in change.added} == fresh
            assert sorted(engine.judged[len(engine.judged) - len(fresh) :]) == sorted(fresh)
            for event in change.added:
                known[event.key] = secrets_of(event)
            added += len(fresh)
            gone = sorted(known)[: max(0, len(known) - capacity)]
            assert change.evicted == len(gone)
            for key in gone:
                del known[key]
        elif deed == "choose":
            chosen = None if what is None else parse(str(what), context)
            view.choose(None if chosen is None else in_steps(chosen, 4))
        elif deed == "step":
            view.step()
        else:
            assert isinstance(what, list)
            store.fold(what)
            while store.set_right():
                assert at_once is not None, "all was to be set right at once"
                assert [event.key for event in store.events] == sorted(known)
            for old, new in what:
                for key, secrets in known.items():
                    known[key] = tuple(dict.fromkeys(new if secret == old else secret for secret in secrets))
        assert {event.key: secrets_of(event) for event in store.events} == known
        assert [event.key for event in store.events] == sorted(known)
        assert len(store.events) + store.dropped == added
        assert store.names == Counter(event.name for event in store.events)
        assert set(store.levels).issuperset(key for one in engine.alarms.values() for key in one.event_keys)
        expected = [event for event in store.events if view.chosen is None or view.chosen(event)]
        assert view.rows == (expected[len(expected) - len(view.rows) :] if view.busy else expected)


def secrets_of(event: Event) -> tuple[Secret, ...]:
    return () if event.secret is None else (event.secret, *event.others)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("cloudtrail:111122223333:eu-west-1", ("111122223333", "eu-west-1")),
        ("cloudtrail:unknown-5ad4340e:eu-west-1", ("", "eu-west-1")),
        ("logs:111122223333:eu-west-1:CloudTrail/SecretsManager", ("", "")),
        ("files", ("", "")),
    ],
)
def test_the_rules_are_told_what_was_watched_and_of_where(source: str, place: tuple[str, str]) -> None:
    judge = ByPrincipal()
    Store(engine=judge).watched(source, [Span(AT, AT + timedelta(hours=1))])
    second = int(AT.timestamp())
    assert judge.was_watched == [(place, [(second, second + 3600)])]


@given(st.permutations(POOL[:40]), st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_the_order_of_arrival_does_not_show(order: list[Arrival], size: int) -> None:
    first, second = Store(), Store()
    first.add(POOL[:40])
    for start in range(0, 40, size):
        second.add(order[start : start + size])
    assert first.events == second.events
    now = AT + timedelta(hours=1)
    for secret, dossier in first.secrets.items():
        assert dossier.users(now) == second.secrets[secret].users(now)
        assert dossier.timeline() == second.secrets[secret].timeline()
        assert dossier.lifecycle(now) == second.secrets[secret].lifecycle(now)
    for identity, principal in first.principals.items():
        assert tuple(principal.secrets) == tuple(second.principals[identity].secrets)


@pytest.mark.parametrize("together", [True, False])
def test_a_call_that_two_accounts_record_is_counted_once_whether_they_come_together_or_not(together: bool) -> None:
    callers, owners = arrivals(2)
    owners.counted_as, owners.shared_id = callers.event.key, "shared"
    store = Store()
    for batch in [[callers, owners]] if together else [[callers], [owners]]:
        store.add(batch)
    assert len(store.events) == 2
    assert [dossier.events for dossier in store.secrets.values()] == [1]


def test_a_late_event_is_put_where_it_belongs() -> None:
    early, late = arrivals(2)
    store = Store()
    store.add([late])
    store.add([early])
    assert store.events == [early.event, late.event]
    assert store.find(early.event.key) is store.events[0]
    assert store.find(early.event.key + 1) is None


def test_what_is_known_already_changes_nothing_and_wakes_nobody() -> None:
    store = Store()
    woken: list[int] = []
    store.add(arrivals(3))
    subscription = store.subscribe(lambda: woken.append(1))
    assert not store.add(arrivals(3))
    assert not woken
    assert not subscription.take()


def test_many_changes_wake_a_subscriber_once_until_it_looks() -> None:
    store = Store(engine=ByPrincipal())
    woken: list[int] = []
    subscription = store.subscribe(lambda: woken.append(1))
    events = [arrival(records.denied(at=AT + timedelta(seconds=i), id=f"{i}")) for i in range(50)]
    for one in events:
        store.add([one])
    store.report(Status("logs", "Logs", State.OK, "", at=AT))
    assert len(woken) == 1
    change = subscription.take()
    assert change.added == [one.event for one in events]
    assert set(change.alarms) == {"payments-api"}
    assert change.sources == {"logs"}
    assert change.secrets == set(store.secrets)
    assert not subscription.take()
    store.add([arrival(records.put())])
    assert len(woken) == 2


def test_each_subscriber_gets_all_whenever_others_take_it() -> None:
    store = Store()
    one, two = store.subscribe(lambda: None), store.subscribe(lambda: None)
    store.add(arrivals(2))
    assert len(one.take().added) == 2
    store.add(arrivals(3))
    assert [len(each.take().added) for each in (one, two)] == [1, 3]


def test_the_oldest_are_dropped_in_slabs_and_counted() -> None:
    store = Store(capacity=100)
    view = store.view(parse("prod", Context(record_of=lambda event: {}, levels=())))
    many = arrivals(500)
    for one in many:
        store.add([one])
        assert len(store.events) <= 101
    assert store.dropped == 500 - len(store.events)
    assert store.events == [one.event for one in many][store.dropped :]
    assert view.rows == store.events
    assert store.secrets[SECRETS[0]].events == 500


def test_an_alarm_marks_its_evidence_and_takes_the_mark_back() -> None:
    store = Store()
    context = Context(record_of=lambda event: {}, levels=store.levels)
    events = [one.event for one in arrivals(4)]
    store.add(arrivals(4))
    view = store.view(parse("alarm", context))
    raise_(store, alarm("low", [event.key for event in events[:3]], Severity.LOW))
    assert view.rows == events[:3]
    raise_(store, alarm("bad", [events[1].key], Severity.CRITICAL))
    assert [store.levels[event.key].group for event in events[:3]] == ["low", "bad", "low"]
    raise_(store, alarm("bad", [events[1].key], Severity.CRITICAL, "closed"))
    assert store.levels[events[1].key].group == "low"
    raise_(store, alarm("low", [events[2].key, events[3].key], Severity.LOW))
    assert view.rows == events[1:]
    raise_(store, alarm("bad", []))
    raise_(store, alarm("low", []))
    assert view.rows == []
    assert store.levels == {}


def raise_(store: Store, *alarms: Alarm) -> None:
    store.engine = Given({one.group: one for one in alarms})
    store.recall()


class Given(ByPrincipal):
    """An engine that has been given alarms back."""

    def __init__(self, alarms: Mapping[str, Alarm]) -> None:
        super().__init__()
        self.alarms = dict(alarms)


def test_more_evidence_than_an_alarm_carries_stays_marked_until_it_is_dropped() -> None:
    store = Store(capacity=200)
    many = arrivals(EVIDENCE + 50)
    store.add(many)
    keys = [one.event.key for one in many]
    raise_(store, alarm("a", keys[:EVIDENCE]))
    raise_(store, alarm("a", keys))
    assert set(store.levels) == set(keys)
    store.add([arrival(records.put(at=AT + timedelta(hours=1), id=f"{i}")) for i in range(200)])
    assert set(store.levels) == set(keys[-EVIDENCE:])


def test_evidence_that_comes_after_its_alarm_is_marked_at_once() -> None:
    store = Store()
    context = Context(record_of=lambda event: {}, levels=store.levels)
    one, two = arrivals(2)
    raise_(store, alarm("a", [one.event.key]))
    view = store.view(parse("alarm", context))
    store.add([one, two])
    assert view.rows == [one.event]


def test_alarms_that_the_engine_has_let_go_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "LET_GO", 2)
    store = Store()
    many = arrivals(10)
    store.add(many)
    for i, one in enumerate(many):
        raise_(store, alarm(f"group {i}", [one.event.key]))
        assert len(store.levels) <= 3
    assert many[-1].event.key in store.levels


def test_of_many_alarms_that_the_engine_has_let_go_few_are_forgotten_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "LET_GO", 20)
    monkeypatch.setattr(marks, "AT_ONCE", 3)
    store, held = Store(), list[int]()
    many = arrivals(60)
    for n in range(40):
        store._marks.mark(alarm(f"group {n}", [many[n].event.key]), lambda key: True)
    for one in many[40:]:
        raise_(store, alarm(one.event.id, [one.event.key]))
        held.append(len(store._marks._raised))
    assert max(before - now for before, now in pairwise([40, *held])) == 2
    assert held[-1] <= 21
    for n in range(40):
        store._marks.mark(alarm(f"group {n}", [many[n].event.key]), lambda key: True)
    store._marks.let_go({}, lambda key: True, 40)  # so many were raised, so as many and more have to go
    assert not store._marks._raised


def test_a_persons_decision_reaches_alarm_and_subscriber() -> None:
    store = Store(engine=ByPrincipal())
    store.add([arrival(records.denied())])
    subscription = store.subscribe(lambda: None)
    store.acknowledge("payments-api", "mine", AT)
    assert store.alarms["payments-api"].state == "acknowledged"
    store.close("payments-api", "done", AT)
    assert store.alarms["payments-api"].state == "closed"
    store.mute(Mute(AT, identity="payments-api"))
    assert store.alarms["payments-api"].muted_until == AT
    assert set(subscription.take().alarms) == {"payments-api"}


def test_the_rules_hear_each_time_that_a_source_was_read_whole() -> None:
    judge = ByPrincipal()
    store = Store(engine=judge)
    status = Status("cloudtrail", "CloudTrail", State.OK, newest_at=AT, last_good_at=AT)
    store.report(status)
    store.report(status)
    store.report(msgspec.structs.replace(status, state=State.THROTTLED, last_good_at=None))
    assert judge.fed == [("cloudtrail", AT, AT)]


def test_two_names_of_one_secret_become_one_everywhere() -> None:
    store = Store()
    wrong, right = SECRETS[1], SECRETS[0]
    store.add([arrival(records.read("prod/db2", id="1")), arrival(records.put("prod/db", id="2"))])
    view = store.view(parse("secret:prod/db", Context(record_of=lambda event: {}, levels=())))
    assert len(view.rows) == 1
    subscription = store.subscribe(lambda: None)
    store.fold([(wrong, right)])
    assert {event.secret for event in store.events} == {right}
    assert view.rows == store.events
    assert all("prod/db" in event.text for event in store.events)
    assert list(store.secrets) == [right]
    assert store.secrets[right].events == 2
    assert [touched.secret for principal in store.principals.values() for touched in principal.secrets] == [right]
    change = subscription.take()
    assert change.renamed
    assert change.secrets == {wrong, right}


def test_alarms_are_recalled_in_parts_where_a_screen_waits_and_as_somebody_has_decided_meanwhile() -> None:
    alarms = {f"{number}": alarm(f"{number}", [number]) for number in range(1, 6)}
    engine = Given(alarms)
    store = Store(engine=engine)
    store.at_once = 2
    subscription, parts = store.subscribe(lambda: None), list[dict[str, Alarm]]()
    store.recall()
    engine.alarms["1"] = alarm("1", [1], state="closed")
    while store.set_right():
        parts.append(subscription.take().alarms)
    assert [len(part) for part in parts] == [2, 2, 1]
    assert parts[0] | parts[1] | parts[2] == engine.alarms
    assert {key: marked.group for key, marked in store.levels.items()} == {
        number: f"{number}" for number in range(1, 6)
    }
    assert not store.levels[1].open


def test_who_draws_alarms_is_woken_once_and_each_time_while_very_many_have_changed() -> None:
    store, woken = Store(engine=Given({f"{n}": alarm(f"{n}", [n]) for n in range(1, MANY + 3)})), list[int]()
    store.at_once = MANY // 2
    subscription = store.subscribe(lambda: woken.append(1))
    store.recall()
    seen = []
    while store.set_right():
        seen.append(len(woken))
    assert seen == [1, 2, 3]
    assert subscription.much
    assert len(subscription.take().alarms) == MANY + 2
    assert not subscription.much


@pytest.mark.parametrize("then", ["add", "fold"])
def test_what_is_left_of_setting_right_is_done_before_anything_else_happens(then: str) -> None:
    a, b, c, _ = SECRETS
    store = Store()
    store.at_once = 1
    store.add([arrival(records.read(name, id=name)) for name in NAMES[:2]])
    subscription = store.subscribe(lambda: None)
    store.fold([(a, b)])
    assert {event.secret for event in store.events} == {a, b}, "nothing is done of it yet"
    subscription.take()
    if then == "add":
        store.add([arrival(records.read(NAMES[0], id="late", at=AT - timedelta(hours=1)))])
        assert [event.secret for event in store.events] == [a, b, b], "what comes later is read by what is known now"
    else:
        store.fold([(b, c)])
        assert {event.secret for event in store.events} == {b}
        while store.set_right():
            pass
        assert {event.secret for event in store.events} == {c}
    assert subscription.take().renamed


def test_renames_that_follow_one_another_hold_in_order() -> None:
    a, b, c, _ = SECRETS
    store = Store()
    store.add([arrival(records.read(name, id=name)) for name in NAMES[:3]])
    store.fold([(a, b), (b, c)])
    assert set(store.secrets) == {c}
    other = Store()
    other.add([arrival(records.read(name, id=name)) for name in NAMES[:2]])
    other.fold([(a, b), (b, a)])
    assert set(other.secrets) == {a}
    assert not other.fold([(a, a), (b, c)])


def test_what_was_only_counted_so_far_is_of_the_right_secret() -> None:
    a, b, *_ = SECRETS
    store = Store()
    store.add(alike(5))
    store.fold([(a, b)])
    assert {name: dossier.events for name, dossier in store.secrets.items()} == {b: 5}
    (principal,) = store.principals.values()
    assert [(touched.secret, touched.calls) for touched in principal.secrets] == [(b, 5)]


def test_what_was_only_counted_so_far_is_not_noted_in_dossiers_that_are_taken_over() -> None:
    a, *_ = SECRETS
    store = Store()
    store.add(alike(5))
    before, taken = store.dossiers.secrets[a], SecretDossier(a)
    store.take_over(Engine(catalogue()), (), Corrected((), {a}, {a: taken}, {}))
    assert store.secrets == {a: taken}
    assert (before.events, taken.events) == (5, 0)


def alike(count: int) -> list[Arrival]:
    """Reads of the first secret as one reader reads them."""
    reader = Reader()
    made = (records.read(NAMES[0], at=AT + timedelta(seconds=i), id=str(UUID(int=i))) for i in range(count))
    return [reader.read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=AT) for record in made]


def test_what_cannot_be_read_is_counted_and_kept() -> None:
    store = Store()
    store.add([Reader().read("not JSON", seen_by=SeenBy.FILE, seen_at=AT), arrival({})])
    assert store.unreadable == 1
    assert len(store.events) == 2


def test_whoever_guesses_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "DOSSIERS", 50)
    store = Store()
    store.add(arrivals(5))
    store.add([arrival(records.denied(f"guess-{i}", at=AT + timedelta(seconds=60 + i))) for i in range(300)])
    assert len(store.secrets) <= 50
    assert SECRETS[0] in store.secrets
    assert Secret(records.ACCOUNT, records.REGION, "guess-299") in store.secrets


def test_values_seen_are_known_for_completion() -> None:
    store = Store()
    store.add([*arrivals(3), arrival(records.denied("dev/db", by=records.user("mallory"), at=AT + timedelta(hours=1)))])
    assert store.known("name") == ["GetSecretValue"]
    assert store.known("secret") == ["dev/db", "prod/db"]
    assert store.known("user") == ["mallory", "payments-api"]
    assert store.known("ip") == ["203.0.113.12"]
    assert store.known("agent") == [records.BOTO]
    assert store.known("region") == [records.REGION]
    assert store.known("account") == [records.ACCOUNT]
    assert store.known("error") == ["AccessDenied"]
    assert store.known("id") == []


def test_what_is_offered_is_in_order_though_reads_that_are_alike_have_only_been_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = list[str]()
    note_again = SecretDossier.note_again

    def counted(dossier: SecretDossier, known: Again) -> None:
        noted.append(dossier.secret.name)
        note_again(dossier, known)

    monkeypatch.setattr(SecretDossier, "note_again", counted)
    store, reader = Store(), Reader()
    reads = [
        records.read(name, by=records.user(name), at=AT + timedelta(seconds=second), id=f"{second}")
        for second, name in enumerate(("a", "b", "c", "a"))
    ]
    for each in reads:
        store.add([reader.read(records.raw(each), seen_by=SeenBy.LOGS, seen_at=AT)])
    assert store.known("secret") == store.known("user") == ["a", "c", "b"]
    assert not noted
    assert [dossier.events for dossier in store.secrets.values()] == [2, 1, 1]
    assert noted == ["a"]


def test_of_very_many_secrets_and_principals_those_seen_last_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smwatch.store.store, "OFFERED", 2)
    monkeypatch.setattr(smwatch.store.store, "CAME", 1)
    store = Store()
    for second, name in enumerate(("a", "b", "c")):
        read = records.read(name, at=AT + timedelta(seconds=second), by=records.user(name), sourceIPAddress=f"::{name}")
        store.add([arrival(read)])
    assert store.known("secret") == store.known("user") == ["c", "b"]
    assert store.known("ip") == ["::c"]
