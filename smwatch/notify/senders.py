"""Ways to send a message to where people are: through apprise (extra `notify`), in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from smwatch.leaving import end_by_force

MESSENGER = str(Path(__file__).with_name("messenger.py"))

Send = Callable[[str, str], Coroutine[Any, Any, bool]]
"""(title, body) → whether the service took it."""


class NotifyError(Exception):
    """Notifications can't work as configured; one sentence with the next step."""


async def apprise_senders(urls: Sequence[str]) -> list[Send]:
    """Ways to send, one for each of these apprise URLs, so that one that fails makes none of the others repeat itself.

    NotifyError if apprise is not installed or does not know a URL, which is never repeated: it holds credentials.
    """
    found = await _answered({"urls": urls})
    if found.get("missing"):
        raise NotifyError("needs the extra: pip install 'smwatch[notify]'")
    if number := found.get("unknown", 0):
        raise NotifyError(f"apprise does not understand URL number {number}")
    return [_sender(url) for url in urls]


def _sender(url: str) -> Send:
    async def send(title: str, body: str) -> bool:
        return bool((await _answered({"urls": [url], "title": title, "body": body})).get("sent"))

    return send


async def _answered(asked: Mapping[str, object]) -> dict[str, Any]:
    """What the messenger says; nothing if it breaks, which is a fault in one of apprise's hundred services."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", MESSENGER),  # by its path: the modules beside it are nobody's top level
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await process.communicate(json.dumps(asked).encode())
        return dict(json.loads(out)) if process.returncode == 0 else {}
    finally:
        end_by_force(process)
        await process.wait()
