"""Template deployments, which Azure has and the emulator does not: an honest refusal, and no deployments to read.

A deployment is a language of its own over every resource type; what a template wants can be asked for one resource at
a time. ``az vm create`` is a deployment; ``az network … create`` and SDKs are none.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.subscription import Subscription

_SCOPES = ("subscriptions/*", "subscriptions/*/resourcegroups/*")
_GROUP_NAMES = 3
"""Names in the path of a deployment to a group: subscription, group, deployment."""


class DeploymentRoutes:
    """Handlers of deployments to a group and to the subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        routes: Routes = {}
        for scope in _SCOPES:
            path = f"{scope}/providers/microsoft.resources/deployments"
            routes["GET", path] = self._list
            routes["GET", f"{path}/*"] = self._get
            routes["HEAD", f"{path}/*"] = self._head
            routes["PUT", f"{path}/*"] = self._refuse
            for action in ("validate", "whatif"):
                routes["POST", f"{path}/*/{action}"] = self._refuse
        return routes

    def _list(self, request: ArmRequest) -> ArmResponse:
        for group in request.path.names[1:]:
            self._subscription.groups.get(group)
        return ArmResponse(body={"value": []})

    def _get(self, request: ArmRequest) -> ArmResponse:
        self._require_group(request)
        raise errors.ArmError(
            HTTPStatus.NOT_FOUND,
            "DeploymentNotFound",
            f"Deployment '{request.name}' could not be found.",
            from_gateway=True,
        )

    def _head(self, _request: ArmRequest) -> ArmResponse:
        return ArmResponse(status=HTTPStatus.NOT_FOUND)

    def _refuse(self, request: ArmRequest) -> ArmResponse:
        self._require_group(request)
        raise errors.conflict(
            "NotSupported",
            "The emulator does not support template deployments, which 'az vm create' makes. "
            "Create the resources one by one, or use a real subscription.",
            target="template",
        )

    def _require_group(self, request: ArmRequest) -> None:
        if len(request.path.names) == _GROUP_NAMES:
            self._subscription.groups.get(request.path.names[1])
