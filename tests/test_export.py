import csv
import io
import json
from datetime import timedelta

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.export import COLUMNS, csv_lines, jsonl_lines, report_lines
from smwatch.record import Record
from smwatch.sources.coverage import Coverage, Gap, Span
from smwatch.store import Store
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


def report(*given: Record, coverage: tuple[tuple[str, Coverage], ...] = ()) -> str:
    store = Store()
    store.add(arrivals(*given))
    return "".join(report_lines(store, since=records.AT - HOUR, now=records.AT + HOUR, coverage=coverage))


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


def test_nothing_in_a_record_becomes_markup_in_a_report() -> None:
    text = report(records.read("x|<script>alert(1)</script>\n# Owned [link](http://x) \x1b[2J"))
    assert "<script>" not in text
    assert "\n# Owned" not in text
    assert "\x1b" not in text
