from pathlib import Path

import pytest
from click.testing import CliRunner

from smwatch.cli import main
from smwatch.rules.envelope import Rule
from smwatch.rules.listing import catalogue, description
from tests.rules import judging

RULES = judging.catalogue()


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_is_listed_and_described(rule: Rule) -> None:
    assert any(rule.id in line for line in catalogue(RULES))
    assert rule.title in "\n".join(description(rule))


def test_the_commands_list_show_check_and_export() -> None:
    runner = CliRunner()
    assert "SMW-DEL-01" in runner.invoke(main, ["rules", "list"]).output
    assert "restore-secret" in runner.invoke(main, ["rules", "show", "smw-del-01"]).output
    assert "put-metric-filter" in runner.invoke(main, ["rules", "export", "SMW-DEL-01"]).output
    for arguments in (["show", "SMW-NO-99"], ["export", "SMW-NO-99"], ["check", "missing.toml"]):
        assert runner.invoke(main, ["rules", *arguments]).exit_code == 2


def test_a_rule_is_shown_whatever_the_case_of_its_id(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
[[rule]]
id = "my-Rule"
title = "Mine"
why = "w"
severity = "low"
by = ["secret"]
when = "{ $.eventName = PutSecretValue }"
""",
        encoding="utf-8",
    )
    found = CliRunner().invoke(main, ["rules", "show", "MY-rule", "--rules", str(path)])
    assert found.output.startswith("my-Rule  low  Mine\n")


def test_a_rule_says_in_words_what_it_asks_and_what_ends_it() -> None:
    def said(name: str) -> str:
        return " ".join(" ".join(description(RULES[name])).split())

    assert 'critical, "Secret in use scheduled for deletion", if there were reads of the same secret in the 1d' in said(
        "SMW-DEL-05"
    )
    assert "ended by restores of the same secret" in said("SMW-DEL-05")
    assert "from 10 different secrets within 5m on" in said("SMW-READ-01")
    assert "not if an AWS service made the call, or made it for someone" in said("SMW-READ-01")
    assert 'is still being asked for", less than 2d left' in said("SMW-DEL-07")
    assert "where 3 different secrets of reads of the same session follow within 30m" in said("SMW-DISC-02b")


def test_columns_have_names_on_a_terminal_and_each_line_of_a_pipe_is_a_rule() -> None:
    heading, *lines = catalogue(RULES, headed=True)
    assert heading.split("  ")[0] == "RULE"
    for name, value in (("SEVERITY", RULES.rules[0].severity), ("IN AWS", "exact"), ("TITLE", RULES.rules[0].title)):
        assert lines[0][heading.index(name) :].startswith(value)
    assert CliRunner().invoke(main, ["rules", "list"]).output.splitlines() == lines
