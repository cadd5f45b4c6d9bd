"""Everything that can be administered: the one place where a part of the emulator joins the admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.admin.capacity import CapacityAdmin, QuotasAdmin
from benchhost.emulator.admin.hosts import HostsAdmin
from benchhost.emulator.admin.routes import AdminRoutes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchhost.emulator.admin.routes import AdminService
    from benchhost.emulator.cloud.subscription import Subscription


def admin_routes(subscription: Subscription, *services: AdminService) -> AdminRoutes:
    """Return the routes of everything that can be administered.

    Parameters
    ----------
    subscription
        The emulated cloud.
    services
        What does not belong to the subscription: faults and limits.
    """
    routes = AdminRoutes()
    for service in (*_services_of(subscription), *services):
        service.register(routes)
    return routes


def _services_of(subscription: Subscription) -> Iterable[AdminService]:
    """Return the parts of the subscription that can be administered."""
    return (CapacityAdmin(subscription), QuotasAdmin(subscription), HostsAdmin(subscription))
