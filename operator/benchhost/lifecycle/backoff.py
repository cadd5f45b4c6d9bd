"""When to try again after a failure: exponential, with jitter, capped by who can mend it. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.status import Failure, FailureClass
from benchhost.cloud.errors import CloudError

_FIRST: Final = timedelta(seconds=2)
_CAPS: Final[dict[FailureClass, timedelta]] = {
    FailureClass.TRANSIENT: timedelta(minutes=5),
    FailureClass.THROTTLED: timedelta(minutes=5),
    FailureClass.CAPACITY: timedelta(minutes=15),
    FailureClass.ADMIN: timedelta(minutes=15),
}
"""Design, rules of the API: 5 minutes, 15 for capacity and for what an administrator has to mend."""
_LOCAL: Final = frozenset({Reason.CREDENTIALS_MISSING, Reason.SECRET_MISSING})
_LOCAL_CAP: Final = timedelta(seconds=30)
"""What is missing in the cluster itself costs one GET to look for and no request to the cloud; whoever creates it
afterwards waits no longer than this."""
_JITTER: Final = 0.2
"""Each delay is shortened by up to this share, so that hosts that failed together do not return together."""


def delay_after(count: int, error: CloudError, *, seed: str) -> timedelta | None:
    """How long to wait after the ``count``-th failure in a row; None when trying again cannot help.

    ``seed`` makes the jitter repeatable: the same host and count always give the same delay.
    """
    cap = _LOCAL_CAP if error.reason in _LOCAL else _CAPS.get(error.failure_class)
    if cap is None:
        return None
    # 2**20 seconds is past every cap; more would overflow a timedelta in the end.
    doublings: int = 2 ** min(count - 1, 20)
    plain = min(_FIRST * doublings, cap)
    digest = hashlib.sha256(f"{seed}/{count}".encode()).digest()
    return plain * (1 - _JITTER * digest[0] / 255)


def next_failure(error: CloudError, earlier: Failure | None, *, generation: int, seed: str, now: datetime) -> Failure:
    """The failure that status shows after this error; a row goes on while reason and generation stay the same."""
    row = earlier if earlier and _same_row(earlier, error, generation) else None
    count = row.count + 1 if row else 1
    delay = delay_after(count, error, seed=seed)
    if delay is not None and error.retry_after is not None:
        delay = max(delay, error.retry_after)
    return Failure(
        reason=error.reason,
        message=str(error),
        failure_class=error.failure_class,
        count=count,
        since=row.since if row else now,
        next_attempt_at=now + delay if delay is not None else None,
        generation=generation,
    )


def _same_row(earlier: Failure, error: CloudError, generation: int) -> bool:
    return earlier.generation == generation and earlier.failure_class is error.failure_class


def is_blocking(failure: Failure | None, *, generation: int, now: datetime) -> bool:
    """Whether it is too early to try again. A newer generation is never held back by an older failure."""
    if failure is None or failure.generation != generation:
        return False
    return failure.next_attempt_at is None or failure.next_attempt_at > now
