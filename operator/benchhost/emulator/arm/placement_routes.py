"""Proximity placement groups, dedicated hosts, capacity reservations: which request does what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.arm.placement_bodies import group_body, host_body, reservation_body
from benchhost.emulator.cloud.compute.dedicated_hosts import sizes_of_type
from benchhost.emulator.cloud.compute.placement_groups import CHILDREN, NAMESPACE, GroupType

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.compute.dedicated_hosts import DedicatedHosts
    from benchhost.emulator.cloud.compute.placement_groups import PlacementGroups
    from benchhost.emulator.cloud.compute.reservations import Reservations
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

    Render = Callable[[Resource], Body]

_PREFIX = "subscriptions/*/resourcegroups/*/providers/microsoft.compute"
_WHOLE = "subscriptions/*/providers/microsoft.compute"


class PlacementRoutes:
    """Handlers of what machines are placed by."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._allocator = subscription.allocator
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers of every type."""
        routes: Routes = {}
        for kind, groups in self._subscription.placement_groups.items():
            routes |= self._group_routes(kind, groups)
        hosts = f"{_PREFIX}/hostgroups/*/hosts"
        return (
            routes
            | self._child_routes(GroupType.HOSTS, self._allocator.dedicated_hosts)
            | self._child_routes(GroupType.RESERVATIONS, self._allocator.reservations)
            | {("GET", f"{hosts}/*/hostsizes"): self._list_host_sizes}
        )

    def _group_routes(self, kind: GroupType, groups: PlacementGroups) -> Routes:
        path = f"{_PREFIX}/{kind.lower()}"

        def render(request: ArmRequest) -> Render:
            return lambda group: group_body(group, groups, self._allocator, with_view=_wants_view(request))

        def put(request: ArmRequest) -> ArmResponse:
            group, is_new = groups.put(self._id(request, kind), request.body, now=request.now)
            return ArmResponse(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=render(request)(group))

        def patch(request: ArmRequest) -> ArmResponse:
            return ArmResponse(body=render(request)(groups.patch(self._id(request, kind), request.body)))

        def delete(request: ArmRequest) -> ArmResponse:
            group_id = self._id(request, kind)
            self._subscription.groups.get(group_id.group)
            return ArmResponse(status=HTTPStatus.OK if groups.delete(group_id) else HTTPStatus.NO_CONTENT)

        return {
            ("PUT", f"{path}/*"): put,
            ("PATCH", f"{path}/*"): patch,
            ("DELETE", f"{path}/*"): delete,
            ("GET", f"{path}/*"): lambda request: self._get(request, render(request), kind),
            ("GET", path): lambda request: self._list_in_group(request, render(request), kind),
            ("GET", f"{_WHOLE}/{kind.lower()}"): lambda request: list_page(
                request, self._subscription.store.list_of_kind(f"{NAMESPACE}/{kind}"), render(request)
            ),
        }

    def _child_routes(self, kind: GroupType, service: DedicatedHosts | Reservations) -> Routes:
        child = CHILDREN[kind]
        path = f"{_PREFIX}/{kind.lower()}/*/{child.lower()}"
        body = host_body if kind is GroupType.HOSTS else reservation_body

        def render(request: ArmRequest) -> Render:
            return lambda resource: body(resource, self._allocator, with_view=_wants_view(request))

        def put(request: ArmRequest) -> ArmResponse:
            resource, operation, is_new = service.put(self._id(request, kind, child), request.body, now=request.now)
            status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
            return self._written(request, operation, render(request)(resource), status)

        def patch(request: ArmRequest) -> ArmResponse:
            resource, operation = service.patch(self._id(request, kind, child), request.body, now=request.now)
            return self._written(request, operation, render(request)(resource), HTTPStatus.OK)

        def delete(request: ArmRequest) -> ArmResponse:
            resource_id = self._id(request, kind, child)
            self._subscription.groups.get(resource_id.group)
            operation = service.delete(resource_id, now=request.now)
            if operation is None:
                return ArmResponse(status=HTTPStatus.NO_CONTENT)
            headers = self._polling.announce(request, operation, retry_after=None, with_location=True)
            return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

        def list_children(request: ArmRequest) -> ArmResponse:
            group = self._subscription.store.get(self._id(request, kind))
            return list_page(request, self._subscription.store.children(group.id, child), render(request))

        return {
            ("PUT", f"{path}/*"): put,
            ("PATCH", f"{path}/*"): patch,
            ("DELETE", f"{path}/*"): delete,
            ("GET", f"{path}/*"): lambda request: self._get(request, render(request), kind, child),
            ("GET", path): list_children,
        }

    def _written(self, request: ArmRequest, operation: Operation, body: Body, status: int) -> ArmResponse:
        headers = self._polling.announce(request, operation, retry_after=None, with_location=False)
        return ArmResponse(status=status, body=body, headers=headers, operation=operation)

    def _get(self, request: ArmRequest, render: Render, *types: str) -> ArmResponse:
        resource_id = self._id(request, *types)
        self._subscription.groups.get(resource_id.group)
        return ArmResponse(body=render(self._subscription.store.get(resource_id)))

    def _list_in_group(self, request: ArmRequest, render: Render, kind: GroupType) -> ArmResponse:
        group = self._subscription.groups.get(request.path.names[1])
        return list_page(request, self._subscription.store.list_in_group(group.name, f"{NAMESPACE}/{kind}"), render)

    def _list_host_sizes(self, request: ArmRequest) -> ArmResponse:
        host = self._subscription.store.get(self._id(request, GroupType.HOSTS, CHILDREN[GroupType.HOSTS]))
        return ArmResponse(body={"value": [size.name for size in sizes_of_type(host.extras["sku"]["name"])]})

    def _id(self, request: ArmRequest, *types: str) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id(NAMESPACE, *types, group=group.name if group else None)


def _wants_view(request: ArmRequest) -> bool:
    return request.query.get("$expand", "").lower() == "instanceview"
