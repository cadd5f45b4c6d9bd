"""What all resources have in common, and the store that holds them.

The store knows nothing about what a resource means: rules are in the services of `network` and `compute`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.identifiers import ResourceId, resource_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class ProvisioningState(StrEnum):
    """ARM's ``properties.provisioningState``."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"


@dataclass(slots=True, kw_only=True)
class Resource:
    """One resource: what its body shows, and what Azure knows beside it.

    Parameters
    ----------
    id, location, tags
        As ARM has them.
    properties
        The ``properties`` of the body, as the newest API version has them, without ``provisioningState``.
    extras
        Other top-level fields: ``sku``, ``zones``, ``identity``, ``plan``.
    guid
        ``vmId``, ``uniqueId`` or ``resourceGuid``.
    created_at
        Seconds since 1970.
    etag
        GUID that changes with every change (Microsoft.Network).
    revision
        Number that grows with every change (Microsoft.Compute).
    operation_id
        The operation under way, if any.
    used_by
        Ids of what holds this resource, by their keys: the machine of a NIC or disk, the IP configurations of
        an address or subnet. What is used cannot be deleted.
    """

    id: ResourceId
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    guid: str
    created_at: float
    etag: str = ""
    revision: int = 1
    provisioning_state: ProvisioningState = ProvisioningState.SUCCEEDED
    operation_id: str | None = None
    used_by: dict[str, str] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether another resource may be built upon this one."""
        return self.provisioning_state is ProvisioningState.SUCCEEDED

    @property
    def first_user(self) -> str | None:
        """The id of whoever has held this resource longest, or None."""
        return next(iter(self.used_by.values()), None)

    def hold(self, user: str) -> None:
        """Remember one user of this resource."""
        self.used_by[resource_key(user)] = user

    def release(self, user: str) -> None:
        """Forget one user of this resource; already forgotten is fine."""
        self.used_by.pop(resource_key(user), None)

    def is_used_by_others_than(self, user: str) -> bool:
        """Tell whether somebody else holds this resource."""
        return any(other != resource_key(user) for other in self.used_by)


class ResourceStore:
    """All resources of a subscription, by id and by group and type, in the order of their creation."""

    unsaved = ("_by_kind", "_by_group", "touched")
    """Follow from the rest (state.cells)."""

    watched = "_by_key"
    """Whose keys ``touched`` has, while somebody wants to know them (state.cells)."""

    def __init__(self) -> None:
        self._by_key: dict[str, Resource] = {}
        self._by_kind: dict[tuple[str, str], dict[str, Resource]] = {}
        self._by_group: dict[str, dict[str, Resource]] = {}
        self.touched: dict[str, None] | None = None

    def __len__(self) -> int:
        """Return how many resources there are, nested ones counted."""
        return len(self._by_key)

    def restored(self) -> None:
        """Make the indexes again after the resources have been put in from outside."""
        resources = list(self._by_key.values())
        self._by_kind.clear()
        self._by_group.clear()
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Put a new resource in."""
        key, group, kind = _index_of(resource.id)
        if self.touched is not None:
            self.touched.pop(key, None)  # a look for it, before others were put in, was not its creation
        self._touch(key)
        self._by_key[key] = resource
        self._by_kind.setdefault((group, kind), {})[key] = resource
        self._by_group.setdefault(group, {})[key] = resource

    def remove(self, resource_id: ResourceId) -> None:
        """Take a resource out; one that is not there is fine."""
        key, group, kind = _index_of(resource_id)
        if self._by_key.pop(key, None) is None:
            return
        self._touch(key)
        del self._by_kind[group, kind][key]
        del self._by_group[group][key]

    def find(self, resource_id: ResourceId | str) -> Resource | None:
        """Return the resource of that id, however it is spelled, or None."""
        key = resource_id.key if isinstance(resource_id, ResourceId) else resource_key(resource_id)
        self._touch(key)
        return self._by_key.get(key)

    def get(self, resource_id: ResourceId) -> Resource:
        """Return the resource of that id.

        Raises
        ------
        ArmError
            ``ResourceNotFound``, as ARM's front door words it.
        """
        found = self.find(resource_id)
        if found is None:
            kind = "/".join((resource_id.namespace, *resource_id.types))
            raise errors.resource_not_found(kind, "/".join(resource_id.names), resource_id.group)
        return found

    def list_in_group(self, group: str, kind: str | None = None) -> list[Resource]:
        """Return the resources of one group, of one type where ``kind`` is given."""
        if kind is None:
            return self._handed_out(self._by_group.get(group.lower(), {}))
        return self._handed_out(self._by_kind.get((group.lower(), kind.lower()), {}))

    def list_of_kind(self, kind: str) -> list[Resource]:
        """Return the resources of one type in all groups."""
        return [resource for resources in self._of_kind(kind.lower()) for resource in self._handed_out(resources)]

    def children(self, parent: ResourceId, kind: str) -> list[Resource]:
        """Return what is nested in ``parent``, where ``kind`` is the last part of the type."""
        full_kind = f"{parent.kind}/{kind}"
        prefix = f"{parent.key}/"
        siblings = self._by_kind.get((parent.group.lower(), full_kind.lower()), {})
        return self._handed_out({key: child for key, child in siblings.items() if key.startswith(prefix)})

    def __iter__(self) -> Iterator[Resource]:
        """Iterate over all resources."""
        return iter(self._handed_out(self._by_key))

    def _of_kind(self, kind: str) -> Iterable[dict[str, Resource]]:
        return (resources for (_, its_kind), resources in self._by_kind.items() if its_kind == kind)

    def _handed_out(self, resources: dict[str, Resource]) -> list[Resource]:
        if self.touched is not None:
            self.touched.update(dict.fromkeys(resources))
        return list(resources.values())

    def _touch(self, key: str) -> None:
        if self.touched is not None:
            self.touched[key] = None


def _index_of(resource_id: ResourceId) -> tuple[str, str, str]:
    return resource_id.key, resource_id.group.lower(), resource_id.kind.lower()
