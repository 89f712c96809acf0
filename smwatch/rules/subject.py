"""An event as rules see it: with its record, and with what they tell events apart by worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from msgspec.structs import replace

from smwatch.events.call import Call
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, Event, Likeness
from smwatch.events.header import Header
from smwatch.events.recent import Recent
from smwatch.record import Record

SECOND_BITS = ID_BITS + ACCOUNT_BITS
"""How far Event.key is shifted by the second of the event."""


class Subject:
    """One event that is being judged; "" and None say that it lacks something."""

    __slots__ = (
        "_arrival",
        "_each",
        "access_key",
        "account",
        "event",
        "identity",
        "key",
        "network",
        "region",
        "second",
        "secret",
        "session",
    )

    def __init__(self, arrival: Arrival, about: Event | None = None) -> None:
        """`about`: the event as it is to be seen, if not as it arrived."""
        event = about or arrival.event
        caller = event.caller
        by = caller.principal
        self._arrival = arrival
        self._each: list[Subject] | None = None
        self.event = event
        self.key = key = event.key
        self.second = key >> SECOND_BITS
        self.secret = event.call.secret
        self.identity = by.identity
        self.session = by.arn or (f"{by.identity}:{by.session}" if by.session else by.identity)
        """All calls of one session, and nobody else's, share this text."""
        self.access_key = caller.came.access_key
        self.account = caller.account
        self.region = caller.region
        self.network = network_of[caller.came.source_ip]
        """The public network the call came from, with its length."""

    @property
    def each(self) -> Sequence[Subject]:
        """The event once for each secret that it names, as if it named no other."""
        if self._each is None:  # several rules ask
            arrival, event = self._arrival, self.event
            self._each = [Subject(arrival, replace(event, call=call)) for call in _apart(event.call)]
        return self._each

    @property
    def record(self) -> Record:
        """The decoded record."""
        return self._arrival.record

    @property
    def header(self) -> Header | None:
        """What was read of the record without decoding it; None where it had to be."""
        return self._arrival.header

    @property
    def likeness(self) -> Likeness | None:
        """What it shares with events that are one more of the same."""
        return self._arrival.likeness

    @property
    def raw(self) -> str:
        """Its untouched JSON text."""
        return self._arrival.raw


@lru_cache(1024)
def _apart(call: Call) -> Sequence[Call]:
    """A call once for each secret that it names: one object for all events that share it, of which many may wait."""
    arns = call.secret_arn, *[""] * len(call.others)
    each = zip((call.secret, *call.others), arns, strict=True)
    return tuple([call.about(secret, (), arn, call.text) for secret, arn in each])


def _network(address: str) -> str:
    """The public /24 (IPv4) or /48 (IPv6) of an address; "" for private ones, AWS services and what is no address."""
    first, _, last = address.rpartition(".")
    if last in _OCTETS and first != _MIXED:
        return _networks[first]
    return _network_of(address)


def _network_at(first: str) -> str:
    """The same for the addresses that begin with these three octets."""
    octets = first.split(".")
    if len(octets) == 3 and octets[0] in _PUBLIC and octets[1] in _OCTETS and octets[2] in _OCTETS:
        return f"{first}.0/24"
    return _network_of(f"{first}.0")


def _network_of(address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    if not ip.is_global:
        return ""
    if isinstance(ip, IPv6Address):
        return f"{IPv6Address(int(ip) >> 80 << 80)}/48"
    return address.rpartition(".")[0] + ".0/24"


_OCTETS = frozenset(map(str, range(256)))
_MIXED = "192.0.0"
"""Some addresses of this network are public; of every other /24, all are or none."""
_PUBLIC = _OCTETS - set(map(str, (0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256))))
"""First octets of which all addresses are public: of most that are new nothing has to be looked up, which takes as long
as a tenth of all that is done with an event from a new one."""
_networks: Recent[str, str] = Recent(_network_at, 8192)
network_of: Recent[str, str] = Recent(_network, 8192)
