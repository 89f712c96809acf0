import pytest

from smwatch.setup.catalogue import alarm, event, exportable_rules
from smwatch.setup.trouble import SetupError

RULES = exportable_rules()


def test_rules_that_one_pattern_can_say_can_be_set_up_as_alarms() -> None:
    made = alarm("smw-rot-01", RULES)
    assert made.metric == "SMW-ROT-01"
    assert "RotationFailed" in made.pattern


@pytest.mark.parametrize("name", ["SMW-READ-01", "SMW-NO-99"])
def test_what_only_smwatch_can_run_is_refused(name: str) -> None:
    with pytest.raises(SetupError, match="smwatch rules list"):
        alarm(name, RULES)


def test_a_rule_that_an_event_pattern_can_say_can_be_set_up_as_an_eventbridge_rule() -> None:
    writes, reads = event("smw-rot-01", RULES), event("SMW-DEL-01", RULES)
    assert writes.name == "smwatch-SMW-ROT-01"
    assert (writes.reads, reads.reads) == (False, True)
    assert writes.pattern["source"] == ["aws.secretsmanager"]
