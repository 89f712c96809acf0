"""Every format that CloudTrail records are kept in gives back the same records, untouched."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.sources.cloudtrail import row_of
from smwatch.sources.formats import Unread, read
from smwatch.sources.source import Found

AT = datetime(2026, 11, 23, 14, 5, 58, tzinfo=UTC)


def record(n: int, **more: object) -> str:
    """A record as CloudTrail writes it, compact and with a text that survives no re-encoding."""
    fields = {
        "eventVersion": "1.11",
        "eventTime": "2026-11-23T14:05:58Z",
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "requestParameters": {"secretId": f"prod/db-{n}", "filters": [{"key": "a"}, {"key": "b"}]},
        "eventID": f"00000000-0000-4000-8000-{n:012}",
        **more,
    }
    return json.dumps(fields, separators=(",", ":")).replace('"1.11"', '"1.11" , "odd":1.50E+1, "caf\\u00e9":"}{\\"é"')


RECORDS = [record(n) for n in range(7)]


def parts(text: str | bytes, size: int = 1 << 18) -> list[list[Found] | Unread]:
    data = text.encode() if isinstance(text, str) else text
    return list(read(iter([data[at : at + 50] for at in range(0, len(data), 50)]), size))


def found(text: str | bytes, size: int = 1 << 18) -> list[Found]:
    """All records in a text that has to be readable as a whole."""
    out = []
    for part in parts(text, size):
        assert not isinstance(part, Unread), part
        out += part
    return out


def raws(text: str | bytes, size: int = 1 << 18) -> list[str]:
    return [each.raw for each in found(text, size)]


def reasons(text: str | bytes, size: int = 1 << 18) -> list[str]:
    return [part.reason for part in parts(text, size) if isinstance(part, Unread)]


def readable(text: str | bytes, size: int = 1 << 18) -> list[str]:
    return [each.raw for part in parts(text, size) if not isinstance(part, Unread) for each in part]


def looked_up(raw: str) -> dict[str, object]:
    return {
        "EventId": "x",
        "EventTime": "2026-11-23T15:05:58+01:00",
        "Resources": [{"ResourceType": None, "ResourceName": "]}{"}],
        "CloudTrailEvent": raw,
    }


def logged(raw: str) -> dict[str, object]:
    return {"logStreamName": "1_CloudTrail_x", "timestamp": 1795442758000, "message": raw, "eventId": "1"}


def bridged(raw: str) -> str:
    head = {"version": "0", "detail-type": "AWS API Call via CloudTrail", "time": "2026-11-23T14:05:58Z"}
    return json.dumps(head)[:-1] + f', "detail":{raw}}}'


def table(*header: str) -> str:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(header)
    rows.writerows(["2026-11-23 14:05:58.000" if name == "@timestamp" else raw for name in header] for raw in RECORDS)
    return out.getvalue()


FORMATS = {
    "trail file": '{"Records":[' + ",".join(RECORDS) + "]}",
    "trail file, indented": '{\n  "Records": [\n    ' + ",\n    ".join(RECORDS) + "\n  ]\n}\n",
    "trail files one after the other": "".join(f'{{"Records":[{raw}]}}' for raw in RECORDS),
    "trail files, one a line": "".join(f'{{"Records":[{raw}]}}\n' for raw in RECORDS),
    "JSON lines": "\n".join(RECORDS) + "\n",
    "JSON lines with blank ones and carriage returns": "\r\n\r\n".join(RECORDS) + "\r\n",
    "records one after the other": " \n\t".join(RECORDS),
    "array": "[" + " , ".join(RECORDS) + "]",
    "array, indented": "[\n" + ",\n".join(RECORDS) + "\n]\n",
    "lookup-events": json.dumps({"Events": [looked_up(raw) for raw in RECORDS], "NextToken": "a]}b"}, indent=4),
    "lookup-events, pages one after the other": "".join(json.dumps({"Events": [looked_up(raw)]}) for raw in RECORDS),
    "lookup-events --query Events": json.dumps([looked_up(raw) for raw in RECORDS], indent=4),
    "lookup-events --query Events[].CloudTrailEvent": json.dumps(RECORDS, indent=4),
    "the same --output text": "\t".join(RECORDS) + "\n",
    "jq .Events[].CloudTrailEvent": "\n".join(json.dumps(raw) for raw in RECORDS),
    "filter-log-events": json.dumps({"events": [logged(raw) for raw in RECORDS], "searchedLogStreams": []}, indent=4),
    "jq -c .events[]": "\n".join(json.dumps(logged(raw)) for raw in RECORDS),
    "log export task": "".join(f"2026-11-23T14:05:58.000Z {raw}\n" for raw in RECORDS),
    "aws logs tail": "".join(f"2026-11-23T14:05:58.000000+00:00 1_CloudTrail_x {raw}\n" for raw in RECORDS),
    "awslogs": "".join(f"CloudTrail/x 1_CloudTrail_x {raw}\n" for raw in RECORDS),
    "subscription": "".join(
        json.dumps({"messageType": "DATA_MESSAGE", "owner": "1", "logEvents": [{"id": "1", **logged(raw)}]})
        for raw in RECORDS
    )
    + json.dumps({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL"}]}),
    "get-query-results": json.dumps(
        {
            "queryLanguage": "CWLI",
            "results": [
                [{"field": "@timestamp", "value": "2026-11-23 14:05:58.000"}, {"field": "@message", "value": raw}]
                for raw in RECORDS
            ],
        }
    ),
    "Logs Insights, JSON": json.dumps([{"@timestamp": "2026-11-23 14:05:58.000", "@message": raw} for raw in RECORDS]),
    "Logs Insights, JSON with parsed messages": "[" + ",".join(f'{{"@message":{raw}}}' for raw in RECORDS) + "]",
    "Logs Insights, CSV": table("@timestamp", "@message"),
    "CloudWatch console, CSV": table("timestamp", "message"),
    "EventBridge": "\n".join(bridged(raw) for raw in RECORDS),
    "EventBridge, in an array": "[" + ",".join(bridged(raw) for raw in RECORDS) + "]",
    "EventBridge, in a log group": json.dumps({"events": [logged(bridged(raw)) for raw in RECORDS]}),
    "smwatch tail --json": "\n".join(
        [
            '{"type":"status","source":"x","state":"ok","message":null}',
            *(f'{{"type":"event","id":"x","time":"2026-11-23T14:05:58Z","record":{raw}}}' for raw in RECORDS),
            '{"type":"alarm","rule":"x","count":1}',
        ]
    ),
}


@pytest.mark.parametrize("size", [1 << 18, 700])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_back_the_records_untouched_and_in_order(name: str, size: int) -> None:
    assert raws(FORMATS[name], size) == RECORDS


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lookup-events",
            "filter-log-events",
            "log export task",
            "aws logs tail",
            "subscription",
            "get-query-results",
        ),
        *("Logs Insights, JSON", "Logs Insights, CSV", "EventBridge", "smwatch tail --json"),
    ],
)
def test_the_time_of_a_wrapper_comes_with_a_record_that_has_none(name: str) -> None:
    assert {each.at for each in found(FORMATS[name])} == {None}
    untimed = FORMATS[name].replace("eventTime", "eventThyme")
    assert {each.at for each in found(untimed)} == {AT}


def test_the_time_of_a_wrapper_replaces_one_that_was_masked() -> None:
    masked = RECORDS[0].replace("2026-11-23T14:05:58Z", "redacted")
    assert found(json.dumps(looked_up(masked))) == [Found(masked, AT)]


def test_a_time_that_is_none_is_left_out() -> None:
    for time in ("yesterday", "", 1e300, [1], None, -1e18, True):
        wrapped = json.dumps({"EventTime": time, "CloudTrailEvent": '{"eventVersion":"1.11"}'})
        assert found(wrapped) == [Found('{"eventVersion":"1.11"}')]


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_byte_order_mark_says_how_to_read_the_rest(mark: str) -> None:
    data = FORMATS["lookup-events"].encode(mark)
    assert raws(data if mark != "utf-16-be" else b"\xfe\xff" + data) == RECORDS


def test_a_broken_line_is_kept_and_the_others_are_read() -> None:
    broken = RECORDS[1][:200]
    lines = [RECORDS[0], broken, "oops", "\x1b]0;x\x07", RECORDS[2], "7", RECORDS[3][:-1]]
    assert raws("\n".join(lines)) == lines


def test_lines_whose_first_is_broken_are_still_lines() -> None:
    lines = [RECORDS[1][:200], *RECORDS, RECORDS[2][:100]]
    assert raws("\n".join(lines)) == lines
    assert raws("\n".join(["oops", *RECORDS])) == ["oops", *RECORDS]


def test_an_object_that_is_no_record_is_handed_on_among_records() -> None:
    assert raws('{"a":1}\n' + RECORDS[0]) == ['{"a":1}', RECORDS[0]]


def test_reading_json_of_something_else_ends_early() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b'{"a":1}\n' * 1000

    assert list(read(endless())) == [Unread("holds JSON, but no CloudTrail records", foreign=True)]


def test_an_element_that_is_no_object_is_handed_on() -> None:
    assert raws(f'{{"Records":[{RECORDS[0]},7,null,"x",[1]]}}') == [RECORDS[0], "7", "null", '"x"', "[1]"]
    assert raws(f'{{"Records":[7,{RECORDS[0]}]}}') == ["7", RECORDS[0]]


def test_no_records_are_no_trouble() -> None:
    for text in ("", " \n\n ", '{"Records":[]}', '{"Events": []}\n', "[]", '{"events":[],"searchedLogStreams":[]}'):
        assert raws(text) == []


def test_a_digest_of_trail_files_holds_no_records() -> None:
    assert raws('{"awsAccountId":"1","digestStartTime":"2026-11-23T14:05:58Z","logFiles":[{"s3Bucket":"b"}]}') == []


@pytest.mark.parametrize(
    "text", ['{"name":"left-pad","version":"1.0.0"}', "[1,2,3]", '"hello"', '[{"a":1},{"a":2}]', '{\n "a": {}\n}\n']
)
def test_json_of_something_else_is_said_to_be_that(text: str) -> None:
    assert parts(text) == [Unread("holds JSON, but no CloudTrail records", foreign=True)]


@pytest.mark.parametrize(
    "text", ["# Notes\n\nsome text\n", b"\x7fELF\x02\x01\x01\x00\x00", "<Error><Code>NoSuchKey</Code></Error>"]
)
def test_a_file_of_something_else_gives_one_sentence_and_no_events(text: str | bytes) -> None:
    assert parts(text) == [Unread("holds no CloudTrail records: neither JSON nor a log export", foreign=True)]


@pytest.mark.parametrize("size", [1 << 18, 700])
@pytest.mark.parametrize("name", ["trail file", "trail file, indented", "array", "lookup-events", "filter-log-events"])
def test_what_stands_before_the_end_of_a_broken_off_file_is_read(name: str, size: int) -> None:
    text = FORMATS[name]
    cut = text.index("00000004") - 20
    assert readable(text[:cut], size) == RECORDS[:4]
    assert len(reasons(text[:cut], size)) == 1
    assert "byte " in reasons(text[:cut], size)[0]


@pytest.mark.parametrize("size", [1 << 18, 700])
def test_a_record_that_is_not_json_does_not_hide_the_others(size: int) -> None:
    broken = RECORDS[2].replace('"eventName":', '"eventName"')
    text = FORMATS["trail file"].replace(RECORDS[2], broken)
    assert raws(text, size) == [*RECORDS[:2], broken, *RECORDS[3:]]


@pytest.mark.parametrize(
    "name", ["trail file", "array", "JSON lines", "trail files one after the other", "EventBridge"]
)
@pytest.mark.parametrize("size", [1 << 18, 700])
def test_half_a_surrogate_pair_in_one_record_does_not_hide_the_others(name: str, size: int) -> None:
    odd = RECORDS[2].replace("prod", "\\ud83d")
    texts = raws(FORMATS[name].replace(RECORDS[2], odd), size)
    assert len(texts) == len(RECORDS)
    assert texts[:2] + texts[3:] == RECORDS[:2] + RECORDS[3:]
    assert odd in texts[2]


def test_bytes_that_are_not_utf8_are_marked_and_nothing_else_is_lost() -> None:
    for name in ("trail file", "JSON lines", "array"):
        data = FORMATS[name].encode().replace(b"prod/db-2", b"prod/\xff-2")
        assert raws(data) == [
            *RECORDS[:2],
            RECORDS[2].replace("prod/db-2", "prod/\N{REPLACEMENT CHARACTER}-2"),
            *RECORDS[3:],
        ]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"Events":[' * 2000 + "{}" + "]}" * 2000])
def test_deep_nesting_is_an_answer_and_not_a_crash(text: str) -> None:
    assert reasons(text)


def test_deep_nesting_in_one_record_does_not_hide_the_others() -> None:
    deep = '{"eventVersion":' + "[" * 5000 + "]" * 5000 + "}"
    assert raws("\n".join([RECORDS[0], deep, RECORDS[1]])) == [RECORDS[0], deep, RECORDS[1]]
    assert raws(f'{{"Records":[{RECORDS[0]},{deep},{RECORDS[1]}]}}') == [RECORDS[0], deep, RECORDS[1]]


def test_json_that_goes_wrong_is_placed() -> None:
    assert reasons('{"Records": nope}') == ["is not JSON at byte 12: Expecting value"]
    assert reasons("[" + RECORDS[0] + "] oops") == [
        f"is not JSON at byte {len(RECORDS[0].encode()) + 3:,}: Expecting value"
    ]


def test_a_failing_read_hands_over_what_came_before() -> None:
    def chunks() -> Iterator[bytes]:
        yield FORMATS["trail file"][: -len(RECORDS[0]) // 2].encode()
        raise OSError("its gzip data ends early")

    out = list(read(chunks()))
    assert out[-1] == Unread("its gzip data ends early")
    assert [each.raw for part in out[:-1] if not isinstance(part, Unread) for each in part] == RECORDS[:-1]
    assert len([part for part in out if isinstance(part, Unread)]) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('{}[]",: \\é\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["eventVersion", "a", '"}{"', "Records"]), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORD = st.builds(
    lambda more: {"eventVersion": "1.11", **more},
    st.dictionaries(st.sampled_from(["eventName", "detail", "Records", "type", "record", "message"]), JSON, max_size=3),
)


@given(st.lists(RECORD, max_size=12), st.sampled_from([None, 1]), st.booleans(), st.integers(20, 400), st.data())
def test_records_come_back_whatever_they_hold_and_however_the_text_is_cut(
    records: list[dict[str, object]], indent: int | None, ascii_only: bool, size: int, data: st.DataObject
) -> None:
    texts = [json.dumps(each, indent=indent, ensure_ascii=ascii_only) for each in records]
    blank = data.draw(st.sampled_from(["", "\n", " \n "]))
    text = data.draw(
        st.sampled_from(
            [
                f'{{{blank}"Records":{blank}[' + f"{blank},{blank}".join(texts) + f"]{blank}}}{blank}",
                "[" + f"{blank},{blank}".join(texts) + f"]{blank}",
                f"{blank or ' '}".join(texts),
                "".join(f'{{"Records":[{raw}]}}{blank}' for raw in texts),
            ]
        )
    )
    assert raws(text, size) == texts


@given(st.binary(max_size=400), st.integers(0, 2000))
def test_damage_never_raises_and_never_costs_the_records_before_it(noise: bytes, at: int) -> None:
    for name in ("trail file", "JSON lines", "lookup-events"):
        data = FORMATS[name].encode()
        damaged = data[:at] + noise + data[at + len(noise) :]
        texts = readable(damaged, 700)
        before = sum(
            data.index(f"-0000-4000-8000-{n:012}".encode()) + 200 < at for n in range(7) if name != "lookup-events"
        )
        assert texts[: max(0, before - 1)] == RECORDS[: max(0, before - 1)]


@pytest.mark.parametrize("parsed", [False, True])
@pytest.mark.parametrize(
    "lacking", [["eventID"], ["eventName"], ["eventSource"], ["eventName", "eventSource", "eventTime"]]
)
def test_what_a_record_of_lookup_events_lacks_is_told_by_the_item_around_it_as_at_the_live_source(
    lacking: list[str], parsed: bool
) -> None:
    whole = json.loads(record(1, userIdentity={"type": "IAMUser", "userName": "ana"}))
    bare = {name: value for name, value in whole.items() if name not in lacking}
    item = {
        "EventId": whole["eventID"],
        "EventName": whole["eventName"],
        "EventSource": whole["eventSource"],
        "Username": "ana",
        "Resources": [{"ResourceName": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf"}, 7],
        "ReadOnly": "true",
    }
    kept = item | {"EventTime": AT.isoformat(), "CloudTrailEvent": bare if parsed else json.dumps(bare)}
    (of_file,) = found(json.dumps({"Events": [kept]}))
    live = row_of(item | {"EventTime": AT, "CloudTrailEvent": json.dumps(bare), "Resources": item["Resources"][:1]})
    assert json.loads(of_file.raw) == json.loads(live.found.raw)
    assert {name: json.loads(of_file.raw)[name] for name in lacking} == {name: whole[name] for name in lacking}


def test_a_whole_record_of_lookup_events_is_untouched_whatever_is_told_around_it() -> None:
    text = json.dumps({"Events": [{"EventId": "other", "EventTime": AT.isoformat(), "CloudTrailEvent": record(1)}]})
    assert raws(text) == [record(1)]
