"""Looking at everything a plan has to know, before it is made and again after it was applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from smwatch.rules.documented import DOCUMENTED_ALARM
from smwatch.setup import look
from smwatch.setup.aws import Aws
from smwatch.setup.chain import Chain, choose
from smwatch.setup.place import Place, arn_part, group_name, last_name
from smwatch.setup.policies import PREFIX
from smwatch.setup.seen import Alarm, Bucket, EventRule, LogGroup, MetricFilter, Queue, Role, Topic, Trail, made
from smwatch.setup.wanted import Part, Wanted

Found = TypeVar("Found")


class Local(msgspec.Struct, frozen=True):
    """What EventBridge has in one Region."""

    place: Place
    target: str
    """ARN of the topic or queue its rules tell."""
    rules: tuple[EventRule, ...] = ()
    topic: Topic | None = None
    queue: Queue | None = None
    dead_letters: Queue | None = None

    def rule(self, name: str) -> EventRule | None:
        """Return the rule of that name."""
        return next((rule for rule in self.rules if rule.name == name), None)


class Observation(msgspec.Struct, frozen=True):
    """What there is, as far as a plan for these wishes cares."""

    chain: Chain
    trails: tuple[Trail, ...] = ()
    organization: str = ""
    """ID of the organisation whose trail this is."""
    elsewhere: tuple[tuple[str, str], ...] = ()
    """(name, home Region) of this account's trails that don't reach the chosen Region."""
    group: LogGroup | None = None
    role: Role | None = None
    bucket: Bucket | None = None
    """The bucket a new trail would get, or the one of a trail that setup made."""
    filters: tuple[MetricFilter, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    topic_arn: str = ""
    """The topic the alarms tell."""
    topic: Topic | None = None
    locals: tuple[Local, ...] = ()

    def alarm(self, name: str) -> Alarm | None:
        """Return the alarm of that name."""
        return next((alarm for alarm in self.alarms if alarm.name == name), None)


def observe(aws: Aws, place: Place, wanted: Wanted) -> Observation:
    """Look at what these wishes touch; raises what botocore raises."""
    trails = look.trails(aws, place.region, place.account, tags=True)
    chain = choose(trails, place, wanted)
    at = chain.place
    new = Part.TRAIL in wanted.parts and chain.trail is None
    bucket = wanted.names.bucket_at(at) if new else ""
    if Part.TRAIL in wanted.parts and chain.trail is not None and made(chain.trail.tags):
        bucket = chain.trail.bucket
    alarms = look.alarms(aws, at.region, names=[each.alarm for each in wanted.alarms], tags=True)
    topic_arn = _topic_arn(at, wanted, alarms)
    return Observation(
        chain=chain,
        trails=trails,
        organization=look.organization(aws) if chain.trail is not None and chain.trail.organization else "",
        elsewhere=look.trails_elsewhere(aws, place.region, trails) if new else (),
        group=look.log_group(aws, at.region, chain.log_group, tags=True),
        role=look.role(aws, chain.role, wanted.names.role_policy) if Part.TRAIL in wanted.parts else None,
        bucket=look.bucket(aws, at.region, bucket, at.account) if bucket else None,
        filters=look.metric_filters(aws, at.region, chain.log_group),
        alarms=alarms,
        topic_arn=topic_arn,
        topic=_own_topic(aws, at, topic_arn) if Part.ALARM in wanted.parts else None,
        locals=tuple(_local(aws, at.at(region), wanted, topic_arn) for region in wanted.regions or (place.region,))
        if Part.EVENTS in wanted.parts
        else (),
    )


def _topic_arn(place: Place, wanted: Wanted, alarms: Iterable[Alarm]) -> str:
    """Return the topic a person named, else the one the alarm tells already, else the usual one."""
    told = (action for alarm in alarms for action in alarm.actions if arn_part(action, 2) == "sns")
    return place.topic(wanted.names.topic) if wanted.topic_named else next(told, place.topic(wanted.names.topic))


def _own_topic(aws: Aws, place: Place, arn: str) -> Topic | None:
    """Return the topic if it is this account's; another account's can only be used, not looked at."""
    return look.topic(aws, arn, tags=True) if arn_part(arn, 4) == place.account else Topic(arn)


def _local(aws: Aws, place: Place, wanted: Wanted, told: str) -> Local:
    usual = place.queue(wanted.names.queue) if wanted.to_queue else place.topic(wanted.names.topic)
    near = not wanted.to_queue and not wanted.topic_named and arn_part(told, 3) == place.region
    target = told if near else usual
    ours = arn_part(target, 4) == place.account
    return Local(
        place=place,
        target=target,
        rules=look.event_rules(aws, place.region, PREFIX, tags=True),
        topic=None if wanted.to_queue else _own_topic(aws, place, target),
        queue=look.queue(aws, target, tags=True) if wanted.to_queue and ours else None,
        dead_letters=look.queue(aws, place.queue(wanted.names.dead_letters), tags=True),
    )


class Made(msgspec.Struct, frozen=True):
    """What there is that setup may have made, wherever the chain leads to it."""

    places: tuple[Place, ...]
    trails: tuple[Trail, ...] = ()
    groups: tuple[tuple[Place, LogGroup], ...] = ()
    filters: tuple[tuple[Place, str, MetricFilter], ...] = ()
    """(place, log group, filter)."""
    roles: tuple[Role, ...] = ()
    buckets: tuple[tuple[Place, Bucket], ...] = ()
    alarms: tuple[tuple[Place, Alarm], ...] = ()
    topics: tuple[Topic, ...] = ()
    queues: tuple[Queue, ...] = ()
    rules: tuple[tuple[Place, EventRule], ...] = ()
    restorable: frozenset[str] = frozenset()
    """ARNs of the trails whose former log group and role still exist."""


def observe_made(aws: Aws, place: Place, wanted: Wanted) -> Made:
    """Look for what setup made: under its names, and along the chain from every trail, alarm and rule."""
    names = wanted.names
    trails = tuple(
        trail for trail in look.trails(aws, place.region, place.account, tags=True) if trail.account == place.account
    )
    regions = dict.fromkeys((place.region, *(trail.home_region for trail in trails), *wanted.regions))
    places = tuple(place.at(region) for region in regions)
    groups = {(at.region, names.log_group): at for at in places}
    groups |= {(t.home_region, t.log_group): place.at(t.home_region) for t in trails if t.log_group}
    found_groups = tuple(
        (at, group)
        for (_, name), at in groups.items()
        if (group := look.log_group(aws, at.region, name, tags=True)) is not None
    )
    alarms = tuple(
        (at, alarm)
        for at in places
        for alarm in (
            *look.alarms(aws, at.region, names=[DOCUMENTED_ALARM], tags=True),
            *look.alarms(aws, at.region, prefix=PREFIX, tags=True),
        )
    )
    rules = tuple((at, rule) for at in places for rule in look.event_rules(aws, at.region, PREFIX, tags=True))
    told = [action for _, alarm in alarms for action in alarm.actions]
    told += [arn for _, rule in rules for target in rule.targets for arn in (target.arn, target.dead_letters) if arn]
    return Made(
        places=places,
        trails=trails,
        groups=found_groups,
        filters=tuple(
            (at, group.name, each)
            for at, group in found_groups
            for each in look.metric_filters(aws, at.region, group.name)
        ),
        roles=_each(look.role(aws, name, names.role_policy) for name in _roles(trails, names.role)),
        buckets=_buckets(aws, places, trails, wanted),
        alarms=alarms,
        topics=_each(
            look.topic(aws, arn, tags=True)
            for arn in _own(told, "sns", place, [at.topic(names.topic) for at in places])
        ),
        queues=_each(
            look.queue(aws, arn, tags=True)
            for arn in _own(
                told, "sqs", place, [at.queue(name) for at in places for name in (names.queue, names.dead_letters)]
            )
        ),
        rules=rules,
        restorable=frozenset(trail.arn for trail in trails if trail.former and _exist(aws, trail, *trail.former)),
    )


def _exist(aws: Aws, trail: Trail, group: str, role: str) -> bool:
    """Whether the log group and the role with these ARNs, where a trail once delivered, are still there."""
    found = look.log_group(aws, trail.home_region, group_name(group))
    return found is not None and look.role(aws, last_name(role)) is not None


def _roles(trails: Iterable[Trail], usual: str) -> Iterable[str]:
    return dict.fromkeys((usual, *(trail.role for trail in trails if trail.role)))


def _own(told: Iterable[str], service: str, place: Place, usual: Iterable[str]) -> Iterable[str]:
    arns = dict.fromkeys((*usual, *(arn for arn in told if arn_part(arn, 2) == service)))
    return [arn for arn in arns if arn_part(arn, 4) == place.account]


def _buckets(
    aws: Aws, places: Iterable[Place], trails: Iterable[Trail], wanted: Wanted
) -> tuple[tuple[Place, Bucket], ...]:
    """Return the buckets of trails that setup made, and those of its own name."""
    candidates = {wanted.names.bucket_at(at): at for at in places}
    candidates |= {trail.bucket: place_of(trail, places) for trail in trails if made(trail.tags) and trail.bucket}
    return tuple(
        (at, bucket)
        for name, at in candidates.items()
        if (bucket := look.bucket(aws, at.region, name, at.account)) is not None
    )


def place_of(trail: Trail, places: Iterable[Place]) -> Place:
    """Return the one of these places that is the trail's home."""
    return next(at for at in places if at.region == trail.home_region)


def _each(found: Iterable[Found | None]) -> tuple[Found, ...]:
    return tuple(each for each in found if each is not None)
