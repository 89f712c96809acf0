"""The life of an alarm: open, updated, acknowledged, closed, open again; over restarts too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from smwatch.events.event import Arrival
from smwatch.journal import FILE_NAME, Journal
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Mute, Severity
from smwatch.rules.engine import Engine
from tests import records
from tests.rules.catalogue.keys import to_key
from tests.rules.judging import after, arrivals, catalogue, judged, mine, of, ruled

OPEN, ACKNOWLEDGED, CLOSED = AlarmState.OPEN, AlarmState.ACKNOWLEDGED, AlarmState.CLOSED
RULE = "SMW-DEL-01"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / FILE_NAME)
    yield journal
    journal.close()


class Watching:
    """An engine whose alarms are kept in a journal, as the program keeps them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.engine = Engine(catalogue())
        self.engine.restore(journal.alarms())

    def sees(self, *happened: Record) -> Alarm:
        self.journal.keep(self.engine.judge(arrivals(happened)))
        return self.alarm

    @property
    def alarm(self) -> Alarm:
        (alarm,) = of(RULE, self.engine.alarms)
        return alarm

    def acknowledge(self, note: str, minute: float) -> Alarm:
        self.journal.keep(self.engine.acknowledge(self.alarm.group, note, after(minutes=minute)))
        return self.alarm

    def close(self, note: str, minute: float) -> Alarm:
        self.journal.keep(self.engine.close(self.alarm.group, note, after(minutes=minute)))
        return self.alarm


def read(minute: float) -> Record:
    return records.read_deleted(at=after(minutes=minute))


def restored(minute: float) -> Record:
    return records.restore(at=after(minutes=minute), by=records.user("alice"))


@pytest.mark.parametrize("restarts", [False, True], ids=["in one run", "with a restart after each step"])
def test_an_alarm_from_its_first_event_to_its_return(journal: Journal, restarts: bool) -> None:
    watching = Watching(journal)

    def now() -> Watching:
        return Watching(journal) if restarts else watching

    assert (now().sees(read(0)).state, now().alarm.count) == (OPEN, 1)
    assert (now().sees(read(1)).state, now().alarm.count) == (OPEN, 2)
    assert (now().acknowledge("calling the owner", 2).state, now().alarm.note) == (ACKNOWLEDGED, "calling the owner")
    # More of the same does not ask again; what it counts goes on.
    assert (now().sees(read(3)).state, now().alarm.count) == (ACKNOWLEDGED, 3)
    assert (now().close("owner told", 4).state, now().alarm.closed_by) == (CLOSED, "closed by hand")
    # What is newer than what was closed opens it again, from there.
    again = now().sees(read(5))
    assert (again.state, again.count, again.first_at) == (OPEN, 1, after(minutes=5))
    over = now().sees(restored(6))
    assert (over.state, over.ended_at, over.closed_by) == (CLOSED, after(minutes=6), "RestoreSecret by alice")
    back = now().sees(read(7))
    assert (back.state, back.count, back.first_at) == (OPEN, 1, after(minutes=7))


def test_a_late_event_from_before_it_was_closed_does_not_open_an_alarm(journal: Journal) -> None:
    watching = Watching(journal)
    watching.sees(read(0), read(5))
    watching.close("done", 9)
    assert watching.sees(read(3)).state is CLOSED


