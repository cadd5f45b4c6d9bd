"""What one call asked for, so that a later wait knows what to wait for.

Plain data: it is pickled with the service and handed through mlos_bench as the calls' result.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from benchhost.api import BenchHost


class HostOperation(StrEnum):
    """What a call asked for."""

    PROVISION = "Provision"
    DEALLOCATE = "Deallocate"
    DEPROVISION = "Deprovision"
    START = "Start"
    STOP = "Stop"
    RESTART = "Restart"


class Awaited(StrEnum):
    """What a wait that is handed no handle waits for: the last call of this kind."""

    SETUP = "setup"
    TEARDOWN = "teardown"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """One call on one host."""

    operation: HostOperation
    namespace: str
    name: str
    uid: str | None
    """The object that the call was about; None: whichever has the name."""
    generation: int = 0
    """The generation that the call made or found."""
    started: datetime
    seen: BenchHost | None = None
    """The object as the call left it: where the watch goes on from."""
    manifest: dict[str, Any] | None = None
    """What provision_host wanted."""
    predecessor: BenchHost | None = None
    """An object of the same name that must go first; the wait then creates the host."""
    reallocate_at: datetime | None = None
    """Other hardware was asked for at this time."""
    restart_at: datetime | None = None
    """A restart was asked for at this time."""
    observe_at: datetime | None = None
    """A look at the cloud was asked for at this time."""
    trial: str | None = None
    """The trial that the call was made for, if the environment says."""
    others: tuple["HostCall", ...] = ()
    """Hosts under other names that the same deprovision_host call deletes."""

    @property
    def label(self) -> str:
        """The host, for messages."""
        return f"BenchHost {self.namespace}/{self.name}"

    @property
    def remedy(self) -> str:
        """How somebody removes the host by hand."""
        namespace = f" --namespace {self.namespace}" if self.namespace else ""
        return f"to remove the host: kubectl delete benchhost {self.name}{namespace}"


class HostHandle(dict[str, Any]):
    """The empty dictionary that the protocol asks for, which remembers the call that it came from.

    HostEnv hands the result of ``provision_host`` to ``wait_host_deployment``; the protocol says that it is ``{}``,
    and it is. Whoever copies it into a plain dictionary loses only the memory: the service has its own.
    """

    def __init__(self, call: HostCall) -> None:
        super().__init__()
        self.call = call

    @property
    def operation(self) -> HostOperation:
        """What the call asked for."""
        return self.call.operation

    @property
    def namespace(self) -> str:
        """Namespace of the host."""
        return self.call.namespace

    @property
    def name(self) -> str:
        """Name of the host."""
        return self.call.name

    @property
    def uid(self) -> str | None:
        """The object's uid; None while a predecessor must go first."""
        return self.call.uid

    @property
    def generation(self) -> int:
        """The generation that the call made."""
        return self.call.generation
