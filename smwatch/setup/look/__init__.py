"""Read-only questions to AWS, each answered with a plain value, or None for what does not exist."""

from smwatch.setup.look.events import logged, looked_up, newest_event, newest_lookup, pattern_matches
from smwatch.setup.look.storage import PUBLIC_ACCESS_BLOCK, bucket, log_group, role
from smwatch.setup.look.telling import alarms, event_rules, metric_filters, queue, topic
from smwatch.setup.look.trail import (
    deliveries,
    organization,
    trail_delivery,
    trail_selectors,
    trail_tags,
    trails,
    trails_elsewhere,
)

__all__ = [
    "PUBLIC_ACCESS_BLOCK",
    "alarms",
    "bucket",
    "deliveries",
    "event_rules",
    "log_group",
    "logged",
    "looked_up",
    "metric_filters",
    "newest_event",
    "newest_lookup",
    "organization",
    "pattern_matches",
    "queue",
    "role",
    "topic",
    "trail_delivery",
    "trail_selectors",
    "trail_tags",
    "trails",
    "trails_elsewhere",
]
