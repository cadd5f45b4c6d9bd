"""What people can see of guests: where each one answers, who may log in, and where its files are.

``GET guests`` shows the guest of every machine, whether it is up or not.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.admin.routes import AdminError
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.machines import KIND

if TYPE_CHECKING:
    from benchhost.emulator.admin.routes import AdminRequest, AdminRoutes
    from benchhost.emulator.cloud.subscription import Subscription
    from benchhost.emulator.guests.guests import Guests


class GuestsAdmin:
    """Routes of guests.

    Parameters
    ----------
    subscription
        Whose machines they are the guests of.
    guests
        All of them; None for an emulator that has none.
    """

    def __init__(self, subscription: Subscription, guests: Guests | None) -> None:
        self._subscription = subscription
        self._guests = guests

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "guests", self._list)

    def _list(self, _request: AdminRequest) -> dict[str, Any]:
        if self._guests is None:
            raise AdminError("This emulator's machines have no guests; run it with --guests.", HTTPStatus.CONFLICT)
        machines = self._subscription.store.list_of_kind(KIND)
        return {
            "guests": [self._guests.describe(machine) for machine in machines if isinstance(machine, VirtualMachine)]
        }
