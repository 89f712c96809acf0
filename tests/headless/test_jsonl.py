import asyncio
import io
import json
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.headless.jsonl import Lines
from smwatch.headless.lines import Behind, alarm_line, event_line, event_text, status_line
from smwatch.headless.output import Output
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.keeper import NOT_KEPT
from smwatch.monitor.monitor import Monitor
from smwatch.rules.alarm import Alarm, AlarmState, Decided, Decision, Mute, Severity
from smwatch.rules.engine import Engine
from smwatch.sources.coverage import Gap, Span
from smwatch.sources.source import Found, Page, State, Status
from smwatch.store.ledger import Ledger
from smwatch.store.store import Store
from smwatch.visible import harmless_json
from tests import records
from tests.monitor.test_monitor import Scripted
from tests.rules.judging import catalogue

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def arrival(raw: str) -> Arrival:
    return Reader().read(raw, seen_by=SeenBy.LOGS, seen_at=NOW)


class Written:
    """Lines over an empty journal, and what came out of them."""

    def __init__(
        self,
        *,
        json: bool = True,
        journal: Journal | None = None,
        engine: Engine | None = None,
        since: datetime | None = None,
    ) -> None:
        self.out, self.notices = io.StringIO(), io.StringIO()
        self.journal = journal or Journal()
        self.lines = Lines(
            Store(engine=engine),
            self.journal,
            json=json,
            since=since,
            out=Output(self.out),
            notices=self.notices,
        )

    def take(self, *arrivals: Arrival, statuses: tuple[Status, ...] = ()) -> None:
        asyncio.run(self.lines.deliver(Delivery(self.journal.commit("test", arrivals).fresh, statuses)))

    def hear(self, *, newest_at: datetime, at: datetime) -> None:
        """A source has been read whole."""
        self.take(statuses=(Status("cloudtrail", "CloudTrail", State.OK, newest_at=newest_at, last_good_at=at),))

    @property
    def alarms(self) -> list[dict[str, Any]]:
        return [line for line in self.objects if line["type"] == "alarm"]

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


def test_that_a_source_has_fallen_silent_is_written_as_soon_as_it_says_so() -> None:
    written = Written(engine=Engine(catalogue()))
    minute = timedelta(minutes=1)
    for n in range(60):
        written.hear(newest_at=NOW + n * minute, at=NOW + n * minute)
    assert written.alarms == []
    written.hear(newest_at=NOW + 59 * minute, at=NOW + 80 * minute)
    [alarm] = written.alarms
    assert (alarm["rule"], alarm["state"]) == ("SMW-EVA-02", "open")


def test_an_event_line_says_everything_and_holds_the_untouched_record() -> None:
    record = records.denied("prod/db")
    line = json.loads(event_line(arrival(records.raw(record))))
    assert list(line) == [
        "type", "id", "time", "name", "source", "secret", "secret_arn", "principal", "identity", "source_ip",
        "user_agent", "region", "account", "read_only", "error_code", "error_message", "seen_by", "seen_at",
        "supersedes", "shared_id", "record",
    ]  # fmt: skip
    assert line["record"] == record
    assert line["id"] == record["eventID"]
    assert line["time"] == record["eventTime"]
    assert (line["type"], line["name"], line["secret"], line["error_code"]) == (
        "event",
        "GetSecretValue",
        "prod/db",
        "AccessDenied",
    )
    assert line["seen_by"] == "logs"
    assert line["seen_at"] == "2026-11-23T14:00:00Z"


def test_a_record_keeps_its_numbers_and_its_equal_keys() -> None:
    raw = (
        '{\n "eventName": "X",\r\n "big": 1.68890570862E9, "eventSource": "s", "n": 12345678901234567890123, "n": 1.0}'
    )
    line = event_line(arrival(raw))
    assert "\n" not in line
    assert '"big": 1.68890570862E9' in line
    assert '"n": 12345678901234567890123, "n": 1.0' in line


def test_what_is_no_record_is_written_as_its_text() -> None:
    line = json.loads(event_line(arrival('{"torn": ')))
    assert line["record"] == '{"torn": '
    assert line["error_message"]


def test_what_a_record_does_not_say_is_null() -> None:
    line = json.loads(event_line(arrival(records.raw(records.read(userAgent=records.ABSENT)))))
    assert line["user_agent"] is line["error_code"] is None


ALARM = Alarm(
    group="SMW-DEL-01:0", rule="SMW-DEL-01", severity=Severity.CRITICAL, state=AlarmState.OPEN, title="t", why="w",
    count=3, first_at=NOW, last_at=NOW, changed_at=NOW, next=("aws …",), mitre=("T1485", "T1489"),
)  # fmt: skip


