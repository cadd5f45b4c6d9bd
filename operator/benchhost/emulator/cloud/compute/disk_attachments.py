"""What ties a machine to its disks: existing ones attached, new ones made, others detached.

A detached disk stays the machine's until the update that detaches it has ended, as ``AttachDiskWhileBeingDetached``
of Microsoft.Compute shows. Its delete option does not matter then: that speaks of the machine's deletion only (doc:
``DataDisk.deleteOption``), so a detached disk is left behind and goes on costing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.data_disks import default_account_type, require_account_type_fits
from benchhost.emulator.cloud.compute.ephemeral import is_ephemeral
from benchhost.emulator.cloud.compute.hibernation import is_hibernation_enabled
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine, disk_ids_of
from benchhost.emulator.cloud.context import Body, Context, reference_id
from benchhost.emulator.cloud.identifiers import ResourceId, resource_key
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.cloud.zones import require_disk_in_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.disks import Disks
    from benchhost.emulator.cloud.resources import Resource

_FOLLOWED = ("caching", "deleteOption", "writeAcceleratorEnabled", "diskSizeGB")
"""What an update may change of a disk that is attached."""

_FIXED = ("name", "managedDisk.id", "managedDisk.storageAccountType")


class DiskAttachments:
    """Checks, makes and undoes the ties of machines to disks.

    Parameters
    ----------
    context, disks
        The subscription's state, and who makes disks.
    """

    def __init__(self, context: Context, disks: Disks) -> None:
        self._context = context
        self._disks = disks

    def check(self, machine: VirtualMachine) -> None:
        """Refuse a new machine whose disks are not there, belong to another, or would take a name that is taken.

        Raises
        ------
        ArmError
            ``NotFound``, ``ConflictingUserInput`` and the like.
        """
        for label, disk in _labelled(machine):
            if disk["createOption"] == "Attach":
                self._attachable(disk, machine, label)
            else:
                self._require_free_name(disk.get("name"), machine.id)

    def attach(self, machine: VirtualMachine) -> None:
        """Tie existing disks to a new machine."""
        for label, disk in _labelled(machine):
            if disk["createOption"] == "Attach":
                disk.update(self._attached(disk, machine, label))

    def make(self, machine: VirtualMachine, now: float) -> None:
        """Make the disks that a machine's storage profile asks for and that do not exist yet."""
        machine.os_disk.update(self._made(machine, machine.os_disk, "OsDisk_1", now))
        for disk in machine.data_disks:
            disk.update(self._made(machine, disk, f"disk{int(disk['lun']) + 2}", now))

    def follow(self, machine: VirtualMachine, draft: Body, now: float) -> None:
        """Follow a change of the storage profile; ``draft`` are the properties to come.

        Raises
        ------
        ArmError
            When a disk cannot be attached or changed so; nothing has been changed then.
        """
        present = {disk["lun"]: disk for disk in machine.data_disks}
        asked = draft["storageProfile"]["dataDisks"]
        wanted = [disk for disk in asked if not disk.get("toBeDetached")]
        for disk in wanted:
            self._check_wanted(machine, disk, present)
        self._check_os_size(machine, draft["storageProfile"]["osDisk"])
        self._grow(machine.os_disk, draft["storageProfile"]["osDisk"])
        followed = [self._followed(machine, disk, present.pop(disk["lun"], None), now) for disk in wanted]
        machine.detaching.extend(
            text for gone in present.values() if (text := reference_id(gone.get("managedDisk"))) is not None
        )
        draft["storageProfile"] = {**draft["storageProfile"], "dataDisks": followed}

    def require_hibernation_support(self, machine: VirtualMachine, draft: Body) -> None:
        """Refuse to enable hibernation while the OS disk does not support it (doc: hibernate-resume).

        Raises
        ------
        ArmError
            ``OperationNotAllowed``; the wording is assumed.
        """
        if not is_hibernation_enabled(draft):
            return
        disk = self._context.store.find(reference_id(machine.os_disk.get("managedDisk")) or "")
        if disk is not None and not disk.properties.get("supportsHibernation"):
            raise errors.conflict(
                "OperationNotAllowed",
                f"Hibernation cannot be enabled on the VM because OS disk {disk.id.name} does not support it. Set "
                "supportsHibernation of the disk to true first.",
            )

    def settle(self, machine: VirtualMachine) -> None:
        """Let go of what an update has detached."""
        for text in machine.detaching:
            self._release(text, machine)
        machine.detaching.clear()

    def release_all(self, machine: VirtualMachine) -> None:
        """Untie every disk from a machine that goes."""
        self.settle(machine)
        for text, _ in disk_ids_of(machine):
            self._release(text, machine)

    def _release(self, text: str, machine: VirtualMachine) -> None:
        disk = self._context.store.find(text)
        if disk is not None:
            disk.release(str(machine.id))

    def _check_wanted(self, machine: VirtualMachine, wanted: Body, present: dict[int, Body]) -> None:
        there = present.get(wanted["lun"])
        if there is not None:
            _require_same(there, wanted)
            _require_resizable(machine, there, wanted)
            return
        text = reference_id(wanted.get("managedDisk"))
        if text is not None and any(_is_disk(disk, text) for disk in present.values()):
            raise errors.property_change_not_allowed("dataDisk.lun")
        if wanted["createOption"] == "Attach":
            self._attachable(wanted, machine, "dataDisk")
        else:
            self._require_free_name(wanted.get("name"), machine.id)

    def _check_os_size(self, machine: VirtualMachine, wanted: Body) -> None:
        _require_resizable(machine, machine.os_disk, wanted)

    def _followed(self, machine: VirtualMachine, wanted: Body, present: Body | None, now: float) -> Body:
        if present is not None:
            self._grow(present, wanted)
            return {**present, **{key: wanted[key] for key in _FOLLOWED if wanted.get(key) is not None}}
        if wanted["createOption"] == "Attach":
            return {**wanted, **self._attached(wanted, machine, "dataDisk")}
        return {**wanted, **self._made(machine, wanted, f"disk{int(wanted['lun']) + 2}", now)}

    def _grow(self, present: Body, wanted: Body) -> None:
        size = wanted.get("diskSizeGB")
        disk = self._context.store.find(reference_id(present.get("managedDisk")) or "")
        if disk is not None and size is not None:
            self._disks.grow(disk, size)

    def _attached(self, disk: Body, machine: VirtualMachine, label: str) -> Body:
        found = self._attachable(disk, machine, label)
        found.hold(str(machine.id))
        managed = {**disk["managedDisk"], "id": str(found.id), "storageAccountType": found.extras["sku"]["name"]}
        return {"name": found.id.name, "diskSizeGB": found.properties["diskSizeGB"], "managedDisk": managed}

    def _attachable(self, disk: Body, machine: VirtualMachine, label: str) -> Resource:
        text = reference_id(disk.get("managedDisk"))
        if text is None:
            raise errors.missing_parameter(f"{label}.managedDisk.id")
        found = self._context.store.find(text)
        if found is None or found.provisioning_state is ProvisioningState.DELETING:
            name = text.rpartition("/")[2]
            raise errors.ArmError(
                HTTPStatus.NOT_FOUND, "NotFound", f"Disk {name} is not found.", target=f"{label}.managedDisk.id"
            )
        if found.location != machine.location:
            raise errors.bad_request(
                "BadRequest",
                f"Disk {found.id} cannot be attached to the VM because it is in location '{found.location}' and the "
                f"VM is in location '{machine.location}'.",
                target=f"{label}.managedDisk.id",
            )
        require_disk_in_zone(found, machine.zone)
        self._require_unowned(found, machine)
        require_account_type_fits(machine.size, found.extras["sku"]["name"], label)
        return found

    def _require_unowned(self, disk: Resource, machine: VirtualMachine) -> None:
        owner = self._context.store.find(disk.first_user or "")
        if isinstance(owner, VirtualMachine) and any(resource_key(text) == disk.id.key for text in owner.detaching):
            raise errors.conflict(
                "AttachDiskWhileBeingDetached",
                f"Cannot attach data disk '{disk.id.name}' to VM '{machine.id.name}' because the disk is currently "
                "being detached. Please wait until the disk is completely detached and then try again.",
            )
        if disk.is_used_by_others_than(str(machine.id)):
            raise errors.conflict(
                "ConflictingUserInput",
                f"Disk '{disk.id.name}' cannot be attached as the disk is already owned by VM '{disk.first_user}'.",
            )

    def _require_free_name(self, name: str | None, machine_id: ResourceId) -> None:
        if name is None or self._context.store.find(_disk_id(machine_id, name)) is None:
            return
        raise errors.conflict(
            "ConflictingUserInput",
            f"Disk {name} already exists in resource group {machine_id.group.upper()}. "
            "Only CreateOption.Attach is supported.",
            target="disk.name",
        )

    def _made(self, machine: VirtualMachine, disk: Body, label: str, now: float) -> Body:
        managed = {"storageAccountType": default_account_type(machine.size), **(disk.get("managedDisk") or {})}
        if reference_id(managed) is not None:
            return {}
        name = disk.get("name") or f"{machine.id.name}_{label}_{self._context.identifiers.hexadecimal()}"
        self._require_free_name(name, machine.id)
        disk_id = _disk_id(machine.id, name)
        if not is_ephemeral(disk):
            self._disks.make_for(machine, disk_id, {**disk, "managedDisk": managed}, now=now)
        return {"name": name, "managedDisk": {**managed, "id": str(disk_id)}}


