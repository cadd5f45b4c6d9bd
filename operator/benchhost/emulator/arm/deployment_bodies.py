"""Bodies of template deployments and of their operations."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.error_bodies import error_body
from benchhost.emulator.arm.polling import timestamp
from benchhost.emulator.cloud.deployments.record import DeploymentState, StepState
from benchhost.emulator.cloud.identifiers import resource_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.deployments.record import Deployment, Step
    from benchhost.emulator.cloud.templates.template import BoundTemplate

KIND = "Microsoft.Resources/deployments"


def deployment_body(deployment: Deployment) -> Body:
    """Return a deployment; no value of a secret parameter is in it."""
    properties: Body = {
        "templateHash": deployment.template_hash,
        "parameters": deployment.parameters,
        "mode": "Incremental",
        "provisioningState": str(deployment.state),
        "timestamp": timestamp(deployment.changed),
        "duration": duration(deployment.changed - deployment.started),
        "correlationId": deployment.guid,
        "providers": _providers(deployment.steps, deployment.location),
        "dependencies": _dependencies(deployment),
    }
    if deployment.state is DeploymentState.SUCCEEDED:
        properties["outputs"] = deployment.outputs
    made = [{"id": step.resource_id} for step in deployment.steps if step.state is StepState.SUCCEEDED]
    if not deployment.is_active and made:
        properties["outputResources"] = made
    if deployment.error is not None:
        properties["error"] = error_body(deployment.error)
    return {"id": str(deployment.id), "name": deployment.id.name, "type": KIND, "properties": properties}


def operation_status(deployment: Deployment) -> Body:
    """Return the answer to a poll."""
    body: Body = {"status": str(deployment.state)}
    if deployment.error is not None:
        body["error"] = error_body(deployment.error)
    return body


def validation_body(deployment_id: str, bound: BoundTemplate) -> Body:
    """Return the answer to a validation that found nothing wrong."""
    name = deployment_id.rpartition("/")[2]
    return {
        "id": deployment_id,
        "name": name,
        "type": KIND,
        "properties": {
            "parameters": bound.parameters.shown,
            "mode": "Incremental",
            "provisioningState": str(DeploymentState.SUCCEEDED),
            "validatedResources": [{"id": resource.id} for resource in bound.resources if resource.is_wanted],
        },
    }


def step_body(deployment: Deployment, step: Step) -> Body:
    """Return one operation of a deployment."""
    properties: Body = {
        "provisioningOperation": "Create",
        "provisioningState": str(step.state),
        "timestamp": timestamp(step.ended or deployment.changed),
        "duration": duration((step.ended or deployment.changed) - (step.started or deployment.changed)),
        "trackingId": deployment.guid,
        "statusCode": _status_code(step),
        "targetResource": _target(step),
    }
    if step.error is not None:
        properties["statusMessage"] = {"error": error_body(step.error)}
    return {"id": f"{deployment.id}/operations/{step.guid}", "operationId": step.guid, "properties": properties}


def duration(seconds: float) -> str:
    """Return a length of time as ISO 8601 writes it, such as ``PT1M2.5S``."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    large = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"PT{large}{rest:.7f}".rstrip("0").rstrip(".") + "S"


def _status_code(step: Step) -> str:
    match step.state:
        case StepState.FAILED:
            status = HTTPStatus.CONFLICT if step.error is None else HTTPStatus(step.error.status)
            return status.phrase.replace(" ", "")
        case StepState.SUCCEEDED:
            return "Created" if step.is_new else "OK"
        case _:
            return "Accepted"


def _target(step: Step) -> Body:
    return {"id": step.resource_id, "resourceType": step.kind, "resourceName": step.name}


def _providers(steps: Sequence[Step], location: str) -> list[Body]:
    types: dict[str, dict[str, None]] = {}
    for step in steps:
        namespace, _, kind = step.kind.partition("/")
        types.setdefault(namespace, {})[kind] = None
    return [
        {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": kind, "locations": [location]} for kind in kinds],
        }
        for namespace, kinds in types.items()
    ]


def _dependencies(deployment: Deployment) -> list[Body]:
    known = {resource_key(step.resource_id): step for step in deployment.steps}
    return [
        {"dependsOn": [_target(known[resource_key(text)]) for text in step.depends_on], **_target(step)}
        for step in deployment.steps
        if step.depends_on
    ]
