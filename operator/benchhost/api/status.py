"""``status``: what the controller reports. Written by the controller only, read by people, clients and kubectl.

The controller reads back only what the cloud cannot tell again: the operation under way, the epoch, the history, the
acknowledged requests and the SSH host keys.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from benchhost.api.conditions import Condition
from benchhost.api.model import Model, Timestamp

HISTORY_LIMIT = 20
"""How many finished operations are kept (design: enough for a day of trials, small enough for etcd)."""


class Phase(StrEnum):
    """A word for people; nothing reads it."""

    PENDING = "Pending"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DEALLOCATING = "Deallocating"
    DEALLOCATED = "Deallocated"
    RESTARTING = "Restarting"
    RESIZING = "Resizing"
    DELETING = "Deleting"
    FAILED = "Failed"


class OperationType(StrEnum):
    """What can be under way on a machine."""

    PROVISION = "Provision"
    START = "Start"
    STOP = "Stop"
    HIBERNATE = "Hibernate"
    """Deallocating with the memory kept on the disk."""
    DEALLOCATE = "Deallocate"
    RESTART = "Restart"
    REALLOCATE = "Reallocate"
    RESIZE = "Resize"
    UPDATE = "Update"
    CLEAN_UP = "CleanUp"
    """Removing a machine that never ran, so that the next size or zone has its turn."""
    DELETE = "Delete"


class OperationResult(StrEnum):
    """How an operation ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class FailureClass(StrEnum):
    """Who can mend a failure, and so how long the controller waits before it tries again."""

    TERMINAL = "Terminal"
    ADMIN = "Admin"
    CAPACITY = "Capacity"
    THROTTLED = "Throttled"
    TRANSIENT = "Transient"


class PlacementReason(StrEnum):
    """Why the host got the hardware it is on."""

    CREATED = "Created"
    STARTED = "Started"
    REALLOCATED = "Reallocated"
    RESIZED = "Resized"
    DELETED_OUT_OF_BAND = "DeletedOutOfBand"
    EVICTED = "Evicted"


class AddressType(StrEnum):
    """Node address types of the core API, which clients already know."""

    INTERNAL_IP = "InternalIP"
    EXTERNAL_IP = "ExternalIP"
    INTERNAL_DNS = "InternalDNS"
    EXTERNAL_DNS = "ExternalDNS"


class Address(Model):
    """An address of the host."""

    type: AddressType
    """InternalIP, ExternalIP, InternalDNS or ExternalDNS."""
    address: str
    """The address."""


class SshEndpoint(Model):
    """Where SSH answers."""

    host: str
    """Address or name."""
    port: int = 22
    """TCP port."""
    host_keys: list[str] = []
    """The host's own keys for known_hosts, without a host in front; only with spec.readiness.hostKeys, and empty until
    they are known."""


class SshHostKeys(Model):
    """What is known of the SSH host keys, and of which machine; clients read sshEndpoint.hostKeys.

    It outlives addresses that are gone for a while: the keys are printed once in the life of a disk.
    """

    vm_id: str
    """The cloud's unique id of the machine."""
    epoch: int = 0
    """The placement epoch that they are of; an ephemeral disk does not outlive it."""
    keys: list[str] = []
    """The last that were read."""
    awaited_since: Timestamp | None = None
    """Since when others than these are awaited; absent when these are the machine's."""


class Placement(Model):
    """Which allocation onto hardware the host is on; measurements of two epochs are not of one machine."""

    epoch: int = 0
    """Grows by one at each allocation onto hardware."""
    since: Timestamp | None = None
    """When this epoch began."""
    vm_id: str | None = None
    """The cloud's unique id of the machine."""
    reason: PlacementReason | None = None
    """Why there was a new allocation."""


class Operation(Model):
    """What is under way."""

    type: OperationType
    """What kind of operation."""
    started_at: Timestamp
    """When the controller asked for it."""
    deadline: Timestamp
    """When it counts as timed out."""
    generation: int = 0
    """The metadata.generation that asked for it."""
    poll_url: str | None = None
    """Where the cloud reports on it; absent before the machine itself is asked for."""
    step: str | None = None
    """What the cloud reports on there, of all that belongs to the operation."""
    request_id: str | None = None
    """The cloud's id of the request, for its support."""
    attempt: int = 1
    """Counts from 1 within a generation."""
    size: str | None = None
    """The VM size that was asked for."""
    zone: str | None = None
    """The availability zone that was asked for."""


