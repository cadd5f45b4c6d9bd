"""Taking spot machines their hardware away, as Azure does when it wants it back.

An eviction is no operation that a client could poll: the machine simply changes one day. It is asked for by
``simulateEviction``, by the emulator's administration, or by a limit that leaves fewer spot machines than there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import Eviction, Priority
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.capacity import Capacity, CapacityLimit
    from benchhost.emulator.cloud.compute.lifecycle import MachineLifecycle
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.compute.machines import VirtualMachines
    from benchhost.emulator.cloud.context import Context

NOTICE_SECONDS = 30.0
"""How long a machine is warned of its eviction (doc: spot-vms, scheduled events)."""

SIMULATION_SECONDS = 180.0
"""An eviction that was simulated has happened by then (recorded, CLI-spot)."""


class Evictions:
    """Evicts spot machines.

    Parameters
    ----------
    context
        The subscription's state.
    machines, lifecycle
        Who knows the machines and how to take them away.
    capacity
        The limits that may leave too little.
    """

    def __init__(
        self, context: Context, machines: VirtualMachines, *, lifecycle: MachineLifecycle, capacity: Capacity
    ) -> None:
        self._context = context
        self._machines = machines
        self._lifecycle = lifecycle
        self._capacity = capacity

    def simulate(self, machine: VirtualMachine, now: float) -> None:
        """Evict a machine within three minutes, as ``simulateEviction`` does.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` for a machine that is not spot or has no hardware.
        """
        if machine.priority is Priority.REGULAR:
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation 'simulateEviction' is not allowed on VM '{machine.id.name}' since the VM is not an "
                "Azure Spot Virtual Machine.",
            )
        if machine.claim is None:
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation 'simulateEviction' is not allowed on VM '{machine.id.name}' since the VM is either "
                "deallocated or marked to be deallocated.",
            )
        latest = SIMULATION_SECONDS * self._context.scale
        self._begin(machine, now, min(latest, self._context.operations.draw_duration(OperationKind.EVICT_MACHINE)))

    def evict(self, machine: VirtualMachine, now: float, *, notice_seconds: float = NOTICE_SECONDS) -> None:
        """Evict a machine after a notice, whose length in seconds is scaled as every duration is."""
        self._begin(machine, now, notice_seconds * self._context.scale)

    def enforce(self, limit: CapacityLimit, now: float) -> list[VirtualMachine]:
        """Evict the youngest spot machines that a limit leaves no room for, and return them."""
        if limit.priority is not Priority.SPOT:
            return []
        staying = [machine for machine in self._capacity.holders(limit) if machine.eviction is None]
        staying.sort(key=lambda machine: machine.placement.since if machine.placement else now)
        leaving = staying[limit.machines :]
        for machine in leaving:
            self.evict(machine, now)
        return leaving

    def complete(self, operation: Operation, now: float) -> None:
        """Take the hardware of a machine away, unless it has given it back meanwhile."""
        machine = None if operation.target is None else self._machines.find(operation.target)
        if machine is None or machine.eviction is None or machine.eviction.operation_id != operation.id:
            return
        machine.eviction = None
        if machine.provisioning_state is ProvisioningState.DELETING:
            return
        self._context.operations.preempt(machine, now)
        if machine.properties.get("evictionPolicy") == "Delete":
            self._lifecycle.remove(machine, now, with_disks=True)
            return
        self._lifecycle.deallocate(machine, now)

    def _begin(self, machine: VirtualMachine, now: float, seconds: float) -> None:
        operation = self._context.operations.begin_unseen(OperationKind.EVICT_MACHINE, machine, now, due=now + seconds)
        machine.eviction = Eviction(operation_id=operation.id, due=operation.due)
