"""SKUs, sizes and usages: which request does what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.locations import offered_location
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.sku_bodies import size_body, sku_body, usage_body
from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.context import normalize_location
from benchhost.emulator.cloud.quotas import PUBLIC_ADDRESSES, QUOTAS

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.subscription import Subscription

_COMPUTE = "subscriptions/*/providers/microsoft.compute"
_NETWORK = "subscriptions/*/providers/microsoft.network"

_COUNTED = {
    "VirtualNetworks": ("virtualNetworks", "Virtual Networks"),
    "NetworkInterfaces": ("networkInterfaces", "Network Interfaces"),
    "NetworkSecurityGroups": ("networkSecurityGroups", "Network Security Groups"),
}
"""Usages of Microsoft.Network that are shown and never exceeded here."""


class SkuRoutes:
    """Handlers of what is offered and used."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        return {
            ("GET", f"{_COMPUTE}/skus"): self._list_skus,
            ("GET", f"{_COMPUTE}/locations/*/vmsizes"): self._list_sizes,
            ("GET", f"{_COMPUTE}/locations/*/usages"): self._list_compute_usages,
            ("GET", f"{_NETWORK}/locations/*/usages"): self._list_network_usages,
        }

    def _list_skus(self, request: ArmRequest) -> ArmResponse:
        # One page, as on Azure, however long: only the location can be chosen.
        wanted = _location_in(request.query.get("$filter", ""))
        capacity = self._subscription.allocator.capacity
        return _list(
            [
                sku_body(size, location, capacity)
                for location in self._subscription.context.locations
                if wanted in (None, location)
                for size in MACHINE_SIZES.values()
            ]
        )

    def _list_sizes(self, request: ArmRequest) -> ArmResponse:
        self._location(request)
        return _list([size_body(size) for size in MACHINE_SIZES.values()])

    def _list_compute_usages(self, request: ArmRequest) -> ArmResponse:
        location, quotas = self._location(request), self._subscription.allocator.quotas
        return _list(
            [
                usage_body(name, used=quotas.usage_of(location, name), limit=quotas.limit_of(location, name))
                for name in QUOTAS
            ]
        )

    def _list_network_usages(self, request: ArmRequest) -> ArmResponse:
        location, quotas = self._location(request), self._subscription.allocator.quotas
        addresses = usage_body(
            PUBLIC_ADDRESSES,
            used=quotas.usage_of(location, PUBLIC_ADDRESSES),
            limit=quotas.limit_of(location, PUBLIC_ADDRESSES),
            local_name="Public IP Addresses",
        )
        return _list([addresses, *(self._counted(name, location) for name in _COUNTED)])

    def _counted(self, name: str, location: str) -> Body:
        kind, words = _COUNTED[name]
        found = self._subscription.store.list_of_kind(f"Microsoft.Network/{kind}")
        used = sum(1 for resource in found if resource.location == location)
        limit = self._subscription.allocator.quotas.limit_of(location, name)
        return usage_body(name, used=used, limit=limit, local_name=words)

    def _location(self, request: ArmRequest) -> str:
        return offered_location(request, self._subscription.context.locations)


def _list(items: list[Body]) -> ArmResponse:
    return ArmResponse(body={"value": items})


def _location_in(text: str) -> str | None:
    """Return the location that ``$filter`` asks for; other filters are not honoured, as on Azure."""
    name, _, value = text.strip().partition(" eq ")
    return normalize_location(value.strip().strip("'")) if name.strip().lower() == "location" else None
