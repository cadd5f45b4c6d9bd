"""Tokens of managed identities, over plain HTTP to whoever can reach the port: a machine's metadata service.

Called by `benchhost.emulator.server`. Two forms: the instance metadata service of a virtual machine ("How to use
managed identities on an Azure VM to acquire an access token"), and the endpoint of App Service, which wants a secret
header ("How to use managed identities for App Service"). Wording of refusals: the same documents; the one for several
identities was quoted in docker-tools issue 1286.
"""

from __future__ import annotations

import hmac
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.clock import Clock
    from benchhost.emulator.entra.directory import Directory, ManagedIdentity
    from benchhost.emulator.entra.tokens import TokenAuthority


class MetadataPath(StrEnum):
    """What is served."""

    TOKEN = "/metadata/identity/oauth2/token"  # noqa: S105 - a path, no secret
    INSTANCE = "/metadata/instance"
    APP_SERVICE = "/msi/token"


TOKEN_VERSIONS = ("2018-02-01", "2019-08-01", "2021-02-01")
"""Known versions of the token endpoint; clients send the first. Azure may serve more."""


class MetadataRefusedError(Exception):
    """A request that the service refuses.

    Parameters
    ----------
    status
        HTTP status.
    error, description
        The two fields of the body.
    """

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class MetadataService:
    """Answers what programs on a machine ask about it.

    Parameters
    ----------
    tokens
        Issues tokens.
    directory
        Has the machine's identities.
    clock
        What time it is.
    header_secret
        What App Service's form of request has to carry.
    instance
        What ``/metadata/instance`` shows.
    """

    def __init__(
        self,
        tokens: TokenAuthority,
        directory: Directory,
        *,
        clock: Clock,
        header_secret: str,
        instance: Mapping[str, Any],
    ) -> None:
        self._tokens = tokens
        self._directory = directory
        self._clock = clock
        self._header_secret = header_secret
        self._instance = instance

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            return web.json_response(self._answer(request))
        except MetadataRefusedError as refusal:
            return web.json_response(refusal.body, status=refusal.status)

    def _answer(self, request: web.BaseRequest) -> Mapping[str, Any]:
        if request.method != "GET":
            raise MetadataRefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", "Only GET is served.")
        match request.path.rstrip("/"):
            case MetadataPath.TOKEN:
                _require_metadata_header(request)
                _require_version(request)
                return self._token(request.query, resource_id_name="msi_res_id", has_expires_in=True)
            case MetadataPath.APP_SERVICE:
                self._require_secret_header(request)
                return self._token(request.query, resource_id_name="mi_res_id", has_expires_in=False)
            case MetadataPath.INSTANCE:
                _require_metadata_header(request)
                if not request.query.get("api-version"):
                    raise _bad_request("Bad request. api-version is invalid or was not specified in the request.")
                return self._instance
            case _:
                raise MetadataRefusedError(HTTPStatus.NOT_FOUND, "Not Found", f"Nothing is served at {request.path}.")

    def _token(self, query: Mapping[str, str], *, resource_id_name: str, has_expires_in: bool) -> dict[str, str]:
        resource = query.get("resource")
        if not resource:
            raise _bad_request("Required query variable 'resource' is missing")
        if resource.rstrip("/") != self._tokens.audience.rstrip("/"):
            raise MetadataRefusedError(
                HTTPStatus.BAD_REQUEST,
                "invalid_resource",
                f"AADSTS500011: The resource principal named {resource} was not found in the tenant named "
                f"{self._tokens.tenant_id}.",
            )
        identity = self._identity(query, resource_id_name)
        now = self._clock.now()
        lifetime = int(self._tokens.lifetime_seconds)
        answer = {
            "access_token": self._tokens.issue(identity.client_id, identity.object_id, now),
            "client_id": identity.client_id,
            "expires_on": str(int(now) + lifetime),
            "resource": resource,
            "token_type": "Bearer",
        }
        if has_expires_in:
            answer |= {"expires_in": str(lifetime), "ext_expires_in": str(lifetime), "not_before": str(int(now))}
        return answer

    def _identity(self, query: Mapping[str, str], resource_id_name: str) -> ManagedIdentity:
        """Return the identity that is asked for; without a name the machine's own, or else its only one."""
        identities = self._directory.managed_identities
        names = (("client_id", "client_id"), ("object_id", "object_id"), (resource_id_name, "resource_id"))
        for parameter, attribute in names:
            wanted = query.get(parameter)
            if wanted is None:
                continue
            for identity in identities:
                if str(getattr(identity, attribute)).lower() == wanted.lower():
                    return identity
            raise _bad_request("Identity not found")
        own = next((identity for identity in identities if identity.resource_id is None), None)
        if own is not None:
            return own
        if not identities:
            raise _bad_request("Identity not found")
        if len(identities) > 1:
            raise _bad_request(
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in "
                "the token request"
            )
        return identities[0]

    def _require_secret_header(self, request: web.BaseRequest) -> None:
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), self._header_secret.encode()):
            raise MetadataRefusedError(
                HTTPStatus.UNAUTHORIZED, "unauthorized", "The header X-IDENTITY-HEADER is missing or wrong."
            )


def _require_metadata_header(request: web.BaseRequest) -> None:
    """Refuse what a browser or a proxy could have been made to send."""
    if request.headers.get("Metadata", "").lower() != "true":
        raise _bad_request("Required metadata header not specified")
    if "X-Forwarded-For" in request.headers:
        raise _bad_request("Requests with the header X-Forwarded-For are not served")


def _require_version(request: web.BaseRequest) -> None:
    if request.query.get("api-version") not in TOKEN_VERSIONS:
        raise _bad_request("Required query variable 'api-version' is missing or has no known value")


def _bad_request(description: str) -> MetadataRefusedError:
    return MetadataRefusedError(HTTPStatus.BAD_REQUEST, "invalid_request", description)
