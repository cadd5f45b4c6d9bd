"""A request to and an answer from Azure Resource Manager, and how a path is taken apart.

These are plain values: handlers work on them, and only `pipeline` knows the HTTP server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from benchhost.emulator.cloud.identifiers import ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.operations import Operation

_SLASHES = re.compile("/+")


@dataclass(frozen=True, slots=True)
class ArmPath:
    """A path, split into what it means and the names in it.

    Parameters
    ----------
    shape
        The path in lower case with ``*`` for each name, for instance
        ``subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*``.
    names
        What stood where the stars are.
    segments
        The path as it came.
    provider
        The resource provider's namespace as the client wrote it, of an extension the extension's; None where there is
        none.
    types
        The resource types after the namespace, as the client wrote them.
    """

    shape: str
    names: tuple[str, ...]
    segments: tuple[str, ...]
    provider: str | None = None
    types: tuple[str, ...] = ()


def parse_path(path: str) -> ArmPath:
    """Take a path apart: names and keywords take turns, and a namespace follows ``providers``."""
    segments = tuple(unquote(part) for part in _SLASHES.split(path.strip("/")))
    shape: list[str] = []
    names: list[str] = []
    provider_at = None
    is_name = is_namespace = False
    for position, segment in enumerate(segments):
        if is_name:
            shape.append("*")
            names.append(segment)
            is_name = False
            continue
        shape.append(segment.lower())
        was_providers = not is_namespace and shape[-1] == "providers"
        if is_namespace:
            provider_at = position
        is_name = not is_namespace and not was_providers
        is_namespace = was_providers
    path = "/".join(shape)
    if provider_at is None:
        return ArmPath(path, tuple(names), segments)
    return ArmPath(path, tuple(names), segments, segments[provider_at], segments[provider_at + 1 :: 2])


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRequest:
    """One request, authenticated and parsed.

    Parameters
    ----------
    method, path
        What is asked for.
    query
        Parameters by their names in lower case.
    headers
        The request's headers, case-insensitive.
    body
        The JSON object that came, empty where none did.
    api_version
        ``api-version``.
    now
        Seconds since 1970.
    principal
        Object or client id of who asks.
    base_url
        Scheme, host and port that the client used; polling URLs begin with it.
    target
        Path and query as they came.
    """

    method: str
    path: ArmPath
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    api_version: str
    now: float
    principal: str
    base_url: str
    target: str

    @property
    def name(self) -> str:
        """The last name in the path."""
        return self.path.names[-1]

    def resource_id(self, namespace: str, *types: str, group: str | None = None) -> ResourceId:
        """Return the id that the path names, in the spelling of ARM's own documents."""
        names = self.path.names
        return ResourceId(names[0], group or names[1], namespace, types, names[2 : 2 + len(types)])


@dataclass(slots=True, kw_only=True)
class ArmResponse:
    """One answer.

    Parameters
    ----------
    status
        HTTP status.
    body
        What becomes JSON; None for no body.
    headers
        Headers of this answer; `pipeline` adds those that every answer has.
    operation
        The operation that the request began.
    page
        Text and its content type, instead of JSON; only faults answer so.
    delay
        Real seconds to wait before answering; only faults do.
    is_cut
        Whether the connection is cut instead of answering; only faults do.
    """

    status: int = HTTPStatus.OK
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    operation: Operation | None = None
    page: tuple[str, str] | None = None
    delay: float = 0.0
    is_cut: bool = False


if TYPE_CHECKING:
    Handler = Callable[[ArmRequest], ArmResponse]
    Routes = dict[tuple[str, str], Handler]
