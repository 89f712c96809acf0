"""The machine's certificates, which aiohttp reads twice when it is imported, and which nobody here uses.

botocore has a bundle of its own, and gives each of its connections a context with that. To read those of the machine
takes 2.7 MiB and 30 ms: serves "tail-…-memory" and "tail-…-cpu".
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

_CONTEXTS: Any = ssl.SSLContext


@contextmanager
def unread() -> Iterator[None]:
    """Contexts that this thread makes in the block trust nobody: one that verifies refuses all connections.

    Other threads' are as always. Not to be entered by two threads at once.
    """
    importing, usual = get_ident(), _CONTEXTS.set_default_verify_paths

    def read(context: ssl.SSLContext) -> None:
        if get_ident() != importing:
            usual(context)

    _CONTEXTS.set_default_verify_paths = read
    try:
        yield
    finally:
        _CONTEXTS.set_default_verify_paths = usual
