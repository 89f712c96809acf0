"""How a call ended, in the terms that matter for a secret."""

from __future__ import annotations

from enum import StrEnum

from smwatch.dossier.record import parameters, text
from smwatch.events.event import Arrival

DELETED_WORDS = ("marked for deletion", "marked deleted", "scheduled for deletion")
"""What the service answers for a secret in its recovery window: three wordings are documented."""


class Outcome(StrEnum):
    """How a call ended; the value is the word shown."""

    OK = "ok"
    DENIED = "denied"
    DELETED = "pending deletion"
    """Refused because the secret is marked for deletion."""
    MISSING = "not found"
    EXPECTED = "no pending version"
    """A rotation looks whether there is an AWSPENDING version: failing is what it expects."""
    FAILED = "failed"


def failure(arrival: Arrival) -> Outcome:
    """How a call that did not succeed has ended; looks into the record only where the event leaves a doubt."""
    code, message = arrival.event.error_code, arrival.event.error_message
    if any(words in message for words in DELETED_WORDS):
        return Outcome.DELETED
    if code.startswith("AccessDenied"):
        return Outcome.DENIED
    if code == "ResourceNotFoundException":
        if "AWSPENDING" in message or text(parameters(arrival.record), "versionStage") == "AWSPENDING":
            return Outcome.EXPECTED
        return Outcome.MISSING
    return Outcome.FAILED