def _require_same(present: Body, wanted: Body) -> None:
    for path in _FIXED:
        before, after = _at(present, path), _at(wanted, path)
        if after is None or before is None or str(before).lower() == str(after).lower():
            continue
        if path == "managedDisk.id":
            raise errors.invalid_parameter(f"A disk at LUN {present['lun']} already exists.", "dataDisk.lun")
        raise errors.property_change_not_allowed(f"dataDisk.{path}")


def _require_resizable(machine: VirtualMachine, present: Body, wanted: Body) -> None:
    before, after = present.get("diskSizeGB"), wanted.get("diskSizeGB")
    if before is None or after is None or before == after:
        return
    if is_ephemeral(present):
        raise errors.conflict(
            "OperationNotAllowed", "Resizing the OS disk is not supported for VMs using an ephemeral OS disk."
        )
    if after < before:
        raise errors.bad_request(
            "ResizeDiskError",
            f"Specified disk size {after} GB is smaller than the original disk size {before} GB.",
            target="disk.diskSizeGB",
        )
    if machine.power is not PowerState.DEALLOCATED:
        raise errors.conflict(
            "ResizeDiskError",
            f"Managed disk resize via Virtual Machine '{machine.id.name}' is allowed only when creating Virtual "
            "Machine or when the Virtual Machine is deallocated.",
            target="disk.diskSizeGB",
        )


def _is_disk(disk: Body, text: str) -> bool:
    return resource_key(reference_id(disk.get("managedDisk")) or "") == resource_key(text)


def _at(body: Body, path: str) -> object:
    first, _, rest = path.partition(".")
    found = body.get(first)
    if not rest:
        return found
    return found.get(rest) if isinstance(found, dict) else None


def _labelled(machine: VirtualMachine) -> list[tuple[str, Body]]:
    return [("osDisk", machine.os_disk), *(("dataDisk", disk) for disk in machine.data_disks)]


def _disk_id(machine_id: ResourceId, name: str) -> ResourceId:
    return ResourceId(machine_id.subscription, machine_id.group, "Microsoft.Compute", ("disks",), (name,))
