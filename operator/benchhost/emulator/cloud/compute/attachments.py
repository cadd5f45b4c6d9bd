"""What ties a machine to its network interfaces and disks."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine, disk_ids_of
from benchhost.emulator.cloud.context import Body, Context, reference_id
from benchhost.emulator.cloud.identifiers import ResourceId, resource_key
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.interfaces import in_use
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.cloud.zones import require_address_in_zone, require_disk_in_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.disks import Disks
    from benchhost.emulator.cloud.network.interfaces import Interfaces
    from benchhost.emulator.cloud.resources import Resource


class Attachments:
    """Checks, makes and undoes the ties of machines to other resources."""

    def __init__(self, context: Context, interfaces: Interfaces, disks: Disks) -> None:
        self._context = context
        self._interfaces = interfaces
        self._disks = disks

    def check(self, machine: VirtualMachine) -> None:
        """Refuse a machine whose interfaces or disks are not there or belong to another.

        Raises
        ------
        ArmError
            ``InvalidResourceReference``, ``NicInUse``, ``ConflictingUserInput`` and the like.
        """
        for text in machine.interface_ids:
            self._check_interface(text, machine)
        for disk in (machine.os_disk, *machine.data_disks):
            if disk["createOption"] == "Attach":
                self._attachable(disk, machine)
            else:
                self._require_free_name(disk.get("name"), machine.id)

    def attach(self, machine: VirtualMachine) -> None:
        """Tie a new machine's interfaces and existing disks to it."""
        self._attach_interfaces(machine)
        for disk in (machine.os_disk, *machine.data_disks):
            if disk["createOption"] == "Attach":
                self._attachable(disk, machine).hold(str(machine.id))

    def reattach(self, machine: VirtualMachine, draft: Body, now: float) -> None:
        """Follow a change of the network profile and of the data disks."""
        self._reattach_interfaces(machine, draft)
        self._reattach_disks(machine, draft, now)

    def make_disks(self, machine: VirtualMachine, now: float) -> None:
        """Make the disks that a machine's storage profile asks for and that do not exist yet."""
        machine.os_disk.update(self._made(machine, machine.os_disk, "OsDisk_1", now))
        for disk in machine.data_disks:
            disk.update(self._made(machine, disk, f"disk{int(disk['lun']) + 2}", now))

    def keep_interfaces(self, machine_id: ResourceId, interfaces: list[str], now: float) -> None:
        """Keep interfaces for a machine whose creation has failed, those that nobody else has."""
        found = [self._context.store.find(text) for text in interfaces]
        free = [str(item.id) for item in found if item is not None and not item.is_used_by_others_than(str(machine_id))]
        self._interfaces.reservations.keep(free, str(machine_id), now)

    def detach_all(self, machine: VirtualMachine) -> None:
        """Untie everything from a machine that goes."""
        for text in machine.interface_ids:
            interface = self._context.store.find(text)
            if interface is not None:
                self._interfaces.detach(interface, str(machine.id))
        for text, _ in disk_ids_of(machine):
            disk = self._context.store.find(text)
            if disk is not None:
                disk.release(str(machine.id))

    def _check_interface(self, text: str, machine: VirtualMachine) -> Resource:
        machine_id = machine.id
        found = self._context.store.find(text)
        if found is None or found.location != machine.location:
            raise errors.invalid_reference(text, str(machine_id))
        if found.provisioning_state is ProvisioningState.DELETING:
            raise errors.invalid_reference(text, str(machine_id))
        writes.require_settled(found, str(machine_id))
        self._interfaces.reservations.check(text, str(machine_id))
        if found.is_used_by_others_than(str(machine_id)):
            raise in_use(found)
        for address in self._interfaces.public_addresses_of(found):
            require_address_in_zone(address, machine_id, machine.zone)
        return found

    def _attach_interfaces(self, machine: VirtualMachine) -> None:
        only_one = len(machine.interfaces) == 1
        for reference in machine.interfaces:
            interface = self._context.store.find(reference["id"])
            primary = only_one or bool((reference.get("properties") or {}).get("primary"))
            if interface is not None:
                self._interfaces.attach(interface, str(machine.id), primary=primary)

    def _reattach_interfaces(self, machine: VirtualMachine, draft: Body) -> None:
        wanted = [reference["id"] for reference in draft["networkProfile"]["networkInterfaces"]]
        before = {resource_key(text): text for text in machine.interface_ids}
        after = {resource_key(text): text for text in wanted}
        if before.keys() == after.keys():
            return
        if machine.power is not PowerState.DEALLOCATED:
            raise errors.conflict(
                "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
                f"Secondary network interfaces cannot be added or deleted from a running virtual machine {machine.id}.",
            )
        added = [self._check_interface(text, machine) for text in after.values()]
        for key in before.keys() - after.keys():
            gone = self._context.store.find(key)
            if gone is not None:
                self._interfaces.detach(gone, str(machine.id))
        for interface in added:
            self._interfaces.attach(interface, str(machine.id), primary=len(added) == 1)

    def _reattach_disks(self, machine: VirtualMachine, draft: Body, now: float) -> None:
        by_lun = {disk["lun"]: disk for disk in machine.data_disks}
        disks = []
        for wanted in draft["storageProfile"]["dataDisks"]:
            present = by_lun.pop(wanted["lun"], None)
            disks.append(self._followed(machine, wanted, present, now))
        for gone in by_lun.values():
            disk = self._context.store.find(reference_id(gone.get("managedDisk")) or "")
            if disk is not None:
                disk.release(str(machine.id))
        draft["storageProfile"]["dataDisks"] = disks

    def _followed(self, machine: VirtualMachine, wanted: Body, present: Body | None, now: float) -> Body:
        if present is not None:
            return {**present, **{key: wanted[key] for key in ("caching", "deleteOption") if key in wanted}}
        if wanted["createOption"] == "Attach":
            self._attachable(wanted, machine).hold(str(machine.id))
            return wanted
        return {**wanted, **self._made(machine, wanted, f"disk{int(wanted['lun']) + 2}", now)}

    def _attachable(self, disk: Body, machine: VirtualMachine) -> Resource:
        text = reference_id(disk.get("managedDisk"))
        if text is None:
            raise errors.missing_parameter("managedDisk.id")
        found = self._context.store.find(text)
        if found is None:
            name = text.rpartition("/")[2]
            raise errors.ArmError(
                HTTPStatus.NOT_FOUND, "NotFound", f"Disk {name} is not found.", target="dataDisk.managedDisk.id"
            )
        require_disk_in_zone(found, machine.zone)
        if found.is_used_by_others_than(str(machine.id)):
            raise errors.conflict(
                "ConflictingUserInput",
                f"Disk '{found.id.name}' cannot be attached as the disk is already owned by VM '{found.first_user}'.",
            )
        return found

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
        managed = {"storageAccountType": "Premium_LRS", **(disk.get("managedDisk") or {})}
        if reference_id(managed) is not None:
            return {}
        name = disk.get("name") or f"{machine.id.name}_{label}_{self._context.identifiers.hexadecimal()}"
        self._require_free_name(name, machine.id)
        disk_id = _disk_id(machine.id, name)
        self._disks.make_for(machine, disk_id, {**disk, "managedDisk": managed}, now=now)
        return {"name": name, "managedDisk": {**managed, "id": str(disk_id)}}


def _disk_id(machine_id: ResourceId, name: str) -> ResourceId:
    return ResourceId(machine_id.subscription, machine_id.group, "Microsoft.Compute", ("disks",), (name,))
