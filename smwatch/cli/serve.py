"""`smwatch serve`: the screen in a browser."""

from __future__ import annotations

from collections.abc import Sequence

import click

from smwatch.cli.common import fail


@click.command()
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port.")
@click.option("--host", metavar="NAME", default="localhost", show_default=True, help="Address to listen at.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(*, port: int, host: str, arguments: Sequence[str]) -> None:
    """Show the screen in a browser (extra: web).

    Each browser tab runs an smwatch of its own, with the ARGUMENTS after --:

    \b
      smwatch serve -- --wall --profile prod
      smwatch serve -- demo
    """
    try:
        from smwatch.serve.server import GuardedServer, is_loopback
    except ModuleNotFoundError as error:
        if error.name not in ("textual_serve", "aiohttp_jinja2"):
            raise
        fail("the browser front is an extra: pip install 'smwatch[web]'")
    server = GuardedServer(arguments, host=host, port=port)
    if not is_loopback(host):
        click.echo(
            f"smwatch: warning: everybody who can reach {host} port {port} and has the token sees your audit trail, "
            "and the connection is not encrypted: put a TLS proxy in front",
            err=True,
        )
    click.echo(f"smwatch: open {server.address}  (Ctrl-C ends it)", err=True)
    try:
        server.serve()
    except OSError as error:
        fail(f"can't listen at {host} port {port}: {error.strerror or error}")
