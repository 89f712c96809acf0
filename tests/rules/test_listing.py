import shlex

import pytest
from click.testing import CliRunner

from smwatch import patterns
from smwatch.cli import main
from smwatch.rules.listing import Exactness, as_commands, catalogue, description, exactness, metric_filters
from smwatch.rules.rule import combine, load_builtin

RULES = combine(load_builtin())


def test_the_documented_alarm_is_exported_exactly_as_documented() -> None:
    first, *_ = metric_filters(RULES["SMW-DEL-01"])
    assert (
        first.pattern
        == '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
    )
    assert (first.metric, first.alarm) == ("AttemptsToAccessDeletedSecrets", "AttemptsToAccessDeletedSecretsAlarm")
    make_filter, make_alarm = (shlex.split(line) for line in as_commands([first], "trail", "topic") if line[0] != "#")
    assert first.pattern in make_filter
    assert "metricNamespace=CloudTrailLogMetrics,metricName=AttemptsToAccessDeletedSecrets,metricValue=1" in make_filter
    assert make_alarm[make_alarm.index("--threshold") + 1] == "1"
    assert make_alarm[make_alarm.index("--comparison-operator") + 1] == "GreaterThanOrEqualToThreshold"


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_is_listed_described_and_honest_about_what_aws_can_run(rule: object) -> None:
    known = next(each for each in RULES.rules if each is rule)
    how, caveat = exactness(known)
    filters = metric_filters(known)
    assert bool(filters) is (how is not Exactness.ONLY_HERE)
    assert bool(caveat) is (how is not Exactness.EXACT)
    for each in filters:
        patterns.compile(each.pattern)
    assert any(known.id in line for line in catalogue(RULES))
    assert known.title in "\n".join(description(known))


def test_the_commands_list_show_check_and_export(tmp_path: object) -> None:
    runner = CliRunner()
    assert "SMW-DEL-01" in runner.invoke(main, ["rules", "list"]).output
    assert "restore-secret" in runner.invoke(main, ["rules", "show", "smw-del-01"]).output
    assert "put-metric-filter" in runner.invoke(main, ["rules", "export", "SMW-DEL-01"]).output
    for arguments in (["show", "SMW-NO-99"], ["export", "SMW-NO-99"], ["check", "missing.toml"]):
        assert runner.invoke(main, ["rules", *arguments]).exit_code == 2
