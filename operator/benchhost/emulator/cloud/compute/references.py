"""Which placement groups, hosts and reservations a machine names, and what Azure refuses about it.

Azure's documents say what cannot be combined (spot-vms, dedicated-hosts, capacity-reservation-overview); how it words
the refusals was not found, so these sentences are this project's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import PowerState, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.placement_groups import GroupType, not_found
from benchhost.emulator.cloud.context import Body, Context, reference_id

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource

NAMES = ("proximityPlacementGroup", "host", "hostGroup", "capacityReservation")
"""The properties of a machine that name such a thing."""

_GROUPS = {
    "proximityPlacementGroup": GroupType.PROXIMITY,
    "hostGroup": GroupType.HOSTS,
    "capacityReservation": GroupType.RESERVATIONS,
}


class References:
    """Checks and ties what machines name."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def find(self, machine: VirtualMachine, name: str) -> Resource | None:
        """Return what a machine names under a property, or None."""
        text = named_in(machine.properties, name)
        return None if text is None else self._context.store.find(text)

    def check(self, machine: VirtualMachine, properties: Body) -> None:
        """Refuse properties of a machine that name what is not there or cannot be combined.

        Raises
        ------
        ArmError
            ``NotFound`` or ``BadRequest``.
        """
        named = {name: text for name in NAMES if (text := named_in(properties, name)) is not None}
        _require_combinable(machine, named)
        for name, text in named.items():
            found = self._context.store.find(text)
            if found is None or found.location != machine.location:
                raise not_found(_GROUPS.get(name, GroupType.HOSTS), text)
            self._require_zone(machine, name, found)
        if "hostGroup" in named and not self._is_automatic(named["hostGroup"]):
            raise _impossible(f"The host group {named['hostGroup']} does not support automatic placement; name a host.")

    def tie(self, machine: VirtualMachine) -> None:
        """Remember that a machine names what it names."""
        for name in NAMES:
            found = self.find(machine, name)
            if found is not None:
                found.hold(str(machine.id))

    def untie(self, machine: VirtualMachine) -> None:
        """Forget that a machine named anything."""
        for name in NAMES:
            found = self.find(machine, name)
            if found is not None:
                found.release(str(machine.id))

    def follow(self, machine: VirtualMachine, given: Body, draft: Body) -> None:
        """Take over into ``draft`` what a PUT or PATCH changes about the references of a machine.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` while the machine has hardware (doc: capacity-reservation-remove-vm), or what
            `check` raises.
        """
        changed = [name for name in NAMES if name in given and _differs(machine.properties, given, name)]
        if not changed:
            return
        if machine.power not in (PowerState.DEALLOCATED, None):
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation 'Update VM' is not allowed on VM '{machine.id.name}' since the VM is not deallocated.",
            )
        for name in changed:
            if named_in(given, name) is None:
                draft.pop(name, None)
            else:
                draft[name] = given[name]
        self.check(machine, draft)

    def _require_zone(self, machine: VirtualMachine, name: str, found: Resource) -> None:
        place = self._context.store.find(found.id.parent) if name == "host" and found.id.parent else found
        zones = [] if place is None else [str(zone) for zone in place.extras.get("zones") or ()]
        if machine.zone in zones or (machine.zone is None and not zones):
            return
        if name == "proximityPlacementGroup" and not zones:
            return
        raise _impossible(
            f"The VM '{machine.id.name}' in zone '{machine.zone or ''}' names {found.id}, which is in zone "
            f"'{','.join(zones)}'."
        )

    def _is_automatic(self, text: str) -> bool:
        group = self._context.store.find(text)
        return group is not None and bool(group.properties.get("supportAutomaticPlacement"))


def named_in(properties: Body, name: str) -> str | None:
    """Return the id under one of `NAMES`."""
    value = properties.get(name)
    if name == "capacityReservation":
        value = value.get("capacityReservationGroup") if isinstance(value, dict) else None
    return reference_id(value)


def _differs(present: Body, given: Body, name: str) -> bool:
    before, after = named_in(present, name), named_in(given, name)
    return (before or "").lower() != (after or "").lower()


def _require_combinable(machine: VirtualMachine, named: dict[str, str]) -> None:
    on_host = "host" in named or "hostGroup" in named
    if "host" in named and "hostGroup" in named:
        raise _impossible("A VM can name either a host or a host group, not both.")
    if on_host and machine.priority is Priority.SPOT:
        raise _impossible("Azure Spot Virtual Machine is not supported on a Dedicated Host.")
    if "capacityReservation" not in named:
        return
    if machine.priority is Priority.SPOT:
        raise _impossible("Azure Spot Virtual Machine is not supported with a Capacity Reservation.")
    if on_host or "proximityPlacementGroup" in named:
        raise _impossible(
            "A Capacity Reservation cannot be combined with a Dedicated Host or a Proximity Placement Group."
        )


def _impossible(message: str) -> errors.ArmError:
    return errors.bad_request("BadRequest", message)
