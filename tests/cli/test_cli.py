"""The command line as a person types it: what it answers to bad input, in one line, with the right exit code."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from tests import records

Smwatch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def smwatch(tmp_path: Path) -> Smwatch:
    """Runs `smwatch …` in a home of its own, away from any AWS configuration."""

    def run(
        *arguments: str | Path,
        stdin: str = "",
        stdout: int | IO[str] = subprocess.PIPE,
        before: Callable[[], object] | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "smwatch", *map(str, arguments)],
            input=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            preexec_fn=before,
            text=True,
            timeout=60,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "HOME": str(tmp_path / "home"),
                "XDG_STATE_HOME": str(tmp_path / "state"),
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
                "AWS_EC2_METADATA_DISABLED": "true",
                **environment,
            },
        )

    return run


def refused(result: subprocess.CompletedProcess[str], *says: str, code: int = 2) -> None:
    """It was refused with one clear line."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    message = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(message) == 1, result.stderr
    for part in says:
        assert part in message[0]
    assert result.stdout == ""


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}


def test_the_screen_needs_a_terminal_and_says_what_to_use_instead(smwatch: Smwatch) -> None:
    refused(smwatch(), "needs a terminal", "smwatch tail")


def test_no_region_is_said_with_the_next_step(smwatch: Smwatch) -> None:
    refused(smwatch("tail", "--once"), "no Region", "--region")


@pytest.mark.parametrize("command", ["setup", "drill"])
@pytest.mark.parametrize(
    "environment",
    [{}, {"AWS_REGION": "eu-west-1"}, {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "nobody"}],
    ids=["no Region", "no credentials", "no profile"],
)
def test_the_commands_of_the_aws_side_say_of_a_wrong_configuration_what_tail_says(
    smwatch: Smwatch, command: str, environment: dict[str, str]
) -> None:
    result, of_tail = smwatch(command, **environment), smwatch("tail", "--once", **environment)
    assert (result.returncode, of_tail.returncode) == (2, 2)
    line, *_ = of_tail.stderr.splitlines()
    assert result.stderr.casefold() == f"{line}.\n".casefold()


def test_no_credentials_are_said_with_the_next_step(smwatch: Smwatch) -> None:
    refused(smwatch("tail", "--once", "--region", "eu-west-1"), "credentials")


def test_an_unknown_profile_is_named(smwatch: Smwatch) -> None:
    refused(smwatch("tail", "--once", "--profile", "no\x1bpe"), "no\\x1bpe")


