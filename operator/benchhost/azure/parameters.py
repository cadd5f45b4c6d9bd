"""What is sent to ARM: request bodies as ARM's REST reference has them, made from the spec alone. Pure.

Called by the steps. Plain dictionaries in wire form: the SDK's TypedDicts call optional fields required.
"""

from typing import Final, assert_never

from benchhost.api.azure import DataDisk, PublicAddress
from benchhost.azure.machine_body import Payload, to_machine
from benchhost.azure.names import SUBNET, HostNames
from benchhost.azure.tags import shared_tags, to_tags
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import HostRequest, makes_interface_with_machine

_NETWORK_API_VERSION: Final = "2022-11-01"
"""By which Microsoft.Compute asks Microsoft.Network: the newest that the SDK's models know (compute 39)."""


def to_body(request: HostRequest, part: Part) -> Payload:
    """The body of the PUT that creates a part.

    Raises
    ------
    ValueError
        For disks, which the machine brings along, and for a network that the spec does not describe.
    """
    match part:
        case Part.NETWORK:
            return to_virtual_network(request)
        case Part.ADDRESS:
            return to_public_address(request)
        case Part.INTERFACE:
            return to_interface(request)
        case Part.MACHINE:
            return to_machine(request, to_network_profile(request))
        case Part.DISK | Part.DATA_DISK:
            raise ValueError("disks are created by the machine")
    assert_never(part)


def to_virtual_network(request: HostRequest) -> Payload:
    """A network with one subnet over its whole range. It is shared, so no host's own tags are on it."""
    azure = request.spec.azure
    given = azure.network.virtual_network
    if given is None:
        raise ValueError("the spec describes no virtual network")
    return {
        "location": azure.location,
        "tags": shared_tags(request.owner),
        "properties": {
            "addressSpace": {"addressPrefixes": [given.address_prefix]},
            "subnets": [{"name": SUBNET, "properties": {"addressPrefix": given.address_prefix}}],
        },
    }


def to_public_address(request: HostRequest) -> Payload:
    """A static address; Standard is the only SKU that Azure still offers.

    It names no zone: the address is made before the machine has one, and keeps through another attempt elsewhere.
    """
    return {
        "location": request.spec.azure.location,
        "tags": to_tags(request),
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }


def to_interface(request: HostRequest) -> Payload:
    """The host's only interface; its public address goes when it goes."""
    azure, names = request.spec.azure, HostNames.of(request)
    primary: Payload = {"privateIPAllocationMethod": "Dynamic"}
    if azure.network.public_address is PublicAddress.STATIC:
        primary["publicIPAddress"] = {"id": names.id_of(Part.ADDRESS), "properties": {"deleteOption": "Delete"}}
    return {"location": azure.location, "tags": to_tags(request), "properties": _interface(request, primary)}


def to_network_profile(request: HostRequest) -> Payload:
    """What a new machine is attached to: the interface that was made for it, or one that comes with it.

    The second is refused for a machine that exists, so it is never sent without ``If-None-Match``.
    """
    names = HostNames.of(request)
    if not makes_interface_with_machine(request.spec.azure):
        properties = {"primary": True, "deleteOption": "Delete"}
        return {"networkInterfaces": [{"id": names.id_of(Part.INTERFACE), "properties": properties}]}
    configuration: Payload = {
        "name": names.get(Part.INTERFACE),
        "tags": to_tags(request),
        "properties": {
            "primary": True,
            "deleteOption": "Delete",
            **_interface(request, _address_configuration(request)),
        },
    }
    return {"networkApiVersion": _NETWORK_API_VERSION, "networkInterfaceConfigurations": [configuration]}


def _address_configuration(request: HostRequest) -> Payload:
    if request.spec.azure.network.public_address is not PublicAddress.STATIC:
        return {}
    configuration: Payload = {
        "name": HostNames.of(request).get(Part.ADDRESS),
        "tags": to_tags(request),
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "deleteOption": "Delete",
            "publicIPAllocationMethod": "Static",
            "publicIPAddressVersion": "IPv4",
        },
    }
    return {"publicIPAddressConfiguration": configuration}


def _interface(request: HostRequest, address: Payload) -> Payload:
    """What an interface is, however it is made."""
    network = request.spec.azure.network
    primary: Payload = {"primary": True, "subnet": {"id": HostNames.of(request).subnet_id()}, **address}
    properties: Payload = {
        "ipConfigurations": [{"name": "primary", "properties": primary}],
        "enableAcceleratedNetworking": network.accelerated_networking,
    }
    if network.security_group_id is not None:
        properties["networkSecurityGroup"] = {"id": network.security_group_id}
    return properties


def to_growth(disk: DataDisk) -> Payload:
    """The PATCH of a disk that changes nothing but its size."""
    return {"properties": {"diskSizeGB": disk.size_gib}}
