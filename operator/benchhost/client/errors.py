"""What a call to the API server can end with instead of an answer. Mapped once, in ``transport``.

Raised to every caller of ``benchhost.client``; nothing here knows of HTTP libraries.

    ClientError
    ├── ConfigurationError     kubeconfig, context or namespace cannot be used
    ├── UnreachableError       nobody answers, or not in time
    ├── UntrustedServerError   somebody answers whose certificate is not trusted
    ├── UnavailableError       the API server asks to come back later (429, 5xx)
    ├── UnauthorizedError      it does not accept the credentials (401)
    ├── RefusedError           it does not accept the request (400, 403, 422)
    │   └── ForbiddenError         no right to do this (403)
    ├── NotFoundError          no such object (404)
    │   └── NamespaceMissingError  no such namespace (404)
    ├── CrdMissingError        the cluster does not know BenchHosts
    ├── ConflictError          it exists already, or has changed meanwhile (409)
    ├── ExpiredError           the resourceVersion is too old (410); ``watch`` lists again
    ├── UnreadableError        the answer is not what this version of the client understands
    └── WaitTimeoutError       the time limit passed
"""

from benchhost.api import BenchHost


class ClientError(Exception):
    """One sentence for people: what happened, where, and what to do about it."""

    is_transient = False
    """Whether the same call may succeed later without anybody's help."""

    retry_after_seconds: float | None = None
    """The least time before the next attempt, where the server says so (header Retry-After)."""


class ConfigurationError(ClientError):
    """The kubeconfig, the context or the namespace cannot be used."""


class UnreachableError(ClientError):
    """The API server does not answer, or not in time."""

    is_transient = True


class UntrustedServerError(ClientError):
    """The certificate of the API server is not one that the kubeconfig trusts."""


class UnavailableError(ClientError):
    """The API server is overloaded or starting (429, 5xx).

    Parameters
    ----------
    message
        One sentence.
    retry_after_seconds
        What the header Retry-After said, if it was there.
    """

    is_transient = True

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnauthorizedError(ClientError):
    """The API server does not accept the credentials; most often the token has expired."""


class RefusedError(ClientError):
    """The API server does not accept the request; the message names the field."""


class ForbiddenError(RefusedError):
    """The user or ServiceAccount has no right to do this."""


class NotFoundError(ClientError):
    """There is no such object, or no such namespace."""


class NamespaceMissingError(NotFoundError):
    """There is no such namespace; trying again does not help."""


class CrdMissingError(ClientError):
    """The cluster does not know the resource BenchHost."""


class ConflictError(ClientError):
    """The object exists already, has changed meanwhile, or has another uid."""


class ExpiredError(ClientError):
    """The resourceVersion to watch from is no longer kept by the API server."""


class UnreadableError(ClientError):
    """The API server's answer does not fit this version of the client."""


class WaitTimeoutError(ClientError):
    """The time limit passed before the condition held.

    Parameters
    ----------
    message
        One sentence.
    last
        The object as it was seen last, or None.
    """

    def __init__(self, message: str, *, last: BenchHost | None = None) -> None:
        super().__init__(message)
        self.last = last
