"""Which admin request does what: services add their routes here, and know nothing of HTTP.

A service has a method ``register(routes)`` that calls `AdminRoutes.add`; `benchhost.emulator.admin.services` calls
it. Handlers get a parsed request and return a JSON object; they refuse with `AdminError`, whose message is one
sentence for a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(slots=True)
class AdminError(Exception):
    """A request that is refused.

    Parameters
    ----------
    message
        One sentence: what is wrong, and what to do.
    status
        HTTP status.
    headers
        Headers that the answer carries.
    """

    message: str
    status: int = HTTPStatus.BAD_REQUEST
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the sentence."""
        return self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRequest:
    """One request, authenticated and parsed.

    Parameters
    ----------
    names
        What stood where the route has ``{placeholders}``.
    query
        Parameters of the query.
    body
        The JSON object that came, empty where none did; read it with `benchhost.emulator.admin.fields.Fields`.
    now
        Seconds since 1970. The subscription has been advanced to it.
    """

    names: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]
    now: float


class AdminService(Protocol):
    """A part of the emulator that can be administered."""

    def register(self, routes: AdminRoutes) -> None:
        """Add its routes."""


class AdminRoutes:
    """The admin API's routes."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, tuple[str, ...], AdminHandler]] = []

    def add(self, method: str, path: str, handler: AdminHandler) -> None:
        """Let ``handler`` answer ``method`` on a path below ``/emulator/v1/``, such as ``capacity/{region}``.

        Raises
        ------
        ValueError
            When the route has a handler already.
        """
        segments = tuple(path.strip("/").split("/"))
        if any((known, _shape(pattern)) == (method, _shape(segments)) for known, pattern, _ in self._routes):
            raise ValueError(f"{method} {path} has a handler already.")
        self._routes.append((method, segments, handler))

    def find(self, method: str, segments: tuple[str, ...]) -> tuple[AdminHandler, dict[str, str]]:
        """Return who answers a request, and the names in its path.

        Raises
        ------
        AdminError
            404 for a path that nobody answers, 405 for another method.
        """
        methods: list[str] = []
        for known, pattern, handler in self._routes:
            names = _match(pattern, segments)
            if names is None:
                continue
            if known == method:
                return handler, names
            methods.append(known)
        path = "/".join(segments)
        if methods:
            allowed = ", ".join(sorted(methods))
            raise AdminError(
                f"{method} is not possible on '{path}'; use {allowed}.",
                HTTPStatus.METHOD_NOT_ALLOWED,
                {"Allow": allowed},
            )
        parts = ", ".join(sorted({pattern[0] for _, pattern, _ in self._routes}))
        raise AdminError(f"There is no '{path}' in the admin API; its parts are {parts}.", HTTPStatus.NOT_FOUND)


def _shape(pattern: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in pattern)


def _match(pattern: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    names: dict[str, str] = {}
    for part, segment in zip(pattern, segments, strict=True):
        if part.startswith("{"):
            names[part.strip("{}")] = segment
        elif part != segment:
            return None
    return names


if TYPE_CHECKING:
    AdminHandler = Callable[[AdminRequest], dict[str, Any]]
