"""What may change of a managed disk, and when: its machine has a say.

Called by `disks` for writes of the disk itself. A change through the machine is judged in `disk_attachments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.data_disks import CACHED_UP_TO_GB, MAX_DATA_DISK_GB
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.context import reference_id
from benchhost.emulator.cloud.identifiers import resource_key

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource


def check_disk_size(size: int) -> None:
    """Refuse a size that no disk has.

    Raises
    ------
    ArmError
        ``InvalidParameter``.
    """
    if not 1 <= size <= MAX_DATA_DISK_GB:
        raise errors.invalid_parameter(
            f"The value '{size}' of parameter 'disk.diskSizeGB' is out of range. The value must be between '1' and "
            f"'{MAX_DATA_DISK_GB}', inclusive.",
            "disk.diskSizeGB",
        )


def require_resizable(disk: Resource, size: int, owner: VirtualMachine | None) -> None:
    """Refuse a size that a disk cannot take now.

    A data disk grows under a running machine, unless it passes 4 TiB on its way; an OS disk needs its machine
    deallocated (doc: expand-disks).

    Raises
    ------
    ArmError
        ``ResizeDiskError`` for a smaller size, ``OperationNotAllowed`` while the machine is in the way (wording:
        azure-libraries-for-net#748).
    """
    present = int(disk.properties["diskSizeGB"])
    check_disk_size(size)
    if size < present:
        raise errors.bad_request(
            "ResizeDiskError",
            f"Specified disk size {size} GB is smaller than the original disk size {present} GB.",
            target="disk.diskSizeGB",
        )
    if size == present or owner is None or not owner.is_allocated:
        return
    grows_online = not _is_os_disk(disk, owner) and not present <= CACHED_UP_TO_GB < size
    if not grows_online:
        raise errors.conflict(
            "OperationNotAllowed", f"Cannot resize disk {disk.id.name} while it is attached to running VM {owner.id}."
        )


def require_type_changeable(disk: Resource, account_type: str, owner: VirtualMachine | None) -> None:
    """Refuse another storage account type while the machine has hardware (doc: disks-convert-types).

    Raises
    ------
    ArmError
        ``OperationNotAllowed``; the wording is assumed.
    """
    if account_type == disk.extras["sku"]["name"] or owner is None or not owner.is_allocated:
        return
    raise errors.conflict(
        "OperationNotAllowed",
        f"Cannot change the account type of disk {disk.id.name} while it is attached to running VM {owner.id}.",
    )


def show_in_machine(disk: Resource, owner: VirtualMachine) -> None:
    """Let a machine's storage profile say what a disk of it has become."""
    for entry in (owner.os_disk, *owner.data_disks):
        if _names(entry, disk):
            entry["diskSizeGB"] = disk.properties["diskSizeGB"]
            entry["managedDisk"] = {**entry["managedDisk"], "storageAccountType": disk.extras["sku"]["name"]}


def _is_os_disk(disk: Resource, owner: VirtualMachine) -> bool:
    return _names(owner.os_disk, disk)


def _names(entry: Body, disk: Resource) -> bool:
    return resource_key(reference_id(entry.get("managedDisk")) or "") == disk.id.key