def test_an_alarm_line_has_the_keys_that_others_rely_on() -> None:
    line = json.loads(alarm_line(ALARM, [Behind("id", "111122223333", "eu-west-1")], new=True))
    assert line == {
        "type": "alarm", "group": "SMW-DEL-01:0", "rule": "SMW-DEL-01", "severity": "critical", "state": "open",
        "title": "t", "secret": None, "principal": None, "identity": None, "session": None, "region": "eu-west-1",
        "account": "111122223333", "about": {}, "mitre": ["T1485", "T1489"], "count": 3, "counted": "events",
        "secrets": [], "first_at": "2026-11-23T14:00:00Z", "last_at": "2026-11-23T14:00:00Z", "event_ids": ["id"],
        "why": "w", "facts": [], "next": ["aws …"], "note": None,
        "closed_by": None, "muted_until": None,
    }  # fmt: skip
    assert json.loads(alarm_line(ALARM, [], new=False))["state"] == "updated"
    several = msgspec.structs.replace(ALARM, secrets=(Secret("111122223333", "eu-west-1", "prod/db"),))
    assert json.loads(alarm_line(several, [], new=True))["secrets"] == [
        {"account": "111122223333", "region": "eu-west-1", "name": "prod/db"}
    ]


def test_an_alarm_line_says_what_people_decided() -> None:
    decided = msgspec.structs.replace(
        ALARM,
        state=AlarmState.CLOSED,
        closed=Decision(NOW, 1, note="fixed"),
        closed_by="closed by hand",
        muted_until=NOW,
    )
    line = json.loads(alarm_line(decided, [], new=False))
    told = (line["state"], line["note"], line["closed_by"], line["muted_until"])
    assert told == ("closed", "fixed", "closed by hand", "2026-11-23T14:00:00Z")


def test_an_alarm_is_of_its_secrets_region_and_account_else_of_those_that_its_events_share() -> None:
    here, there, gone = Behind("a", "111122223333", "eu-west-1"), Behind("b", "111122223333", "us-east-1"), Behind()
    of_secret = msgspec.structs.replace(ALARM, secret=Secret("444455556666", "ap-south-1", "prod/db"))
    of_region = msgspec.structs.replace(ALARM, about=(("region", "us-east-1"),))

    def where(alarm: Alarm, *behind: Behind) -> tuple[str | None, str | None]:
        line = json.loads(alarm_line(alarm, behind, new=True))
        return line["account"], line["region"]

    assert where(ALARM, here, gone) == ("111122223333", "eu-west-1")
    assert where(ALARM, here, there) == ("111122223333", None)
    assert where(ALARM, gone) == (None, None)
    assert where(of_secret, here) == ("444455556666", "ap-south-1")
    assert where(of_region, here, there) == ("111122223333", "us-east-1")


def test_a_status_line_shows_gaps_and_lags() -> None:
    gap = Gap(Span(NOW - timedelta(hours=2), NOW), "older than 90 days")
    status = Status("a", "A", State.DENIED, "no", lag=timedelta(seconds=90), complete_to=NOW, gaps=(gap,))
    line = json.loads(status_line(status))
    assert (line["state"], line["lag_s"], line["complete_to"]) == ("denied", 90.0, "2026-11-23T14:00:00Z")
    assert line["gaps"] == [
        {"start": "2026-11-23T12:00:00Z", "end": "2026-11-23T14:00:00Z", "reason": "older than 90 days"}
    ]


def test_a_status_is_written_when_it_changes_and_not_for_each_call_that_fails_as_the_last_one_did() -> None:
    written = Written()
    missing = Status("a", "A", State.FAILING, "there is no log group trail", at=NOW, calls=2)
    again = msgspec.structs.replace(missing, at=NOW + timedelta(minutes=1), calls=3)
    other = msgspec.structs.replace(missing, source="b")
    back = msgspec.structs.replace(again, state=State.OK, message="", calls=9)
    for status in (missing, again, other, again, back, missing):
        written.take(statuses=(status,))
    lines = [json.loads(line) for line in written.out.getvalue().splitlines()]
    assert [(line["source"], line["state"], line["calls"]) for line in lines] == [
        ("a", "failing", 2),
        ("b", "failing", 2),
        ("a", "ok", 9),
        ("a", "failing", 2),
    ]


def test_what_was_written_is_not_written_by_the_next_run() -> None:
    since = NOW - timedelta(hours=3)
    written = Written(since=since)
    written.take(arrival(records.raw(records.read(at=NOW))))
    assert list(written.journal.untold(since, 99)) == []


def test_what_a_replay_writes_is_not_noted_as_no_run_goes_on_from_there() -> None:
    written = Written()
    written.take(arrival(records.raw(records.read(at=NOW))))
    assert len(written.objects) == 1
    assert len(list(written.journal.untold(NOW - timedelta(hours=3), 99))) == 1


