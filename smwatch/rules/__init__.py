"""What is worth an alarm."""
