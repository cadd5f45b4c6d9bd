"""Every refusal of the emulated subscription, with the code, status and wording that Azure uses.

Raised by the domain, turned into an error body by `benchhost.emulator.arm`. One class is enough: clients tell
Azure's errors apart by code and status, never by class.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """An inner error; ``target`` is absent from the body where it is None, and ``details`` where there are none."""

    code: str
    message: str
    target: str | None = None
    details: tuple[ErrorDetail, ...] = ()


@dataclass(slots=True)
class ArmError(Exception):
    """A request that Azure refuses, or an operation that ends badly.

    Parameters
    ----------
    status
        HTTP status of the answer; without meaning when the error ends an asynchronous operation.
    code
        Azure's error code, for instance ``ResourceNotFound``.
    message
        Azure's sentence for people.
    target
        The field that is wrong, where Azure names it.
    details
        Inner errors; None where the real body has no ``details``.
    from_gateway
        Whether ARM's front door answers by itself (``x-ms-failure-cause: gateway``), not the provider.
    headers
        Headers that the answer carries, for instance Retry-After.
    """

    status: int
    code: str
    message: str
    target: str | None = None
    details: tuple[ErrorDetail, ...] | None = None
    from_gateway: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the error as one line."""
        return f"{self.code}: {self.message}"


def bad_request(code: str, message: str, *, target: str | None = None) -> ArmError:
    """Return a 400 of Microsoft.Compute or of the front door."""
    return ArmError(HTTPStatus.BAD_REQUEST, code, message, target=target)


def invalid_parameter(message: str, target: str) -> ArmError:
    """Return the 400 that Microsoft.Compute gives for a field with a wrong value."""
    return bad_request("InvalidParameter", message, target=target)


def missing_parameter(target: str) -> ArmError:
    """Return the 400 that Microsoft.Compute gives for a field that has to be there."""
    return invalid_parameter(f"Required parameter '{target}' is missing (null).", target)


def not_supported(what: str, *, target: str) -> ArmError:
    """Return the 409 for something that Azure has and this emulator does not."""
    return conflict(
        "NotSupported",
        f"The emulator does not support {what}. Leave it out, or use a real subscription.",
        target=target,
    )


def unknown_member(name: str, path: str) -> ArmError:
    """Return the 400 for a field that a body cannot have, or not in this API version."""
    return bad_request(
        "BadRequest",
        f"Could not find member '{name}' on object of type 'ResourceDefinition'. Path '{path}'.",
        target=path,
    )


def network_error(code: str, message: str, *, status: int = HTTPStatus.BAD_REQUEST) -> ArmError:
    """Return an error of Microsoft.Network, whose bodies always carry ``details``."""
    return ArmError(status, code, message, details=())


def conflict(code: str, message: str, *, target: str | None = None) -> ArmError:
    """Return a 409."""
    return ArmError(HTTPStatus.CONFLICT, code, message, target=target)


def property_change_not_allowed(path: str) -> ArmError:
    """Return the 409 for a field of a virtual machine that is fixed at its creation."""
    return conflict("PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.", target=path)


def resource_group_not_found(name: str) -> ArmError:
    """Return ARM's 404 for a resource group that does not exist."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "ResourceGroupNotFound",
        f"Resource group '{name}' could not be found.",
        from_gateway=True,
    )


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """Return ARM's 404 for a resource that its index does not know (facts: recorded in section 2)."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        from_gateway=True,
    )


def parent_not_found(name: str, parent: str) -> ArmError:
    """Return ARM's 404 for a write below a resource that does not exist."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "ParentResourceNotFound",
        f"Failed to perform 'write' on resource(s) of type '{name}', because the parent resource "
        f"'{parent}' could not be found.",
        from_gateway=True,
    )


def entity_not_found() -> ArmError:
    """Return Microsoft.Compute's own 404."""
    return ArmError(HTTPStatus.NOT_FOUND, "NotFound", "The entity was not found in this Azure location.")


def location_not_available(location: str, kind: str, locations: tuple[str, ...]) -> ArmError:
    """Return the 400 for a location where the resource type is not offered."""
    return bad_request(
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{kind}'. "
        f"List of available regions for the resource type is '{','.join(locations)}'.",
    )


def location_required() -> ArmError:
    """Return the 400 for a body without a location."""
    return bad_request("LocationRequired", "The location property is required for this definition.")


def location_changed(name: str, group: str, *, existing: str, requested: str) -> ArmError:
    """Return the 409 for a second PUT that names another location."""
    return conflict(
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{existing}' in resource group '{group}'. "
        f"A resource with the same name cannot be created in location '{requested}'. "
        "Please select a new resource name.",
    )


def invalid_reference(referenced: str, referrer: str) -> ArmError:
    """Return the 400 for a reference to something that is not there, or is in another region."""
    return network_error(
        "InvalidResourceReference",
        f"Resource {referenced} referenced by resource {referrer} was not found. Please make sure that "
        "the referenced resource exists, and that both resources are in the same region.",
    )


def precondition_failed(given: str, actual: str | None) -> ArmError:
    """Return the 412 for If-Match and If-None-Match."""
    found = "which does not exist" if actual is None else f"whose etag value is {actual}"
    return ArmError(
        HTTPStatus.PRECONDITION_FAILED,
        "PreconditionFailed",
        f"The client has specified the etag value {given} for a resource {found}.",
    )


def operation_preempted() -> ArmError:
    """Return how an operation ends that a more recent one pushed aside (HTTP 200, status Canceled)."""
    return conflict("OperationPreempted", "Operation execution has been preempted by a more recent operation.")


def internal_execution_error() -> ArmError:
    """Compute: a mistake of the service itself (SupportArticles-docs, ``error-messages.md``)."""
    return ArmError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "InternalExecutionError",
        "An internal execution error occurred. Please retry later.",
    )
