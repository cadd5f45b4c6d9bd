"""What a fault does to a request or to an operation: one class for each kind, with nothing but its settings."""

from __future__ import annotations

from dataclasses import dataclass

PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Detail:
    """An inner error of a refusal."""

    code: str
    message: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer with an error in ARM's format; the request is not carried out.

    Parameters
    ----------
    status
        HTTP status, 400 or more.
    code, message, target, details
        The error's body.
    headers
        Headers of the answer, for instance Retry-After.
    """

    status: int
    code: str
    message: str
    target: str | None = None
    details: tuple[Detail, ...] | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOperation:
    """Let an operation that was accepted end as Failed when its time has come."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Carry the request out and answer later.

    Parameters
    ----------
    seconds
        Real seconds at any time scale: it is the clients' time limits that this is for.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Carry the request out and cut the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class CutConnection:
    """Cut the connection; the request is not carried out."""


@dataclass(frozen=True, slots=True)
class ProxyAnswer:
    """Answer with a page that no ARM wrote, as a proxy in between does; the request is not carried out."""

    status: int = 502
    content: str = PROXY_PAGE
    content_type: str = "text/html"


RequestEffect = Refuse | Delay | LoseAnswer | CutConnection | ProxyAnswer
Effect = RequestEffect | FailOperation
