"""Checks of a topic: is it there, does it take what is published, and is anybody told."""

from __future__ import annotations

from smwatch.setup import documents
from smwatch.setup.finding import Finding, broken, ok, unknown, warn
from smwatch.setup.judge import Judge
from smwatch.setup.place import arn_part
from smwatch.setup.plan_topic import allowed, unusable_key
from smwatch.setup.seeing import Unread
from smwatch.setup.seen import Topic


class TopicJudge(Judge):
    """Judges the topics that alarms and EventBridge rules tell."""

    def topic(self, check: str, arn: str, statement: documents.Statement, mend: str) -> Finding:
        """Say whether a topic is there and takes what a service publishes; `mend` puts right what setup can."""
        topic, name = self.seen.topics.get(arn), arn_part(arn, 5)
        service = documents.service_of(statement)
        if arn_part(arn, 4) != self.seen.place.account:
            return unknown(check, f"The topic {arn} is of another account, and can't be looked at from here.")
        if isinstance(topic, Unread):
            return unknown(check, topic.why)
        if topic is None:
            return broken(check, f"The topic {arn} does not exist.", mend)
        if unusable_key(topic):
            message = f"The topic {name} is encrypted with {topic.key}, which {service} may not use."
            off = self.aws("sns", "set-topic-attributes", "--topic-arn", arn, "--attribute-name", "KmsMasterKeyId")
            return broken(check, message, f"{off} --attribute-value ''")
        if not allowed(topic.policy, statement, self.seen.place.account):
            return broken(check, f"The policy of the topic {name} does not let {service} publish.", mend)
        return ok(check, f"{name} takes what {service} publishes.")

    def subscribers(self, topic: Topic) -> Finding:
        """Say whether anybody has confirmed a subscription."""
        confirmed = [each for each in topic.subscriptions if each.confirmed]
        pending = [each for each in topic.subscriptions if each.pending]
        name = arn_part(topic.arn, 5)
        if not confirmed and not pending:
            subscribe = self.setup("--part", "alarm", "--topic", topic.arn, "--email", "ADDRESS")
            return broken("subscribers", f"Nobody subscribes to {name}. For ADDRESS put your own:", subscribe)
        told = ", ".join(f"{each.endpoint} ({each.protocol})" for each in confirmed)
        if not pending:
            return ok("subscribers", f"{name} tells {told}.")
        waiting = f"{', '.join(each.endpoint for each in pending)} has yet to follow the link in AWS's mail."
        first = ("--protocol", pending[0].protocol, "--notification-endpoint", pending[0].endpoint)
        again = self.aws("sns", "subscribe", "--topic-arn", topic.arn, *first)
        if confirmed:
            return warn("subscribers", f"{name} tells {told}. {waiting} A new link:", again)
        return broken("subscribers", f"Nobody is told by {name}: {waiting} A new link:", again)
