"""Rules as what AWS can run of them: metric filters with alarms, and EventBridge rules."""
