"""What is offered and how much of it is used: SKUs, sizes and usages as Azure lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.capacity import CapacityFailure
from benchhost.emulator.cloud.compute.hardware import hardware_of
from benchhost.emulator.cloud.compute.machine import Priority
from benchhost.emulator.cloud.compute.size_features import features_of
from benchhost.emulator.cloud.compute.spot import is_spot_size
from benchhost.emulator.cloud.quotas import MACHINES, REGIONAL_CORES, SPOT_CORES
from benchhost.emulator.cloud.zones import zones_of_size

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize
    from benchhost.emulator.cloud.compute.capacity import Capacity, CapacityLimit
    from benchhost.emulator.cloud.context import Body

OS_DISK_MIB = 1_047_552
MIB_PER_GIB = 1024
_LOCAL_NAMES = {
    REGIONAL_CORES: "Total Regional vCPUs",
    SPOT_CORES: "Total Regional Low-priority vCPUs",
    MACHINES: "Virtual Machines",
}
"""Recorded, azure-cli test_vm_usage; families are spelled out as recorded ones are."""


def size_body(size: MachineSize) -> Body:
    """Return a machine size as ``vmSizes`` lists it."""
    return {
        "name": size.name,
        "numberOfCores": size.cores,
        "osDiskSizeInMB": OS_DISK_MIB,
        "resourceDiskSizeInMB": size.resource_disk_mib,
        "memoryInMB": size.memory_mib,
        "maxDataDiskCount": size.max_data_disks,
    }


def sku_body(size: MachineSize, location: str, capacity: Capacity) -> Body:
    """Return a size in one location as ``skus`` lists it, with what the limits withhold."""
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.partition("_")[2],
        "family": size.family,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": list(zones_of_size(size, location)), "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in _capabilities(size).items()],
        "restrictions": _restrictions(size, location, capacity),
    }


def usage_body(name: str, *, used: int, limit: int, local_name: str | None = None) -> Body:
    """Return one line of ``usages``."""
    words = local_name or _LOCAL_NAMES.get(name) or _family_words(name)
    return {
        "limit": limit,
        "unit": "Count",
        "currentValue": used,
        "name": {"value": name, "localizedValue": words},
    }


def _capabilities(size: MachineSize) -> dict[str, str]:
    hardware, features = hardware_of(size.name), features_of(size.name)
    return {
        "MaxResourceVolumeMB": str(size.resource_disk_mib),
        "OSVhdSizeMB": str(OS_DISK_MIB),
        "vCPUs": str(size.cores),
        "HyperVGenerations": "V2" if "-arm-" in hardware else "V1,V2",
        "MemoryGB": f"{size.memory_mib / MIB_PER_GIB:g}",
        "MaxDataDiskCount": str(size.max_data_disks),
        "CpuArchitectureType": "Arm64" if "-arm-" in hardware else "x64",
        "LowPriorityCapable": str(is_spot_size(size.name)),
        "PremiumIO": str(features.has_premium_storage),
        "VMDeploymentTypes": "IaaS",
        "vCPUsAvailable": str(size.cores),
        "EphemeralOSDiskSupported": str(features.has_ephemeral_disks),
        "EncryptionAtHostSupported": "True",
        "CapacityReservationSupported": str(not hardware.startswith("hb-")),
        "AcceleratedNetworkingEnabled": str(features.has_accelerated_networking),
        "RdmaEnabled": str(hardware.startswith("hb-")),
        "MaxNetworkInterfaces": str(features.max_interfaces),
        "HibernationSupported": str(features.can_hibernate),
    }


def _restrictions(size: MachineSize, location: str, capacity: Capacity) -> list[Body]:
    withheld = [
        limit
        for limit in capacity.limits
        if limit.location == location and limit.covers_size(size.name) and _withholds(limit)
    ]
    restrictions = []
    if any(limit.zone is None for limit in withheld):
        restrictions.append(_restriction("Location", location, {"locations": [location]}))
    zones = sorted(limit.zone for limit in withheld if limit.zone is not None)
    if zones:
        restrictions.append(_restriction("Zone", location, {"locations": [location], "zones": zones}))
    return restrictions


def _withholds(limit: CapacityLimit) -> bool:
    is_regular = limit.priority is Priority.REGULAR
    return is_regular and limit.machines == 0 and limit.shown_as is CapacityFailure.SKU_NOT_AVAILABLE


def _restriction(kind: str, location: str, information: Body) -> Body:
    return {
        "type": kind,
        "values": [location],
        "restrictionInfo": information,
        "reasonCode": "NotAvailableForSubscription",
    }


def _family_words(name: str) -> str:
    series = name.removeprefix("standard").removesuffix("Family")
    return f"Standard {series} Family vCPUs"
