"""Gives machines hardware and takes it back: the one place where capacity, quotas and hidden hosts come together.

A machine claims capacity when a request that needs hardware is accepted, and gets its host when the operation ends.
Called by `machines` and `power` at the beginning of an operation, by `lifecycle` and `eviction` at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.catalog import find_size
from benchhost.emulator.cloud.compute.capacity import Capacity, CapacityFailure, no_capacity, no_spot
from benchhost.emulator.cloud.compute.hardware import hardware_of
from benchhost.emulator.cloud.compute.hosts import Hosts
from benchhost.emulator.cloud.compute.machine import Claim, Placement, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.spot import require_affordable
from benchhost.emulator.cloud.operations import OperationKind
from benchhost.emulator.cloud.quotas import Quotas
from benchhost.emulator.cloud.zones import require_size_in_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize
    from benchhost.emulator.cloud.context import Context

_NEW_HARDWARE = frozenset({OperationKind.CREATE_MACHINE, OperationKind.START_DEALLOCATED, OperationKind.REDEPLOY})
"""Operations after which a machine has been placed anew (doc: states-billing, allocation-failure, redeploy)."""

_RESIZES = frozenset({OperationKind.RESIZE_MACHINE, OperationKind.RESIZE_RUNNING_MACHINE})


class Allocator:
    """Gives machines hardware and takes it back.

    Parameters
    ----------
    context
        The subscription's state.
    """

    def __init__(self, context: Context) -> None:
        self.capacity = Capacity(context.store)
        self.quotas = Quotas(context.store)
        self.hosts = Hosts(context.identifiers)

    def require(self, machine: VirtualMachine, *, size: str | None = None) -> None:
        """Refuse what Azure refuses at once; ``size`` is another than the machine's for a resize.

        Raises
        ------
        ArmError
            ``SkuNotAvailable``, or ``OperationNotAllowed`` beyond a quota or for a spot machine that pays too
            little.
        """
        wanted = _wanted(machine, size or machine.size)
        require_affordable(machine, wanted.size)
        self.quotas.require(wanted, but=machine)
        require_size_in_zone(machine.id, _size_of(wanted.size), location=wanted.location, zone=wanted.zone)
        lack = self.capacity.lacking(wanted, but=machine)
        if lack is not None and lack.shown_as is CapacityFailure.SKU_NOT_AVAILABLE:
            raise no_capacity(lack.shown_as, wanted) if wanted.priority is Priority.REGULAR else no_spot(machine)

    def claim(self, machine: VirtualMachine) -> None:
        """Claim capacity for an operation that begins; a lack is remembered, and ends the operation in `settle`."""
        wanted = _wanted(machine, machine.size)
        lack = self.capacity.lacking(wanted, but=machine)
        if lack is None:
            machine.claim, machine.denied = wanted, None
        else:
            machine.denied = no_capacity(lack.shown_as, wanted)

    def settle(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        """Give a machine the hardware that the operation which now ends was about.

        Raises
        ------
        ArmError
            ``AllocationFailed`` and the like.
        """
        if machine.denied is not None:
            error, machine.denied = machine.denied, None
            raise error
        if kind in _RESIZES:
            self._resize(machine, kind, now)
            return
        # A create that was pushed aside by a power off has hardware too once the power off ends.
        is_late = kind is OperationKind.POWER_OFF and machine.placement is None and machine.claim is not None
        if kind in _NEW_HARDWARE or is_late:
            self._place(machine, kind, now)

    def release(self, machine: VirtualMachine, now: float) -> None:
        """Take a machine's hardware back; one that has none is fine."""
        machine.claim = None
        machine.denied = None
        machine.eviction = None
        self._leave(machine, now)

    def _place(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        before = machine.placement
        # A redeploy always moves; every other allocation may find an old host again.
        avoided = before.host_id if before is not None else None
        self._leave(machine, now)
        cores = _cores_of(machine)
        host = self.hosts.take(
            hardware_of(machine.size), cores, location=machine.location, zone=machine.zone, avoided=avoided
        )
        machine.placements.append(Placement(host_id=host.id, cores=cores, since=now, cause=str(kind)))

    def _resize(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        placement = machine.placement
        if placement is None:
            return
        cores = _cores_of(machine)
        if self.hosts.stretch(placement.host_id, before=placement.cores, after=cores):
            placement.cores = cores
            return
        self._place(machine, kind, now)

    def _leave(self, machine: VirtualMachine, now: float) -> None:
        placement = machine.placement
        if placement is None:
            return
        self.hosts.give_back(placement.host_id, placement.cores)
        placement.until = now


def _wanted(machine: VirtualMachine, size: str) -> Claim:
    return Claim(size=size, location=machine.location, zone=machine.zone, priority=machine.priority)


def _cores_of(machine: VirtualMachine) -> int:
    return _size_of(machine.size).cores


def _size_of(name: str) -> MachineSize:
    size = find_size(name)
    if size is None:  # pragma: no cover - refused when the machine was written
        raise LookupError(name)
    return size
