"""The record of an operation: how it begins, which one is looked at, whether it is over, how it has ended. Pure.

Used by a pass over a host, which keeps the record in ``status.operation`` and what has ended in ``status.history``.
"""

from datetime import datetime
from typing import Final

from benchhost.api.host import BenchHost
from benchhost.api.status import Operation, OperationResult, OperationType
from benchhost.cloud.machine import Observation
from benchhost.cloud.provider import HostRequest, OperationState
from benchhost.lifecycle.actions import Action, Do, Hold, Release, Settled, Wait
from benchhost.lifecycle.result import Finished

_TIMEOUTS: Final[dict[OperationType, str]] = {
    OperationType.PROVISION: "provision",
    OperationType.START: "start",
    OperationType.STOP: "stop",
    OperationType.HIBERNATE: "deallocate",
    OperationType.DEALLOCATE: "deallocate",
    OperationType.REALLOCATE: "deallocate",
    OperationType.RESTART: "restart",
    OperationType.RESIZE: "resize",
    OperationType.UPDATE: "resize",
    OperationType.CLEAN_UP: "delete",
    OperationType.DELETE: "delete",
}


def begin(
    host: BenchHost,
    kind: OperationType,
    *,
    current: Operation | None,
    allocates: HostRequest | None,
    now: datetime,
) -> Operation:
    """The operation under way if it is the same one, else a new one; waiting for a part is under way too.

    Parameters
    ----------
    host
        Whose it is.
    kind
        What is done.
    current
        The operation under way.
    allocates
        The request for hardware, if it is one: what is asked for stays on record.
    now
        When a new one begins.
    """
    generation = host.metadata.generation
    asked = {"size": allocates.size, "zone": allocates.zone} if allocates else {}
    if current is not None and current.type is kind and current.generation == generation:
        return current.model_copy(update=asked)
    return Operation(
        type=kind,
        started_at=now,
        deadline=now + host.spec.timeouts.get(_TIMEOUTS[kind]),
        generation=generation,
        attempt=_attempt(host),
        **asked,
    )


def operation_to_poll(host: BenchHost) -> Operation | None:
    """The operation that is looked at before anything else; a deletion does not wait for what it is going to undo."""
    operation = host.status.operation
    if operation is None or operation.poll_url is None:
        return None
    return None if host.is_deleting and operation.type is not OperationType.DELETE else operation


def result_without_a_look(
    operation: Operation, action: Action, observation: Observation, *, is_deleting: bool
) -> OperationResult | None:
    """How an operation has ended that the decision no longer goes on with; None while it does."""
    if isinstance(action, Hold):
        return None
    if isinstance(action, Wait) and action.operation in (None, operation.type):
        return None
    if isinstance(action, Do) and action.operation is operation.type:
        return None
    gave_way = observation.machine is None or is_deleting
    done = operation.type is OperationType.DELETE and isinstance(action, Release | Settled)
    done = done or (operation.type is OperationType.CLEAN_UP and observation.machine is None)
    return OperationResult.CANCELED if gave_way and not done else OperationResult.SUCCEEDED


def finish(operation: Operation, state: OperationState, *, now: datetime) -> Finished:
    """An operation whose end the cloud shows, with the cloud's times where it gives them."""
    return Finished(
        operation=operation,
        result=_result_of(state),
        start_time=state.start_time,
        end_time=state.end_time or now,
        reason=state.error.code or None if state.error else None,
    )


def _attempt(host: BenchHost) -> int:
    failure = host.status.failure
    return failure.count + 1 if failure and failure.generation == host.metadata.generation else 1


def _result_of(state: OperationState) -> OperationResult:
    """How an operation has ended that the cloud shows."""
    if state.canceled:
        return OperationResult.CANCELED
    return OperationResult.SUCCEEDED if state.error is None else OperationResult.FAILED
