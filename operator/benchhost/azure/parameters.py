"""What is sent to ARM: request bodies as ARM's REST reference has them, made from the spec alone. Pure.

Called by the steps. Plain dictionaries in wire form: the SDK's TypedDicts call optional fields required.
"""

import base64
from typing import Any, assert_never

from benchhost.api.azure import AzureSpec, Image, PublicAddress
from benchhost.azure.names import SUBNET, HostNames
from benchhost.azure.tags import owner_tags, shared_tags
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import GuestSecrets, HostRequest

Body = dict[str, Any]
"""JSON as ARM reads it."""


def to_body(request: HostRequest, part: Part) -> Body:
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
            return to_machine(request)
        case Part.DISK | Part.DATA_DISK:
            raise ValueError("disks are created by the machine")
    assert_never(part)


def to_tags(request: HostRequest) -> dict[str, str]:
    """The user's tags and the owner's."""
    return {**request.spec.azure.tags, **owner_tags(request.owner)}


def to_virtual_network(request: HostRequest) -> Body:
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


def to_public_address(request: HostRequest) -> Body:
    """A static address; Standard is the only SKU that Azure still offers."""
    return {
        "location": request.spec.azure.location,
        "tags": to_tags(request),
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }


def to_interface(request: HostRequest) -> Body:
    """The host's only interface; its public address goes when it goes."""
    azure, names = request.spec.azure, HostNames.of(request)
    primary: Body = {
        "primary": True,
        "subnet": {"id": names.subnet_id()},
        "privateIPAllocationMethod": "Dynamic",
    }
    if azure.network.public_address is PublicAddress.STATIC:
        primary["publicIPAddress"] = {"id": names.id_of(Part.ADDRESS), "properties": {"deleteOption": "Delete"}}
    properties: Body = {"ipConfigurations": [{"name": "primary", "properties": primary}]}
    if azure.network.security_group_id is not None:
        properties["networkSecurityGroup"] = {"id": azure.network.security_group_id}
    return {"location": azure.location, "tags": to_tags(request), "properties": properties}


def to_machine(request: HostRequest) -> Body:
    """The machine; its disk and its interface go when it goes."""
    azure, names = request.spec.azure, HostNames.of(request)
    return {
        "location": azure.location,
        "tags": to_tags(request),
        "properties": {
            "hardwareProfile": {"vmSize": request.size},
            "storageProfile": {"imageReference": _image(azure.image), "osDisk": _os_disk(azure, names)},
            "osProfile": _os_profile(azure, names, request.secrets or GuestSecrets()),
            "networkProfile": {
                "networkInterfaces": [
                    {
                        "id": names.id_of(Part.INTERFACE),
                        "properties": {"primary": True, "deleteOption": "Delete"},
                    }
                ]
            },
            # Without a storage account's URI the log goes to storage that Azure manages.
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        },
    }


def to_resize(request: HostRequest) -> Body:
    """The PATCH that changes nothing but the size."""
    return {"properties": {"hardwareProfile": {"vmSize": request.size}}}


def _image(image: Image) -> Body:
    if image.id is not None:
        return {"id": image.id}
    return {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version,
    }


def _os_disk(azure: AzureSpec, names: HostNames) -> Body:
    disk: Body = {
        "name": names.get(Part.DISK),
        "createOption": "FromImage",
        "deleteOption": "Delete",
        "caching": "ReadWrite",
        "managedDisk": {"storageAccountType": azure.os_disk.storage_account_type},
    }
    if azure.os_disk.size_gib is not None:
        disk["diskSizeGB"] = azure.os_disk.size_gib
    return disk


def _os_profile(azure: AzureSpec, names: HostNames, secrets: GuestSecrets) -> Body:
    user = azure.admin.username
    keys: list[Body] = [
        {"path": f"/home/{user}/.ssh/authorized_keys", "keyData": key}
        for key in secrets.ssh_public_keys or azure.admin.ssh_public_keys
    ]
    profile: Body = {
        "computerName": names.machine,
        "adminUsername": user,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": keys}},
    }
    if secrets.custom_data is not None:
        profile["customData"] = base64.b64encode(secrets.custom_data).decode("ascii")
    return profile
