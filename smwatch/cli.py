"""argv → Settings → what runs."""

import click

from smwatch import __version__


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Watch who uses which secret in AWS Secrets Manager."""
