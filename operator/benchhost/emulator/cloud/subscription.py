"""The subscription: everything that exists in the emulated cloud, behind one object.

`benchhost.emulator.arm` turns requests into calls of it; tests call it directly. Call `advance` with the present
time before anything else.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.allocation import Allocator
from benchhost.emulator.cloud.compute.attachments import Attachments
from benchhost.emulator.cloud.compute.disks import Disks
from benchhost.emulator.cloud.compute.eviction import Evictions
from benchhost.emulator.cloud.compute.interface_configurations import ConfiguredInterfaces
from benchhost.emulator.cloud.compute.lifecycle import MachineLifecycle
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.machines import VirtualMachines
from benchhost.emulator.cloud.compute.placement_groups import GroupType, PlacementGroups
from benchhost.emulator.cloud.compute.power import Power
from benchhost.emulator.cloud.context import Context
from benchhost.emulator.cloud.deployments.service import Deployments
from benchhost.emulator.cloud.groups import ResourceGroups
from benchhost.emulator.cloud.identifiers import IdentifierSource, resource_key
from benchhost.emulator.cloud.identity.user_assigned import UserAssignedIdentities
from benchhost.emulator.cloud.locks import Locks
from benchhost.emulator.cloud.network.interfaces import Interfaces
from benchhost.emulator.cloud.network.public_addresses import PublicAddresses
from benchhost.emulator.cloud.network.security_groups import SecurityGroups
from benchhost.emulator.cloud.network.virtual_networks import VirtualNetworks
from benchhost.emulator.cloud.operations import Operation, OperationKind, Operations
from benchhost.emulator.cloud.resources import ProvisioningState, Resource, ResourceStore

if TYPE_CHECKING:
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.latency import LatencyModel

_MACHINE_KINDS = (
    OperationKind.CREATE_MACHINE,
    OperationKind.UPDATE_MACHINE,
    OperationKind.RESIZE_MACHINE,
    OperationKind.RESIZE_RUNNING_MACHINE,
    OperationKind.START_STOPPED,
    OperationKind.START_DEALLOCATED,
    OperationKind.POWER_OFF,
    OperationKind.RESTART,
    OperationKind.DEALLOCATE,
    OperationKind.HIBERNATE,
    OperationKind.REDEPLOY,
    OperationKind.REAPPLY,
    OperationKind.NO_CHANGE,
)


class Subscription:
    """One emulated subscription.

    Parameters
    ----------
    subscription_id, tenant_id
        GUIDs.
    locations
        Regions that are offered.
    latency
        How long operations take.
    seed
        The same seed gives the same identifiers; None gives others each time.
    """

    def __init__(
        self,
        subscription_id: str,
        tenant_id: str,
        *,
        locations: tuple[str, ...],
        latency: LatencyModel,
        seed: int | None = None,
    ) -> None:
        identifiers = IdentifierSource(random.Random(seed))  # noqa: S311 - identifiers, no secrets
        self.operations = Operations(identifiers, latency.operation)
        self.groups = ResourceGroups(locations, self.operations)
        self.store = ResourceStore()
        self.context = Context(
            subscription_id=subscription_id,
            tenant_id=tenant_id,
            locations=locations,
            identifiers=identifiers,
            operations=self.operations,
            groups=self.groups,
            store=self.store,
            scale=latency.factor,
        )
        self.networks = VirtualNetworks(self.context)
        self.security_groups = SecurityGroups(self.context)
        self.allocator = Allocator(self.context)
        self.addresses = PublicAddresses(self.context, self.allocator.quotas)
        self.interfaces = Interfaces(self.context)
        self.disks = Disks(self.context)
        self.placement_groups = {kind: PlacementGroups(self.context, kind) for kind in GroupType}
        self.identities = UserAssignedIdentities(self.context)
        self.locks = Locks()
        self.deployments = Deployments(self.context)
        attachments = Attachments(self.context, self.interfaces, self.disks)
        configured = ConfiguredInterfaces(self.context, self.interfaces, self.addresses)
        self.machines = VirtualMachines(self.context, attachments, configured=configured, allocator=self.allocator)
        self.power = Power(self.context, self.allocator)
        self._lifecycle = MachineLifecycle(
            self.context,
            self.machines,
            attachments=attachments,
            interfaces=self.interfaces,
            addresses=self.addresses,
            locks=self.locks,
            allocator=self.allocator,
        )
        self.evictions = Evictions(
            self.context, self.machines, lifecycle=self._lifecycle, capacity=self.allocator.capacity
        )
        self._register_completions()

    @property
    def id(self) -> str:
        """The subscription id."""
        return self.context.subscription_id

    def advance(self, now: float) -> None:
        """Let everything happen that is due at ``now`` (seconds since 1970)."""
        self.operations.advance(now)
        self.interfaces.reservations.expire(now)

    def delete_group(self, name: str, now: float) -> Operation:
        """Begin the deletion of a resource group and of everything in it.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``.
        """
        group = self.groups.get(name)
        running = self.operations.find(group.operation_id)
        if running is not None and running.is_running:
            return running
        for resource in self.store.list_in_group(name):
            self.operations.preempt(resource, now)
            resource.provisioning_state = ProvisioningState.DELETING
        return self.groups.mark_deleting(group, now)

    def _register_completions(self) -> None:
        for kind in _MACHINE_KINDS:
            self.operations.on_completion(kind, self._lifecycle.complete)
        self.operations.on_completion(OperationKind.DELETE_MACHINE, self._lifecycle.complete_delete)
        self.operations.on_completion(OperationKind.EVICT_MACHINE, self.evictions.complete)
        self.operations.on_completion(OperationKind.WRITE_DISK, self._lifecycle.complete_write)
        self.operations.on_completion(OperationKind.DELETE_DISK, self._lifecycle.complete_plain_delete)
        self.operations.on_completion(OperationKind.WRITE_NETWORK, self._complete_network_write)
        self.operations.on_completion(OperationKind.WRITE_PLACEMENT, self._lifecycle.complete_write)
        self.operations.on_completion(OperationKind.DELETE_PLACEMENT, self._lifecycle.complete_plain_delete)
        self.operations.on_completion(OperationKind.DELETE_NETWORK, self._complete_network_delete)
        self.operations.on_completion(OperationKind.DELETE_GROUP, self._complete_group_delete)
        self.operations.on_completion(OperationKind.DEPLOYMENT_STEP, self.deployments.advance)
        self.operations.on_failure(self._fail)

    def _fail(self, operation: Operation, error: ArmError, now: float) -> None:
        if operation.target is None:
            self._keep_group(operation)
            return
        if operation.kind is OperationKind.DEPLOYMENT_STEP:
            self.deployments.fail(operation, error, now)
            return
        resource = self.store.find(operation.target)
        if isinstance(resource, VirtualMachine):
            self._lifecycle.fail(operation, error, now)
        elif resource is not None:
            resource.operation_id = None
            resource.provisioning_state = ProvisioningState.FAILED

    def _complete_network_write(self, operation: Operation, _now: float) -> None:
        resource = None if operation.target is None else self.store.find(operation.target)
        if resource is not None:
            resource.operation_id = None
            self.networks.settle(resource)

    def _complete_network_delete(self, operation: Operation, _now: float) -> None:
        resource = None if operation.target is None else self.store.find(operation.target)
        if resource is not None:
            self._remove(resource, _now)

    def _complete_group_delete(self, operation: Operation, now: float) -> None:
        resources = self.store.list_in_group(operation.group)
        blocker = self._first_user_outside(operation.group, resources)
        if blocker is not None:
            self._give_up_group_delete(operation, blocker=blocker, now=now)
            return
        for resource in sorted(resources, key=_removal_order):
            self._remove(resource, now)
        self.deployments.forget_group(operation.group)
        self.groups.remove(operation.group)

    def _remove(self, resource: Resource, now: float) -> None:
        if isinstance(resource, VirtualMachine):
            self.machines.remove(resource, now)
            return
        match resource.id.types[0].lower():
            case "networkinterfaces":
                self.interfaces.remove(resource)
            case "publicipaddresses":
                self.addresses.remove(resource)
            case "virtualnetworks":
                self.networks.remove(resource)
            case _:
                self.store.remove(resource.id)

    def _first_user_outside(self, group: str, resources: list[Resource]) -> str | None:
        prefix = resource_key(f"/subscriptions/{self.id}/resourceGroups/{group}") + "/"
        users = (user for resource in resources for user in resource.used_by)
        return next((user for user in users if not user.startswith(prefix)), None)

    def _give_up_group_delete(self, operation: Operation, *, blocker: str, now: float) -> None:
        self._keep_group(operation)
        error = errors.conflict(
            "ResourceGroupDeletionBlocked",
            f"Deletion of resource group '{operation.group}' failed as resources in it are used by {blocker}.",
        )
        self.operations.end(operation, now, error=error)

    def _keep_group(self, operation: Operation) -> None:
        for resource in self.store.list_in_group(operation.group):
            resource.provisioning_state = ProvisioningState.SUCCEEDED
        self.groups.get(operation.group).state = ProvisioningState.SUCCEEDED


def _removal_order(resource: Resource) -> int:
    order = ("virtualmachines", "networkinterfaces", "publicipaddresses")
    kind = resource.id.types[0].lower()
    return order.index(kind) if kind in order else len(order)
