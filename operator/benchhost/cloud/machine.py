"""What the cloud says, in words that no cloud owns: parts of a host, the machine, and everything observed.

Produced by a provider, read by ``lifecycle``. Values only; nothing here talks to anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from benchhost.api.status import Address


class Part(StrEnum):
    """What a host is made of, in the order in which it is built; taken down in the opposite order."""

    NETWORK = "virtual network"
    ADDRESS = "public address"
    INTERFACE = "network interface"
    DISK = "disk"
    """The one the machine boots from."""
    DATA_DISK = "data disk"
    """One of any number, told apart by its logical unit number."""
    MACHINE = "machine"


class PartState(StrEnum):
    """Whether a part is finished, being worked on by the cloud, or broken."""

    READY = "Ready"
    PENDING = "Pending"
    DELETING = "Deleting"
    FAILED = "Failed"


class MachinePower(StrEnum):
    """The power state as the cloud reports it."""

    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DEALLOCATING = "Deallocating"
    DEALLOCATED = "Deallocated"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Owner:
    """Which BenchHost a cloud resource belongs to; written on it as tags."""

    cluster: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class ObservedPart:
    """One cloud resource of a host."""

    resource_id: str
    state: PartState
    owner: Owner | None = None
    """Absent: nobody's, or made by hand."""
    in_use: bool = False
    """Somebody else still needs it (a network with other hosts in it)."""
    etag: str | None = None
    """The version that was seen, so that a change of it can be refused when somebody else was faster."""
    tags: Mapping[str, str] | None = None
    """All tags, the owner's included; None when the part was seen only through another one."""
    size_gib: int | None = None
    """Of a disk, where it was seen."""


@dataclass(frozen=True, slots=True)
class AttachedDisk:
    """A data disk as the machine has it."""

    lun: int
    resource_id: str
    size_gib: int | None = None
    """None where the cloud leaves it out, as Azure does for deallocated spot machines."""
    caching: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine itself."""

    provider_id: str
    vm_id: str
    size: str
    power: MachinePower
    changed_at: datetime | None
    """When the cloud last finished (or failed) an operation on it, by the cloud's clock."""
    created_at: datetime | None = None
    zone: str | None = None
    addresses: tuple[Address, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    """The user's tags, without the owner's."""
    data_disks: tuple[AttachedDisk, ...] = ()
    identity_ids: frozenset[str] = frozenset()
    """User-assigned identities, in lower case."""
    boot_diagnostics: bool | None = None
    """Whether the serial console is recorded; None where the cloud does not say."""
    failure_code: str | None = None
    failure_message: str | None = None
    """Why the cloud calls it failed, where it does."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything of one host that exists in the cloud now; a part that is absent is not in ``parts``."""

    parts: Mapping[Part, ObservedPart]
    machine: Machine | None = None
    """Present exactly when ``parts`` has the machine."""
    data_disks: Mapping[int, ObservedPart] = field(default_factory=dict)
    """By logical unit number, attached or not."""
    as_of: datetime | None = field(default=None, compare=False)
    """When the oldest look that it is taken from had ended; None: it was looked at for this very purpose."""

    def get(self, part: Part, lun: int | None = None) -> ObservedPart | None:
        """The part, or None when it does not exist; a data disk by its logical unit number."""
        if part is Part.DATA_DISK:
            return None if lun is None else self.data_disks.get(lun)
        return self.parts.get(part)

    def with_part(self, part: Part, seen: ObservedPart, lun: int | None = None) -> Self:
        """The same, with what the cloud said of one part since; a data disk goes by its logical unit number."""
        if part is Part.DATA_DISK:
            return self if lun is None else replace(self, data_disks={**self.data_disks, lun: seen})
        return replace(self, parts={**self.parts, part: seen})
