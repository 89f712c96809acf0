"""Patterns of public repositories: metric and subscription filters of Terraform, CloudFormation and CDK, and searches.

Each line of published.txt is one: one of each shape among what follows FilterPattern, filter_pattern, pattern, literal(
and --filter-pattern there, without names of accounts and hosts. Who deploys one has had it taken by the service.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from smwatch import patterns
from smwatch.patterns.pattern import Kind

TAKEN = Path(__file__).with_name("published.txt").read_text(encoding="utf-8").splitlines()
KINDS = {"{": Kind.JSON, "[": Kind.DELIMITED, "%": Kind.REGEX}
REFUSED = [  # what the service is reported to have said: Invalid character(s) in term …, or Invalid filter pattern
    """{ $."sc-status" = 5* }""",
    "?Status: timeout",
    """{ $.message = "error-response", $.path = "/authenticate" }""",
    "[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]",
    "[..., status_code = 4*, ...]",
    """{ status = "401" }""",
    "PlayerSpawnedInWorld (reason: JoinMultiplayer",
    "%(ERROR|WARN)%",
    """{$.kubernetes.namespace_name="abc\"""",
    "`{ $.eventName = RunInstances }",
    "email@someemail.com",
    r"""level\":\"error""",
    """"retrievedReferences":[]""",
]


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(set(TAKEN)) > 100


@pytest.mark.parametrize("text", TAKEN)
def test_what_others_run_is_taken(text: str) -> None:
    assert patterns.compile(text).kind is KINDS.get(text[0], Kind.TERMS)


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_service_refused_others_is_refused(text: str) -> None:
    with pytest.raises(patterns.PatternError):
        patterns.compile(text)
