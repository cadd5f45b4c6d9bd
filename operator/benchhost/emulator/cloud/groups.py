"""Resource groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.operations import Operation, Operations

_NAME = re.compile(r"[-\w._()]{0,89}[-\w_()]")
"""Letters, digits, underscore, parentheses, hyphen, period but not at the end; 1 to 90 (ARM's naming rules)."""

GROUP_KIND = "Microsoft.Resources/resourceGroups"


@dataclass(slots=True, kw_only=True)
class ResourceGroup:
    """One resource group.

    Parameters
    ----------
    name, location, tags
        As ARM has them.
    state
        ``Succeeded`` or ``Deleting``.
    operation_id
        The deletion under way.
    """

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    state: ProvisioningState = ProvisioningState.SUCCEEDED
    operation_id: str | None = None


class ResourceGroups:
    """All resource groups of a subscription.

    Parameters
    ----------
    locations
        Where a group can be.
    operations
        Where the deletion of a group runs.
    """

    unsaved = ("_locations",)
    """A setting of each run (state.cells)."""

    def __init__(self, locations: tuple[str, ...], operations: Operations) -> None:
        self._locations = locations
        self._operations = operations
        self._groups: dict[str, ResourceGroup] = {}

    def __iter__(self) -> Any:
        """Iterate over the groups in the order of their creation."""
        return iter(list(self._groups.values()))

    def find(self, name: str) -> ResourceGroup | None:
        """Return the group of that name, in any case, or None."""
        return self._groups.get(name.lower())

    def get(self, name: str) -> ResourceGroup:
        """Return the group of that name.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``.
        """
        found = self.find(name)
        if found is None:
            raise errors.resource_group_not_found(name)
        return found

    def get_for_write(self, name: str) -> ResourceGroup:
        """Return the group that something is to be written into.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``, or ``ResourceGroupBeingDeleted``.
        """
        found = self.get(name)
        if found.state is ProvisioningState.DELETING:
            raise _being_deleted(found.name)
        return found

    def put(self, name: str, location: str, tags: dict[str, str]) -> tuple[ResourceGroup, bool]:
        """Create a group or replace its tags; the second value tells whether it is new."""
        existing = self.find(name)
        if existing is None:
            return self._create(name, location, tags), True
        if existing.state is ProvisioningState.DELETING:
            raise _being_deleted(existing.name)
        if existing.location != location:
            raise errors.conflict(
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in "
                f"location '{existing.location}'.",
            )
        existing.tags = tags
        return existing, False

    def mark_deleting(self, group: ResourceGroup, now: float) -> Operation:
        """Begin the deletion of a group."""
        operation = self._operations.begin_for_group(group.name, group.location, now)
        group.state = ProvisioningState.DELETING
        group.operation_id = operation.id
        return operation

    def remove(self, name: str) -> None:
        """Forget a group."""
        self._groups.pop(name.lower(), None)

    def _create(self, name: str, location: str, tags: dict[str, str]) -> ResourceGroup:
        if _NAME.fullmatch(name) is None:
            raise errors.bad_request(
                "InvalidResourceGroup",
                f"The provided resource group name '{name}' has these invalid characters or is too long. The "
                "name can only be a letter, digit, '-', '.', '(', ')' or '_' and cannot end with a period.",
            )
        if location not in self._locations:
            raise errors.location_not_available(location, GROUP_KIND, self._locations)
        group = ResourceGroup(name=name, location=location, tags=tags)
        self._groups[name.lower()] = group
        return group


def _being_deleted(name: str) -> ArmError:
    return errors.ArmError(
        HTTPStatus.CONFLICT,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
        from_gateway=True,
    )
