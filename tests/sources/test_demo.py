"""The demo tells the same incident each time, as CloudTrail would record and deliver it, to both of its sources."""

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smwatch import patterns
from smwatch.events.event import Event, SeenBy
from smwatch.events.principal import Kind
from smwatch.events.reader import Reader
from smwatch.events.scope import in_scope
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.coverage import Coverage
from smwatch.sources.demo import demo_sources
from smwatch.sources.demo.cast import ACCOUNT
from smwatch.sources.demo.records import deletion_date
from smwatch.sources.source import Page, Source, State, Status

BASE = datetime(2026, 11, 23, 14, 6, 22, tzinfo=UTC)
VICTIM = "prod/checkout/stripe-api"
MARKED = patterns.compile(
    '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
)


class OverError(Exception):
    """The time of a test is up."""


class Clock:
    """Time that passes when a source sleeps, until the end."""

    def __init__(self, end: datetime) -> None:
        self.at = BASE
        self.end = end

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        if self.at > self.end:
            raise OverError


class Watched:
    """Everything that both sources yielded."""

    def __init__(self, items: dict[SeenBy, list[Page | Status]]) -> None:
        self.pages = {by: [item for item in each if isinstance(item, Page)] for by, each in items.items()}
        self.statuses = {by: [item for item in each if isinstance(item, Status)] for by, each in items.items()}
        self.records: dict[str, dict[str, Any]] = {}
        self.raws: dict[str, str] = {}
        self.seen: dict[str, dict[SeenBy, datetime]] = defaultdict(dict)
        self.events: dict[str, Event] = {}
        reader = Reader()
        everything = sorted((page for pages in self.pages.values() for page in pages), key=lambda page: page.seen_at)
        for page in everything:
            for found in page.found:
                arrival = reader.read(found.raw, seen_by=page.seen_by, seen_at=page.seen_at)
                assert in_scope(arrival.event)
                self.records[arrival.event.id] = arrival.record
                self.raws[arrival.event.id] = found.raw
                assert page.seen_by not in self.seen[arrival.event.id], "delivered twice by one source"
                self.seen[arrival.event.id][page.seen_by] = page.seen_at
                self.events.setdefault(arrival.event.id, arrival.event)

    def named(self, name: str, secret: str = "") -> list[Event]:
        """The events of a name, in the order of time."""
        chosen = (event for event in self.events.values() if event.name == name)
        return sorted(
            (event for event in chosen if not secret or (event.secret and event.secret.name == secret)),
            key=lambda event: event.key,
        )


async def once() -> Watched:
    items = {}
    for source in demo_sources(lambda: BASE):
        items[source.seen_by] = [item async for item in source.read_once(Coverage())]
    return Watched(items)


async def watch(minutes: float) -> Watched:
    items: dict[SeenBy, list[Page | Status]] = {}
    for by in (SeenBy.CLOUDTRAIL, SeenBy.LOGS):
        clock = Clock(BASE + timedelta(minutes=minutes))
        source = next(each for each in demo_sources(clock.now, clock.sleep, base=BASE) if each.seen_by is by)
        taken = items[by] = []
        following = source.follow(Coverage())
        with suppress(OverError):
            while True:
                taken.append(await anext(following))
    return Watched(items)


@pytest.fixture(scope="module")
def told() -> Watched:
    return asyncio.run(once())


@pytest.fixture(scope="module")
def followed() -> Watched:
    return asyncio.run(watch(30))


def test_there_are_two_sources_named_like_real_ones() -> None:
    sources: tuple[Source, ...] = demo_sources(lambda: BASE)
    assert [(source.name, source.label, source.seen_by) for source in sources] == [
        ("cloudtrail:111122223333:eu-west-1", "CloudTrail", SeenBy.CLOUDTRAIL),
        ("logs:111122223333:eu-west-1:CloudTrail/SecretsManager", "Logs", SeenBy.LOGS),
    ]


# -- told once


def test_told_once_it_ends_and_all_is_past(told: Watched) -> None:
    for statuses in told.statuses.values():
        assert [status.state for status in statuses] == [State.DONE]
    assert all(event.at <= BASE and event.seen_at <= BASE for event in told.events.values())


def test_told_once_each_record_comes_from_the_source_that_saw_it_first(told: Watched) -> None:
    assert all(len(by) == 1 for by in told.seen.values())
    first = Counter(by for seen in told.seen.values() for by in seen)
    assert first[SeenBy.LOGS] > first[SeenBy.CLOUDTRAIL] > 10


