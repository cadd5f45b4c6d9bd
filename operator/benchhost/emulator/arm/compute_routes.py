"""Virtual machines: which request does what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.compute_bodies import (
    instance_view,
    machine_body,
    machine_etag,
)
from benchhost.emulator.arm.machine_lists import MachineLists
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.preconditions import check_preconditions
from benchhost.emulator.arm.sku_bodies import size_body
from benchhost.emulator.arm.version_gates import check_fields
from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.hardware import hardware_of, sizes_on
from benchhost.emulator.cloud.compute.power import PowerAction

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Handler, Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.subscription import Subscription

CREATE_RETRY_SECONDS = 10
DELETE_RETRY_SECONDS = 10
"""Retry-After of the answer to a create and to a delete (recorded, ASO-2026 and ASO-2022)."""

_MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"
_COMPUTE = "subscriptions/*/providers/microsoft.compute"


class ComputeRoutes:
    """Handlers of virtual machines."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers."""
        routes: Routes = {
            ("PUT", _MACHINE): self._put,
            ("PATCH", _MACHINE): self._patch,
            ("GET", _MACHINE): self._get,
            ("DELETE", _MACHINE): self._delete,
            ("GET", f"{_MACHINE}/instanceview"): self._get_instance_view,
            ("GET", f"{_MACHINE}/vmsizes"): self._list_sizes,
            **MachineLists(self._subscription).routes(),
        }
        routes["POST", f"{_MACHINE}/simulateeviction"] = self._simulate_eviction
        for action in PowerAction:
            routes["POST", f"{_MACHINE}/{action.lower()}"] = self._power(action)
        return routes

    def _put(self, request: ArmRequest) -> ArmResponse:
        machine_id = self._id(request)
        self._check_preconditions(request, machine_id)
        check_fields(request.body, request.api_version)
        machine, operation, is_new = self._subscription.machines.put(machine_id, request.body, now=request.now)
        return self._written(request, machine, operation, is_new=is_new)

    def _patch(self, request: ArmRequest) -> ArmResponse:
        machine_id = self._id(request)
        self._check_preconditions(request, machine_id)
        check_fields(request.body, request.api_version)
        machine, operation = self._subscription.machines.patch(machine_id, request.body, now=request.now)
        return self._written(request, machine, operation, is_new=False)

    def _written(
        self, request: ArmRequest, machine: VirtualMachine, operation: Operation, *, is_new: bool
    ) -> ArmResponse:
        headers = self._polling.announce(
            request, operation, retry_after=CREATE_RETRY_SECONDS if is_new else None, with_location=False
        )
        return ArmResponse(
            status=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
            body=machine_body(machine, request.api_version),
            headers={**headers, "ETag": machine_etag(machine)},
            operation=operation,
        )

    def _get(self, request: ArmRequest) -> ArmResponse:
        machine = self._subscription.machines.get(self._id(request), now=request.now)
        body = machine_body(machine, request.api_version)
        if request.query.get("$expand", "").lower() == "instanceview":
            body["properties"] = {**body["properties"], "instanceView": self._view(machine, request.now)}
        return ArmResponse(body=body, headers={"ETag": machine_etag(machine)})

    def _get_instance_view(self, request: ArmRequest) -> ArmResponse:
        machine = self._subscription.machines.get(self._id(request), now=request.now)
        return ArmResponse(body=self._view(machine, request.now))

    def _delete(self, request: ArmRequest) -> ArmResponse:
        machine_id = self._id(request)
        self._subscription.groups.get(machine_id.group)
        self._check_preconditions(request, machine_id)
        force = request.query.get("forcedeletion", "").lower() == "true"
        operation = self._subscription.machines.delete(machine_id, force=force, now=request.now)
        if operation is None:
            return ArmResponse(status=HTTPStatus.NO_CONTENT)
        return self._accepted(request, operation, retry_after=DELETE_RETRY_SECONDS)

    def _power(self, action: PowerAction) -> Handler:
        def handle(request: ArmRequest) -> ArmResponse:
            self._subscription.groups.get_for_write(request.path.names[1])
            machine = self._subscription.machines.get(self._id(request), now=request.now)
            hibernate = request.query.get("hibernate", "").lower() == "true"
            operation = self._subscription.power.begin(machine, action, now=request.now, hibernate=hibernate)
            return self._accepted(request, operation, retry_after=None)

        return handle

    def _simulate_eviction(self, request: ArmRequest) -> ArmResponse:
        self._subscription.groups.get_for_write(request.path.names[1])
        machine = self._subscription.machines.get(self._id(request), now=request.now)
        self._subscription.evictions.simulate(machine, request.now)
        return ArmResponse(status=HTTPStatus.NO_CONTENT)

    def _accepted(self, request: ArmRequest, operation: Operation, *, retry_after: float | None) -> ArmResponse:
        headers = self._polling.announce(request, operation, retry_after=retry_after, with_location=True)
        return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

    def _list_sizes(self, request: ArmRequest) -> ArmResponse:
        machine = self._subscription.machines.get(self._id(request), now=request.now)
        sizes = sizes_on(hardware_of(machine.size)) if machine.is_allocated else MACHINE_SIZES.values()
        return ArmResponse(body={"value": [size_body(size) for size in sizes]})

    def _view(self, machine: VirtualMachine, now: float) -> Body:
        return instance_view(machine, self._subscription.operations.running_on(machine), now)

    def _id(self, request: ArmRequest) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id("Microsoft.Compute", "virtualMachines", group=group.name if group else None)

    def _check_preconditions(self, request: ArmRequest, machine_id: ResourceId) -> None:
        machine = self._subscription.machines.find(machine_id)
        check_preconditions(request, None if machine is None else machine_etag(machine))
