import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.evidence.export import COLUMNS, csv_lines, jsonl_lines
from smwatch.evidence.report import TIMELINE, report_lines
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.running.parts import Parts
from smwatch.settings import Settings
from smwatch.sources.coverage import Coverage, Gap, Lags, Span
from smwatch.store.store import Store
from tests import records

HOUR = timedelta(hours=1)


def arrivals(*given: Record) -> list[Arrival]:
    reader = Reader()
    return [reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT) for record in given]


def test_an_export_as_json_lines_holds_the_records() -> None:
    record = records.read("prod/db")
    (line,) = jsonl_lines(arrivals(record))
    assert json.loads(line)["record"] == record


def test_no_cell_of_a_csv_export_can_run_as_a_formula() -> None:
    hostile = records.read('=HYPERLINK("http://x","y")', userAgent="@SUM(1)\r\n+1", sourceIPAddress="-1")
    heading, row = csv.reader(io.StringIO("".join(csv_lines(arrivals(hostile)))))
    assert tuple(heading) == COLUMNS
    assert row[COLUMNS.index("secret")].startswith("'=")
    assert row[COLUMNS.index("source_ip")] == "'-1"
    assert not any(cell.startswith(("=", "+", "-", "@")) or not cell.isprintable() for cell in row)


def test_an_export_of_nothing_is_a_heading() -> None:
    assert "".join(csv_lines([])).strip() == ",".join(COLUMNS)


def report(
    *given: Record,
    coverage: tuple[tuple[str, Coverage], ...] = (),
    filter_text: str = "",
    note: str = "",
    kept_from: datetime | None = None,
) -> str:
    store = Store(engine=Engine(combine(load_builtin())))
    store.add(arrivals(*given))
    for group in [group for group, alarm in store.alarms.items() if note and alarm.count]:
        store.acknowledge(group, note, records.AT)
    lines = report_lines(
        store,
        store.alarms.values(),
        since=records.AT - HOUR,
        now=records.AT + HOUR,
        coverage=coverage,
        filter_text=filter_text,
        kept_from=kept_from,
    )
    return "".join(lines)


def timeline(text: str) -> list[str]:
    return [line for line in text.partition("## Timeline")[2].partition("## Secrets")[0].splitlines() if "Z" in line]


def at(seconds: int) -> str:
    return records.stamp(records.AT + timedelta(seconds=seconds))


def test_a_report_tells_what_happened_in_order_with_equal_calls_as_one_line() -> None:
    given = [records.read("prod/db", eventTime=at(0), id="0")]
    given += [records.read_deleted("prod/api", eventTime=at(60 + i), id=f"1{i}") for i in range(3)]
    given += [records.put("prod/db", eventTime=at(120), id="2")]
    first, second = timeline(report(*given))
    assert first.startswith("| 2026-11-23T14:01:00Z to 14:01:02 | ▲ | GetSecretValue | prod/api | ROLE ")
    assert first.endswith("| InvalidRequestException | 3 |")
    assert second.startswith("| 2026-11-23T14:02:00Z |  | PutSecretValue | prod/db |")
    assert len(timeline(report(*given, filter_text="prod/"))) == 3


def test_a_report_holds_what_people_noted_on_alarms() -> None:
    text = report(records.read_deleted("prod/api", id="1"), note="told the *team*")
    assert "acknowledged" in text
    assert r"Note: told the \*team\*" in text


def test_a_hyphen_is_as_it_reads_in_a_report_but_where_a_line_begins_with_it() -> None:
    text = report(records.read_deleted("prod/api-v2", id="1"), records.put("-flag", id="2"))
    assert "| prod/api-v2 |" in text
    assert r"| \-flag |" in text


def test_a_timeline_ends_somewhere_and_says_so() -> None:
    given = [records.put(f"s{i % 2}", eventTime=at(i), id=str(i)) for i in range(TIMELINE + 5)]
    text = report(*given)
    assert len(timeline(text)) == TIMELINE
    assert "\n5 later events left out.\n" in text


@pytest.mark.parametrize(
    ("name", "begins"), [("x.md", "# Use of secrets"), ("x.csv", "time,name,secret"), ("x", '{"type":"event"')]
)
def test_the_screen_writes_what_the_name_of_the_file_says(tmp_path: Path, name: str, begins: str) -> None:
    parts, counts = Parts(Settings(), Store, remember=False), list[int]()
    given = arrivals(*(records.read_deleted("prod/api", id=str(i)) for i in range(3)))
    parts.store.add(given)
    parts.journal.commit("file", given[:2])
    path = tmp_path / name
    told = parts.evidence.write_file(
        path, [each.event for each in given], tuple(parts.store.alarms.values()), "prod/", counts.append
    )
    assert told == f"2 events written to {path}; the journal no longer holds 1 others"
    assert counts == [1, 2]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert name != "x.md" or "### CRITICAL: Access to a secret marked for deletion" in text
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        parts.evidence.write_file(path, [], (), "", counts.append)


