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
    def is_unmade(self) -> bool:
        """Whether the machine looks like one whose creation failed: the cloud calls it so, and tells no power state."""
        seen = self.observation.get(Part.MACHINE)
        is_failed = seen is not None and seen.state is PartState.FAILED
        return is_failed and self.machine is not None and self.machine.power is MachinePower.UNKNOWN

    @property
    def never_ran(self) -> bool:
        """Whether it is a failed creation for certain, with nothing on its disk that could be kept.

        The cloud leaves out power states at times, so how the machine looks is not enough.
        """
        return self.is_unmade and not self.has_run and not self.host.spec.adopt

    @property
    def has_run(self) -> bool:
        """Whether this very machine was placed, or anything has succeeded since it was made."""
        machine, status = self.machine, self.host.status
        if machine is None:
            return False
        if status.placement is not None and status.placement.vm_id == machine.vm_id:
            return True
        made = machine.created_at
        return made is not None and any(
            entry.result is OperationResult.SUCCEEDED and entry.end_time > made for entry in status.history
        )
