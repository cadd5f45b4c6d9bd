"""Disks, and machines that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud


def make_disk(cloud: Cloud, name: str = "data", *, sku: str = "Premium_LRS", size: int = 64) -> Resource:
    body = {
        "location": "eastus",
        "sku": {"name": sku},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": size},
    }
    disk, _, _ = cloud.subscription.disks.put(cloud.machine_id().sibling("disks", name), body, now=cloud.now)
    cloud.pass_time()
    return disk


def existing(disk: Resource, lun: int = 0, **more: Any) -> dict[str, Any]:
    return {"lun": lun, "createOption": "Attach", "managedDisk": {"id": str(disk.id)}, **more}


def with_disks(cloud: Cloud, *disks: dict[str, Any], size: str = "Standard_D2s_v5", nic: str = "nic") -> dict[str, Any]:
    body = cloud.machine_body(nic)
    body["properties"]["hardwareProfile"]["vmSize"] = size
    body["properties"]["storageProfile"]["dataDisks"] = list(disks)
    return body
