"""The admin API as HTTP: its token, JSON in and out, errors of one sentence.

Called by `benchhost.emulator.server` for all paths below ``/emulator/``. Faults, limits and latency never touch it:
it has to work when nothing else does.
"""

from __future__ import annotations

import hmac
import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from benchhost.emulator.admin.routes import AdminError, AdminRequest, AdminRoutes

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.clock import Clock

LOG = logging.getLogger(__name__)

PREFIX = "/emulator/v1"


class AdminApi:
    """Answers admin requests.

    Parameters
    ----------
    routes
        Who answers what.
    token
        What a request has to bring.
    clock
        What time it is.
    advance
        Lets everything happen that is due; called before each handler.
    """

    def __init__(self, routes: AdminRoutes, token: str, *, clock: Clock, advance: Callable[[float], None]) -> None:
        self._routes = routes
        self._token = token
        self._clock = clock
        self._advance = advance

    async def handle(self, http_request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        content = await http_request.read()
        try:
            return _to_http(HTTPStatus.OK, self._answer(http_request, content))
        except AdminError as error:
            return _to_http(error.status, {"error": error.message}, error.headers)
        except Exception:
            LOG.exception("The emulator failed at %s %s", http_request.method, http_request.path)
            return _to_http(
                HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "The emulator has a fault of its own; its log says more."}
            )

    def _answer(self, http_request: web.BaseRequest, content: bytes) -> dict[str, Any]:
        self._check_token(http_request.headers.get("Authorization", ""))
        handler, names = self._routes.find(http_request.method, _segments(http_request.rel_url.raw_path))
        now = self._clock.now()
        self._advance(now)
        return handler(AdminRequest(names=names, query=dict(http_request.query), body=_parse(content), now=now))

    def _check_token(self, header: str) -> None:
        if hmac.compare_digest(header.encode(), f"Bearer {self._token}".encode()):
            return
        raise AdminError(
            "The admin API needs 'Authorization: Bearer TOKEN' with the token of the emulator's admin.json.",
            HTTPStatus.UNAUTHORIZED,
            {"WWW-Authenticate": "Bearer"},
        )


def _segments(path: str) -> tuple[str, ...]:
    below = path[len(PREFIX) :] if path.startswith(f"{PREFIX}/") else path
    return tuple(unquote(part) for part in below.strip("/").split("/"))


def _parse(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        body = json.loads(content)
    except ValueError as error:
        raise AdminError(f"The request's body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise AdminError("The request's body must be a JSON object.")
    return body


def _to_http(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})
