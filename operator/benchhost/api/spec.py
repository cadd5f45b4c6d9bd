"""``spec``: what somebody wants. Written by users and by the client, never by the controller."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from benchhost.api.azure import AzureSpec
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
    """How long each operation may take before the host reports it as failed, for example 20m."""

    provision: Duration = "20m"
    """Creating the host with everything that belongs to it."""
    start: Duration = "10m"
    """Starting a stopped or deallocated host."""
    stop: Duration = "10m"
    """Stopping a host."""
    deallocate: Duration = "15m"
    """Deallocating a host."""
    restart: Duration = "10m"
    """Restarting a host."""
    resize: Duration = "15m"
    """Changing a host's size."""
    delete: Duration = "30m"
    """Deleting a host with everything that belongs to it."""

    def get(self, name: str) -> timedelta:
        """The time-out with this field name."""
        return parse_duration(getattr(self, name))


class CredentialsRef(SpecModel):
    """A Secret in the BenchHost's own namespace."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
    """Name of a Secret with the keys AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."""


class BenchHostSpec(SpecModel):
    """What the host shall be."""

    power_state: PowerState = PowerState.RUNNING
    """Running, Stopped (keeps the hardware and the bill) or Deallocated (gives both back)."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Retain leaves the cloud resources in place and removes the controller's owner tags from them."""
    adopt: bool = False
    """Whether an existing machine of this name that carries no owner tags may be taken over."""
    paused: bool = False
    """Observe and report, but change nothing in the cloud."""
    restart_at: Timestamp | None = None
    """Restart once at this time, unless status.lastRestartTime is later; applying it again restarts nothing."""
    reallocate_at: Timestamp | None = None
    """Deallocate and start once at this time, to ask for other hardware, unless status.lastReallocateTime is later."""
    timeouts: Timeouts = Timeouts()
    """How long each operation may take."""
    credentials_ref: CredentialsRef | None = None
    """Credentials for the cloud; when absent the controller's own, where the controller allows this namespace."""
    azure: AzureSpec
    """The host on Azure."""
