"""One secret under all its names."""

from __future__ import annotations

import msgspec


class Secret(msgspec.Struct, frozen=True, gc=False, order=True):
    """The identity of a secret, whatever a record calls it; interned, so equal ones are one object."""

    account: str
    region: str
    name: str