def test_what_two_accounts_have_recorded_of_one_call_is_written_twice_and_counted_once(tmp_path: Path) -> None:
    parts, by = Parts(Settings(), Store, remember=False), records.role("reader", account=records.OTHER_ACCOUNT)
    given = arrivals(
        *(
            records.read(records.arn("prod/db"), by=by, account=account, sharedEventID="s", id=account)
            for account in (records.ACCOUNT, records.OTHER_ACCOUNT)
        )
    )
    parts.journal.commit("file", given)
    events = [each.event for each in given]
    for name in ("x", "x.md"):
        parts.evidence.write_file(tmp_path / name, events, (), "", lambda _: None)
    lines = [json.loads(line) for line in (tmp_path / "x").read_text(encoding="utf-8").splitlines()]
    assert [line["shared_id"] for line in lines] == ["s", "s"]
    assert [line for line in (tmp_path / "x.md").read_text(encoding="utf-8").splitlines() if "reader | 1 |" in line]


def test_a_report_says_who_did_what_and_how_complete_that_is() -> None:
    gap = Gap(Span(records.AT - 2 * HOUR, records.AT - HOUR), "older than 90 days")
    text = report(
        records.read("prod/db"),
        records.denied("prod/db", by=records.user("mallory")),
        records.delete("prod/api", days=7),
        coverage=(("cloudtrail:1:eu-west-1", Coverage((Span(records.AT - HOUR, records.AT),), (gap,))),),
    )
    assert "complete up to 2026-11-23T14:00:00Z" in text
    assert "older than 90 days" in text
    assert "| prod/db |" in text
    assert "mallory" in text
    assert "pending" in text


def test_a_report_counts_a_log_group_by_when_things_happened() -> None:
    held = Span(records.AT - HOUR, records.AT)
    gap = Gap(Span(records.AT - HOUR / 2, records.AT - HOUR / 3), "not readable")
    group = "logs:1:eu-west-1:trail"
    assert "complete up to 2026-11-23T13:50:00Z" in report(coverage=((group, Coverage((held,), (gap,))),))
    assert "not read: 2026-11-23T13:20:00Z to 2026-11-23T13:40:00Z" in report(
        coverage=((group, Coverage((held,), (gap,))),)
    )
    said = Coverage((held,), said_to=records.AT - timedelta(minutes=1), lags=Lags(delivery=HOUR / 2))
    assert "complete up to 2026-11-23T13:59:00Z" in report(coverage=((group, said),))
    wide = Coverage((held,), lags=Lags(delivery=HOUR / 2))
    assert "complete up to 2026-11-23T13:30:00Z" in report(coverage=((group, wide),))
    assert "not read whole" in report(coverage=((group, Coverage((held,), lags=Lags(delivery=2 * HOUR))),))


def test_a_report_says_what_was_read_after_something_that_was_not() -> None:
    trail, group = "cloudtrail:1:eu-west-1", "logs:1:eu-west-1:trail"
    half, quarter = Span(records.AT - HOUR / 2, records.AT), Span(records.AT - HOUR / 4, records.AT)
    told = f"- `{trail}`: not read whole\n  - read whole: 2026-11-23T13:30:00Z to 2026-11-23T14:00:00Z\n"
    assert told in report(coverage=((trail, Coverage((half,))),))
    late = "not read whole\n  - read whole: 2026-11-23T13:30:00Z to 2026-11-23T13:50:00Z\n"
    assert late in report(coverage=((group, Coverage((half,))),))
    first = Span(records.AT - HOUR, records.AT - HOUR / 2)
    told = "complete up to 2026-11-23T13:30:00Z\n  - read whole: 2026-11-23T13:45:00Z to 2026-11-23T14:00:00Z\n"
    assert told in report(coverage=((trail, Coverage((first, quarter))),))
    gap = Gap(Span(first.end, quarter.start), "not readable")
    assert "read whole:" not in report(coverage=((trail, Coverage((first, quarter), (gap,))),))
    brief = Span(records.AT - HOUR / 12, records.AT)
    assert "read whole:" not in report(coverage=((group, Coverage((brief,))),))


def test_a_report_says_from_when_on_it_has_events() -> None:
    coverage = (("cloudtrail:1:eu-west-1", Coverage((Span(records.AT - HOUR, records.AT),))),)
    deleted = "Events from before 2026-11-23T13:30:00Z are deleted"
    assert deleted in report(coverage=coverage, kept_from=records.AT - HOUR / 2)
    assert "deleted" not in report(coverage=coverage, kept_from=records.AT - 2 * HOUR)


def test_nothing_in_a_record_becomes_markup_in_a_report() -> None:
    text = report(records.read("x|<script>alert(1)</script>\n# Owned [link](http://x) \x1b[2J"))
    assert "<script>" not in text
    assert "\n# Owned" not in text
    assert "\x1b" not in text
