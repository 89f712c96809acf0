"""The changes of a secret's resource policy."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.dossier.dealings import moment_of
from smwatch.events.policy import Grade, grade
from smwatch.events.principal import Principal

__all__ = ["POLICY", "Grade", "PolicyChange", "grade"]

POLICY = 20_480
"""Characters kept of a policy: what the service allows."""


class PolicyChange(msgspec.Struct, frozen=True):
    """A resource policy was put (its text as sent) or removed (text is "")."""

    key: int
    name: str
    by: Principal
    text: str
    grade: Grade
    blocks_public: bool = False
    """The call asked the service to refuse a public policy."""

    @property
    def at(self) -> datetime:
        """When it was changed."""
        return moment_of(self.key)

    @property
    def words(self) -> list[str]:
        """What is notable about it."""
        grade = self.grade
        notable = {
            "not a policy document": not grade.readable,
            "PUBLIC: anybody is allowed": grade.public,
            f"other accounts: {', '.join(grade.foreign)}": bool(grade.foreign),
            "anybody through a service or provider": grade.unbound,
            "allows changing this policy": grade.self_perpetuating,
            "denies": grade.denies,
        }
        return [words for words, true in notable.items() if true]
