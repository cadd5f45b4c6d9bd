"""The one port of the emulator: which part answers a request, and that its answer is saved and logged before it leaves.

Made by `benchhost.emulator.server`. It knows paths, and nothing of what is behind them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from benchhost.emulator.arm.blob_service import PATH_PREFIX
from benchhost.emulator.arm.endpoint_discovery import DISCOVERY_PATH
from benchhost.emulator.state import SavedState, StateFileError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchhost.emulator.access_log import AccessLog
    from benchhost.emulator.admin.api import AdminApi
    from benchhost.emulator.arm.blob_service import BlobService
    from benchhost.emulator.arm.endpoint_discovery import EndpointDiscovery
    from benchhost.emulator.arm.pipeline import ArmPipeline
    from benchhost.emulator.entra.authority import Authority

_log = logging.getLogger(__name__)

_ARM_PATHS = ("/subscriptions", "/tenants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Who answers requests."""

    arm: ArmPipeline
    discovery: EndpointDiscovery
    authority: Authority
    admin: AdminApi
    blobs: BlobService
    follow: Callable[[], Awaitable[None]] | None = None
    """Lets what is outside the emulated cloud follow a change of it; called before each answer leaves."""


class Dispatcher:
    """Sends a request to whoever answers it; they need to know the port before they exist.

    Parameters
    ----------
    log
        Where requests are noted, if anywhere.
    state
        What has to be saved before an answer leaves, if anything is saved.
    """

    def __init__(self, log: AccessLog | None, state: SavedState | None) -> None:
        self._log = log
        self._state = state
        self._parts: Parts | None = None

    def serve(self, parts: Parts) -> None:
        """Say who answers from now on."""
        self._parts = parts

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        arrived = time.time()
        answer = await self._answer(request)
        if self._parts is not None and self._parts.follow is not None:
            await self._parts.follow()
        response = self._save(answer)
        if self._log is not None:
            self._log.write(request, response, arrived=arrived)
        return response

    def _save(self, response: web.StreamResponse) -> web.StreamResponse:
        """Let nobody see an answer that a restart would not know of."""
        try:
            if self._state is not None:
                self._state.save()
        except StateFileError as error:
            _log.error("%s", error)
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        parts = self._parts
        if parts is None:
            return web.Response(status=503)
        if request.path.startswith(PATH_PREFIX):
            return await parts.blobs.handle(request)
        if request.path.lower().startswith(_ARM_PATHS):
            return await parts.arm.handle(request)
        if request.path.lower() == DISCOVERY_PATH:
            return await parts.discovery.handle(request)
        if request.path.startswith("/emulator/"):
            return await parts.admin.handle(request)
        return await parts.authority.handle(request)
