"""Groups that machines are placed by: proximity placement groups, host groups, capacity reservation groups.

They are written at once, without an operation. What they hold is in `dedicated_hosts` and `reservations`, and which
machine may name which group is in `references`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, Context, new_resource, properties_of, tags_of, touch
from benchhost.emulator.cloud.zones import require_one_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource

NAMESPACE = "Microsoft.Compute"
MAX_FAULT_DOMAINS = 3
"""Doc: dedicated-hosts, host groups."""


class GroupType(StrEnum):
    """The types of groups."""

    PROXIMITY = "proximityPlacementGroups"
    HOSTS = "hostGroups"
    RESERVATIONS = "capacityReservationGroups"


CHILDREN = {GroupType.HOSTS: "hosts", GroupType.RESERVATIONS: "capacityReservations"}
"""What is nested in a group of a type."""

_WORDS = {
    GroupType.PROXIMITY: "Proximity Placement Group",
    GroupType.HOSTS: "Dedicated Host Group",
    GroupType.RESERVATIONS: "Capacity Reservation Group",
}
_READ_ONLY = ("provisioningState", "hosts", "virtualMachines", "capacityReservations", "virtualMachinesAssociated")


class PlacementGroups:
    """The groups of one type.

    Parameters
    ----------
    context
        The subscription's state.
    kind
        Which type.
    """

    unsaved = ("kind",)
    """Which service this is, and nothing that changes (state.cells)."""

    def __init__(self, context: Context, kind: GroupType) -> None:
        self._context = context
        self.kind = kind

    def put(self, group_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, bool]:
        """Create a group, or replace its tags; the second value tells whether it is new."""
        context = self._context
        context.groups.get_for_write(group_id.group)
        draft = new_resource(context, group_id, body, now=now)
        if self.kind is not GroupType.RESERVATIONS:
            require_one_zone(group_id, draft.location, body.get("zones"))
        draft.properties = self._properties(properties_of(body))
        existing = context.store.find(group_id)
        if existing is None:
            context.store.add(draft)
            return draft, True
        if "zones" in body and body["zones"] != existing.extras.get("zones"):
            raise errors.property_change_not_allowed("zones")
        existing.tags = tags_of(body)
        existing.properties = draft.properties
        touch(context, existing)
        return existing, False

    def patch(self, group_id: ResourceId, body: Body) -> Resource:
        """Replace the tags of a group."""
        self._context.groups.get_for_write(group_id.group)
        group = self._context.store.get(group_id)
        group.tags = tags_of(body)
        touch(self._context, group)
        return group

    def delete(self, group_id: ResourceId) -> bool:
        """Delete a group; False when there is none.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` while something is in it or refers to it; worded after the one for
            availability sets (doc: error-messages).
        """
        group = self._context.store.find(group_id)
        if group is None:
            return False
        if group.used_by:
            raise self._occupied(group, "is not referenced by any VM")
        if self.children_of(group):
            raise self._occupied(group, f"does not contain any {CHILDREN[self.kind]}")
        self._context.store.remove(group_id)
        return True

    def children_of(self, group: Resource) -> list[Resource]:
        """Return what is nested in a group."""
        child = CHILDREN.get(self.kind)
        return [] if child is None else self._context.store.children(group.id, child)

    def _occupied(self, group: Resource, condition: str) -> errors.ArmError:
        words = _WORDS[self.kind]
        return errors.conflict(
            "OperationNotAllowed",
            f"{words} '{group.id.name}' cannot be deleted. Before deleting a {words} please ensure that it "
            f"{condition}.",
        )

    def _properties(self, given: Body) -> Body:
        kept = {key: value for key, value in given.items() if key not in _READ_ONLY}
        match self.kind:
            case GroupType.PROXIMITY:
                return {"proximityPlacementGroupType": "Standard", **kept}
            case GroupType.HOSTS:
                _require_fault_domains(kept)
                return {"supportAutomaticPlacement": False, **kept}
            case GroupType.RESERVATIONS:
                return kept


def not_found(kind: GroupType, text: str) -> errors.ArmError:
    """Return the refusal of a machine that names a group that is not there.

    Worded after the one for availability sets (doc: error-messages); a group of another region is not there either.
    """
    return errors.ArmError(404, "NotFound", f"The {_WORDS[kind]} {text} cannot be found.")


def _require_fault_domains(given: Body) -> None:
    count = given.get("platformFaultDomainCount")
    if count is None:
        raise errors.missing_parameter("platformFaultDomainCount")
    if not isinstance(count, int) or not 1 <= count <= MAX_FAULT_DOMAINS:
        raise errors.invalid_parameter(
            f"The specified fault domain count {count} must fall in the range 1 to {MAX_FAULT_DOMAINS}.",
            "platformFaultDomainCount",
        )
