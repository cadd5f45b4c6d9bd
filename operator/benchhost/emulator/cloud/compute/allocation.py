"""Gives machines hardware and takes it back: the one place where capacity, quotas and hidden hosts come together.

A machine claims capacity when a request that needs hardware is accepted, and gets its host when the operation ends.
Called by `machines` and `power` at the beginning of an operation, by `lifecycle` and `eviction` at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import find_size
from benchhost.emulator.cloud.compute.capacity import Capacity, CapacityFailure, no_capacity, no_spot
from benchhost.emulator.cloud.compute.dedicated_hosts import DedicatedHosts, sizes_of_type
from benchhost.emulator.cloud.compute.hardware import hardware_of
from benchhost.emulator.cloud.compute.hosts import Hosts
from benchhost.emulator.cloud.compute.machine import Claim, Placement, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.references import References
from benchhost.emulator.cloud.compute.reservations import Reservations
from benchhost.emulator.cloud.compute.spot import require_affordable
from benchhost.emulator.cloud.operations import OperationKind
from benchhost.emulator.cloud.quotas import Quotas
from benchhost.emulator.cloud.zones import require_size_in_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize
    from benchhost.emulator.cloud.context import Context
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.resources import Resource

_NEW_HARDWARE = frozenset({OperationKind.CREATE_MACHINE, OperationKind.START_DEALLOCATED, OperationKind.REDEPLOY})
"""Operations after which a machine has been placed anew (doc: states-billing, allocation-failure, redeploy)."""

_RESIZES = frozenset({OperationKind.RESIZE_MACHINE, OperationKind.RESIZE_RUNNING_MACHINE})

_GIVING_BACK = frozenset({OperationKind.DEALLOCATE, OperationKind.HIBERNATE})
"""Operations that need no hardware, whatever a create before them was denied."""


MAX_PLACEMENTS = 100
"""How many stays of a machine are kept."""


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
        self.references = References(context)
        self.dedicated_hosts = DedicatedHosts(context)
        self.reservations = Reservations(context, self.capacity, self.quotas)
        self._context = context

    def require(self, machine: VirtualMachine, *, size: str | None = None) -> None:
        """Refuse what Azure refuses at once; ``size`` is another than the machine's for a resize.

        Raises
        ------
        ArmError
            ``SkuNotAvailable``, ``OperationNotAllowed`` beyond a quota or for a spot machine that pays too little,
            or ``BadRequest`` where a host or reservation group has nothing for the size.
        """
        wanted = self._wanted(machine, size or machine.size)
        require_affordable(machine, wanted.size)
        require_size_in_zone(machine.id, _size_of(wanted.size), location=wanted.location, zone=wanted.zone)
        self._require_match(machine, wanted)
        if not wanted.is_general or self._hosts_named_by(machine):
            return
        self.quotas.require(wanted, but=machine)
        lack = self.capacity.lacking(wanted, but=machine)
        if lack is not None and lack.shown_as is CapacityFailure.SKU_NOT_AVAILABLE:
            raise no_capacity(lack.shown_as, wanted) if wanted.priority is Priority.REGULAR else no_spot(machine)

    def claim(self, machine: VirtualMachine) -> None:
        """Claim capacity for an operation that begins; a lack is remembered, and ends the operation in `settle`."""
        wanted = self._wanted(machine, machine.size)
        machine.denied = self._lack(machine, wanted)
        if machine.denied is None:
            machine.claim = wanted

    def settle(self, machine: VirtualMachine, kind: OperationKind, now: float) -> None:
        """Give a machine the hardware that the operation which now ends was about.

        Raises
        ------
        ArmError
            ``AllocationFailed`` and the like.
        """
        if machine.denied is not None and kind not in _GIVING_BACK:
            error, machine.denied = machine.denied, None
            raise error
        if kind in _RESIZES:
            self._resize(machine, kind, now)
            return
        # A create that was pushed aside by a power off has hardware too once the power off ends.
        is_late = kind is OperationKind.POWER_OFF and machine.placement is None and machine.claim is not None
        if kind in _NEW_HARDWARE or is_late:
            self._place(machine, kind, now)

    def give_up(self, machine: VirtualMachine, now: float) -> None:
        """Forget what a failed operation has claimed; a machine that has hardware keeps it."""
        machine.denied = None
        if not machine.is_allocated:
            self.release(machine, now)

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
        cores, hardware = _cores_of(machine), hardware_of(machine.size)
        dedicated = machine.claim.dedicated_host if machine.claim is not None else None
        if dedicated is not None:
            host = self.hosts.take_dedicated(dedicated, hardware, cores, location=machine.location)
        else:
            host = self.hosts.take(hardware, cores, location=machine.location, zone=machine.zone, avoided=avoided)
        machine.placements.append(Placement(host_id=host.id, cores=cores, since=now, cause=str(kind)))
        del machine.placements[:-MAX_PLACEMENTS]

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

    def _wanted(self, machine: VirtualMachine, size: str) -> Claim:
        named = self._hosts_named_by(machine)
        fitting = [host for host in named if self.dedicated_hosts.room_for(host, _size_of(size), but=machine)]
        reservation = self._reservation_named_by(machine, size)
        has_slot = reservation is not None and self.reservations.has_slot(reservation, machine)
        return Claim(
            size=size,
            location=machine.location,
            zone=machine.zone,
            priority=machine.priority,
            reservation=str(reservation.id) if reservation is not None and has_slot else None,
            dedicated_host=str(fitting[0].id) if fitting else None,
        )

    def _lack(self, machine: VirtualMachine, wanted: Claim) -> ArmError | None:
        if wanted.reservation is not None or wanted.dedicated_host is not None:
            return None
        if self._hosts_named_by(machine):
            # Doc: dedicated-hosts-how-to, a machine that does not fit on its host is created in state Failed.
            return no_capacity(CapacityFailure.ALLOCATION_FAILED, wanted)
        if self._is_pinned_elsewhere(machine):
            return no_capacity(CapacityFailure.OVERCONSTRAINED, wanted, more=("Proximity Placement Group",))
        lack = self.capacity.lacking(wanted, but=machine)
        return None if lack is None else no_capacity(lack.shown_as, wanted)

    def _require_match(self, machine: VirtualMachine, wanted: Claim) -> None:
        hosts = self._hosts_named_by(machine)
        offered = [size.name for host in hosts for size in sizes_of_type(host.extras["sku"]["name"])]
        if hosts and wanted.size not in offered:
            raise errors.bad_request(
                "BadRequest", f"VM size {wanted.size} is not offered by the Dedicated Host {hosts[0].id}."
            )
        group = self.references.find(machine, "capacityReservation")
        if group is not None and self.reservations.find(group, wanted.size, wanted.zone) is None:
            # Doc: capacity-reservation-overview, "Azure returns an error message"; which one was not found.
            raise errors.bad_request(
                "BadRequest",
                f"The Capacity Reservation Group {group.id} has no Capacity Reservation for VM size {wanted.size} in "
                f"zone '{wanted.zone or ''}'.",
            )

    def _hosts_named_by(self, machine: VirtualMachine) -> list[Resource]:
        host = self.references.find(machine, "host")
        group = self.references.find(machine, "hostGroup")
        if host is not None:
            return [host]
        return [] if group is None else self._context.store.children(group.id, "hosts")

    def _reservation_named_by(self, machine: VirtualMachine, size: str) -> Resource | None:
        group = self.references.find(machine, "capacityReservation")
        return None if group is None else self.reservations.find(group, size, machine.zone)

    def _is_pinned_elsewhere(self, machine: VirtualMachine) -> bool:
        group = self.references.find(machine, "proximityPlacementGroup")
        members = [] if group is None else [self._context.store.find(user) for user in group.used_by]
        return any(
            isinstance(member, VirtualMachine)
            and member is not machine
            and member.claim is not None
            and member.claim.zone != machine.zone
            for member in members
        )


def _cores_of(machine: VirtualMachine) -> int:
    return _size_of(machine.size).cores


def _size_of(name: str) -> MachineSize:
    size = find_size(name)
    if size is None:  # pragma: no cover - refused when the machine was written
        raise LookupError(name)
    return size
