"""Looking at everything doctor judges; what could not be read is kept as that, with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from smwatch.setup import look
from smwatch.setup.aws import Aws, Identity, open_session
from smwatch.setup.chain import Chain, choose
from smwatch.setup.journal_file import JournalSeen, see_journal
from smwatch.setup.place import Place, arn_part
from smwatch.setup.policies import LIVE_TAIL_PARTITION, PREFIX
from smwatch.setup.seen import Alarm, EventRule, LogGroup, MetricFilter, Queue, Role, Topic, Trail
from smwatch.setup.terminal import TerminalSeen, see_terminal
from smwatch.setup.trouble import AWS_ERRORS, RegionError, SetupError, code_of, denied_action, sentence
from smwatch.setup.wanted import DELETED_SECRETS, Wanted

NO_REGION = "no Region"
"""Stands for AWS's code where it was not even asked, because nobody said where."""


class Unread(msgspec.Struct, frozen=True):
    """What could not be read, and why."""

    why: str
    action: str = ""
    """The IAM action that was missing, "" if something else was the matter."""
    code: str = ""
    """AWS's code for it."""


Found = TypeVar("Found")
Maybe: TypeAlias = Found | Unread


class Trial(msgspec.Struct, frozen=True):
    """A permission that was tried out for nothing else."""

    action: str
    refused: Unread | None = None


class RegionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one Region; a part that was not reached is Unread."""

    place: Place
    wanted: Wanted
    now: datetime
    """AWS's clock."""
    trails: Maybe[tuple[Trail, ...]]
    elsewhere: Maybe[tuple[tuple[str, str], ...]] = ()
    chain: Chain | None = None
    partly: tuple[Unread, ...] = ()
    """What of the trails could not be read."""
    role: Maybe[Role | None] = None
    group: Maybe[LogGroup | None] = None
    newest: Maybe[datetime | None] = None
    """When the newest event of the log group was delivered."""
    filters: Maybe[tuple[MetricFilter, ...]] = ()
    matches: Maybe[bool] = True
    """Whether AWS itself finds that the documented pattern matches a refused reading."""
    alarms: Maybe[tuple[Alarm, ...]] = ()
    topics: Mapping[str, Maybe[Topic | None]] = {}
    """By ARN, of everything in this account that alarms and rules tell."""
    queues: Mapping[str, Maybe[Queue | None]] = {}
    """The same, of queues, dead letters' included."""
    rules: Maybe[tuple[EventRule, ...]] = ()
    lookup: Maybe[datetime | None] = None
    """Time of the newest event in the event history."""
    trials: tuple[Trial, ...] = ()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Everything that could not be read."""
        parts = (self.trails, self.elsewhere, self.role, self.group, self.newest, self.filters, self.matches)
        told = (*self.topics.values(), *self.queues.values())
        rest = (self.alarms, self.rules, self.lookup, *told, *(each.refused for each in self.trials))
        return tuple(each for each in (*parts, *rest, *self.partly) if isinstance(each, Unread))

    @property
    def unread_actions(self) -> tuple[str, ...]:
        """The IAM actions that were missing."""
        return tuple(sorted({each.action for each in self.unread if each.action}))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything doctor judges."""

    profile: str
    identity: Maybe[Identity]
    asked_at: datetime
    """This machine's clock at the moment of AWS's answer."""
    regions: tuple[RegionSeen, ...] = ()
    terminal: TerminalSeen
    journal: JournalSeen


def attempt(ask: Callable[[], Found], profile: str = "") -> Maybe[Found]:
    """Return the answer, or why there is none."""
    try:
        return ask()
    except AWS_ERRORS as error:
        return unread(error, profile)
    except SetupError as error:
        return Unread(str(error))


def unread(error: Exception, profile: str = "") -> Unread:
    """Return why something could not be read."""
    return Unread(sentence(error, profile=profile), denied_action(error), code_of(error))


REFUSED_READING = (
    '{"eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue",'
    '"errorCode":"InvalidRequestException","errorMessage":"You can\'t perform this operation on the secret because it '
    'was marked for deletion."}'
)
"""As much of a CloudTrail record as the documented pattern looks at."""


