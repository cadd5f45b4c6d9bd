"""Asynchronous operations: begun now, completed when their time has come, without timers or threads.

`Operations.advance` is called before every request with the present time; it completes what is due, in order of
time, by calling the completion that was registered for the kind of operation. So a state can never be seen that
is older than the clock, and nothing runs while nobody looks.
"""

from __future__ import annotations

import heapq
import itertools
import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.identifiers import IdentifierSource, ResourceId
    from benchhost.emulator.cloud.resources import Resource

_log = logging.getLogger(__name__)

RETENTION_SECONDS = 24 * 3600.0
"""How long an ended operation can still be asked about. Not documented; a day outlives any client's wait."""


class OperationKind(StrEnum):
    """What an operation does. The latency model has one entry for each."""

    CREATE_MACHINE = "createMachine"
    UPDATE_MACHINE = "updateMachine"
    RESIZE_MACHINE = "resizeMachine"
    RESIZE_RUNNING_MACHINE = "resizeRunningMachine"
    DELETE_MACHINE = "deleteMachine"
    START_STOPPED = "startStopped"
    START_DEALLOCATED = "startDeallocated"
    POWER_OFF = "powerOff"
    RESTART = "restart"
    DEALLOCATE = "deallocate"
    HIBERNATE = "hibernate"
    REDEPLOY = "redeploy"
    REAPPLY = "reapply"
    NO_CHANGE = "noChange"
    WRITE_DISK = "writeDisk"
    DELETE_DISK = "deleteDisk"
    WRITE_NETWORK = "writeNetwork"
    DELETE_NETWORK = "deleteNetwork"
    DELETE_GROUP = "deleteGroup"
    WRITE_PLACEMENT = "writePlacement"
    DELETE_PLACEMENT = "deletePlacement"
    EVICT_MACHINE = "evictMachine"
    DEPLOYMENT_STEP = "deploymentStep"


_NEVER_JUDGED = frozenset({OperationKind.EVICT_MACHINE, OperationKind.DEPLOYMENT_STEP})
"""What no client began: a fault for whatever operation comes next is not for these."""


