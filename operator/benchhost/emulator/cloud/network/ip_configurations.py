"""IP configurations of network interfaces: reading them, and finding each a private address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, properties_of, reference_id
from benchhost.emulator.cloud.identifiers import resource_key
from benchhost.emulator.cloud.network.addresses import IPv4Network, assignable_addresses, is_assignable, position_of
from benchhost.emulator.cloud.network.subnets import Subnet, subnet_prefix

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource

KIND = "Microsoft.Network/networkInterfaces/ipConfigurations"
ADDRESS = "privateIPAddress"
_READ_ONLY = ("provisioningState",)


def parse_configurations(interface_id: ResourceId, given: Body) -> list[Body]:
    """Return the IP configurations of a body with ids and defaults.

    Raises
    ------
    ArmError
        When there is none, or one has no name.
    """
    wanted = given.get("ipConfigurations")
    if not isinstance(wanted, list) or not wanted:
        raise errors.network_error(
            "InvalidRequestFormat", f"Network interface {interface_id} must have one or more IP configurations."
        )
    return [_parse(interface_id, body, is_first=index == 0) for index, body in enumerate(wanted)]


def _parse(interface_id: ResourceId, body: Body, *, is_first: bool) -> Body:
    name = body.get("name")
    if not name:
        raise errors.network_error("InvalidRequestFormat", f"An IP configuration of {interface_id} has no name.")
    properties = {key: value for key, value in properties_of(body).items() if key not in _READ_ONLY}
    if str(properties.get("privateIPAllocationMethod") or "Dynamic") == "Dynamic":
        # A client that PUTs back what it got sends a dynamic address along; Azure does not take it as a wish.
        properties.pop(ADDRESS, None)
    defaults = {
        "privateIPAllocationMethod": "Dynamic",
        "privateIPAddressVersion": "IPv4",
        "primary": is_first,
    }
    return {
        "name": name,
        "id": f"{interface_id}/ipConfigurations/{name}",
        "type": KIND,
        "properties": {**defaults, **properties},
    }


def public_address_id(configuration: Body) -> str | None:
    """Return the id of the public address of an IP configuration."""
    return reference_id(configuration["properties"].get("publicIPAddress"))


def check_address(subnet: Resource, properties: Body, own_id: str) -> None:
    """Refuse an address that a subnet does not have to give.

    Raises
    ------
    ArmError
        ``PrivateIPAddressNotInSubnet``, ``PrivateIPAddressInUse`` or ``SubnetIsFull``.
    """
    prefix = _prefix_of(subnet)
    given = _as_subnet(subnet).addresses
    wanted = properties.get(ADDRESS)
    if wanted is None:
        _require_room(subnet, own_id)
        return
    if not is_assignable(prefix, wanted):
        raise errors.network_error(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {wanted} does not belong to the range of subnet prefix {prefix}.",
        )
    holder = given.get(wanted)
    if holder is not None and resource_key(holder) != resource_key(own_id):
        raise errors.network_error(
            "PrivateIPAddressInUse",
            f"IP configuration {own_id} is using the private IP address {wanted} which is already allocated "
            f"to resource {holder}.",
        )


def assign_address(subnet: Resource, wanted: str | None, own_id: str) -> str:
    """Return the address that an IP configuration has from now on: the wanted one, or the lowest free."""
    address = wanted if wanted is not None else _lowest_free(subnet)
    if address is None:  # pragma: no cover - check_address has found one
        raise LookupError(str(subnet.id))
    _as_subnet(subnet).addresses[address] = own_id
    return address


def give_back(subnet: Resource, configuration: Body) -> None:
    """Make the address of an IP configuration free again."""
    known = _as_subnet(subnet)
    address = configuration["properties"].get(ADDRESS, "")
    if known.addresses.pop(address, None) is not None:
        known.full_below = min(known.full_below, position_of(_prefix_of(known), address))


def addresses_by_configuration(interface: Resource) -> dict[str, tuple[str, str]]:
    """Return which address in which subnet each IP configuration has."""
    return {
        resource_key(configuration["id"]): (
            resource_key(configuration["properties"]["subnet"]["id"]),
            configuration["properties"][ADDRESS],
        )
        for configuration in interface.properties["ipConfigurations"]
    }


def kept_address(former: dict[str, tuple[str, str]], own_id: str, subnet: Resource) -> str | None:
    """Return the address that a rewritten IP configuration keeps: the former one, in the same subnet."""
    subnet_key, address = former.get(resource_key(own_id), ("", ""))
    if subnet_key != subnet.id.key or address in _as_subnet(subnet).addresses:
        return None
    return address


def _as_subnet(resource: Resource) -> Subnet:
    if not isinstance(resource, Subnet):
        raise errors.network_error("InvalidResourceReference", f"Resource {resource.id} is no subnet.")
    return resource


def _prefix_of(subnet: Resource) -> IPv4Network:
    return subnet_prefix(subnet.properties, str(subnet.id))


def _require_room(subnet: Resource, own_id: str) -> None:
    if _lowest_free(subnet) is not None or own_id in _as_subnet(subnet).addresses.values():
        return
    raise errors.network_error(
        "SubnetIsFull",
        f"Subnet {subnet.id.name} with address prefix {_prefix_of(subnet)} "
        "does not have enough capacity for 1 IP addresses.",
    )


def _lowest_free(subnet: Resource) -> str | None:
    known = _as_subnet(subnet)
    for position, address in assignable_addresses(_prefix_of(known), known.full_below):
        if address not in known.addresses:
            known.full_below = position
            return address
    return None
