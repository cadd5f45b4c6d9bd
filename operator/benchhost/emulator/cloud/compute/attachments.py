"""What ties a machine to its network interfaces, and through `disk_attachments` to its disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.disk_attachments import DiskAttachments
from benchhost.emulator.cloud.compute.interface_rules import require_accelerated_if_asked, require_interface_count
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.context import Body, Context
from benchhost.emulator.cloud.identifiers import ResourceId, resource_key
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.interfaces import in_use
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.cloud.zones import require_address_in_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.disks import Disks
    from benchhost.emulator.cloud.network.interfaces import Interfaces
    from benchhost.emulator.cloud.resources import Resource


class Attachments:
    """Checks, makes and undoes the ties of machines to other resources.

    Parameters
    ----------
    context
        The subscription's state.
    interfaces, disks
        The other ends.
    """

    def __init__(self, context: Context, interfaces: Interfaces, disks: Disks) -> None:
        self._context = context
        self._interfaces = interfaces
        self._disks = DiskAttachments(context, disks)

    def check(self, machine: VirtualMachine) -> None:
        """Refuse a machine whose interfaces or disks are not there, belong to another or do not suit its size.

        Raises
        ------
        ArmError
            ``InvalidResourceReference``, ``NicInUse``, ``ConflictingUserInput`` and the like.
        """
        require_interface_count(machine.id.name, machine.size, len(machine.interface_ids))
        for text in machine.interface_ids:
            interface = self._check_interface(text, machine)
            require_accelerated_if_asked(machine.size, interface)
        self._disks.check(machine)

    def attach(self, machine: VirtualMachine) -> None:
        """Tie a new machine's interfaces and existing disks to it."""
        self._attach_interfaces(machine)
        self._disks.attach(machine)

    def reattach(self, machine: VirtualMachine, draft: Body, now: float) -> None:
        """Follow a change of the size, the network profile and the disks; ``draft`` are the properties to come."""
        self._check_size(machine, draft)
        self._disks.require_hibernation_support(machine, draft)
        self._reattach_interfaces(machine, draft)
        self._disks.follow(machine, draft, now)

    def settle(self, machine: VirtualMachine) -> None:
        """Let go of what an update that has ended took away."""
        self._disks.settle(machine)

    def make_disks(self, machine: VirtualMachine, now: float) -> None:
        """Make the disks that a machine's storage profile asks for and that do not exist yet."""
        self._disks.make(machine, now)

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
        self._disks.release_all(machine)

    def _check_size(self, machine: VirtualMachine, draft: Body) -> None:
        size = draft["hardwareProfile"]["vmSize"]
        references = draft["networkProfile"]["networkInterfaces"]
        require_interface_count(machine.id.name, size, len(references))
        for reference in references:
            interface = self._context.store.find(reference["id"])
            if interface is not None:
                require_accelerated_if_asked(size, interface)

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
