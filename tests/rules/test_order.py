"""Alarms do not depend on the order in which events come, nor on duplicates, nor on how they are batched."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, islice

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Mute
from smwatch.rules.engine import Engine
from smwatch.rules.sighting import MARKS
from smwatch.rules.vigil import Span
from tests import records
from tests.records import AT
from tests.rules.catalogue.keys import REFUSED, to_key, unnamed
from tests.rules.judging import catalogue
from tests.rules.test_fold import fed
from tests.rules.test_likely_causes import iam

SECRETS = [f"prod/{name}" for name in "abcdefghijkl"]
PEOPLE = [
    records.role(),
    records.role("ci-deployer", "build-7"),
    records.role("rotator", "rotate-db"),
    records.user("alice"),
    records.user("mallory", account=records.OTHER_ACCOUNT),
    records.root(),
    records.sso(),
    records.sso("bob@example.com"),
]
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"
PUBLIC = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue"}]}'

OWN = '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue"}]}'
THEIRS = records.role(account=records.OTHER_ACCOUNT)
TO_THEM = OWN.replace(records.ACCOUNT, records.OTHER_ACCOUNT)
THEIR_KEY = f"arn:aws:kms:eu-west-1:{records.OTHER_ACCOUNT}:key/1234"
REPLICAS = {"addReplicaRegions": [{"region": "us-east-1"}, {"region": "ap-south-1"}]}
DROPPED = {"removeReplicaRegions": ["us-east-1"]}

Make = Callable[..., Record]

ACTIONS: list[Make] = [
    records.read,
    records.read,
    records.read,
    records.read_deleted,
    records.read_missing,
    records.denied,
    records.denied,
    records.delete,
    lambda secret, **more: records.delete(secret, days=7, **more),
    lambda secret, **more: records.delete(secret, force=True, **more),
    records.restore,
    records.put,
    records.describe,
    records.create,
    lambda secret, **more: records.denied(secret, "DeleteSecret", **more),
    lambda secret, **more: records.listing(**more),
    lambda secret, **more: records.batch([secret, "prod/a", "prod/b"], **more),
    lambda secret, **more: records.read(secret, vpcEndpointId="vpce-1", **more),
    lambda secret, **more: records.read_missing(secret.replace("prod", "guess"), **more),
    lambda secret, **more: records.read(secret, region="us-east-1", **more),
    lambda secret, **more: records.read(secret, region="eu-north-1", **more),
    lambda secret, **more: records.read(secret, sourceIPAddress="198.51.100.7", **more),
    lambda secret, **more: records.read(secret, sourceIPAddress="8.8.8.8", userAgent=records.CONSOLE, **more),
    lambda secret, **more: records.read(secret, stage="AWSPREVIOUS", **more),
    lambda secret, **more: records.write("CancelRotateSecret", secret, **more),
    lambda secret, **more: records.write("RotateSecret", secret, {"rotationLambdaARN": LAMBDA}, **more),
    lambda secret, **more: records.write("PutResourcePolicy", secret, {"resourcePolicy": PUBLIC}, **more),
    lambda secret, **more: records.write("UpdateSecretVersionStage", secret, {"versionStage": "AWSCURRENT"}, **more),
    lambda secret, by, **more: records.service_event("RotationStarted", secret, **more),
    lambda secret, by, **more: records.service_event("RotationSucceeded", secret, **more),
    lambda secret, by, **more: records.rotation_failed(secret, **more),
    records.kms,
    lambda secret, **more: records.read(secret, error=REFUSED, **more),
    lambda secret, **more: unnamed(**more),
    lambda secret, **more: to_key("DisableKey", **more),
    lambda secret, **more: iam("DetachRolePolicy", {"roleName": "payments-api"}, **more),
    lambda secret, **more: records.batch(**more),
    lambda secret, **more: records.write("ReplicateSecretToRegions", secret, REPLICAS, **more),
    lambda secret, **more: records.batch([records.arn(secret), "prod/c", "prod/d", "prod/e", "prod/f"], **more),
    lambda secret, **more: records.batch([records.arn(name) for name in SECRETS], **more),
    lambda secret, **more: records.read(records.arn(secret), **more),
    lambda secret, **more: records.read(records.arn(secret).rpartition("-")[0], **more),
    lambda secret, **more: records.read_deleted(records.arn(secret), **more),
    lambda secret, **more: records.batch([secret, "prod/g"], error=("InvalidRequestException", records.MARKED), **more),
    lambda secret, **more: records.write("StopReplicationToReplica", secret, **more),
    lambda secret, **more: records.write("ReplicateSecretToRegions", secret, REPLICAS, region="us-east-1", **more),
    lambda secret, **more: records.write("RemoveRegionsFromReplication", secret, DROPPED, **more),
    lambda secret, **more: records.write("StopReplicationToReplica", secret, region="us-east-1", **more),
    lambda secret, **more: records.write("PutResourcePolicy", secret, {"resourcePolicy": OWN}, **more),
    lambda secret, **more: records.write("DeleteResourcePolicy", secret, **more),
    lambda secret, **more: records.write("UpdateSecretVersionStage", secret, {"versionStage": "blue"}, **more),
    lambda secret, **more: records.read(secret, stage="blue", **more),
    lambda secret, **more: records.put(secret, **more),
    lambda secret, by, **more: records.read(secret, by=records.other_account(), **more),
    lambda secret, by, **more: records.service_event("RotationStarted", secret, region="us-east-1", **more),
    lambda secret, by, **more: records.service_event("TestRotationFailed", secret, **more),
    lambda secret, by, **more: records.put(secret, by=PEOPLE[2], **more),
    lambda secret, by, **more: records.read(secret, by=by | {"invokedBy": "rds.amazonaws.com"}, **more),
    lambda secret, **more: records.read(secret, error=("ThrottlingException", "Rate exceeded"), **more),
    lambda secret, **more: records.delete(secret, days=None, **more),
    lambda secret, **more: records.delete(secret, region="us-east-1", **more),
    lambda secret, **more: records.restore(secret, region="us-east-1", **more),
    lambda secret, **more: to_key("PutKeyPolicy", **more),
    lambda secret, **more: to_key("EnableKey", **more),
    lambda secret, **more: to_key("ScheduleKeyDeletion", **more),
    lambda secret, **more: records.denied(records.arn(secret), **more),
    lambda secret, **more: records.read_deleted(records.arn(secret).rpartition("-")[0], **more),
    lambda secret, **more: iam("PutUserPolicy", {"userName": "alice"}, **more),
    lambda secret, **more: iam("SetDefaultPolicyVersion", {"policyArn": f"arn:aws:iam::1:policy/{secret}"}, **more),
    lambda secret, **more: iam("DetachPolicy", {"policyId": "p-1"}, eventSource="organizations.amazonaws.com", **more),
    lambda secret, by, **more: records.read(secret, by=THEIRS, account=records.OTHER_ACCOUNT, **more),
    lambda secret, **more: records.write("PutResourcePolicy", secret, {"resourcePolicy": TO_THEM}, **more),
    lambda secret, **more: records.write("UpdateSecret", secret, {"kmsKeyId": THEIR_KEY}, **more),
]

MINUTE, DAY = 60, 86_400
# Bursts within minutes as well as pauses of days: rules look back over both.
MOMENTS = st.one_of(
    st.integers(0, 20 * MINUTE),
    st.integers(0, 2 * DAY),
    st.integers(0, 30).map(lambda hour: hour * 60 * MINUTE),
    st.integers(0, 25).map(lambda day: day * DAY + 30),
)
EVENTS = st.builds(
    lambda make, secret, by, second: make(secret, by=by, at=AT + timedelta(seconds=second)),
    st.sampled_from(ACTIONS),
    st.sampled_from(SECRETS) | st.sampled_from(SECRETS[:2]),
    st.sampled_from(PEOPLE),
    MOMENTS,
)


def run(
    events: list[Record], sizes: list[int], kept: Iterable[Alarm] = (), known_since: datetime | None = None
) -> dict[str, Alarm]:
    engine = Engine(catalogue())
    engine.restore(kept, known_since=known_since)
    fed(engine, pieces(events, sizes))
    engine.tick(AT + timedelta(days=60))
    return dict(engine.alarms)


def pieces(events: list[Record], sizes: list[int]) -> Iterator[list[Record]]:
    """The events, so many at a time."""
    coming, size = iter(events), cycle(sizes)
    while piece := list(islice(coming, next(size))):
        yield piece


def in_order(events: list[Record]) -> list[Record]:
    return sorted(events, key=lambda event: (event["eventTime"], event["eventID"]))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(EVENTS, min_size=2, max_size=60), st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers())
def test_any_order_batching_and_duplication_gives_the_same_alarms(
    events: list[Record], sizes: list[int], seed: int
) -> None:
    rng = random.Random(seed)
    expected = run(in_order(events), [1])
    shuffled = [*events, *rng.sample(events, len(events) // 3)]
    rng.shuffle(shuffled)
    assert run(shuffled, sizes) == expected
    assert run(in_order(events)[::-1], [1]) == expected


def test_a_failure_that_is_known_never_to_count_leaves_nothing_to_judge() -> None:
    found = run([records.read("prod/a", error=REFUSED, at=AT), records.read("prod/a", at=AT)], [1])
    assert all(alarm.rule != "SMW-HLTH-01" for alarm in found.values())


PLACE = records.ACCOUNT, records.REGION
SECOND = int(AT.timestamp())
SPANS = st.builds(
    lambda start, length: (SECOND + start * 3_600, SECOND + (start + length) * 3_600),
    st.integers(-20 * 24, 26 * 24),
    st.integers(1, 12 * 24),
)
MUTES = st.builds(
    lambda hours, rule, secret: Mute(
        AT + timedelta(hours=hours), rule=rule, secret=Secret(*PLACE, secret) if secret else None
    ),
    st.integers(-48, 48 * 30),
    st.sampled_from(["", "SMW-READ-04", "SMW-DEL-05"]),
    st.sampled_from([*SECRETS[:3], ""]),
).filter(lambda mute: bool(mute.rule or mute.secret))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(EVENTS, min_size=2, max_size=60),
    st.lists(SPANS, max_size=4),
    st.lists(MUTES, max_size=2, unique_by=lambda mute: (mute.rule, mute.secret)),
    st.lists(st.integers(1, 20), min_size=1, max_size=5),
    st.integers(),
)
def test_what_was_watched_and_what_is_muted_may_be_told_at_any_time(
    events: list[Record], spans: list[Span], mutes: list[Mute], sizes: list[int], seed: int
) -> None:
    def told(events: list[Record], sizes: list[int], rng: random.Random) -> dict[str, Alarm]:
        engine, reader = Engine(catalogue()), Reader()
        steps: list[Callable[[], object]] = [
            partial(fed, engine, [piece], reader, SeenBy.CLOUDTRAIL) for piece in pieces(events, sizes)
        ]
        for span in spans:
            steps.insert(rng.randint(0, len(steps)), partial(engine.watched, PLACE, [span]))
        for mute in mutes:
            steps.insert(rng.randint(0, len(steps)), partial(engine.mute, mute))
        for step in steps:
            step()
        engine.tick(AT + timedelta(days=60))
        return dict(engine.alarms)

    rng = random.Random(seed)
    expected = told(in_order(events), [1], rng)
    shuffled = rng.sample(events, len(events))
    assert told(shuffled, sizes, rng) == expected
    assert told(in_order(events)[::-1], [1], rng) == expected


SAME_AGAIN = st.builds(
    lambda make, secret, by, second: make(secret, by=by, at=AT + timedelta(seconds=second)),
    st.sampled_from(
        [
            *[records.read] * 6,
            *[records.describe] * 3,
            records.kms,
            records.delete,
            records.put,
            lambda secret, **more: records.read(secret, vpcEndpointId="vpce-1", **more),
            lambda secret, **more: records.write("PutResourcePolicy", secret, {"resourcePolicy": PUBLIC}, **more),
            lambda secret, **more: records.read(secret, sourceIPAddress="198.51.100.7", **more),
        ]
    ),
    st.sampled_from(SECRETS[:2]) | st.sampled_from(SECRETS),
    st.sampled_from([records.role("app", "i-0aaaaaaaaaaaaaaaa"), records.user("alice"), records.sso()]),
    MOMENTS,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(SAME_AGAIN, min_size=2, max_size=60), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_what_a_few_callers_do_again_and_again_gives_the_same_alarms_in_any_order(
    events: list[Record], sizes: list[int]
) -> None:
    expected = run(in_order(events)[::-1], [1])  # nothing that comes is newer than what is known
    assert run(in_order(events), [1]) == expected
    assert run(in_order(events), sizes) == expected
    assert run(events, sizes) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(EVENTS, min_size=2, max_size=60))
def test_a_restart_by_itself_changes_no_alarm(events: list[Record]) -> None:
    kept = run(events, [20])
    engine = Engine(catalogue())
    engine.restore(kept.values())
    for changed in engine.tick(AT + timedelta(days=60)):
        assert changed == kept[changed.group]
    assert dict(engine.alarms) == kept


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(EVENTS, min_size=2, max_size=60),
    st.integers(1, 59),
    st.lists(st.integers(1, 20), min_size=1, max_size=5),
    st.integers(),
)
def test_a_restart_that_reads_again_what_was_known_gives_the_same_alarms(
    events: list[Record], until: int, sizes: list[int], seed: int
) -> None:
    ordered = in_order(events)
    expected = run(ordered, [1])
    kept = run(ordered[:until], [20])
    since = datetime.fromisoformat(ordered[0]["eventTime"])
    shuffled = list(ordered)
    random.Random(seed).shuffle(shuffled)
    assert run(shuffled, sizes, kept.values(), since) == expected


def test_a_restart_forgets_no_deadline() -> None:
    """What asks for a secret a second before its window is closing is evidence a second later."""
    lead = timedelta(days=23)
    deleted = records.delete("prod/a", at=AT + timedelta(seconds=1))
    asked = records.batch([records.arn("prod/a"), "prod/b"], at=AT + lead)
    kept = {alarm.rule: alarm for alarm in run([deleted, asked], [1]).values()}
    closing = kept["SMW-DEL-07"]
    assert closing.first_at == AT + lead + timedelta(seconds=1)
    engine = Engine(catalogue())
    engine.restore(kept.values())
    engine.tick(AT + timedelta(days=60))
    assert engine.alarms[closing.group] == closing


def test_a_restart_forgets_no_escalation() -> None:
    """What was asked for three days before the end of its window is worse a day later, and not less so ever after."""
    deleted = records.delete("prod/a", days=7, at=AT)
    asked = records.batch([records.arn("prod/a"), "prod/b"], at=AT + timedelta(days=4, minutes=1))
    kept = {alarm.rule: alarm for alarm in run([deleted, asked], [1]).values()}
    closing = kept["SMW-DEL-07"]
    assert closing.title.startswith("Less than two days left")
    engine = Engine(catalogue())
    engine.restore(kept.values())
    assert [alarm for alarm in engine.tick(AT + timedelta(days=5)) if alarm.rule == closing.rule] == []
    assert engine.alarms[closing.group] == closing


def test_more_events_than_a_case_keeps_may_come_newest_first() -> None:
    events = [
        records.read(by=by, at=AT + timedelta(hours=hour))
        for by, since in ((records.role(), 0), (records.user("alice"), 20 * 24))
        for hour in range(since, since + 2 * MARKS + 50)
    ]
    expected = firsts(run(in_order(events), [1]))
    assert [alarm.count for alarm in expected.values()] == [1]
    for sizes in ([1], [50]):
        assert firsts(run(in_order(events)[::-1], sizes)) == expected


def firsts(alarms: dict[str, Alarm]) -> dict[str, Alarm]:
    """The alarms about what was never seen before."""
    return {group: alarm for group, alarm in alarms.items() if alarm.rule in ("SMW-READ-04", "SMW-READ-12")}