def see(
    profile: str,
    regions: Sequence[str],
    wanted: Wanted,
    state_dir: Path,
    *,
    now: Callable[[], datetime],
    try_all: bool = False,
) -> Seen:
    """Look at everything, in the Regions named or the one of the environment."""
    terminal, journal = see_terminal(os.environ), see_journal(state_dir)
    try:
        aws = open_session(profile, next(iter(regions), ""), attempts=2, answer_within=10)
    except SetupError as error:
        refused = Unread(str(error), code=NO_REGION if isinstance(error, RegionError) else "")
        return Seen(profile=profile, identity=refused, asked_at=now(), terminal=terminal, journal=journal)
    identity = attempt(aws.identity, profile)
    asked_at = now()
    seen = []
    if not isinstance(identity, Unread):
        for region in regions or (aws.region,):
            at = identity.answered_at or asked_at
            seen.append(see_region(aws, identity.place(region), wanted, at, try_all=try_all))
    return Seen(
        profile=profile, identity=identity, asked_at=asked_at, regions=tuple(seen), terminal=terminal, journal=journal
    )


def see_region(aws: Aws, place: Place, wanted: Wanted, now: datetime, *, try_all: bool = False) -> RegionSeen:
    """Look at the whole chain of one Region; read-only, and never raises for what AWS answers."""
    partly: list[Unread] = []

    def excused(error: Exception) -> bool:
        partly.append(unread(error))
        return True

    trails = attempt(lambda: look.trails(aws, place.region, place.account, excused=excused))
    known = found_of(trails)
    chain = choose(known, place, wanted)
    at = chain.place
    group = attempt(lambda: look.log_group(aws, at.region, chain.log_group))
    there = isinstance(group, LogGroup)
    names = [each.alarm for each in wanted.alarms]
    alarms = attempt(lambda: look.alarms(aws, at.region, names=names))
    rules = attempt(lambda: look.event_rules(aws, place.region, PREFIX))
    told = [action for alarm in found_of(alarms) for action in alarm.actions]
    told += [arn for rule in found_of(rules) for target in rule.targets for arn in (target.arn, target.dead_letters)]
    told = [arn for arn in dict.fromkeys(told) if arn_part(arn, 4) == place.account]
    return RegionSeen(
        place=place,
        wanted=wanted,
        now=now,
        trails=trails,
        elsewhere=() if known else attempt(lambda: look.trails_elsewhere(aws, place.region, known)),
        chain=chain,
        partly=tuple(partly),
        role=attempt(lambda: look.role(aws, chain.role, wanted.names.role_policy, whole=True))
        if chain.delivers
        else None,
        group=group,
        newest=attempt(lambda: look.newest_event(aws, at.region, chain.log_group, now)) if there else None,
        filters=attempt(lambda: look.metric_filters(aws, at.region, chain.log_group)),
        matches=attempt(lambda: look.pattern_matches(aws, at.region, DELETED_SECRETS.pattern, REFUSED_READING)),
        alarms=alarms,
        topics={arn: attempt(partial(look.topic, aws, arn)) for arn in told if arn_part(arn, 2) == "sns"},
        queues={arn: attempt(partial(look.queue, aws, arn)) for arn in told if arn_part(arn, 2) == "sqs"},
        rules=rules,
        lookup=attempt(lambda: look.newest_lookup(aws, place.region)),
        trials=_trials(aws, at, chain.log_group) if try_all else (),
    )


def _trials(aws: Aws, place: Place, group: str) -> tuple[Trial, ...]:
    """Try what nothing else here needs; an answer that there is no such secret means that one may ask."""
    secrets = aws.secretsmanager(place.region)
    asked: dict[str, Callable[[], object]] = {
        "secretsmanager:DescribeSecret": lambda: secrets.describe_secret(SecretId=NOBODYS),
        "secretsmanager:GetResourcePolicy": lambda: secrets.get_resource_policy(SecretId=NOBODYS),
        "secretsmanager:ListSecretVersionIds": lambda: secrets.list_secret_version_ids(SecretId=NOBODYS),
    }
    if place.partition == LIVE_TAIL_PARTITION:
        asked["logs:StartLiveTail"] = lambda: _live_tail(aws, place, group)
    trials = []
    for action, ask in asked.items():
        answer = attempt(ask)
        missing = isinstance(answer, Unread) and answer.code == "ResourceNotFoundException"
        trials.append(Trial(action, answer if isinstance(answer, Unread) and not missing else None))
    return tuple(trials)


NOBODYS = "smwatch-doctor-asks-whether-it-may"
"""A secret nobody has."""


def _live_tail(aws: Aws, place: Place, group: str) -> None:
    """Open a session and close it at once."""
    aws.logs(place.region).start_live_tail(logGroupIdentifiers=[place.log_group(group)])["responseStream"].close()


def found_of(found: Maybe[tuple[Found, ...]]) -> tuple[Found, ...]:
    """Return what was found, nothing where it could not be read."""
    return () if isinstance(found, Unread) else found
