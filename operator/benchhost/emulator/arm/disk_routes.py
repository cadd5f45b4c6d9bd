"""Managed disks: which request does what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.compute_bodies import disk_body
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.cloud.compute.disks import KIND
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.operations import OperationKind

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

_LIST = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/disks"


class DiskRoutes:
    """Handlers of managed disks."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._polling = polling
        polling.show_result(OperationKind.WRITE_DISK, self._result)

    def routes(self) -> Routes:
        """Return the handlers."""
        return {
            ("PUT", f"{_LIST}/*"): self._put,
            ("PATCH", f"{_LIST}/*"): self._patch,
            ("GET", f"{_LIST}/*"): self._get,
            ("DELETE", f"{_LIST}/*"): self._delete,
            ("GET", _LIST): self._list,
            ("GET", "subscriptions/*/providers/microsoft.compute/disks"): self._list_all,
        }

    def _put(self, request: ArmRequest) -> ArmResponse:
        disk, operation, _ = self._subscription.disks.put(self._id(request), request.body, now=request.now)
        return self._accept(request, disk, operation)

    def _patch(self, request: ArmRequest) -> ArmResponse:
        disk, operation = self._subscription.disks.patch(self._id(request), request.body, now=request.now)
        return self._accept(request, disk, operation)

    def _accept(self, request: ArmRequest, disk: Resource, operation: Operation) -> ArmResponse:
        headers = self._polling.announce(request, operation, retry_after=None, with_location=True)
        return ArmResponse(status=HTTPStatus.ACCEPTED, body=self._body(disk), headers=headers, operation=operation)

    def _get(self, request: ArmRequest) -> ArmResponse:
        disk_id = self._id(request)
        self._subscription.groups.get(disk_id.group)
        return ArmResponse(body=self._body(self._subscription.store.get(disk_id)))

    def _delete(self, request: ArmRequest) -> ArmResponse:
        disk_id = self._id(request)
        self._subscription.groups.get(disk_id.group)
        operation = self._subscription.disks.delete(disk_id, now=request.now)
        if operation is None:
            return ArmResponse(status=HTTPStatus.NO_CONTENT)
        headers = self._polling.announce(request, operation, retry_after=None, with_location=True)
        return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

    def _list(self, request: ArmRequest) -> ArmResponse:
        group = self._subscription.groups.get(request.path.names[1])
        return list_page(request, self._subscription.store.list_in_group(group.name, KIND), self._body)

    def _list_all(self, request: ArmRequest) -> ArmResponse:
        return list_page(request, self._subscription.store.list_of_kind(KIND), self._body)

    def _result(self, operation: Operation) -> Body | None:
        """Return the disk that an operation wrote: its final state is read at the Location (specification)."""
        disk = None if operation.target is None else self._subscription.store.find(operation.target)
        return None if disk is None else self._body(disk)

    def _body(self, disk: Resource) -> Body:
        owner = None if disk.first_user is None else self._subscription.store.find(disk.first_user)
        return disk_body(disk, owner if isinstance(owner, VirtualMachine) else None)

    def _id(self, request: ArmRequest) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id("Microsoft.Compute", "disks", group=group.name if group else None)
