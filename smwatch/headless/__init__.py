"""Lines for pipes, cron and CI instead of a screen."""
