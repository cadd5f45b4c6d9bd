"""Who may ask how often: a request takes its tokens or is refused with 429, and says in headers what is left.

Two doors, one behind the other. ARM's front door counts every request. What it lets through and what is about a
resource counts once more at the resource's provider, in the resource's region: a request that Microsoft.Compute
refuses has cost a token at the front door, and none of Compute's. What ARM answers by itself, such as a GET of a
machine that is not there, never reaches a provider.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.polling import timestamp
from benchhost.emulator.cloud.context import normalize_location
from benchhost.emulator.cloud.errors import ArmError, ErrorDetail
from benchhost.emulator.limits.policies import (
    NETWORK_READS,
    NETWORK_WRITES,
    compute_limits,
    compute_policy,
    front_door_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchhost.emulator.arm.messages import ArmRequest
    from benchhost.emulator.arm.polling import RetryHints
    from benchhost.emulator.cloud.resources import ResourceStore
    from benchhost.emulator.limits.buckets import Buckets, EmptyBucket, Taken

EVERY_REGION = "*"
"""Scope of a list that names no region. Assumption: no document says which region's bucket it takes from."""

RESOURCE_SEGMENTS = 8
"""``subscriptions/S/resourceGroups/G/providers/NAMESPACE/TYPE/NAME``."""


class LimitMode(StrEnum):
    """What limits do."""

    ENFORCED = "enforced"
    COUNTED = "counted"
    OFF = "off"


