"""Conditions after Kubernetes' ``metav1.Condition``, with the types and reasons of a BenchHost.

Pure: the moment of a transition is an argument.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from benchhost.api.model import Model, Timestamp


class ConditionType(StrEnum):
    """What a condition speaks of."""

    READY = "Ready"
    """The host can be used. Absent while the desired power state is not Running."""
    SYNCED = "Synced"
    """The cloud agrees with the whole spec."""
    PROVISIONED = "Provisioned"
    """Machine, network interface, disk and address exist."""
    REACHABLE = "Reachable"
    """The guest has answered on the readiness port, and its host keys are known where they are asked for; present only
    while spec.readiness is set and the host is to run."""
    EVICTED = "Evicted"
    """Azure has taken a spot host's capacity back; present only while True."""
    RECONCILING = "Reconciling"
    """Work is under way (kstatus); present only when True."""
    STALLED = "Stalled"
    """It cannot go on unless somebody changes something (kstatus); present only when True."""


class ConditionStatus(StrEnum):
    """Kubernetes' three-valued truth."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why a condition has its status; stable words that programs may match."""

    PENDING = "Pending"
    PROVISIONED = "Provisioned"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DEALLOCATING = "Deallocating"
    DEALLOCATED = "Deallocated"
    RESTARTING = "Restarting"
    REALLOCATING = "Reallocating"
    RESIZING = "Resizing"
    UPDATING = "Updating"
    DELETING = "Deleting"
    UNREACHABLE = "Unreachable"
    REACHABLE = "Reachable"
    EXPIRED = "Expired"
    HOLDER_LOST = "HolderLost"
    EVICTED = "Evicted"
    DEALLOCATION_NEEDED = "DeallocationNeeded"
    QUEUED = "Queued"
    OUT_OF_SYNC = "OutOfSync"
    PAUSED = "Paused"
    NOT_OWNED = "NotOwned"
    TIMED_OUT = "TimedOut"
    DELETED_OUT_OF_BAND = "DeletedOutOfBand"
    DELETION_BLOCKED = "DeletionBlocked"
    INVALID_SPEC = "InvalidSpec"
    INVALID_OBJECT = "InvalidObject"
    IMAGE_NOT_FOUND = "ImageNotFound"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason, not a secret
    CREDENTIALS_MISSING = "CredentialsMissing"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    AUTHORIZATION_FAILED = "AuthorizationFailed"
    CAPACITY_UNAVAILABLE = "CapacityUnavailable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    RESOURCE_GROUP_NOT_FOUND = "ResourceGroupNotFound"
    SUBSCRIPTION_NOT_FOUND = "SubscriptionNotFound"
    THROTTLED = "Throttled"
    CLOUD_UNREACHABLE = "CloudUnreachable"
    CLOUD_ERROR = "CloudError"
    OPERATION_FAILED = "OperationFailed"
    INTERNAL_ERROR = "InternalError"


def to_reason(text: str) -> Reason:
    """The reason that status has on record; the one that says least where another version has written it."""
    return Reason(text) if text in list(Reason) else Reason.OUT_OF_SYNC


class Condition(Model):
    """One observation of the host's state, as kubectl and ``kubectl wait`` read it."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """What the condition speaks of, in CamelCase."""
    status: ConditionStatus
    """True, False or Unknown."""
    observed_generation: int = 0
    """The metadata.generation that the condition was computed from."""
    last_transition_time: Timestamp
    """When status changed the last time."""
    reason: Annotated[str, StringConstraints(max_length=1024)]
    """Why, as one CamelCase word."""
    message: Annotated[str, StringConstraints(max_length=32768)] = ""
    """Why, for people."""


def get_condition(conditions: Sequence[Condition], kind: ConditionType) -> Condition | None:
    """The condition of this type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Sequence[Condition], kind: ConditionType, *, generation: int | None = None) -> bool:
    """Whether the condition is True, and speaks of this generation where one is given."""
    condition = get_condition(conditions, kind)
    if condition is None or condition.status is not ConditionStatus.TRUE:
        return False
    return generation is None or condition.observed_generation >= generation


def to_condition(
    kind: ConditionType,
    status: ConditionStatus,
    *,
    reason: Reason,
    message: str,
    generation: int,
    now: datetime,
    earlier: Sequence[Condition] = (),
) -> Condition:
    """A condition that keeps the transition time of the earlier one while the status stays the same."""
    previous = get_condition(earlier, kind)
    unchanged = previous is not None and previous.status is status
    moment = previous.last_transition_time if unchanged and previous is not None else now.replace(microsecond=0)
    return Condition(
        type=kind,
        status=status,
        observed_generation=generation,
        last_transition_time=moment,
        reason=reason,
        message=message[:32768],
    )
