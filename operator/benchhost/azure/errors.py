"""From ARM's refusals to the port's errors: by what they say, and by HTTP status where they say nothing known.

Called wherever an answer of ARM is read. Pure. What each code and text means is in ``refusals``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from benchhost.api.conditions import Reason
from benchhost.azure.refusals import QUOTA, Verdict, find_verdict
from benchhost.cloud.errors import (
    AdminError,
    CloudError,
    CredentialsError,
    TerminalError,
    ThrottledError,
    TransientError,
)

_MESSAGE_LENGTH: Final = 1000
"""Characters of the cloud's own message that are kept; quota messages have up to about 800."""
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

_QUOTA: Final = re.compile(r"exceed\w*\b.{0,80}\bquota|quota\b.{0,80}\bexceed", re.IGNORECASE | re.DOTALL)
_TOO_OFTEN: Final = frozenset({"TooManyRequests", "RetryableErrorDueToTooManyCalls"})
"""Compute's (``troubleshooting-throttling-errors.md``) and Network's (AKS's article on 429 errors) inner codes."""
_QUOTA_CODES: Final = frozenset({"OperationNotAllowed", "BadRequest", "Conflict", ""})
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
    verdict = _verdict(refusal)
    reason = verdict.reason
    if reason is None and refusal.status == HTTPStatus.OK and verdict.error is TransientError:
        reason = Reason.OPERATION_FAILED
    return verdict.error(
        _sentence(refusal, what, verdict.advice),
        code=refusal.code,
        reason=reason,
        retry_after=verdict.retry_after if refusal.retry_after is None else refusal.retry_after,
        request_id=refusal.request_id,
    )


def _verdict(refusal: Refusal) -> Verdict:
    if refusal.code in _QUOTA_CODES and _QUOTA.search(refusal.message):
        return QUOTA
    if refusal.is_throttle:
        return Verdict(ThrottledError)
    return find_verdict(refusal.code, refusal.message) or Verdict(_by_status(refusal.status))


def _by_status(status: int) -> type[CloudError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return TransientError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else TerminalError


def _sentence(refusal: Refusal, what: str, advice: str) -> str:
    said = fold(refusal.message) or f"no reason was given (HTTP status {refusal.status})."
    return f"Azure did not {what}: {said}" + (f" {advice}" if advice else "")


def fold(text: str) -> str:
    """A text of others as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_LENGTH else f"{line[:_MESSAGE_LENGTH]}..."
