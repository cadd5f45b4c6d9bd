"""Microsoft.Authorization/locks on a subscription, a resource group or a resource, and what they refuse.

`require_unlocked` stands before every other handler; the rest are the locks' own handlers.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import properties_of

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.locks import ManagementLock
    from benchhost.emulator.cloud.subscription import Subscription

_KIND = "Microsoft.Authorization/locks"
_TAIL = f"/providers/{_KIND.lower()}"
_SCOPES = (
    "subscriptions/*",
    "subscriptions/*/resourcegroups/*",
    *(
        f"subscriptions/*/resourcegroups/*/providers/{kind}/*"
        for kind in (
            "microsoft.compute/virtualmachines",
            "microsoft.compute/disks",
            "microsoft.network/virtualnetworks",
            "microsoft.network/publicipaddresses",
            "microsoft.network/networkinterfaces",
            "microsoft.network/networksecuritygroups",
            "microsoft.managedidentity/userassignedidentities",
        )
    ),
)
_RESOURCE_GROUP_SEGMENTS = 4
"""``subscriptions/{id}/resourceGroups/{name}``."""


def require_unlocked(subscription: Subscription, request: ArmRequest) -> None:
    """Refuse a request that a lock forbids.

    An action is a write, as the document tells of start and restart. Locks can always be managed.

    Raises
    ------
    ArmError
        ``ScopeLocked``.
    """
    if request.method in ("GET", "HEAD") or _TAIL in f"/{request.path.shape}":
        return
    scope = "/" + "/".join(request.path.segments)
    if request.method == "DELETE":
        subscription.locks.require_deletable(scope)
    else:
        subscription.locks.require_writable(scope)


class LockRoutes:
    """Handlers of locks; all of them are synchronous."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers for every scope that can be locked."""
        routes: Routes = {}
        for scope in _SCOPES:
            routes |= {
                ("PUT", f"{scope}{_TAIL}/*"): self._put,
                ("GET", f"{scope}{_TAIL}/*"): self._get,
                ("DELETE", f"{scope}{_TAIL}/*"): self._delete,
                ("GET", f"{scope}{_TAIL}"): self._list,
            }
        return routes

    def _put(self, request: ArmRequest) -> ArmResponse:
        scope = self._scope(request)
        lock, is_new = self._subscription.locks.put(scope, request.name, properties_of(request.body))
        return ArmResponse(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=_body(lock))

    def _get(self, request: ArmRequest) -> ArmResponse:
        scope = self._scope(request)
        lock = self._subscription.locks.find(scope, request.name)
        if lock is None:
            raise errors.ArmError(
                HTTPStatus.NOT_FOUND,
                "LockNotFound",
                f"The lock '{request.name}' could not be found.",
                from_gateway=True,
            )
        return ArmResponse(body=_body(lock))

    def _delete(self, request: ArmRequest) -> ArmResponse:
        existed = self._subscription.locks.remove(self._scope(request), request.name)
        return ArmResponse(status=HTTPStatus.OK if existed else HTTPStatus.NO_CONTENT)

    def _list(self, request: ArmRequest) -> ArmResponse:
        locks = self._subscription.locks.list_at(self._scope(request))
        return ArmResponse(body={"value": [_body(lock) for lock in locks]})

    def _scope(self, request: ArmRequest) -> str:
        """Return the id of what a lock is on; it has to exist."""
        tail = 4 if request.path.shape.endswith("/*") else 3
        scope = request.path.segments[:-tail]
        text = "/" + "/".join(scope)
        if len(scope) >= _RESOURCE_GROUP_SEGMENTS:
            group = self._subscription.groups.get(scope[3])
            if len(scope) == _RESOURCE_GROUP_SEGMENTS:
                return f"/subscriptions/{self._subscription.id}/resourceGroups/{group.name}"
            found = self._subscription.store.find(text)
            if found is None:
                raise errors.resource_not_found(f"{scope[5]}/{scope[6]}", scope[7], group.name)
            return str(found.id)
        return text


def _body(lock: ManagementLock) -> Body:
    notes = {} if lock.notes is None else {"notes": lock.notes}
    return {"id": lock.id, "type": _KIND, "name": lock.name, "properties": {"level": str(lock.level), **notes}}
