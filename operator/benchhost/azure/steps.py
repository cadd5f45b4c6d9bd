"""Start one step of one part, on what was observed just before. Called by the provider.

A step changes one thing, in one request, and nothing that carries another owner's tags, or none. What keeps a part of
what is there (an update, tags) reads it first where the observation does not show all of it. A request that puts
something in the place of what was seen names the version that was seen, so that it is refused when somebody was
faster. No step waits for what it starts: the answer's headers say where to look.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, assert_never

from azure.core.exceptions import HttpResponseError
from benchhost.api.conditions import Reason
from benchhost.azure.attempt import Attempt
from benchhost.azure.calls import refusal_of
from benchhost.azure.clients import AzureClients
from benchhost.azure.machine_body import to_resize
from benchhost.azure.machine_update import to_update
from benchhost.azure.observation import to_part
from benchhost.azure.parameters import to_body, to_growth
from benchhost.azure.tags import is_shared_by, read_owner, to_tags, with_tags, without_owner
from benchhost.cloud.errors import AdminError, TransientError
from benchhost.cloud.machine import MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest, Started, Step, Verb, makes_interface_with_machine
from benchhost.cloud.tags import missing_tags

_FINISHED: Final = Started(finished=True)
_BROUGHT_ALONG: Final = frozenset({Part.ADDRESS, Part.INTERFACE})
_SOON: Final = Started(retry_after=timedelta(seconds=5))
"""Somebody's operation is under way; facts of compute-throttling-limits.md: not more than one GET in 5 s."""


_REQUESTS: Final[dict[Verb, tuple[str, str]]] = {
    Verb.ENSURE: ("PUT", ""),
    Verb.DELETE: ("DELETE", ""),
    Verb.RELEASE: ("PATCH", ""),
    Verb.START: ("POST", "/start"),
    Verb.STOP: ("POST", "/powerOff"),
    Verb.DEALLOCATE: ("POST", "/deallocate"),
    Verb.HIBERNATE: ("POST", "/deallocate"),
    Verb.RESTART: ("POST", "/restart"),
    Verb.RESIZE: ("PATCH", ""),
    Verb.UPDATE: ("PATCH", ""),
    Verb.TAG: ("PATCH", ""),
}
"""Method, and what follows the part's id, of the change that a step asks for when nothing of it is there yet."""


def require_turn(clients: AzureClients, request: HostRequest, step: Step, seen: Observation) -> None:
    """Take a place in line for the change of a step.

    Raises
    ------
    DeferredError
        If its turn has not come.
    """
    method, action = _REQUESTS[step.verb]
    clients.require_turn(method, f"{Attempt(clients, request, step, seen).target.id}{action}")


async def start_step(clients: AzureClients, request: HostRequest, step: Step, seen: Observation) -> Started:
    """Start a step.

    Raises
    ------
    CloudError
        If Azure refuses it, or the resource is not this host's.
    """
    attempt = Attempt(clients, request, step, seen)
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


async def _ensure(attempt: Attempt) -> Started:
    part, seen = attempt.step.part, attempt.part
    is_brought = part in _BROUGHT_ALONG and makes_interface_with_machine(attempt.request.spec.azure)
    if part is Part.DISK or is_brought:
        return _FINISHED  # the machine brings it along
    if part is Part.DATA_DISK:
        return await _grow(attempt)
    if seen is None:
        return await _put(attempt, {"If-None-Match": "*"})
    if part is Part.NETWORK and not is_shared_by(attempt.request.owner, seen.owner):
        return _FINISHED  # somebody else's network is used as it is
    attempt.require_owned()
    match seen.state:
        case PartState.READY:
            return _FINISHED
        case PartState.PENDING | PartState.DELETING:
            return _SOON
        case PartState.FAILED:
            return await _mend(attempt, seen)


async def _put(attempt: Attempt, headers: dict[str, str]) -> Started:
    body = to_body(attempt.request, attempt.step.part)
    try:
        return await attempt.send(attempt.target.put, body, headers=headers, polling=False)
    except AdminError as error:
        network = attempt.request.spec.azure.network.virtual_network
        if error.code != "InvalidResourceReference" or network is None or not network.create:
            raise
        # Our own network went away in between, with the last host in it; the next pass makes it again.
        raise TransientError(error.message, code=error.code, request_id=error.request_id) from error


async def _mend(attempt: Attempt, seen: ObservedPart) -> Started:
    """Put a failed resource again, but reapply a machine whose body may not be sent twice.

    That is one that has run before, or that brought its interface along; if it was never made whole, only its deletion
    helps.
    """
    machine = attempt.seen.machine if attempt.step.part is Part.MACHINE else None
    brings_interface = makes_interface_with_machine(attempt.request.spec.azure)
    if machine is not None and (brings_interface or machine.power is not MachinePower.UNKNOWN):
        return await attempt.send(_machines(attempt).begin_reapply, *attempt.target.at, polling=False)
    return await _put(attempt, {"If-Match": seen.etag} if seen.etag else {})


async def _delete(attempt: Attempt) -> Started:
    if attempt.part is None:
        return _FINISHED
    attempt.require_owned()
    try:
        return await attempt.send(attempt.target.delete, polling=False)
    except TransientError as error:
        if isinstance(error.__cause__, HttpResponseError) and refusal_of(error.__cause__.response).is_absence:
            return _FINISHED
        raise


