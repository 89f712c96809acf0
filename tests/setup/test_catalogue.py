import msgspec
import pytest

from smwatch.setup.catalogue import alarms, event, exportable_rules, for_account
from smwatch.setup.documents import text
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import DELETED_SECRETS
from smwatch.setup.wishes import Options, wanted

RULES = exportable_rules()


def test_a_rule_becomes_an_alarm_for_each_of_its_patterns() -> None:
    (made,) = alarms("smw-rot-01", RULES)
    assert made.metric == "SMW-ROT-01"
    assert "RotationFailed" in made.pattern
    assert [each.alarm for each in alarms("SMW-READ-05", RULES)] == ["smwatch-SMW-READ-05", "smwatch-SMW-READ-05-2"]


def test_the_documented_rule_is_the_documented_alarm() -> None:
    assert wanted(Options(rules=("smw-del-01",)), RULES).alarms == (DELETED_SECRETS,)
    (made,) = alarms("SMW-DEL-01", RULES)
    assert msgspec.structs.replace(made, description=DELETED_SECRETS.description) == DELETED_SECRETS


def test_what_is_left_out_of_a_rule_is_said() -> None:
    assert {each.caveat for each in alarms("SMW-DEL-02", RULES)} == {
        "the exceptions of the rule are left out: more events count"
    }


@pytest.mark.parametrize("name", ["SMW-READ-01", "SMW-NO-99"])
def test_what_only_smwatch_can_run_is_refused(name: str) -> None:
    with pytest.raises(SetupError, match="smwatch rules list"):
        alarms(name, RULES)


def test_a_pattern_that_names_the_account_gets_its_number() -> None:
    wishes = wanted(Options(rules=("SMW-READ-09",), events=("SMW-READ-09",)), RULES)
    filled = for_account(wishes, "111122223333")
    for pattern in (filled.alarms[1].pattern, text(filled.events[0].pattern)):
        assert "111122223333" in pattern
        assert "ACCOUNT" not in pattern


def test_a_rule_is_an_eventbridge_rule_where_nothing_else_is_made() -> None:
    wishes = wanted(Options(parts=("events",), rules=("SMW-ROT-01",)), RULES)
    assert wishes.alarms == (DELETED_SECRETS,)
    assert [each.name for each in wishes.events] == ["smwatch-SMW-ROT-01"]


def test_a_rule_that_an_event_pattern_can_say_can_be_set_up_as_an_eventbridge_rule() -> None:
    writes, reads = event("smw-rot-01", RULES), event("SMW-DEL-01", RULES)
    assert writes.name == "smwatch-SMW-ROT-01"
    assert (writes.reads, reads.reads) == (False, True)
    assert writes.pattern["source"] == ["aws.secretsmanager"]