def test_an_acknowledged_alarm_that_gets_worse_asks_again() -> None:
    engine = Engine(catalogue())
    thief = records.role("ci-deployer", "build-7")
    sweep = [records.read(f"prod/{n}", by=thief, at=after(n * 5)) for n in range(24)]
    engine.judge(arrivals(sweep[:12]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    engine.acknowledge(alarm.group, "", after(minutes=3))
    engine.judge(arrivals(sweep[12:14]))
    assert [(one.state, one.severity) for one in of("SMW-READ-01", engine.alarms)] == [(ACKNOWLEDGED, Severity.HIGH)]
    engine.judge(arrivals(sweep[14:]))
    assert [(one.state, one.severity) for one in of("SMW-READ-01", engine.alarms)] == [(OPEN, Severity.CRITICAL)]


def test_of_values_alone_that_are_evidence_there_is_news_not_of_each_new_session_that_comes_to_others() -> None:
    command = "aws iam get-access-key-last-used --access-key-id {access_key_id}"
    engine = Engine(ruled(mine('distinct = { of = "secret", min = 3, within = "10m" }', f"next = ['{command}']")))

    def reads(session: int, secrets: int, second: float) -> list[Arrival]:
        by = records.role("eso", f"s-{session}", key=f"ASIA{session}EXAMPLE00000000")
        return arrivals(records.read(f"prod/{n}", by=by, at=after(second + n)) for n in range(secrets))

    (told,) = engine.judge(reads(0, 3, 0))
    assert told.next == ("aws iam get-access-key-last-used --access-key-id ASIA0EXAMPLE00000000",)
    for session in range(1, 4):
        assert engine.judge(reads(session, 2, 3600 * session)) == ()
    (alarm,) = of("MINE", engine.alarms)
    assert alarm != told
    assert msgspec.structs.replace(alarm, next=told.next, principal=told.principal) == told
    (again,) = engine.judge(reads(4, 3, 3600 * 4))
    assert (again.count, again.last_at) == (3, after(3600 * 4 + 2))
    assert again.next == ("aws iam get-access-key-last-used --access-key-id ASIA4EXAMPLE00000000",)


def test_a_mute_ends_by_itself_and_can_be_ended(journal: Journal) -> None:
    watching = Watching(journal)
    watching.sees(read(0))
    watching.engine.mute(Mute(after(hours=1), rule=RULE))
    assert (watching.alarm.muted(after(minutes=59)), watching.alarm.muted(after(minutes=60))) == (True, False)
    watching.engine.mute(Mute(after(), rule=RULE))
    assert not watching.alarm.muted(after(minutes=1))
    # A mute is about what is to come as well.
    watching.engine.mute(Mute(after(hours=1), rule="SMW-DEL-05"))
    watching.engine.judge(arrivals([records.delete("prod/other")]))
    assert [alarm.muted(after(minutes=5)) for alarm in of("SMW-DEL-05", watching.engine.alarms)] == [True]


def test_an_alarm_that_is_taken_back_is_not_there_after_a_restart(journal: Journal) -> None:
    watching = Watching(journal)
    watching.sees(read(0))
    journal.keep([watching.alarm])
    assert len(journal.alarms()) == 1
    rotator = records.role("rotator", "rotate")
    move = records.write("UpdateSecretVersionStage", parameters={"versionStage": "AWSCURRENT"}, by=rotator,
                         at=after(20))  # fmt: skip
    journal.keep(watching.engine.judge(arrivals([move])))
    assert {alarm.rule for alarm in journal.alarms()} == {RULE, "SMW-TAMP-01"}
    # The rotation that explains it comes late.
    late = [records.service_event("RotationStarted"), records.put(by=rotator, at=after(9)),
            records.service_event("RotationSucceeded", at=after(60))]  # fmt: skip
    journal.keep(watching.engine.judge(arrivals(late)))
    assert {alarm.rule for alarm in journal.alarms()} == {RULE}


def test_people_who_share_a_permission_set_have_alarms_of_their_own_by_their_names() -> None:
    people = ("alice@example.com", "bob@example.com", "alice@example.com")
    looks = [
        records.read(f"prod/{n}", by=records.sso(name), userAgent=records.CONSOLE, at=after(n))
        for n, name in enumerate(people)
    ]
    alarms = of("SMW-READ-06", judged(looks))
    assert [(alarm.principal, alarm.count) for alarm in alarms] == [("alice@example.com", 2), ("bob@example.com", 1)]


def test_what_was_kept_is_judged_anew_once_as_much_is_known_again() -> None:
    rotator = records.role("rotator", "rotate")
    move = records.write("UpdateSecretVersionStage", parameters={"versionStage": "AWSCURRENT"}, by=rotator,
                         at=after(20))  # fmt: skip
    before, later = Engine(catalogue()), Engine(catalogue())
    before.judge(arrivals([move]))
    later.restore(before.alarms.values(), known_since=before.known_since)
    later.judge(arrivals([records.service_event("RotationSucceeded", at=after(60))]))
    assert [alarm.state for alarm in of("SMW-TAMP-01", later.alarms)] == [OPEN]
    later.judge(arrivals([move, records.service_event("RotationStarted"), records.put(by=rotator, at=after(9))]))
    assert of("SMW-TAMP-01", later.alarms) == []


def test_what_is_decided_before_all_is_known_again_after_a_restart_holds_for_all_that_was_seen_before() -> None:
    rule = ruled(mine('distinct = {of = "secret", min = 2, within = "1h"}'))
    reads = arrivals([records.read(name, at=after(n), id=f"{n}") for n, name in enumerate(("a", "b", "b", "a"))])
    before = Engine(rule)
    (kept,) = before.judge(reads)
    later = Engine(rule)
    later.restore([kept], known_since=before.known_since)
    later.close(kept.group, "a deployment", after(minutes=2))
    later.judge(reads)
    assert later.alarms[kept.group].state is CLOSED
    later.judge(arrivals([records.read("a", at=after(9))]))
    assert later.alarms[kept.group].open


@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_delivered_late_and_is_newer_than_what_was_closed_opens_it_again(
    journal: Journal, *, restarts: bool
) -> None:
    watching = Watching(journal)
    watching.sees(read(0))
    closed = watching.close("done", 9.001)
    watching = Watching(journal) if restarts else watching
    assert watching.alarm == closed
    assert watching.sees(read(5)).state is OPEN  # it happened before the alarm was closed, and nobody had seen it


def test_a_restart_in_the_middle_of_reading_again_forgets_not_how_far_back_events_were_known() -> None:
    before, later = Engine(catalogue()), Engine(catalogue())
    before.judge(arrivals([records.read(), read(9)]))
    assert before.known_since == after()
    later.restore(before.alarms.values(), known_since=before.known_since)
    later.judge(arrivals([read(9)]))
    assert later.known_since == after()


def test_a_tick_tells_of_the_alarms_whose_mute_has_ended_once(journal: Journal) -> None:
    watching = Watching(journal)
    watching.sees(read(0))
    watching.engine.mute(Mute(after(hours=1), rule=RULE))
    told = [[alarm.group for alarm in watching.engine.tick(after(minutes=minute))] for minute in (1, 59, 60, 61)]
    assert told == [[], [], [watching.alarm.group], []]


def test_an_alarm_says_who_enabled_the_key_again() -> None:
    happened = [to_key("ScheduleKeyDeletion", at=after()), to_key("CancelKeyDeletion", at=after(minutes=1))]
    (alarm,) = of("SMW-KMS-02", judged(happened))
    assert alarm.state is OPEN
    happened.append(to_key("EnableKey", at=after(minutes=3), by=records.user("alice")))
    (alarm,) = of("SMW-KMS-02", judged(happened))
    assert (alarm.state, alarm.closed_by) == (CLOSED, "EnableKey by alice")
