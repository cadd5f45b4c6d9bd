"""Writing virtual machines: create, replace, patch, delete. Power is in `power`, the end of things in `lifecycle`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.attachments import Attachments
from benchhost.emulator.cloud.compute.changes import changed_properties, require_same_hardware, require_unchanged
from benchhost.emulator.cloud.compute.machine import PowerState, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.profile import machine_properties
from benchhost.emulator.cloud.compute.spot import (
    complete_spot_properties,
    require_allowed_change,
    require_spot_size,
)
from benchhost.emulator.cloud.context import (
    Body,
    Context,
    extras_of,
    location_of,
    properties_of,
    reference_id,
    tags_of,
    touch,
)
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.identity.assignment import identity_after
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.cloud.zones import require_one_zone

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.allocation import Allocator
    from benchhost.emulator.cloud.compute.interface_configurations import ConfiguredInterfaces
    from benchhost.emulator.cloud.identifiers import ResourceId

KIND = "Microsoft.Compute/virtualMachines"

INDEX_LAG_SECONDS = 2.0
"""How long ARM's index knows a deleted machine. Recorded (CLI-spot) is only that it does; the length is assumed."""

_AFTER_RESERVATION = frozenset({"PlatformImageNotFound", "SkuNotAvailable", "OperationNotAllowed"})
"""Refusals of a create that come so late that its interfaces are kept: recorded for the image, assumed for lack of
capacity and of quota."""


