"""Capacity reservations: room that is kept for the machines that name their group.

A reservation takes capacity and quota as its machines would, and a machine that has one of its slots takes neither
(doc: capacity-reservation-overview). Machines beyond the reserved number are allocated like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import find_size
from benchhost.emulator.cloud.compute.capacity import CapacityFailure, no_capacity
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.reserved import claim_of, slots_of
from benchhost.emulator.cloud.context import Body, Context, new_resource, tags_of, touch
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState, Resource
from benchhost.emulator.cloud.zones import require_one_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.capacity import Capacity
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.quotas import Quotas


class Reservations:
    """The capacity reservations of a subscription.

    Parameters
    ----------
    context
        The subscription's state.
    capacity, quotas
        What a reservation is taken from.
    """

    def __init__(self, context: Context, capacity: Capacity, quotas: Quotas) -> None:
        self._context = context
        self._capacity = capacity
        self._quotas = quotas

    def put(self, reservation_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create a reservation, or change how many machines it is for."""
        context = self._context
        context.groups.get_for_write(reservation_id.group)
        group = self._group_of(reservation_id)
        draft = new_resource(context, reservation_id, body, now=now)
        require_one_zone(reservation_id, draft.location, body.get("zones"))
        sku = _sku(body.get("sku") or {})
        existing = context.store.find(reservation_id)
        if existing is not None:
            return (*self._resize(existing, sku, tags_of(body), now), False)
        self._check_place(draft, group, sku["name"])
        draft.extras["sku"] = sku
        draft.properties = {"platformFaultDomainCount": 1}
        self._require(draft, sku["capacity"], but=None)
        draft.provisioning_state = ProvisioningState.CREATING
        context.store.add(draft)
        return draft, context.operations.begin(OperationKind.WRITE_PLACEMENT, draft, now), True

    def patch(self, reservation_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation]:
        """Change how many machines a reservation is for, or its tags."""
        self._context.groups.get_for_write(reservation_id.group)
        found = self._context.store.get(reservation_id)
        tags = tags_of(body) if "tags" in body else found.tags
        return self._resize(found, _sku({**found.extras["sku"], **(body.get("sku") or {})}), tags, now)

    def delete(self, reservation_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a reservation; None when there is none.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` while machines have it (doc: capacity-reservation-modify; wording assumed).
        """
        found = self._context.store.find(reservation_id)
        if found is None:
            return None
        if self.machines_in(found):
            raise errors.conflict(
                "OperationNotAllowed",
                f"Capacity Reservation '{reservation_id.name}' cannot be deleted. Before deleting a Capacity "
                "Reservation please ensure that no VM is allocated against it.",
            )
        found.provisioning_state = ProvisioningState.DELETING
        return self._context.operations.begin(OperationKind.DELETE_PLACEMENT, found, now)

    def machines_of(self, reservation: Resource) -> list[VirtualMachine]:
        """Return the machines that name the reservation's group and match it, with hardware or without."""
        parent = reservation.id.parent
        group = None if parent is None else self._context.store.find(parent)
        users = [] if group is None else [self._context.store.find(user) for user in group.used_by]
        return [user for user in users if isinstance(user, VirtualMachine) and _fits(reservation, user.size, user.zone)]

    def machines_in(self, reservation: Resource) -> list[VirtualMachine]:
        """Return the machines that are allocated against a reservation, those beyond its number counted."""
        return [machine for machine in self.machines_of(reservation) if machine.claim is not None]

    def find(self, group: Resource, size: str, zone: str | None) -> Resource | None:
        """Return the reservation of a group for a size in a zone, or None."""
        members = self._context.store.children(group.id, "capacityReservations")
        return next((member for member in members if member.is_settled and _fits(member, size, zone)), None)

    def has_slot(self, reservation: Resource, machine: VirtualMachine) -> bool:
        """Tell whether a reservation has room for one more machine."""
        taken = [
            other
            for other in self.machines_in(reservation)
            if other is not machine and other.claim is not None and other.claim.reservation == str(reservation.id)
        ]
        return len(taken) < slots_of(reservation)

    def _resize(self, reservation: Resource, sku: Body, tags: dict[str, str], now: float) -> tuple[Resource, Operation]:
        if sku["name"] != reservation.extras["sku"]["name"]:
            raise errors.property_change_not_allowed("sku.name")
        if sku["capacity"] > slots_of(reservation):
            self._require(reservation, sku["capacity"], but=reservation)
        reservation.extras["sku"] = sku
        reservation.tags = tags
        reservation.provisioning_state = ProvisioningState.UPDATING
        touch(self._context, reservation)
        return reservation, self._context.operations.begin(OperationKind.WRITE_PLACEMENT, reservation, now)

    def _require(self, reservation: Resource, number: int, *, but: Resource | None) -> None:
        claim = claim_of(reservation)
        self._quotas.require(claim, but=but, number=number)
        if self._capacity.lacking(claim, but=but, number=number) is not None:
            raise no_capacity(CapacityFailure.SKU_NOT_AVAILABLE, claim)

    def _check_place(self, draft: Resource, group: Resource, size: str) -> None:
        zones = group.extras.get("zones") or []
        own = (draft.extras.get("zones") or [None])[0]
        if draft.location != group.location or (own is not None and own not in zones) or (zones and own is None):
            raise errors.bad_request(
                "BadRequest",
                f"Capacity Reservation '{draft.id.name}' has to be in the location and in one of the zones of its "
                f"group, '{group.location}' and '{','.join(zones)}'.",
            )
        if any(_fits(other, size, own) for other in self._context.store.children(group.id, "capacityReservations")):
            raise errors.conflict(
                "OperationNotAllowed",
                f"The group '{group.id.name}' already has a Capacity Reservation for VM size {size} there.",
            )

    def _group_of(self, reservation_id: ResourceId) -> Resource:
        parent = reservation_id.parent
        group = None if parent is None else self._context.store.find(parent)
        if group is None:
            raise errors.parent_not_found(
                "capacityReservationGroups/capacityReservations", "/".join(reservation_id.names[:-1])
            )
        return group


def _fits(reservation: Resource, size: str, zone: str | None) -> bool:
    claim = claim_of(reservation)
    return (claim.size, claim.zone) == (size, zone)


def _sku(sku: Body) -> Body:
    name, number = sku.get("name"), sku.get("capacity")
    size = find_size(str(name)) if name else None
    if size is None:
        raise errors.invalid_parameter(f"The value '{name}' of parameter 'sku.name' is invalid.", "sku.name")
    if size.name.lower().startswith("standard_hb"):
        # Doc: capacity-reservation-overview names the series; the words are recorded in azure-cli#18943.
        raise errors.bad_request("NotSupported", f"Capacity Reservation is not supported for VM size {size.name}.")
    return {"name": size.name, "capacity": _number(number)}


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise errors.invalid_parameter(f"The value '{value}' of parameter 'sku.capacity' is invalid.", "sku.capacity")
    return value
