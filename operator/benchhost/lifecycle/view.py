"""Everything that a decision rests on, as one value. Made by ``decide`` and read by its rungs."""

from dataclasses import dataclass

from benchhost.api.host import BenchHost
from benchhost.api.status import Failure, OperationResult
from benchhost.cloud.machine import Machine, MachinePower, Observation, Owner, Part, PartState
from benchhost.lifecycle.desired import Desired


@dataclass(frozen=True, slots=True)
class View:
    """Everything a decision rests on."""

    host: BenchHost
    owner: Owner
    observation: Observation
    wanted: Desired

    @property
    def machine(self) -> Machine | None:
        """The machine as the cloud sees it, or None."""
        return self.observation.machine

    @property
    def failure(self) -> Failure | None:
        """What stands in the way of this generation, or None."""
        failure = self.host.status.failure
        return failure if failure is not None and failure.generation == self.host.metadata.generation else None

    @property
    def never_ran(self) -> bool:
        """Whether the machine's creation failed before it had a power state."""
        seen = self.observation.get(Part.MACHINE)
        is_failed = seen is not None and seen.state is PartState.FAILED
        return is_failed and self.machine is not None and self.machine.power is MachinePower.UNKNOWN

    @property
    def has_run(self) -> bool:
        """Whether anything has succeeded since the machine was made.

        It is no failed creation then, whatever the cloud leaves out of its states.
        """
        made = self.machine.created_at if self.machine is not None else None
        return made is not None and any(
            entry.result is OperationResult.SUCCEEDED and entry.end_time >= made for entry in self.host.status.history
        )
