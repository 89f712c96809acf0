"""`smwatch pattern test` and, with --aws, what the service says to the same lines."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from click.testing import CliRunner, Result

from smwatch.cli import main
from smwatch.cli.pattern import LONGEST
from smwatch.setup.second_opinion import PAUSE, SecondOpinion, batches
from smwatch.setup.trouble import SetupError
from tests.emulators.metric_filters import MetricFilterTest

Serve = Callable[..., MetricFilterTest]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a stand-in that the standard places lead to."""
    running: list[MetricFilterTest] = []

    def start(found: dict[str, list[str]], refused: dict[str, str] | None = None) -> MetricFilterTest:
        service = MetricFilterTest(found, refused)
        running.append(service.__enter__())
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        return service

    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ):
        monkeypatch.setenv(name, value)
    yield start
    for service in running:
        service.__exit__()


def pattern_test(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["pattern", "test", *arguments], input=stdin)


def test_lines_that_match_are_printed_and_the_exit_code_says_whether_any_did() -> None:
    some = pattern_test("ERROR", stdin="ERROR a\nINFO\nERROR b\r\n")
    assert (some.stdout, some.exit_code) == ("ERROR a\nERROR b\n", 0)
    none = pattern_test("ERROR", stdin="INFO\n")
    assert (none.stdout, none.exit_code) == ("", 1)


