"""What is known right now: events, alarms, health, and who is told of their changes."""
