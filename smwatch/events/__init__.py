"""CloudTrail records as events: what happened, to which secret, by whom."""
