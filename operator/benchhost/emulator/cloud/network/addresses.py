"""Which IP addresses there are to give: private ones in a subnet, public ones of the emulated regions."""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

IPv4Network = ipaddress.IPv4Network

RESERVED_AT_START = 4
"""Azure keeps the first four addresses of a subnet and the last one (doc: virtual networks FAQ)."""

PUBLIC_RANGES = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "198.18.0.0/15")
"""Ranges that nobody routes: documentation (RFC 5737), then benchmarking (RFC 2544)."""


def parse_prefix(text: object, resource: str) -> IPv4Network:
    """Return an IPv4 prefix.

    Raises
    ------
    ArmError
        ``InvalidCIDRNotation``.
    """
    try:
        return ipaddress.IPv4Network(str(text))
    except ValueError as error:
        raise errors.network_error(
            "InvalidCIDRNotation",
            f"The address prefix {text} in resource {resource} has an invalid CIDR notation. "
            "For more information on CIDR notation, please refer to https://aka.ms/CIDRNotation.",
        ) from error


def assignable_addresses(prefix: IPv4Network, start: int = 0) -> Iterator[tuple[int, str]]:
    """Iterate over the addresses of a subnet that machines can have, lowest first.

    Each comes with its position among them; ``start`` is the first position that is wanted.
    """
    first = int(prefix.network_address) + RESERVED_AT_START
    last = int(prefix.broadcast_address) - 1
    numbers = range(first + start, last + 1)
    return ((number - first, str(ipaddress.IPv4Address(number))) for number in numbers)


def position_of(prefix: IPv4Network, text: str) -> int:
    """Return the position of an address among those of its subnet."""
    return int(ipaddress.IPv4Address(text)) - int(prefix.network_address) - RESERVED_AT_START


def is_assignable(prefix: IPv4Network, text: str) -> bool:
    """Tell whether a machine may have that address in a subnet."""
    try:
        number = int(ipaddress.IPv4Address(text))
    except ValueError:
        return False
    first = int(prefix.network_address) + RESERVED_AT_START
    return first <= number < int(prefix.broadcast_address)


class PublicAddressPool:
    """Public addresses, lowest free one first."""

    def __init__(self) -> None:
        networks = [ipaddress.IPv4Network(text) for text in PUBLIC_RANGES]
        self._fresh = itertools.chain.from_iterable(network.hosts() for network in networks)
        self._returned: list[tuple[int, ipaddress.IPv4Address]] = []
        self._rank: dict[ipaddress.IPv4Address, int] = {}

    def allocate(self) -> str:
        """Return an address that nobody has.

        Raises
        ------
        ArmError
            ``PublicIPCountLimitReached`` when all are given out.
        """
        if self._returned:
            return str(heapq.heappop(self._returned)[1])
        address = next(self._fresh, None)
        if address is None:
            raise errors.network_error(
                "PublicIPCountLimitReached",
                f"Cannot create more than {len(self._rank)} public IP addresses for this subscription in this region.",
            )
        self._rank[address] = len(self._rank)
        return str(address)

    def free(self, text: str) -> None:
        """Take an address back."""
        address = ipaddress.IPv4Address(text)
        heapq.heappush(self._returned, (self._rank[address], address))