class HistoryEntry(Model):
    """A finished operation."""

    type: OperationType
    """What kind of operation."""
    start_time: Timestamp
    """When it started, by the cloud's clock where the cloud says so."""
    end_time: Timestamp
    """When it ended, by the cloud's clock where the cloud says so."""
    seconds: float
    """How long it took."""
    result: OperationResult
    """How it ended."""
    reason: str | None = None
    """The cloud's code when it failed."""
    epoch: int = 0
    """Placement epoch at its end."""
    request_id: str | None = None
    """The cloud's id of the request."""


class CapacityAttempt(Model):
    """A size, in a zone if the spec names zones, that had no capacity."""

    size: str
    """VM size."""
    zone: str | None = None
    """Availability zone."""
    code: str = ""
    """The cloud's code."""


class Failure(Model):
    """What stands in the way, and when it is tried again."""

    reason: str
    """Condition reason of the failure."""
    message: str
    """What happened, to which resource, with the cloud's code, and what happens next."""
    failure_class: FailureClass = Field(alias="class")
    """Terminal, Admin, Capacity, Throttled or Transient."""
    count: int = 1
    """How often in a row."""
    since: Timestamp
    """When the row began."""
    next_attempt_at: Timestamp | None = None
    """When it is tried again; absent when only a change by somebody can help."""
    generation: int = 0
    """The metadata.generation it happened at; a newer generation starts anew."""
    operation: OperationType | None = None
    """What was under way; absent when the host could not even be looked at."""
    tried: list[CapacityAttempt] = []
    """What had no capacity in this round through the lists of sizes and zones."""


class BenchHostStatus(Model):
    """What the controller knows of the host."""

    observed_generation: int | None = None
    """The metadata.generation that the rest of status speaks of."""
    phase: Phase | None = None
    """A word for people; programs read conditions."""
    power_state: str | None = None
    """Power state as the cloud reports it: Running, Stopped, Deallocated, or one on the way there."""
    conditions: list[Condition] = []
    """Ready, Synced, Provisioned, and while they are True Reconciling and Stalled."""
    provider_id: str | None = None
    """azure:// followed by the ARM id of the machine."""
    size: str | None = None
    """The VM size that the host really has."""
    zone: str | None = None
    """The availability zone that the host is in."""
    addresses: list[Address] = []
    """Addresses of the host."""
    ssh_endpoint: SshEndpoint | None = None
    """Where SSH answers: the public address if there is one, else the private one."""
    ssh_host_keys: SshHostKeys | None = None
    """Whose SSH host keys are known or awaited; only with spec.readiness.hostKeys."""
    placement: Placement | None = None
    """Which allocation onto hardware the host is on."""
    operation: Operation | None = None
    """What is under way."""
    history: list[HistoryEntry] = []
    """The last 20 finished operations, newest last."""
    failure: Failure | None = None
    """What stands in the way."""
    evicted_at: Timestamp | None = None
    """When a spot host was found without its capacity, until it runs again."""
    reached_at: Timestamp | None = None
    """When the guest answered on the readiness port for the first time since its last start."""
    holder_gone_at: Timestamp | None = None
    """Since when nobody holds the Lease that spec.holder names; absent while somebody does."""
    last_restart_time: Timestamp | None = None
    """Acknowledges spec.restartAt."""
    last_reallocate_time: Timestamp | None = None
    """Acknowledges spec.reallocateAt."""
    last_observe_time: Timestamp | None = None
    """The spec.observeAt that the last look was made for or after."""

    def last(self, kind: OperationType) -> HistoryEntry | None:
        """The newest finished operation of this type, or None."""
        return next((entry for entry in reversed(self.history) if entry.type is kind), None)


def add_history(history: list[HistoryEntry], entry: HistoryEntry) -> list[HistoryEntry]:
    """The history with one more entry, cut to its limit."""
    return [*history, entry][-HISTORY_LIMIT:]


def seconds_between(start: datetime, end: datetime) -> float:
    """Length in seconds to the millisecond, never negative (two clocks may disagree)."""
    return round(max(0.0, (end - start).total_seconds()), 3)
