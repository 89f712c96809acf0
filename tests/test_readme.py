"""README says what is so."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from smwatch.cli import main
from smwatch.configuration import load
from smwatch.headless.lines import alarm_line
from tests.readme import README, generated
from tests.rules.test_alarm import alarm

TEXT = README.read_text(encoding="utf-8")
COMMANDS = [
    line.strip() for line in TEXT.splitlines() if re.match(r"    (\.venv/bin/)?smwatch( |$)", line) and "…" not in line
]


def test_the_generated_parts_are_as_the_code_has_them() -> None:
    assert generated(TEXT) == TEXT, "run: python -m tests.readme"


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_shown_is_one_that_smwatch_understands(line: str) -> None:
    words = shlex.split(re.split(r" [|>] ", line)[0], comments=True)[1:]
    own = words[: words.index("--")] if "--" in words else words
    # --help ends the command before it runs, but only after every option has been found to exist.
    result = CliRunner().invoke(main, [*own, "--help"])
    assert result.exit_code == 0, result.output


def test_every_command_is_told_of() -> None:
    for name in main.list_commands(click.Context(main)):
        assert f"smwatch {name}" in TEXT, name


def test_every_key_of_an_alarms_line_is_told_of() -> None:
    table = TEXT.split("| key of an `alarm` | means |")[1].split("\n\n")[0]
    told = {key for row in table.splitlines()[2:] for key in re.findall("`([^`]+)`", row.split("|")[1])}
    assert told == set(json.loads(alarm_line(alarm(), [], new=True))) - {"type"}


def test_the_configuration_shown_is_accepted(tmp_path: Path) -> None:
    block = TEXT.split("## Configuration")[1].split("\n## ")[0]
    path = tmp_path / "config.toml"
    path.write_text("\n".join(line[4:] for line in block.splitlines() if line.startswith("    ")), encoding="utf-8")
    assert load(path, {}).profile == "prod"


def test_the_rule_shown_is_one_that_works(tmp_path: Path) -> None:
    block = TEXT.split("### Rules of your own")[1].split("\n| key |")[0]
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(line[4:] for line in block.splitlines() if line.startswith("    ")), encoding="utf-8")
    result = CliRunner().invoke(main, ["rules", "check", str(path)])
    assert result.output.splitlines()[0].endswith("1 rule, nothing wrong"), result.output


def test_every_picture_and_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    for link in links:
        assert (README.parent / link).is_file(), link


def test_every_section_that_is_linked_is_there() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    sections = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", TEXT))
    assert links
    assert links <= sections
