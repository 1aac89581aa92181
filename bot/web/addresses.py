"""Client addresses: which are counted together, and which are those of trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence


def counted_as(host: str) -> str:
    """Return what requests from an address are counted under: one person has an IPv4 address, or a /64 of IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))


def trusts(networks: Sequence[str]) -> Callable[[str], bool]:
    """Return whether a peer is one of these addresses or networks. Raises ValueError for an invalid one."""
    parsed = [ipaddress.ip_network(network) for network in networks]

    def is_trusted(host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in parsed)

    return is_trusted
