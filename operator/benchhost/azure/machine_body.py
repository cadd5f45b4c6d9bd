"""The machine as ARM's REST reference has it: the body of the PUT that creates it, and of the PATCH that resizes it.

Pure; called by ``parameters`` and the steps. It names what the host is, and never what it was.
"""

import base64
from typing import Any, Final

from benchhost.api.azure import AzureSpec, DataDisk, HostPlacement, Image, OsDisk, Spot
from benchhost.azure.names import HostNames
from benchhost.azure.tags import to_tags
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import GuestSecrets, HostRequest

Payload = dict[str, Any]
"""JSON as ARM reads it."""

_ULTRA_DISK: Final = "ultrassd_lrs"


def to_machine(request: HostRequest, network_profile: Payload) -> Payload:
    """The machine; its disks and its interface go when it goes."""
    azure, names = request.spec.azure, HostNames.of(request)
    properties: Payload = {
        "hardwareProfile": {"vmSize": request.size},
        "storageProfile": {
            "imageReference": _image(azure.image),
            "osDisk": _os_disk(azure.os_disk, names),
            "dataDisks": [to_data_disk(disk, names) for disk in azure.data_disks],
        },
        "osProfile": _os_profile(azure, names, request.secrets or GuestSecrets()),
        "networkProfile": network_profile,
        "diagnosticsProfile": to_diagnostics(azure),
        **_spot(azure.spot),
        **_placement(azure.placement),
        **_capabilities(azure),
    }
    body: Payload = {"location": azure.location, "tags": to_tags(request), "properties": properties}
    if request.zone is not None:
        body["zones"] = [request.zone]
    if azure.identity_ids:
        body["identity"] = {
            "type": "UserAssigned",
            "userAssignedIdentities": {identity_id: {} for identity_id in azure.identity_ids},
        }
    return body


def to_resize(request: HostRequest) -> Payload:
    """The PATCH that changes nothing but the size."""
    return {"properties": {"hardwareProfile": {"vmSize": request.size}}}


def to_data_disk(disk: DataDisk, names: HostNames) -> Payload:
    """A new, empty disk."""
    return {
        "lun": disk.lun,
        "name": names.get(Part.DATA_DISK, disk.lun),
        "createOption": "Empty",
        "deleteOption": "Delete",
        "caching": disk.caching.value,
        "diskSizeGB": disk.size_gib,
        "managedDisk": {"storageAccountType": disk.storage_account_type},
    }


def to_diagnostics(azure: AzureSpec) -> Payload:
    """Whether the console is recorded. Without a storage account's URI it goes to storage that Azure manages."""
    return {"bootDiagnostics": {"enabled": azure.boot_diagnostics}}


def _image(image: Image) -> Payload:
    if image.id is not None:
        return {"id": image.id}
    return {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version,
    }


def _os_disk(disk: OsDisk, names: HostNames) -> Payload:
    body: Payload = {"name": names.get(Part.DISK), "createOption": "FromImage", "deleteOption": "Delete"}
    if disk.ephemeral:
        # On the machine's own hardware: no storage account type, and read-only caching is what Azure asks for
        # (ephemeral-os-disks-deploy.md).
        body |= {"caching": "ReadOnly", "diffDiskSettings": {"option": "Local"}}
    else:
        body |= {"caching": "ReadWrite", "managedDisk": {"storageAccountType": disk.storage_account_type}}
    if disk.size_gib is not None:
        body["diskSizeGB"] = disk.size_gib
    return body


def _os_profile(azure: AzureSpec, names: HostNames, secrets: GuestSecrets) -> Payload:
    user = azure.admin.username
    keys: list[Payload] = [
        {"path": f"/home/{user}/.ssh/authorized_keys", "keyData": key}
        for key in secrets.ssh_public_keys or azure.admin.ssh_public_keys
    ]
    profile: Payload = {
        "computerName": names.machine,
        "adminUsername": user,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": keys}},
    }
    if secrets.custom_data is not None:
        profile["customData"] = base64.b64encode(secrets.custom_data).decode("ascii")
    return profile


def _spot(spot: Spot | None) -> Payload:
    if spot is None:
        return {}
    return {
        "priority": "Spot",
        "evictionPolicy": spot.eviction_policy.value,
        "billingProfile": {"maxPrice": float(spot.max_price)},
    }


def _placement(placement: HostPlacement | None) -> Payload:
    if placement is None:
        return {}
    given = {
        "proximityPlacementGroup": _reference(placement.proximity_placement_group_id),
        "host": _reference(placement.dedicated_host_id),
        "capacityReservation": _reservation(placement.capacity_reservation_group_id),
    }
    return {name: value for name, value in given.items() if value is not None}


def _reservation(group_id: str | None) -> Payload | None:
    group = _reference(group_id)
    return {"capacityReservationGroup": group} if group is not None else None


def _reference(arm_id: str | None) -> Payload | None:
    return {"id": arm_id} if arm_id is not None else None


def _capabilities(azure: AzureSpec) -> Payload:
    """What the machine must be able to do from the start: it can only be switched on while deallocated."""
    uses_ultra_disks = any(disk.storage_account_type.lower() == _ULTRA_DISK for disk in azure.data_disks)
    wanted = {"hibernationEnabled": azure.hibernation, "ultraSSDEnabled": uses_ultra_disks}
    chosen = {name: True for name, needed in wanted.items() if needed}
    return {"additionalCapabilities": chosen} if chosen else {}
