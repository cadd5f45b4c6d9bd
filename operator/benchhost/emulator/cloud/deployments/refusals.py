"""Refusals and failures of deployments, in ARM's words where they are known."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.errors import ArmError, ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchhost.emulator.cloud.deployments.record import Deployment, Step
    from benchhost.emulator.cloud.templates.errors import TemplateError

EXPIRES_AFTER = 7 * 24 * 3600.0
"""Seconds after which ARM gives an unfinished deployment up, as its message about an active one says."""


def invalid_template(error: TemplateError) -> ArmError:
    """Return the 400 for a template that cannot be deployed."""
    return errors.bad_request("InvalidTemplate", f"Deployment template validation failed: '{error.reason}'.")


def deployment_not_found(name: str) -> ArmError:
    """Return the 404 for a deployment that there is not."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "DeploymentNotFound",
        f"Deployment '{name}' could not be found.",
        from_gateway=True,
    )


def deployment_active(deployment: Deployment) -> ArmError:
    """Return the 409 for a second PUT before the first has ended (azure-sdk-for-js#35108, 2025)."""
    return errors.conflict(
        "DeploymentActive",
        f"The deployment with resource id '{deployment.id}' cannot be saved, because this would overwrite an existing "
        "deployment which is still active. If this is an intentional re-deployment, please wait for the original "
        "deployment to complete, or cancel it before re-attempting the operation. The previous deployment was started "
        f"at '{_moment(deployment.started)}' with correlationId '{deployment.guid}', and will expire at "
        f"'{_moment(deployment.started + EXPIRES_AFTER)}' if it does not complete before then. Please see "
        "https://aka.ms/arm-deploy-resources for usage details.",
    )


def cannot_be_deleted(deployment: Deployment) -> ArmError:
    """Return the 409 for the deletion of a deployment that goes on; its words are assumed."""
    return errors.conflict(
        "DeploymentCannotBeDeleted",
        f"The deployment '{deployment.id.name}' in non-terminal provisioning state '{deployment.state}' cannot be "
        "deleted. Please see https://aka.ms/arm-deploy-resources for usage details.",
    )


def cannot_be_canceled(deployment: Deployment) -> ArmError:
    """Return the 409 for canceling a deployment that has ended; its words are assumed."""
    return errors.conflict(
        "DeploymentCannotBeCancelled",
        f"The deployment '{deployment.id.name}' cannot be cancelled because it has already completed or does not exist "
        f"in the current state '{deployment.state}'.",
    )


def deployment_failed(deployment: Deployment, causes: Sequence[ErrorDetail]) -> ArmError:
    """Return how a deployment ends that could not make all of its resources."""
    return ArmError(
        HTTPStatus.CONFLICT,
        "DeploymentFailed",
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
        "https://aka.ms/arm-deployment-operations for usage details.",
        target=str(deployment.id),
        details=tuple(causes),
    )


def cause_of(step: Step) -> ErrorDetail:
    """Return what a deployment's error says about one resource.

    A refusal is passed on as it is; an operation that ended badly is wrapped once more, as ARM does.
    """
    error = step.error or errors.internal_execution_error()
    inner = ErrorDetail(error.code, error.message, error.target, error.details or ())
    if step.operation_id is None:
        return inner
    return ErrorDetail(
        "ResourceDeploymentFailure",
        "The resource write operation failed to complete successfully, because it reached terminal provisioning state "
        "'Failed'.",
        step.resource_id,
        (inner,),
    )


def _moment(seconds: float) -> str:
    """Return a time as these messages have it: month/day/year and a twelve-hour clock."""
    moment = datetime.fromtimestamp(seconds, UTC)
    clock = moment.strftime("%I:%M:%S %p").lstrip("0")
    return f"{moment.month}/{moment.day}/{moment.year} {clock}"