async def _release(attempt: Attempt) -> Started:
    seen = attempt.part
    if seen is None or seen.owner is None:
        return _FINISHED
    attempt.require_owned()
    shown = await _as_shown(attempt, seen)
    if shown is None or read_owner(shown.tags) is None:
        return _FINISHED
    return await _set_tags(attempt, shown, without_owner(shown.tags))


async def _tag(attempt: Attempt) -> Started:
    seen = attempt.require_existing()
    if not (seen.owner is None and attempt.request.spec.adopt):
        attempt.require_owned()
    shown = await _as_shown(attempt, seen)
    if shown is None:
        raise TransientError(f"Azure did not {attempt.what}: it is gone.", code="ResourceNotFound")
    wanted = with_tags(attempt.request, shown.tags or {})
    if wanted == shown.tags:
        return _FINISHED
    started = await _set_tags(attempt, shown, wanted)
    if started.observed is not None and started.observed.tags is not None:
        _require_kept(attempt, started.observed.tags)
    return started


def _require_kept(attempt: Attempt, tags: Mapping[str, str]) -> None:
    """Whether the answer still shows what was sent: a policy may change a request on its way, every time anew."""
    lost = missing_tags(tags, to_tags(attempt.request))
    if lost:
        raise TransientError(
            f"Azure did not {attempt.what} as spec.azure.tags says: it took the request, but the tags "
            f"{', '.join(sorted(lost))} are missing or have another value, as when a policy sets them. "
            "Change spec.azure.tags or the policy.",
            code="TagsNotKept",
            reason=Reason.OUT_OF_SYNC,
        )


async def _set_tags(attempt: Attempt, shown: ObservedPart, tags: Mapping[str, str]) -> Started:
    """Put these tags in place of those that were shown; refused where somebody has changed the resource since."""
    headers = {"If-Match": shown.etag} if shown.etag else {}
    return await attempt.send(attempt.target.tag, dict(tags), headers=headers, **_no_polling(attempt))


async def _as_shown(attempt: Attempt, seen: ObservedPart) -> ObservedPart | None:
    """The part with all its tags; a disk that was seen only through its machine is read itself, None when gone."""
    if seen.tags is not None:
        return seen
    model = await attempt.target.get()
    return None if model is None else to_part(model)


async def _resize(attempt: Attempt) -> Started:
    attempt.require_owned()
    machine = attempt.seen.machine
    if machine is not None and machine.size.lower() == attempt.request.size.lower():
        return _FINISHED
    return await attempt.send(
        _machines(attempt).begin_update, *attempt.target.at, to_resize(attempt.request), polling=False
    )


async def _update(attempt: Attempt) -> Started:
    """Read the machine once more: what is kept of its disks has to be sent as Azure shows it."""
    attempt.require_owned()
    model = await attempt.target.get()
    if model is None:
        raise TransientError(f"Azure did not {attempt.what}: it is gone.", code="ResourceNotFound")
    owner = attempt.request.owner
    own = {lun: disk for lun, disk in attempt.seen.data_disks.items() if disk.owner == owner}
    body = to_update(attempt.request, model.as_dict(), own)
    if not body:
        return _FINISHED
    headers = {"If-Match": model.etag} if model.etag else {}
    return await attempt.send(_machines(attempt).begin_update, *attempt.target.at, body, headers=headers, polling=False)


async def _grow(attempt: Attempt) -> Started:
    """Make a data disk as large as the spec says; one that does not exist comes with the machine's update."""
    seen = attempt.require_owned()
    wanted = next((disk for disk in attempt.request.spec.azure.data_disks if disk.lun == attempt.step.lun), None)
    if wanted is None or (seen.size_gib is not None and seen.size_gib >= wanted.size_gib):
        return _FINISHED
    if seen.state in (PartState.PENDING, PartState.DELETING):
        return _SOON
    started = await attempt.send(
        attempt.target.operations.begin_update, *attempt.target.at, to_growth(wanted), polling=False
    )
    if started.observed is None:
        return started
    # It stays this host's, though it may be so by its name or its machine and not by its tags.
    return replace(started, observed=replace(started.observed, owner=seen.owner))


async def _power(attempt: Attempt) -> Started:
    attempt.require_owned()
    machines = _machines(attempt)
    calls: dict[Verb, Callable[..., Awaitable[Any]]] = {
        Verb.START: machines.begin_start,
        Verb.STOP: machines.begin_power_off,
        Verb.DEALLOCATE: machines.begin_deallocate,
        Verb.HIBERNATE: partial(machines.begin_deallocate, hibernate=True),
        Verb.RESTART: machines.begin_restart,
    }
    return await attempt.send(calls[attempt.step.verb], *attempt.target.at, polling=False)


def _machines(attempt: Attempt) -> Any:
    return attempt.clients.compute(attempt.target.names.azure.subscription_id).virtual_machines


def _no_polling(attempt: Attempt) -> dict[str, Any]:
    """Tags of Microsoft.Compute change in an operation, those of Microsoft.Network at once."""
    return {"polling": False} if attempt.step.part in (Part.MACHINE, Part.DISK, Part.DATA_DISK) else {}
