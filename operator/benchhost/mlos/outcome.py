"""From a BenchHost as it was seen to what mlos_bench is told: pure functions, no clock, no network.

Used by ``service`` on every change that a watch reports.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mlos_bench.environments.status import Status

from benchhost.api import BenchHost, ConditionStatus, ConditionType, FailureClass, OperationType, get_condition, is_true
from benchhost.api.model import to_timestamp
from benchhost.mlos.calls import HostCall, HostOperation

Result = tuple[Status, dict[str, Any]]
"""What every call of mlos_bench is answered with."""

_DEALLOCATIONS: Final = frozenset({OperationType.HIBERNATE, OperationType.DEALLOCATE})
_OPERATIONS: Final = {
    HostOperation.PROVISION: frozenset(OperationType) - _DEALLOCATIONS - {OperationType.DELETE},
    HostOperation.DEALLOCATE: _DEALLOCATIONS,
    HostOperation.DEPROVISION: frozenset({OperationType.DELETE}),
    HostOperation.START: frozenset({OperationType.START, OperationType.PROVISION}),
    HostOperation.STOP: frozenset({OperationType.STOP}),
    HostOperation.RESTART: frozenset({OperationType.RESTART, OperationType.START}),
}
"""Which entries of the history tell of which call."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended."""

    status: Status
    message: str = ""
    """Why it failed, as one sentence."""
    host: BenchHost | None = None
    """The object when it was decided."""


def decide_setup(host: BenchHost | None, call: HostCall) -> Outcome | None:
    """Whether the host is what ``provision_host`` asked for; None while that is open."""
    gone = _decide_gone(host, call, "set up")
    if gone is not None or host is None:
        return gone
    if is_true(host.status.conditions, ConditionType.READY, generation=call.generation) and _has_obeyed(host, call):
        return Outcome(Status.SUCCEEDED, host=host)
    return _decide_failure(host, call.generation, f"{call.label} cannot be set up")


def decide_stop(host: BenchHost | None, call: HostCall) -> Outcome | None:
    """Whether the host is off; one without a machine is, and so is one that has given its hardware back."""
    gone = _decide_gone(host, call, "switched off")
    if gone is not None or host is None:
        return gone
    is_synced = is_true(host.status.conditions, ConditionType.SYNCED, generation=call.generation)
    if is_synced and host.status.power_state in (None, "Stopped", "Deallocated"):
        return Outcome(Status.SUCCEEDED, host=host)
    return _decide_failure(host, call.generation, f"{call.label} cannot be switched off")


def decide_power_on(host: BenchHost | None, call: HostCall) -> Outcome | None:
    """Whether the host has started, or has restarted where the call asked for that, and can be used."""
    doing = "restarted" if call.operation is HostOperation.RESTART else "started"
    gone = _decide_gone(host, call, doing)
    if gone is not None or host is None:
        return gone
    if is_true(host.status.conditions, ConditionType.READY, generation=call.generation) and _has_obeyed(host, call):
        return Outcome(Status.SUCCEEDED, host=host)
    return _decide_failure(host, call.generation, f"{call.label} cannot be {doing}")


def decide_deallocation(host: BenchHost | None, call: HostCall) -> Outcome | None:
    """Whether the host has given its hardware back; one that is gone has, and so has one without a machine."""
    if host is None or (call.uid is not None and host.metadata.uid != call.uid):
        return Outcome(Status.SUCCEEDED, host=call.seen)
    is_synced = is_true(host.status.conditions, ConditionType.SYNCED, generation=call.generation)
    if is_synced and host.status.power_state in (None, "Deallocated"):
        return Outcome(Status.SUCCEEDED, host=host)
    return _decide_failure(host, call.generation, f"{call.label} cannot be deallocated")


def decide_deletion(host: BenchHost | None, call: HostCall) -> Outcome | None:
    """Whether that very object is gone; another one of the same name does not count."""
    if host is None or (call.uid is not None and host.metadata.uid != call.uid):
        return Outcome(Status.SUCCEEDED, host=call.seen)
    if not host.is_deleting:
        return None
    # Asking for the deletion made a new generation; what was said of an older one is no answer to it.
    return _decide_failure(host, host.metadata.generation, f"{call.label} cannot be deleted")


