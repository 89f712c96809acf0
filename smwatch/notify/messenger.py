"""A process of its own that hands a message to apprise, or sees whether apprise knows the URLs.

`senders` runs it, because apprise sends from threads that a process waits for at its end, however long a service
takes, and this one can be ended. It reads one JSON object and writes one; URLs, which hold credentials, are on no
command line.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """`{"urls", "title", "body"}` → `{"sent"}`; `{"urls"}` → `{"unknown"}`, the number of the first that is none."""
    try:
        import apprise
    except ModuleNotFoundError:
        return {"missing": True}
    services = apprise.Apprise()
    for number, url in enumerate(asked["urls"], 1):
        if not services.add(url):
            return {"unknown": number}
    if "body" not in asked:
        return {"unknown": 0}
    # plain text: what stands in a name is markup for none of the services
    sent = services.notify(body=asked["body"], title=asked["title"], body_format=apprise.NotifyFormat.TEXT)
    return {"sent": bool(sent)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
