"""A virtual machine as Azure knows it: what its body shows, its power state, and the hardware it sits on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.compute.ephemeral import is_ephemeral
from benchhost.emulator.cloud.context import reference_id
from benchhost.emulator.cloud.resources import Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.guest import ConsoleLine, GuestEvent
    from benchhost.emulator.cloud.errors import ArmError


class PowerState(StrEnum):
    """``PowerState/...`` of the instance view."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"


class Priority(StrEnum):
    """``properties.priority``: whose capacity a machine takes. ``Low`` is an older word for ``Spot``."""

    REGULAR = "Regular"
    SPOT = "Spot"


@dataclass(slots=True, kw_only=True)
class Placement:
    """One stay of a machine on a hidden host; no API shows it.

    Parameters
    ----------
    host_id
        The host.
    cores
        vCPUs that the host lends.
    since, until
        Seconds since 1970; the stay lasts while there is no end.
    cause
        The kind of operation that brought the machine here.
    """

    host_id: str
    cores: int
    since: float
    until: float | None = None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Capacity that a machine has, or has been promised while an operation is under way.

    Parameters
    ----------
    size, location, zone, priority
        What kind of capacity; ``zone`` is None for a machine that no zone was chosen for.
    reservation
        Id of the capacity reservation whose slot it is.
    dedicated_host
        Id of the dedicated host that it is on.
    """

    size: str
    location: str
    zone: str | None
    priority: Priority
    reservation: str | None = None
    dedicated_host: str | None = None

    @property
    def is_general(self) -> bool:
        """Whether it takes what everybody shares, and neither a reserved slot nor a dedicated host."""
        return self.reservation is None and self.dedicated_host is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """An eviction that is coming.

    Parameters
    ----------
    operation_id
        What carries it out; no client is told.
    due
        When, in seconds since 1970.
    """

    operation_id: str
    due: float


@dataclass(slots=True, kw_only=True)
class VirtualMachine(Resource):
    """One virtual machine.

    Parameters
    ----------
    power
        None until its guest is being started for the first time.
    placements
        Its stays on hidden hosts, the oldest first; only the last ones are kept.
    claim
        The capacity that it takes; None while it is deallocated.
    denied
        Why the allocation under way will fail.
    eviction
        What a spot machine has been warned of.
    is_materialized
        Whether its disks have been made.
    custom_data
        What cloud-init would run; never shown.
    power_changed_at
        Seconds since 1970, the time in the instance view.
    failure
        Why the last operation failed; shown as ``ProvisioningState/failed/<code>``.
    force_deletion
        Whether the deletion under way skips the shutdown.
    is_hibernated
        Whether its memory is kept on its OS disk.
    is_provisioned
        Whether its guest has come up once.
    provisionings
        How often its guest has come up from an image: more than once with an ephemeral disk only.
    guest_events
        What its serial console tells of, oldest first.
    console_lines
        What the guest itself has written there, oldest first.
    shows_interfaces
        Whether its body names its network interfaces; not yet, while a create makes them.
    detaching
        Ids of disks that the update under way takes away.
    """

    power: PowerState | None = None
    placements: list[Placement] = field(default_factory=list)
    claim: Claim | None = None
    denied: ArmError | None = None
    eviction: Eviction | None = None
    is_materialized: bool = False
    custom_data: str | None = field(default=None, repr=False)
    power_changed_at: float = 0.0
    failure: ArmError | None = None
    force_deletion: bool = False
    is_hibernated: bool = False
    is_provisioned: bool = False
    provisionings: int = 0
    guest_events: list[GuestEvent] = field(default_factory=list)
    console_lines: list[ConsoleLine] = field(default_factory=list)
    shows_interfaces: bool = True
    detaching: list[str] = field(default_factory=list)

    @property
    def size(self) -> str:
        """The name of its size."""
        return str(self.properties["hardwareProfile"]["vmSize"])

    @property
    def zone(self) -> str | None:
        """The availability zone that it was put in, or None."""
        zones = self.extras.get("zones")
        return str(zones[0]) if zones else None

    @property
    def priority(self) -> Priority:
        """Whose capacity it takes."""
        is_regular = self.properties.get("priority") in (None, Priority.REGULAR)
        return Priority.REGULAR if is_regular else Priority.SPOT

    @property
    def placement(self) -> Placement | None:
        """Where it sits; None while no hardware is allocated."""
        last = self.placements[-1] if self.placements else None
        return last if last is not None and last.until is None else None

    @property
    def os_disk(self) -> dict[str, Any]:
        """``storageProfile.osDisk``."""
        found: dict[str, Any] = self.properties["storageProfile"]["osDisk"]
        return found

    @property
    def data_disks(self) -> list[dict[str, Any]]:
        """``storageProfile.dataDisks``."""
        found: list[dict[str, Any]] = self.properties["storageProfile"]["dataDisks"]
        return found

    @property
    def interfaces(self) -> list[dict[str, Any]]:
        """``networkProfile.networkInterfaces``: references."""
        found: list[dict[str, Any]] = self.properties["networkProfile"]["networkInterfaces"]
        return found

    @property
    def interface_ids(self) -> list[str]:
        """The ids of its network interfaces."""
        return [text for reference in self.interfaces if (text := reference_id(reference)) is not None]

    def set_identity(self, identity: dict[str, Any] | None) -> None:
        """Give the machine an identity, or take it away."""
        self.extras.pop("identity", None)
        if identity is not None:
            self.extras["identity"] = identity

    @property
    def has_ephemeral_disk(self) -> bool:
        """Whether its OS disk is on its host."""
        return is_ephemeral(self.os_disk)

    @property
    def is_allocated(self) -> bool:
        """Whether it has hardware."""
        return self.placement is not None


def disk_ids_of(machine: VirtualMachine) -> list[tuple[str, bool]]:
    """Return the managed disks of a machine, and for each whether it goes with the machine."""
    return [
        (disk_id, disk.get("deleteOption") == "Delete")
        for disk in (machine.os_disk, *machine.data_disks)
        if (disk_id := reference_id(disk.get("managedDisk"))) is not None
    ]


def interface_cascade_of(machine: VirtualMachine) -> list[tuple[str, bool]]:
    """Return the network interfaces of a machine, and for each whether it goes with the machine."""
    return [
        (text, (reference.get("properties") or {}).get("deleteOption") == "Delete")
        for reference in machine.interfaces
        if (text := reference_id(reference)) is not None
    ]
