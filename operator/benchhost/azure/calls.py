"""The edge: one call to Azure, and every way in which it can fail as an error of the port.

All calls of this package run inside ``azure_call``. It never lets an SDK exception, a secret or a token pass.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError
from benchhost.api.conditions import Reason
from benchhost.azure.errors import Refusal, classify, fold, read_refusal
from benchhost.azure.settings import AzureCloudSettings
from benchhost.cloud.errors import CloudError, CredentialsError, TransientError

_log = logging.getLogger("benchhost.azure")

_AADSTS: Final = re.compile(r"AADSTS\d+:.*?(?=\s*(?:Trace ID|Correlation ID|Timestamp):|$)", re.DOTALL)
_ADVICE: Final = {
    "AADSTS9000": "Check AZURE_TENANT_ID.",
    "AADSTS700016": "Check AZURE_CLIENT_ID and AZURE_TENANT_ID.",
    "AADSTS700027": "Check AZURE_CLIENT_CERTIFICATE: it has to be registered with the application and in force.",
    "AADSTS7000215": "Check AZURE_CLIENT_SECRET.",
    "AADSTS7000222": "Renew AZURE_CLIENT_SECRET.",
    "AADSTS70021": "Give the application a federated credential for this issuer, subject and audience.",
}
"""What to look at, by how the code begins ("Microsoft Entra authentication and authorization error codes")."""
_PLAIN_ADVICE: Final = "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves them."
_ID_HEADERS: Final = ("x-ms-request-id", "x-ms-correlation-request-id")


@asynccontextmanager
async def azure_call(settings: AzureCloudSettings, what: str) -> AsyncIterator[None]:
    """Run SDK calls; ``what`` is what they do to which resource, as in "read disk x in resource group y".

    Raises
    ------
    CloudError
        For everything that can go wrong, including no answer in time.
    """
    try:
        # Name resolution has no time-out of its own, and a token request may come first.
        async with asyncio.timeout(2 * settings.request_timeout):
            yield
    except (AzureError, aiohttp.ClientError, OSError, ValueError) as error:
        raise to_cloud_error(error, settings, what) from error


def to_cloud_error(error: Exception, settings: AzureCloudSettings, what: str) -> CloudError:
    """The port's error for what an SDK call raised."""
    if isinstance(error, HttpResponseError) and error.response is not None:
        return _refused(error, what)
    if isinstance(error, CredentialUnavailableError):
        return CredentialsError(
            f"Azure gave no token to {what}: {fold(str(error.message))} Run the controller where it has a managed "
            "identity, or give it AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves them."
        )
    if isinstance(error, ClientAuthenticationError):
        return CredentialsError(f"Azure gave no token to {what}: {fold(str(error.message))}")
    if isinstance(error, TimeoutError | ServiceRequestError | ServiceResponseError | aiohttp.ClientError | OSError):
        return _unreachable(error, settings, what)
    # What is left was an answer that makes no sense: a proxy's page, a body that is cut off.
    _log.debug("unreadable answer to %s", what, exc_info=error)
    return TransientError(f"Azure's answer could not be read when it was to {what}: {fold(str(error))}")


def refusal_of(response: Any) -> Refusal:
    """What a response with an error status says."""
    headers = response.headers
    return read_refusal(
        response.status_code,
        json_of(response),
        retry_after=retry_after(headers),
        request_id=request_id(headers),
    )


def json_of(response: Any) -> Any:
    """The body as JSON; None when it is empty or something else."""
    try:
        return json.loads(response.text() or "null")
    except (ValueError, UnicodeDecodeError):
        return None


def retry_after(headers: Any) -> timedelta | None:
    """The server's wish: ``retry-after-ms`` and ``x-ms-retry-after-ms`` before ``Retry-After`` in seconds."""
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        try:
            return timedelta(seconds=max(float(headers[name]) * unit, 0.0))
        except (KeyError, ValueError, OverflowError):
            continue
    return None


def request_id(headers: Any) -> str | None:
    """Azure's id of the request, for its support."""
    return next((headers[name] for name in _ID_HEADERS if headers.get(name)), None)


def _refused(error: HttpResponseError, what: str) -> CloudError:
    response: Any = error.response
    body = json_of(response)
    # The identity service answers as OAuth has it: "error" is a word, and the text stands beside it.
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return _no_token(response, body, what)
    return classify(refusal_of(response), what)


def _no_token(response: Any, body: dict[str, Any], what: str) -> CloudError:
    text = fold(str(body.get("error_description") or body["error"]))
    found = _AADSTS.search(text)
    code, _, said = found.group(0).partition(":") if found is not None else (body["error"], "", text)
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(
            f"Azure gave no token to {what}: {said.strip()}", code=code, retry_after=retry_after(response.headers)
        )
    advice = next((text for start, text in _ADVICE.items() if code.startswith(start)), _PLAIN_ADVICE)
    return CredentialsError(
        f"Azure does not accept the credentials to {what}: {said.strip()} {advice}",
        code=code,
    )


def _unreachable(error: Exception, settings: AzureCloudSettings, what: str) -> CloudError:
    inner = getattr(error, "inner_exception", None) or error
    host, port = getattr(inner, "host", None), getattr(inner, "port", None)
    if host is None:
        parts = urlsplit(settings.resource_manager_endpoint)
        host, port = parts.hostname, parts.port or 443
    return TransientError(
        f"Azure could not be reached at {host}:{port} to {what}: {_cause(inner)}",
        reason=Reason.CLOUD_UNREACHABLE,
    )


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError) or not str(error):
        return "no answer in time."
    certificate = getattr(error, "certificate_error", None)
    if certificate is not None:
        return f"its certificate is not trusted ({fold(str(certificate))}); check AZURE_CA_BUNDLE."
    system = getattr(error, "os_error", None)
    return f"{fold(str(getattr(system, 'strerror', None) or system or error))}."
