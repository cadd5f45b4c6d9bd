"""Look once at a long-running operation, through one GET of the URL that Azure gave. Called by the provider.

The URL comes back from an object's status, which its users might edit: the token goes to the configured endpoint and
nowhere else.
"""

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from benchhost.azure.calls import azure_call, json_of, refusal_of, request_id, retry_after
from benchhost.azure.clients import AzureClients
from benchhost.azure.errors import classify, read_refusal
from benchhost.azure.names import HostNames
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import HostRequest, OperationState

_RAISED: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Statuses that speak of the look, and not of the operation that is looked at."""

_log = logging.getLogger("benchhost.azure")


async def poll_operation(clients: AzureClients, request: HostRequest, poll_url: str) -> OperationState | None:
    """How the operation stands; None when Azure does not know it, or the URL is not Azure's.

    Raises
    ------
    CloudError
        If Azure could not be asked.
    """
    what = f"finish the operation on {HostNames.of(request).describe(Part.MACHINE)}"
    if not clients.settings.is_at_endpoint(poll_url):
        _log.warning("a polling URL that does not lead to %s is not used", clients.settings.resource_manager_endpoint)
        return None
    async with azure_call(clients.settings, f"look at the operation on {HostNames.of(request).machine}"):
        response = await clients.get(poll_url)
        await response.read()
    if response.status_code == HTTPStatus.NOT_FOUND:
        return None
    if response.status_code in _RAISED or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise classify(refusal_of(response), what.replace("finish", "show", 1))
    return read_state(response, what)


def read_state(response: Any, what: str) -> OperationState:
    """The state that an answer of an operation's URL tells: a status in the body, or by Location's HTTP status."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        return OperationState(finished=True, error=classify(refusal_of(response), what))
    body = json_of(response)
    content = body if isinstance(body, dict) else {}
    if "status" not in content:
        is_running = response.status_code == HTTPStatus.ACCEPTED
        return OperationState(finished=not is_running, retry_after=retry_after(response.headers))
    return _from_status(content, response, what)


def _from_status(content: dict[str, Any], response: Any, what: str) -> OperationState:
    status = str(content["status"]).lower()
    start, end = to_time(content.get("startTime")), to_time(content.get("endTime"))
    if status == "succeeded":
        return OperationState(finished=True, start_time=start, end_time=end)
    if status not in ("failed", "canceled"):
        return OperationState(finished=False, retry_after=retry_after(response.headers), start_time=start)
    refusal = read_refusal(
        HTTPStatus.OK, {"error": content.get("error") or {}}, request_id=request_id(response.headers)
    )
    return OperationState(
        finished=True,
        error=classify(refusal, what),
        canceled=status == "canceled" or refusal.code == "OperationPreempted",
        start_time=start,
        end_time=end,
    )


def to_time(text: Any) -> datetime | None:
    """An ISO 8601 time; Azure gives 7 fractional digits, of which the last is dropped."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
