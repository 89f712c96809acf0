"""Rotations that go wrong."""

from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, story
from tests.rules.judging import after

START, DONE, FAIL = "RotationStarted", "RotationSucceeded", "TestRotationFailed"

RULES = {
    "SMW-ROT-01": Rule(
        finds=story(records.rotation_failed(), records.rotation_failed(at=after(minutes=20))),
        severity=Severity.HIGH,
        count=2,
        leaves=story(records.service_event(START), records.service_event(DONE), records.service_event(FAIL)),
        # The service tries again, and it works.
        noise=story(records.rotation_failed(), records.service_event(DONE, at=after(minutes=20))),
    ),
    "SMW-ROT-01b": Rule(
        finds=story(records.service_event(FAIL, message="Error when executing lambda")),
        severity=Severity.LOW,
        count=1,
        leaves=story(records.rotation_failed(), records.service_event("TestRotationSucceeded")),
        # Set up at the second try.
        noise=story(records.service_event(FAIL), records.service_event("TestRotationSucceeded", at=after(minutes=3))),
    ),
    "SMW-ROT-02": Rule(
        finds=story(records.service_event(START), records.read("prod/other", at=after(minutes=61))),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(
            records.service_event(START),
            records.service_event(DONE, at=after(minutes=50)),
            records.service_event("TestRotationStarted", "prod/b"),
            records.read("prod/other", at=after(hours=5)),
        ),
        # Nothing was read yet of the hour in which it may have ended.
        noise=story(
            records.service_event(START), records.read("prod/other", at=after(minutes=30)), tick=after(hours=9)
        ),
    ),
}
