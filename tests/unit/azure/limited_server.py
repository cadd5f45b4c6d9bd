"""A rate limit as the cloud enforces it, and a client that sends as fast as its bucket lets it. No real time passes."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from benchhost.azure.buckets import Bucket, Sent


@dataclass
class LimitedServer:
    """Tokens come in steps, from a moment that nobody knows; a request counts when it comes in."""

    capacity: int
    refill: int
    period: float
    phase: float = 0.0
    """When the first step comes, in periods."""
    level: int = field(init=False)
    steps: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.level = self.capacity

    def settle(self, now: float) -> None:
        steps = int(now / self.period + 1 - self.phase)
        self.level = min(self.capacity, self.level + (steps - self.steps) * self.refill)
        self.steps = steps

    def take(self, now: float) -> bool:
        """Whether a request is let in."""
        self.settle(now)
        if self.level < 1:
            self.refused += 1
            return False
        self.level -= 1
        return True

    def remaining(self, now: float) -> int:
        self.settle(now)
        return self.level

    def soonest(self, requests: int) -> float:
        """Seconds in which that many can be let in at best."""
        steps = -(-max(0, requests - self.capacity) // self.refill)
        return max(0.0, (steps - 1 + self.phase) * self.period) if steps else 0.0


@dataclass
class Run:
    """What came of sending."""

    seconds: float
    refused: int


def send_all(
    bucket: Bucket,
    server: LimitedServer,
    requests: int,
    *,
    latency: Callable[[int], float],
    told_late: bool = False,
    at_once: int = 64,
) -> Run:
    """Send all requests, each as soon as the bucket and one of ``at_once`` connections are free.

    ``told_late``: what remains is read when the answer leaves, and not when the request came in.
    """
    now, sent, under_way = 0.0, 0, 0
    answers: list[tuple[float, int, Sent, int | None]] = []
    while sent < requests:
        while sent < requests and under_way < at_once and bucket.available(now) >= 1:
            token = bucket.take(now)
            let_in = server.take(now)
            sent, under_way = sent + 1, under_way + 1
            told = server.remaining(now) if not told_late and let_in else None
            heapq.heappush(answers, (now + latency(sent), sent, token, told))
        if sent == requests:
            break
        due = now + bucket.wait_for(1, now) if under_way < at_once else float("inf")
        if answers and answers[0][0] <= due:
            now, _, token, told = heapq.heappop(answers)
            under_way -= 1
            bucket.answered(token, server.remaining(now) if told_late else told, now)
        else:
            now = due
    return Run(now, server.refused)
