"""Time limits and the pauses between attempts.

Used by the client for every call and by callers to give one limit to several calls. It must never know what
is being attempted.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from benchhost.client.errors import ClientError, ConflictError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock that several calls share."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The moment this many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.remaining <= 0


class Backoff:
    """Exponential pauses with jitter: 0.1 s at first, at most 5 s.

    Go's clients wait 0.8 s to 30 s after a failed watch (client-go ``reflector``). We start lower because
    somebody waits for the answer, and end lower because a restart of an API server takes seconds.
    """

    first_seconds = 0.1
    limit_seconds = 5.0

    def __init__(self) -> None:
        self._next = self.first_seconds

    def reset(self) -> None:
        """Start again with the shortest pause: the last attempt succeeded."""
        self._next = self.first_seconds

    def pause(self, deadline: Deadline, at_least: float | None = None) -> bool:
        """Wait before the next attempt; False when the time limit would pass meanwhile."""
        seconds = max(self._next * random.uniform(0.5, 1.0), at_least or 0.0)  # noqa: S311 - jitter, no secret
        self._next = min(self._next * 2, self.limit_seconds)
        if seconds >= deadline.remaining:
            return False
        time.sleep(seconds)
        return True


def attempt(call: Callable[[], T], deadline: Deadline, *, also_conflict: bool = False) -> T:
    """Call until it succeeds, fails for good, or the time limit passes; then the last error is raised.

    Parameters
    ----------
    call
        What to do; it may be done twice when the answer of the first time is lost.
    deadline
        The time limit.
    also_conflict
        Whether a conflict is a reason to try again (the call reads anew each time).
    """
    backoff = Backoff()
    while True:
        try:
            return call()
        except ClientError as error:
            again = error.is_transient or (also_conflict and isinstance(error, ConflictError))
            if not again or not backoff.pause(deadline, error.retry_after_seconds):
                raise
