"""Template deployments to a resource group; those to a subscription and ``what-if`` are refused honestly.

``az vm create`` is a deployment; ``az network … create`` and SDKs are none.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.deployment_bodies import deployment_body, operation_status, step_body, validation_body
from benchhost.emulator.arm.error_bodies import error_response
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import properties_of
from benchhost.emulator.cloud.deployments.refusals import deployment_not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.cloud.deployments.record import Deployment
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.subscription import Subscription

TYPE = "providers/microsoft.resources/deployments"
_GROUP = f"subscriptions/*/resourcegroups/*/{TYPE}"
_SUBSCRIPTION = f"subscriptions/*/{TYPE}"


def has_template(shape: str) -> bool:
    """Tell whether a request's body holds a template, whose expressions stand where values of other types do."""
    return f"/{TYPE}/" in shape


class DeploymentRoutes:
    """Handlers of deployments."""

    def __init__(self, subscription: Subscription, polling: Polling) -> None:
        self._subscription = subscription
        self._deployments = subscription.deployments
        self._polling = polling

    def routes(self) -> Routes:
        """Return the handlers."""
        one = f"{_GROUP}/*"
        routes: Routes = {
            ("GET", _GROUP): self._list,
            ("PUT", one): self._put,
            ("GET", one): self._get,
            ("HEAD", one): self._head,
            ("DELETE", one): self._delete,
            ("POST", f"{one}/validate"): self._validate,
            ("POST", f"{one}/cancel"): self._cancel,
            ("POST", f"{one}/whatif"): _refuse("'what-if' of template deployments"),
            ("POST", f"{one}/exporttemplate"): self._export,
            ("GET", f"{one}/operations"): self._list_operations,
            ("GET", f"{one}/operations/*"): self._get_operation,
            ("GET", f"{one}/operationstatuses/*"): self._poll,
        }
        whole = f"{_SUBSCRIPTION}/*"
        routes["GET", _SUBSCRIPTION] = lambda _: ArmResponse(body={"value": []})
        routes["GET", whole] = _no_such_deployment
        routes["HEAD", whole] = lambda _: ArmResponse(status=HTTPStatus.NOT_FOUND)
        routes["PUT", whole] = _refuse("template deployments to a subscription")
        for action in ("validate", "whatif"):
            routes["POST", f"{whole}/{action}"] = _refuse("template deployments to a subscription")
        return routes

    def _put(self, request: ArmRequest) -> ArmResponse:
        deployment, is_new = self._deployments.put(
            self._id(request), properties_of(request.body), principal=request.principal, now=request.now
        )
        status = f"{request.base_url}{deployment.id}/operationStatuses/{deployment.guid}"
        headers = {
            "Azure-AsyncOperation": f"{status}?api-version={request.api_version}",
            **self._polling.wait_hint(None),
        }
        return ArmResponse(
            status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=deployment_body(deployment), headers=headers
        )

    def _get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(body=deployment_body(self._found(request)))

    def _head(self, request: ArmRequest) -> ArmResponse:
        exists = self._deployments.find(self._id(request)) is not None
        return ArmResponse(status=HTTPStatus.NO_CONTENT if exists else HTTPStatus.NOT_FOUND)

    def _list(self, request: ArmRequest) -> ArmResponse:
        return list_page(request, self._deployments.list_in_group(request.path.names[1]), deployment_body)

    def _delete(self, request: ArmRequest) -> ArmResponse:
        self._deployments.delete(self._id(request))
        return ArmResponse(status=HTTPStatus.NO_CONTENT)

    def _validate(self, request: ArmRequest) -> ArmResponse:
        deployment_id = self._id(request)
        bound = self._deployments.check(deployment_id, properties_of(request.body))
        return ArmResponse(body=validation_body(str(deployment_id), bound))

    def _cancel(self, request: ArmRequest) -> ArmResponse:
        self._deployments.cancel(self._id(request), request.now)
        return ArmResponse(status=HTTPStatus.NO_CONTENT)

    def _export(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(body={"template": self._found(request).template})

    def _list_operations(self, request: ArmRequest) -> ArmResponse:
        deployment = self._found(request)
        begun = [step for step in deployment.steps if step.started is not None]
        return list_page(request, begun, lambda step: step_body(deployment, step))

    def _get_operation(self, request: ArmRequest) -> ArmResponse:
        deployment = self._found(request)
        for step in deployment.steps:
            if step.guid == request.name.upper():
                return ArmResponse(body=step_body(deployment, step))
        raise errors.ArmError(
            HTTPStatus.NOT_FOUND, "DeploymentOperationNotFound", f"'{request.name}' is no operation of the deployment."
        )

    def _poll(self, request: ArmRequest) -> ArmResponse:
        deployment = self._found(request)
        if deployment.guid != request.name:
            raise deployment_not_found(request.path.names[2])
        hint = self._polling.wait_hint(None) if deployment.is_active else {}
        return ArmResponse(body=operation_status(deployment), headers=hint)

    def _found(self, request: ArmRequest) -> Deployment:
        return self._deployments.get(self._id(request))

    def _id(self, request: ArmRequest) -> ResourceId:
        group = self._subscription.groups.find(request.path.names[1])
        return request.resource_id("Microsoft.Resources", "deployments", group=group.name if group else None)


def _no_such_deployment(request: ArmRequest) -> ArmResponse:
    return error_response(deployment_not_found(request.name))


def _refuse(what: str) -> Callable[[ArmRequest], ArmResponse]:
    def handle(_request: ArmRequest) -> ArmResponse:
        raise errors.not_supported(what, target="template")

    return handle
