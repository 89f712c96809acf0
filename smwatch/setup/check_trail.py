"""Checks of the trail: does it log what matters, and does it deliver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from smwatch.setup import documents
from smwatch.setup.documents import Document, statements
from smwatch.setup.finding import Finding, age, broken, ok, shell, unknown, warn
from smwatch.setup.judge import Judge
from smwatch.setup.place import Names
from smwatch.setup.plan_delivery import trusts_cloudtrail
from smwatch.setup.seeing import Unread, found_of
from smwatch.setup.seen import Role, Trail, made

STALE = timedelta(hours=1)
"""A trail that delivered nothing for so long either sees nothing or does not work."""
FIRST = timedelta(minutes=20)
"""How long a new trail may take to deliver for the first time."""


class TrailChecks(Judge):
    """Checks of the trail and of the role it delivers with."""

    def findings(self) -> Iterator[Finding]:
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
                f"group is there, and LookupEvents is all that can be watched from here. A trail here is a second "
                f"copy that AWS charges for:",
                self.setup("--new-trail"),
            )
        if self.seen.wanted.trail_named:
            return broken(
                "trail", f"There is no trail {self.seen.wanted.names.trail} that logs {region}.", self.setup()
            )
        if elsewhere := found_of(self.seen.elsewhere):
            others = ", ".join(f"{name} logs only {home}" for name, home in elsewhere)
            both = shell("smwatch", "setup", *self.where(elsewhere[0][1]), "--region", region)
            return broken("trail", f"No trail logs {region}: {others}.", both)
        return broken("trail", f"No trail logs {region}.", self.setup())

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
        if not trail.selectors.keys:
            return ok("selectors", "Read and write events are logged, but for those of KMS, which are not needed.")
        return ok("selectors", "Read and write events are logged.")

    def files(self, trail: Trail) -> Finding:
        """Whether the trail's files reach the bucket."""
        delivery = trail.delivery
        if delivery is None:
            return unknown("files", "The trail's status can't be read.")
        if delivery.delivery_error:
            message = f"CloudTrail can't write to the bucket {trail.bucket}: {delivery.delivery_error.rstrip('.')}."
            if trail.bucket == Names().bucket_at(self.seen.place.at(self.home)):
                return broken("files", message, self.setup("--part", "trail"))
            policy = self.aws("s3api", "get-bucket-policy", "--bucket", trail.bucket)
            return broken("files", f"{message} Its policy has to let CloudTrail in:", policy)
        return ok("files", f"The trail's files reach the bucket {trail.bucket}.")

    def delivery(self, trail: Trail) -> Finding:
        """Whether the trail's events reach the log group."""
        chain, delivery = self.seen.chain, trail.delivery
        if not trail.log_group:
            message = f"The trail {trail.name} does not deliver to CloudWatch Logs."
            return broken("delivery", message, self.setup("--part", "trail"))
        if chain is not None and not chain.delivers:
            message = f"The trail {trail.name} delivers to {trail.log_group}, not to {self.group}."
            here = self.where(self.seen.place.region)
            mend = shell("smwatch", "doctor", *here, "--log-group", trail.log_group)
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
        mend = self.setup("--part", "trail") if made(role.tags) else ""
        if not trusts_cloudtrail(role, trail.arn):
            message = f"The role {role.name} does not trust CloudTrail for this trail."
            return broken("role", message, mend or self.trust(role, trail))
        if role.policies is not None and not role.attached and not self.may_write(role.policies):
            return broken(
                "role", f"The role {role.name} may not write to {self.group}.", mend or self.allow(role, trail)
            )
        return ok("role", f"{role.name} trusts CloudTrail and may write.")

    def trust(self, role: Role, trail: Trail) -> str:
        """Return the command that adds CloudTrail to whom somebody else's role trusts."""
        added = documents.document(*statements(role.trust), *statements(documents.role_trust(trail.arn)))
        words = ("--role-name", role.name, "--policy-document", documents.text(added))
        return self.aws("iam", "update-assume-role-policy", *words)

    def allow(self, role: Role, trail: Trail) -> str:
        """Return the command that lets somebody else's role write to the log group."""
        place = self.seen.place.at(self.home)
        organization = documents.ANY_ORGANIZATION if trail.organization else ""
        allowed = documents.role_permissions(place, self.group, organization)
        words = ("--policy-name", Names().role_policy, "--policy-document", documents.text(allowed))
        return self.aws("iam", "put-role-policy", "--role-name", role.name, *words)

    def may_write(self, policies: tuple[Document, ...]) -> bool:
        """Say whether one of these policies lets CloudTrail make its stream and write to it."""
        place = self.seen.place.at(self.home)
        stream = f"{place.log_group(self.group)}:log-stream:{place.account}_CloudTrail_{self.home}"
        return all(
            any(documents.allows(policy, action, stream) for policy in policies)
            for action in ("logs:CreateLogStream", "logs:PutLogEvents")
        )
