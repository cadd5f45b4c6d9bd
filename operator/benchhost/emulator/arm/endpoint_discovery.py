"""The document in which a cloud says where its services are: what tools that are given one address only look up first.

Called by `benchhost.emulator.dispatcher`; asked without a token. ``az cloud register``, Terraform (``metadata_host``)
and ``Add-AzEnvironment -ARMEndpoint`` read it. There is no schema in Azure's documentation; the fields are those that
azure-cli 2.91 (``azure/cli/core/cloud.py``) and msrestazure read. Services that are not emulated have no address.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from benchhost.emulator.settings import EmulatorConnection

DISCOVERY_PATH = "/metadata/endpoints"
CLOUD_NAME = "AzureEmulator"

ONE_CLOUD_SINCE = "2022-09-01"
"""Since this version the answer is the cloud that was asked; before it, a list of clouds."""

FLAT_VERSION = "2015-01-01"
"""The version of Azure Stack, which has names of its own."""


class EndpointDiscovery:
    """Tells where everything is.

    Parameters
    ----------
    connection
        What is told.
    """

    def __init__(self, connection: EmulatorConnection) -> None:
        self._connection = connection

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.method != "GET":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
        version = request.query.get("api-version")
        if not version:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            body = {"error": {"code": "MissingApiVersionParameter", "message": message}}
            return web.json_response(body, status=HTTPStatus.BAD_REQUEST)
        if version == FLAT_VERSION:
            return web.json_response(self._flat())
        return web.json_response(self._cloud() if version >= ONE_CLOUD_SINCE else [self._cloud()])

    def _cloud(self) -> dict[str, Any]:
        return {
            "name": CLOUD_NAME,
            "resourceManager": self._connection.endpoint,
            "authentication": {**self._authentication(), "identityProvider": "AAD", "tenant": "common"},
            "suffixes": {},
        }

    def _flat(self) -> dict[str, Any]:
        absent = dict.fromkeys(("galleryEndpoint", "graphEndpoint", "portalEndpoint"), "")
        return {**absent, "authentication": self._authentication()}

    def _authentication(self) -> dict[str, Any]:
        return {"loginEndpoint": self._connection.authority, "audiences": [self._connection.audience]}
