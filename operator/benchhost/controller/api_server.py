"""Requests to the API server as plain JSON, with credentials that are renewed when they have expired.

Called by everything in this package that talks to the API server beside the watch. It knows no kind of object: the
kubernetes package's typed form of the core API alone costs 25 MB of memory.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"

API_SERVER_TROUBLE: Final = (ApiException, aiohttp.ClientError, OSError, TimeoutError)
"""Every way in which a request here can fail."""

_REQUEST_TIMEOUT: Final = 30
"""Seconds for one request; the API server's own limit is 60 (kube-apiserver --request-timeout)."""
_PAGE: Final = 500
"""Objects in one page of a list, as kubectl and client-go ask for."""


class ApiServer:
    """The API server as a client with a token or a certificate sees it.

    Every method raises one of ``API_SERVER_TROUBLE`` when it gets no answer, or none that is a success.

    Parameters
    ----------
    client
        A connected client.
    renew
        Reads the credentials anew into the client's configuration, when the API server does not accept them any more.
    """

    def __init__(self, client: ApiClient, renew: Callable[[], Awaitable[None]] | None = None) -> None:
        self._client = client
        self._renew = renew

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """One object, or one page of a list."""
        return await self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    async def list_all(self, path: str, *, page: int = _PAGE) -> list[dict[str, Any]]:
        """Every object of a list, from all pages (of ``page`` objects each) of one consistent state."""
        found: list[dict[str, Any]] = []
        query = {"limit": str(page)}
        while True:
            part = await self.get(path, **query)
            found += part.get("items") or []
            token = part["metadata"].get("continue")
            if not token:
                return found
            query["continue"] = token

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object."""
        return await self._ask("POST", path, body)

    async def patch(
        self, path: str, body: Mapping[str, Any] | list[dict[str, Any]], *, content_type: str
    ) -> dict[str, Any]:
        """Change an object by ``JSON_PATCH`` or ``MERGE_PATCH``."""
        return await self._ask("PATCH", path, body, content_type=content_type)

    async def delete(self, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Delete an object; the answer is the object while finalizers hold it, else a Status."""
        return await self._ask("DELETE", path, options)

    async def _ask(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Send a request; once more with renewed credentials when those in use have expired."""
        try:
            return await self._send(method, path, body, content_type=content_type)
        except ApiException as error:
            if error.status != HTTPStatus.UNAUTHORIZED or self._renew is None:
                raise
            await self._renew()
            return await self._send(method, path, body, content_type=content_type)

    async def _send(self, method: str, path: str, body: Any, *, content_type: str) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = await self._client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        response: Any = await self._client.call_api(*request, _request_timeout=_REQUEST_TIMEOUT)
        await response.read()
        answer: Any = self._client.response_deserialize(response, {"2XX": "object"}).data
        return dict(answer)


def object_path(api: str, namespace: str, plural: str, name: str | None = None) -> str:
    """The path of an object, or of all objects of its kind in its namespace; ``api`` as in ``apis/apps/v1``."""
    kind = f"/{api}/namespaces/{quote(namespace, safe='')}/{plural}"
    return kind if name is None else f"{kind}/{quote(name, safe='')}"


def one_line(error: BaseException) -> str:
    """What went wrong with a request, without the API server's body and headers."""
    if isinstance(error, ApiException):
        return f"HTTP {error.status} {error.reason}"
    return " ".join(str(error).split()) or type(error).__name__
