"""Dedicated hosts: hardware that one customer has to himself, in a host group.

A host offers the sizes of one series, as many as its cores allow. Machines get on it in `allocation`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES, find_size
from benchhost.emulator.cloud.compute.hardware import series_of
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.context import Body, Context, new_resource, properties_of, tags_of, touch
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource

_TYPE = re.compile(r"(?P<series>.+)-Type\d+", re.IGNORECASE)
_CORES = {"dsv3-type1": 64, "esv3-type1": 56}
"""vCPUs of a host type, from the allocatable machines in Azure's documents on dedicated hosts."""

DEFAULT_CORES = 96
"""vCPUs of every other host type; assumption."""


class DedicatedHosts:
    """The dedicated hosts of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(self, host_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create a host in its group, or replace its tags."""
        context = self._context
        context.groups.get_for_write(host_id.group)
        group = self._group_of(host_id)
        draft = new_resource(context, host_id, body, now=now)
        if draft.location != group.location:
            raise errors.bad_request(
                "BadRequest", f"Host '{host_id.name}' has to be in the location of its group, '{group.location}'."
            )
        sku = str((body.get("sku") or {}).get("name") or "")
        if not sku:
            raise errors.missing_parameter("sku.name")
        existing = context.store.find(host_id)
        if existing is not None:
            return self._update(existing, body, sku, now)
        if not sizes_of_type(sku):
            raise errors.invalid_parameter(f"The value '{sku}' of parameter 'sku.name' is invalid.", "sku.name")
        given = properties_of(body)
        draft.properties = {
            "platformFaultDomain": int(given.get("platformFaultDomain") or 0),
            "autoReplaceOnFailure": bool(given.get("autoReplaceOnFailure", True)),
            "licenseType": given.get("licenseType") or "None",
        }
        draft.provisioning_state = ProvisioningState.CREATING
        context.store.add(draft)
        return draft, context.operations.begin(OperationKind.WRITE_PLACEMENT, draft, now), True

    def patch(self, host_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation]:
        """Replace the tags of a host."""
        self._context.groups.get_for_write(host_id.group)
        host = self._context.store.get(host_id)
        updated, operation, _ = self._update(host, body, str(host.extras["sku"]["name"]), now)
        return updated, operation

    def delete(self, host_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a host; None when there is none.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` while machines are on it or refer to it (wording assumed).
        """
        host = self._context.store.find(host_id)
        if host is None:
            return None
        if host.used_by or self.machines_on(host):
            raise errors.conflict(
                "OperationNotAllowed",
                f"Dedicated Host '{host_id.name}' cannot be deleted. Before deleting a Dedicated Host please "
                "ensure that it does not contain any VM.",
            )
        host.provisioning_state = ProvisioningState.DELETING
        return self._context.operations.begin(OperationKind.DELETE_PLACEMENT, host, now)

    def machines_on(self, host: Resource) -> list[VirtualMachine]:
        """Return the machines that a host has lent its cores to."""
        machines = self._context.store.list_of_kind("Microsoft.Compute/virtualMachines")
        return [
            machine
            for machine in machines
            if isinstance(machine, VirtualMachine)
            and machine.claim is not None
            and machine.claim.dedicated_host == str(host.id)
        ]

    def free_cores(self, host: Resource, *, but: VirtualMachine | None = None) -> int:
        """Return how many cores a host has left; ``but`` is not counted."""
        claims = [machine.claim for machine in self.machines_on(host) if machine is not but]
        sizes = [find_size(claim.size) for claim in claims if claim is not None]
        return cores_of_type(host.extras["sku"]["name"]) - sum(size.cores for size in sizes if size is not None)

    def room_for(self, host: Resource, size: MachineSize, *, but: VirtualMachine | None = None) -> bool:
        """Tell whether a host offers a size and has room for it."""
        is_offered = size in sizes_of_type(host.extras["sku"]["name"])
        return host.is_settled and is_offered and size.cores <= self.free_cores(host, but=but)

    def allocatable(self, host: Resource) -> list[tuple[str, int]]:
        """Return how many machines of each size still fit on a host."""
        free = self.free_cores(host)
        return [(size.name, free // size.cores) for size in sizes_of_type(host.extras["sku"]["name"])]

    def _update(self, host: Resource, body: Body, sku: str, now: float) -> tuple[Resource, Operation, bool]:
        if sku.lower() != str(host.extras["sku"]["name"]).lower():
            raise errors.property_change_not_allowed("sku.name")
        host.tags = tags_of(body)
        host.provisioning_state = ProvisioningState.UPDATING
        touch(self._context, host)
        return host, self._context.operations.begin(OperationKind.WRITE_PLACEMENT, host, now), False

    def _group_of(self, host_id: ResourceId) -> Resource:
        parent = host_id.parent
        group = None if parent is None else self._context.store.find(parent)
        if group is None:
            raise errors.parent_not_found("hostGroups/hosts", "/".join(host_id.names[:-1]))
        return group


def sizes_of_type(host_type: str) -> list[MachineSize]:
    """Return the sizes that a host type such as ``DSv3-Type1`` offers; none for a type that there is not."""
    found = _TYPE.fullmatch(host_type)
    series = "" if found is None else found["series"].lower()
    return [size for size in MACHINE_SIZES.values() if series_of(size.name).lower() == series]


def cores_of_type(host_type: str) -> int:
    """Return how many vCPUs a host of a type lends out."""
    return _CORES.get(host_type.lower(), DEFAULT_CORES)
