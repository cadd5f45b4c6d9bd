"""Subscriptions, resource providers, resource groups and the lists of everything in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.api_versions import PROVIDERS, RESOURCE_TYPES
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.arm.polling import timestamp
from benchhost.emulator.arm.resource_filters import filter_groups, filter_resources
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import normalize_location, tags_of
from benchhost.emulator.cloud.groups import GROUP_KIND, ResourceGroup

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

DELETE_RETRY_SECONDS = 15
"""Retry-After of a resource group's deletion (recorded, ASO)."""

_SUBSCRIPTION = "subscriptions/*"
_GROUP = "subscriptions/*/resourcegroups/*"


class GroupRoutes:
    """Handlers for what ARM itself answers."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers."""
        routes: Routes = {
            ("GET", "tenants"): self._list_tenants,
            ("GET", "subscriptions"): self._list_subscriptions,
            ("GET", _SUBSCRIPTION): self._get_subscription,
            ("GET", f"{_SUBSCRIPTION}/locations"): self._list_locations,
            ("GET", f"{_SUBSCRIPTION}/providers"): self._list_providers,
            ("GET", f"{_SUBSCRIPTION}/resources"): self._list_resources,
            ("GET", f"{_SUBSCRIPTION}/resourcegroups"): self._list_groups,
            ("PUT", _GROUP): self._put_group,
            ("PATCH", _GROUP): self._patch_group,
            ("GET", _GROUP): self._get_group,
            ("HEAD", _GROUP): self._head_group,
            ("DELETE", _GROUP): self._delete_group,
            ("GET", f"{_GROUP}/resources"): self._list_group_resources,
        }
        for namespace in PROVIDERS:
            routes["GET", f"{_SUBSCRIPTION}/providers/{namespace}"] = self._get_provider
            routes["POST", f"{_SUBSCRIPTION}/providers/{namespace}/register"] = self._get_provider
        return routes

    def _list_tenants(self, _request: ArmRequest) -> ArmResponse:
        tenant = self._subscription.context.tenant_id
        body = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "BenchHost emulator"}
        return ArmResponse(body={"value": [body]})

    def _list_subscriptions(self, _request: ArmRequest) -> ArmResponse:
        return ArmResponse(body={"value": [self._subscription_body()]})

    def _get_subscription(self, _request: ArmRequest) -> ArmResponse:
        return ArmResponse(body=self._subscription_body())

    def _list_locations(self, _request: ArmRequest) -> ArmResponse:
        base = f"/subscriptions/{self._subscription.id}/locations"
        locations = [
            {"id": f"{base}/{name}", "name": name, "displayName": name, "type": "Region"}
            for name in self._subscription.context.locations
        ]
        return ArmResponse(body={"value": locations})

    def _list_providers(self, _request: ArmRequest) -> ArmResponse:
        return ArmResponse(body={"value": [self._provider_body(name) for name in PROVIDERS]})

    def _get_provider(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(body=self._provider_body((request.path.provider or "").lower()))

    def _list_groups(self, request: ArmRequest) -> ArmResponse:
        groups = filter_groups(list(self._subscription.groups), request.query.get("$filter"))
        return list_page(request, groups, self._group_body)

    def _put_group(self, request: ArmRequest) -> ArmResponse:
        location = request.body.get("location")
        if not isinstance(location, str) or not location:
            raise errors.location_required()
        group, is_new = self._subscription.groups.put(request.name, normalize_location(location), tags_of(request.body))
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return ArmResponse(status=status, body=self._group_body(group))

    def _patch_group(self, request: ArmRequest) -> ArmResponse:
        group = self._subscription.groups.get_for_write(request.name)
        if "tags" in request.body:
            group.tags = tags_of(request.body)
        return ArmResponse(body=self._group_body(group))

    def _get_group(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(body=self._group_body(self._subscription.groups.get(request.name)))

    def _head_group(self, request: ArmRequest) -> ArmResponse:
        exists = self._subscription.groups.find(request.name) is not None
        return ArmResponse(status=HTTPStatus.NO_CONTENT if exists else HTTPStatus.NOT_FOUND)

    def _delete_group(self, request: ArmRequest) -> ArmResponse:
        operation = self._subscription.delete_group(request.name, request.now)
        headers = self._polling.announce_group(request, operation, retry_after=DELETE_RETRY_SECONDS)
        return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

    def _list_resources(self, request: ArmRequest) -> ArmResponse:
        resources = [resource for resource in self._subscription.store if resource.id.parent is None]
        return self._resource_page(request, resources)

    def _list_group_resources(self, request: ArmRequest) -> ArmResponse:
        group = self._subscription.groups.get(request.name)
        resources = self._subscription.store.list_in_group(group.name)
        top_level = [resource for resource in resources if resource.id.parent is None]
        return self._resource_page(request, top_level)

    @staticmethod
    def _resource_page(request: ArmRequest, resources: list[Resource]) -> ArmResponse:
        wanted = {name.strip().lower() for name in request.query.get("$expand", "").split(",")}
        found = filter_resources(resources, request.query.get("$filter"))
        return list_page(request, found, lambda resource: _generic_body(resource, wanted))

    def _subscription_body(self) -> Body:
        context = self._subscription.context
        return {
            "id": f"/subscriptions/{context.subscription_id}",
            "subscriptionId": context.subscription_id,
            "tenantId": context.tenant_id,
            "displayName": "BenchHost emulator",
            "state": "Enabled",
        }

    def _provider_body(self, namespace: str) -> Body:
        name = PROVIDERS[namespace]
        locations = list(self._subscription.context.locations)
        return {
            "id": f"/subscriptions/{self._subscription.id}/providers/{name}",
            "namespace": name,
            "registrationState": "Registered",
            "resourceTypes": [
                {"resourceType": kind, "locations": locations, "apiVersions": list(reversed(versions))}
                for kind, versions in RESOURCE_TYPES[name].items()
            ],
        }

    def _group_body(self, group: ResourceGroup) -> Body:
        return {
            "id": f"/subscriptions/{self._subscription.id}/resourceGroups/{group.name}",
            "name": group.name,
            "type": GROUP_KIND,
            "location": group.location,
            **({"tags": group.tags} if group.tags else {}),
            "properties": {"provisioningState": str(group.state)},
        }


def _generic_body(resource: Resource, wanted: set[str]) -> Body:
    more: Body = {}
    if "createdtime" in wanted:
        more["createdTime"] = timestamp(resource.created_at)
    if "provisioningstate" in wanted:
        more["provisioningState"] = str(resource.provisioning_state)
    return {
        "id": str(resource.id),
        "name": resource.id.name,
        "type": resource.id.kind,
        "location": resource.location,
        **({"tags": resource.tags} if resource.tags else {}),
        **{key: resource.extras[key] for key in ("sku", "zones", "identity") if key in resource.extras},
        **more,
    }
