"""What people can do with rate limits: see the buckets, change what is in them or how large they are, switch all off.

``GET limits`` shows every limit and the buckets that are not full. ``PATCH limits`` changes one limit, or the mode of
all.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.admin.fields import Fields
from benchhost.emulator.admin.routes import AdminError
from benchhost.emulator.arm.rate_limits import LimitMode
from benchhost.emulator.limits.buckets import BucketSize

if TYPE_CHECKING:
    from benchhost.emulator.admin.routes import AdminRequest, AdminRoutes
    from benchhost.emulator.arm.rate_limits import RateLimits

_MOST = 10**9


class LimitsAdmin:
    """Routes of rate limits.

    Parameters
    ----------
    limits
        What is administered.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "limits", self._show)
        routes.add("PATCH", "limits", self._change)

    def _show(self, request: AdminRequest) -> dict[str, Any]:
        buckets = self._limits.buckets
        return {
            "mode": self._limits.mode.value,
            "limits": [_size_body(name, size) for name, size in buckets.sizes.items()],
            "buckets": [
                {"name": name, "scope": scope, "level": level, "capacity": buckets.sizes[name].capacity}
                for name, scope, level in buckets.levels(request.now)
            ],
        }

    def _change(self, request: AdminRequest) -> dict[str, Any]:
        fields = Fields(request.body)
        mode = fields.choice("mode", LimitMode)
        name = fields.text("name")
        scope = (fields.text("scope") or "").lower() or None
        level = fields.integer("level", minimum=0, maximum=_MOST)
        capacity = fields.integer("capacity", minimum=1, maximum=_MOST)
        refill = fields.integer("refill", minimum=1, maximum=_MOST)
        period = fields.number("periodSeconds", minimum=0.001, maximum=_MOST)
        fields.end()
        changes_limit = not (level is None and capacity is None and refill is None and period is None)
        if mode is None and not changes_limit:
            raise AdminError("Nothing is to be changed; give a mode, a level, a capacity, a refill or a periodSeconds.")
        if changes_limit:
            known, old = self._size(name)
            if level is not None:
                self._require_bucket(known, scope)
            size = BucketSize(capacity or old.capacity, refill or old.refill, period or old.period)
            self._limits.buckets.resize(known, size, request.now)
            if level is not None:
                self._limits.buckets.fill(known, level, request.now, scope=scope)
        if mode is not None:
            self._limits.mode = mode
        return self._show(request)

    def _size(self, name: str | None) -> tuple[str, BucketSize]:
        sizes = self._limits.buckets.sizes
        if name is None:
            raise AdminError("'name' is missing: which limit is to be changed?")
        for known, size in sizes.items():
            if known.lower() == name.lower():
                return known, size
        raise AdminError(f"There is no limit '{name}'; there are {', '.join(sizes)}.", HTTPStatus.NOT_FOUND)

    def _require_bucket(self, name: str, scope: str | None) -> None:
        if scope is None and not self._limits.buckets.is_used(name):
            raise AdminError(
                f"No request has used '{name}' yet; name the bucket with 'scope', for instance a region.",
                HTTPStatus.CONFLICT,
            )


def _size_body(name: str, size: BucketSize) -> dict[str, Any]:
    return {"name": name, "capacity": size.capacity, "refill": size.refill, "periodSeconds": size.period}
