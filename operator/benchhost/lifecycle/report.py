"""Compute the whole status of a host from one pass. Pure; called once at the end of a pass.

It decides nothing, and it never reads a condition that an earlier pass set, except for its transition time.
"""

from datetime import datetime

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.status import (
    Address,
    AddressType,
    BenchHostStatus,
    Failure,
    HistoryEntry,
    OperationResult,
    OperationType,
    SshEndpoint,
    SshHostKeys,
    add_history,
    seconds_between,
)
from benchhost.cloud.machine import Machine, MachinePower
from benchhost.lifecycle.actions import Hold, Settled, is_queued
from benchhost.lifecycle.backoff import FailedAttempt, next_failure
from benchhost.lifecycle.capacity import Candidate, candidates
from benchhost.lifecycle.desired import holder_gone_at
from benchhost.lifecycle.host_keys import known_host_keys, next_host_keys
from benchhost.lifecycle.placement import next_eviction, next_placement
from benchhost.lifecycle.result import Finished, Pass
from benchhost.lifecycle.summary import summarize


def report(host: BenchHost, outcome: Pass, *, now: datetime) -> BenchHostStatus:
    """The status after this pass; equal to the old one when nothing is new."""
    status = _observed(host, outcome, now)
    for finished in outcome.finished:
        status = _finished(status, finished)
    status = _acknowledged(host, status, outcome, now)
    status = status.model_copy(
        update={
            "observed_generation": host.metadata.generation,
            "operation": outcome.operation,
            "failure": _failure(host, outcome, now),
            "holder_gone_at": holder_gone_at(host, outcome.circumstances, now=now),
            "last_observe_time": _last_observed(host, outcome),
        }
    )
    summary = summarize(host, status, outcome, now=now)
    return status.model_copy(update={"phase": summary.phase, "conditions": summary.conditions})


def _last_observed(host: BenchHost, outcome: Pass) -> datetime | None:
    """A look that was asked for is acknowledged when there was one."""
    return host.spec.observe_at if outcome.observation is not None else host.status.last_observe_time


def _observed(host: BenchHost, outcome: Pass, now: datetime) -> BenchHostStatus:
    """What the cloud shows; kept as it was when the cloud could not be seen."""
    status = host.status
    if outcome.observation is None:
        return status
    evicted_at = next_eviction(host, outcome.observation.machine, outcome.circumstances, now=now)
    machine = outcome.observation.machine
    if machine is None:
        return status.model_copy(
            update={
                "power_state": None,
                "provider_id": None,
                "addresses": [],
                "ssh_endpoint": None,
                "evicted_at": evicted_at,
                "reached_at": None,
            }
        )
    placement = next_placement(status, outcome.observation, now=now)
    power = _power(status, machine)
    seen = status.model_copy(
        update={
            "power_state": power,
            "provider_id": machine.provider_id,
            "size": machine.size,
            "zone": machine.zone,
            "addresses": list(machine.addresses),
            "placement": placement,
            "evicted_at": evicted_at,
            "reached_at": _reached_at(status, power, outcome, moved=placement != status.placement),
        }
    )
    found = outcome.circumstances.host_keys
    record = next_host_keys(host, seen, vm_id=machine.vm_id, found=found, now=now)
    return seen.model_copy(update={"ssh_host_keys": record, "ssh_endpoint": _ssh_endpoint(host, machine, record)})


def _power(status: BenchHostStatus, machine: Machine) -> str:
    """The last that the cloud has told of this machine: a look that leaves it out must not hide that it was off."""
    is_same = status.placement is not None and status.placement.vm_id == machine.vm_id
    if machine.power is MachinePower.UNKNOWN and is_same and status.power_state is not None:
        return status.power_state
    return str(machine.power)


def _reached_at(status: BenchHostStatus, power: str, outcome: Pass, *, moved: bool) -> datetime | None:
    """The first answer since the last start stays on record until the machine stops running or moves."""
    if power != MachinePower.RUNNING or moved:
        return None
    return status.reached_at or outcome.circumstances.answered_at


def _ssh_endpoint(host: BenchHost, machine: Machine, record: SshHostKeys | None) -> SshEndpoint | None:
    address = _reached_by(machine.addresses)
    if address is None:
        return None
    port = host.spec.azure.admin.ssh_port
    return SshEndpoint(host=address.address, port=port, host_keys=known_host_keys(record))


def _reached_by(addresses: tuple[Address, ...]) -> Address | None:
    for kind in (AddressType.EXTERNAL_IP, AddressType.INTERNAL_IP):
        for address in addresses:
            if address.type is kind:
                return address
    return None


def _finished(status: BenchHostStatus, finished: Finished) -> BenchHostStatus:
    operation = finished.operation
    start = finished.start_time or operation.started_at
    end = max(finished.end_time or start, start)
    entry = HistoryEntry(
        type=operation.type,
        start_time=start,
        end_time=end,
        seconds=seconds_between(start, end),
        result=finished.result,
        reason=finished.reason,
        epoch=status.placement.epoch if status.placement else 0,
        request_id=operation.request_id,
    )
    update: dict[str, object] = {"history": add_history(status.history, entry)}
    if finished.result is OperationResult.SUCCEEDED:
        update |= _acknowledgement(operation.type, operation.started_at)
    return status.model_copy(update=update)


def _acknowledgement(kind: OperationType, moment: datetime) -> dict[str, object]:
    if kind is OperationType.RESTART:
        return {"last_restart_time": moment, "reached_at": None}
    if kind is OperationType.REALLOCATE:
        return {"last_reallocate_time": moment}
    return {}


def _acknowledged(host: BenchHost, status: BenchHostStatus, outcome: Pass, now: datetime) -> BenchHostStatus:
    """A request that is due, and that a running host needs nothing more for, has been met."""
    if not isinstance(outcome.action, Settled) or outcome.action.reason is not Reason.RUNNING:
        return status
    answers = {
        "last_restart_time": (host.spec.restart_at, status.last_restart_time),
        "last_reallocate_time": (host.spec.reallocate_at, status.last_reallocate_time),
    }
    update = {
        name: now
        for name, (asked, answered) in answers.items()
        if asked is not None and asked <= now and (answered is None or answered < asked)
    }
    return status.model_copy(update=update)


def _failure(host: BenchHost, outcome: Pass, now: datetime) -> Failure | None:
    """An error starts a row or goes on with one; it ends when nothing is left to do, or when that very thing works."""
    failure = host.status.failure
    if outcome.error is not None:
        return next_failure(outcome.error, failure, _attempt(host, outcome), seed=host.metadata.uid, now=now)
    if failure is None or isinstance(outcome.action, Settled):
        return None
    was_looked_at = outcome.observation is not None or not is_queued(outcome.action)
    if failure.operation is None and was_looked_at and not isinstance(outcome.action, Hold):
        return None  # it could not be looked at, and now it was
    worked = {done.operation.type for done in outcome.finished if done.result is OperationResult.SUCCEEDED}
    return None if failure.operation in worked else failure


def _attempt(host: BenchHost, outcome: Pass) -> FailedAttempt:
    failed = outcome.failed
    kind = failed.type if failed else None
    machine = outcome.observation.machine if outcome.observation else None
    return FailedAttempt(
        generation=host.metadata.generation,
        operation=kind,
        candidate=Candidate(failed.size, failed.zone) if failed is not None and failed.size is not None else None,
        candidates=candidates(host, None if kind is OperationType.PROVISION else machine),
    )
