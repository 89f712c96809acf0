"""What a secret's dossier tells, in the order an incident asks for it."""

from datetime import timedelta

from smwatch.dossier import SecretDossier
from smwatch.dossier.changes import Topic
from smwatch.dossier.outcome import Outcome
from smwatch.dossier.rotation import Ending
from smwatch.events.secret import Secret
from smwatch.record import Record
from tests import records
from tests.dossier.dossiers import AT, after, arrival, dossier
from tests.rules.judging import counting_calls

NOW = after(hours=1)


def test_every_successful_read_is_a_disclosure() -> None:
    found = dossier(
        records.read(),
        records.read(at=after(minutes=5), by=records.user("alice")),
        records.denied(at=after(minutes=9), by=records.user("mallory")),
    ).disclosure()
    assert (found.reads, found.readers, found.first_at, found.last_at) == (2, 2, AT, after(minutes=5))
    assert found.last_by is not None
    assert found.last_by.name == "alice"
    nothing = dossier(records.denied(), records.describe()).disclosure()
    assert (nothing.reads, nothing.readers, nothing.first_at, nothing.last_by) == (0, 0, None, None)


def test_a_reader_is_the_role_behind_its_sessions_and_keys() -> None:
    reads = [
        records.read(
            by=records.role("api", f"i-{i}", key=f"ASIA{i % 2}"), at=after(minutes=i), sourceIPAddress=f"10.0.0.{i % 3}"
        )
        for i in range(6)
    ]
    (user,) = dossier(*reads).users(NOW)
    assert (user.reads, user.sessions, user.source_ips, user.user_agents) == (6, 6, 3, 1)
    assert (user.first_at, user.last_at) == (AT, after(minutes=5))
    assert user.principal.session == "i-5"
    assert user.traces[0].session == "i-5"
    assert user.traces[0].last_at == after(minutes=5)


def test_reads_are_told_apart_by_how_they_ended() -> None:
    throttled = records.read(error=("ThrottlingException", "Rate exceeded"), id="5")
    (user,) = dossier(
        records.read(),
        records.denied(id="1"),
        records.denied(name="DescribeSecret", id="2"),
        records.read_deleted(id="3"),
        records.read_missing(id="4"),
        throttled,
        records.put(),
        at_last := records.read_deleted(id="6", at=after(minutes=1)),
    ).users(NOW)
    assert (user.reads, user.denied, user.deleted, user.failed, user.writes, user.calls) == (1, 2, 3, 1, 1, 8)
    assert user.last_failure is not None
    assert user.last_failure.key == arrival(at_last).event.key
    assert (user.last_failure.outcome, user.last_failure.code) == (Outcome.DELETED, "InvalidRequestException")


def test_all_wordings_of_a_pending_deletion_are_known() -> None:
    for message in (
        records.MARKED,
        "You tried to perform the operation on a secret that's currently marked deleted.",
        "An operation on a secret that is currently marked for deletion.",
        records.IN_USE,
    ):
        (user,) = dossier(records.read_deleted(message=message)).users(NOW)
        assert user.deleted == 1


def test_a_rotation_that_looks_for_its_pending_version_does_not_fail() -> None:
    by_stage = records.read_missing(version="v", stage="AWSPENDING", message="... for VersionId: v")
    by_message = records.read_missing(message="... value for staging label: AWSPENDING", id="2")
    found = dossier(by_stage, by_message)
    (user,) = found.users(NOW)
    assert (user.deleted, user.failed, user.last_failure) == (0, 0, None)
    assert found.errors == ()
    assert found.timeline() == ()
    assert found.readers(NOW) == ()


def test_a_batch_and_the_reads_it_causes_are_one() -> None:
    def reads(*noted: Record) -> int:
        return dossier(*noted).disclosure().reads

    batch = records.batch(["prod/db", "dev/db"])
    child = records.read(id="child")
    assert reads(batch) == reads(batch, child) == reads(child, batch) == 1
    assert reads(batch, child, records.read(id="another")) == 2
    assert reads(batch, records.denied(id="child")) == 0
    both = dossier(batch, child)
    assert both.users(NOW)[0].reads == 1
    assert sum(hour.reads for hour in both.hours(NOW)) == 1


