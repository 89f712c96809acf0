"""What rules group by and tell apart: the secret, the principal, the network, or any value of the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from ipaddress import IPv6Address, ip_address
from operator import attrgetter
from typing import Any, TypeAlias

from smwatch.events.event import Event
from smwatch.events.naming import part
from smwatch.events.recent import Recent
from smwatch.events.secret import Secret
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import Each, Index, Key, Selector
from smwatch.record import Record

Value: TypeAlias = str | Secret
Get: TypeAlias = Callable[[Event, Record], Value | None]


class Dimension:
    """One way of telling events apart: its name in a rule, and how to get the value of an event; None for none.

    There is one object for each name, so that they compare as fast as can be.
    """

    __slots__ = ("get", "name", "plural", "quick")

    def __init__(self, name: str, plural: str, get: Get, quick: Callable[[Event], Value | None] | None = None) -> None:
        self.name = name
        self.plural = plural
        self.get = get
        self.quick = quick
        """The same for an event without its record, "" or None for none, where that will do."""

    def __repr__(self) -> str:
        return f"Dimension({self.name!r})"


def dimension(name: str) -> Dimension:
    """The dimension that a rule names; a ValueError lists them all where there is none of that name."""
    if name.startswith("$"):
        return _of_selector(name)
    found = DIMENSIONS.get(name)
    if found is None:
        raise ValueError(f"there is no dimension {name!r}: use one of {', '.join(DIMENSIONS)} or a selector ($.…)")
    return found


@cache
def _of_selector(selector: str) -> Dimension:
    return Dimension(selector, "values", _getter(parse_selector(selector)))


def session_of(event: Event) -> str:
    """The session behind a call: all its calls, and nobody else's, share this text."""
    by = event.principal
    return by.arn or (f"{by.identity}:{by.session}" if by.session else by.identity)


def key_id(key: object) -> str:
    """The id of a KMS key named by id or ARN; an alias as it is, for what it stands for is not in the record."""
    if not isinstance(key, str):
        return ""
    _, found, after = key.rpartition(":key/")
    return after if found else key


def _secret_name(event: Event) -> str:
    secret = event.secret
    return f"{secret.account} {secret.name}" if secret is not None else ""


def _network(event: Event) -> str | None:
    return _networks[event.source_ip]


def _key(_event: Event, record: Record) -> str | None:
    parameters = part(record, "requestParameters")
    named = key_id(parameters.get("keyId") or parameters.get("kmsKeyId"))
    resources = record.get("resources")
    if not named and isinstance(resources, list):
        for resource in resources:
            arn = resource.get("ARN") if isinstance(resource, dict) else None
            if isinstance(arn, str) and ":key/" in arn:
                return key_id(arn)
    return named or None


def _feed(_event: Event, _record: Record) -> None:
    """No event has it: it is about the source itself."""


def _network_of(address: str) -> str | None:
    """The public /24 (IPv4) or /48 (IPv6) of an address; None for private ones, AWS services and what is no address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    if not ip.is_global:
        return None
    if isinstance(ip, IPv6Address):
        return f"{IPv6Address(int(ip) >> 80 << 80)}/48"
    return address.rpartition(".")[0] + ".0/24"


_networks: Recent[str, str | None] = Recent(_network_of, 8192)


def _of_event(name: str, plural: str, quick: Callable[[Event], Value | None]) -> Dimension:
    return Dimension(name, plural, lambda event, _record: quick(event) or None, quick)


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        _of_event("secret", "secrets", attrgetter("secret")),
        _of_event("secret_name", "secrets", _secret_name),
        _of_event("session", "sessions", session_of),
        _of_event("identity", "principals", attrgetter("principal.identity")),
        _of_event("account", "accounts", attrgetter("account")),
        _of_event("region", "regions", attrgetter("region")),
        _of_event("access_key", "access keys", attrgetter("access_key")),
        _of_event("network", "networks", _network),
        Dimension("key", "keys", _key),
        Dimension("feed", "feeds", _feed),
    )
}


def _getter(selector: Selector) -> Get:
    steps = selector.steps
    if any(isinstance(step, Each) for step in steps):
        raise ValueError("a dimension is one value: leave the wildcard out of its selector")

    def get(_event: Event, record: Record) -> Value | None:
        value: Any = record
        for step in steps:
            match step:
                case Key(name) if isinstance(value, dict):
                    value = value.get(name)
                case Index(number) if isinstance(value, list) and number < len(value):
                    value = value[number]
                case _:
                    return None
        return value if isinstance(value, str) else None

    return get
