"""How operations on virtual machines and disks end: disks made, hardware allocated, everything deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.guest import note_failure, note_success
from benchhost.emulator.cloud.compute.machine import (
    PowerState,
    VirtualMachine,
    disk_ids_of,
    interface_cascade_of,
)
from benchhost.emulator.cloud.context import touch
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.allocation import Allocator
    from benchhost.emulator.cloud.compute.attachments import Attachments
    from benchhost.emulator.cloud.compute.machines import VirtualMachines
    from benchhost.emulator.cloud.context import Context
    from benchhost.emulator.cloud.locks import Locks
    from benchhost.emulator.cloud.network.interfaces import Interfaces
    from benchhost.emulator.cloud.network.public_addresses import PublicAddresses

_POWER_AFTER = {
    OperationKind.CREATE_MACHINE: PowerState.RUNNING,
    OperationKind.START_STOPPED: PowerState.RUNNING,
    OperationKind.START_DEALLOCATED: PowerState.RUNNING,
    OperationKind.RESTART: PowerState.RUNNING,
    OperationKind.REDEPLOY: PowerState.RUNNING,
    OperationKind.POWER_OFF: PowerState.STOPPED,
    OperationKind.DEALLOCATE: PowerState.DEALLOCATED,
    OperationKind.HIBERNATE: PowerState.DEALLOCATED,
}

_POWER_AFTER_FAILURE = {
    OperationKind.START_STOPPED: PowerState.STOPPED,
    OperationKind.START_DEALLOCATED: PowerState.DEALLOCATED,
    OperationKind.RESTART: PowerState.RUNNING,
    OperationKind.REDEPLOY: PowerState.RUNNING,
    OperationKind.POWER_OFF: PowerState.RUNNING,
    OperationKind.DEALLOCATE: PowerState.RUNNING,
    OperationKind.HIBERNATE: PowerState.RUNNING,
}
"""Where a failed operation leaves a machine: where it was before, as far as that is known. Assumption."""


class MachineLifecycle:
    """Completes operations on machines and disks.

    Parameters
    ----------
    context
        The subscription's state.
    machines, attachments, interfaces, addresses
        Who knows how to take each kind of resource away.
    allocator
        Gives machines hardware and takes it back.
    locks
        What may not be taken away.
    """

    def __init__(
        self,
        context: Context,
        machines: VirtualMachines,
        *,
        attachments: Attachments,
        interfaces: Interfaces,
        addresses: PublicAddresses,
        allocator: Allocator,
        locks: Locks,
    ) -> None:
        self._context = context
        self._machines = machines
        self._attachments = attachments
        self._interfaces = interfaces
        self._addresses = addresses
        self._allocator = allocator
        self._locks = locks

    def complete(self, operation: Operation, now: float) -> None:
        """End any operation on a machine that is not its deletion."""
        machine = self._machine_of(operation)
        if machine is None:
            return
        try:
            self._materialize(machine, now)
            self._allocator.settle(machine, operation.kind, now)
        except ArmError as error:
            self._fail(machine, operation, error, now)
            return
        self._follow_hardware(machine, operation.kind, now)
        note_success(machine, operation)
        if operation.kind in _POWER_AFTER:
            machine.is_hibernated = operation.kind is OperationKind.HIBERNATE
        machine.power = _POWER_AFTER.get(operation.kind, machine.power)
        machine.power_changed_at = now
        machine.provisioning_state = ProvisioningState.SUCCEEDED
        machine.failure = None
        self._end(machine)

    def fail(self, operation: Operation, error: ArmError, now: float) -> None:
        """End an operation on a machine badly, its deletion included."""
        machine = self._machine_of(operation)
        if machine is None:
            return
        machine.power = _POWER_AFTER_FAILURE.get(operation.kind, machine.power)
        self._fail(machine, operation, error, now)

    def complete_delete(self, operation: Operation, now: float) -> None:
        """Take a machine away, with what its delete options name."""
        machine = self._machine_of(operation)
        if machine is not None:
            self.remove(machine, now)

    def complete_write(self, operation: Operation, now: float) -> None:  # noqa: ARG002 - one signature for all
        """End the Creating or Updating of a disk, a dedicated host or a reservation."""
        disk = None if operation.target is None else self._context.store.find(operation.target)
        if disk is not None:
            disk.provisioning_state = ProvisioningState.SUCCEEDED
            disk.operation_id = None

    def complete_plain_delete(self, operation: Operation, now: float) -> None:  # noqa: ARG002 - as above
        """Take a disk, a dedicated host or a reservation away."""
        if operation.target is not None:
            self._context.store.remove(operation.target)

    def deallocate(self, machine: VirtualMachine, now: float) -> None:
        """Take a machine's hardware away, as an eviction does."""
        self._release_hardware(machine, now)
        machine.power = PowerState.DEALLOCATED
        machine.power_changed_at = now
        machine.provisioning_state = ProvisioningState.SUCCEEDED
        self._end(machine)

    def remove(self, machine: VirtualMachine, now: float, *, with_disks: bool = False) -> None:
        """Take a machine away, with what its delete options name; an eviction takes all disks (doc: spot-vms).

        What is locked stays: nobody has recorded what Azure does then, and a client has to expect leftovers.
        """
        interfaces = [text for text, cascades in interface_cascade_of(machine) if cascades and self._may_go(text)]
        disks = [text for text, cascades in disk_ids_of(machine) if (cascades or with_disks) and self._may_go(text)]
        self._machines.remove(machine, now)
        for text in interfaces:
            interface = self._context.store.find(text)
            if interface is not None:
                for address in self._interfaces.remove(interface):
                    if self._may_go(str(address.id)):
                        self._addresses.remove(address)
        for text in disks:
            disk = self._context.store.find(text)
            if disk is not None:
                self._context.store.remove(disk.id)

    def _may_go(self, text: str) -> bool:
        return self._locks.is_deletable(text)

    def _materialize(self, machine: VirtualMachine, now: float) -> None:
        if not machine.is_materialized:
            self._attachments.make_disks(machine, now)
            machine.is_materialized = True

    def _follow_hardware(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        if kind in (OperationKind.DEALLOCATE, OperationKind.HIBERNATE):
            self._release_hardware(machine, now)
        elif machine.is_allocated:
            self._allocate_addresses(machine)

    def _allocate_addresses(self, machine: VirtualMachine) -> None:
        for text in machine.interface_ids:
            interface = self._context.store.find(text)
            for address in [] if interface is None else self._interfaces.public_addresses_of(interface):
                self._addresses.ensure_allocated(address)

    def _release_hardware(self, machine: VirtualMachine, now: float) -> None:
        self._allocator.release(machine, now)
        for text in machine.interface_ids:
            interface = self._context.store.find(text)
            for address in [] if interface is None else self._interfaces.public_addresses_of(interface):
                self._addresses.release_dynamic(address)

    def _fail(self, machine: VirtualMachine, operation: Operation, error: ArmError, now: float) -> None:
        if operation.kind is OperationKind.CREATE_MACHINE:
            self._attachments.keep_interfaces(machine.id, machine.interface_ids, now)
        self._allocator.give_up(machine, now)
        if machine.power is PowerState.STARTING:
            machine.power = PowerState.RUNNING if machine.is_allocated else PowerState.DEALLOCATED
        machine.provisioning_state = ProvisioningState.FAILED
        machine.failure = error
        note_failure(machine, operation, error)
        machine.power_changed_at = now
        self._context.operations.end(operation, now, error=error)
        self._end(machine)

    def _end(self, machine: VirtualMachine) -> None:
        self._attachments.settle(machine)
        machine.shows_interfaces = True
        machine.operation_id = None
        touch(self._context, machine)

    def _machine_of(self, operation: Operation) -> VirtualMachine | None:
        return None if operation.target is None else self._machines.find(operation.target)