def test_kms_is_a_second_witness() -> None:
    found = dossier(records.kms(by=records.user("alice")), records.read(), records.kms())
    assert found.disclosure().decrypts == 1
    assert found.kms_key.endswith("key/1234abcd-12ab-34cd-56ef-1234567890ab")
    assert list(found.decrypted_versions.values()) == [AT]
    assert all(user.source_ips <= 1 for user in found.users(NOW))
    assert found.users(NOW)[0].traces[0].source_ip == "203.0.113.12"


def test_principals_seen_for_the_first_time_lately_are_marked() -> None:
    found = dossier(
        records.read(by=records.role("old"), at=after(days=-3)),
        records.read(by=records.role("old")),
        records.read(by=records.role("new"), at=after(minutes=-10)),
    )
    assert {user.principal.name: user.new for user in found.users(NOW)} == {"old": False, "new": True}
    assert not any(user.new for user in found.users(after(days=2)))
    only = dossier(records.read(by=records.role("first")))
    assert not any(user.new for user in only.users(NOW))


def test_the_busiest_come_first() -> None:
    found = dossier(
        records.describe(by=records.role("looks")),
        *(records.read(by=records.role("reads"), id=f"{i}") for i in range(2)),
        *(records.denied(by=records.role("tries"), id=f"{i}") for i in range(3)),
    )
    assert [user.principal.name for user in found.users(NOW)] == ["tries", "reads", "looks"]
    assert [user.principal.name for user in found.readers(NOW)] == ["tries", "reads"]


def test_reads_are_counted_by_the_hour() -> None:
    found = dossier(
        records.read(at=after(hours=-2)),
        records.read(at=after(minutes=1)),
        records.read_deleted(at=after(minutes=2)),
    )
    hours = found.hours(after(minutes=30), 4)
    assert [(hour.reads, hour.failed) for hour in hours] == [(0, 0), (1, 0), (0, 0), (1, 1)]
    assert [hour.start for hour in hours] == [AT + timedelta(hours=h) for h in (-3, -2, -1, 0)]


def test_reads_of_the_last_two_weeks_are_kept_by_the_hour_however_few_there_are() -> None:
    happened = [records.read(at=after(days=-days)) for days in (15, 13, 0)]
    for found in (dossier(*happened), dossier(*happened[::-1])):
        assert [hour.start for hour in found.hours(NOW, 24 * 20) if hour.reads] == [after(days=-13), after()]


def test_who_breaks_is_who_read_lately_or_is_refused_already() -> None:
    found = dossier(
        records.read(by=records.role("weekly"), at=after(days=-6)),
        records.read(by=records.role("long-gone"), at=after(days=-8)),
        records.read(by=records.role("daily"), at=after(hours=-20)),
        records.read_deleted(by=records.role("broken")),
        records.denied(by=records.role("stranger")),
    )
    assert [(one.user.principal.name, one.today, one.broken) for one in found.consumers(NOW)] == [
        ("broken", False, True),
        ("daily", True, False),
        ("weekly", False, False),
    ]


def test_who_did_it_is_who_changed_something_the_latest_first() -> None:
    found = dossier(
        records.create(by=records.role("terraform")),
        records.delete(by=records.user("mallory"), at=after(minutes=1)),
        records.read(at=after(minutes=2)),
        records.service_event("RotationStarted", at=after(minutes=2)),
        records.delete(by=records.user("failed"), at=after(minutes=3), error=("AccessDenied", "no")),
    )
    assert [user.principal.name for user in found.doers(NOW)] == ["mallory", "terraform"]


def test_rotations_are_paired_from_their_events() -> None:
    def step(name: str, minutes: int, **more: str) -> Record:
        return records.service_event(name, at=after(minutes=minutes), **more)

    found = dossier(
        step("RotationStarted", 0),
        step("RotationSucceeded", 2),
        step("RotationStarted", 10),
        step("RotationFailed", 11, message="setSecret broke"),
        step("RotationFailed", 20, message="again"),
        step("RotationStarted", 30),
        step("RotationStarted", 40),
        step("TestRotationStarted", 41),
        step("TestRotationFailed", 42),
    )
    told = [(one.ending, one.took, one.message, one.test) for one in found.rotations]
    assert told == [
        (Ending.FAILED, timedelta(minutes=1), "", True),
        (Ending.RUNNING, None, "", False),
        (Ending.ABANDONED, None, "", False),
        (Ending.FAILED, None, "again", False),
        (Ending.FAILED, timedelta(minutes=1), "setSecret broke", False),
        (Ending.SUCCEEDED, timedelta(minutes=2), "", False),
    ]
    running = found.rotations[1]
    assert not running.stuck(after(minutes=90))
    assert running.stuck(after(minutes=100))


