"""Ephemeral OS disks: where they fit, and what a machine that has one cannot do.

Doc: ``ephemeral-os-disks.md``. Such a disk is on the host: no managed disk can be read under the id that the machine
shows (the document tells of a 404), the machine can be neither stopped nor deallocated, and a resize, a redeploy or
a repair provisions the operating system anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.size_features import SizeFeatures, features_of

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.context import Body

LOCAL = "Local"
_SETTINGS = "diffDiskSettings"


def is_ephemeral(disk: Body) -> bool:
    """Tell whether an OS disk of a storage profile is ephemeral."""
    return bool((disk.get(_SETTINGS) or {}).get("option") == LOCAL)


def with_placement(size: str, disk: Body) -> Body:
    """Return an OS disk that says where it is, if it is ephemeral and its body left that to Azure."""
    if not is_ephemeral(disk):
        return disk
    settings = disk[_SETTINGS]
    placement = settings.get("placement") or _default_placement(features_of(size))
    return {**disk, _SETTINGS: {**settings, "placement": placement}}


def check_ephemeral(size: str, properties: Body) -> None:
    """Refuse an ephemeral OS disk that is described wrongly or does not fit; a managed one is fine.

    Raises
    ------
    ArmError
        ``InvalidParameter``, ``NotSupported`` or ``OperationNotAllowed``. The wording of the size's refusal is
        Azure's (bosh-azure-cpi-release#674) and so is that of the caching; the codes of the others are assumed.
    """
    disk = properties["storageProfile"]["osDisk"]
    settings = disk.get(_SETTINGS)
    if not settings:
        return
    if settings.get("option") != LOCAL:
        raise _invalid(f"{_SETTINGS}.option", settings.get("option"))
    if disk.get("createOption") != "FromImage":
        raise errors.bad_request("NotSupported", "Ephemeral OS disks are supported only with createOption 'FromImage'.")
    if disk.get("caching") != "ReadOnly":
        raise errors.bad_request(
            "NotSupported", "VMs and VM Scale Set Instances using an ephemeral OS disk support only Readonly caching."
        )
    if properties.get("priority") == "Spot" and properties.get("evictionPolicy") != "Delete":
        raise errors.conflict(
            "OperationNotAllowed", "Spot VMs using an ephemeral OS disk support only the eviction policy 'Delete'."
        )
    _require_room(size, settings["placement"], disk.get("diskSizeGB") or 0)


def require_stoppable(machine: VirtualMachine, action: str) -> None:
    """Refuse to stop or deallocate a machine with an ephemeral OS disk.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``; the wording is recorded for ``deallocate`` (terraform-provider-azurerm) and taken
        over for ``powerOff``, which the document says is not supported either.
    """
    if machine.has_ephemeral_disk:
        raise errors.conflict(
            "OperationNotAllowed",
            f"Operation '{action}' is not supported for VMs or VM Scale Set instances using an ephemeral OS disk.",
        )


def _require_room(size: str, chosen: str, needed_gib: int) -> None:
    features = features_of(size)
    room = {"CacheDisk": features.cache_gib, "ResourceDisk": features.temporary_gib, "NvmeDisk": features.nvme_gib}
    if chosen not in room:
        raise _invalid(f"{_SETTINGS}.placement", chosen)
    if needed_gib > room[chosen]:
        raise errors.bad_request(
            "NotSupported",
            f"OS disk of Ephemeral VM with size greater than {room[chosen]} GB is not allowed for VM size {size} when "
            f"the DiffDiskPlacement is {chosen}. Please refer to https://aka.ms/Ephemeral for more details.",
        )


def _default_placement(features: SizeFeatures) -> str:
    if features.cache_gib:
        return "CacheDisk"
    return "NvmeDisk" if features.nvme_gib else "ResourceDisk"


def _invalid(name: str, value: object) -> errors.ArmError:
    return errors.invalid_parameter(f"The value '{value}' of parameter 'osDisk.{name}' is invalid.", f"osDisk.{name}")
