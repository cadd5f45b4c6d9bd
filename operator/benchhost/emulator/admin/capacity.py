"""What people can do with capacity and quotas: limit them, see how much is used, lift them.

``PUT capacity/{location}/{scope}`` takes ``{"machines": n, "zone": ..., "priority": ..., "failure": ...}``, where
``scope`` is a size, a quota family or ``*``; ``PUT quotas/{location}/{name}`` takes ``{"limit": n}``. ``GET`` shows
the limits, ``DELETE`` of the same path lifts one (``?zone=`` and ``?priority=`` choose among those of a scope).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.admin.fields import Fields
from benchhost.emulator.admin.routes import AdminError
from benchhost.emulator.cloud.compute.capacity import CapacityFailure, CapacityLimit, is_scope
from benchhost.emulator.cloud.compute.machine import Priority
from benchhost.emulator.cloud.context import normalize_location
from benchhost.emulator.cloud.quotas import PUBLIC_ADDRESSES, QUOTAS, QuotaLimit, quota_named
from benchhost.emulator.cloud.zones import zones_of

if TYPE_CHECKING:
    from benchhost.emulator.admin.routes import AdminRequest, AdminRoutes
    from benchhost.emulator.cloud.subscription import Subscription


class CapacityAdmin:
    """Routes of capacity.

    Parameters
    ----------
    subscription
        Whose capacity is administered.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._capacity = subscription.allocator.capacity

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "capacity", self._list)
        routes.add("PUT", "capacity/{location}/{scope}", self._set)
        routes.add("DELETE", "capacity/{location}/{scope}", self._lift)

    def _list(self, _request: AdminRequest) -> dict[str, Any]:
        return {"capacity": [self._body(limit) for limit in self._capacity.limits]}

    def _set(self, request: AdminRequest) -> dict[str, Any]:
        fields = Fields(request.body)
        limit = CapacityLimit(
            location=location_named(self._subscription, request.names["location"]),
            scope=_scope_named(request.names["scope"]),
            machines=fields.required_integer("machines", minimum=0),
            zone=fields.text("zone"),
            priority=fields.choice("priority", Priority) or Priority.REGULAR,
            failure=fields.choice("failure", CapacityFailure),
        )
        fields.end()
        if limit.zone is not None and limit.zone not in zones_of(limit.location):
            raise AdminError(
                f"There is no zone '{limit.zone}' in {limit.location}; there are {', '.join(zones_of(limit.location))}."
            )
        self._capacity.set(limit)
        evicted = self._subscription.evictions.enforce(limit, request.now)
        return {**self._body(limit), "evicted": [str(machine.id) for machine in evicted]}

    def _lift(self, request: AdminRequest) -> dict[str, Any]:
        location = location_named(self._subscription, request.names["location"])
        scope = _scope_named(request.names["scope"]).lower()
        wanted = {name: request.query[name].lower() for name in ("zone", "priority") if name in request.query}
        lifted = [
            limit
            for limit in self._capacity.limits
            if (limit.location, limit.scope.lower()) == (location, scope)
            and all(str(getattr(limit, name)).lower() == value for name, value in wanted.items())
        ]
        for limit in lifted:
            self._capacity.remove(limit)
        return {"removed": len(lifted)}

    def _body(self, limit: CapacityLimit) -> dict[str, Any]:
        return {
            "location": limit.location,
            "scope": limit.scope,
            "zone": limit.zone,
            "priority": str(limit.priority),
            "machines": limit.machines,
            "used": self._capacity.used(limit),
            "failure": str(limit.shown_as),
        }


class QuotasAdmin:
    """Routes of quotas.

    Parameters
    ----------
    subscription
        Whose quotas are administered.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._quotas = subscription.allocator.quotas

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "quotas", self._list)
        routes.add("PUT", "quotas/{location}/{name}", self._set)
        routes.add("DELETE", "quotas/{location}/{name}", self._lift)

    def _list(self, _request: AdminRequest) -> dict[str, Any]:
        return {"quotas": [self._body(limit) for limit in self._quotas.limits]}

    def _set(self, request: AdminRequest) -> dict[str, Any]:
        location, name = self._named(request)
        fields = Fields(request.body)
        limit = QuotaLimit(location=location, name=name, limit=fields.required_integer("limit", minimum=0))
        fields.end()
        self._quotas.set(limit)
        return self._body(limit)

    def _lift(self, request: AdminRequest) -> dict[str, Any]:
        location, name = self._named(request)
        before = len(self._quotas.limits)
        self._quotas.remove(location, name)
        return {"removed": before - len(self._quotas.limits)}

    def _named(self, request: AdminRequest) -> tuple[str, str]:
        location = location_named(self._subscription, request.names["location"])
        name = quota_named(request.names["name"])
        if name is None:
            raise AdminError(
                f"There is no quota '{request.names['name']}'; there are {', '.join((*QUOTAS, PUBLIC_ADDRESSES))}.",
                HTTPStatus.NOT_FOUND,
            )
        return location, name

    def _body(self, limit: QuotaLimit) -> dict[str, Any]:
        used = self._quotas.usage_of(limit.location, limit.name)
        return {"location": limit.location, "name": limit.name, "limit": limit.limit, "used": used}


def location_named(subscription: Subscription, text: str) -> str:
    """Return the location of that name.

    Raises
    ------
    AdminError
        404 when there is none.
    """
    location, known = normalize_location(text), subscription.context.locations
    if location not in known:
        raise AdminError(f"There is no region '{text}'; there are {', '.join(known)}.", HTTPStatus.NOT_FOUND)
    return location


def _scope_named(text: str) -> str:
    if not is_scope(text):
        raise AdminError(
            f"'{text}' is no machine size, no quota family and not '*'; a size is for instance Standard_D2s_v5.",
            HTTPStatus.NOT_FOUND,
        )
    return text
