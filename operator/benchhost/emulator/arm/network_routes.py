"""Microsoft.Network: which request does what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.network_bodies import (
    interface_body,
    network_etag,
    public_address_body,
    security_group_body,
    subnet_body,
    virtual_network_body,
)
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.arm.preconditions import check_preconditions
from benchhost.emulator.cloud.context import tags_of, touch
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.virtual_networks import SUBNETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

    Put = Callable[..., tuple[Resource, Operation, bool]]
    Delete = Callable[..., Operation | None]
    Render = Callable[[Resource], Body]

NAMESPACE = "Microsoft.Network"
PUT_RETRY_SECONDS = 3
DELETE_RETRY_SECONDS = 10
"""Retry-After of the answers that begin a write (recorded, ASO) and a deletion (assumption: as for machines)."""

_PREFIX = "subscriptions/*/resourcegroups/*/providers/microsoft.network"


class NetworkRoutes:
    """Handlers of Microsoft.Network."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers of every type."""
        cloud = self._subscription
        routes: Routes = {}
        routes |= self._type_routes(
            ("virtualNetworks",),
            put=self._asynchronous(cloud.networks.put),
            delete=cloud.networks.delete,
            render=self._virtual_network_body,
        )
        routes |= self._type_routes(
            ("virtualNetworks", "subnets"),
            put=self._asynchronous(cloud.networks.put_subnet),
            delete=cloud.networks.delete_subnet,
            render=subnet_body,
        )
        routes |= self._type_routes(
            ("publicIPAddresses",),
            put=self._asynchronous(cloud.addresses.put),
            delete=cloud.addresses.delete,
            render=public_address_body,
        )
        routes |= self._type_routes(
            ("networkSecurityGroups",),
            put=self._asynchronous(cloud.security_groups.put),
            delete=cloud.security_groups.delete,
            render=security_group_body,
        )
        return routes | self._type_routes(
            ("networkInterfaces",),
            put=self._put_interface,
            delete=cloud.interfaces.delete,
            render=interface_body,
        )

    def _type_routes(
        self,
        types: tuple[str, ...],
        *,
        put: Callable[[ArmRequest, ResourceId, Render], ArmResponse],
        delete: Delete,
        render: Render,
    ) -> Routes:
        path = f"{_PREFIX}/" + "/*/".join(kind.lower() for kind in types)

        def id_of(request: ArmRequest) -> ResourceId:
            return self._id(request, types)

        routes: Routes = {
            ("PUT", f"{path}/*"): lambda request: put(request, id_of(request), render),
            ("GET", f"{path}/*"): lambda request: self._get(id_of(request), render),
            ("DELETE", f"{path}/*"): lambda request: self._delete(request, id_of(request), delete),
            ("GET", path): lambda request: self._list(request, types, render),
        }
        if len(types) == 1:
            whole = f"subscriptions/*/providers/microsoft.network/{types[0].lower()}"
            routes["PATCH", f"{path}/*"] = lambda request: self._patch_tags(request, id_of(request), render)
            routes["GET", whole] = lambda request: self._list_all(request, types[0], render)
        return routes

    def _id(self, request: ArmRequest, types: tuple[str, ...]) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id(NAMESPACE, *types, group=group.name if group else None)

    def _asynchronous(self, put: Put) -> Callable[[ArmRequest, ResourceId, Render], ArmResponse]:
        def handle(request: ArmRequest, resource_id: ResourceId, render: Render) -> ArmResponse:
            self._check_preconditions(request, resource_id)
            resource, operation, is_new = put(resource_id, request.body, now=request.now)
            headers = self._polling.announce(request, operation, retry_after=PUT_RETRY_SECONDS, with_location=False)
            return ArmResponse(
                status=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
                body=render(resource),
                headers=headers,
                operation=operation,
            )

        return handle

    def _put_interface(self, request: ArmRequest, resource_id: ResourceId, render: Render) -> ArmResponse:
        self._check_preconditions(request, resource_id)
        interface, is_new = self._subscription.interfaces.put(resource_id, request.body, now=request.now)
        return ArmResponse(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=render(interface))

    def _get(self, resource_id: ResourceId, render: Render) -> ArmResponse:
        self._subscription.groups.get(resource_id.group)
        resource = self._subscription.store.get(resource_id)
        return ArmResponse(body=render(resource), headers={"ETag": network_etag(resource)})

    def _delete(self, request: ArmRequest, resource_id: ResourceId, delete: Delete) -> ArmResponse:
        self._subscription.groups.get(resource_id.group)
        self._check_preconditions(request, resource_id)
        operation = delete(resource_id, now=request.now)
        if operation is None:
            return ArmResponse(status=HTTPStatus.NO_CONTENT)
        headers = self._polling.announce(request, operation, retry_after=DELETE_RETRY_SECONDS, with_location=True)
        return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

    def _list(self, request: ArmRequest, types: tuple[str, ...], render: Render) -> ArmResponse:
        group = self._subscription.groups.get(request.path.names[1])
        if types[-1] == SUBNETS:
            network = self._subscription.store.get(self._id(request, types[:1]))
            return list_page(request, self._subscription.networks.subnets_of(network), render)
        resources = self._subscription.store.list_in_group(group.name, f"{NAMESPACE}/{types[0]}")
        return list_page(request, resources, render)

    def _list_all(self, request: ArmRequest, kind: str, render: Render) -> ArmResponse:
        return list_page(request, self._subscription.store.list_of_kind(f"{NAMESPACE}/{kind}"), render)

    def _patch_tags(self, request: ArmRequest, resource_id: ResourceId, render: Render) -> ArmResponse:
        self._subscription.groups.get_for_write(resource_id.group)
        resource = self._subscription.store.get(resource_id)
        writes.require_idle(self._subscription.context, resource)
        resource.tags = tags_of(request.body)
        touch(self._subscription.context, resource)
        return ArmResponse(body=render(resource))

    def _virtual_network_body(self, network: Resource) -> Body:
        return virtual_network_body(network, self._subscription.networks)

    def _check_preconditions(self, request: ArmRequest, resource_id: ResourceId) -> None:
        resource = self._subscription.store.find(resource_id)
        check_preconditions(request, None if resource is None else network_etag(resource))
