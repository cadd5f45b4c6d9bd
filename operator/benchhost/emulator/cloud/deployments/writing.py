"""How a deployment reaches the providers of its resources: a port, since requests are `benchhost.emulator.arm`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequest:
    """What a deployment asks a provider for.

    Parameters
    ----------
    resource_id, api_version, body
        What to write, and how it is said.
    principal
        Who asked for the deployment.
    now
        Seconds since 1970.
    """

    resource_id: str
    api_version: str
    principal: str
    now: float
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a provider answered.

    Parameters
    ----------
    is_new
        Whether the resource was not there before.
    operation
        What has to end before the resource is there; None where it is there already.
    answer_seconds
        How long the answer took.
    """

    is_new: bool
    operation: Operation | None
    answer_seconds: float


class ResourceWriter(Protocol):
    """Writes and reads single resources, as a client's own requests do."""

    def require_type(self, resource_id: str, api_version: str) -> None:
        """Refuse a type that cannot be written, or a version that it has not.

        Raises
        ------
        ArmError
            As ARM refuses before it begins.
        """

    def write(self, request: ResourceRequest) -> Written:
        """Create or update a resource.

        Raises
        ------
        ArmError
            As its provider refuses.
        """

    def read(self, request: ResourceRequest) -> Any:
        """Return a resource as GET shows it.

        Raises
        ------
        ArmError
            When it is not there.
        """

    def wait_after(self, refusal: ArmError) -> float | None:
        """Return how many seconds to wait before the same is asked again, None where that is no use."""
