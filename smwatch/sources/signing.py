"""Credentials that several sources share: whether they have failed for one of them, and whether others would do."""

from __future__ import annotations

from smwatch.sources.session import AwsSession


class Signing:
    """What one source knows of the credentials of its session, as of its last call."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self.begin()

    def begin(self) -> None:
        """A call begins."""
        self._generation, self._answers = self._session.generation, self._session.answers

    def answered(self) -> None:
        """It has had an answer: the credentials were good for that."""
        self._session.answers += 1

    def renew(self, *, force: bool) -> bool:
        """Have the session look for other credentials, by force even if no file has changed; whether there may be some.

        Not by force where others have had an answer since: they are good, but not for this Region, say, and what those
        others have open, a Live Tail session, would be cut each time.
        """
        session = self._session
        if session.generation == self._generation:
            session.renew(force=force and session.answers == self._answers)
        return session.generation != self._generation