def test_the_incident_has_everything_in_its_order(told: Watched) -> None:
    deleted, restored = told.named("DeleteSecret")[0], told.named("RestoreSecret")[0]
    assert deleted.secret == restored.secret
    assert deleted.secret is not None
    assert deleted.secret.name == VICTIM
    assert (deleted.principal.kind, deleted.principal.session) == (Kind.IDENTITY_CENTER, "alice@example.com")
    assert told.records[deleted.id]["requestParameters"]["recoveryWindowInDays"] == 7
    assert deleted.at < restored.at < BASE - timedelta(minutes=2)
    assert [event.name for event in told.named("CancelSecretVersionDelete", VICTIM)]
    reads = told.named("GetSecretValue", VICTIM)
    for read in reads:
        if read.at in (deleted.at, restored.at):
            continue
        assert (read.error_code == "InvalidRequestException") == (deleted.at < read.at < restored.at)
    failed = [read for read in reads if read.error_code == "InvalidRequestException"]
    assert all(MARKED.matches(told.raws[read.id]) for read in failed)
    assert Counter(read.principal.name for read in failed)["ci-deployer"] >= 14
    assert {"ci-deployer", "checkout-webhook-role"} <= {read.principal.name for read in reads if read.at > restored.at}


def test_other_calls_on_the_deleted_secret_are_refused_too(told: Watched) -> None:
    for name in ("PutSecretValue", "RotateSecret"):
        (event,) = told.named(name, VICTIM)
        assert "marked for deletion" in event.error_message
        assert not MARKED.matches(told.raws[event.id])


def test_one_rotation_succeeds_and_one_fails(told: Watched) -> None:
    assert len(told.named("RotationStarted")) == 3
    (succeeded,) = told.named("RotationSucceeded", "prod/payments/db")
    assert succeeded.principal.kind is Kind.SERVICE
    for failed in told.named("RotationFailed", "prod/orders/rabbitmq"):
        assert re.search(
            r"^Error when executing lambda arn:aws:lambda:\S+ during setSecret step$", failed.error_message
        )
        assert not failed.error_code


def test_a_sweep_is_denied_and_names_its_secrets_in_the_message_alone(told: Watched) -> None:
    denied = [event for event in told.events.values() if event.principal.name == "analytics-notebook"]
    assert all(event.error_code == "AccessDenied" for event in denied)
    assert all(told.records[event.id]["requestParameters"] is None for event in denied)
    assert len({event.secret for event in denied if event.name == "GetSecretValue"}) == 9


def test_a_batch_and_the_reads_it_caused_are_there(told: Watched) -> None:
    batch = next(event for event in told.named("BatchGetSecretValue") if not event.failed)
    assert batch.secret is not None
    reads = [e for e in told.named("GetSecretValue") if e.at == batch.at and e.principal == batch.principal]
    assert {read.secret for read in reads} == {batch.secret, *batch.others}


def test_kms_acts_for_callers_and_only_the_log_group_sees_it(told: Watched) -> None:
    decryptions = told.named("Decrypt", "prod/payments/db")
    assert len(decryptions) > 20
    assert {event.principal.name for event in decryptions} == {"payments-api-task"}
    assert {by for event in decryptions for by in told.seen[event.id]} == {SeenBy.LOGS}


def test_a_policy_is_opened_to_all_and_taken_back(told: Watched) -> None:
    (opened,) = told.named("PutResourcePolicy")
    policy = json.loads(told.records[opened.id]["requestParameters"]["resourcePolicy"])
    assert policy["Statement"][0]["Principal"] == "*"
    assert [event.secret for event in told.named("DeleteResourcePolicy")] == [opened.secret]


def test_many_kinds_of_principals_take_part(told: Watched) -> None:
    kinds = {event.principal.kind for event in told.events.values()}
    assert {Kind.ROLE, Kind.USER, Kind.IDENTITY_CENTER, Kind.SERVICE} <= kinds
    assert len({event.principal.identity for event in told.events.values()}) >= 14


def test_hostile_text_is_among_it(told: Watched) -> None:
    everything = json.dumps(list(told.records.values()), ensure_ascii=False)
    for hostile in ("\\u001b]0;", "\\u001b[2J", "[bold red]", "\u202e", "\u2066", "\x9b2J", "\\r", "<b>"):
        assert hostile in everything


def test_every_secret_is_one_secret_however_it_is_named(told: Watched) -> None:
    names = {event.secret.name for event in told.events.values() if event.secret}
    assert {name for name in names if name.isprintable()} == {
        "prod/payments/db",
        "prod/payments/card-vault",
        "prod/checkout/stripe-api",
        "prod/orders/rabbitmq",
        "prod/search/opensearch",
        "prod/shipping/carrier-api",
        "prod/billing/quickbooks",
        "prod/web/session-key",
        "shared/smtp",
        "staging/payments/db",
    }


