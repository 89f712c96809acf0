"""smwatch shows, live, who uses which secret in AWS Secrets Manager."""

__version__ = "0.1.0"