class RateLimits:
    """Takes tokens for requests.

    Parameters
    ----------
    buckets
        The tokens.
    store
        Where resources, and with them their regions, are found.
    hints
        How a client is told to wait.
    mode
        ``COUNTED`` refuses nothing; ``OFF`` says nothing either.
    """

    def __init__(self, buckets: Buckets, store: ResourceStore, *, hints: RetryHints, mode: LimitMode) -> None:
        self.buckets = buckets
        self.mode = mode
        self._store = store
        self._hints = hints

    def admit(self, request: ArmRequest) -> dict[str, str]:
        """Let a request in and return the headers that say what is left.

        Raises
        ------
        ArmError
            429 with ``Retry-After``: ``SubscriptionRequestsThrottled`` of ARM, ``OperationNotAllowed`` with
            ``TooManyRequests`` of Microsoft.Compute, ``RetryableError`` of Microsoft.Network.
        """
        if self.mode is LimitMode.OFF:
            return {}
        headers = self._pass_front_door(request)
        try:
            headers |= self._pass_provider(request)
        except ArmError as refusal:
            refusal.headers = headers | refusal.headers
            raise
        return headers

    def admit_at_provider(self, request: ArmRequest) -> None:
        """Let in what ARM itself asks a provider for.

        Raises
        ------
        ArmError
            429, as `admit` says of providers.
        """
        if self.mode is not LimitMode.OFF:
            self._pass_provider(request)

    def _pass_front_door(self, request: ArmRequest) -> dict[str, str]:
        kind = front_door_kind(request.method)
        keys = ((f"subscription-{kind}", request.principal), (f"subscription-global-{kind}", ""))
        taken = self._take(keys, request.now)
        left = {
            f"x-ms-ratelimit-remaining-{limit}": str(level)
            for (limit, _), level in zip(keys, taken.levels, strict=True)
        }
        if taken.empty is not None:
            raise self._throttled_by_arm(request, kind.removesuffix("s"), taken.empty, left)
        return left

    def _pass_provider(self, request: ArmRequest) -> dict[str, str]:
        provider = (request.path.provider or "").lower()
        if provider == "microsoft.compute":
            return self._pass_compute(request)
        if provider == "microsoft.network":
            self._pass_network(request)
        return {}

    def _pass_compute(self, request: ArmRequest) -> dict[str, str]:
        policy = compute_policy(request.method, request.path.shape)
        region = None if policy is None else self._region_of(request)
        if policy is None or region is None:
            return {}
        regional, individual = compute_limits(policy)
        keys = [(regional, region)]
        if individual is not None:
            keys.append((individual, _scope_of(request)))
        taken = self._take(keys, request.now)
        left = ",".join(f"{limit};{level}" for (limit, _), level in zip(keys, taken.levels, strict=True))
        headers = {"x-ms-ratelimit-remaining-resource": left}
        if taken.empty is not None:
            raise self._throttled_by_compute(taken.empty, headers)
        return headers

    def _pass_network(self, request: ArmRequest) -> None:
        region = self._region_of(request)
        if region is None:
            return
        limit = NETWORK_READS if request.method in ("GET", "HEAD") else NETWORK_WRITES
        taken = self._take([(limit, region)], request.now)
        if taken.empty is not None:
            raise self._throttled_by_network(request, taken.empty)

    def _take(self, keys: Sequence[tuple[str, str]], now: float) -> Taken:
        return self.buckets.take(keys, now, enforce=self.mode is LimitMode.ENFORCED)

    def _region_of(self, request: ArmRequest) -> str | None:
        """Return the region whose provider is asked, None where ARM answers by itself."""
        path = request.path
        if "/locations/*" in path.shape:
            return normalize_location(path.names[1])
        if len(path.segments) < RESOURCE_SEGMENTS:
            return EVERY_REGION
        resource = self._store.find("/" + "/".join(path.segments[:RESOURCE_SEGMENTS]))
        if resource is not None:
            return resource.location
        location = request.body.get("location")
        return normalize_location(location) if isinstance(location, str) and location else None

    def _throttled_by_arm(
        self, request: ArmRequest, kind: str, empty: EmptyBucket, headers: dict[str, str]
    ) -> ArmError:
        """Return the refusal of the front door, worded as in velero#9171 and apiops#612 (2024 and 2025)."""
        return ArmError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "SubscriptionRequestsThrottled",
            f"Number of '{kind}' requests for subscription '{request.path.names[0]}' actor '{request.principal}' "
            f"exceeded. Please try again after '{_seconds(empty)}' seconds after additional tokens are available. "
            "Refer to https://aka.ms/arm-throttling for additional information.",
            from_gateway=True,
            headers=headers | self._hints.refusal(empty.wait),
        )

    def _throttled_by_compute(self, empty: EmptyBucket, headers: dict[str, str]) -> ArmError:
        """Return Microsoft.Compute's refusal (``troubleshooting-throttling-errors.md``); its detail is JSON as text.

        The document shows a policy of 30 minutes. That today's policies fill the detail in the same way is assumed.
        """
        policy = empty.limit.removeprefix("Microsoft.Compute/")
        violation = {
            "operationGroup": policy,
            "startTime": timestamp(empty.since),
            "endTime": timestamp(empty.until),
            "allowedRequestCount": empty.size.capacity,
            "measuredRequestCount": empty.measured,
        }
        detail = ErrorDetail("TooManyRequests", json.dumps(violation, separators=(",", ":")), target=policy)
        return ArmError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "OperationNotAllowed",
            "The server rejected the request because too many requests have been received for this subscription.",
            details=(detail,),
            headers=headers | self._hints.refusal(empty.wait),
        )

    def _throttled_by_network(self, request: ArmRequest, empty: EmptyBucket) -> ArmError:
        """Return Microsoft.Network's refusal, worded as in AKS's ``429 throttling errors`` article.

        The outer code is that of a response replayed in a sample of Microsoft's (``RetryableError``); the article,
        which tells it as AKS passes it on, has ``TooManyRequests`` there.
        """
        detail = ErrorDetail(
            "RetryableErrorDueToTooManyCalls",
            f"Subscription {request.path.names[0]} was used to perform too many calls within last 5 minutes. The "
            "number of calls exceeds Microsoft.Network throttling limit. The call can be retried in "
            f"{_seconds(empty)} seconds.",
        )
        return ArmError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "RetryableError",
            "A retryable error occurred.",
            details=(detail,),
            headers=self._hints.refusal(empty.wait),
        )


def _scope_of(request: ArmRequest) -> str:
    """Return the machine or the operation that a request is about."""
    return "/".join(request.path.segments[:RESOURCE_SEGMENTS]).lower()


def _seconds(empty: EmptyBucket) -> int:
    return max(1, math.ceil(empty.wait))