async def test_asked_to_end_amid_events_and_their_alarm_it_writes_and_notes_all_of_them() -> None:
    events = [records.raw(records.read_deleted(at=NOW + timedelta(seconds=n), id=f"event-{n}")) for n in range(100)]
    journal, since, (reading, writing) = Journal(), NOW - timedelta(hours=3), os.pipe()
    with os.fdopen(reading, "rb") as reader, ThreadPoolExecutor(1) as threads:
        with os.fdopen(writing, "w") as stream:
            store = Store(engine=Engine(catalogue()))
            lines = Lines(store, journal, json=True, since=since, out=Output(stream))
            delivering = asyncio.create_task(
                lines.deliver(Delivery(journal.commit("test", list(map(arrival, events))).fresh))
            )
            for _ in range(10):  # the pipe is full by then
                await asyncio.sleep(0)
            delivering.cancel()
            read = threads.submit(reader.read)
            with pytest.raises(asyncio.CancelledError):
                await delivering
        written = [json.loads(line)["type"] for line in read.result().splitlines()]
    assert written == ["event"] * 100 + ["alarm"]
    assert list(journal.untold(since, 999)) == []


def test_lines_for_people_are_harmless_on_a_terminal() -> None:
    hostile = records.read("prod/\x1b]0;owned\x07", userAgent="\u202e", sourceIPAddress="\x9b2J", at=NOW)
    text = event_text(arrival(records.raw(hostile)).event)
    assert text.isprintable()
    written = Written(json=False)
    written.take(statuses=(Status("a", "A", State.DENIED, "sign \x1b[2J in"),) * 2)
    assert written.notices.getvalue() == "A: denied: sign ␛[2J in\n"
    assert written.out.getvalue() == ""


def test_a_json_line_holds_nothing_that_a_terminal_obeys_and_says_the_same() -> None:
    record = records.read("prod/\x9b2J\u202e\x7f\u2028宽\U000e0041", at=NOW)
    for raw in (records.raw(record), json.dumps(record, ensure_ascii=False)):
        line = event_line(arrival(raw))
        assert harmless_json(line) == line
        assert json.loads(line)["record"] == record


def test_what_was_printed_before_it_could_be_journaled_is_printed_once_however_little_the_store_holds() -> None:
    out, journal, since = io.StringIO(), Journal(), NOW - timedelta(days=1)
    lines = Lines(Store(capacity=3), journal, json=True, since=since, out=Output(out))
    events = [arrival(records.raw(records.read(at=NOW + timedelta(seconds=n), id=f"event-{n}"))) for n in range(10)]
    asyncio.run(lines.deliver(Delivery(tuple((NOT_KEPT, event) for event in events))))
    assert len(out.getvalue().splitlines()) == 10
    asyncio.run(lines.deliver(Delivery(journal.commit("test", events).fresh)))
    assert len(out.getvalue().splitlines()) == 10
    assert list(journal.untold(since, 99)) == []
    later = arrival(records.raw(records.read(at=NOW, id="later")))
    asyncio.run(lines.deliver(Delivery(journal.commit("test", [later]).fresh)))
    assert len(out.getvalue().splitlines()) == 11


async def test_what_a_screen_puts_in_while_a_tail_begins_is_printed_once_however_little_is_remembered(
    tmp_path: Path,
) -> None:
    events = [arrival(records.raw(records.read(at=NOW + timedelta(seconds=n), id=f"event-{n}"))) for n in range(40)]
    screen, tail, out = Journal(tmp_path / FILE_NAME), Journal(tmp_path / FILE_NAME), io.StringIO()
    since = NOW - timedelta(hours=1)
    tail.begin_printing(since)
    lines = Lines(Ledger(capacity=3), tail, json=True, since=since, out=Output(out))

    def monitor(deliver: Callable[[Delivery], Awaitable[None]]) -> Monitor:
        return Monitor(tail, deliver=deliver, selects=lambda _: False, now=lambda: NOW)

    screen.commit("b", events[:10])
    await monitor(lines.remember).past.recall(since, 1_000, printing_from=since)
    screen.commit("b", events[10:20])
    await monitor(lines.deliver).past.recall_untold(since)
    screen.commit("b", events[20:30])
    page = Page("a", SeenBy.LOGS, tuple(Found(event.raw) for event in events[30:]), NOW)
    await monitor(lines.deliver).follow([Scripted("a", [page])])
    printed = [json.loads(line)["id"] for line in out.getvalue().splitlines()]
    assert sorted(printed) == sorted(event.event.id for event in events)
    screen.close()
    tail.close()


def test_the_end_of_a_mute_is_told_to_who_keeps_alarms_and_printed_nowhere() -> None:
    out, journal, kept = io.StringIO(), Journal(), list[str]()
    engine = Engine(catalogue())
    lines = Lines(
        Store(engine=engine),
        journal,
        json=True,
        keep=lambda alarms, _: kept.extend(alarm.rule for alarm in alarms),
        out=Output(out),
    )
    read = arrival(records.raw(records.read_deleted(at=NOW)))
    asyncio.run(lines.deliver(Delivery(journal.commit("test", [read]).fresh)))
    asyncio.run(lines.deliver(Delivery(decided=Decided(mutes=(Mute(NOW + timedelta(hours=1), rule="SMW-DEL-01"),)))))
    printed = len(out.getvalue().splitlines())
    kept.clear()
    for minutes in (59, 60, 61):
        asyncio.run(lines.tick(NOW + timedelta(minutes=minutes)))
    assert kept == ["SMW-DEL-01"]
    assert len(out.getvalue().splitlines()) == printed
