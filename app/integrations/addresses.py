"""Which addresses lie in the public Internet."""

import ipaddress
from typing import Final

__all__ = ["Address", "Network", "is_public"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What the standard library takes for global in some versions of Python, and nobody's site has.
_NOT_SITES: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # metadata of a cloud, at a public address
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocols; metadata of another cloud
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.IPv6Network("2001::/23"),  # protocols, among them Teredo, which holds an IPv4 address
    ipaddress.IPv6Network("2002::/16"),  # 6to4, which holds an IPv4 address
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Tell whether an address is one that a site of the public Internet may have.

    Loopback, private, shared, link-local, multicast, reserved and documentation addresses are not, nor are
    those at which clouds serve metadata, nor IPv6 addresses that stand for such an IPv4 address.
    """
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.version == 6 and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in one for one in _NOT_SITES)
