"""The authority's endpoints: tokens for applications that prove themselves, and documents that are looked up first.

Called by `benchhost.emulator.server` for every path that is not ARM's. Error bodies are those of Entra ID, with its
AADSTS numbers, because clients show them to people.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from benchhost.emulator.cloud.latency import AnswerKind
from benchhost.emulator.entra import refusals
from benchhost.emulator.entra.assertions import ASSERTION_TYPE, check_assertion
from benchhost.emulator.entra.refusals import TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.clock import Clock
    from benchhost.emulator.cloud.latency import LatencyModel
    from benchhost.emulator.entra.directory import Application, Directory
    from benchhost.emulator.entra.tokens import TokenAuthority

_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


class Authority:
    """Answers what a client asks of Entra ID.

    Parameters
    ----------
    tokens
        Issues tokens.
    directory
        Who may have one.
    latency, clock
        How long it takes, what time it is.
    """

    def __init__(
        self,
        tokens: TokenAuthority,
        directory: Directory,
        *,
        latency: LatencyModel,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._directory = directory
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
            application = self._authenticate(tenant, form, request)
        except TokenRefusedError as refusal:
            return _refused(request, refusal)
        lifetime = int(self._tokens.lifetime_seconds)
        token = self._tokens.issue(application.client_id, application.object_id, self._clock.now())
        answer = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }
        return web.json_response(answer, headers=_NO_STORE)

    def _authenticate(self, tenant: str, form: Mapping[str, str], request: web.BaseRequest) -> Application:
        self._check_tenant(tenant)
        grant = _required(form, "grant_type")
        if grant != "client_credentials":
            raise refusals.grant_not_supported(grant)
        basic_id, basic_secret = _basic_credentials(request.headers.get("Authorization", ""))
        client_id = basic_id or _required(form, "client_id")
        application = self._directory.find_application(client_id)
        if application is None:
            raise refusals.application_not_found(client_id, self._tokens.tenant_id)
        secret = basic_secret or form.get("client_secret")
        if secret is None and "client_assertion" in form:
            self._check_assertion(application, form, tenant=tenant, host=request.host)
        else:
            _check_secret(application, secret)
        self._check_scope(_required(form, "scope"))
        return application

    def _check_tenant(self, tenant: str) -> None:
        if tenant.lower() != self._tokens.tenant_id.lower():
            raise refusals.tenant_not_found(tenant)

    def _check_assertion(self, application: Application, form: Mapping[str, str], *, tenant: str, host: str) -> None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise refusals.parameter_missing("client_assertion_type")
        base = f"https://{host}/{tenant}"
        check_assertion(
            application,
            form["client_assertion"],
            audiences=frozenset({f"{base}/oauth2/v2.0/token", f"{base}/v2.0"}),
            now=self._clock.now(),
        )

    def _check_scope(self, scope: str) -> None:
        wanted = [item for item in scope.split() if item not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise refusals.scope_not_valid(scope)
        resource = wanted[0].removesuffix("/.default").rstrip("/")
        if resource != self._tokens.audience.rstrip("/"):
            raise refusals.resource_not_found(resource, self._tokens.tenant_id)

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
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
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
        raise refusals.parameter_missing(name)
    return value


def _check_secret(application: Application, secret: str | None) -> None:
    if secret is None:
        raise refusals.nothing_to_prove_it()
    given = secret.encode()
    if not any(hmac.compare_digest(given, known.encode()) for known in application.secrets):
        raise refusals.wrong_secret(application.client_id)


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
