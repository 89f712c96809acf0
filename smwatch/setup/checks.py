"""Checks of the chain in one Region, from the trail to the people who are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from smwatch.setup import documents
from smwatch.setup.finding import Finding, age, broken, ok, shell, unknown, warn
from smwatch.setup.place import arn_part
from smwatch.setup.plan_alarm import alarm_faults, same_filter
from smwatch.setup.plan_topic import allowed, unusable_key
from smwatch.setup.plan_trail import trusts_cloudtrail
from smwatch.setup.seeing import RegionSeen, Unread
from smwatch.setup.seen import Alarm, EventRule, LogGroup, MetricFilter, Topic, Trail, made
from smwatch.setup.trouble import UNKNOWN_KEY
from smwatch.setup.wanted import MetricAlarm

STALE = timedelta(hours=1)
"""A trail that delivered nothing for so long either sees nothing or does not work."""
FIRST = timedelta(minutes=20)
"""How long a new trail may take to deliver for the first time."""
SHORT = 7
"""Days; who keeps less can't look back over a weekend."""
OLD_WORDING = "because it was deleted"
"""What the documented pattern said until 2020, and AWS's message no longer says."""
ALL_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


class Checks:
    """The checks of one Region; each reads what was found and asks nothing."""

    def __init__(self, seen: RegionSeen, profile: str) -> None:
        self.seen = seen
        self.profile = profile
        self.trail = seen.chain.trail if seen.chain else None
        self.group = seen.chain.log_group if seen.chain else ""
        self.home = seen.chain.place.region if seen.chain else seen.place.region

    def findings(self) -> Iterator[Finding]:
        """Yield everything there is to say, in the order in which events go."""
        yield self.region()
        yield self.permissions()
        yield from self.trail_checks()
        yield from self.group_checks()
        yield from self.filter_checks()
        yield from self.alarm_checks()
        yield from self.event_rules()
        yield self.lookup()

    def setup(self, *more: str) -> str:
        """Return the setup command that mends things here."""
        group = ("--log-group", self.group) if self.seen.wanted.group_named else ()
        return shell("smwatch", "setup", "--profile", self.profile, "--region", self.seen.place.region, *group, *more)

    def aws(self, *words: str) -> str:
        """Return an AWS CLI command for the Region where the chain is."""
        return shell("aws", *words, "--profile", self.profile, "--region", self.home)

    # -- the account -------------------------------------------------------------------------------------------------

    def region(self) -> Finding:
        """Whether the Region can be used at all."""
        name = self.seen.place.region
        if isinstance(self.seen.trails, Unread) and self.seen.trails.code in UNKNOWN_KEY:
            message = f"{name} does not know these credentials: it is not enabled for this account."
            return broken("region", message, shell("aws", "account", "enable-region", "--region-name", name))
        if isinstance(self.seen.trails, Unread) and not self.seen.trails.code:
            return broken("region", self.seen.trails.why, shell("aws", "account", "list-regions"))
        return ok("region", f"{name} ({self.seen.place.partition})")

    def permissions(self) -> Finding:
        """Whether everything that was asked for was allowed."""
        missing = self.seen.unread_actions
        mend = shell(
            "smwatch", "policy", "watch", "--profile", self.profile, "--region", self.home, "--log-group", self.group
        )
        if missing:
            return broken("permissions", f"Missing: {', '.join(missing)}.", mend)
        if self.seen.trials:
            return ok("permissions", "Everything smwatch can ask for is allowed.")
        return ok("permissions", "Everything asked for was allowed; --try-all tries Live Tail and secret metadata too.")

    # -- the trail ---------------------------------------------------------------------------------------------------

    def trail_checks(self) -> Iterator[Finding]:
        """Yield whether a trail logs what matters, and delivers it."""
        if isinstance(self.seen.trails, Unread):
            yield unknown("trail", self.seen.trails.why)
            return
        if self.trail is None:
            yield self.no_trail(self.seen.trails)
            return
        reach = "multi-Region" if self.trail.multi_region else f"only {self.trail.home_region}"
        yield ok("trail", f"{self.trail.name}, {reach}")
        yield self.logging(self.trail)
        yield self.selectors(self.trail)
        yield self.files(self.trail)
        yield self.delivery(self.trail)
        if self.seen.chain is not None and self.seen.chain.delivers:
            yield self.role(self.trail)

    def no_trail(self, trails: tuple[Trail, ...]) -> Finding:
        """Say why there is no trail to use."""
        region = self.seen.place.region
        if trails and not self.seen.wanted.trail_named:
            foreign = trails[0]
            return warn(
                "trail",
                f"Only the organisation trail {foreign.name} of account {foreign.account} logs this account: its log "
                f"group is there, and LookupEvents is all that can be watched from here.",
                self.setup("--new-trail"),
            )
        elsewhere = [] if isinstance(self.seen.elsewhere, Unread) else self.seen.elsewhere
        others = ", ".join(f"{name} logs only {home}" for name, home in elsewhere)
        message = f"No trail logs {region}" + (f": {others}." if others else ".")
        if self.seen.wanted.trail_named:
            message = f"There is no trail {self.seen.wanted.names.trail} that logs {region}."
        return broken("trail", message, self.setup())

    def logging(self, trail: Trail) -> Finding:
        """Whether the trail is switched on."""
        if trail.delivery is None:
            return unknown("logging", "The trail's status can't be read.")
        if trail.delivery.logging:
            return ok("logging", "The trail is logging.")
        mend = self.aws("cloudtrail", "start-logging", "--name", trail.name)
        return broken("logging", f"The trail {trail.name} is switched off.", mend)

    def selectors(self, trail: Trail) -> Finding:
        """Whether reads, writes and this Region are logged."""
        if trail.selectors is None:
            return unknown("selectors", "Which events the trail logs can't be read.")
        if not trail.selectors.reads and not trail.selectors.writes:
            return broken(
                "selectors", f"The trail {trail.name} logs no management events.", self.setup("--part", "trail")
            )
        if not trail.selectors.reads:
            message = f"The trail {trail.name} drops read events: nobody is seen who reads a secret."
            return broken("selectors", message, self.setup("--part", "trail"))
        if not trail.selectors.writes:
            message = f"The trail {trail.name} drops write events: no change to a secret is seen."
            return broken("selectors", message, self.setup("--part", "trail"))
        return ok("selectors", "Read and write events are logged.")

    def files(self, trail: Trail) -> Finding:
        """Whether the trail's files reach the bucket."""
        delivery = trail.delivery
        if delivery is None:
            return unknown("files", "The trail's status can't be read.")
        if delivery.delivery_error:
            message = f"CloudTrail can't write to the bucket {trail.bucket}: {delivery.delivery_error.rstrip('.')}."
            mend = self.setup("--part", "trail") if made(trail.tags) else ""
            return broken("files", message, mend or self.aws("s3api", "get-bucket-policy", "--bucket", trail.bucket))
        return ok("files", f"The trail's files reach the bucket {trail.bucket}.")

    def delivery(self, trail: Trail) -> Finding:
        """Whether the trail's events reach the log group."""
        chain, delivery = self.seen.chain, trail.delivery
        if not trail.log_group:
            message = f"The trail {trail.name} does not deliver to CloudWatch Logs."
            return broken("delivery", message, self.setup("--part", "trail"))
        if chain is not None and not chain.delivers:
            message = f"The trail {trail.name} delivers to {trail.log_group}, not to {self.group}."
            mend = shell("smwatch", "doctor", "--profile", self.profile, "--log-group", trail.log_group)
            return broken("delivery", message, mend)
        if delivery is None:
            return unknown("delivery", "The trail's status can't be read.")
        if delivery.logs_delivery_error:
            message = (
                f"CloudTrail can't write to the log group {self.group}: {delivery.logs_delivery_error.rstrip('.')}."
            )
            return broken("delivery", message, self.setup("--part", "trail"))
        if not delivery.logging:
            return unknown("delivery", "The trail is switched off.")
        if delivery.logs_delivered_at is None:
            since = delivery.started_at
            if since is not None and self.seen.now - since > FIRST:
                return warn(
                    "delivery",
                    f"Nothing was delivered to {self.group} yet, {age(self.seen.now - since)} after the start.",
                )
            return ok("delivery", f"Nothing was delivered to {self.group} yet: the first events take up to 20 minutes.")
        waited = self.seen.now - delivery.logs_delivered_at
        if waited > STALE:
            return warn(
                "delivery",
                f"The last delivery to {self.group} was {age(waited)} ago: see whether lookup has newer events.",
            )
        return ok("delivery", f"The last delivery to {self.group} was {age(waited)} ago.")

    def role(self, trail: Trail) -> Finding:
        """Whether CloudTrail may take on the role it delivers with."""
        role = self.seen.role
        if isinstance(role, Unread):
            return unknown("role", role.why)
        if role is None:
            return broken("role", f"The role {trail.role} does not exist.", self.setup("--part", "trail"))
        if not trusts_cloudtrail(role, trail.arn):
            message = f"The role {role.name} does not trust CloudTrail for this trail."
            look = self.aws("iam", "get-role", "--role-name", role.name)
            return broken("role", message, self.setup("--part", "trail") if made(role.tags) else look)
        return ok("role", f"{role.name} trusts CloudTrail.")

    # -- the log group -----------------------------------------------------------------------------------------------

    def group_checks(self) -> Iterator[Finding]:
        """Yield whether there is a log group that serves, and what is in it."""
        group = self.seen.group
        if isinstance(group, Unread):
            yield unknown("log group", group.why)
            return
        if group is None:
            yield broken(
                "log group", f"There is no log group {self.group} in {self.home}.", self.setup("--part", "trail")
            )
            return
        yield self.kept(group)
        yield self.newest()

    def kept(self, group: LogGroup) -> Finding:
        """Whether the group's class and retention serve."""
        if group.log_class != "STANDARD":
            message = f"{group.name} is of class {group.log_class}: no metric filter, no Live Tail, no FilterLogEvents."
            mend = shell("smwatch", "setup", "--profile", self.profile, "--region", self.home)
            return broken("log group", message, f"{mend} --log-group NEW --replace-delivery")
        if group.retention is not None and group.retention < SHORT:
            message = f"{group.name} keeps events for only {group.retention} days."
            return warn("log group", message, self.setup("--part", "trail", "--retention", "90"))
        kept = f"for {group.retention} days" if group.retention else "for ever"
        return ok("log group", f"{group.name}, kept {kept}")

    def newest(self) -> Finding:
        """Whether events come in."""
        newest = self.seen.newest
        if isinstance(newest, Unread):
            return unknown("newest event", newest.why)
        if newest is None:
            return warn("newest event", f"{self.group} holds no event of the last 90 days.")
        waited = self.seen.now - newest
        message = f"The newest event came {age(waited)} ago."
        return warn("newest event", message) if waited > STALE else ok("newest event", message)

    # -- metric filter and alarm -------------------------------------------------------------------------------------

    def filter_checks(self) -> Iterator[Finding]:
        """Yield whether every rule's metric filter is there and means what it should."""
        filters = self.seen.filters
        if isinstance(filters, Unread):
            yield unknown("metric filter", filters.why)
        elif isinstance(self.seen.group, LogGroup):
            for wanted in self.seen.wanted.alarms:
                yield self.metric_filter(filters, wanted)
        if isinstance(self.seen.matches, Unread):
            yield unknown("pattern", f"AWS did not try the documented pattern: {self.seen.matches.why}")
        elif self.seen.matches:
            yield ok("pattern", "AWS finds that the documented pattern matches a refused reading.")
        else:
            yield broken("pattern", "AWS finds that the documented pattern does not match a refused reading.")

    def metric_filter(self, filters: tuple[MetricFilter, ...], wanted: MetricAlarm) -> Finding:
        """Whether a metric filter counts what it should."""
        if found := next((each for each in filters if same_filter(each, wanted)), None):
            return ok("metric filter", f"{found.name} counts {wanted.namespace}/{wanted.metric}.")
        mend = self.setup("--part", "alarm")
        near = next((each for each in filters if each.name == wanted.filter_name), None)
        near = near or next((each for each in filters if each.metric == wanted.metric), None)
        if near is None:
            return broken("metric filter", f"{self.group} has no metric filter {wanted.filter_name}.", mend)
        if OLD_WORDING in near.pattern:
            return broken(
                "metric filter", f"{near.name} looks for AWS's wording of before 2020: it never matches.", mend
            )
        if near.pattern.split() != wanted.pattern.split():
            message = f"{near.name} has another pattern than the documented one: {near.pattern}"
            return broken("metric filter", message, mend)
        if near.transformed:
            return broken("metric filter", f"{near.name} looks at transformed events, not at CloudTrail's.", mend)
        is_, should = (near.namespace, near.metric, near.value), (wanted.namespace, wanted.metric, "1")
        message = f"{near.name} puts {is_[2]} into {is_[0]}/{is_[1]}, not {should[2]} into {should[0]}/{should[1]}."
        return broken("metric filter", message, mend)

    def alarm_checks(self) -> Iterator[Finding]:
        """Yield whether every rule's alarm would go off, and tell somebody."""
        alarms = self.seen.alarms
        if isinstance(alarms, Unread):
            yield unknown("alarm", alarms.why)
            return
        for wanted in self.seen.wanted.alarms:
            found = next((alarm for alarm in alarms if alarm.name == wanted.alarm), None)
            if found is None:
                message = f"There is no alarm {wanted.alarm} in {self.home}."
                yield broken("alarm", message, self.setup("--part", "alarm"))
                continue
            yield self.alarm(found, wanted)
            if found.actions:
                yield from self.told(found)

    def alarm(self, found: Alarm, wanted: MetricAlarm) -> Finding:
        """Whether an alarm goes off at the first event."""
        if faults := alarm_faults(found, wanted):
            wrong = "; ".join(f"{field} is {is_}, should be {should}" for field, is_, should in faults)
            return broken("alarm", f"{found.name}: {wrong}.", self.setup("--part", "alarm"))
        if not found.actions:
            return broken("alarm", f"{found.name} tells nobody: it has no actions.", self.setup("--part", "alarm"))
        if found.state == "ALARM":
            since = f" for {age(self.seen.now - found.state_at)}" if found.state_at else ""
            return warn(
                "alarm", f"{found.name} has been in ALARM{since}: somebody tried to read a deleted secret.", "smwatch"
            )
        return ok("alarm", f"{found.name} is as documented ({found.state or 'no state yet'}).")

    def told(self, alarm: Alarm) -> Iterator[Finding]:
        """Yield whether what an alarm tells passes it on to people."""
        for arn in alarm.actions:
            if arn_part(arn, 2) != "sns":
                continue
            statement = documents.alarms_may_publish(self.seen.place.at(self.home), arn)
            yield from self.topic(arn, statement)
            topic = self.seen.topics.get(arn)
            if isinstance(topic, Topic):
                yield self.subscribers(topic)

    def topic(self, arn: str, statement: documents.Statement) -> Iterator[Finding]:
        """Yield whether a topic is there and takes what a service publishes."""
        topic, name = self.seen.topics.get(arn), arn_part(arn, 5)
        service = documents.service_of(statement)
        if isinstance(topic, Unread):
            yield unknown("topic", topic.why)
        elif topic is None:
            yield broken(
                "topic", f"The topic {arn} does not exist.", self.setup("--part", "alarm", "--email", "ADDRESS")
            )
        elif unusable_key(topic):
            message = f"The topic {name} is encrypted with {topic.key}, which {service} may not use."
            mend = self.aws("sns", "set-topic-attributes", "--topic-arn", arn, "--attribute-name", "KmsMasterKeyId")
            yield broken("topic", message, f"{mend} --attribute-value ''")
        elif not allowed(topic.policy, statement, self.seen.place.account):
            message = f"The policy of the topic {name} does not let {service} publish."
            yield broken("topic", message, self.setup("--part", "alarm", "--topic", arn))
        else:
            yield ok("topic", f"{name} takes what {service} publishes.")

    def subscribers(self, topic: Topic) -> Finding:
        """Whether anybody has confirmed a subscription."""
        confirmed = [each for each in topic.subscriptions if each.confirmed]
        pending = [each.endpoint for each in topic.subscriptions if not each.confirmed]
        name = arn_part(topic.arn, 5)
        more = self.setup("--part", "alarm", "--topic", topic.arn, "--email")
        if not topic.subscriptions:
            return broken("subscribers", f"Nobody subscribes to {name}.", f"{more} ADDRESS")
        waiting = f"{', '.join(pending)} has yet to follow the link in AWS's mail."
        again = self.aws("sns", "subscribe", "--topic-arn", topic.arn, "--protocol", "email", "--notification-endpoint")
        if not confirmed:
            return broken("subscribers", f"Nobody is told by {name}: {waiting}", f"{again} {shell(pending[0])}")
        if pending:
            return warn("subscribers", waiting, f"{again} {shell(pending[0])}")
        told = ", ".join(f"{each.endpoint} ({each.protocol})" for each in confirmed)
        return ok("subscribers", f"{name} tells {told}.")

    # -- EventBridge and the event history ---------------------------------------------------------------------------

    def event_rules(self) -> Iterator[Finding]:
        """Yield whether smwatch's EventBridge rules are on, see what they should, and tell somebody."""
        rules = self.seen.rules
        if isinstance(rules, Unread):
            yield unknown("event rules", rules.why)
        elif not rules:
            yield ok("event rules", "None were made; `smwatch setup --event deleted-secrets` makes some.")
        else:
            for rule in rules:
                yield self.event_rule(rule)

    def event_rule(self, rule: EventRule) -> Finding:
        """Whether an EventBridge rule works."""
        region = self.seen.place.region
        on = shell("aws", "events", "enable-rule", "--name", rule.name, "--profile", self.profile, "--region", region)
        if rule.state == "DISABLED":
            return broken("event rules", f"The EventBridge rule {rule.name} is switched off.", on)
        if rule.state == "ENABLED" and _selects_reads(rule):
            message = f"The EventBridge rule {rule.name} is for reads, and its state {rule.state} leaves reads out."
            event = rule.name.removeprefix("smwatch-")
            return broken("event rules", message, self.setup("--part", "events", "--event", event))
        if not rule.targets:
            message = f"The EventBridge rule {rule.name} has no target: it tells nobody."
            return broken(
                "event rules", message, self.setup("--part", "events", "--event", rule.name.removeprefix("smwatch-"))
            )
        statement_of = documents.rules_may_publish
        for _, arn in rule.targets:
            topic = self.seen.topics.get(arn)
            if topic is None and arn_part(arn, 2) == "sns":
                return broken(
                    "event rules", f"{rule.name} tells {arn}, which does not exist.", self.setup("--part", "events")
                )
            if isinstance(topic, Topic) and not allowed(
                topic.policy, statement_of(arn, [rule.arn]), self.seen.place.account
            ):
                message = f"The policy of the topic {arn_part(arn, 5)} does not let EventBridge's {rule.name} publish."
                return broken("event rules", message, self.setup("--part", "events", "--topic", arn))
        told = ", ".join(arn_part(arn, 5) for _, arn in rule.targets)
        return ok("event rules", f"{rule.name} is on and tells {told}.")

    def lookup(self) -> Finding:
        """Whether the event history answers, and how late it is."""
        newest = self.seen.lookup
        if isinstance(newest, Unread):
            return broken("lookup", newest.why)
        if newest is None:
            return warn("lookup", "The event history answers, and is empty: a new account, or a quiet Region.")
        waited = self.seen.now - newest
        message = f"The event history answers; its newest event is {age(waited)} old."
        return (
            warn("lookup", f"{message} It is quiet here, or CloudTrail is late.")
            if waited > STALE
            else ok("lookup", message)
        )


def _selects_reads(rule: EventRule) -> bool:
    """Whether the rule names read-only operations, which a plain ENABLED rule never sees."""
    detail = rule.pattern.get("detail")
    names = detail.get("eventName", []) if isinstance(detail, dict) else []
    return any(name.startswith(("Get", "List", "Describe", "BatchGet")) for name in documents.listed(names))