def to_info(host: BenchHost | None, call: HostCall, ended: datetime) -> dict[str, Any]:
    """The information on the operation's run time that the protocol promises on success.

    Times are the cloud's own, from the newest entry of ``status.history``, where that entry is of this operation;
    else from the call to the moment when its success was seen.
    """
    start, end, seconds, operation = call.started, ended, (ended - call.started).total_seconds(), call.operation.value
    last = host.status.history[-1] if host and host.status.history else None
    if last is not None and last.type in _OPERATIONS[call.operation]:
        start, end, seconds, operation = last.start_time, last.end_time, last.seconds, last.type.value
    return {
        "operation": operation,
        "startTime": to_timestamp(start),
        "endTime": to_timestamp(end),
        "durationSeconds": round(seconds, 3),
        "namespace": call.namespace,
        "name": call.name,
        "uid": host.metadata.uid if host else call.uid,
        **_place_info(host),
    }


def describe_placement(host: BenchHost) -> str:
    """One line for the log: which allocation onto hardware a trial runs on."""
    status, place = host.status, host.status.placement
    epoch = place.epoch if place else 0
    since = f" since {to_timestamp(place.since)}" if place and place.since else ""
    where = ", zone ".join(filter(None, [status.size, status.zone])) or "unknown size"
    return f"{host.metadata.namespace}/{host.metadata.name}: placement epoch {epoch}{since} ({where})"


def describe_state(host: BenchHost | None) -> str:
    """What the controller said last, or that it said nothing."""
    if host is None:
        return "there is no such object"
    for kind in (ConditionType.STALLED, ConditionType.READY, ConditionType.SYNCED, ConditionType.RECONCILING):
        condition = get_condition(host.status.conditions, kind)
        if condition is not None:
            return f"{condition.type} is {condition.status}, {condition.message or condition.reason}"
    return "no controller has reported on it; is one running?"


def _place_info(host: BenchHost | None) -> dict[str, Any]:
    status = host.status if host else None
    place = status.placement if status else None
    return {
        "providerId": status.provider_id if status else None,
        "vmId": place.vm_id if place else None,
        "size": status.size if status else None,
        "zone": status.zone if status else None,
        "placementEpoch": place.epoch if place else None,
        "addresses": [address.to_dict() for address in status.addresses] if status else [],
    }


def _decide_gone(host: BenchHost | None, call: HostCall, doing: str) -> Outcome | None:
    """A failure if the very object is gone or going."""
    if host is None:
        return _failed(None, f"{call.label} was deleted by somebody else while it was {doing}")
    if call.uid is not None and host.metadata.uid != call.uid:
        return _failed(host, f"{call.label} was deleted and created anew by somebody else while it was {doing}")
    if host.is_deleting:
        return _failed(host, f"{call.label} is being deleted by somebody else while it is {doing}")
    return None


def _has_obeyed(host: BenchHost, call: HostCall) -> bool:
    """Whether the one-time requests of the call are acknowledged: other hardware, a restart, a look."""
    status = host.status
    requests = (
        (call.reallocate_at, status.last_reallocate_time),
        (call.restart_at, status.last_restart_time),
        (call.observe_at, status.last_observe_time),
    )
    return all(asked is None or (done is not None and done >= asked) for asked, done in requests)


def _decide_failure(host: BenchHost, generation: int, what: str) -> Outcome | None:
    stalled = get_condition(host.status.conditions, ConditionType.STALLED)
    if stalled is not None and stalled.status is ConditionStatus.TRUE and stalled.observed_generation >= generation:
        return _failed(host, f"{what}: {stalled.message or stalled.reason}")
    failure = host.status.failure
    is_terminal = failure is not None and failure.failure_class is FailureClass.TERMINAL
    is_final = failure is not None and is_terminal and failure.next_attempt_at is None
    if failure is not None and is_final and failure.generation >= generation:
        return _failed(host, f"{what}: {failure.message or failure.reason}")
    return None


def _failed(host: BenchHost | None, message: str) -> Outcome:
    return Outcome(Status.FAILED, message, host)
