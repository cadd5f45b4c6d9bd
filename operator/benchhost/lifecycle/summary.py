"""The conditions and the phase: what people, kubectl and clients read. Pure; part of ``report``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchhost.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Reason,
    get_condition,
    is_true,
    to_condition,
    to_reason,
)
from benchhost.api.host import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.api.spec import PowerState
from benchhost.api.status import BenchHostStatus, Failure, FailureClass, Operation, OperationType, Phase
from benchhost.cloud.machine import MachinePower, Observation, Part, PartState
from benchhost.lifecycle.actions import Action, Do, Hold, Release, Remove, Settled, Wait, is_queued
from benchhost.lifecycle.build import expected_parts
from benchhost.lifecycle.desired import Desired, desired
from benchhost.lifecycle.readiness import Row, reachable
from benchhost.lifecycle.result import Pass

_TRUE, _FALSE, _UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

_WORK: Final[dict[OperationType, tuple[Phase, Reason]]] = {
    OperationType.PROVISION: (Phase.PROVISIONING, Reason.PROVISIONING),
    OperationType.START: (Phase.STARTING, Reason.STARTING),
    OperationType.STOP: (Phase.STOPPING, Reason.STOPPING),
    OperationType.HIBERNATE: (Phase.DEALLOCATING, Reason.DEALLOCATING),
    OperationType.DEALLOCATE: (Phase.DEALLOCATING, Reason.DEALLOCATING),
    OperationType.REALLOCATE: (Phase.DEALLOCATING, Reason.REALLOCATING),
    OperationType.RESTART: (Phase.RESTARTING, Reason.RESTARTING),
    OperationType.RESIZE: (Phase.RESIZING, Reason.RESIZING),
    OperationType.UPDATE: (Phase.RUNNING, Reason.UPDATING),
    OperationType.CLEAN_UP: (Phase.PROVISIONING, Reason.PROVISIONING),
    OperationType.DELETE: (Phase.DELETING, Reason.DELETING),
}
_RESTING: Final[dict[str, Phase]] = {
    MachinePower.RUNNING: Phase.RUNNING,
    MachinePower.STARTING: Phase.STARTING,
    MachinePower.STOPPING: Phase.STOPPING,
    MachinePower.STOPPED: Phase.STOPPED,
    MachinePower.DEALLOCATING: Phase.DEALLOCATING,
    MachinePower.DEALLOCATED: Phase.DEALLOCATED,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person sees first."""

    phase: Phase
    conditions: list[Condition]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How the pass ended, in the terms of the Synced condition."""

    status: ConditionStatus
    reason: Reason
    message: str
    working: bool = False
    stalled: bool = False


def summarize(host: BenchHost, status: BenchHostStatus, outcome: Pass, *, now: datetime) -> Summary:
    """Conditions and phase after this pass.

    Parameters
    ----------
    host
        The object with its last status, for transition times.
    status
        The new status, complete but for conditions and phase.
    outcome
        The pass.
    now
        The moment of the report.
    """
    verdict = _verdict(host, status, outcome, now)
    rows = [
        (ConditionType.READY, _ready(host, status, verdict, now, desired(host, outcome.circumstances, now=now))),
        (ConditionType.SYNCED, (verdict.status, verdict.reason, verdict.message)),
        (ConditionType.PROVISIONED, _provisioned(host, outcome)),
        (ConditionType.REACHABLE, reachable(host, status, now=now)),
        (ConditionType.EVICTED, _evicted(status)),
        (ConditionType.RECONCILING, (_TRUE, verdict.reason, verdict.message) if verdict.working else None),
        (ConditionType.STALLED, (_TRUE, verdict.reason, verdict.message) if verdict.stalled else None),
    ]
    conditions = [
        to_condition(
            kind,
            row[0],
            reason=row[1],
            message=row[2],
            generation=_generation(host, kind, row[0], outcome),
            now=now,
            earlier=host.status.conditions,
        )
        for kind, row in rows
        if row is not None
    ]
    return Summary(_phase(host, status, outcome, verdict), conditions)


def _generation(host: BenchHost, kind: ConditionType, status: ConditionStatus, outcome: Pass) -> int:
    """What a condition speaks of: a host that stays Ready without a look is Ready for no newer spec than before."""
    was_decided = outcome.action is not None and not is_queued(outcome.action)
    if kind is not ConditionType.READY or status is not _TRUE or was_decided:
        return host.metadata.generation
    earlier = get_condition(host.status.conditions, kind)
    return earlier.observed_generation if earlier is not None else host.metadata.generation


def _verdict(host: BenchHost, status: BenchHostStatus, outcome: Pass, now: datetime) -> _Verdict:
    failure = status.failure
    if failure is not None and (outcome.error is not None or _is_held_by(failure, outcome.action)):
        return _failed(host, failure, now)
    operation = status.operation
    if operation is not None and operation.deadline < now:
        return _Verdict(_FALSE, Reason.TIMED_OUT, _timed_out(status), working=True)
    if operation is not None and _goes_on(outcome.action):
        return _Verdict(_FALSE, _reason_of(status, operation.type), _under_way(status, operation), working=True)
    return _verdict_of(host, status, outcome.action)


def _goes_on(action: Action | None) -> bool:
    """Whether the action goes on with the operation under way."""
    return isinstance(action, Do) or (isinstance(action, Wait) and not is_queued(action))


def _is_lost(status: BenchHostStatus, kind: OperationType) -> bool:
    """Whether the machine is made again because somebody has deleted it: nobody here deletes one that was placed."""
    return kind is OperationType.PROVISION and status.placement is not None and status.evicted_at is None


def _reason_of(status: BenchHostStatus, kind: OperationType) -> Reason:
    return Reason.DELETED_OUT_OF_BAND if _is_lost(status, kind) else _WORK[kind][1]


def _verdict_of(host: BenchHost, status: BenchHostStatus, action: Action | None) -> _Verdict:
    """What a pass without a failure and without an operation under way says."""
    match action:
        case Settled(message=message, reason=reason):
            return _Verdict(_TRUE, reason, message, stalled=_is_ended(host, reason))
        case Hold(reason=reason, message=message, stalled=stalled, wake_at=wake_at):
            return _Verdict(_FALSE, reason, message, working=wake_at is not None and not stalled, stalled=stalled)
        case Do(operation=kind, step=step):
            return _Verdict(_FALSE, _reason_of(status, kind), f"{_WORK[kind][1]}: {step}.", working=True)
        case Wait(operation=wait_kind, message=message, reason=wait_reason):
            reason = _reason_of(status, wait_kind) if wait_kind else wait_reason
            return _Verdict(_FALSE, reason, message, working=True)
        case Remove(reason=reason, message=message):
            return _Verdict(_FALSE, reason, message, working=True)
        case Release():
            return _Verdict(_FALSE, Reason.DELETING, "Nothing of the host is left in the cloud.", working=True)
        case None:
            return _Verdict(_UNKNOWN, Reason.PENDING, "Not looked at yet.", working=True)


def _is_ended(host: BenchHost, reason: Reason) -> bool:
    """Whether a host that the spec wants running stays off until somebody changes something."""
    return host.spec.power_state is PowerState.RUNNING and reason in (Reason.EXPIRED, Reason.HOLDER_LOST)


def _is_held_by(failure: Failure, action: Action | None) -> bool:
    """Whether nothing is done because of this failure: told in the same words as the failure itself."""
    return isinstance(action, Hold) and action.reason in (failure.reason, Reason.DELETION_BLOCKED)


def _failed(host: BenchHost, failure: Failure, now: datetime) -> _Verdict:
    """It stalls if somebody has to mend it, unless another way is taken at once."""
    has_another_way = failure.next_attempt_at is not None and failure.next_attempt_at <= now
    stalled = failure.failure_class in (FailureClass.TERMINAL, FailureClass.ADMIN) and not has_another_way
    reason = Reason.DELETION_BLOCKED if host.is_deleting else to_reason(failure.reason)
    return _Verdict(_FALSE, reason, describe_failure(failure), working=not stalled, stalled=stalled)


def describe_failure(failure: Failure) -> str:
    """What happened, and what happens next and when."""
    message = failure.message if failure.message.endswith((".", "!", "?", "\n")) else f"{failure.message}."
    if failure.next_attempt_at is None:
        return f"{message} It is not tried again until the spec changes."
    when = to_timestamp(failure.next_attempt_at.replace(microsecond=0))
    return f"{message} Attempt {failure.count} failed; the next is at {when}."


def _under_way(status: BenchHostStatus, operation: Operation) -> str:
    """The same words from the first step to the last look, so that looking again writes nothing."""
    what = "the machine" if operation.poll_url else "what the machine needs"
    lost = "The machine was deleted behind our back; a new one is made. " if _is_lost(status, operation.type) else ""
    return f"{lost}{operation.type} began at {to_timestamp(operation.started_at)}; the cloud is working on {what}."


def _timed_out(status: BenchHostStatus) -> str:
    operation = status.operation
    if operation is None:
        return ""
    return (
        f"{operation.type} has not ended by {to_timestamp(operation.deadline)}, its time limit "
        f"(spec.timeouts); it began at {to_timestamp(operation.started_at)} and is still watched."
    )


def _ready(host: BenchHost, status: BenchHostStatus, verdict: _Verdict, now: datetime, wanted: Desired) -> Row | None:
    """Absent while the host is not meant to run, so that waiting for it waits."""
    if host.spec.power_state is not PowerState.RUNNING or host.is_deleting:
        return None
    if wanted.ended is not None:
        return (_FALSE, wanted.ended, wanted.message)
    usable = status.power_state == MachinePower.RUNNING and _leaves_usable(host, status, verdict)
    if verdict.status is not _TRUE and not usable:
        return (_FALSE, verdict.reason, verdict.message)
    answer = reachable(host, status, now=now)
    if answer is not None and answer[0] is not _TRUE:
        return (_FALSE, answer[1], f"The host runs. {answer[2]}")
    return (_TRUE, Reason.RUNNING, verdict.message if verdict.status is _TRUE else f"The host runs. {verdict.message}")


def _evicted(status: BenchHostStatus) -> Row | None:
    if status.evicted_at is None:
        return None
    since = to_timestamp(status.evicted_at.replace(microsecond=0))
    return (
        _TRUE,
        Reason.EVICTED,
        f"Azure has taken the spot capacity back (seen at {since}); it is asked for again while the host is to run.",
    )


def _leaves_usable(host: BenchHost, status: BenchHostStatus, verdict: _Verdict) -> bool:
    """Whether a running host stays usable though the cloud and the spec do not agree.

    True while it is paused, while tags are brought up to date, and while the cloud cannot be asked for a moment.
    Waiting for a turn changes nothing: whoever was usable still is.
    """
    if verdict.reason in (Reason.PAUSED, Reason.UPDATING):
        return True
    if verdict.reason is Reason.QUEUED:
        return is_true(host.status.conditions, ConditionType.READY)
    failure = status.failure
    passing = (FailureClass.TRANSIENT, FailureClass.THROTTLED)
    is_left_alone = status.operation is None or status.operation.type is OperationType.UPDATE
    return failure is not None and failure.failure_class in passing and is_left_alone


def _provisioned(host: BenchHost, outcome: Pass) -> Row | None:
    """As it was when the cloud could not be, or need not be, looked at."""
    if outcome.observation is None:
        known = get_condition(host.status.conditions, ConditionType.PROVISIONED)
        return (known.status, to_reason(known.reason), known.message) if known else None
    seen = outcome.observation.get(Part.MACHINE)
    if seen is None:
        return (_FALSE, Reason.PENDING, "No machine exists.")
    if seen.state is not PartState.READY:
        why = _why_failed(outcome.observation)
        return (_FALSE, Reason.PROVISIONING, f"The machine exists and is {seen.state}{why}.")
    absent = [str(part) for part in expected_parts(host) if outcome.observation.get(part) is None]
    if absent:
        return (_FALSE, Reason.OUT_OF_SYNC, f"The machine exists, but not its {' and '.join(absent)}.")
    return (_TRUE, Reason.PROVISIONED, "Machine, network interface, disk and address exist.")


def _why_failed(observation: Observation) -> str:
    """The cloud's own words, which the machine keeps when the record of its operation is lost."""
    machine = observation.machine
    if machine is None or not machine.failure_message:
        return ""
    code = f" ({machine.failure_code})" if machine.failure_code else ""
    return f": {machine.failure_message.rstrip('. ')}{code}"


def _phase(host: BenchHost, status: BenchHostStatus, outcome: Pass, verdict: _Verdict) -> Phase:
    if host.is_deleting:
        return Phase.DELETING
    if verdict.stalled or (outcome.error is not None and verdict.status is not _TRUE and not status.power_state):
        return Phase.FAILED
    operation = status.operation
    if operation is not None:
        return _WORK[operation.type][0]
    if status.power_state is None:
        return Phase.DEALLOCATED if verdict.status is _TRUE else Phase.PENDING
    return _RESTING.get(status.power_state, Phase.PENDING)
