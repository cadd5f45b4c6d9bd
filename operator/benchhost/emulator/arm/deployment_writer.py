"""Carries out what a deployment asks for: the same handlers, checks and providers' limits as a client's own requests.

Two things are different, as in Azure: no token of ARM's front door is taken, since the deployment's own PUT took it,
and faults of requests do not strike, since nobody's connection is between ARM and a provider. Faults of operations do.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.arm.api_versions import check_api_version
from benchhost.emulator.arm.body_types import check_types
from benchhost.emulator.arm.lock_routes import require_unlocked
from benchhost.emulator.arm.messages import ArmRequest, parse_path
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.deployments.writing import Written
from benchhost.emulator.cloud.latency import AnswerKind, LatencyModel
from benchhost.emulator.cloud.operations import OperationKind

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.rate_limits import RateLimits
    from benchhost.emulator.cloud.deployments.writing import ResourceRequest
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.subscription import Subscription

_MILLISECONDS = "retry-after-ms"
_SECONDS = "Retry-After"


class DeploymentWriter:
    """Writes and reads resources for deployments.

    Parameters
    ----------
    subscription
        Whose resources.
    routes
        Who answers.
    limits
        How often providers may be asked.
    latency
        How long answers take.
    """

    def __init__(self, subscription: Subscription, routes: Routes, limits: RateLimits, latency: LatencyModel) -> None:
        self._subscription = subscription
        self._routes = routes
        self._limits = limits
        self._latency = latency

    def require_type(self, resource_id: str, api_version: str) -> None:
        """Refuse a type that cannot be written, or a version that it has not.

        Raises
        ------
        ArmError
            ``InvalidTemplate`` for a type, and ``NoRegisteredProviderFound`` for a version.
        """
        path = parse_path(resource_id)
        if ("PUT", path.shape) not in self._routes:
            kind, name = "/".join((path.provider or "", *path.types)), "/".join(path.names[2:])
            raise errors.bad_request(
                "InvalidTemplate",
                f"Deployment template validation failed: 'The emulator does not support resources of type '{kind}' in "
                f"templates, and resource '{name}' is one. Write the template without, or use a real subscription.'.",
            )
        check_api_version(path, api_version, method="PUT", locations=self._subscription.context.locations)

    def write(self, request: ResourceRequest) -> Written:
        """Create or update a resource.

        Raises
        ------
        ArmError
            As its provider refuses, or its limits do.
        """
        arm_request = self._request("PUT", request)
        check_types(request.body)
        require_unlocked(self._subscription, arm_request)
        self._limits.admit_at_provider(arm_request)
        answer = self._routes["PUT", arm_request.path.shape](arm_request)
        creates = answer.operation is not None and answer.operation.kind is OperationKind.CREATE_MACHINE
        kind = AnswerKind.CREATE_MACHINE if creates else AnswerKind.WRITE
        return Written(
            is_new=answer.status == HTTPStatus.CREATED,
            operation=answer.operation,
            answer_seconds=self._latency.answer(kind),
        )

    def read(self, request: ResourceRequest) -> Any:
        """Return a resource as GET shows it.

        Raises
        ------
        ArmError
            When it is not there, or of a type that there is not.
        """
        arm_request = self._request("GET", request)
        check_api_version(
            arm_request.path, request.api_version, method="GET", locations=self._subscription.context.locations
        )
        handler = self._routes.get(("GET", arm_request.path.shape))
        if handler is None:
            raise errors.bad_request("InvalidTemplate", f"'{request.resource_id}' is no resource.")
        return handler(arm_request).body

    def wait_after(self, refusal: ArmError) -> float | None:
        """Return how many seconds to wait before the same is asked again, None where that is no use."""
        if refusal.status != HTTPStatus.TOO_MANY_REQUESTS:
            return None
        if _MILLISECONDS in refusal.headers:
            return float(refusal.headers[_MILLISECONDS]) / 1000
        return float(refusal.headers.get(_SECONDS, 1))

    def _request(self, method: str, request: ResourceRequest) -> ArmRequest:
        return ArmRequest(
            method=method,
            path=parse_path(request.resource_id),
            query={},
            headers={},
            body=request.body,
            api_version=request.api_version.lower(),
            now=request.now,
            principal=request.principal,
            base_url="",
            target=request.resource_id,
        )