def test_label_moves_tell_which_version_is_current() -> None:
    def stage(label: str, to: str, taken_from: str, minutes: int) -> Record:
        parameters = {"versionStage": label, "moveToVersionId": to, "removeFromVersionId": taken_from}
        return records.write(
            "UpdateSecretVersionStage", parameters={k: v for k, v in parameters.items() if v}, at=after(minutes=minutes)
        )

    created = records.create()
    created["requestParameters"]["clientRequestToken"] = "v1"
    pending = records.put(at=after(minutes=1))
    pending["requestParameters"] |= {"clientRequestToken": "v2", "versionStages": ["AWSPENDING"]}
    found = dossier(created, pending)
    assert found.labels == {"AWSCURRENT": "v1", "AWSPENDING": "v2"}
    found = dossier(created, pending, stage("AWSCURRENT", "v2", "v1", 2), stage("AWSPENDING", "", "v2", 3))
    assert found.labels == {"AWSCURRENT": "v2", "AWSPREVIOUS": "v1"}
    assert [(move.label, move.version) for move in found.moves] == [
        ("AWSPENDING", ""),
        ("AWSCURRENT", "v2"),
        ("AWSPENDING", "v2"),
        ("AWSCURRENT", "v1"),
    ]


def test_an_update_without_a_new_value_moves_no_label() -> None:
    update = records.write("UpdateSecret", parameters={"description": "x", "kmsKeyId": "alias/mine"})
    found = dossier(update)
    assert found.moves == ()
    assert found.kms_key == "alias/mine"
    update["responseElements"]["versionId"] = "v9"
    assert dossier(update).labels == {"AWSCURRENT": "v9"}


def test_a_changed_policy_is_kept_as_sent_and_graded() -> None:
    text = '{\n "Statement": {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "secretsmanager:*"}\n}'
    put = records.write("PutResourcePolicy", parameters={"resourcePolicy": text, "blockPublicPolicy": True})
    found = dossier(put, records.write("DeleteResourcePolicy", at=after(minutes=1)))
    removed, change = found.policies
    assert (change.text, change.grade.foreign, change.grade.public, change.blocks_public) == (
        text,
        ("444455556666",),
        False,
        True,
    )
    assert (removed.text, removed.words) == ("", [])
    assert "444455556666" in found.timeline()[1].what


def test_replicas_keys_rotation_settings_descriptions_and_tags_are_told() -> None:
    def write(name: str, minutes: int, **parameters: object) -> Record:
        return records.write(name, parameters=parameters, at=after(minutes=minutes))

    found = dossier(
        write("ReplicateSecretToRegions", 1, addReplicaRegions=[{"region": "us-east-1"}, {"region": "eu-north-1"}]),
        write("RemoveRegionsFromReplication", 2, removeReplicaRegions=["us-east-1"]),
        write("RotateSecret", 3, rotationLambdaARN="arn:f", rotationRules={"automaticallyAfterDays": 30}),
        write("CancelRotateSecret", 4),
        write("UpdateSecret", 5, description="db", kmsKeyId="alias/k"),
        write("TagResource", 6, tags=[{"key": "team", "value": "pay"}]),
        write("UntagResource", 7, tagKeys=["team"]),
        write("StopReplicationToReplica", 8),
        write("AssociateCrossAccountReplica", 9, replicaAccount="444455556666"),
    )
    assert found.replicas == ("eu-north-1",)
    assert [(change.topic, change.what) for change in reversed(found.changes)] == [
        (Topic.REPLICAS, "to us-east-1, eu-north-1"),
        (Topic.REPLICAS, "deleted in us-east-1"),
        (Topic.ROTATION, "arn:f, every 30 days"),
        (Topic.ROTATION, "off"),
        (Topic.KEY, "alias/k"),
        (Topic.DESCRIPTION, "db"),
        (Topic.TAGS, "team=pay"),
        (Topic.TAGS, "without team"),
        (Topic.REPLICAS, "promoted to a secret of its own"),
        (Topic.REPLICAS, "another account: secretId prod/db, replicaAccount 444455556666"),
    ]


def test_errors_are_counted_by_code() -> None:
    found = dossier(*(records.denied(id=f"{i}") for i in range(3)), records.read_deleted(), records.rotation_failed())
    assert found.errors == (("AccessDenied", 3), ("InvalidRequestException", 1), ("RotationFailed", 1))


