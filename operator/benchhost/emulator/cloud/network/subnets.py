"""A subnet: its addresses, and what must not be done to it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.network.addresses import IPv4Network, parse_prefix
from benchhost.emulator.cloud.resources import Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId


@dataclass(slots=True, kw_only=True)
class Subnet(Resource):
    """A subnet, and who has which of its addresses.

    Parameters
    ----------
    addresses
        IP configuration ids by private address.
    full_below
        Every position below this one is taken, so that a search need not begin at the start.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    full_below: int = 0


def subnet_prefix(properties: Body, resource: str) -> IPv4Network:
    """Return the address prefix of a subnet.

    Raises
    ------
    ArmError
        When there is none, or it is no prefix.
    """
    prefixes = properties.get("addressPrefixes") or []
    text = properties.get("addressPrefix") or (prefixes[0] if prefixes else None)
    if text is None:
        raise errors.network_error("InvalidRequestFormat", f"Required property addressPrefix of {resource} is missing.")
    return parse_prefix(text, resource)


def require_no_overlap(network_id: ResourceId, subnets: dict[str, Body]) -> None:
    """Refuse two subnets of one network that share addresses.

    Raises
    ------
    ArmError
        ``NetcfgSubnetRangesOverlap``.
    """
    prefixes = {name: subnet_prefix(body, f"{network_id}/subnets/{name}") for name, body in subnets.items()}
    for (one, prefix), (other, other_prefix) in itertools.combinations(prefixes.items(), 2):
        if prefix.overlaps(other_prefix):
            raise errors.network_error(
                "NetcfgSubnetRangesOverlap",
                f"Subnet '{other}' is not valid because its IP address range overlaps with that of an "
                f"existing subnet in virtual network '{network_id.name}': '{one}'.",
            )


def require_unused(subnet: Resource) -> None:
    """Refuse to delete a subnet that somebody is in.

    Raises
    ------
    ArmError
        ``InUseSubnetCannotBeDeleted``.
    """
    if subnet.used_by:
        raise errors.network_error(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.id.name} is in use by {subnet.first_user} and cannot be deleted. In order to "
            "delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def require_prefix_kept(subnet: Resource, wanted: Body) -> None:
    """Refuse another prefix for a subnet that somebody is in.

    Raises
    ------
    ArmError
        ``InUsePrefixCannotBeDeleted``.
    """
    present = subnet_prefix(subnet.properties, str(subnet.id))
    if subnet_prefix(wanted, str(subnet.id)) == present:
        return
    if subnet.used_by:
        raise errors.network_error(
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {present} on Subnet {subnet.id.name} has active allocations and cannot be deleted.",
        )
    if isinstance(subnet, Subnet):
        subnet.full_below = 0
