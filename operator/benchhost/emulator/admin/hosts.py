"""What people can see and do that Azure hides: which host a machine sits on, and taking it away.

``GET hosts`` shows where every machine is, ``GET hosts/{group}/{machine}`` all its stays; ``POST evictions`` takes
``{"machine": name, "group": ..., "noticeSeconds": ...}``.
"""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.admin.fields import Fields
from benchhost.emulator.admin.routes import AdminError
from benchhost.emulator.cloud.compute.eviction import NOTICE_SECONDS
from benchhost.emulator.cloud.compute.machine import Placement, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.machines import KIND

if TYPE_CHECKING:
    from benchhost.emulator.admin.routes import AdminRequest, AdminRoutes
    from benchhost.emulator.cloud.subscription import Subscription

LONGEST_NOTICE = 86_400.0


class HostsAdmin:
    """Routes of hidden hosts and evictions.

    Parameters
    ----------
    subscription
        Whose machines are shown.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "hosts", self._list)
        routes.add("GET", "hosts/{group}/{machine}", self._show)
        routes.add("POST", "evictions", self._evict)

    def _list(self, _request: AdminRequest) -> dict[str, Any]:
        return {
            "hosts": [
                {"machine": machine.id.name, "group": machine.id.group, **self._stay(machine.placement)}
                for machine in self._machines()
                if machine.placement is not None
            ]
        }

    def _show(self, request: AdminRequest) -> dict[str, Any]:
        machine = self._machine(request.names["machine"], request.names["group"])
        return {
            "machine": machine.id.name,
            "group": machine.id.group,
            "stays": [self._stay(placement) for placement in machine.placements],
        }

    def _evict(self, request: AdminRequest) -> dict[str, Any]:
        fields = Fields(request.body)
        machine = self._machine(fields.required_text("machine"), fields.text("group"))
        notice = fields.number("noticeSeconds", minimum=0, maximum=LONGEST_NOTICE)
        fields.end()
        if machine.priority is not Priority.SPOT or machine.claim is None:
            raise AdminError(
                f"The machine '{machine.id.name}' cannot be evicted: only spot machines with hardware can.",
                HTTPStatus.CONFLICT,
            )
        seconds = NOTICE_SECONDS if notice is None else notice
        self._subscription.evictions.evict(machine, request.now, notice_seconds=seconds)
        due = None if machine.eviction is None else machine.eviction.due
        return {"machine": machine.id.name, "group": machine.id.group, "due": due}

    def _stay(self, placement: Placement) -> dict[str, Any]:
        host = self._subscription.allocator.hosts.hosts[placement.host_id]
        return {
            "host": host.id,
            "location": host.location,
            "zone": host.zone,
            "hardware": host.hardware,
            "cores": placement.cores,
            "since": placement.since,
            "until": placement.until,
            "cause": placement.cause,
            "factors": dataclasses.asdict(host.factors),
        }

    def _machine(self, name: str, group: str | None) -> VirtualMachine:
        found = [
            machine
            for machine in self._machines()
            if machine.id.name.lower() == name.lower() and (group is None or machine.id.group.lower() == group.lower())
        ]
        if not found:
            raise AdminError(f"There is no machine '{name}'.", HTTPStatus.NOT_FOUND)
        if len(found) > 1:
            groups = ", ".join(sorted(machine.id.group for machine in found))
            raise AdminError(f"There are machines '{name}' in the groups {groups}; say which group is meant.")
        return found[0]

    def _machines(self) -> list[VirtualMachine]:
        resources = self._subscription.store.list_of_kind(KIND)
        return [resource for resource in resources if isinstance(resource, VirtualMachine)]
