"""How operations on virtual machines and disks end: disks made, hardware allocated, everything deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.machine import (
    Placement,
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
    from benchhost.emulator.cloud.compute.attachments import Attachments
    from benchhost.emulator.cloud.compute.machines import VirtualMachines
    from benchhost.emulator.cloud.context import Context
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
}

_POWER_AFTER_FAILURE = {
    OperationKind.START_STOPPED: PowerState.STOPPED,
    OperationKind.START_DEALLOCATED: PowerState.DEALLOCATED,
    OperationKind.RESTART: PowerState.RUNNING,
    OperationKind.REDEPLOY: PowerState.RUNNING,
    OperationKind.POWER_OFF: PowerState.RUNNING,
    OperationKind.DEALLOCATE: PowerState.RUNNING,
}
"""Where a failed operation leaves a machine: where it was before, as far as that is known. Assumption."""

_NEW_HARDWARE = frozenset({OperationKind.CREATE_MACHINE, OperationKind.START_DEALLOCATED, OperationKind.REDEPLOY})
"""Operations after which a machine sits on another host (doc: states-billing, allocation-failure, redeploy)."""


class MachineLifecycle:
    """Completes operations on machines and disks.

    Parameters
    ----------
    context
        The subscription's state.
    machines, attachments, interfaces, addresses
        Who knows how to take each kind of resource away.
    """

    def __init__(
        self,
        context: Context,
        machines: VirtualMachines,
        *,
        attachments: Attachments,
        interfaces: Interfaces,
        addresses: PublicAddresses,
    ) -> None:
        self._context = context
        self._machines = machines
        self._attachments = attachments
        self._interfaces = interfaces
        self._addresses = addresses

    def complete(self, operation: Operation, now: float) -> None:
        """End any operation on a machine that is not its deletion."""
        machine = self._machine_of(operation)
        if machine is None:
            return
        try:
            self._materialize(machine, now)
        except ArmError as error:
            self._fail(machine, operation, error, now)
            return
        self._place(machine, operation.kind, now)
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

    def complete_disk_write(self, operation: Operation, now: float) -> None:  # noqa: ARG002 - one signature for all
        """End the Updating of a disk."""
        disk = None if operation.target is None else self._context.store.find(operation.target)
        if disk is not None:
            disk.provisioning_state = ProvisioningState.SUCCEEDED
            disk.operation_id = None

    def complete_disk_delete(self, operation: Operation, now: float) -> None:  # noqa: ARG002 - as above
        """Take a disk away."""
        if operation.target is not None:
            self._context.store.remove(operation.target)

    def remove(self, machine: VirtualMachine, now: float) -> None:
        """Take a machine away, with what its delete options name."""
        interfaces = [text for text, cascades in interface_cascade_of(machine) if cascades]
        disks = [text for text, cascades in disk_ids_of(machine) if cascades]
        self._machines.remove(machine, now)
        for text in interfaces:
            interface = self._context.store.find(text)
            if interface is not None:
                for address in self._interfaces.remove(interface):
                    self._addresses.remove(address)
        for text in disks:
            disk = self._context.store.find(text)
            if disk is not None:
                self._context.store.remove(disk.id)

    def _materialize(self, machine: VirtualMachine, now: float) -> None:
        if not machine.is_materialized:
            self._attachments.make_disks(machine, now)
            machine.is_materialized = True

    def _place(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        if kind is OperationKind.DEALLOCATE:
            machine.placement = None
            self._release_addresses(machine)
            return
        preempted_create = kind is OperationKind.POWER_OFF and machine.placement is None
        if kind in _NEW_HARDWARE or preempted_create:
            machine.placement = Placement(host_id=self._context.identifiers.guid(), since=now)
            self._allocate_addresses(machine)

    def _allocate_addresses(self, machine: VirtualMachine) -> None:
        for text in machine.interface_ids:
            interface = self._context.store.find(text)
            for address in [] if interface is None else self._interfaces.public_addresses_of(interface):
                self._addresses.ensure_allocated(address)

    def _release_addresses(self, machine: VirtualMachine) -> None:
        for text in machine.interface_ids:
            interface = self._context.store.find(text)
            for address in [] if interface is None else self._interfaces.public_addresses_of(interface):
                self._addresses.release_dynamic(address)

    def _fail(self, machine: VirtualMachine, operation: Operation, error: ArmError, now: float) -> None:
        machine.provisioning_state = ProvisioningState.FAILED
        machine.failure = error
        machine.power_changed_at = now
        self._context.operations.end(operation, now, error=error)
        self._end(machine)

    def _end(self, machine: VirtualMachine) -> None:
        machine.operation_id = None
        touch(self._context, machine)

    def _machine_of(self, operation: Operation) -> VirtualMachine | None:
        return None if operation.target is None else self._machines.find(operation.target)