COMMON = {
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"),
    *("userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType"),
    *("managementEvent", "recipientAccountId", "eventCategory"),
}


def test_records_have_the_fields_of_real_ones(told: Watched) -> None:
    for record in told.records.values():
        assert set(record) >= COMMON
        assert record["eventVersion"] == "1.11"
        assert record["recipientAccountId"] == ACCOUNT
        assert record["readOnly"] == bool(re.match("(Get|List|Describe|BatchGet|Decrypt)", record["eventName"]))
        if record["eventType"] == "AwsServiceEvent":
            assert set(record["userIdentity"]) == {"accountId", "invokedBy"}
            assert not {"tlsDetails", "errorCode"} & set(record)
            continue
        identity = record["userIdentity"]
        assert {"type", "principalId", "arn", "accountId", "accessKeyId"} <= set(identity)
        assert re.fullmatch("(AROA|AIDA)[A-Z2-7]{9}EXAMPLE", identity["principalId"].split(":")[0])
        assert re.fullmatch("(ASIA|AKIA)[A-Z2-7]{9}EXAMPLE", identity["accessKeyId"])
        if "errorCode" in record or record["readOnly"]:
            assert record["responseElements"] is None
        if record["eventName"] != "Decrypt":
            assert re.match(r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$", record["sourceIPAddress"])


def test_a_deletion_date_is_written_as_the_service_writes_it() -> None:
    assert deletion_date(datetime(2026, 11, 23, 0, 5, 9, tzinfo=UTC), 7) == "Nov 30, 2026, 12:05:09\u202fAM"
    assert deletion_date(datetime(2026, 12, 28, 12, 5, 9, tzinfo=UTC), 7) == "Jan 4, 2027, 12:05:09\u202fPM"


async def test_it_is_the_same_each_time(told: Watched) -> None:
    again = await once()
    assert again.records == told.records
    assert again.pages == told.pages


# -- followed


def test_an_hour_is_there_at_once_and_the_secret_is_already_missed(followed: Watched) -> None:
    before = [event for event in followed.events.values() if event.seen_at <= BASE]
    assert len(before) > 500
    assert min(event.at for event in before) < BASE - timedelta(minutes=58)
    missed = [event for event in before if event.secret and event.secret.name == VICTIM and event.failed]
    assert len(missed) > 10
    assert followed.named("RestoreSecret")[0].at > BASE


def test_nothing_is_seen_before_it_happened(followed: Watched) -> None:
    for seen_at, event in (
        (at, followed.events[event_id]) for event_id, seen in followed.seen.items() for at in seen.values()
    ):
        assert event.at <= seen_at


def test_each_source_brings_everything_it_can_see_in_the_end(followed: Watched) -> None:
    for event_id, event in followed.events.items():
        if BASE <= event.at < BASE + timedelta(minutes=28):
            assert SeenBy.LOGS in followed.seen[event_id]
            assert (SeenBy.CLOUDTRAIL in followed.seen[event_id]) == (event.name != "Decrypt")


def test_now_and_then_the_event_history_is_first(followed: Watched) -> None:
    both = [seen for seen in followed.seen.values() if len(seen) == 2]
    faster = sum(seen[SeenBy.CLOUDTRAIL] < seen[SeenBy.LOGS] for seen in both)
    assert 0 < faster < len(both) / 4


def is_late(event: Event) -> bool:
    return event.seen_at - event.at > timedelta(minutes=5)


def test_one_event_is_late_and_counted(followed: Watched) -> None:
    late = [event for event in followed.events.values() if is_late(event)]
    assert [event.name for event in late] == ["GetSecretValue"]
    assert late[0].seen_at > BASE
    assert followed.statuses[SeenBy.CLOUDTRAIL][-1].late_events == 1


def test_what_is_said_to_be_complete_is(followed: Watched) -> None:
    for by, items in followed.pages.items():
        settled_to = None
        for page in items:
            if page.settled is not None:
                assert settled_to in (None, page.settled.start), "spans follow each other without a gap"
                settled_to = page.settled.end
            for found in page.found:
                event = Reader().read(found.raw, seen_by=by, seen_at=page.seen_at).event
                assert (
                    settled_to is None
                    or event.at >= settled_to - timedelta(seconds=30)
                    or is_late(followed.events[event.id])
                )


def test_the_header_has_something_true_to_show(followed: Watched) -> None:
    for by, shortest, longest in ((SeenBy.LOGS, 6, 30), (SeenBy.CLOUDTRAIL, 20, 60)):
        status = next(status for status in followed.statuses[by] if status.state is State.OK)
        assert status.at == BASE
        assert status.lag is not None
        assert timedelta(seconds=shortest) < status.lag < timedelta(seconds=longest)
        assert status.complete_to == BASE - timedelta(seconds=90)
        assert status.last_good_at == BASE


def test_the_event_history_is_throttled_for_a_moment_and_recovers(followed: Watched) -> None:
    states = [status.state for status in followed.statuses[SeenBy.CLOUDTRAIL]]
    assert State.THROTTLED in states
    assert states[-1] is State.OK
    assert {status.state for status in followed.statuses[SeenBy.LOGS]} == {State.CATCHING_UP, State.OK}


def test_another_secret_is_deleted_every_ten_minutes(followed: Watched) -> None:
    deleted, restored = followed.named("DeleteSecret"), followed.named("RestoreSecret")
    assert [event.secret.name for event in deleted if event.secret] == [
        VICTIM,
        "prod/billing/quickbooks",
        "prod/shipping/carrier-api",
    ]
    assert [event.secret for event in restored] == [event.secret for event in deleted]
    assert deleted[2].at - deleted[1].at == timedelta(minutes=10)


def test_root_turns_up_in_the_third_round(followed: Watched) -> None:
    assert [event.name for event in followed.events.values() if event.principal.kind is Kind.ROOT] == ["ListSecrets"]


Judged = Sequence[tuple[datetime, Mapping[str, Alarm]]]


@pytest.fixture(scope="module")
def judged(followed: Watched) -> Judged:
    """The alarms by the built-in rules after each moment of the first incident at which something was seen."""
    engine = Engine(combine(load_builtin()))
    reader = Reader()
    seen: dict[datetime, list[str]] = defaultdict(list)
    for event_id, event in followed.events.items():
        seen[event.seen_at].append(event_id)
    moments = []
    for at in sorted(seen):
        if at < BASE + timedelta(minutes=4):
            engine.judge([reader.read(followed.raws[each], seen_by=SeenBy.LOGS, seen_at=at) for each in seen[at]])
            moments.append((at, dict(engine.alarms)))
    return moments


def test_the_alarm_is_up_at_the_start_and_the_restore_ends_it(followed: Watched, judged: Judged) -> None:
    start, restored = followed.named("RestoreSecret")[0].seen_at, False
    for at, alarms in judged:
        mine = [a for a in alarms.values() if a.rule == "SMW-DEL-01" and a.secret and a.secret.name == VICTIM]
        if BASE - timedelta(minutes=5) < at < start:
            assert {(alarm.principal, alarm.state) for alarm in mine} == {
                ("ci-deployer", AlarmState.OPEN),
                ("checkout-webhook-role", AlarmState.OPEN),
            }
        elif at == start:
            restored = True
            assert {alarm.state for alarm in mine} == {AlarmState.CLOSED}
    assert restored


def test_an_hour_raises_a_handful_of_alarms_and_not_a_flood(judged: Judged) -> None:
    (rules,) = ({a.rule for a in alarms.values() if a.open} for at, alarms in judged if at == BASE)
    assert {"SMW-DEL-01", "SMW-DEL-05", "SMW-DISC-01", "SMW-ROT-01"} <= rules
    assert len(rules) <= 9


def test_the_late_event_changes_what_is_known(followed: Watched, judged: Judged) -> None:
    (late,) = (event for event in followed.events.values() if is_late(event))
    before = after = False
    for at, alarms in judged:
        if at < late.seen_at:
            before = any(alarm.rule == "SMW-TAMP-06" for alarm in alarms.values())
        elif at == late.seen_at:
            after = any(alarm.rule == "SMW-TAMP-06" for alarm in alarms.values())
    assert (before, after) == (False, True)


async def test_the_same_base_is_the_same_story_whenever_it_is_looked_at() -> None:
    first, second = await watch(2), await watch(2)
    assert first.pages == second.pages
    assert first.statuses == second.statuses


async def test_two_bases_have_no_event_in_common() -> None:
    assert not await ids(BASE) & await ids(BASE + timedelta(seconds=1))


async def ids(base: datetime) -> set[str]:
    _, logs = demo_sources(lambda: base)
    pages = [item async for item in logs.read_once(Coverage()) if isinstance(item, Page)]
    return {json.loads(found.raw)["eventID"] for page in pages for found in page.found}
