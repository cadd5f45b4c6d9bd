"""What happened in one pass: handed by the reconciler to ``report``. Values only."""

from dataclasses import dataclass
from datetime import datetime

from benchhost.api.status import Operation, OperationResult
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Observation
from benchhost.lifecycle.actions import Action
from benchhost.lifecycle.circumstances import NOTHING_KNOWN, Circumstances


@dataclass(frozen=True, slots=True)
class Finished:
    """An operation that the cloud has ended, with the cloud's own times where it gives them."""

    operation: Operation
    result: OperationResult
    start_time: datetime | None = None
    end_time: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass, as far as it got."""

    observation: Observation | None = None
    """None: the cloud could not be looked at."""
    action: Action | None = None
    """None: nothing was decided, because of ``error``."""
    operation: Operation | None = None
    """Under way at the end of the pass."""
    finished: tuple[Finished, ...] = ()
    """Ended in this pass, in order."""
    error: CloudError | None = None
    """What stopped the pass."""
    failed: Operation | None = None
    """The operation that ``error`` is of; None when the host could not even be looked at."""
    circumstances: Circumstances = NOTHING_KNOWN
    """What was known beside the object and the cloud."""
