"""Microsoft.ManagedIdentity: which request does what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.cloud.identity.user_assigned import KIND

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

NAMESPACE, TYPE = KIND.split("/")
_LIST = f"subscriptions/*/resourcegroups/*/providers/{KIND.lower()}"
_LIST_ALL = f"subscriptions/*/providers/{KIND.lower()}"


class IdentityRoutes:
    """Handlers of user-assigned identities; all of them are synchronous."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        return {
            ("PUT", f"{_LIST}/*"): self._put,
            ("PATCH", f"{_LIST}/*"): self._patch,
            ("GET", f"{_LIST}/*"): self._get,
            ("DELETE", f"{_LIST}/*"): self._delete,
            ("GET", _LIST): self._list,
            ("GET", _LIST_ALL): self._list_all,
        }

    def _put(self, request: ArmRequest) -> ArmResponse:
        identity, is_new = self._subscription.identities.put(self._id(request), request.body, now=request.now)
        return ArmResponse(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=_body(identity))

    def _patch(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(body=_body(self._subscription.identities.patch(self._id(request), request.body)))

    def _get(self, request: ArmRequest) -> ArmResponse:
        identity_id = self._id(request)
        self._subscription.groups.get(identity_id.group)
        return ArmResponse(body=_body(self._subscription.store.get(identity_id)))

    def _delete(self, request: ArmRequest) -> ArmResponse:
        identity_id = self._id(request)
        self._subscription.groups.get(identity_id.group)
        existed = self._subscription.identities.delete(identity_id)
        return ArmResponse(status=HTTPStatus.OK if existed else HTTPStatus.NO_CONTENT)

    def _list(self, request: ArmRequest) -> ArmResponse:
        group = self._subscription.groups.get(request.path.names[1])
        return list_page(request, self._subscription.store.list_in_group(group.name, KIND), _body)

    def _list_all(self, request: ArmRequest) -> ArmResponse:
        return list_page(request, self._subscription.store.list_of_kind(KIND), _body)

    def _id(self, request: ArmRequest) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id(NAMESPACE, TYPE, group=group.name if group else None)


def _body(identity: Resource) -> Body:
    return {
        "id": str(identity.id),
        "name": identity.id.name,
        "type": identity.id.kind,
        "location": identity.location,
        "tags": identity.tags,
        "properties": identity.properties,
    }
