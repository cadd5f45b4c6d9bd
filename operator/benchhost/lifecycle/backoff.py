"""When to try again after a failure: exponential, with jitter, capped by who can mend it. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.status import CapacityAttempt, Failure, FailureClass, OperationType
from benchhost.cloud.errors import CloudError
from benchhost.lifecycle.capacity import Candidate, add_attempt, describe_tried, is_exhausted

_FIRST: Final = timedelta(seconds=2)
_CAPS: Final[dict[FailureClass, timedelta]] = {
    FailureClass.TRANSIENT: timedelta(minutes=5),
    FailureClass.THROTTLED: timedelta(minutes=5),
    FailureClass.CAPACITY: timedelta(minutes=15),
    FailureClass.ADMIN: timedelta(minutes=15),
    FailureClass.TERMINAL: timedelta(minutes=15),
}
"""Design, rules of the API: 5 minutes, 15 for capacity and for what somebody has to mend."""
_LOCAL: Final = frozenset({Reason.CREDENTIALS_MISSING, Reason.SECRET_MISSING})
_LOCAL_CAP: Final = timedelta(seconds=30)
"""What is missing in the cluster itself costs one GET to look for and no request to the cloud; whoever creates it
afterwards waits no longer than this."""
_JITTER: Final = 0.2
"""Each delay is shortened by up to this share, so that hosts that failed together do not return together."""
_POWERS_DOWN: Final = frozenset(
    {OperationType.STOP, OperationType.HIBERNATE, OperationType.DEALLOCATE, OperationType.DELETE}
)
"""What ends a bill, and needs nothing of the spec but the name."""
_NEVER_FINAL: Final = _POWERS_DOWN | {None}
"""A bill is never left running because the cloud said no once, and a look costs nothing."""


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """What was tried and failed, beside the error itself."""

    generation: int
    operation: OperationType | None = None
    """None when the host could not even be looked at."""
    candidate: Candidate | None = None
    """The size and zone that were asked for, where that mattered."""
    candidates: Sequence[Candidate] = ()
    """Everything that could have been asked for."""


def delay_after(
    count: int, error: CloudError, *, seed: str, operation: OperationType | None = None
) -> timedelta | None:
    """How long to wait after the ``count``-th failure in a row; None when trying again cannot help.

    ``seed`` makes the jitter repeatable: the same host and count always give the same delay.
    """
    if error.failure_class is FailureClass.TERMINAL and operation not in _NEVER_FINAL:
        return None
    cap = _LOCAL_CAP if error.reason in _LOCAL else _CAPS[error.failure_class]
    # 2**20 seconds is past every cap; more would overflow a timedelta in the end.
    doublings: int = 2 ** min(count - 1, 20)
    plain = min(_FIRST * doublings, cap)
    digest = hashlib.sha256(f"{seed}/{count}".encode()).digest()
    return plain * (1 - _JITTER * digest[0] / 255)


def next_failure(
    error: CloudError, earlier: Failure | None, attempt: FailedAttempt, *, seed: str, now: datetime
) -> Failure:
    """The failure that status shows after this error; a row goes on while its kind and the generation stay the same."""
    row = earlier if earlier and _same_row(earlier, error, attempt.generation) else None
    count = row.count + 1 if row else 1
    tried = _tried(error, row, attempt)
    return Failure(
        reason=error.reason,
        message=_message(error, tried),
        failure_class=error.failure_class,
        count=count,
        since=row.since if row else now,
        next_attempt_at=_next_attempt(error, count, attempt, tried=tried, seed=seed, now=now),
        generation=attempt.generation,
        operation=attempt.operation,
        tried=tried,
    )


def _same_row(earlier: Failure, error: CloudError, generation: int) -> bool:
    return earlier.generation == generation and earlier.failure_class is error.failure_class


def _tried(error: CloudError, row: Failure | None, attempt: FailedAttempt) -> list[CapacityAttempt]:
    if error.failure_class is not FailureClass.CAPACITY or attempt.candidate is None:
        return []
    if error.reason is Reason.DEALLOCATION_NEEDED:
        return list(row.tried) if row else []
    return add_attempt(row.tried if row else (), error, attempt.candidate, attempt.candidates)


def _message(error: CloudError, tried: Sequence[CapacityAttempt]) -> str:
    return f"{error} Tried in this round: {describe_tried(tried)}." if len(tried) > 1 else str(error)


def _next_attempt(
    error: CloudError, count: int, attempt: FailedAttempt, *, tried: Sequence[CapacityAttempt], seed: str, now: datetime
) -> datetime | None:
    """At once while there is another way, else after the delay or the cloud's own wish, whichever is later."""
    if attempt.operation is OperationType.HIBERNATE or error.reason is Reason.DEALLOCATION_NEEDED:
        return now
    if tried and not is_exhausted(tried, attempt.candidates):
        return now
    rounds = max(1, count // max(1, len(attempt.candidates))) if tried else count
    delay = delay_after(rounds, error, seed=seed, operation=attempt.operation)
    if delay is None:
        return None
    return now + max(delay, error.retry_after or timedelta(0))


def is_blocking(
    failure: Failure | None, *, generation: int, now: datetime, operation: OperationType | None = None
) -> bool:
    """Whether it is too early for this operation.

    A newer generation is never held back by an older failure, and what ends a bill only by its own failure.
    """
    if failure is None or failure.generation != generation:
        return False
    if operation in _POWERS_DOWN and failure.operation not in (None, operation):
        return False
    return failure.next_attempt_at is None or failure.next_attempt_at > now
