"""What may change about a virtual machine that exists, and what is fixed at its creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.data_disks import check_os_disk, data_disks
from benchhost.emulator.cloud.compute.hardware import hardware_of, sizes_on
from benchhost.emulator.cloud.compute.hibernation import require_awake, require_switchable
from benchhost.emulator.cloud.compute.interface_configurations import has_configurations, refuse_configurations
from benchhost.emulator.cloud.compute.profile import hardware_profile, network_profile, require_compatible

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.context import Body

FIXED = (
    ("osProfile.computerName", "osProfile.computerName"),
    ("osProfile.adminUsername", "osProfile.adminUsername"),
    ("osProfile.linuxConfiguration.ssh.publicKeys", "linuxConfiguration.ssh.publicKeys"),
    (
        "osProfile.linuxConfiguration.disablePasswordAuthentication",
        "linuxConfiguration.disablePasswordAuthentication",
    ),
    ("storageProfile.imageReference.publisher", "imageReference"),
    ("storageProfile.imageReference.offer", "imageReference"),
    ("storageProfile.imageReference.sku", "imageReference"),
    ("storageProfile.imageReference.version", "imageReference"),
    ("storageProfile.imageReference.id", "imageReference"),
    ("storageProfile.osDisk.name", "osDisk.name"),
    ("storageProfile.osDisk.osType", "osDisk.osType"),
    ("storageProfile.osDisk.createOption", "osDisk.createOption"),
    ("storageProfile.osDisk.managedDisk.storageAccountType", "osDisk.managedDisk.storageAccountType"),
    ("storageProfile.osDisk.diffDiskSettings.option", "osDisk.diffDiskSettings.option"),
    ("storageProfile.osDisk.diffDiskSettings.placement", "osDisk.diffDiskSettings.placement"),
    ("availabilitySet.id", "availabilitySet.id"),
    ("priority", "priority"),
    ("evictionPolicy", "evictionPolicy"),
)
"""Paths below ``properties`` that keep their value, and the name that Azure gives each in its refusal."""

_PROFILES = (
    *("diagnosticsProfile", "billingProfile", "licenseType", "securityProfile", "scheduledEventsProfile"),
    "additionalCapabilities",
)


def require_unchanged(machine: VirtualMachine, given: Body) -> None:
    """Refuse another value of something fixed; what the body leaves out is left alone.

    Raises
    ------
    ArmError
        ``PropertyChangeNotAllowed``.
    """
    for path, name in FIXED:
        wanted, present = _at(given, path), _at(machine.properties, path)
        if wanted is not None and not _same(wanted, present):
            raise errors.property_change_not_allowed(name)
    custom_data = _at(given, "osProfile.customData")
    if custom_data is not None and custom_data != machine.custom_data:
        raise errors.property_change_not_allowed("osProfile.customData")


def require_same_hardware(machine: VirtualMachine, size: str) -> None:
    """Refuse to give a machine that has hardware a size that this hardware does not offer.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``, in the words that terraform-provider-azurerm recognises to deallocate first.
    """
    hardware = hardware_of(machine.size)
    if not machine.is_allocated or hardware_of(size) == hardware:
        return
    offered = ",".join(other.name for other in sizes_on(hardware))
    raise errors.conflict(
        "OperationNotAllowed",
        f"Unable to resize the VM {machine.id.name} because the requested size {size} is not available in the "
        f"current hardware cluster. The available sizes in this cluster are: {offered}. The requested size might "
        "be available in other clusters of this region. Read more on VM resizing strategy at "
        "https://aka.ms/azure-resizevm.",
        target="vmSize",
    )


def changed_properties(machine: VirtualMachine, given: Body) -> Body:
    """Return the properties after a PUT or PATCH, in which everything left out stays as it is.

    Raises
    ------
    ArmError
        When something new is wrong, or the size does not bear what the machine would then have.
    """
    properties = dict(machine.properties)
    if given.get("hardwareProfile"):
        properties["hardwareProfile"] = hardware_profile(given)
    if has_configurations(given.get("networkProfile") or {}):
        raise refuse_configurations()
    if given.get("networkProfile"):
        properties["networkProfile"] = network_profile(given)
    storage = given.get("storageProfile") or {}
    profile = dict(properties["storageProfile"])
    if "dataDisks" in storage:
        profile["dataDisks"] = data_disks(given)
    if storage.get("osDisk"):
        profile["osDisk"] = _changed_os_disk(profile["osDisk"], storage["osDisk"])
    properties["storageProfile"] = profile
    for name in _PROFILES:
        if name in given:
            properties[name] = given[name]
    require_compatible(properties)
    require_switchable(machine, properties)
    require_awake(machine, properties)
    return properties


def _changed_os_disk(present: Body, wanted: Body) -> Body:
    check_os_disk(wanted, image_gb=None)
    kept: Body = {key: wanted[key] for key in ("caching", "deleteOption", "diskSizeGB") if wanted.get(key) is not None}
    return {**present, **kept}


def _at(body: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


def _same(wanted: Any, present: Any) -> bool:
    if isinstance(wanted, str) and isinstance(present, str):
        return wanted.lower() == present.lower()
    if isinstance(wanted, list) and isinstance(present, list):
        return len(wanted) == len(present) and all(
            _same(one, other) for one, other in zip(wanted, present, strict=True)
        )
    if isinstance(wanted, dict) and isinstance(present, dict):
        return all(_same(value, present.get(key)) for key, value in wanted.items() if value is not None)
    return bool(wanted == present)
