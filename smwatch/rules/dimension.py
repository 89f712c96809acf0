"""What rules group by and tell apart: the secret, the principal, the network, or any value of the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from ipaddress import IPv6Address, ip_address
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

    __slots__ = ("get", "name", "plural")

    def __init__(self, name: str, plural: str, get: Get) -> None:
        self.name = name
        self.plural = plural
        self.get = get

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


def _secret(event: Event, _record: Record) -> Secret | None:
    return event.secret


def _secret_name(event: Event, _record: Record) -> str | None:
    secret = event.secret
    return f"{secret.account} {secret.name}" if secret is not None else None


def _session(event: Event, _record: Record) -> str | None:
    return session_of(event) or None


def _identity(event: Event, _record: Record) -> str | None:
    return event.principal.identity or None


def _account(event: Event, _record: Record) -> str | None:
    return event.account or None


def _region(event: Event, _record: Record) -> str | None:
    return event.region or None


def _access_key(event: Event, _record: Record) -> str | None:
    return event.access_key or None


def _network(event: Event, _record: Record) -> str | None:
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

DIMENSIONS = {
    name: Dimension(name, plural, get)
    for name, plural, get in (
        ("secret", "secrets", _secret),
        ("secret_name", "secrets", _secret_name),
        ("session", "sessions", _session),
        ("identity", "principals", _identity),
        ("account", "accounts", _account),
        ("region", "regions", _region),
        ("access_key", "access keys", _access_key),
        ("network", "networks", _network),
        ("key", "keys", _key),
        ("feed", "feeds", _feed),
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
