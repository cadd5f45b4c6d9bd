"""What is known of one deployment and of each of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.identifiers import ResourceId


class DeploymentState(StrEnum):
    """``properties.provisioningState`` of a deployment."""

    ACCEPTED = "Accepted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class StepState(StrEnum):
    """How one resource of a deployment stands."""

    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(slots=True, kw_only=True)
class Step:
    """One resource of a deployment.

    Parameters
    ----------
    resource_id, kind, name
        What it is.
    depends_on
        Ids of the resources that have to be there before.
    guid
        Its id in the list of the deployment's operations.
    state, error
        How it stands.
    is_new
        Whether its provider had to create it.
    operation_id
        The resource's operation, where it has one.
    started, ready, ended
        Seconds since 1970; ``ready`` is when ARM looks at it next.
    tries
        How often its provider was asked.
    """

    resource_id: str
    kind: str
    name: str
    depends_on: tuple[str, ...]
    guid: str
    state: StepState = StepState.WAITING
    error: ArmError | None = None
    is_new: bool = False
    operation_id: str | None = None
    started: float | None = None
    ready: float = 0.0
    ended: float | None = None
    tries: int = 0


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One deployment.

    Parameters
    ----------
    id, location
        What it is called, and the region of its resource group.
    guid
        Its correlation id, new for each PUT.
    principal
        Who asked for it.
    template, template_hash
        What it makes.
    values
        Its parameters, secrets too; empty once it has ended.
    parameters
        Its parameters as they may be told.
    steps
        One for each resource that is wanted, in the order of the template's dependencies.
    state, error, outputs
        How it stands.
    started, changed, look_at, ended
        Seconds since 1970; ``look_at`` is when it goes on.
    """

    id: ResourceId
    location: str
    guid: str
    principal: str
    template: dict[str, Any]
    template_hash: str
    values: dict[str, Any]
    parameters: dict[str, Any]
    steps: list[Step]
    started: float
    changed: float
    state: DeploymentState = DeploymentState.ACCEPTED
    error: ArmError | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    look_at: float = 0.0
    ended: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.ended is None

    @property
    def is_final(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.ended is not None

    def step_of(self, resource_id: str) -> Step | None:
        """Return the step that makes a resource, or None."""
        return next((step for step in self.steps if step.resource_id.lower() == resource_id.lower()), None)

    def end(self, state: DeploymentState, now: float, *, error: ArmError | None = None) -> None:
        """Let it go no further; secrets that were needed to go on are forgotten."""
        self.state, self.error = state, error
        self.changed = self.ended = now
        self.values = {}
