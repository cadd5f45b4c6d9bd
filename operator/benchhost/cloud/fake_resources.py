"""What the in-memory cloud holds: resources as values, and what a host's resources are called and look like.

Part of ``benchhost.cloud.fake``; nobody else needs it.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from benchhost.api.azure import DataDisk
from benchhost.api.status import Address, AddressType
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import AttachedDisk, Machine, MachinePower, Owner, Part, PartState
from benchhost.cloud.provider import HostRequest, makes_interface_with_machine
from benchhost.cloud.tags import to_user_tags


@dataclass(frozen=True, slots=True)
class FakeResource:
    """One resource; each change makes a new value."""

    id: str
    part: Part
    owner: Owner | None
    state: PartState = PartState.READY
    tags: Mapping[str, str] = field(default_factory=dict)
    uses: tuple[str, ...] = ()
    """Ids of what it holds; that cannot be deleted alone."""
    machine: Machine | None = None
    hardware: int = 0
    """Of a machine: another number for each allocation. No cloud tells it; tests compare epochs with it."""
    address: str = ""
    """What an interface or a public address gives."""
    lun: int | None = None
    size_gib: int | None = None
    """Of a disk."""

    def with_machine(self, **changes: Any) -> Self:
        """The same with something changed in the machine, where it is one."""
        return replace(self, machine=replace(self.machine, **changes)) if self.machine is not None else self

    def as_pending(self) -> Self:
        """The same while the cloud works on it; a machine that never ran is starting."""
        changed = replace(self, state=PartState.PENDING)
        is_new = self.machine is not None and self.machine.changed_at is None
        return changed.with_machine(power=MachinePower.STARTING) if is_new else changed

    def as_ready(self) -> Self:
        """The same, in order."""
        return replace(self, state=PartState.READY).with_machine(failure_code=None, failure_message=None)

    def as_failed(self) -> Self:
        """The same after a failure; a machine that never ran has no power state."""
        changed = replace(self, state=PartState.FAILED)
        is_new = self.machine is not None and self.machine.changed_at is None
        return changed.with_machine(power=MachinePower.UNKNOWN) if is_new else changed

    def ended(self, moment: datetime, error: CloudError | None = None) -> Self:
        """The same at the end of an operation."""
        changed = self.with_machine(changed_at=moment)
        if error is None:
            return changed
        return changed.with_machine(failure_code=error.code, failure_message=error.message)


@dataclass(frozen=True, slots=True)
class HostResources:
    """Names and first appearance of one host's resources."""

    request: HostRequest

    def id_of(self, part: Part, lun: int | None = None) -> str:
        """The id of a part; the network is shared by all hosts of its resource group that name it."""
        azure, owner = self.request.spec.azure, self.request.owner
        kind = f"/{azure.subscription_id}/{azure.resource_group}/{part.name.lower()}"
        if part is Part.NETWORK:
            network = azure.network.virtual_network
            return f"{kind}/{network.name if network else azure.network.subnet_id}"
        name = azure.name or f"{owner.namespace}-{owner.name}-{owner.uid}"
        return f"{kind}/{name}" if lun is None else f"{kind}/{name}/{lun}"

    def new(self, part: Part, serial: int, now: datetime) -> FakeResource:
        """A part as it is when it is finished; disks come from ``new_disks``.

        Raises
        ------
        ValueError
            For a disk.
        """
        match part:
            case Part.NETWORK:
                return self.new_network(shared_owner(self.request.owner))
            case Part.INTERFACE:
                return replace(
                    self._plain(part),
                    uses=self._used_by_interface(),
                    address=f"10.0.{serial // 250}.{serial % 250 + 4}",
                )
            case Part.MACHINE:
                return self.new_machine(serial, now, owner=self.request.owner)
            case Part.ADDRESS:
                return replace(self._plain(part), address=f"198.18.{serial // 250}.{serial % 250 + 1}")
            case Part.DISK | Part.DATA_DISK:
                raise ValueError("disks come with their machine")

    @property
    def brought_along(self) -> tuple[Part, ...]:
        """What the machine makes beside its disks, in order."""
        azure = self.request.spec.azure
        if not makes_interface_with_machine(azure):
            return ()
        return (Part.ADDRESS, Part.INTERFACE) if azure.network.public_address == "Static" else (Part.INTERFACE,)

    def new_network(self, owner: Owner | None) -> FakeResource:
        """The network with this owner."""
        return FakeResource(id=self.id_of(Part.NETWORK), part=Part.NETWORK, owner=owner)

    def new_disks(self) -> tuple[FakeResource, ...]:
        """Those that a new machine brings along; an ephemeral disk is no resource of its own."""
        boot = () if self.request.spec.azure.os_disk.ephemeral else (self._plain(Part.DISK),)
        return (*boot, *(self.new_data_disk(disk) for disk in self.request.spec.azure.data_disks))

    def new_data_disk(self, disk: DataDisk) -> FakeResource:
        """An empty disk."""
        return self._plain(Part.DATA_DISK, lun=disk.lun, size_gib=disk.size_gib)

    def new_machine(self, serial: int, now: datetime, *, owner: Owner | None) -> FakeResource:
        """A running machine; one that nobody of ours made has an interface and disks that are not ours either."""
        machine = Machine(
            provider_id=f"fake://{self.id_of(Part.MACHINE)}",
            vm_id=f"vm-{serial:04}",
            size=self.request.size,
            power=MachinePower.RUNNING,
            changed_at=None,
            created_at=now,
            zone=self.request.zone,
            **self._changeable(),
        )
        if owner != self.request.owner:
            stranger = replace(machine, data_disks=(), identity_ids=frozenset())
            return FakeResource(id=self.id_of(Part.MACHINE), part=Part.MACHINE, owner=owner, machine=stranger)
        uses = (self.id_of(Part.INTERFACE), *(disk.id for disk in self.new_disks()))
        return replace(self._plain(Part.MACHINE), uses=uses, machine=machine, hardware=serial)

    def updated(self, seen: FakeResource, owned: Container[str]) -> FakeResource:
        """The machine with everything that can change as the spec says; what others gave it stays.

        ``owned`` has the ids of what is this host's.
        """
        if seen.machine is None:
            return seen
        wanted, brought = self._changeable(), seen.machine.identity_ids if self.request.spec.adopt else frozenset()
        named = {disk.lun for disk in wanted["data_disks"]}
        others = [d for d in seen.machine.data_disks if d.lun not in named and d.resource_id not in owned]
        wanted["data_disks"] = tuple(sorted((*wanted["data_disks"], *others), key=lambda disk: disk.lun))
        wanted["identity_ids"] |= brought
        changed = seen.with_machine(**wanted)
        before = {disk.resource_id for disk in seen.machine.data_disks}
        after = [disk.resource_id for disk in changed.machine.data_disks] if changed.machine else []
        return replace(changed, uses=(*(used for used in seen.uses if used not in before), *after))

    def addresses(self, resources: Mapping[str, FakeResource]) -> tuple[Address, ...]:
        """The addresses that the host has, as far as what carries them exists."""
        kinds = ((Part.INTERFACE, AddressType.INTERNAL_IP), (Part.ADDRESS, AddressType.EXTERNAL_IP))
        found = ((resources.get(self.id_of(part)), kind) for part, kind in kinds)
        return tuple(Address(type=kind, address=seen.address) for seen, kind in found if seen is not None)

    def _changeable(self) -> dict[str, Any]:
        azure = self.request.spec.azure
        disks = sorted(azure.data_disks, key=lambda disk: disk.lun)
        return {
            "data_disks": tuple(
                AttachedDisk(disk.lun, self.id_of(Part.DATA_DISK, disk.lun), caching=disk.caching.value)
                for disk in disks
            ),
            "identity_ids": frozenset(identity_id.lower() for identity_id in azure.identity_ids),
            "boot_diagnostics": azure.boot_diagnostics,
        }

    def _plain(self, part: Part, *, lun: int | None = None, size_gib: int | None = None) -> FakeResource:
        return FakeResource(
            id=self.id_of(part, lun),
            part=part,
            owner=self.request.owner,
            tags=to_user_tags(self.request.spec.azure.tags),
            lun=lun,
            size_gib=size_gib,
        )

    def _used_by_interface(self) -> tuple[str, ...]:
        network = self.request.spec.azure.network
        needed = [
            (Part.NETWORK, network.virtual_network is not None),
            (Part.ADDRESS, network.public_address == "Static"),
        ]
        return tuple(self.id_of(part) for part, is_needed in needed if is_needed)


def shared_owner(owner: Owner) -> Owner:
    """The owner of what all hosts of a cluster share."""
    return Owner(cluster=owner.cluster, namespace="", name="", uid="")
