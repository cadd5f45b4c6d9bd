"""The moving part of the in-memory cloud: resources, and operations that change them when their time has come.

Part of ``benchhost.cloud.fake``; nobody else needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchhost.cloud.errors import CloudError, TransientError
from benchhost.cloud.fake_resources import FakeResource
from benchhost.cloud.machine import Owner, Part
from benchhost.cloud.provider import OperationState


@dataclass(slots=True)
class FakeOperation:
    """A slow step: what its resource becomes when it ends well (None: it is gone), and when it does not."""

    resource_id: str
    start: datetime
    end: datetime
    after: FakeResource | None
    otherwise: FakeResource
    error: CloudError | None = None
    is_done: bool = False
    canceled: bool = False

    def to_state(self, retry_after: timedelta | None) -> OperationState:
        """How it stands, in the port's words."""
        if not self.is_done:
            return OperationState(finished=False, retry_after=retry_after, start_time=self.start)
        return OperationState(
            finished=True,
            start_time=self.start,
            end_time=self.end,
            error=self.error,
            canceled=self.canceled,
        )


class FakeStore:
    """Everything that exists and everything that is under way.

    Parameters
    ----------
    clock
        What time it is.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.resources: dict[str, FakeResource] = {}
        self.operations: dict[str, FakeOperation] = {}
        self._serial = 0

    def next_id(self) -> int:
        """A number that was not given before."""
        self._serial += 1
        return self._serial

    def begin(self, meanwhile: FakeResource, operation: FakeOperation) -> str:
        """Start an operation and give its URL; one that takes no time has ended when this returns."""
        url = f"https://cloud.invalid/operations/{self.next_id():04}"
        self.resources[meanwhile.id] = meanwhile
        self.operations[url] = operation
        self.settle()
        return url

    def settle(self) -> None:
        """End what is due by the clock."""
        now = self.clock()
        for operation in self.operations.values():
            if not operation.is_done and operation.end <= now:
                self._end(operation)

    def preempt(self, resource_id: str) -> None:
        """End what is under way on a resource in favour of something newer."""
        for operation in self.operations.values():
            if operation.resource_id == resource_id and not operation.is_done:
                operation.is_done = operation.canceled = True
                operation.end = self.clock()
                operation.error = TransientError("Preempted by a more recent operation.", code="OperationPreempted")

    def forget_operations(self) -> None:
        """Let nobody find what was started so far; what is under way goes on."""
        self.operations = {f"{url}#forgotten": operation for url, operation in self.operations.items()}

    def remove(self, resource_id: str, *, kept: frozenset[Part] = frozenset()) -> None:
        """Take a resource away; with a machine go its interface, its disks and its address, never the network."""
        gone = self.resources.pop(resource_id, None)
        for used in gone.uses if gone is not None else ():
            other = self.resources.get(used)
            if other is not None and other.part is not Part.NETWORK and other.part not in kept:
                self.remove(used, kept=kept)

    def ids_of(self, owner: Owner) -> set[str]:
        """Everything that belongs to one host."""
        return {resource.id for resource in self.resources.values() if resource.owner == owner}

    def user_of(self, resource_id: str) -> FakeResource | None:
        """What holds a resource, or None."""
        return next((other for other in self.resources.values() if resource_id in other.uses), None)

    def _end(self, operation: FakeOperation) -> None:
        operation.is_done = True
        if operation.resource_id not in self.resources:
            return
        if operation.error is not None:
            self.resources[operation.resource_id] = operation.otherwise.ended(operation.end, operation.error)
        elif operation.after is None:
            self.remove(operation.resource_id)
        else:
            self.resources[operation.resource_id] = operation.after.ended(operation.end)
