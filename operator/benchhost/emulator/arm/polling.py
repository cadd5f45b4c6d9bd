"""Asynchronous operations on the wire: signed polling URLs, hints of how long to wait, and the answers to polls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.operations import Operation, OperationKind, Operations, OperationStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.context import Body

CERTIFICATE_BYTES = 1950
"""Makes polling URLs as long as the recorded ones, about 3.3 kB since 2025."""

SIGNATURE_BYTES = 256
TICKS_PER_SECOND = 10_000_000
TICKS_AT_EPOCH = 621_355_968_000_000_000
"""What .NET counts from the year 1 to 1970."""

CLIENT_POLLING_SECONDS = 5
"""Stands in for an absent hint where time is scaled, because a client's own polling interval is not. The bucket for one
operation (Get operation, 15 a minute) bears a look every 4 s; a client that keeps to it asks every 5 s."""

FIRST_CREATE_POLL_SECONDS = 35
"""Retry-After of the first poll of a create (recorded, ASO-2022 and ASO-2026); later polls have none."""

NETWORK_POLL_SECONDS = 10
"""Retry-After of a running operation's poll in Microsoft.Network. Assumption: no recording of one was found."""


@dataclass(frozen=True, slots=True)
class RetryHints:
    """Says how long a client is asked to wait.

    Parameters
    ----------
    factor
        What recorded durations are multiplied by; 1 for real time, 0 for a cloud without latency.
    """

    factor: float

    def headers(self, seconds: float | None) -> dict[str, str]:
        """Return the header for a recorded hint, or for its absence.

        ``Retry-After`` counts whole seconds, and SDKs take 0 for absent; any other wait is given in
        ``retry-after-ms``, which they also know: 3.5 s that were rounded would be 5 s too long at a tenth of the time.
        """
        if self.factor == 1:
            return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
        scaled = self.factor * (CLIENT_POLLING_SECONDS if seconds is None else seconds)
        milliseconds = max(1, round(1000 * scaled))
        if milliseconds % 1000 == 0:
            return {"Retry-After": str(milliseconds // 1000)}
        return {"retry-after-ms": str(milliseconds)}

    def refusal(self, wait: float) -> dict[str, str]:
        """Return the headers of a refusal that ends in ``wait`` seconds, which are scaled already.

        Rounded up, so that nobody who obeys comes too early. Whole seconds in real time, as Azure says them; a
        wait below a second in scaled time goes into both headers that SDKs know for milliseconds.
        """
        if self.factor == 1 or wait >= 1:
            return {"Retry-After": str(max(1, math.ceil(wait)))}
        milliseconds = str(max(1, math.ceil(1000 * wait)))
        return {"retry-after-ms": milliseconds, "x-ms-retry-after-ms": milliseconds}


@dataclass(frozen=True, slots=True)
class PollingSecrets:
    """What makes polling URLs one emulator's own.

    Parameters
    ----------
    key
        Signs them.
    certificate
        Is in each of them.
    """

    key: bytes = field(repr=False)
    certificate: str

    @classmethod
    def make(cls) -> Self:
        """Return new ones."""
        return cls(secrets.token_bytes(32), _base64url(secrets.token_bytes(CERTIFICATE_BYTES)))


class PollingUrls:
    """Makes polling URLs that nobody else can make."""

    def __init__(self, known: PollingSecrets) -> None:
        self._key = known.key
        self._certificate = known.certificate

    def url(self, request: ArmRequest, operation: Operation, api_version: str, *, resource: str) -> str:
        """Return the URL under which an operation can be asked about."""
        path = (
            f"/subscriptions/{request.path.names[0]}/providers/{operation.namespace}"
            f"/locations/{operation.location}/{resource}/{operation.id}"
        )
        ticks = str(TICKS_AT_EPOCH + int(operation.started * TICKS_PER_SECOND))
        query = {
            "p": operation.id,
            "api-version": api_version,
            "t": ticks,
            "c": self._certificate,
            "s": self._signature(path, ticks),
            "h": _base64url(hashlib.sha256(path.encode()).digest()),
        }
        return f"{request.base_url}{path}?{urlencode(query)}"

    def check(self, request: ArmRequest) -> None:
        """Refuse a polling URL that this emulator has not made.

        Raises
        ------
        ArmError
            ``AuthorizationFailed``.
        """
        path = request.target.partition("?")[0]
        expected = self._signature(path, request.query.get("t", ""))
        if hmac.compare_digest(expected, request.query.get("s", "")):
            return
        raise errors.ArmError(
            HTTPStatus.FORBIDDEN, "AuthorizationFailed", "The signature of the operation's URL is not valid."
        )

    def _signature(self, path: str, ticks: str) -> str:
        digest = hmac.digest(self._key, f"{path.lower()}?{ticks}".encode(), "sha256")
        return _base64url(hashlib.shake_256(digest).digest(SIGNATURE_BYTES))


class Polling:
    """Announces operations in answers, and answers polls."""

    def __init__(self, operations: Operations, hints: RetryHints, known: PollingSecrets) -> None:
        self._operations = operations
        self._urls = PollingUrls(known)
        self._hints = hints
        self._results: dict[OperationKind, Callable[[Operation], Body | None]] = {}

    def show_result(self, kind: OperationKind, render: Callable[[Operation], Body | None]) -> None:
        """Let the Location of a kind of operation answer with what was made, once it has ended well."""
        self._results[kind] = render

    def wait_hint(self, seconds: float | None) -> dict[str, str]:
        """Return the header for a recorded hint of how long to wait, or for its absence."""
        return self._hints.headers(seconds)

    def routes(self) -> Routes:
        """Return the handlers of polling URLs."""
        compute = "subscriptions/*/providers/microsoft.compute/locations/*/operations/*"
        network = "subscriptions/*/providers/microsoft.network/locations/*"
        return {
            ("GET", compute): self.poll_compute,
            ("GET", f"{network}/operations/*"): self.poll_network,
            ("GET", f"{network}/operationresults/*"): self.poll_result,
            ("GET", "subscriptions/*/operationresults/*"): self.poll_group,
        }

    def announce(
        self,
        request: ArmRequest,
        operation: Operation,
        *,
        retry_after: float | None,
        with_location: bool,
    ) -> dict[str, str]:
        """Return the headers of an answer that begins an operation."""
        url = self._urls.url(request, operation, request.api_version, resource="operations")
        headers = {"Azure-AsyncOperation": url, **self._hints.headers(retry_after)}
        if operation.namespace == "Microsoft.Compute":
            headers["Azure-AsyncNotification"] = "Enabled"
        if with_location:
            headers["Location"] = self._location(request, operation, url)
        return headers

    def announce_group(self, request: ArmRequest, operation: Operation, *, retry_after: float) -> dict[str, str]:
        """Return the headers of the answer that begins a resource group's deletion."""
        url = (
            f"{request.base_url}/subscriptions/{request.path.names[0]}/operationresults/"
            f"{operation.id}?api-version={request.api_version}"
        )
        return {"Location": url, **self._hints.headers(retry_after)}

    def poll_compute(self, request: ArmRequest) -> ArmResponse:
        """Answer a poll of Microsoft.Compute."""
        operation = self._found(request)
        if request.query.get("monitor") == "true":
            return self._monitor(request, operation, finished=HTTPStatus.OK)
        operation.polls += 1
        body: dict[str, Any] = {"startTime": timestamp(operation.started)}
        if operation.ended is not None:
            body["endTime"] = timestamp(operation.ended)
        body |= {"status": str(operation.status), "name": operation.id, **_error_of(operation)}
        return ArmResponse(body=body, headers=self._poll_hint(operation))

    def poll_network(self, request: ArmRequest) -> ArmResponse:
        """Answer a poll of Microsoft.Network, which says the status and nothing else."""
        operation = self._found(request)
        operation.polls += 1
        return ArmResponse(
            body={"status": str(operation.status), **_error_of(operation)}, headers=self._poll_hint(operation)
        )

    def poll_result(self, request: ArmRequest) -> ArmResponse:
        """Answer the Location of Microsoft.Network."""
        return self._monitor(request, self._found(request), finished=HTTPStatus.NO_CONTENT)

    def poll_group(self, request: ArmRequest) -> ArmResponse:
        """Answer the Location of a resource group's deletion."""
        operation = self._operations.find(request.name)
        if operation is None:
            raise errors.entity_not_found()
        return self._monitor(request, operation, finished=HTTPStatus.OK, retry_after=15)

    def _found(self, request: ArmRequest) -> Operation:
        self._urls.check(request)
        operation = self._operations.find(request.name)
        if operation is None:
            raise errors.entity_not_found()
        return operation

    def _monitor(
        self, request: ArmRequest, operation: Operation, *, finished: int, retry_after: float | None = None
    ) -> ArmResponse:
        if operation.is_running:
            location = {"Location": f"{request.base_url}{request.target}"}
            return ArmResponse(status=HTTPStatus.ACCEPTED, headers={**location, **self._hints.headers(retry_after)})
        if operation.error is not None:
            raise operation.error
        render = self._results.get(operation.kind)
        return ArmResponse(status=finished, body=None if render is None else render(operation))

    def _poll_hint(self, operation: Operation) -> dict[str, str]:
        if not operation.is_running:
            return {}
        if operation.namespace == "Microsoft.Network":
            return self._hints.headers(NETWORK_POLL_SECONDS)
        is_first = operation.kind is OperationKind.CREATE_MACHINE and operation.polls == 1
        return self._hints.headers(FIRST_CREATE_POLL_SECONDS if is_first else None)

    def _location(self, request: ArmRequest, operation: Operation, url: str) -> str:
        if operation.namespace == "Microsoft.Compute":
            return f"{url}&monitor=true"
        return self._urls.url(request, operation, request.api_version, resource="operationResults")


def timestamp(seconds: float) -> str:
    """Return a time as ARM writes it, with seven fractional digits and an offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+", "0+")


def _error_of(operation: Operation) -> dict[str, Any]:
    if operation.error is None or operation.status is OperationStatus.SUCCEEDED:
        return {}
    return {"error": {"code": operation.error.code, "message": operation.error.message}}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
