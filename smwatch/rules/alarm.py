"""Alarms: what the rules found, as one value a group, and the decisions people took on it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from smwatch.amount import amount
from smwatch.events.secret import Secret

EVIDENCE = 100
"""How many event keys an alarm carries: the newest ones. Its count is exact all the same."""
BY_HAND = "closed by hand"
"""Alarm.closed_by where somebody has closed it."""
SECRETS = 500
"""How many of the secrets that it counts an alarm names: those that were first seen last."""


class Severity(StrEnum):
    """How bad it is; ordered from info to critical."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _RANKS[self.value]

    def __lt__(self, other: str) -> bool:
        return self.rank < Severity(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Severity(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Severity(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Severity(other).rank


_RANKS = {severity.value: rank for rank, severity in enumerate(Severity)}


class AlarmState(StrEnum):
    """Where an alarm is in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Decision(msgspec.Struct, frozen=True):
    """What a person decided about an alarm, and how much of it they had seen."""

    at: datetime
    upto: int
    """Event.key of the newest evidence they had seen: what is newer was not decided upon."""
    level: int = 0
    """How far the alarm had escalated: beyond that an acknowledgement no longer holds."""
    note: str = ""


class Mute(msgspec.Struct, frozen=True):
    """No noise from alarms of a rule, about a secret or because of a principal (all of those given), for a while."""

    until: datetime
    rule: str = ""
    secret: Secret | None = None
    identity: str = ""
    """Alarm.identity, for all sessions of the principal, or Alarm.session for one."""

    def covers(self, rule: str, secret: object, identity: str, session: str = "") -> bool:
        """Whether it mutes such an alarm."""
        return (
            bool(self.rule or self.secret or self.identity)
            and self.rule in ("", rule)
            and self.secret in (None, secret)
            and self.identity in ("", identity, session)
        )


class Decided(msgspec.Struct, frozen=True):
    """What was decided where somebody else watches, too."""

    alarms: tuple[tuple[str, Decision | None, Decision | None], ...] = ()
    """Groups, each with its last acknowledgement and its last closing."""
    mutes: tuple[Mute, ...] = ()


class Alarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One group of (rule, secret, principal): what happened there since it last ended, and where it stands.

    A value of its evidence, of the decisions on it and of nothing else: neither the order in which events came nor the
    moment they were judged shows in it. Text in it may come from records and is made harmless where it is drawn;
    `next` alone is shell-quoted already.
    """

    group: str
    """Unique to (rule, secret, principal), the same in every run: rule id, colon, 32 hexadecimal digits."""
    rule: str
    """The rule's id, e.g. SMW-DEL-01."""
    severity: Severity
    """The worst that its evidence was graded, or the escalation it reached."""
    state: AlarmState
    title: str
    why: str
    """Why it matters, for someone woken by it."""
    secret: Secret | None = None
    """None where the rule groups over secrets."""
    principal: str = ""
    """What a person calls the principal, "" where the rule groups over principals."""
    identity: str = ""
    """The principal's stable identity (Principal.identity), also where the rule groups by session."""
    session: str = ""
    """The session, or the access key, that the rule groups by; "" where it does not."""
    count: int
    """How many `counted` there are, exactly. 0: later events took all evidence back; drop the alarm."""
    counted: str = "events"
    """What count counts: events, or the values a rule tells apart (secrets, regions, …)."""
    secrets: tuple[Secret, ...] = ()
    """The secrets that are counted, ascending by when each was first seen: the newest SECRETS of them."""
    first_at: datetime
    last_at: datetime
    about: tuple[tuple[str, str], ...] = ()
    """What else the group has in common, e.g. ("key", id of the KMS key)."""
    event_keys: tuple[int, ...] = ()
    """Event.key of the evidence, ascending: the newest EVIDENCE of them."""
    caused: tuple[int, ...] = ()
    """Those of event_keys that are reads which a batch caused that is evidence too: both count once."""
    facts: tuple[str, ...] = ()
    """Sentences on what else is known: who still reads the secret, which change came before."""
    next: tuple[str, ...] = ()
    """Commands to run next, filled in and shell-quoted; a comment explains some."""
    mitre: tuple[str, ...] = ()
    """MITRE ATT&CK technique ids."""
    level: int = 0
    """How bad it has become, finer than severity: more of it is a higher level. Alarms of one rule compare by it."""
    acknowledged: Decision | None = None
    """The last acknowledgement, even when later evidence has overtaken it."""
    closed: Decision | None = None
    """The last closing by hand, even when later evidence has overtaken it."""
    ended_at: datetime | None = None
    """When a closed alarm ended."""
    closed_by: str = ""
    """What ended a closed alarm, as a sentence: the closing event, or the person's hand."""
    muted_until: datetime | None = None
    """Muted (its rule, secret or principal) up to then: keep it visible, but make no noise about it."""
    changed_at: datetime
    """The newest of: last evidence, what ended it, decision taken."""

    @property
    def open(self) -> bool:
        """Whether it still asks for somebody's attention: neither acknowledged nor closed."""
        return self.state is AlarmState.OPEN

    @property
    def amount(self) -> str:
        """What was counted, in words: 1 event, 1,204 secrets, 2 policies."""
        return amount(self.count, self.counted)

    @property
    def note(self) -> str:
        """What was noted with the latest decision."""
        decisions = [decision for decision in (self.acknowledged, self.closed) if decision and decision.note]
        return max(decisions, key=lambda decision: decision.at).note if decisions else ""

    @property
    def whereof(self) -> str:
        """The secret that it is about, or the newest of those that it counts and how many others; "" without any."""
        if self.secret is not None or not self.secrets:
            return self.secret.name if self.secret is not None else ""
        others = max(self.count, len(self.secrets)) - 1
        return f"{self.secrets[-1].name} and {others:,} more" if others else self.secrets[-1].name

    def amounts_to(self, known: Alarm) -> bool:
        """Whether it says the same as one from before, but for what it takes from its group's newest event."""
        return msgspec.structs.replace(self, principal=known.principal, next=known.next) == known

    def muted(self, now: datetime) -> bool:
        """Whether somebody muted it for now."""
        return self.muted_until is not None and now < self.muted_until


def taken_back(alarm: Alarm, why: str) -> Alarm:
    """The alarm without any evidence, which is to be dropped."""
    return msgspec.structs.replace(alarm, state=AlarmState.CLOSED, count=0, event_keys=(), closed_by=why)


def urgency(alarm: Alarm) -> tuple[bool, int, float, str]:
    """Sort key that puts what needs attention first: open before the rest, worst first, newest first.

    Those of one second are in the same order in every run.
    """
    return not alarm.open, -alarm.severity.rank, -alarm.last_at.timestamp(), alarm.group


def message(alarm: Alarm) -> str:
    """The alarm in some lines of plain text for a notification: names and times, never a record, key or credential."""
    head = f"{alarm.severity.upper()} {alarm.title}"
    place = f" ({alarm.secret.account} {alarm.secret.region})" if alarm.secret else ""
    parts = (
        f"secret {alarm.whereof}{place}" if alarm.whereof else "",
        f"by {alarm.principal}" if alarm.principal else "",
    )
    about = " ".join(filter(None, parts))
    times = f"{alarm.amount}, first {_clock(alarm.first_at)}, last {_clock(alarm.last_at)}"
    return "\n".join(_harmless(line) for line in (head, about, times, f"{alarm.rule}, {alarm.state}") if line)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _harmless(text: str) -> str:
    """Text whose control, format and bidi characters are spelled out (\\x1b), cut to a length a pager can take."""
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return safe if len(safe) <= 300 else safe[:299] + "…"
