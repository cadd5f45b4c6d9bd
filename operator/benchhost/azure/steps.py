"""Start one step of one part, on what was observed just before. Called by the provider.

A step sends one request and changes nothing that carries another owner's tags, or none; a PUT names the version that
was seen, so that it is refused when somebody was faster. No step waits for what it starts: the answer's headers say
where to look.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final, assert_never
from urllib.parse import urljoin

from azure.core.exceptions import HttpResponseError
from benchhost.api.conditions import Reason
from benchhost.azure.calls import azure_call, json_of, refusal_of, request_id, retry_after
from benchhost.azure.clients import AzureClients
from benchhost.azure.names import HostNames
from benchhost.azure.observation import part_from_json
from benchhost.azure.parameters import to_body, to_resize, to_tags
from benchhost.azure.resources import Resource, resource
from benchhost.azure.settings import AzureCloudSettings
from benchhost.azure.tags import is_shared_by, read_owner, without_owner
from benchhost.cloud.errors import AdminError, TransientError
from benchhost.cloud.machine import MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest, Started, Step, Verb

_FINISHED: Final = Started(finished=True)
_SOON: Final = Started(retry_after=timedelta(seconds=5))
"""Somebody's operation is under way; facts of compute-throttling-limits.md: not more than one GET in 5 s."""
_WORDS: Final[dict[Verb, str]] = {
    Verb.ENSURE: "create",
    Verb.DELETE: "delete",
    Verb.RELEASE: "release",
    Verb.START: "start",
    Verb.STOP: "stop",
    Verb.DEALLOCATE: "deallocate",
    Verb.HIBERNATE: "hibernate",
    Verb.RESTART: "restart",
    Verb.RESIZE: "resize",
    Verb.UPDATE: "update",
    Verb.TAG: "tag",
}


