"""What a machine's body may say about its disks, judged by itself: numbers, names and what the size bears.

Called by `profile` and `changes` before anything is looked up or written; what other resources have a say in is in
`disk_attachments`. Codes and wording, where no other source is named: ``error-messages.md`` of Azure's
troubleshooting documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.size_features import features_of
from benchhost.emulator.cloud.context import Body, reference_id

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LUN = 63
MAX_DATA_DISK_GB = 32767
MAX_OS_DISK_GB = 4095
"""Limits of one disk (doc: disks-types)."""

CACHED_UP_TO_GB = 4095
"""Larger disks cannot have host caching (doc: premium-storage-performance)."""

PREMIUM = frozenset({"Premium_LRS", "Premium_ZRS", "PremiumV2_LRS"})
ACCOUNT_TYPES = PREMIUM | {"Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "UltraSSD_LRS"}
UNCACHED = frozenset({"PremiumV2_LRS", "UltraSSD_LRS"})
"""Types without host caching, which cannot be OS disks either (doc: disks-types)."""

_CACHING = ("None", "ReadOnly", "ReadWrite")


def data_disks(given: Body) -> list[Body]:
    """Return the data disks of a body with defaults.

    Raises
    ------
    ArmError
        ``InvalidParameter`` for a missing, doubled or impossible LUN, size, caching or create option.
    """
    wanted = (given.get("storageProfile") or {}).get("dataDisks") or []
    _check_luns(wanted)
    return [_data_disk(disk) for disk in wanted]


def check_account_type(name: str, target: str) -> None:
    """Refuse a storage account type that there is not.

    Raises
    ------
    ArmError
        ``InvalidAccountType``.
    """
    if name not in ACCOUNT_TYPES:
        raise errors.bad_request("InvalidAccountType", f"The AccountType {name} is invalid.", target=target)


def default_account_type(size: str) -> str:
    """Return the type of a disk whose body names none: premium where the size bears it."""
    return "Premium_LRS" if features_of(size).has_premium_storage else "Standard_LRS"


def require_disks_fit(size: str, storage: Body) -> None:
    """Refuse a storage profile that a size does not bear, at a create as at a resize.

    Raises
    ------
    ArmError
        ``OperationNotAllowed`` for too many disks, ``InvalidParameter`` for premium disks on a size without.
    """
    limit = MACHINE_SIZES[size.lower()].max_data_disks
    if len(storage["dataDisks"]) > limit:
        raise errors.conflict(
            "OperationNotAllowed",
            f"The maximum number of data disks allowed to be attached to a VM of this size is {limit}.",
            target="dataDisks",
        )
    for label, disk in (("osDisk", storage["osDisk"]), *(("dataDisk", disk) for disk in storage["dataDisks"])):
        require_account_type_fits(size, (disk.get("managedDisk") or {}).get("storageAccountType"), label)


def require_account_type_fits(size: str, account_type: str | None, label: str) -> None:
    """Refuse a premium disk on a size without premium storage; ``label`` is ``osDisk`` or ``dataDisk``.

    Raises
    ------
    ArmError
        ``InvalidParameter``, worded as in issues of Azure's own tools.
    """
    if account_type in PREMIUM and not features_of(size).has_premium_storage:
        raise errors.invalid_parameter(
            f"Requested operation cannot be performed because the VM size {size} does not support the storage "
            f"account type {account_type}. Consider updating the VM to a size that supports Premium storage.",
            f"{label}.managedDisk.storageAccountType",
        )


def check_os_disk(disk: Body, *, image_gb: int | None) -> None:
    """Refuse an OS disk with impossible settings; ``image_gb`` is the image's own size, None without an image.

    Raises
    ------
    ArmError
        ``InvalidParameter``, ``InvalidAccountType``, or ``OperationNotAllowed`` for less room than the image needs.
    """
    _check_caching(disk, "osDisk")
    size = disk.get("diskSizeGB")
    _check_range(size, "osDisk.diskSizeGB", low=1, high=MAX_OS_DISK_GB)
    account_type = (disk.get("managedDisk") or {}).get("storageAccountType")
    if account_type is not None:
        check_account_type(account_type, "osDisk.managedDisk.storageAccountType")
    if account_type in UNCACHED:
        raise errors.invalid_parameter(
            "The value of parameter osDisk.managedDisk.storageAccountType is invalid.",
            "osDisk.managedDisk.storageAccountType",
        )
    if image_gb is not None and size is not None and size < image_gb:
        raise errors.conflict(
            "OperationNotAllowed",
            f"Disk with size {size}GB, which is smaller than the size {image_gb}GB of corresponding disk in Image, "
            "is not allowed.",
            target="osDisk.diskSizeGB",
        )


def _check_luns(wanted: Sequence[Body]) -> None:
    taken: dict[int, Body] = {}
    for disk in wanted:
        lun = disk.get("lun")
        if lun is None:
            raise errors.missing_parameter("dataDisk.lun")
        _check_range(lun, "dataDisk.lun", low=0, high=MAX_LUN)
        if lun in taken:
            raise errors.invalid_parameter(_taken_lun(taken[lun], lun), "dataDisk.lun")
        taken[lun] = disk


def _taken_lun(holder: Body, lun: int) -> str:
    if holder.get("name"):
        return f"A disk named '{holder['name']}' already uses the same LUN: {lun}."
    return f"A disk at LUN {lun} already exists."


def _data_disk(disk: Body) -> Body:
    if disk.get("createOption") not in ("Empty", "Attach", "FromImage"):
        raise errors.invalid_parameter(
            f"The value '{disk.get('createOption')}' of parameter 'dataDisk.createOption' is invalid.",
            "dataDisk.createOption",
        )
    is_new = reference_id(disk.get("managedDisk")) is None
    if disk["createOption"] == "Empty" and is_new and disk.get("diskSizeGB") is None:
        raise errors.missing_parameter("dataDisk.diskSizeGB")
    _check_range(disk.get("diskSizeGB"), "dataDisk.diskSizeGB", low=1, high=MAX_DATA_DISK_GB)
    _check_caching(disk, "dataDisk")
    account_type = (disk.get("managedDisk") or {}).get("storageAccountType")
    if account_type is not None:
        check_account_type(account_type, "dataDisk.managedDisk.storageAccountType")
    return {"caching": "None", "deleteOption": "Detach", "toBeDetached": False, **disk}


def _check_caching(disk: Body, label: str) -> None:
    caching = disk.get("caching")
    if caching is None or caching == "None":
        return
    if caching not in _CACHING:
        raise errors.invalid_parameter(
            f"The value '{caching}' of parameter '{label}.caching' is invalid.", f"{label}.caching"
        )
    account_type = (disk.get("managedDisk") or {}).get("storageAccountType")
    if account_type in UNCACHED or (disk.get("diskSizeGB") or 0) > CACHED_UP_TO_GB:
        raise errors.invalid_parameter(
            "Disk caching is not supported for disks 4 TiB and larger, nor for Premium SSD v2 and Ultra disks. Set "
            f"the value of parameter '{label}.caching' to 'None'.",
            f"{label}.caching",
        )


def _check_range(value: int | None, target: str, *, low: int, high: int) -> None:
    if value is None or low <= value <= high:
        return
    raise errors.invalid_parameter(
        f"The value '{value}' of parameter '{target}' is out of range. The value must be between '{low}' and "
        f"'{high}', inclusive.",
        target,
    )
