"""What happens to every ARM request: who asks, what for, and which headers the answer carries.

Called by `benchhost.emulator.dispatcher` for all paths below ``/subscriptions``. The only part of `arm` that knows the
HTTP server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from benchhost.emulator.arm.api_versions import check_api_version
from benchhost.emulator.arm.authorization import Authorization
from benchhost.emulator.arm.body_types import check_types
from benchhost.emulator.arm.deployment_routes import has_template
from benchhost.emulator.arm.deployment_writer import DeploymentWriter
from benchhost.emulator.arm.error_bodies import error_response
from benchhost.emulator.arm.lock_routes import require_unlocked
from benchhost.emulator.arm.messages import ArmPath, ArmRequest, ArmResponse, parse_path
from benchhost.emulator.arm.polling import Polling, RetryHints
from benchhost.emulator.arm.routes import arm_routes
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.latency import AnswerKind, LatencyModel
from benchhost.emulator.cloud.operations import OperationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.arm.injection import Injection
    from benchhost.emulator.arm.polling import PollingSecrets
    from benchhost.emulator.arm.rate_limits import RateLimits
    from benchhost.emulator.arm.signed_blobs import BlobSignatures
    from benchhost.emulator.clock import Clock
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.subscription import Subscription
    from benchhost.emulator.entra.directory import Directory
    from benchhost.emulator.entra.tokens import TokenAuthority

LOG = logging.getLogger(__name__)

_FIXED_HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


class ArmPipeline:
    """Answers ARM requests.

    Parameters
    ----------
    subscription
        What is asked about.
    tokens, directory
        Who asks, and what they may do.
    polling_secrets
        What polling URLs are signed with.
    limits
        How often.
    injection
        Lets faults happen.
    latency
        How long answers take.
    clock
        What time it is.
    signatures
        Signs addresses of blobs.
    """

    def __init__(
        self,
        subscription: Subscription,
        tokens: TokenAuthority,
        *,
        directory: Directory,
        limits: RateLimits,
        injection: Injection,
        polling_secrets: PollingSecrets,
        latency: LatencyModel,
        clock: Clock,
        signatures: BlobSignatures,
    ) -> None:
        self._subscription = subscription
        self._tokens = tokens
        self._authorization = Authorization(directory)
        self._latency = latency
        self._clock = clock
        self._limits = limits
        self._injection = injection
        polling = Polling(subscription.operations, RetryHints(latency.factor), polling_secrets)
        self._routes = arm_routes(subscription, polling, signatures)
        subscription.deployments.write_with(DeploymentWriter(subscription, self._routes, limits, latency))

    async def handle(self, http_request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        is_read = http_request.method in ("GET", "HEAD")
        content = b"" if is_read else await http_request.read()
        if is_read:
            await self._wait(AnswerKind.READ)
        answer = self._answer(http_request, content)
        if not is_read:
            await self._wait(_kind_of(answer))
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return _cut(http_request) if answer.is_cut else _to_http(http_request, answer)

    def _answer(self, http_request: web.BaseRequest, content: bytes) -> ArmResponse:
        try:
            return self._dispatch(http_request, content)
        except ArmError as error:
            return error_response(error)
        except Exception:
            LOG.exception("The emulator failed at %s %s", http_request.method, http_request.path)
            return error_response(
                ArmError(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "InternalServerError",
                    "Encountered internal server error. The emulator's log says more.",
                )
            )

    def _dispatch(self, http_request: web.BaseRequest, content: bytes) -> ArmResponse:
        now = self._clock.now()
        token = self._tokens.check(http_request.headers.get("Authorization"), now)
        path = parse_path(http_request.rel_url.raw_path)
        query = {key.lower(): value for key, value in http_request.query.items()}
        version = check_api_version(
            path,
            query.get("api-version"),
            method=http_request.method,
            locations=self._subscription.context.locations,
        )
        self._check_subscription(path)
        self._authorization.check(token, http_request.method, path)
        request = ArmRequest(
            method=http_request.method,
            path=path,
            query=query,
            headers=http_request.headers,
            body=_parse_body(http_request, content, has_template=has_template(path.shape)),
            api_version=version,
            now=now,
            principal=token.client_id,
            base_url=f"https://{http_request.host}",
            target=http_request.raw_path,
        )
        self._subscription.advance(now)
        answer = self._injection.serve(request, self._serve)
        answer.body = self._authorization.cut(token, path, answer.body)
        return answer

    def _serve(self, request: ArmRequest) -> ArmResponse:
        try:
            limits = self._limits.admit(request)
        except ArmError as error:
            return error_response(error)
        answer = self._route(request)
        answer.headers |= limits
        return answer

    def _route(self, request: ArmRequest) -> ArmResponse:
        handler = self._routes.get((request.method, request.path.shape))
        if handler is None:
            return error_response(self._no_such_route(request))
        try:
            require_unlocked(self._subscription, request)
            return handler(request)
        except ArmError as error:
            return error_response(error)

    def _no_such_route(self, request: ArmRequest) -> ArmError:
        methods = sorted(method for method, shape in self._routes if shape == request.path.shape)
        if methods:
            return ArmError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "HttpMethodNotAllowed",
                f"The requested resource does not support http method '{request.method}'.",
                headers={"Allow": ", ".join(methods)},
            )
        return ArmError(
            HTTPStatus.NOT_FOUND,
            "InvalidResourceType",
            f"No route answers {request.method} '{'/'.join(request.path.segments)}' for api version "
            f"'{request.api_version}'.",
            from_gateway=True,
        )

    def _check_subscription(self, path: ArmPath) -> None:
        if not path.names or path.names[0].lower() == self._subscription.id.lower():
            return
        name = path.names[0]
        try:
            uuid.UUID(name)
        except ValueError:
            raise errors.bad_request(
                "InvalidSubscriptionId", f"The provided subscription identifier '{name}' is malformed or invalid."
            ) from None
        raise ArmError(
            HTTPStatus.NOT_FOUND,
            "SubscriptionNotFound",
            f"The subscription '{name}' could not be found.",
            from_gateway=True,
        )

    async def _wait(self, kind: AnswerKind) -> None:
        seconds = self._latency.answer(kind)
        if seconds > 0:
            await asyncio.sleep(seconds)


def _kind_of(answer: ArmResponse) -> AnswerKind:
    is_create = answer.operation is not None and answer.operation.kind is OperationKind.CREATE_MACHINE
    return AnswerKind.CREATE_MACHINE if is_create else AnswerKind.WRITE


def _parse_body(http_request: web.BaseRequest, content: bytes, *, has_template: bool) -> Body:
    if not content.strip():
        if http_request.method in ("PUT", "PATCH"):
            raise errors.bad_request("MissingRequestBody", "The request body is empty. A JSON object is required.")
        return {}
    if http_request.method == "POST" and not has_template:
        return {}
    if http_request.content_type not in ("application/json", "text/json"):
        raise ArmError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            f"The content media type '{http_request.content_type}' is not supported. "
            "Only 'application/json' is supported.",
        )
    try:
        body = json.loads(content)
    except ValueError as error:
        raise _invalid_content(str(error)) from error
    if not isinstance(body, dict):
        raise _invalid_content("a JSON object is required.")
    if not has_template:
        check_types(body)
    return body


def _invalid_content(reason: str) -> ArmError:
    return errors.bad_request(
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{reason}'.",
    )


def _cut(http_request: web.BaseRequest) -> web.Response:
    """Cut the connection; nobody gets the response, and the access log shows it with status 0."""
    if http_request.transport is not None:
        http_request.transport.abort()
    return web.Response(status=0)


def _to_http(http_request: web.BaseRequest, answer: ArmResponse) -> web.Response:
    headers = {**_FIXED_HEADERS, **_request_ids(http_request.headers), **answer.headers}
    if answer.page is not None:
        content, content_type = answer.page
        return web.Response(status=answer.status, text=content, content_type=content_type)
    if answer.body is None or http_request.method == "HEAD":
        return web.Response(status=answer.status, headers=headers)
    data = json.dumps(answer.body, separators=(",", ":")).encode()
    return web.Response(
        status=answer.status, body=data, headers=headers, content_type="application/json", charset="utf-8"
    )


def _request_ids(headers: Mapping[str, str]) -> dict[str, str]:
    request_id = str(uuid.uuid4())
    correlation_id = headers.get("x-ms-correlation-request-id") or request_id
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    ids = {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": correlation_id,
        "x-ms-routing-request-id": f"EMULATOR:{moment}:{request_id}",
    }
    client_id = headers.get("x-ms-client-request-id")
    if client_id:
        ids["x-ms-client-request-id"] = client_id
    return ids
