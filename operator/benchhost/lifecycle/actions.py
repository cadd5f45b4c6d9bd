"""What a pass can decide to do: exactly one of these.

``decide`` makes them, the reconciler carries them out, ``report`` tells of them.
"""

from dataclasses import dataclass
from datetime import datetime

from benchhost.api.conditions import Reason
from benchhost.api.status import OperationType
from benchhost.cloud.provider import Step


@dataclass(frozen=True, slots=True)
class Do:
    """Start one step of an operation."""

    step: Step
    operation: OperationType
    write_ahead: bool = False
    """The intent goes into status before the call: what follows cannot be told from the cloud afterwards."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The cloud is at work; look again soon."""

    operation: OperationType | None
    """The operation it belongs to; None for work that nobody here asked for."""
    message: str
    reason: Reason = Reason.OUT_OF_SYNC
    """What conditions say when it belongs to no operation."""
    is_brief: bool = False
    """A matter of seconds: a network or an address, and no machine."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The cloud agrees with the spec; nothing to do before ``wake_at``."""

    message: str
    reason: Reason
    wake_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Not in agreement, and nothing may be done now: paused, not ours, or too early to try again."""

    reason: Reason
    message: str
    stalled: bool = False
    wake_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """The BenchHost itself is to be deleted, and everything of it: its time is over, or its holder is lost."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Release:
    """Everything that belonged to the host is gone or let go: the finalizer can go."""


Action = Do | Wait | Settled | Hold | Remove | Release


def is_queued(action: Action | None) -> bool:
    """Whether nothing was asked of the cloud, because the host's turn has not come."""
    return isinstance(action, Wait) and action.reason is Reason.QUEUED
