"""What was found in an account: plain values, as far as setup and doctor care."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from smwatch.events.selectors import Selectors
from smwatch.setup.documents import Document
from smwatch.setup.place import arn_part, group_name, last_name

MADE = "smwatch"
"""Key of the tag on everything that setup made; `setup --remove` takes away nothing that lacks it."""
MADE_VALUE = "made by smwatch setup"
DELIVERY_TAG = "smwatch:delivery"
"""Key of the tag on somebody else's trail that setup made deliver to a log group; its value is that group's ARN."""
FORMER_GROUP_TAG, FORMER_ROLE_TAG = "smwatch:former-log-group", "smwatch:former-role"
"""Keys of the tags that remember to which log group, and with which role, that trail delivered before (ARNs)."""
FILTER_TAG = "smwatch:filter:"
"""How the keys of the tags on a log group begin that name the metric filters setup made: these can't be tagged."""
SUBSCRIPTION_TAG = "smwatch:subscription:"
"""The same on somebody else's topic, for subscriptions."""


class Delivery(msgspec.Struct, frozen=True):
    """How a trail is doing, as GetTrailStatus says."""

    logging: bool = False
    delivered_at: datetime | None = None
    delivery_error: str = ""
    logs_delivered_at: datetime | None = None
    logs_delivery_error: str = ""
    started_at: datetime | None = None


class Trail(msgspec.Struct, frozen=True):
    """A trail that reaches this Region."""

    name: str
    arn: str
    home_region: str
    multi_region: bool = False
    organization: bool = False
    bucket: str = ""
    log_group_arn: str = ""
    role_arn: str = ""
    selectors: Selectors | None = None
    """None: not to be read from this account (another account's organisation trail)."""
    delivery: Delivery | None = None
    tags: Mapping[str, str] = {}

    @property
    def delivers_by_setup(self) -> bool:
        """Whether it delivers where setup made it deliver, and nobody has changed that since."""
        return self.tags.get(DELIVERY_TAG) in (MADE_VALUE, self.log_group_arn.removesuffix(":*"))

    @property
    def former(self) -> tuple[str, str] | None:
        """ARNs of the log group and role it delivered to before setup changed that; None if it delivered to none."""
        group, role = self.tags.get(FORMER_GROUP_TAG, ""), self.tags.get(FORMER_ROLE_TAG, "")
        return (f"{group}:*", role) if group and role else None

    @property
    def account(self) -> str:
        """The account that owns it."""
        return arn_part(self.arn, 4)

    @property
    def log_group(self) -> str:
        """Name of the log group it delivers to, "" for none."""
        return group_name(self.log_group_arn)

    @property
    def role(self) -> str:
        """Name of the role it delivers with, "" for none."""
        return last_name(self.role_arn)

    def covers(self, region: str) -> bool:
        """Whether it logs what happens in that Region."""
        return self.multi_region or self.home_region == region


class LogGroup(msgspec.Struct, frozen=True):
    """A log group."""

    name: str
    log_class: str = "STANDARD"
    retention: int | None = None
    """Days; None: for ever."""
    tags: Mapping[str, str] = {}


class Role(msgspec.Struct, frozen=True):
    """An IAM role, and what it may do."""

    name: str
    arn: str
    trust: Document
    policy: Document | None = None
    """The inline policy that is smwatch's."""
    policies: tuple[Document, ...] | None = None
    """All inline policies; None where they were not asked for."""
    attached: tuple[str, ...] = ()
    """Names of managed policies."""
    tags: Mapping[str, str] = {}


class Bucket(msgspec.Struct, frozen=True):
    """A bucket of this account."""

    name: str
    policy: Document = {}
    closed: bool = False
    """Whether all four blocks of public access are on."""
    encrypted: bool = False
    tags: Mapping[str, str] = {}
    objects: bool = False
    """Whether it holds any."""


class MetricFilter(msgspec.Struct, frozen=True):
    """A metric filter with its one transformation."""

    name: str
    pattern: str
    namespace: str = ""
    metric: str = ""
    value: str = ""
    default: float | None = None
    dimensions: tuple[str, ...] = ()
    """Names; the metric then has one value for each combination, and none without dimensions."""
    unit: str = ""
    criteria: str = ""
    """Which accounts and Regions it is limited to (fieldSelectionCriteria), "" for none."""
    transformed: bool = False
    """Whether it looks at transformed events (applyOnTransformedLogs), not at what CloudTrail wrote."""
    parameters: Mapping[str, object] = {}
    """What PutMetricFilter takes to have it again as it is."""


class Alarm(msgspec.Struct, frozen=True):
    """A metric alarm."""

    name: str
    arn: str = ""
    namespace: str = ""
    metric: str = ""
    statistic: str = ""
    period: int = 0
    evaluation_periods: int = 0
    datapoints: int = 0
    threshold: float = 0.0
    comparison: str = ""
    missing: str = ""
    actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_actions: tuple[str, ...] = ()
    actions_enabled: bool = True
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    computed: bool = False
    """Whether it watches an expression over metrics rather than one metric."""
    description: str = ""
    state: str = ""
    state_at: datetime | None = None
    parameters: Mapping[str, object] = {}
    """What PutMetricAlarm takes to have it again as it is."""
    tags: Mapping[str, str] = {}


class Subscription(msgspec.Struct, frozen=True):
    """Who is told by a topic."""

    protocol: str
    endpoint: str
    arn: str

    @property
    def confirmed(self) -> bool:
        """Whether the link in the mail was followed."""
        return self.arn.startswith("arn:")

    @property
    def pending(self) -> bool:
        """Whether the link is still to be followed; neither this nor confirmed: it was taken back."""
        return self.arn.lower().startswith("pending")


class Topic(msgspec.Struct, frozen=True):
    """An SNS topic."""

    arn: str
    policy: Document = {}
    key: str = ""
    """KMS key that encrypts it, "" for none."""
    subscriptions: tuple[Subscription, ...] = ()
    tags: Mapping[str, str] = {}


class Queue(msgspec.Struct, frozen=True):
    """An SQS queue."""

    arn: str
    url: str
    policy: Document = {}
    tags: Mapping[str, str] = {}


class Target(msgspec.Struct, frozen=True):
    """What an EventBridge rule tells."""

    id: str
    arn: str
    dead_letters: str = ""
    """ARN of the queue for what could not be delivered, "" for none."""


class EventRule(msgspec.Struct, frozen=True):
    """An EventBridge rule of the default bus."""

    name: str
    arn: str
    state: str
    pattern: Document
    targets: tuple[Target, ...] = ()
    tags: Mapping[str, str] = {}


def made(tags: Mapping[str, str]) -> bool:
    """Whether these tags say that setup made the thing."""
    return MADE in tags