@dataclass(slots=True)
class _Attempt:
    """One step under way: the target, and the answer once it is there."""

    clients: AzureClients
    request: HostRequest
    step: Step
    seen: Observation
    target: Resource = field(init=False)
    answer: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.target = resource(self.clients, HostNames.of(self.request), self.step.part, self.step.lun)

    @property
    def part(self) -> ObservedPart | None:
        """The part as it was observed."""
        return self.seen.get(self.step.part, self.step.lun)

    @property
    def what(self) -> str:
        """The step in words, for messages."""
        return f"{_WORDS[self.step.verb]} {self.target.names.describe(self.step.part, self.step.lun)}"

    async def send(self, call: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Started:
        """Send the request and read where to look; the SDK's poller is not used."""
        async with azure_call(self.clients.settings, self.what):
            await call(*arguments, raw_response_hook=self._keep, **options)
        return read_started(self.answer, self.clients.settings)

    def _keep(self, response: Any) -> None:
        self.answer = response.http_response


async def start_step(clients: AzureClients, request: HostRequest, step: Step, seen: Observation) -> Started:
    """Start a step.

    Raises
    ------
    CloudError
        If Azure refuses it, or the resource is not this host's.
    """
    attempt = _Attempt(clients, request, step, seen)
    match step.verb:
        case Verb.ENSURE:
            return await _ensure(attempt)
        case Verb.DELETE:
            return await _delete(attempt)
        case Verb.RELEASE:
            return await _release(attempt)
        case Verb.TAG:
            return await _tag(attempt)
        case Verb.RESIZE:
            return await _resize(attempt)
        case Verb.UPDATE:
            return await _update(attempt)
        case Verb.START | Verb.STOP | Verb.DEALLOCATE | Verb.HIBERNATE | Verb.RESTART:
            return await _power(attempt)
    assert_never(step.verb)


async def _ensure(attempt: _Attempt) -> Started:
    part, seen = attempt.step.part, attempt.part
    if part is Part.DISK:
        return _FINISHED  # the machine brings it along
    if seen is None:
        return await _put(attempt, {"If-None-Match": "*"})
    if part is Part.NETWORK and not is_shared_by(attempt.request.owner, seen.owner):
        return _FINISHED  # somebody else's network is used as it is
    if part is not Part.NETWORK:
        _require_owned(attempt, seen)
    match seen.state:
        case PartState.READY:
            return _FINISHED
        case PartState.PENDING | PartState.DELETING:
            return _SOON
        case PartState.FAILED:
            return await _mend(attempt, seen)


async def _put(attempt: _Attempt, headers: dict[str, str]) -> Started:
    body = to_body(attempt.request, attempt.step.part)
    try:
        return await attempt.send(attempt.target.put, body, headers=headers, polling=False)
    except AdminError as error:
        network = attempt.request.spec.azure.network.virtual_network
        if error.code != "InvalidResourceReference" or network is None or not network.create:
            raise
        # Our own network went away in between, with the last host in it; the next pass makes it again.
        raise TransientError(error.message, code=error.code, request_id=error.request_id) from error


async def _mend(attempt: _Attempt, seen: ObservedPart) -> Started:
    """A failed resource is put again; a machine that has run before is reapplied, as its body may not be sent twice."""
    machine = attempt.seen.machine if attempt.step.part is Part.MACHINE else None
    if machine is not None and machine.power is not MachinePower.UNKNOWN:
        return await attempt.send(_machines(attempt).begin_reapply, *attempt.target.at, polling=False)
    return await _put(attempt, {"If-Match": seen.etag} if seen.etag else {})


async def _delete(attempt: _Attempt) -> Started:
    if attempt.part is None:
        return _FINISHED
    _require_owned(attempt, attempt.part)
    try:
        return await attempt.send(attempt.target.delete, polling=False)
    except TransientError as error:
        if isinstance(error.__cause__, HttpResponseError) and refusal_of(error.__cause__.response).is_absence:
            return _FINISHED
        raise


async def _release(attempt: _Attempt) -> Started:
    seen = attempt.part
    if seen is None or seen.owner is None:
        return _FINISHED
    _require_owned(attempt, seen)
    tags = await _tags(attempt, seen)
    if tags is None or read_owner(tags) is None:
        return _FINISHED
    return await attempt.send(attempt.target.tag, without_owner(tags), **_no_polling(attempt))


async def _tag(attempt: _Attempt) -> Started:
    seen = _existing(attempt)
    if not (seen.owner is None and attempt.request.spec.adopt):
        _require_owned(attempt, seen)
    tags = await _tags(attempt, seen) or {}
    # Tags of others on the same resource (cost centres, policies) stay.
    wanted = {**without_owner(tags), **to_tags(attempt.request)}
    if wanted == tags:
        return _FINISHED
    return await attempt.send(attempt.target.tag, wanted, **_no_polling(attempt))


async def _tags(attempt: _Attempt, seen: ObservedPart) -> Mapping[str, str] | None:
    """All tags; a disk that was seen only through its machine is read itself, None when it is gone."""
    if seen.tags is not None:
        return seen.tags
    model = await attempt.target.get()
    return None if model is None else model.tags or {}


async def _resize(attempt: _Attempt) -> Started:
    _require_owned(attempt, _existing(attempt))
    machine = attempt.seen.machine
    if machine is not None and machine.size.lower() == attempt.request.size.lower():
        return _FINISHED
    return await attempt.send(
        _machines(attempt).begin_update, *attempt.target.at, to_resize(attempt.request), polling=False
    )


async def _update(attempt: _Attempt) -> Started:
    raise NotImplementedError


async def _power(attempt: _Attempt) -> Started:
    _require_owned(attempt, _existing(attempt))
    machines = _machines(attempt)
    calls: dict[Verb, Callable[..., Awaitable[Any]]] = {
        Verb.START: machines.begin_start,
        Verb.STOP: machines.begin_power_off,
        Verb.DEALLOCATE: machines.begin_deallocate,
        Verb.HIBERNATE: partial(machines.begin_deallocate, hibernate=True),
        Verb.RESTART: machines.begin_restart,
    }
    return await attempt.send(calls[attempt.step.verb], *attempt.target.at, polling=False)


def _machines(attempt: _Attempt) -> Any:
    return attempt.clients.compute(attempt.target.names.azure.subscription_id).virtual_machines


def _existing(attempt: _Attempt) -> ObservedPart:
    if attempt.part is None:
        raise TransientError(f"Azure did not {attempt.what}: it does not exist.", code="ResourceNotFound")
    return attempt.part


def _require_owned(attempt: _Attempt, seen: ObservedPart) -> None:
    owner = attempt.request.owner
    if seen.owner == owner:
        return
    if attempt.step.part is Part.NETWORK and is_shared_by(owner, seen.owner):
        return
    whose = f"carries the tags of {seen.owner.namespace}/{seen.owner.name}" if seen.owner else "has no owner tags"
    raise AdminError(
        f"{attempt.target.names.describe(attempt.step.part, attempt.step.lun).capitalize()} was left alone: it {whose} "
        f"and not those of BenchHost {owner.namespace}/{owner.name}.",
        reason=Reason.NOT_OWNED,
    )


def _no_polling(attempt: _Attempt) -> dict[str, Any]:
    """Tags of Microsoft.Compute change in an operation, those of Microsoft.Network at once."""
    return {"polling": False} if attempt.step.part in (Part.MACHINE, Part.DISK) else {}


def read_started(response: Any, settings: AzureCloudSettings) -> Started:
    """Where to look after an accepted request: Azure-AsyncOperation, else Location, else the resource itself."""
    headers = response.headers
    given = headers.get("Azure-AsyncOperation") or headers.get("Location")
    url = urljoin(f"{settings.resource_manager_endpoint}/", given) if given else None
    return Started(
        poll_url=url if url is not None and settings.is_at_endpoint(url) else None,
        retry_after=retry_after(headers),
        request_id=request_id(headers),
        finished=given is None and _is_terminal(response),
        observed=part_from_json(json_of(response)),
    )


def _is_terminal(response: Any) -> bool:
    if response.status_code == HTTPStatus.ACCEPTED:
        return False
    body = json_of(response)
    properties = body.get("properties") if isinstance(body, dict) else None
    state = (properties or {}).get("provisioningState")
    return state is None or str(state).lower() == "succeeded"
