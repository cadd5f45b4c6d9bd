"""From ARM's refusals to the port's errors: one table, by code first and by HTTP status where the code says nothing.

Called wherever an answer of ARM is read. Pure. Where the codes, texts and statuses were seen: Microsoft's
SupportArticles-docs ``error-messages.md``, the error classifiers of Azure Service Operator, Karpenter and Gardener.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from benchhost.api.conditions import Reason
from benchhost.cloud.errors import (
    AdminError,
    CapacityError,
    CloudError,
    CredentialsError,
    TerminalError,
    ThrottledError,
    TransientError,
)

_MESSAGE_LENGTH: Final = 1000
"""Characters of the cloud's own message that are kept; quota messages have up to about 800."""
_NIC_RESERVED: Final = timedelta(seconds=180)
"""How long Azure keeps an interface for a machine whose creation failed (text of NicReservedForAnotherVm)."""

_Kind = tuple[type[CloudError], Reason | None]

_BY_CODE: Final[dict[str, _Kind]] = {
    "SkuNotAvailable": (CapacityError, None),
    "AllocationFailed": (CapacityError, None),
    "ZonalAllocationFailed": (CapacityError, None),
    "OverconstrainedAllocationRequest": (CapacityError, None),
    "OverconstrainedZonalAllocationRequest": (CapacityError, None),
    "QuotaExceeded": (CapacityError, Reason.QUOTA_EXCEEDED),
    "ResourceQuotaExceeded": (CapacityError, Reason.QUOTA_EXCEEDED),
    "PublicIPCountLimitReached": (CapacityError, Reason.QUOTA_EXCEEDED),
    "StaticPublicIPCountLimitReached": (CapacityError, Reason.QUOTA_EXCEEDED),
    "IPv4StandardSkuPublicIpCountLimitReached": (CapacityError, Reason.QUOTA_EXCEEDED),
    "AuthorizationFailed": (AdminError, None),
    "LinkedAuthorizationFailed": (AdminError, None),
    "RequestDisallowedByPolicy": (AdminError, None),
    "ScopeLocked": (AdminError, None),
    "MissingSubscriptionRegistration": (AdminError, None),
    "SubscriptionNotFound": (AdminError, Reason.SUBSCRIPTION_NOT_FOUND),
    "InvalidSubscriptionId": (AdminError, Reason.SUBSCRIPTION_NOT_FOUND),
    "SubscriptionNotRegistered": (AdminError, None),
    "ResourceGroupNotFound": (AdminError, Reason.RESOURCE_GROUP_NOT_FOUND),
    "InvalidResourceReference": (AdminError, Reason.INVALID_SPEC),
    "InvalidAuthenticationToken": (CredentialsError, None),
    "InvalidAuthenticationTokenTenant": (CredentialsError, None),
    "ExpiredAuthenticationToken": (CredentialsError, None),
    "AuthenticationFailed": (CredentialsError, None),
    "ImageNotFound": (TerminalError, Reason.IMAGE_NOT_FOUND),
    "PlatformImageNotFound": (TerminalError, Reason.IMAGE_NOT_FOUND),
    "InvalidParameter": (TerminalError, None),
    "InvalidParameterValue": (TerminalError, None),
    "InvalidRequestContent": (TerminalError, None),
    "BadRequest": (TerminalError, None),
    "PropertyChangeNotAllowed": (TerminalError, None),
    "InvalidResourceLocation": (TerminalError, None),
    "LocationNotAvailableForResourceType": (TerminalError, None),
    "RetryableError": (TransientError, None),
    "AnotherOperationInProgress": (TransientError, None),
    "Conflict": (TransientError, None),
    "NicReservedForAnotherVm": (TransientError, None),
    "NicInUse": (TransientError, None),
    "PublicIPAddressCannotBeDeleted": (TransientError, None),
    "InUseSubnetCannotBeDeleted": (TransientError, None),
    "OperationPreempted": (TransientError, Reason.OPERATION_FAILED),
    "OSProvisioningTimedOut": (TransientError, Reason.OPERATION_FAILED),
    "VMStartTimedOut": (TransientError, Reason.OPERATION_FAILED),
    "VMAgentStatusCommunicationError": (TransientError, Reason.OPERATION_FAILED),
}
_BY_STATUS: Final[dict[int, type[CloudError]]] = {
    HTTPStatus.OK: TransientError,
    HTTPStatus.UNAUTHORIZED: CredentialsError,
    HTTPStatus.FORBIDDEN: AdminError,
    HTTPStatus.NOT_FOUND: TransientError,
    HTTPStatus.REQUEST_TIMEOUT: TransientError,
    HTTPStatus.CONFLICT: TransientError,
    HTTPStatus.PRECONDITION_FAILED: TransientError,
    HTTPStatus.TOO_MANY_REQUESTS: ThrottledError,
}
"""A failed operation is told with status 200. Whatever is not here is terminal below 500 and transient above."""

