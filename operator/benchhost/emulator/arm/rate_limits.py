"""The ``x-ms-ratelimit-remaining-*`` headers: token buckets that are counted, with the numbers of Azure's documents.

Numbers: ARM's front door, "Request limits and throttling" (reads 250 refilled by 25/s, writes and deletes 200
by 10/s, global limits 15 times that); Microsoft.Compute, ``compute-throttling-limits.md`` (refilled each minute).
Nothing is refused yet: an empty bucket says 0 and stays open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmRequest

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class BucketSize:
    """How much a bucket holds, and how many tokens a second come back."""

    capacity: float
    refill_per_second: float


@dataclass(slots=True)
class TokenBucket:
    """A token bucket that starts full.

    Parameters
    ----------
    size
        Its capacity and refill.
    level, updated
        What is in it, and since when (seconds since 1970).
    """

    size: BucketSize
    level: float
    updated: float

    def take(self, now: float, *, speed: float) -> int:
        """Take one token and return how many are left; ``speed`` is how fast the emulated clock runs."""
        refill = (now - self.updated) * speed * self.size.refill_per_second
        self.level = max(0.0, min(self.size.capacity, self.level + refill) - 1)
        self.updated = now
        return int(self.level)


_FRONT_DOOR = {
    "reads": BucketSize(250, 25),
    "writes": BucketSize(200, 10),
    "deletes": BucketSize(200, 10),
}
_GLOBAL_FACTOR = 15

_COMPUTE = {
    "PutVM": (BucketSize(1500, 500 / MINUTE), BucketSize(12, 4 / MINUTE)),
    "UpdateVM": (BucketSize(1500, 500 / MINUTE), BucketSize(12, 4 / MINUTE)),
    "DeleteVM": (BucketSize(1500, 500 / MINUTE), BucketSize(12, 4 / MINUTE)),
    "LowCostGet": (BucketSize(24000, 8000 / MINUTE), BucketSize(36, 12 / MINUTE)),
    "HighCostGet": (BucketSize(900, 300 / MINUTE), None),
    "GetOperation": (BucketSize(15000, 5000 / MINUTE), BucketSize(45, 15 / MINUTE)),
}
"""Policy: the bucket of the subscription and region, and that of one machine or operation."""

_MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"
_POLL = "subscriptions/*/providers/microsoft.compute/locations/*/operations/*"


class RateLimits:
    """Counts requests, and says in headers how many are left.

    Parameters
    ----------
    speed
        How fast the emulated clock runs: 10 at a time scale of 0.1.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def count(self, request: ArmRequest) -> dict[str, str]:
        """Count a request and return its headers."""
        headers = self._count_front_door(request)
        policy = _compute_policy(request.method, request.path.shape)
        if policy is not None:
            headers["x-ms-ratelimit-remaining-resource"] = self._count_compute(request, policy)
        return headers

    def _count_front_door(self, request: ArmRequest) -> dict[str, str]:
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(request.method, "writes")
        size = _FRONT_DOOR[kind]
        everything = BucketSize(size.capacity * _GLOBAL_FACTOR, size.refill_per_second * _GLOBAL_FACTOR)
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(self._take(kind, "", size, request.now)),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(
                self._take(kind, "global", everything, request.now)
            ),
        }

    def _count_compute(self, request: ArmRequest, policy: str) -> str:
        whole, each = _COMPUTE[policy]
        left = self._take(policy, "", whole, request.now)
        text = f"Microsoft.Compute/{policy}SubscriptionMaximum;{left}"
        if each is None:
            return text
        resource = "/".join(request.path.names).lower()
        return f"{text},Microsoft.Compute/{policy}Resource;{self._take(policy, resource, each, request.now)}"

    def _take(self, policy: str, resource: str, size: BucketSize, now: float) -> int:
        bucket = self._buckets.get((policy, resource))
        if bucket is None:
            bucket = self._buckets[policy, resource] = TokenBucket(size, size.capacity, now)
        return bucket.take(now, speed=self._speed)


def _compute_policy(method: str, shape: str) -> str | None:
    if shape == _POLL:
        return "GetOperation"
    if shape.startswith(_MACHINE):
        return _machine_policy(method, shape)
    is_list = method == "GET" and shape.endswith("/microsoft.compute/virtualmachines")
    return "HighCostGet" if is_list else None


def _machine_policy(method: str, shape: str) -> str:
    match method:
        case "PUT":
            return "PutVM"
        case "DELETE":
            return "DeleteVM"
        case "GET" | "HEAD":
            return "LowCostGet"
        case _:
            return "DeleteVM" if shape.endswith("/deallocate") else "UpdateVM"
