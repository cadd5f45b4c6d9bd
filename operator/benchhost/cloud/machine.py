"""What the cloud says, in words that no cloud owns: parts of a host, the machine, and everything observed.

Produced by a provider, read by ``lifecycle``. Values only; nothing here talks to anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from benchhost.api.status import Address


class Part(StrEnum):
    """What a host is made of, in the order in which it is built; taken down in the opposite order."""

    NETWORK = "virtual network"
    ADDRESS = "public address"
    INTERFACE = "network interface"
    DISK = "disk"
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
    failure_code: str | None = None
    failure_message: str | None = None
    """Why the cloud calls it failed, where it does."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything of one host that exists in the cloud now; a part that is absent is not in ``parts``."""

    parts: Mapping[Part, ObservedPart]
    machine: Machine | None = None
    """Present exactly when ``parts`` has the machine."""

    def get(self, part: Part) -> ObservedPart | None:
        """The part, or None when it does not exist."""
        return self.parts.get(part)
