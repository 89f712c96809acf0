from ipaddress import ip_address
from random import Random

import pytest

from smwatch.rules.subject import network_of

SOME = [
    "8.8.8.8", "10.1.2.3", "100.63.0.1", "100.64.0.1", "127.0.0.1", "169.253.1.1", "169.254.1.1", "172.15.0.1",
    "172.16.0.1", "192.0.0.9", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "203.0.112.1", "223.255.255.255", "224.0.0.1", "240.0.0.1", "0.1.2.3",
]  # fmt: skip


def public_network(address: str) -> str:
    return address.rpartition(".")[0] + ".0/24" if ip_address(address).is_global else ""


def test_the_network_of_an_address_is_told_where_it_is_public() -> None:
    random = Random(1)
    some = [".".join(str(random.randrange(256)) for _ in range(4)) for _ in range(5_000)]
    assert {address: network_of[address] for address in SOME + some} == {
        address: public_network(address) for address in SOME + some
    }


@pytest.mark.parametrize(
    "text",
    ["", "secretsmanager.amazonaws.com", "AWS Internal", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1..3.4", "256.1.1.1"],
)
def test_what_is_no_address_has_no_network(text: str) -> None:
    assert network_of[text] == ""