def test_the_timeline_has_changes_failures_and_first_reads_newest_first() -> None:
    found = dossier(
        records.create(),
        *(records.read(at=after(minutes=i), id=f"{i}") for i in range(1, 50)),
        records.delete(days=7, at=after(minutes=60)),
        records.read_deleted(at=after(minutes=61)),
    )
    told = [(entry.name, entry.outcome, entry.at) for entry in found.timeline()]
    assert told == [
        ("GetSecretValue", Outcome.DELETED, after(minutes=61)),
        ("DeleteSecret", Outcome.OK, after(minutes=60)),
        ("GetSecretValue", Outcome.OK, after(minutes=1)),
        ("CreateSecret", Outcome.OK, AT),
    ]
    assert found.timeline()[1].what == "recovery window of 7 days"
    assert found.timeline(1) == found.timeline()[:1]


def test_a_storm_of_changes_does_not_push_the_deletion_out_of_the_timeline() -> None:
    found = dossier(records.delete(), *(records.put(at=after(minutes=i), id=f"{i}") for i in range(1, 200)))
    assert found.timeline(1000)[-1].name == "DeleteSecret"


def test_the_arn_is_the_newest_that_was_told() -> None:
    old, new = records.arn("prod/db", "AaAaAa"), records.arn("prod/db", "BbBbBb")
    found = dossier(
        records.read(new, at=after(minutes=2)), records.read(old), records.read("prod/db", at=after(minutes=3))
    )
    assert found.arn == new


def test_a_name_with_a_services_mark_says_who_manages_the_secret() -> None:
    def managed(name: str) -> str:
        return SecretDossier(Secret(records.ACCOUNT, records.REGION, name)).managed_by

    assert managed("rds!db-7a1e1e8c") == "rds"
    assert managed("ecs-sc!web") == "ecs-sc"
    assert [managed(name) for name in ("prod/db", "!x", "who knows!", "prod/a!b")] == ["", "", "", ""]


def test_what_outlasts_whoever_did_it_is_told() -> None:
    assert dossier(records.create(), records.put(at=after(minutes=1)), records.read()).outlasting == ()
    put = records.write("PutResourcePolicy", parameters={"resourcePolicy": "{}"})
    assert dossier(put).outlasting == ("a resource policy",)
    removed = records.write("DeleteResourcePolicy", at=after(minutes=1))
    regions = {"addReplicaRegions": [{"region": "us-east-1"}]}
    replicated = records.write("ReplicateSecretToRegions", parameters=regions)
    versions = {"versionStage": "AWSCURRENT", "moveToVersionId": "a", "removeFromVersionId": "b"}
    moved = records.write("UpdateSecretVersionStage", parameters=versions)
    assert dossier(put, removed, replicated, moved).outlasting == ("a replica", "a moved label")


def test_whoever_shows_a_few_is_told_the_first_of_all_and_how_many_there_are() -> None:
    reads = [records.read(by=records.user(f"r{n}"), at=after(seconds=n), id=f"r{n}") for n in range(5)]
    refused = [records.denied(by=records.user("d"), at=after(seconds=9), id="d")]
    writes = [records.put(by=records.user(f"w{n}"), at=after(seconds=n), id=f"w{n}") for n in range(4)]
    found = dossier(*reads, *refused, *writes, records.describe(by=records.user("looks"), at=after(seconds=10)))
    assert found.readers(NOW, 2) == found.readers(NOW)[:2]
    assert found.consumers(NOW, 2) == found.consumers(NOW)[:2]
    assert found.doers(NOW, 2) == found.doers(NOW)[:2]
    assert (found.number_of_readers, found.number_of_consumers(NOW), found.number_of_doers) == (6, 5, 4)
    assert (len(found.readers(NOW)), len(found.consumers(NOW)), len(found.doers(NOW))) == (6, 5, 4)


def test_of_a_thousand_readers_few_more_calls_are_made_to_tell_a_dozen_than_of_a_hundred() -> None:
    def told(count: int) -> int:
        reads = (records.read(by=records.user(f"r{n}"), at=after(seconds=n), id=f"r{n}") for n in range(count))
        found = dossier(*reads)
        readers, calls = counting_calls(lambda: (found.readers(NOW, 12), found.consumers(NOW, 12)))
        assert [len(each) for each in readers] == [12, 12]
        return calls

    assert told(200) - told(100) <= 20 * 100
