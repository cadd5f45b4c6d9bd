"""Rungs of the ladder for the power state: down first, up last; requests to restart or to move. Pure."""

from datetime import datetime

from benchhost.api.conditions import Reason
from benchhost.api.spec import PowerState
from benchhost.api.status import OperationType
from benchhost.cloud.machine import Machine, MachinePower, Part, PartState
from benchhost.cloud.provider import Step, Verb
from benchhost.lifecycle.actions import Action, Do, Settled, Wait
from benchhost.lifecycle.view import View


def powered_down(view: View) -> Action | None:
    """What ends a bill comes before everything that the rest of the spec may need."""
    machine = view.machine
    if machine is None or view.wanted.power is PowerState.RUNNING:
        return None
    if view.never_ran:
        # There is nothing on its disk that could be kept, and it may hold hardware.
        return Do(Step(Verb.DELETE, Part.MACHINE), OperationType.DEALLOCATE)
    if view.wanted.power is PowerState.STOPPED and machine.power is MachinePower.RUNNING:
        return Do(Step(Verb.STOP, Part.MACHINE), OperationType.STOP)
    on_hardware = machine.power in (MachinePower.RUNNING, MachinePower.STOPPED)
    if view.wanted.power is PowerState.DEALLOCATED and on_hardware:
        return _deallocation(view, machine)
    return None


def _deallocation(view: View, machine: Machine) -> Action:
    """Hibernate where the spec wants it; a host that could not, for whatever reason, is deallocated all the same."""
    failed = view.failure.operation if view.failure is not None else None
    is_wanted = view.host.spec.azure.hibernation and view.wanted.ended is None
    can = machine.power is MachinePower.RUNNING
    if is_wanted and can and failed not in (OperationType.HIBERNATE, OperationType.DEALLOCATE):
        return Do(Step(Verb.HIBERNATE, Part.MACHINE), OperationType.HIBERNATE)
    return Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE)


def power(view: View, now: datetime, end: datetime | None) -> Action:
    """The last rung; ``end`` is the next moment at which the host may end, so that somebody looks then."""
    machine = view.machine
    if machine is None or machine.power is MachinePower.UNKNOWN:
        return Wait(None, "The cloud does not say which power state the machine is in.")
    match view.wanted.power:
        case PowerState.RUNNING:
            return _running(view, machine, now, end)
        case PowerState.STOPPED:
            return _stopped(machine, end)
        case PowerState.DEALLOCATED:
            return _deallocated(view, end)


def _running(view: View, machine: Machine, now: datetime, end: datetime | None) -> Action:
    if machine.power is not MachinePower.RUNNING:
        return Do(Step(Verb.START, Part.MACHINE), OperationType.START)
    seen = view.observation.get(Part.MACHINE)
    if seen is not None and seen.state is PartState.FAILED:
        return Do(Step(Verb.ENSURE, Part.MACHINE), OperationType.UPDATE)
    spec, status = view.host.spec, view.host.status
    due = [
        (spec.reallocate_at, status.last_reallocate_time, Verb.DEALLOCATE, OperationType.REALLOCATE),
        (spec.restart_at, status.last_restart_time, Verb.RESTART, OperationType.RESTART),
    ]
    pending = [
        (asked, Do(Step(verb, Part.MACHINE), kind, write_ahead=True))
        for asked, answered, verb, kind in due
        if asked is not None and (answered is None or answered < asked)
    ]
    for asked, action in pending:
        if asked <= now and not is_satisfied(view, asked, action.operation):
            return action
    later = [asked for asked, _ in pending if asked > now] + ([end] if end is not None else [])
    return Settled("The host runs.", Reason.RUNNING, min(later, default=None))


def is_satisfied(view: View, asked: datetime, kind: OperationType) -> bool:
    """Whether a request was met by what happened anyway: the machine was made, started or moved after it."""
    status = view.host.status
    placement = status.placement
    machine = view.machine
    if machine is not None and machine.created_at is not None and machine.created_at >= asked:
        return True
    if placement is not None and placement.since is not None and placement.since >= asked:
        return True
    if kind is not OperationType.RESTART:
        return False
    started = status.last(OperationType.START)
    return (started is not None and started.end_time >= asked) or _restarted_unseen(view)


def _restarted_unseen(view: View) -> bool:
    """Whether a restart that was about to be asked for when the controller died has been carried out."""
    operation, machine = view.host.status.operation, view.machine
    if operation is None or operation.type is not OperationType.RESTART or machine is None:
        return False
    return machine.changed_at is not None and machine.changed_at >= operation.started_at


def _stopped(machine: Machine, end: datetime | None) -> Action:
    if machine.power is MachinePower.STOPPED:
        return Settled("The host is stopped; its hardware is kept and paid for.", Reason.STOPPED, end)
    # Only a started machine can be stopped with its hardware kept.
    return Do(Step(Verb.START, Part.MACHINE), OperationType.START)


def _deallocated(view: View, end: datetime | None) -> Action:
    if view.wanted.ended is not None:
        return Settled(f"The host is deallocated. {view.wanted.message}", view.wanted.ended, end)
    return Settled("The host is deallocated; its disk is kept.", Reason.DEALLOCATED, end)
