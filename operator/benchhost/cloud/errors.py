"""What a cloud can answer instead of yes. Classified once, at the edge, by the provider that met the error.

CloudError
├── TerminalError       the spec has to change
├── AdminError          somebody with rights has to change something: credentials, roles, policy
│   └── CredentialsError    the cloud does not accept who we are, or there is nothing to show it
├── CapacityError       no room for this size now, or no quota for it
├── ThrottledError      asked too often
└── TransientError      passes by itself

DeferredError           not asked yet: the caller's turn has not come. No failure, and no CloudError.
"""

from datetime import timedelta
from typing import ClassVar

from benchhost.api.conditions import Reason
from benchhost.api.status import FailureClass


class CloudError(Exception):
    """A refusal of the cloud.

    Parameters
    ----------
    message
        One sentence for people: what was refused, of which resource. Must hold no secret.
    code
        The cloud's own code, for example ``SkuNotAvailable``.
    reason
        The condition reason that it becomes.
    retry_after
        The least time before the same call may succeed, where the cloud says so or is known to need it.
    request_id
        The cloud's id of the refused request.
    """

    failure_class: ClassVar[FailureClass] = FailureClass.TRANSIENT
    default_reason: ClassVar[Reason] = Reason.CLOUD_ERROR

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: Reason | None = None,
        retry_after: timedelta | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason or self.default_reason
        self.retry_after = retry_after
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.message} ({self.code})" if self.code else self.message


class TerminalError(CloudError):
    """The same request will never succeed; the spec has to change."""

    failure_class = FailureClass.TERMINAL
    default_reason = Reason.INVALID_SPEC


class AdminError(CloudError):
    """Somebody with rights has to change something outside the object."""

    failure_class = FailureClass.ADMIN
    default_reason = Reason.AUTHORIZATION_FAILED


class CredentialsError(AdminError):
    """The cloud does not accept the credentials, or there are none."""

    default_reason = Reason.CREDENTIALS_REJECTED


class CapacityError(CloudError):
    """No hardware or no quota for this size now."""

    failure_class = FailureClass.CAPACITY
    default_reason = Reason.CAPACITY_UNAVAILABLE


class ThrottledError(CloudError):
    """The cloud was asked too often."""

    failure_class = FailureClass.THROTTLED
    default_reason = Reason.THROTTLED


class TransientError(CloudError):
    """Passes by itself: a busy resource, a server error, a lost connection."""


class DeferredError(Exception):
    """Nothing was asked of the cloud, because what may be asked of it a second is used up; the turn comes later.

    Parameters
    ----------
    retry_after
        When the turn comes. Whoever comes back then is served.
    budget
        What is used up, in words: "write requests to subscription x".
    """

    def __init__(self, retry_after: timedelta, budget: str) -> None:
        super().__init__(f"waits {retry_after.total_seconds():.1f} s for {budget}")
        self.retry_after = retry_after
        self.budget = budget