def test_a_line_is_there_while_others_still_come() -> None:
    command = [sys.executable, "-m", "smwatch", "pattern", "test", "ERROR"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"INFO\nERROR a\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready
        assert process.stdout.readline() == b"ERROR a\n"
        process.stdin.close()
        assert process.wait() == 0


class Counting(io.RawIOBase):
    """Takes what is written, and counts how often anything is."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.times = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.times += 1
        self.written += bytes(data)
        return len(bytes(data))


def test_the_lines_of_a_file_are_not_written_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, raw = tmp_path / "lines", Counting()
    path.write_text("ERROR\n" * 5_000, encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw)))
    with pytest.raises(SystemExit) as ended:
        main(["pattern", "test", "ERROR", str(path)])
    assert (ended.value.code, raw.written) == (0, b"ERROR\n" * 5_000)
    assert raw.times < 100


def test_a_file_is_read_instead_of_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"ERROR \xff\nINFO\n")
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "smwatch", "pattern", "test", "ERROR", "-"],
            stdin=file,
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
        )
    assert done.stdout == b"ERROR \xff\n"
    missing = pattern_test("ERROR", str(tmp_path / "missing"))
    assert missing.exit_code == 2
    assert "missing" in missing.stderr


def test_a_line_that_is_too_long_for_a_log_event_is_left_out_and_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with path.open("wb") as file:
        file.write(b"ERROR first\n" + b"x" * (LONGEST - 6) + b" ERROR\n")  # as long as one can be
        for _ in range(200):
            file.write(b"ERROR" * 200_000)
        file.write(b"\nERROR last")
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000)); "
    done = subprocess.run(
        [sys.executable, "-c", limit + "from smwatch.cli import main; main()", "pattern", "test", "ERROR", str(path)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    first, whole, last = done.stdout.splitlines()
    assert (first, len(whole), last) == (b"ERROR first", LONGEST, b"ERROR last")
    assert done.stderr == b"smwatch: 1 line is longer than a log event can be (1 MB), and left out\n"


def test_a_bad_pattern_is_pointed_at() -> None:
    refused = pattern_test("{ $.v == 1 }", stdin="x\n")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [
        "  { $.v == 1 }",
        "        ^",
        "Error: character 7 of the pattern: Write one comparison: =, !=, <, >, <= or >=.",
    ]


def test_a_long_bad_pattern_is_shown_around_what_is_wrong() -> None:
    shown, mark, _ = pattern_test("{ $.a = 1 " + "&& $.a = 1 " * 40 + "& }").stderr.splitlines()
    assert len(shown) < 80
    assert shown[mark.index("^")] == "&"
    assert shown[mark.index("^") + 1 :] == " }"


def test_where_aws_agrees_it_is_said_and_nothing_else_changes(serve: Serve) -> None:
    service = serve({"ERROR": ["ERROR a", "TERROR"]})
    found = pattern_test("ERROR", "--aws", stdin="ERROR a\nINFO\n\nTERROR\nERROR a\n")
    assert (found.stdout, found.exit_code) == ("ERROR a\nTERROR\nERROR a\n", 0)
    assert found.stderr == "AWS answers the same for all 4 lines\n"
    assert [each["logEventMessages"] for each in service.asked] == [["ERROR a", "INFO", "TERROR"]]


def test_where_nothing_matches_the_exit_code_is_the_same_with_aws(serve: Serve) -> None:
    serve({"ERROR": []})
    assert pattern_test("ERROR", "--aws", stdin="INFO\n").exit_code == 1


def test_where_aws_disagrees_each_line_is_named(serve: Serve) -> None:
    serve({"ERROR": ["INFO\x1b[2J"]})
    found = pattern_test("ERROR", "--aws", stdin="ok\nERROR a\nINFO\x1b[2J\n")
    assert (found.stdout, found.exit_code) == ("ERROR a\n", 3)
    assert found.stderr.splitlines() == [
        "line 2: smwatch finds it, AWS does not: ERROR a",
        "line 3: AWS finds it, smwatch does not: INFO␛[2J",
        "AWS answers differently for 2 of 3 lines",
    ]


def test_many_lines_are_asked_about_fifty_at_a_time(serve: Serve) -> None:
    lines = [f"line {number}" for number in range(120)]
    service = serve({"line": lines})
    found = pattern_test("line", "--aws", stdin="\n".join(lines))
    assert found.stdout.split("\n")[:-1] == lines
    assert [len(each["logEventMessages"]) for each in service.asked] == [50, 50, 20]


def test_a_throttled_call_is_made_again(serve: Serve) -> None:
    service = serve({"a": ["a"]})
    service.errors = [(400, "ThrottlingException", "Rate exceeded")]
    found = pattern_test("a", "--aws", stdin="a\n")
    assert (found.exit_code, len(service.asked)) == (0, 2)


def test_a_pattern_that_aws_alone_refuses_is_a_difference(serve: Serve) -> None:
    serve({}, {"a": "Invalid character(s) in term 'a'"})
    found = pattern_test("a", "--aws", stdin="a\n" * 3 + "b\n" * 60)
    assert (found.stdout, found.exit_code) == ("a\n" * 3, 3)
    assert found.stderr == "AWS refuses the pattern: Invalid character(s) in term 'a'\n"


def test_a_pattern_that_aws_alone_takes_is_a_difference(serve: Serve) -> None:
    serve({"ERR*": ["ERROR"]})
    found = pattern_test("ERR*", "--aws", stdin="ERROR\nx\n")
    assert (found.stdout, found.exit_code) == ("", 3)
    assert found.stderr.endswith("AWS takes this pattern, and finds 1 of 2 lines\n")


def test_a_pattern_that_both_refuse_is_refused_once(serve: Serve) -> None:
    serve({}, {"ERR*": "Invalid character(s) in term '*'"})
    found = pattern_test("ERR*", "--aws", stdin="ERROR\n")
    assert found.exit_code == 2
    assert [line.partition(":")[0] for line in found.stderr.splitlines()[2:]] == ["AWS refuses it too", "Error"]


def test_without_lines_the_pattern_alone_is_tried(serve: Serve) -> None:
    service = serve({"a": []}, {"b": "no"})
    assert pattern_test("a", "--aws").stderr == "AWS takes it too\n"
    assert pattern_test("b", "--aws").stderr == "AWS refuses the pattern: no\n"
    assert len(service.asked) == 2


def test_lines_that_are_not_text_are_matched_here_and_not_sent(serve: Serve) -> None:
    service = serve({"a": ["a"]})
    found = pattern_test("a", "--aws", stdin=b"a \xff\na\n")
    assert found.stdout_bytes.splitlines() == [b"a \xff", b"a"]
    assert found.stderr.splitlines() == [
        "1 lines are not UTF-8 text: AWS could not be asked about them",
        "AWS answers the same for all 1 lines",
    ]
    assert service.asked[0]["logEventMessages"] == ["a"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            (400, "AccessDeniedException", "User: x is not authorized to perform: logs:TestMetricFilter"),
            "logs:TestMetric",
        ),
        ((400, "UnrecognizedClientException", "The security token is invalid"), "does not know these credentials"),
    ],
)
def test_what_keeps_aws_from_answering_is_one_line(serve: Serve, error: tuple[int, str, str], says: str) -> None:
    serve({}).errors = [error]
    found = pattern_test("a", "--aws", stdin="a\n")
    assert (found.stdout, found.exit_code) == ("a\n", 2)
    assert says in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_region_is_needed_and_can_be_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve({"a": ["a"]})
    monkeypatch.delenv("AWS_REGION")
    assert "--region" in pattern_test("a", "--aws", stdin="a\n").stderr
    assert pattern_test("a", "--aws", "--region", "eu-west-1", stdin="a\n").exit_code == 0


def test_calls_are_five_a_second_at_most(serve: Serve) -> None:
    service = serve({"a": ["a"]})
    slept: list[float] = []
    clock = count()
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=service.url, config=Config())
    opinion = SecondOpinion(client, "a", now=lambda: next(clock) / 1000, sleep=slept.append)
    assert [opinion.found([message]) for message in "ab"] == [[True], [False]]
    assert slept == [pytest.approx(PAUSE, abs=0.01)]
    assert service.asked == [{"filterPattern": "a", "logEventMessages": [message]} for message in "ab"]


def test_an_answer_that_makes_no_sense_is_said(serve: Serve) -> None:
    service = serve({})
    service.errors = [(200, "x", "y")]
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=service.url)
    with pytest.raises(SetupError, match="makes no sense"):
        SecondOpinion(client, "a").found(["a"])


def test_a_call_stays_below_what_the_service_takes() -> None:
    large = "x" * 400_000
    found = list(batches(enumerate([large, large, large, "", "y"] + ["z"] * 60)))
    assert [len(batch) for batch in found] == [2, 50, 13]
    assert [number for batch in found for number, _ in batch] == list(range(65))


@pytest.mark.parametrize("order", ["PATTERN", "PATTERN -", "--region eu-west-1 PATTERN", "PATTERN --region eu-west-1"])
@pytest.mark.parametrize("pattern", ["-ERROR", '-"ERROR x"', "-h1", "-ERROR -h1", "- ERROR"])
def test_a_pattern_may_begin_with_a_hyphen(pattern: str, order: str) -> None:
    arguments = [pattern if word == "PATTERN" else word for word in order.split()]
    found = CliRunner().invoke(main, ["pattern", "test", *arguments], input="ERROR x h1\nINFO y\n")
    assert (found.exit_code, found.stdout) == (0, "INFO y\n")


def test_a_hyphen_within_a_word_is_told_of_for_it_excludes() -> None:
    found = CliRunner().invoke(main, ["pattern", "test", "a ORDER-ITEM"], input="a ORDER-ITEM\na ORDER\n")
    assert (found.exit_code, found.stdout) == (0, "a ORDER\n")
    assert 'write "ORDER-ITEM"' in found.stderr
    assert CliRunner().invoke(main, ["pattern", "test", 'a -b "c-d"'], input="a c-d\n").stderr == ""


def test_help_is_no_pattern_and_what_is_wrong_with_a_hyphen_is_pointed_at() -> None:
    assert "PATTERN" in CliRunner().invoke(main, ["pattern", "test", "-h"]).stdout
    found = CliRunner().invoke(main, ["pattern", "test", "-a:b"], input="x\n")
    assert found.exit_code == 2
    assert "  -a:b\n    ^\n" in found.stderr
    assert CliRunner().invoke(main, ["pattern", "test", "--no-such"], input="x\n").exit_code == 2
