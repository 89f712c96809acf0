"""The CloudWatch Logs filter pattern language, evaluated locally."""
