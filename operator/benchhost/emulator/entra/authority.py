"""The authority's endpoints: tokens for client credentials, and the documents that clients look up first.

Called by `benchhost.emulator.server` for every path that is not ARM's. Error bodies are those of Entra ID, with its
AADSTS numbers, because clients show them to people.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from benchhost.emulator.cloud.latency import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.clock import Clock
    from benchhost.emulator.cloud.latency import LatencyModel
    from benchhost.emulator.entra.tokens import TokenAuthority

_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Who may have a token.

    Parameters
    ----------
    client_id, client_secret
        An application's.
    """

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Return it without the secret."""
        return f"ClientCredentials(client_id={self.client_id!r})"


@dataclass(slots=True)
class TokenRefusedError(Exception):
    """A token request that Entra refuses.

    Parameters
    ----------
    error
        OAuth 2.0 error code.
    number
        AADSTS number.
    message
        What follows the number.
    status
        HTTP status.
    """

    error: str
    number: int
    message: str
    status: int = HTTPStatus.BAD_REQUEST


class Authority:
    """Answers what a client asks of Entra ID.

    Parameters
    ----------
    tokens
        Issues tokens.
    credentials
        The one application of the directory.
    latency, clock
        How long it takes, what time it is.
    """

    def __init__(
        self,
        tokens: TokenAuthority,
        credentials: ClientCredentials,
        *,
        latency: LatencyModel,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._latency = latency
        self._clock = clock

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", [tenant, "oauth2", "v2.0", "token"]:
                return await self._token(request, tenant)
            case "GET", [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return self._configuration(request, tenant)
            case "GET", [_, "discovery", "v2.0", "keys"]:
                return web.json_response(self._tokens.public_keys())
            case "GET", [_, "discovery", "instance"]:
                return self._instance(request)
            case _:
                return _nothing_here(request)

    async def _token(self, request: web.BaseRequest, tenant: str) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        seconds = self._latency.answer(AnswerKind.TOKEN)
        if seconds > 0:
            await asyncio.sleep(seconds)
        try:
            client_id = self._authenticate(tenant, form, request.headers)
        except TokenRefusedError as refusal:
            return _refused(request, refusal)
        lifetime = int(self._tokens.lifetime_seconds)
        token = self._tokens.issue(client_id, self._clock.now())
        answer = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }
        return web.json_response(answer, headers=_NO_STORE)

    def _authenticate(self, tenant: str, form: Mapping[str, str], headers: Mapping[str, str]) -> str:
        self._check_tenant(tenant)
        grant = _required(form, "grant_type")
        if grant != "client_credentials":
            raise TokenRefusedError(
                "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
            )
        basic_id, basic_secret = _basic_credentials(headers.get("Authorization", ""))
        client_id = basic_id or _required(form, "client_id")
        secret = basic_secret or form.get("client_secret")
        self._check_client(client_id, secret)
        self._check_scope(_required(form, "scope"))
        return client_id

    def _check_tenant(self, tenant: str) -> None:
        if tenant.lower() != self._tokens.tenant_id.lower():
            raise TokenRefusedError(
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
                "into the correct cloud. Check with your subscription administrator, this may happen if there are "
                "no active subscriptions for the tenant.",
            )

    def _check_client(self, client_id: str, secret: str | None) -> None:
        if client_id.lower() != self._credentials.client_id.lower():
            raise TokenRefusedError(
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{self._tokens.tenant_id}'. This can happen if the application has not been installed by the "
                "administrator of the tenant or consented to by any user in the tenant. You may have sent your "
                "authentication request to the wrong tenant.",
            )
        if secret is None:
            raise TokenRefusedError(
                "invalid_client",
                7000216,
                "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
                HTTPStatus.UNAUTHORIZED,
            )
        if not hmac.compare_digest(secret.encode(), self._credentials.client_secret.encode()):
            raise TokenRefusedError(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client_id}'.",
                HTTPStatus.UNAUTHORIZED,
            )

    def _check_scope(self, scope: str) -> None:
        wanted = [item for item in scope.split() if item not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise TokenRefusedError(
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
                "value with /.default suffixed to the resource identifier (application ID URI).",
            )
        resource = wanted[0].removesuffix("/.default").rstrip("/")
        if resource != self._tokens.audience.rstrip("/"):
            raise TokenRefusedError(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named "
                f"{self._tokens.tenant_id}. This can happen if the application has not been installed by the "
                "administrator of the tenant or consented to by any user in the tenant.",
            )

    def _configuration(self, request: web.BaseRequest, tenant: str) -> web.Response:
        try:
            self._check_tenant(tenant)
        except TokenRefusedError as refusal:
            return _refused(request, refusal)
        base = f"https://{request.host}/{tenant}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "issuer": f"{base}/v2.0",
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "grant_types_supported": ["client_credentials"],
            }
        )

    def _instance(self, request: web.BaseRequest) -> web.Response:
        host = request.host
        configuration = f"https://{host}/{self._tokens.tenant_id}/v2.0/.well-known/openid-configuration"
        alias = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        return web.json_response(
            {"tenant_discovery_endpoint": configuration, "api-version": "1.1", "metadata": [alias]}
        )


def _nothing_here(request: web.BaseRequest) -> web.Response:
    return web.json_response(
        {"error": {"code": "NotFound", "message": f"Nothing is served at {request.path}."}},
        status=HTTPStatus.NOT_FOUND,
    )


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise TokenRefusedError(
            "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
        )
    return value


def _basic_credentials(header: str) -> tuple[str | None, str | None]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return unquote(client_id), unquote(secret)


def _refused(request: web.BaseRequest, refusal: TokenRefusedError) -> web.Response:
    trace, correlation = str(uuid.uuid4()), request.headers.get("client-request-id") or str(uuid.uuid4())
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    description = (
        f"AADSTS{refusal.number}: {refusal.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    )
    body: dict[str, Any] = {
        "error": refusal.error,
        "error_description": description,
        "error_codes": [refusal.number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{request.host}/error?code={refusal.number}",
    }
    return web.json_response(body, status=refusal.status, headers=_NO_STORE)