class VirtualMachines:
    """The virtual machines of a subscription.

    Parameters
    ----------
    context
        The subscription's state.
    attachments
        Ties machines to their interfaces and disks.
    configured
        Makes the interfaces that a machine's body describes.
    allocator
        Gives them hardware.
    """

    def __init__(
        self,
        context: Context,
        attachments: Attachments,
        *,
        configured: ConfiguredInterfaces,
        allocator: Allocator,
    ) -> None:
        self._context = context
        self._attachments = attachments
        self._configured = configured
        self._allocator = allocator
        self._deleted_at: dict[str, float] = {}

    def get(self, machine_id: ResourceId, *, now: float) -> VirtualMachine:
        """Return a machine.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``, ``ResourceNotFound``, or for a moment after a deletion, while ARM's index
            still knows the name, the provider's own ``NotFound``.
        """
        self._context.groups.get(machine_id.group)
        if self._was_just_deleted(machine_id, now):
            raise errors.entity_not_found()
        found = self._context.store.get(machine_id)
        if not isinstance(found, VirtualMachine):  # pragma: no cover - the type is part of the id
            raise TypeError(machine_id)
        return found

    def find(self, machine_id: ResourceId) -> VirtualMachine | None:
        """Return a machine, or None."""
        found = self._context.store.find(machine_id)
        return found if isinstance(found, VirtualMachine) else None

    def put(self, machine_id: ResourceId, body: Body, *, now: float) -> tuple[VirtualMachine, Operation, bool]:
        """Create a machine, or update the one of that name; the last value tells which."""
        context = self._context
        context.groups.get_for_write(machine_id.group)
        location = location_of(context, body, machine_id)
        existing = self.find(machine_id)
        if existing is None:
            machine = self._create(machine_id, body, location=location, now=now)
            return machine, context.operations.begin(OperationKind.CREATE_MACHINE, machine, now), True
        if "zones" in body and body["zones"] != existing.extras.get("zones"):
            raise errors.property_change_not_allowed("zones")
        identity = self._identity(machine_id, body, existing=existing, replace=True)
        return existing, self._update(existing, body, tags=tags_of(body), identity=identity, now=now), False

    def patch(self, machine_id: ResourceId, body: Body, *, now: float) -> tuple[VirtualMachine, Operation]:
        """Change some properties or the tags of a machine."""
        self._context.groups.get_for_write(machine_id.group)
        machine = self.get(machine_id, now=now)
        tags = tags_of(body) if "tags" in body else machine.tags
        identity = self._identity(machine_id, body, existing=machine, replace=False)
        return machine, self._update(machine, body, tags=tags, identity=identity, now=now)

    def delete(self, machine_id: ResourceId, *, force: bool, now: float) -> Operation | None:
        """Begin the deletion of a machine, pushing aside whatever is under way; None when there is none."""
        machine = self.find(machine_id)
        if machine is None:
            return None
        operations = self._context.operations
        running = operations.running_on(machine)
        if running is not None and running.kind is OperationKind.DELETE_MACHINE:
            return running
        operations.preempt(machine, now)
        machine.provisioning_state = ProvisioningState.DELETING
        machine.force_deletion = force
        machine.power_changed_at = now
        return operations.begin(OperationKind.DELETE_MACHINE, machine, now)

    def remove(self, machine: VirtualMachine, now: float) -> None:
        """Take a machine out of the subscription; what was tied to it stays."""
        self._attachments.detach_all(machine)
        self._allocator.release(machine, now)
        self._allocator.references.untie(machine)
        self._context.store.remove(machine.id)
        self._forget_deletions(now)
        self._deleted_at[machine.id.key] = now

    def _was_just_deleted(self, machine_id: ResourceId, now: float) -> bool:
        deleted_at = self._deleted_at.get(machine_id.key)
        is_known = deleted_at is not None and now < deleted_at + INDEX_LAG_SECONDS
        return is_known and self._context.store.find(machine_id) is None

    def _forget_deletions(self, now: float) -> None:
        for key in [key for key, moment in self._deleted_at.items() if moment + INDEX_LAG_SECONDS <= now]:
            del self._deleted_at[key]

    def _create(self, machine_id: ResourceId, body: Body, *, location: str, now: float) -> VirtualMachine:
        try:
            return self._new(machine_id, body, location=location, now=now)
        except ArmError as error:
            if error.code in _AFTER_RESERVATION:
                self._attachments.keep_interfaces(machine_id, _interface_ids(body), now)
            raise

    def _new(self, machine_id: ResourceId, body: Body, *, location: str, now: float) -> VirtualMachine:
        require_one_zone(machine_id, location, body.get("zones"))
        given = properties_of(body)
        properties = machine_properties(given)
        complete_spot_properties(properties)
        machine = VirtualMachine(
            id=machine_id,
            location=location,
            tags=tags_of(body),
            properties=properties,
            extras=extras_of(body),
            guid=self._context.identifiers.guid(),
            created_at=now,
            provisioning_state=ProvisioningState.CREATING,
            custom_data=(given.get("osProfile") or {}).get("customData"),
            power_changed_at=now,
        )
        machine.set_identity(self._identity(machine_id, body, existing=None, replace=True))
        self._attachments.check(machine)
        self._allocator.references.check(machine, machine.properties)
        self._allocator.require(machine)
        self._configured.make(machine, now)
        self._context.store.add(machine)
        self._allocator.references.tie(machine)
        self._allocator.claim(machine)
        self._attachments.attach(machine)
        return machine

    def _identity(
        self, machine_id: ResourceId, body: Body, *, existing: VirtualMachine | None, replace: bool
    ) -> Body | None:
        given, present = body.get("identity"), None if existing is None else existing.extras.get("identity")
        if given is None:
            return present
        return identity_after(self._context, machine_id, given, present=present, replace=replace)

    def _update(
        self, machine: VirtualMachine, body: Body, *, tags: dict[str, str], identity: Body | None, now: float
    ) -> Operation:
        self._require_idle(machine)
        given = properties_of(body)
        require_allowed_change(machine, given)
        require_unchanged(machine, given)
        draft = changed_properties(machine, given)
        self._allocator.references.follow(machine, given, draft)
        size = draft["hardwareProfile"]["vmSize"]
        kind = _update_kind(machine, size)
        # Its create may have failed: the same PUT tries again (terraform-provider-azurerm#7516).
        needs_hardware = machine.power is None or (machine.is_allocated and size != machine.size)
        if machine.priority is Priority.SPOT:
            require_spot_size(size)
        if needs_hardware:
            require_same_hardware(machine, size)
            self._allocator.require(machine, size=size)
        self._attachments.reattach(machine, draft, now)
        self._allocator.references.untie(machine)
        machine.properties = draft
        self._allocator.references.tie(machine)
        machine.tags = tags
        machine.set_identity(identity)
        machine.provisioning_state = ProvisioningState.UPDATING
        machine.power_changed_at = now
        touch(self._context, machine)
        if needs_hardware:
            self._allocator.claim(machine)
        return self._context.operations.begin(kind, machine, now)

    def _require_idle(self, machine: VirtualMachine) -> None:
        if machine.provisioning_state is ProvisioningState.DELETING:
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation 'Update VM' is not allowed on VM '{machine.id.name}' since the VM is marked for "
                "deletion. You can only retry the Delete operation (or wait for an ongoing one to complete).",
            )
        if self._context.operations.running_on(machine) is not None:
            raise errors.conflict(
                "Conflict",
                "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
                "https://aka.ms/activitylog to get more details on the conflicting requests.",
            )


def _interface_ids(body: Body) -> list[str]:
    references = (properties_of(body).get("networkProfile") or {}).get("networkInterfaces") or []
    return [text for reference in references if (text := reference_id(reference)) is not None]


def _update_kind(machine: VirtualMachine, size: str) -> OperationKind:
    if machine.power is None:
        return OperationKind.CREATE_MACHINE
    if size == machine.size:
        return OperationKind.UPDATE_MACHINE
    is_running = machine.power is PowerState.RUNNING
    return OperationKind.RESIZE_RUNNING_MACHINE if is_running else OperationKind.RESIZE_MACHINE
