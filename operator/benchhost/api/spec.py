"""``spec``: what somebody wants. Written by users and by the client, never by the controller."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from benchhost.api.azure import AzureSpec, rule, rules
from benchhost.api.model import Duration, SpecModel, Timestamp, parse_duration


class PowerState(StrEnum):
    """The power state that is wanted."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    DEALLOCATED = "Deallocated"


class DeletionPolicy(StrEnum):
    """What becomes of the cloud resources when the BenchHost is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class Timeouts(SpecModel):
    """How long each operation may take, for example 20m. After that the host says that it is late, and watches on."""

    provision: Duration = "20m"
    """Creating the host with everything that belongs to it."""
    start: Duration = "10m"
    """Starting a stopped or deallocated host."""
    stop: Duration = "10m"
    """Stopping a host."""
    deallocate: Duration = "15m"
    """Deallocating or hibernating a host, or the first half of a reallocation."""
    restart: Duration = "10m"
    """Restarting a host."""
    resize: Duration = "15m"
    """Changing a host's size, or its disks, identities, boot diagnostics and tags."""
    delete: Duration = "30m"
    """Deleting a host with everything that belongs to it, or a machine whose creation failed."""

    def get(self, name: str) -> timedelta:
        """The time-out with this field name."""
        return parse_duration(getattr(self, name))


class CredentialsRef(SpecModel):
    """A Secret in the BenchHost's own namespace."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
    """Name of a Secret with AZURE_TENANT_ID and AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or
    AZURE_CLIENT_CERTIFICATE, or AUTH_MODE: workloadidentity."""


class EndAction(StrEnum):
    """What becomes of a host whose time is over or whose holder is lost."""

    DEALLOCATE = "Deallocate"
    DELETE = "Delete"


class Holder(SpecModel):
    """Whoever needs the host: it must renew a Lease, or the host is given back."""

    lease_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
    """Name of a coordination.k8s.io Lease in the BenchHost's namespace."""
    grace_period_seconds: int = Field(default=60, ge=0, le=86400)
    """Seconds that the host is kept after the Lease has expired or gone, for a holder that is only slow."""
    on_lost: EndAction = EndAction.DEALLOCATE
    """Deallocate stops the bill for the hardware and keeps the disk; Delete deletes this BenchHost and all of it."""


class Readiness(SpecModel):
    """When the guest counts as reachable: asked until it answers, and then not before its next start.

    So nothing disturbs a measurement.
    """

    tcp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port that must accept a connection from the controller; absent: the SSH port, spec.azure.admin.sshPort."""
    period_seconds: int = Field(default=5, ge=1, le=300)
    """Seconds between two attempts."""
    timeout_seconds: int = Field(default=300, ge=1, le=86400)
    """Seconds after which the host is reported as unreachable; it is still asked. They begin at the host's start, and
    for its host keys when the port has answered."""
    host_keys: bool = False
    """Read the SSH host keys that the guest printed on its serial console at its first boot, publish them in
    status.sshEndpoint.hostKeys, and count the host as reachable only then. cloud-init prints them, after every script
    of the first boot."""


_EPHEMERAL = "has(self.azure.osDisk) && has(self.azure.osDisk.ephemeral) && self.azure.osDisk.ephemeral"
_NEVER_DEALLOCATED = "Azure cannot deallocate a host whose spec.azure.osDisk is ephemeral"


class BenchHostSpec(SpecModel):
    """What the host shall be."""

    model_config = rules(
        rule(
            f"!({_EPHEMERAL}) || self.powerState == 'Running'",
            "Azure can neither stop nor deallocate a host whose spec.azure.osDisk is ephemeral; "
            "leave spec.powerState: Running, or delete the BenchHost",
        ),
        rule(
            f"!({_EPHEMERAL}) || !has(self.azure.spot) || self.azure.spot.evictionPolicy == 'Delete'",
            "Azure cannot deallocate an evicted host whose spec.azure.osDisk is ephemeral; "
            "set spec.azure.spot.evictionPolicy: Delete",
        ),
        rule(
            f"!({_EPHEMERAL}) || !has(self.reallocateAt)",
            f"{_NEVER_DEALLOCATED}; remove spec.reallocateAt",
        ),
        rule(
            f"!({_EPHEMERAL}) || !(has(self.expiresAt) || has(self.lifetime)) || self.expiryAction == 'Delete'",
            f"{_NEVER_DEALLOCATED}; set spec.expiryAction: Delete",
        ),
        rule(
            f"!({_EPHEMERAL}) || !has(self.holder) || self.holder.onLost == 'Delete'",
            f"{_NEVER_DEALLOCATED}; set spec.holder.onLost: Delete",
        ),
        rule(
            f"!({_EPHEMERAL}) || !has(self.azure.hibernation) || !self.azure.hibernation",
            f"{_NEVER_DEALLOCATED}; remove spec.azure.hibernation",
        ),
        rule(
            "!has(self.readiness) || !has(self.readiness.hostKeys) || !self.readiness.hostKeys"
            " || !has(self.azure.bootDiagnostics) || self.azure.bootDiagnostics",
            "spec.readiness.hostKeys is read from the serial console, which is not recorded with "
            "spec.azure.bootDiagnostics: false; remove one of the two",
        ),
    )

    power_state: PowerState = PowerState.RUNNING
    """Running, Stopped (keeps the hardware and the bill) or Deallocated (gives both back)."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Retain leaves the cloud resources in place and removes the controller's owner tags from them. A host that ends by
    expiryAction or onLost is deallocated first."""
    adopt: bool = False
    """Whether an existing machine of this name that carries no owner tags may be taken over."""
    paused: bool = False
    """Observe and report, but change nothing in the cloud."""
    restart_at: Timestamp | None = None
    """Restart once at this time, unless status.lastRestartTime is later; applying it again restarts nothing."""
    reallocate_at: Timestamp | None = None
    """Deallocate and start once at this time, to ask for other hardware, unless status.lastReallocateTime is later."""
    observe_at: Timestamp | None = None
    """Look at the cloud once more, for whoever has reason to doubt status: another time here asks for another look,
    which status.lastObserveTime acknowledges."""
    expires_at: Timestamp | None = None
    """When the host ends, whatever powerState says; a guard against forgotten bills. The earlier of this and lifetime
    counts; a later one, set in time or afterwards, gives the host back."""
    lifetime: Duration | None = None
    """How long after the BenchHost's creation the host ends, for example 8h."""
    expiry_action: EndAction = EndAction.DEALLOCATE
    """Deallocate stops the bill for the hardware and keeps the disk; Delete deletes this BenchHost and all of it."""
    holder: Holder | None = None
    """A Lease that must be renewed for the host to be kept."""
    readiness: Readiness | None = None
    """When the guest counts as reachable; absent: as soon as the cloud says that it runs."""
    timeouts: Timeouts = Timeouts()
    """How long each operation may take."""
    credentials_ref: CredentialsRef | None = None
    """Credentials for the cloud; when absent the controller's own, where the controller allows this namespace."""
    azure: AzureSpec
    """The host on Azure."""
