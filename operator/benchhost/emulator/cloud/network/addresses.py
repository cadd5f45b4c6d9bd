"""Which IP addresses there are to give: private ones in a subnet, public ones of the emulated regions."""

from __future__ import annotations

import heapq
import ipaddress
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

IPv4Network = ipaddress.IPv4Network

RESERVED_AT_START = 4
"""Azure keeps the first four addresses of a subnet and the last one (doc: virtual networks FAQ)."""

PUBLIC_RANGES = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "198.18.0.0/15")
"""Ranges that nobody routes: documentation (RFC 5737), then benchmarking (RFC 2544)."""

LOOPBACK_PREFIX = 21
"""Size of the range of loopback addresses that public addresses are given from where machines have guests."""

NOT_ASSIGNABLE = 2
"""Of each of them: the address of the network and that of broadcasts."""

_PUBLIC_NETWORKS = tuple(ipaddress.IPv4Network(text) for text in PUBLIC_RANGES)


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
    """Public addresses, lowest free one first.

    What is saved is the place of each address among all, so that another range can take the place of an old one.
    """

    unsaved = ("_networks",)
    """Each run's own (state.cells)."""

    def __init__(self) -> None:
        self._given = 0
        self._returned: list[int] = []
        self._networks: tuple[IPv4Network, ...] = _PUBLIC_NETWORKS

    def give_from(self, network: IPv4Network) -> None:
        """Give loopback addresses of one range from now on; it has a prefix of `LOOPBACK_PREFIX` bits."""
        self._networks = (network,)

    def renumbered(self, text: str) -> str:
        """Return the address that has the place now that another, of an earlier run, had then."""
        address = ipaddress.IPv4Address(text)
        if any(address in network for network in self._networks):
            return text
        if address.is_loopback:
            network = IPv4Network((address, LOOPBACK_PREFIX), strict=False)
            return self._address(int(address) - int(network.network_address) - 1)
        return self._address(_rank(_PUBLIC_NETWORKS, address))

    def allocate(self) -> str:
        """Return an address that nobody has.

        Raises
        ------
        ArmError
            ``PublicIPCountLimitReached`` when all are given out.
        """
        if self._returned:
            return self._address(heapq.heappop(self._returned))
        if self._given == sum(network.num_addresses - NOT_ASSIGNABLE for network in self._networks):
            raise errors.network_error(
                "PublicIPCountLimitReached",
                f"Cannot create more than {self._given} public IP addresses for this subscription in this region.",
            )
        self._given += 1
        return self._address(self._given - 1)

    def free(self, text: str) -> None:
        """Take an address back."""
        heapq.heappush(self._returned, _rank(self._networks, ipaddress.IPv4Address(text)))

    def _address(self, rank: int) -> str:
        """Return the address of that position among all."""
        for network in self._networks:
            size = network.num_addresses - NOT_ASSIGNABLE
            if rank < size:
                return str(network.network_address + 1 + rank)
            rank -= size
        raise IndexError(rank)


def _rank(networks: tuple[IPv4Network, ...], address: ipaddress.IPv4Address) -> int:
    before = 0
    for network in networks:
        if address in network:
            return before + int(address) - int(network.network_address) - 1
        before += network.num_addresses - NOT_ASSIGNABLE
    raise ValueError(f"{address} is no public address of the emulator")
