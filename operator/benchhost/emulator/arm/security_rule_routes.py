"""Rules of network security groups, one by one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.network_bodies import network_etag, security_rule_body
from benchhost.emulator.arm.network_routes import DELETE_RETRY_SECONDS, NAMESPACE, PUT_RETRY_SECONDS
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import properties_of
from benchhost.emulator.cloud.network.security_rules import find_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

_GROUP = "subscriptions/*/resourcegroups/*/providers/microsoft.network/networksecuritygroups/*"


class SecurityRuleRoutes:
    """Handlers of security rules, and of the default ones that can only be read."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers."""
        return {
            ("PUT", f"{_GROUP}/securityrules/*"): self._put,
            ("DELETE", f"{_GROUP}/securityrules/*"): self._delete,
            ("GET", f"{_GROUP}/securityrules/*"): self._get("securityRules"),
            ("GET", f"{_GROUP}/securityrules"): self._list("securityRules"),
            ("GET", f"{_GROUP}/defaultsecurityrules/*"): self._get("defaultSecurityRules"),
            ("GET", f"{_GROUP}/defaultsecurityrules"): self._list("defaultSecurityRules"),
        }

    def _put(self, request: ArmRequest) -> ArmResponse:
        group = self._group(request, for_write=True)
        rule, operation, is_new = self._subscription.security_groups.put_rule(
            group, request.name, properties_of(request.body), now=request.now
        )
        headers = self._polling.announce(request, operation, retry_after=PUT_RETRY_SECONDS, with_location=False)
        return ArmResponse(
            status=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
            body=security_rule_body(group, rule),
            headers=headers,
            operation=operation,
        )

    def _delete(self, request: ArmRequest) -> ArmResponse:
        group = self._group(request, for_write=True)
        operation = self._subscription.security_groups.delete_rule(group, request.name, now=request.now)
        if operation is None:
            return ArmResponse(status=HTTPStatus.NO_CONTENT)
        headers = self._polling.announce(request, operation, retry_after=DELETE_RETRY_SECONDS, with_location=True)
        return ArmResponse(status=HTTPStatus.ACCEPTED, headers=headers, operation=operation)

    def _get(self, field: str) -> Callable[[ArmRequest], ArmResponse]:
        def handle(request: ArmRequest) -> ArmResponse:
            group = self._group(request)
            rule = find_rule(group.properties[field], request.name)
            if rule is None:
                raise errors.network_error(
                    "NotFound", f"Resource {group.id}/{field}/{request.name} not found.", status=HTTPStatus.NOT_FOUND
                )
            return ArmResponse(body=security_rule_body(group, rule), headers={"ETag": network_etag(group)})

        return handle

    def _list(self, field: str) -> Callable[[ArmRequest], ArmResponse]:
        def handle(request: ArmRequest) -> ArmResponse:
            group = self._group(request)
            rules: list[Any] = [security_rule_body(group, rule) for rule in group.properties[field]]
            body: Body = {"value": rules}
            return ArmResponse(body=body)

        return handle

    def _group(self, request: ArmRequest, *, for_write: bool = False) -> Resource:
        groups = self._subscription.groups
        name = request.path.names[1]
        found = groups.get_for_write(name) if for_write else groups.get(name)
        group_id = request.resource_id(NAMESPACE, "networkSecurityGroups", group=found.name)
        return self._subscription.store.get(group_id)
