"""What has become different from one status of a host to the next, in the terms of Events and metrics. Pure.

Called for each status that is written. The words come from the status: nothing here looks at the cloud.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchhost.api.conditions import Condition, ConditionStatus, ConditionType, Reason, get_condition
from benchhost.api.host import BenchHost
from benchhost.api.status import BenchHostStatus, Failure, HistoryEntry, OperationResult

PLACED: Final = "Placed"
"""Reason of the Event that tells of a new placement epoch."""

_TOLD: Final = (
    ConditionType.READY,
    ConditionType.SYNCED,
    ConditionType.REACHABLE,
    ConditionType.EVICTED,
    ConditionType.STALLED,
)
"""Conditions whose changes are Events, in the order of what people look for; the others say the same once more."""

_NORMAL: Final = frozenset(
    {
        Reason.PENDING,
        Reason.PROVISIONED,
        Reason.PROVISIONING,
        Reason.STARTING,
        Reason.RUNNING,
        Reason.STOPPING,
        Reason.STOPPED,
        Reason.DEALLOCATING,
        Reason.DEALLOCATED,
        Reason.RESTARTING,
        Reason.REALLOCATING,
        Reason.RESIZING,
        Reason.UPDATING,
        Reason.DELETING,
        Reason.REACHABLE,
        Reason.OUT_OF_SYNC,
        Reason.QUEUED,
        Reason.PAUSED,
    }
)
"""What happens in a host's ordinary life; any other reason is worth a warning."""


class Severity(StrEnum):
    """The two types that an Event can have."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object, for people."""

    severity: Severity
    reason: str
    """One CamelCase word."""
    message: str


def events_of(before: BenchHost, after: BenchHostStatus) -> list[Event]:
    """The Events that tell of this change of status: one for each reason, the oldest cause first.

    Parameters
    ----------
    before
        The object with the status that was there.
    after
        The status that takes its place.
    """
    told = [
        *(_operation_event(entry) for entry in finished_since(before.status, after) if _is_worth_telling(entry)),
        *_placement_events(before.status, after),
        *_failure_events(before.status.failure, after.failure),
        *_condition_events(before.status, after),
    ]
    unique: dict[str, Event] = {}
    for event in told:
        unique.setdefault(event.reason, event)
    return list(unique.values())


def finished_since(before: BenchHostStatus, after: BenchHostStatus) -> list[HistoryEntry]:
    """The operations that are in the history now and were not before."""
    known = {(entry.type, entry.start_time, entry.end_time) for entry in before.history}
    return [entry for entry in after.history if (entry.type, entry.start_time, entry.end_time) not in known]


def has_failed_again(before: Failure | None, after: Failure | None) -> bool:
    """Whether there was a failure between the two: a new row, or one more in the row."""
    if after is None:
        return False
    return before is None or (before.since, before.count, before.reason) != (after.since, after.count, after.reason)


def has_become_true(kind: ConditionType, before: BenchHostStatus, after: BenchHostStatus) -> bool:
    """Whether the condition is True now and was not before."""
    earlier, now = get_condition(before.conditions, kind), get_condition(after.conditions, kind)
    if now is None or now.status is not ConditionStatus.TRUE:
        return False
    return earlier is None or earlier.status is not ConditionStatus.TRUE


def _is_worth_telling(entry: HistoryEntry) -> bool:
    """A failed operation is told by the failure, with its cause and what happens next."""
    return entry.result is not OperationResult.FAILED


def _operation_event(entry: HistoryEntry) -> Event:
    return Event(Severity.NORMAL, f"{entry.type}{entry.result}", f"{entry.type} took {entry.seconds:.1f} s.")


def _placement_events(before: BenchHostStatus, after: BenchHostStatus) -> list[Event]:
    epoch = before.placement.epoch if before.placement is not None else 0
    if after.placement is None or after.placement.epoch == epoch:
        return []
    why = f" ({after.placement.reason})" if after.placement.reason is not None else ""
    return [Event(Severity.NORMAL, PLACED, f"Epoch {after.placement.epoch}: the host got hardware anew{why}.")]


def _failure_events(before: Failure | None, after: Failure | None) -> list[Event]:
    """Without count and next attempt: a failure that repeats is one Event that is counted."""
    if after is None or not has_failed_again(before, after):
        return []
    return [Event(Severity.WARNING, after.reason, after.message)]


def _condition_events(before: BenchHostStatus, after: BenchHostStatus) -> list[Event]:
    found = [(get_condition(before.conditions, kind), get_condition(after.conditions, kind)) for kind in _TOLD]
    return [
        _condition_event(condition)
        for earlier, condition in found
        if condition is not None and _is_new(earlier, condition)
    ]


def _is_new(earlier: Condition | None, condition: Condition) -> bool:
    return earlier is None or (earlier.status, earlier.reason) != (condition.status, condition.reason)


def _condition_event(condition: Condition) -> Event:
    severity = Severity.NORMAL if condition.reason in _NORMAL else Severity.WARNING
    return Event(severity, condition.reason, condition.message)
