"""What looked like two secrets is one: setting right what has been read already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from smwatch.events.event import Event
from smwatch.events.secret import Secret

Rename = tuple[Secret, Secret]
"""The wrong identity and the right one."""


def composed(renames: Iterable[Rename]) -> dict[Secret, Secret]:
    """Renames that follow one another, as one step."""
    right: dict[Secret, Secret] = {}
    for old, new in renames:
        right |= {first: new for first, last in right.items() if last == old}
        right.setdefault(old, new)
    return {old: new for old, new in right.items() if old != new}


def names_any(event: Event, right: Mapping[Secret, Secret]) -> bool:
    """Whether an event is about a secret that is known under another identity now."""
    return event.secret in right or not right.keys().isdisjoint(event.others)


def renamed_event(event: Event, right: Mapping[Secret, Secret]) -> Event:
    """The event with its secrets under their right identities, and found by their right names."""
    if event.secret is None:
        return event
    first, *others = dict.fromkeys(right.get(secret, secret) for secret in (event.secret, *event.others))
    names = [secret.name.lower() for secret in (first, *others)]
    said = event.call.text
    text = "\n".join([said, *(name for name in names if name not in said)])
    return event.about(first, tuple(others), event.secret_arn, text)
