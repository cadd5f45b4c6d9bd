"""What the in-memory cloud holds: resources as values, and what a host's resources are called and look like.

Part of ``benchhost.cloud.fake``; nobody else needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from benchhost.api.status import Address, AddressType
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Machine, MachinePower, Owner, Part, PartState
from benchhost.cloud.provider import HostRequest


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
    address: str = ""
    """What an interface or a public address gives."""

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

    def id_of(self, part: Part) -> str:
        """The id of a part; the network is shared by all hosts of its resource group that name it."""
        azure, owner = self.request.spec.azure, self.request.owner
        group = f"/{azure.subscription_id}/{azure.resource_group}"
        if part is Part.NETWORK:
            network = azure.network.virtual_network
            return f"{group}/{part.name.lower()}/{network.name if network else azure.network.subnet_id}"
        name = azure.name or f"{owner.namespace}-{owner.name}-{owner.uid}"
        return f"{group}/{part.name.lower()}/{name}"

    def new(self, part: Part, serial: int, now: datetime) -> FakeResource:
        """A part as it is when it is finished."""
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
                return self._plain(part)

    def new_network(self, owner: Owner | None) -> FakeResource:
        """The network with this owner."""
        return FakeResource(id=self.id_of(Part.NETWORK), part=Part.NETWORK, owner=owner)

    def new_machine(self, serial: int, now: datetime, *, owner: Owner | None) -> FakeResource:
        """A running machine; one that nobody of ours made has an interface and a disk that are not ours either."""
        machine = Machine(
            provider_id=f"fake://{self.id_of(Part.MACHINE)}",
            vm_id=f"vm-{serial:04}",
            size=self.request.size,
            power=MachinePower.RUNNING,
            changed_at=None,
            created_at=now,
        )
        is_ours = owner == self.request.owner
        return FakeResource(
            id=self.id_of(Part.MACHINE),
            part=Part.MACHINE,
            owner=owner,
            tags=dict(self.request.spec.azure.tags) if is_ours else {},
            uses=(self.id_of(Part.INTERFACE), self.id_of(Part.DISK)) if is_ours else (),
            machine=machine,
        )

    def addresses(self, resources: Mapping[str, FakeResource]) -> tuple[Address, ...]:
        """The addresses that the host has, as far as what carries them exists."""
        kinds = ((Part.INTERFACE, AddressType.INTERNAL_IP), (Part.ADDRESS, AddressType.EXTERNAL_IP))
        found = ((resources.get(self.id_of(part)), kind) for part, kind in kinds)
        return tuple(Address(type=kind, address=seen.address) for seen, kind in found if seen is not None)

    def _plain(self, part: Part) -> FakeResource:
        return FakeResource(
            id=self.id_of(part),
            part=part,
            owner=self.request.owner,
            tags=dict(self.request.spec.azure.tags),
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
