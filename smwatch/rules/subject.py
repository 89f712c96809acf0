"""An event as rules see it: with its record, and with what they tell events apart by worked out once."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.recent import Recent
from smwatch.record import Record

SECOND_BITS = ID_BITS + ACCOUNT_BITS
"""How far Event.key is shifted by the second of the event."""


class Subject:
    """One event that is being judged; "" and None say that it lacks something."""

    __slots__ = (
        "access_key",
        "account",
        "event",
        "identity",
        "key",
        "network",
        "raw",
        "record",
        "region",
        "second",
        "secret",
        "session",
    )

    def __init__(self, event: Event, record: Record, raw: str) -> None:
        by = event.principal
        self.event = event
        self.record = record
        self.raw = raw
        self.key = key = event.key
        self.second = key >> SECOND_BITS
        self.secret = event.secret
        self.identity = by.identity
        self.session = by.arn or (f"{by.identity}:{by.session}" if by.session else by.identity)
        """All calls of one session, and nobody else's, share this text."""
        self.access_key = event.access_key
        self.account = event.account
        self.region = event.region
        self.network = _networks[event.source_ip]
        """The public network the call came from, with its length."""


def _network(address: str) -> str:
    """The public /24 (IPv4) or /48 (IPv6) of an address; "" for private ones, AWS services and what is no address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    if not ip.is_global:
        return ""
    if isinstance(ip, IPv6Address):
        return f"{IPv6Address(int(ip) >> 80 << 80)}/48"
    return address.rpartition(".")[0] + ".0/24"


_networks: Recent[str, str] = Recent(_network, 8192)