class OperationStatus(StrEnum):
    """The ``status`` of a poll's body."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(slots=True, kw_only=True)
class Operation:
    """One asynchronous operation.

    Parameters
    ----------
    id
        The GUID in the polling URL.
    kind, target
        What is done to which resource; a group's deletion has no target resource.
    group
        The resource group that the operation is about.
    namespace, location
        Whose operation it is, and where it is polled.
    started, due, ended
        Seconds since 1970. ``due`` is when it completes if nothing comes between.
    status, error
        How it stands.
    polls
        How often it was asked about.
    """

    id: str
    kind: OperationKind
    target: ResourceId | None
    group: str
    namespace: str
    location: str
    started: float
    due: float
    ended: float | None = None
    status: OperationStatus = OperationStatus.IN_PROGRESS
    error: ArmError | None = None
    polls: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status is OperationStatus.IN_PROGRESS

    @property
    def is_final(self) -> bool:
        """Whether nothing about it will change that matters: polls of an ended operation all get the same answer."""
        return not self.is_running

    def progress(self, now: float) -> float:
        """Return how much of its time has passed, from 0 to 1."""
        if self.due <= self.started:
            return 1.0
        return min(1.0, max(0.0, (now - self.started) / (self.due - self.started)))


class Operations:
    """All operations of a subscription.

    Parameters
    ----------
    identifiers
        Gives operation ids.
    duration
        How many seconds an operation of a kind takes, drawn anew for each one.
    """

    unsaved = ("_due", "_order", "_verdict", "touched")
    """Follow from the rest, or are put together by each run (state.cells)."""

    watched = "_by_id"
    """Whose keys ``touched`` has, while somebody wants to know them (state.cells)."""

    def __init__(self, identifiers: IdentifierSource, duration: Callable[[OperationKind], float]) -> None:
        self._identifiers = identifiers
        self._duration = duration
        self._by_id: dict[str, Operation] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._completions: dict[OperationKind, Callable[[Operation, float], None]] = {}
        self._verdict: Callable[[Operation, float], ArmError | None] | None = None
        self._on_failure: Callable[[Operation, ArmError, float], None] | None = None
        self.touched: dict[str, None] | None = None

    def judge_with(self, verdict: Callable[[Operation, float], ArmError | None]) -> None:
        """Let ``verdict`` say of each operation of a client that is due why it fails, or None."""
        self._verdict = verdict

    def on_failure(self, failure: Callable[[Operation, ArmError, float], None]) -> None:
        """Say what happens, instead of the completion, when an operation fails by such a verdict."""
        self._on_failure = failure

    def on_completion(self, kind: OperationKind, completion: Callable[[Operation, float], None]) -> None:
        """Say what happens when an operation of ``kind`` is due; called with it and the time it was due."""
        self._completions[kind] = completion

    def draw_duration(self, kind: OperationKind) -> float:
        """Return how many seconds an operation of a kind takes this time."""
        return self._duration(kind)

    def begin(self, kind: OperationKind, resource: Resource, now: float) -> Operation:
        """Begin an operation on a resource, which refers to it until it has ended."""
        operation = self.begin_unseen(kind, resource, now, due=now + self._duration(kind))
        resource.operation_id = operation.id
        return operation

    def begin_unseen(self, kind: OperationKind, resource: Resource, now: float, *, due: float) -> Operation:
        """Begin something that no client asked for: the resource is not busy meanwhile."""
        return self._begin(kind, resource.id, resource.location, now=now, due=due)

    def begin_step(self, deployment_id: ResourceId, location: str, *, now: float, due: float) -> Operation:
        """Let a deployment go on at ``due``."""
        return self._begin(OperationKind.DEPLOYMENT_STEP, deployment_id, location, now=now, due=due)

    def begin_for_group(self, group: str, location: str, now: float) -> Operation:
        """Begin the deletion of a resource group."""
        operation = Operation(
            id=self._identifiers.guid(),
            kind=OperationKind.DELETE_GROUP,
            target=None,
            group=group,
            namespace="Microsoft.Resources",
            location=location,
            started=now,
            due=now + self._duration(OperationKind.DELETE_GROUP),
        )
        self._schedule(operation)
        return operation

    def find(self, operation_id: str | None) -> Operation | None:
        """Return an operation, or None when it is unknown or long over."""
        if operation_id is None:
            return None
        self._touch(operation_id)
        return self._by_id.get(operation_id)

    def running_on(self, resource: Resource) -> Operation | None:
        """Return the operation that is under way on a resource."""
        operation = self.find(resource.operation_id)
        return operation if operation is not None and operation.is_running else None

    def preempt(self, resource: Resource, now: float) -> None:
        """End what is under way on a resource as Canceled, because a more recent operation takes over."""
        operation = self.running_on(resource)
        if operation is not None:
            self.end(operation, now, error=errors.operation_preempted(), status=OperationStatus.CANCELED)
        resource.operation_id = None

    def end(
        self,
        operation: Operation,
        now: float,
        *,
        error: ArmError | None = None,
        status: OperationStatus | None = None,
    ) -> None:
        """Record that an operation has ended."""
        operation.ended = now
        operation.error = error
        operation.status = status or (OperationStatus.FAILED if error else OperationStatus.SUCCEEDED)

    def advance(self, now: float) -> None:
        """Complete every operation that is due at ``now`` or before, in order of time."""
        while self._due and self._due[0][0] <= now:
            due, _, operation_id = heapq.heappop(self._due)
            operation = self.find(operation_id)
            if operation is None:
                continue
            if not operation.is_running:
                self._forget_or_keep(operation, now)
                continue
            self._complete(operation, due)
            if operation.is_running:
                self.end(operation, due)
            self._keep_until(operation, due + RETENTION_SECONDS)

    def next_due(self) -> float | None:
        """Return when `advance` next has something to do, in seconds since 1970; None for never."""
        return self._due[0][0] if self._due else None

    def restored(self) -> None:
        """Make the queue again after the operations have been put in from outside."""
        self._due.clear()
        for operation in self._by_id.values():
            ended = operation.ended or operation.started
            self._keep_until(operation, operation.due if operation.is_running else ended + RETENTION_SECONDS)

    def _begin(self, kind: OperationKind, target: ResourceId, location: str, *, now: float, due: float) -> Operation:
        operation = Operation(
            id=self._identifiers.guid(),
            kind=kind,
            target=target,
            group=target.group,
            namespace=target.namespace,
            location=location,
            started=now,
            due=due,
        )
        self._schedule(operation)
        return operation

    def _complete(self, operation: Operation, due: float) -> None:
        verdict = None if operation.kind in _NEVER_JUDGED else self._verdict
        error = None if verdict is None else verdict(operation, due)
        if error is None:
            error = _mistake_in(partial(self._completions[operation.kind], operation, due), operation)
        if error is None:
            return
        if self._on_failure is not None:
            _mistake_in(partial(self._on_failure, operation, error, due), operation)
        self.end(operation, due, error=error)

    def _schedule(self, operation: Operation) -> None:
        self._by_id[operation.id] = operation
        self._touch(operation.id)
        self._keep_until(operation, operation.due)

    def _touch(self, operation_id: str) -> None:
        if self.touched is not None:
            self.touched[operation_id] = None

    def _keep_until(self, operation: Operation, when: float) -> None:
        heapq.heappush(self._due, (when, next(self._order), operation.id))

    def _forget_or_keep(self, operation: Operation, now: float) -> None:
        expires = (operation.ended or operation.started) + RETENTION_SECONDS
        if expires <= now:
            del self._by_id[operation.id]
            return
        self._keep_until(operation, expires)


def _mistake_in(end: Callable[[], None], operation: Operation) -> ArmError | None:
    """Do what ends an operation; a mistake of ours in it becomes its error, or a client would wait for ever."""
    try:
        end()
    except Exception:  # noqa: BLE001 - told as an error of the operation, as Azure does
        _log.exception("%s of %s: internal error", operation.kind, operation.target or operation.group)
        return errors.internal_execution_error()
    return None
