"""Checks of smwatch's EventBridge rules and of what they tell."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.setup import documents
from smwatch.setup.catalogue import event, exportable_rules, for_account, selects_reads
from smwatch.setup.check_topic import TopicJudge
from smwatch.setup.finding import Finding, broken, ok, shell, unknown, warn
from smwatch.setup.place import arn_part
from smwatch.setup.plan_topic import allowed
from smwatch.setup.policies import PREFIX
from smwatch.setup.seeing import Unread, found_of
from smwatch.setup.seen import EventRule, Queue, Target, Topic
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import EventWish, Wanted

CHECK = "event rules"
ALL_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


class EventChecks(TopicJudge):
    """Checks of the EventBridge rules of a Region."""

    def findings(self) -> Iterator[Finding]:
        """Yield whether smwatch's rules are on, see what they should, and tell somebody."""
        rules = self.seen.rules
        if isinstance(rules, Unread):
            yield unknown(CHECK, rules.why)
        elif not rules:
            yield ok(CHECK, "None were made; `smwatch setup --event deleted-secrets` makes one.")
        else:
            told = {arn for alarm in found_of(self.seen.alarms) for arn in alarm.actions}
            for rule in rules:
                yield self.rule(rule)
                for target in rule.targets:
                    topic = self.seen.topics.get(target.arn)
                    if isinstance(topic, Topic) and topic.arn not in told:
                        told.add(topic.arn)
                        yield self.subscribers(topic)

    def rule(self, rule: EventRule) -> Finding:
        """Say whether an EventBridge rule works."""
        wish = _wish(rule)
        mend = self.mend(rule, wish)
        if rule.state == "DISABLED":
            return broken(CHECK, f"The EventBridge rule {rule.name} is switched off.", mend)
        if wish is not None and not documents.same(rule.pattern, wish.pattern):
            return broken(CHECK, f"The EventBridge rule {rule.name} selects other events than it is named after.", mend)
        if rule.state == "ENABLED" and (wish.reads if wish else selects_reads(rule.pattern)):
            message = f"The EventBridge rule {rule.name} is for reads, and its state {rule.state} leaves reads out."
            return broken(CHECK, message, mend)
        if not rule.targets:
            return broken(CHECK, f"The EventBridge rule {rule.name} has no target: it tells nobody.", mend)
        for target in rule.targets:
            if fault := self.target(rule, target.arn, mend):
                return fault
        told = ", ".join(arn_part(target.arn, 5) for target in rule.targets)
        if not all(self.has_dead_letters(target) for target in rule.targets):
            return warn(CHECK, f"{rule.name} tells {told}; what can't be delivered is lost, for want of a queue.", mend)
        return ok(CHECK, f"{rule.name} is on and tells {told}.")

    def target(self, rule: EventRule, arn: str, mend: str) -> Finding | None:
        """Return what keeps a target from being told, None if nothing does."""
        kind, name = arn_part(arn, 2), arn_part(arn, 5)
        if kind == "sns":
            found = self.topic(CHECK, arn, documents.rules_may_publish(arn, [rule.arn]), mend)
            return found if found.mend else None
        queue = self.seen.queues.get(arn)
        if kind != "sqs" or arn_part(arn, 4) != self.seen.place.account or isinstance(queue, Unread):
            return None
        if queue is None:
            return broken(CHECK, f"{rule.name} tells the queue {name}, which does not exist.", mend)
        if not _takes(queue, rule):
            return broken(CHECK, f"The policy of the queue {name} does not let {rule.name} send.", mend)
        return None

    def has_dead_letters(self, target: Target) -> bool:
        """Say whether what a target does not take is kept, as far as can be seen."""
        return bool(target.dead_letters) and self.seen.queues.get(target.dead_letters, True) is not None

    def mend(self, rule: EventRule, wish: EventWish | None) -> str:
        """Return what makes the rule again as it should be, telling what it tells."""
        region = self.seen.place.region
        if wish is None:
            return shell("aws", "events", "describe-rule", "--name", rule.name, *self.where(region))
        to = {"sns": "--topic", "sqs": "--queue"}
        told = next((target.arn for target in rule.targets if arn_part(target.arn, 2) in to), "")
        where = (to[arn_part(told, 2)], told) if told else ()
        reads = ("--reads",) if rule.state == ALL_READS and not wish.reads else ()
        return self.setup("--part", "events", "--event", rule.name.removeprefix(PREFIX), *where, *reads)


def _takes(queue: Queue, rule: EventRule) -> bool:
    statement = documents.rules_may_send(queue.arn, [rule.arn])
    return allowed(queue.policy, statement, arn_part(queue.arn, 4))


def _wish(rule: EventRule) -> EventWish | None:
    """Return what `smwatch setup --event` makes under that name, None if it is nothing that it knows."""
    name = rule.name.removeprefix(PREFIX)
    try:
        wish = event(name, exportable_rules() if name.startswith("SMW-") else {})
    except SetupError:
        return None
    return for_account(Wanted(events=(wish,)), arn_part(rule.arn, 4)).events[0]
