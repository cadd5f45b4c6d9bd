"""The limits that Azure documents: how large, and which request counts against which.

Numbers:

- ARM's front door, ``request-limits-and-throttling.md``: for a subscription and principal, reads 250 refilled by
  25/s, writes and deletes 200 by 10/s; for the subscription 15 times that. Its limits for a tenant are the same
  numbers as for a principal and cannot be reached before them here, where a tenant has one subscription.
- Microsoft.Compute, ``compute-throttling-limits.md``: refilled each minute, for a machine or operation, and for the
  subscription in a region.
- Microsoft.Network, ``request-limits-and-throttling.md``: 1,000 writes and deletes and 10,000 reads in 5 minutes, in
  a region. The document is current (2025), so they are enforced; how the 5 minutes are counted it does not say, and
  a bucket that is filled anew every 5 minutes is the plainest reading. The names of these two are ours.

The names of Compute's are those of the recorded ``x-ms-ratelimit-remaining-resource`` headers.
"""

from __future__ import annotations

from benchhost.emulator.limits.buckets import BucketSize

SECOND, MINUTE, FIVE_MINUTES = 1.0, 60.0, 300.0
GLOBAL_FACTOR = 15

NETWORK_WRITES = "Microsoft.Network/WriteOrDeleteCallsPer5Min"
NETWORK_READS = "Microsoft.Network/ReadCallsPer5Min"

_FRONT_DOOR = {
    "reads": BucketSize(250, 25, SECOND),
    "writes": BucketSize(200, 10, SECOND),
    "deletes": BucketSize(200, 10, SECOND),
}

_COMPUTE = {
    "PutVM": (BucketSize(1500, 500, MINUTE), BucketSize(12, 4, MINUTE)),
    "UpdateVM": (BucketSize(1500, 500, MINUTE), BucketSize(12, 4, MINUTE)),
    "DeleteVM": (BucketSize(1500, 500, MINUTE), BucketSize(12, 4, MINUTE)),
    "LowCostGet": (BucketSize(24000, 8000, MINUTE), BucketSize(36, 12, MINUTE)),
    "HighCostGet": (BucketSize(900, 300, MINUTE), None),
    "GetOperation": (BucketSize(15000, 5000, MINUTE), BucketSize(45, 15, MINUTE)),
}
"""Policy: the bucket of the subscription and region, and that of one machine or operation."""

_MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"
_POLL = "subscriptions/*/providers/microsoft.compute/locations/*/operations/*"
_DELETES = ("/deallocate", "/simulateeviction")
"""Actions that count as deletions."""


def documented_limits() -> dict[str, BucketSize]:
    """Return every limit by its name."""
    limits: dict[str, BucketSize] = {}
    for kind, size in _FRONT_DOOR.items():
        limits[f"subscription-{kind}"] = size
        limits[f"subscription-global-{kind}"] = BucketSize(
            size.capacity * GLOBAL_FACTOR, size.refill * GLOBAL_FACTOR, size.period
        )
    for policy, (region, resource) in _COMPUTE.items():
        limits[f"Microsoft.Compute/{policy}SubscriptionMaximum"] = region
        if resource is not None:
            limits[f"Microsoft.Compute/{policy}Resource"] = resource
    limits[NETWORK_WRITES] = BucketSize(1_000, 1_000, FIVE_MINUTES)
    limits[NETWORK_READS] = BucketSize(10_000, 10_000, FIVE_MINUTES)
    return limits


def front_door_kind(method: str) -> str:
    """Return ``reads``, ``writes`` or ``deletes``; a POST is a write."""
    match method:
        case "GET" | "HEAD":
            return "reads"
        case "DELETE":
            return "deletes"
        case _:
            return "writes"


def compute_policy(method: str, shape: str) -> str | None:
    """Return the policy of Microsoft.Compute that a request counts against, None where none is documented."""
    if shape == _POLL:
        return "GetOperation"
    if shape.startswith(_MACHINE):
        return _machine_policy(method, shape)
    is_list = method == "GET" and shape.endswith("/virtualmachines") and "/microsoft.compute/" in shape
    return "HighCostGet" if is_list else None


def compute_limits(policy: str) -> tuple[str, str | None]:
    """Return a policy's limit for a region, and that for one resource if there is one."""
    resource = f"Microsoft.Compute/{policy}Resource" if _COMPUTE[policy][1] else None
    return f"Microsoft.Compute/{policy}SubscriptionMaximum", resource


def _machine_policy(method: str, shape: str) -> str:
    match method:
        case "PUT":
            return "PutVM" if shape == _MACHINE else "UpdateVM"
        case "DELETE":
            return "DeleteVM" if shape == _MACHINE else "UpdateVM"
        case "GET" | "HEAD":
            return "LowCostGet"
        case _:
            return "DeleteVM" if shape.endswith(_DELETES) else "UpdateVM"
