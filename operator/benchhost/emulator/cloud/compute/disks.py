"""Managed disks: made with a machine, or by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.data_disks import check_account_type
from benchhost.emulator.cloud.compute.disk_changes import (
    check_disk_size,
    require_resizable,
    require_type_changeable,
    show_in_machine,
)
from benchhost.emulator.cloud.compute.hibernation import is_hibernation_enabled
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.context import Body, Context, new_resource, properties_of, tags_of, touch
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState, Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId

GIB = 1024**3
KIND = "Microsoft.Compute/disks"

_SPEEDS = (
    (32, 120, 25),
    (64, 240, 50),
    (128, 500, 100),
    (256, 1100, 125),
    (512, 2300, 150),
    (1024, 5000, 200),
    (32767, 7500, 250),
)
"""GiB up to which a premium disk has so many operations a second and MB/s (doc: disks-types, P4 to P40); other SKUs
are shown with the same numbers."""

_FOLLOWED = ("networkAccessPolicy", "publicNetworkAccess", "supportsHibernation", "tier", "burstingEnabled")
"""Other properties that a PUT or PATCH changes."""


class Disks:
    """Managed disks of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(self, disk_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create a disk, or change its size, SKU and tags."""
        context = self._context
        context.groups.get_for_write(disk_id.group)
        draft = new_resource(context, disk_id, body, now=now)
        given = properties_of(body)
        _check_sku(body)
        existing = context.store.find(disk_id)
        if existing is not None:
            return self._update(existing, given, body, now)
        creation = given.get("creationData") or {}
        if not creation.get("createOption"):
            raise errors.missing_parameter("disk.creationData.createOption")
        if creation["createOption"] == "Empty" and not given.get("diskSizeGB"):
            raise errors.missing_parameter("disk.diskSizeGB")
        check_disk_size(int(given.get("diskSizeGB") or 32))
        draft.properties = {**_disk_properties(int(given.get("diskSizeGB") or 32), creation), **given}
        draft.extras["sku"] = _sku((draft.extras.get("sku") or {}).get("name") or "Standard_LRS")
        context.store.add(draft)
        return draft, self._begin(draft, now), True

    def patch(self, disk_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation]:
        """Change size, SKU or tags of a disk, those that the body has."""
        self._context.groups.get_for_write(disk_id.group)
        existing = self._context.store.get(disk_id)
        _check_sku(body)
        kept = {"tags": existing.tags} | body
        disk, operation, _ = self._update(existing, properties_of(body), kept, now)
        return disk, operation

    def delete(self, disk_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a disk; None when there is none."""
        disk = self._context.store.find(disk_id)
        if disk is None:
            return None
        running = self._context.operations.running_on(disk)
        if running is not None and running.kind is OperationKind.DELETE_DISK:
            return running
        if disk.used_by:
            raise errors.conflict("OperationNotAllowed", f"Disk {disk.id.name} is attached to VM {disk.first_user}.")
        disk.provisioning_state = ProvisioningState.DELETING
        return self._context.operations.begin(OperationKind.DELETE_DISK, disk, now)

    def make_for(self, machine: VirtualMachine, disk_id: ResourceId, disk: Body, *, now: float) -> Resource:
        """Make a disk that a machine's storage profile asks for, attached to it."""
        image = machine.properties["storageProfile"].get("imageReference")
        creation = {"createOption": disk["createOption"]}
        if disk["createOption"] == "FromImage":
            creation["imageReference"] = {"id": _image_id(machine, image or {})}
        made = Resource(
            id=disk_id,
            location=machine.location,
            tags=dict(machine.tags),
            properties=_disk_properties(int(disk.get("diskSizeGB") or 30), creation),
            extras={"sku": _sku(disk["managedDisk"]["storageAccountType"])},
            guid=self._context.identifiers.guid(),
            created_at=now,
        )
        if disk.get("osType"):
            made.properties["osType"] = disk["osType"]
            made.properties["hyperVGeneration"] = "V2"
            made.properties["supportsHibernation"] = is_hibernation_enabled(machine.properties)
        if machine.extras.get("zones"):
            made.extras["zones"] = list(machine.extras["zones"])
        made.hold(str(machine.id))
        self._context.store.add(made)
        return made

    def grow(self, disk: Resource, size: int) -> None:
        """Give a disk another size, with the speed that comes with it."""
        disk.properties.update(_sized(size))
        touch(self._context, disk)

    def owner_of(self, disk: Resource) -> VirtualMachine | None:
        """Return the machine that has a disk."""
        owner = None if disk.first_user is None else self._context.store.find(disk.first_user)
        return owner if isinstance(owner, VirtualMachine) else None

    def _update(self, existing: Resource, given: Body, body: Body, now: float) -> tuple[Resource, Operation, bool]:
        self._require_idle(existing)
        owner = self.owner_of(existing)
        size, sku = given.get("diskSizeGB"), (body.get("sku") or {}).get("name")
        if size is not None:
            require_resizable(existing, size, owner)
        if sku:
            require_type_changeable(existing, sku, owner)
            existing.extras["sku"] = _sku(sku)
        if size is not None:
            existing.properties.update(_sized(size))
        existing.properties.update({key: given[key] for key in _FOLLOWED if given.get(key) is not None})
        existing.tags = tags_of(body)
        touch(self._context, existing)
        if owner is not None:
            show_in_machine(existing, owner)
        return existing, self._begin(existing, now), False

    def _require_idle(self, disk: Resource) -> None:
        if disk.provisioning_state is ProvisioningState.DELETING:
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation 'Update Disk' is not allowed on disk '{disk.id.name}' since the disk is marked for "
                "deletion.",
            )

    def _begin(self, disk: Resource, now: float) -> Operation:
        disk.provisioning_state = ProvisioningState.UPDATING
        return self._context.operations.begin(OperationKind.WRITE_DISK, disk, now)


def _disk_properties(size_gb: int, creation: Body) -> Body:
    return {
        "creationData": creation,
        **_sized(size_gb),
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
    }


def _sized(size_gb: int) -> Body:
    operations, throughput = next(
        (speed for limit, *speed in _SPEEDS if size_gb <= limit), (_SPEEDS[-1][1], _SPEEDS[-1][2])
    )
    return {
        "diskSizeGB": size_gb,
        "diskSizeBytes": size_gb * GIB,
        "diskIOPSReadWrite": operations,
        "diskMBpsReadWrite": throughput,
    }


def _check_sku(body: Body) -> None:
    name = (body.get("sku") or {}).get("name")
    if name:
        check_account_type(str(name), "disk.sku.name")


def _sku(name: Any) -> Body:
    return {"name": str(name), "tier": str(name).partition("_")[0]}


def _image_id(machine: VirtualMachine, image: Body) -> str:
    if image.get("id"):
        return str(image["id"])
    return (
        f"/Subscriptions/{machine.id.subscription}/Providers/Microsoft.Compute/Locations/{machine.location}"
        f"/Publishers/{image.get('publisher')}/ArtifactTypes/VMImage/Offers/{image.get('offer')}"
        f"/Skus/{image.get('sku')}/Versions/{image.get('exactVersion')}"
    )