_RETRY_AFTER: Final[dict[str, timedelta]] = {"NicReservedForAnotherVm": _NIC_RESERVED}
_ADVICE: Final[dict[str, str]] = {
    "ResourceGroupNotFound": "Create the resource group, or correct spec.azure.resourceGroup.",
    "SubscriptionNotFound": "Correct spec.azure.subscriptionId, or use credentials that can see it.",
    "InvalidSubscriptionId": "Correct spec.azure.subscriptionId.",
    "AuthorizationFailed": "Give the credentials' principal the role Contributor on the resource group.",
    "InvalidResourceReference": "Create what spec.azure.network refers to, in the same region, or correct the id.",
    "ScopeLocked": "Remove the lock.",
}
_QUOTA: Final = re.compile(r"exceed\w*\b.{0,80}\bquota|quota\b.{0,80}\bexceed", re.IGNORECASE | re.DOTALL)
_NO_ROOM: Final = re.compile(r"not available in the current hardware cluster", re.IGNORECASE)
_TOO_OFTEN: Final = frozenset({"TooManyRequests", "RetryableErrorDueToTooManyCalls"})
"""Compute's (``troubleshooting-throttling-errors.md``) and Network's (AKS's article on 429 errors) inner codes."""
_ABSENT: Final = frozenset({"ResourceNotFound", "NotFound", "ResourceGroupNotFound", "ParentResourceNotFound"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """ARM's answer when it is not yes."""

    status: int
    """HTTP status; 200 for an operation that was accepted and then failed."""
    code: str = ""
    message: str = ""
    details: tuple[str, ...] = ()
    """Codes of inner errors."""
    retry_after: timedelta | None = None
    request_id: str | None = None

    @property
    def is_absence(self) -> bool:
        """Whether it says that the resource does not exist, and not that the address or the subscription is wrong."""
        return self.status == HTTPStatus.NOT_FOUND and self.code in _ABSENT

    @property
    def is_throttle(self) -> bool:
        """Whether it says that it was asked too often.

        Microsoft.Network answers 429 to a reference that is not provisioned yet too, under the same code.
        """
        if _TOO_OFTEN.intersection(self.details):
            return True
        busy = ("RetryableError", "AnotherOperationInProgress")
        return self.status == HTTPStatus.TOO_MANY_REQUESTS and self.code not in busy


def read_refusal(
    status: int, body: object, *, retry_after: timedelta | None = None, request_id: str | None = None
) -> Refusal:
    """Read an error body, with or without ARM's ``error`` wrapper; one that is no JSON says nothing."""
    content = body if isinstance(body, Mapping) else {}
    inner: Mapping[str, Any] = content["error"] if isinstance(content.get("error"), Mapping) else content
    details = inner.get("details")
    return Refusal(
        status=status,
        code=str(inner.get("code") or ""),
        message=str(inner.get("message") or ""),
        details=tuple(
            str(detail.get("code") or "")
            for detail in (details if isinstance(details, list) else [])
            if isinstance(detail, Mapping)
        ),
        retry_after=retry_after,
        request_id=request_id,
    )


def classify(refusal: Refusal, what: str) -> CloudError:
    """The port's error for a refusal.

    Parameters
    ----------
    refusal
        What ARM said.
    what
        What was asked, of which resource: "create virtual machine x in resource group y".
    """
    kind, reason = _kind_of(refusal)
    return kind(
        _sentence(refusal, what),
        code=refusal.code,
        reason=reason,
        retry_after=refusal.retry_after or _RETRY_AFTER.get(refusal.code),
        request_id=refusal.request_id,
    )


def _kind_of(refusal: Refusal) -> _Kind:
    if refusal.code in ("OperationNotAllowed", "BadRequest", "Conflict", "") and _QUOTA.search(refusal.message):
        return CapacityError, Reason.QUOTA_EXCEEDED
    if refusal.is_throttle:
        return ThrottledError, None
    if _NO_ROOM.search(refusal.message):
        return CapacityError, None
    if refusal.code in _BY_CODE:
        return _BY_CODE[refusal.code]
    return _kind_by_status(refusal.status)


def _kind_by_status(status: int) -> _Kind:
    if status == HTTPStatus.OK:
        return TransientError, Reason.OPERATION_FAILED
    if status in _BY_STATUS:
        return _BY_STATUS[status], None
    is_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return (TransientError if is_server else TerminalError), None


def _sentence(refusal: Refusal, what: str) -> str:
    said = fold(refusal.message) or f"no reason was given, HTTP status {refusal.status}"
    advice = _ADVICE.get(refusal.code)
    return f"Azure did not {what}: {said}" + (f" {advice}" if advice else "")


def fold(text: str) -> str:
    """A text of others as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_LENGTH else f"{line[:_MESSAGE_LENGTH]}..."
