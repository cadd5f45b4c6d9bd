"""How every write to Microsoft.Network begins and ends: busy checks, Updating, Deleting."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState, Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Context
    from benchhost.emulator.cloud.errors import ArmError

RETRY_AFTER_SECONDS = "10"
"""What Microsoft.Network asks for with RetryableError; assumption, no recording shows it."""


def require_idle(context: Context, resource: Resource) -> None:
    """Refuse a write to a resource that another operation works on.

    Raises
    ------
    ArmError
        ``AnotherOperationInProgress``.
    """
    running = context.operations.running_on(resource)
    if running is None:
        return
    raise errors.network_error(
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation "
        f"use uri: https://management.azure.com/subscriptions/{context.subscription_id}/providers/"
        f"Microsoft.Network/locations/{running.location}/operations/{running.id}?api-version=2026-03-01.",
        status=HTTPStatus.CONFLICT,
    )


def require_settled(referenced: Resource, referrer: str) -> None:
    """Refuse to build upon a resource that is not provisioned yet.

    Raises
    ------
    ArmError
        429 ``RetryableError`` with ``ReferencedResourceNotProvisioned``, as Microsoft.Network does.
    """
    if referenced.is_settled:
        return
    raise _not_provisioned(referenced, referrer)


def begin_write(context: Context, resource: Resource, now: float) -> Operation:
    """Let a resource be Updating until its operation has ended."""
    resource.provisioning_state = ProvisioningState.UPDATING
    return context.operations.begin(OperationKind.WRITE_NETWORK, resource, now)


def begin_delete(context: Context, resource: Resource, now: float) -> Operation:
    """Let a resource be Deleting until its operation has ended; a second DELETE joins the first."""
    running = context.operations.running_on(resource)
    if running is not None and running.kind is OperationKind.DELETE_NETWORK:
        return running
    require_idle(context, resource)
    resource.provisioning_state = ProvisioningState.DELETING
    return context.operations.begin(OperationKind.DELETE_NETWORK, resource, now)


def _not_provisioned(referenced: Resource, referrer: str) -> ArmError:
    message = (
        f"Cannot proceed with operation because resource {referenced.id} used by resource {referrer} is not "
        f"in Succeeded state. Resource is in {referenced.provisioning_state} state."
    )
    error = errors.network_error("RetryableError", "A retryable error occurred.", status=HTTPStatus.TOO_MANY_REQUESTS)
    error.details = (errors.ErrorDetail("ReferencedResourceNotProvisioned", message),)
    error.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return error
