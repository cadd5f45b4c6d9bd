"""The port to a cloud: observe, start one step, look at a running operation. The reconciler knows nothing else.

A provider decides nothing and waits for nothing: it starts what it is told, and says how to look again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from benchhost.api.azure import AzureSpec
from benchhost.api.spec import BenchHostSpec
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Observation, ObservedPart, Owner, Part
from benchhost.cloud.owned import OwnedResource, Scope

CROWD: Final = 32
"""More operations under way than these are a crowd: somebody waits for each of fewer, so each is looked at by itself,
soon after it has ended. In a crowd what the cloud allows is shared."""


class Verb(StrEnum):
    """What can be asked of a part. Only the machine knows more than ensure, delete and release."""

    ENSURE = "ensure"
    """Create it, or bring it to what the spec says; repeating it changes nothing. What the machine brings along is
    finished at once; such a machine whose creation failed has to be deleted before it can be made anew."""
    DELETE = "delete"
    """Remove it; already gone is success."""
    RELEASE = "release"
    """Take the owner's tags off and leave it."""
    START = "start"
    STOP = "stop"
    DEALLOCATE = "deallocate"
    HIBERNATE = "hibernate"
    """Deallocate with the memory kept on the disk; the next start resumes it."""
    RESTART = "restart"
    """The only verb that is not idempotent."""
    RESIZE = "resize"
    """Bring the size to ``HostRequest.size``."""
    UPDATE = "update"
    """Bring data disks, identities and boot diagnostics to what the spec says."""
    TAG = "tag"
    """Bring the tags to what the spec says, owner included."""


def makes_interface_with_machine(azure: AzureSpec) -> bool:
    """Whether the machine brings its interface and its public address along, so that one write makes all three.

    The cloud gives them names that nobody can foretell. They can be found by the beginning of those names only where
    no other host can have the same: where the name is computed, and not where the spec gives it.
    """
    return azure.name is None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do to one part."""

    verb: Verb
    part: Part
    lun: int | None = None
    """Which one, of data disks."""

    def __str__(self) -> str:
        which = f" {self.lun}" if self.lun is not None else ""
        return f"{self.verb} {self.part}{which}"


@dataclass(frozen=True, slots=True)
class GuestSecrets:
    """What goes into the machine at creation and comes from Secrets. Never printed."""

    ssh_public_keys: tuple[str, ...] = ()
    custom_data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One host as a provider needs to know it. Names of its resources follow from it and never change."""

    owner: Owner
    spec: BenchHostSpec
    size: str
    """The size to create or resize to, chosen from ``spec.azure.sizes``."""
    secrets: GuestSecrets | None = None
    """Present only for the step that creates the machine."""
    zone: str | None = None
    """The zone to create in, chosen from ``spec.azure.zones``."""
    not_before: datetime | None = None
    """An observation must show the world as it was at this moment or later, and may not take what is too new to be
    listed for absent. None: what this provider has done itself since it was made is all there is to know, and a
    mistake would be noticed: not for a host that is being deleted."""
    max_age: timedelta | None = None
    """How old an observation may be where nothing is known to have changed since; None: as old as the provider finds
    good enough to act upon. What takes the provider longer than that to look at may be as old as that takes."""
    is_new: bool = False
    """Nothing was ever asked of the cloud for this host, and it takes over nothing. Where nobody else can have the
    names of its parts there is nothing to see, and a creation is refused if there is."""


@dataclass(frozen=True, slots=True)
class Started:
    """A step the cloud has accepted."""

    poll_url: str | None = None
    """Where to look; None when the cloud finished at once, or when looking at the part itself is enough."""
    retry_after: timedelta | None = None
    """The cloud's wish for the first look; None when it gave none."""
    request_id: str | None = None
    finished: bool = False
    """Nothing is under way any more."""
    observed: ObservedPart | None = None
    """The part as the answer shows it, where it does."""


@dataclass(frozen=True, slots=True)
class OperationState:
    """How a running operation stands."""

    finished: bool
    retry_after: timedelta | None = None
    """The cloud's wish for the next look; None when it gave none."""
    start_time: datetime | None = None
    end_time: datetime | None = None
    """By the cloud's clock, where the cloud says so."""
    error: CloudError | None = None
    """Why it failed; None while it runs and when it succeeded."""
    canceled: bool = False
    """It gave way to a later operation."""


class CloudProvider(Protocol):
    """A cloud, seen with one set of credentials.

    Every method raises a ``CloudError`` or a ``DeferredError`` and nothing else. None waits for a slow operation.
    """

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to the host. Reads only."""
        ...

    async def require_turn(self, request: HostRequest, step: Step, seen: Observation) -> None:
        """Line up to start a step, for whoever has something to do before it is started. Sends nothing.

        Raises
        ------
        DeferredError
            If the step's turn has not come; nothing else. Once it has, it is kept for as long as a write to the API
            server takes.
        """
        ...

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        """Start one step on what was just observed.

        It never changes what ``seen`` shows to be another owner's, and where the cloud allows it, it is refused when
        the part has changed since. A step that ``seen`` shows to be done already is finished at once.
        """
        ...

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look once at an operation; None when the cloud does not know it any more."""
        ...

    async def read_console(self, request: HostRequest, *, whole: bool = False) -> str | None:
        """The end of what the machine wrote to its serial console, for a message to people.

        With ``whole`` its beginning too, where the first boot is; of a very long one the middle is left out. None when
        nothing is recorded or it cannot be read; it raises nothing.
        """
        ...

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        """What this cluster owns there; the list may lag behind. Reads only."""
        ...

    async def delete_owned(self, resource: OwnedResource) -> Started:
        """Start to delete a resource that is still its owner's, and that nothing uses; already gone is finished.

        It looks at the resource itself first, because a list may lag behind.
        """
        ...

    async def close(self) -> None:
        """Give back connections. The provider is not used again."""
        ...