def test_an_unknown_region_is_named(smwatch: Smwatch) -> None:
    refused(smwatch("tail", "--once", "--region", "eu-wset-1", **CREDENTIALS), "eu-wset-1", "eu-west-1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tail", "--since", "yesterday"), "yesterday"),
        (("tail", "--filter", "{ $.eventName ="), "--filter"),
        (("tail", "--filter", "error name:"), "“name:” has no value"),
        (("tail", "--config", "missing.toml"), "missing.toml"),
        (("tail", "--rules", "missing.toml"), "missing.toml"),
        (("tail", "--no-cloudtrail", "--region", "eu-west-1"), "--log-group"),
        (("replay", "--json", "--speed", "fast", "x.json"), "fast"),
        (("tail", "--fail-on", "worst"), "worst"),
        (("replay", "trail.json", "--fail-on", "high"), "--fail-on goes with --json"),
        (("export", "--format", "xml"), "xml"),
        (("wach",), "wach"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_used_is_named(smwatch: Smwatch, arguments: tuple[str, ...], says: str) -> None:
    refused(smwatch(*arguments, **CREDENTIALS), says)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("--nonsense",), "smwatch"),
        (("--region",), "smwatch"),
        (("tail", "--region"), "smwatch tail"),
        (("tail", "--jsno"), "smwatch tail"),
        (("tail", "file.json"), "smwatch tail"),
        (("replay",), "smwatch replay"),
        (("export",), "smwatch export"),
        (("demo", "--speed", "60x"), "smwatch demo"),
        (("rules", "show"), "smwatch rules show"),
        (("pattern", "test"), "smwatch pattern test"),
        (("policy", "nope"), "smwatch policy"),
        (("serve", "--port", "0"), "smwatch serve"),
        (("setup", "--retention", "soon"), "smwatch setup"),
        (("drill", "--wait", "0"), "smwatch drill"),
        (("doctor", "now"), "smwatch doctor"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_one_line_that_leads_to_the_commands_help(
    smwatch: Smwatch, arguments: tuple[str, ...], command: str
) -> None:
    result = smwatch(*arguments)
    refused(result)
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(f" See python -m {command} --help\n")


def test_help_shows_what_a_command_heeds_and_what_else_was_typed_is_taken(smwatch: Smwatch) -> None:
    told = smwatch("rules", "list", "--help").stdout
    assert "--rules" in told
    assert "--since" not in told
    assert smwatch("rules", "list", "--since", "7d", "--no-journal").stdout == smwatch("rules", "list").stdout


def test_a_wrong_key_in_the_config_file_is_named_with_the_nearest_right_one(smwatch: Smwatch, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[logs]\ngruop = 'x'\n", encoding="utf-8")
    refused(smwatch("tail", "--config", config), "logs.gruop", "logs.group", str(config))


def test_replay_prints_each_record_once_and_says_which_file_it_could_not_read(smwatch: Smwatch, tmp_path: Path) -> None:
    good, torn = tmp_path / "good.json.gz", tmp_path / "torn.json.gz"
    good.write_bytes(records.trail_file(records.read("prod/a"), records.read("prod/b"), records.read("prod/a")))
    torn.write_bytes(records.trail_file(records.read("prod/c"))[:-30])
    result = smwatch("replay", "--json", good, torn, tmp_path / "missing.json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["secret"] for line in lines if line["type"] == "event"] == ["prod/a", "prod/b"]
    assert result.returncode == 1
    assert "torn.json.gz" in result.stderr
    assert any("missing.json" in line["message"] for line in lines if line["type"] == "status" and line["message"])
    assert "Traceback" not in result.stderr


def test_a_replay_of_nothing_says_so(smwatch: Smwatch, tmp_path: Path) -> None:
    (tmp_path / "empty.json").touch()
    for nothing in (tmp_path, "/dev/null"):
        result = smwatch("replay", "--json", nothing)
        assert result.returncode == 0
        assert result.stderr == f"smwatch: {Path(nothing).name}: there are no records in it\n"
        assert json.loads(result.stdout.splitlines()[-1])["message"] == "there are no records in it"


def test_replay_reads_standard_input(smwatch: Smwatch) -> None:
    result = smwatch("replay", "--json", "-", stdin=records.raw(records.read("prod/a")) + "\n")
    assert '"secret":"prod/a"' in result.stdout
    assert result.returncode == 0


def test_an_alarm_of_the_severity_asked_for_is_exit_code_3(smwatch: Smwatch, tmp_path: Path) -> None:
    trail = tmp_path / "trail.json.gz"
    trail.write_bytes(records.trail_file(records.read_deleted("prod/db")))
    result = smwatch("replay", "--json", trail, "--fail-on", "critical")
    alarms = [line for line in map(json.loads, result.stdout.splitlines()) if line["type"] == "alarm"]
    assert [(alarm["rule"], alarm["severity"], alarm["secret"]) for alarm in alarms] == [
        ("SMW-DEL-01", "critical", "prod/db")
    ]
    assert alarms[0]["event_ids"]
    assert result.returncode == 3


def test_the_demo_plays_headless_and_ends(smwatch: Smwatch) -> None:
    result = smwatch("demo", "--json")
    kinds = {json.loads(line)["type"] for line in result.stdout.splitlines()}
    assert kinds >= {"event", "alarm"}
    assert result.returncode == 0


def test_a_reader_that_goes_away_is_a_quiet_end(smwatch: Smwatch) -> None:
    shell = f"{sys.executable} -m smwatch demo --json | head -n 1"
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1


def test_an_export_says_that_there_is_no_journal_where_it_was_told_to_look(smwatch: Smwatch, tmp_path: Path) -> None:
    result = smwatch("export", "--format", "csv", "--state-dir", tmp_path / "new")
    assert result.stdout.startswith("time,name,secret")
    assert result.returncode == 0
    assert f"there is no journal in {tmp_path / 'new'}, so nothing to write" in result.stderr
    Journal(tmp_path / FILE_NAME).close()
    assert smwatch("export", "--format", "csv", "--state-dir", tmp_path).stderr == ""


def test_a_report_has_one_name_for_a_secret_whose_name_is_learnt_later(smwatch: Smwatch, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    arn = records.arn("prod/db", "agfjda")  # may as well be the name of another secret, but for the last record
    named = records.delete(arn, at=now)
    named["responseElements"] |= {"name": "prod/db", "arn": arn}
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        for record in (records.read(arn, at=now - timedelta(minutes=9)), named):
            journal.commit("a", [Reader().read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=now)])
    result = smwatch("export", "--format", "report", "--state-dir", tmp_path)
    assert "2 events of 1 secret by 1 principal" in result.stdout
    assert "| prod/db | pending deletion |" in result.stdout
    assert "agfjda |" not in result.stdout


def test_an_export_leaves_a_journal_that_cannot_be_read_alone_and_fails(smwatch: Smwatch, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"no journal" * 1000)
    result = smwatch("export", "--format", "csv", "--state-dir", tmp_path)
    assert result.returncode == 1
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert f"can't read the journal {path}" in result.stderr
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [path.name]


def test_an_export_can_be_replayed_and_filtered(smwatch: Smwatch, tmp_path: Path) -> None:
    given = [records.read("prod/db", id="1"), records.denied("prod/db", id="2"), records.read("dev/db", id="3")]
    recorded, exported = tmp_path / "recorded.jsonl", tmp_path / "exported.jsonl"
    recorded.write_text("".join(records.raw(record) + "\n" for record in given), encoding="utf-8")
    exported.write_text(smwatch("replay", recorded, "--json").stdout, encoding="utf-8")
    replayed = smwatch("replay", exported, "--json", "--filter", "secret:prod/ error")
    events = [json.loads(line) for line in replayed.stdout.splitlines() if '"type":"event"' in line]
    assert [event["record"] for event in events] == [given[1]]


@pytest.mark.parametrize(("typed", "meant"), [(("tial",), "tail"), (("rules", "lst"), "list"), (("docter",), "doctor")])
def test_a_command_that_is_nearly_there_is_named(smwatch: Smwatch, typed: tuple[str, ...], meant: str) -> None:
    refused(smwatch(*typed), f"Did you mean '{meant}'?")


@pytest.mark.parametrize("option", [("--profile", "prod"), ("--no-journal",), ("--since", "1h"), ("--wall",)])
def test_an_option_before_a_command_is_not_left_unheeded(smwatch: Smwatch, option: tuple[str, ...]) -> None:
    refused(smwatch(*option, "tail", "--once"), f"write {option[0]} after the command: smwatch tail {option[0]}")


def test_the_version_is_printed_without_loading_anything_heavy(smwatch: Smwatch) -> None:
    heavy = {"textual", "botocore", "boto3", "aiohttp", "msgspec", "pathlib"}
    code = (
        "import sys; before = set(sys.modules); from smwatch import cli;"
        f"print(sorted({heavy} & sys.modules.keys() - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert result.stdout == "[]\n"
    assert smwatch("--version").stdout.startswith("smwatch, version ")


@pytest.mark.parametrize(
    "arguments", [("pattern", "test", "x", "many.txt"), ("rules", "list"), ("rules", "export", "--format", "terraform")]
)
def test_a_reader_that_has_had_enough_is_no_failure(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("x\n" * 50_000, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "smwatch", *arguments],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert (running.stderr.read(), running.wait()) == ("", 0)


WRITES: list[tuple[tuple[str, ...], int]] = [
    (("--help",), 1),
    (("--version",), 1),
    (("rules", "list"), 1),
    (("rules", "show", "SMW-DEL-01"), 1),
    (("rules", "export"), 1),
    (("policy", "watch"), 1),
    (("demo", "--json"), 1),
    (("export", "--format", "report"), 1),
    (("pattern", "test", "ERROR"), 2),
]
"""Commands that write, each its own way, and their exit code for what failed; 1 of `pattern test` is an answer."""


@pytest.mark.parametrize(("command", "code"), WRITES, ids=[" ".join(command) for command, _ in WRITES])
def test_output_onto_a_full_disk_is_one_line_and_no_success(
    smwatch: Smwatch, full: IO[str], command: tuple[str, ...], code: int
) -> None:
    result = smwatch(*command, stdin="ERROR\n", stdout=full)
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    *_, line = result.stderr.splitlines()
    assert line.endswith(": can't write the output (No space left on device)")


def test_output_beyond_what_a_file_may_hold_is_one_line_and_no_success(smwatch: Smwatch, tmp_path: Path) -> None:
    with (tmp_path / "rules.sh").open("w", encoding="utf-8") as file:
        result = smwatch("rules", "export", stdout=file, before=_no_file_beyond_a_page)
    assert result.returncode == 1
    assert result.stderr == "Error: can't write the output (File too large)\n"


def _no_file_beyond_a_page() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
