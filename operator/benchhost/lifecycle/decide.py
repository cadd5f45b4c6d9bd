"""Decide what one pass does: from the spec and a fresh observation, never from what an earlier pass meant to do.

Called by the reconciler once a pass. Pure: no clock, no I/O, no state. The ladder goes from what must hold first to
what comes last, and each rung answers at once when it applies.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchhost.api.azure import AzureSpec, PublicAddress
from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.spec import PowerState
from benchhost.api.status import FailureClass, OperationType
from benchhost.cloud.machine import Machine, MachinePower, Observation, ObservedPart, Owner, Part, PartState
from benchhost.cloud.provider import Step, Verb
from benchhost.lifecycle.actions import Action, Do, Hold, Settled, Wait
from benchhost.lifecycle.backoff import is_blocking
from benchhost.lifecycle.deletion import decide_deletion

_MOVING: Final = frozenset({MachinePower.STARTING, MachinePower.STOPPING, MachinePower.DEALLOCATING})


@dataclass(frozen=True, slots=True)
class View:
    """Everything a decision rests on."""

    host: BenchHost
    owner: Owner
    observation: Observation

    @property
    def machine(self) -> Machine | None:
        """The machine as the cloud sees it, or None."""
        return self.observation.machine


def required_parts(azure: AzureSpec) -> tuple[Part, ...]:
    """What has to exist before the machine can, in the order in which it is made; the machine comes last."""
    network = azure.network
    parts = [
        (Part.NETWORK, network.virtual_network is not None and network.virtual_network.create),
        (Part.ADDRESS, network.public_address is PublicAddress.STATIC),
        (Part.INTERFACE, True),
        (Part.MACHINE, True),
    ]
    return tuple(part for part, needed in parts if needed)


def choose_size(host: BenchHost, current: str | None) -> str:
    """The size to ask for: the one it has while the list still names it, else the list's turn.

    After each failure for lack of capacity the next of the list has its turn; a new generation starts at the first.
    """
    sizes = host.spec.azure.sizes
    if current is not None and current in sizes:
        return current
    failure = host.status.failure
    if failure is None or failure.generation != host.metadata.generation:
        return sizes[0]
    turn = failure.count if failure.failure_class is FailureClass.CAPACITY else 0
    return sizes[turn % len(sizes)]


def decide(host: BenchHost, owner: Owner, observation: Observation, *, now: datetime) -> Action:
    """The one thing to do next.

    Parameters
    ----------
    host
        The object with its last status.
    owner
        What the tags of the host's own resources say.
    observation
        The cloud as it is now.
    now
        The moment of the decision.
    """
    view = View(host, owner, observation)
    if host.is_deleting:
        return decide_deletion(host, owner, observation, now=now)
    return (
        _paused(view)
        or _too_early(view, now)
        or _not_ours(view)
        or _in_motion(view)
        or _missing(view)
        or _out_of_date(view)
        or _power(view, now)
    )


def _paused(view: View) -> Action | None:
    if not view.host.spec.paused:
        return None
    return Hold(Reason.PAUSED, "spec.paused is set: the host is observed, and nothing is changed.")


def _too_early(view: View, now: datetime) -> Action | None:
    failure = view.host.status.failure
    if failure is None or not is_blocking(failure, generation=view.host.metadata.generation, now=now):
        return None
    stalled = failure.failure_class in (FailureClass.TERMINAL, FailureClass.ADMIN)
    return Hold(Reason(failure.reason), failure.message, stalled, failure.next_attempt_at)


def _not_ours(view: View) -> Action | None:
    seen = view.observation.get(Part.MACHINE)
    if seen is None or seen.owner == view.owner:
        return None
    if seen.owner is None and view.host.spec.adopt:
        return Do(Step(Verb.TAG, Part.MACHINE), OperationType.UPDATE)
    return Hold(Reason.NOT_OWNED, _not_owned_message(seen), stalled=True)


def _not_owned_message(seen: ObservedPart) -> str:
    if seen.owner is None:
        return (
            f"{seen.resource_id} exists already and was not made by this controller; "
            "set spec.adopt: true to take it over, or choose another spec.azure.name."
        )
    return (
        f"{seen.resource_id} belongs to BenchHost {seen.owner.namespace}/{seen.owner.name} "
        "(another object or cluster); choose another spec.azure.name."
    )


def _in_motion(view: View) -> Action | None:
    seen = view.observation.get(Part.MACHINE)
    if seen is None:
        return None
    under_way = view.host.status.operation
    kind = under_way.type if under_way else None
    if seen.state in (PartState.PENDING, PartState.DELETING):
        return Wait(kind, f"The cloud is still working on the machine ({seen.state}).")
    if view.machine is not None and view.machine.power in _MOVING:
        return Wait(kind, f"The machine is {view.machine.power}.")
    return None


def _missing(view: View) -> Action | None:
    if view.machine is not None:
        return None
    if view.host.spec.power_state is not PowerState.RUNNING:
        return Settled(
            "No machine exists, so nothing runs and nothing is paid for; "
            "it is made when spec.powerState becomes Running.",
            Reason.DEALLOCATED,
        )
    for part in required_parts(view.host.spec.azure):
        action = _build(view, part)
        if action is not None:
            return action
    raise AssertionError("unreachable: the machine is a required part and is missing")


def _build(view: View, part: Part) -> Action | None:
    seen = view.observation.get(part)
    if seen is not None and part is not Part.NETWORK and seen.owner != view.owner:
        return Hold(Reason.NOT_OWNED, _not_owned_message(seen), stalled=True)
    if seen is not None and seen.state is PartState.READY:
        return None
    if seen is not None and seen.state in (PartState.PENDING, PartState.DELETING):
        return Wait(OperationType.PROVISION, f"The cloud is still working on the {part}.")
    return Do(Step(Verb.ENSURE, part), OperationType.PROVISION, write_ahead=_is_first(view))


def _is_first(view: View) -> bool:
    """Whether nothing was asked of the cloud yet: from then on a deletion has to look there."""
    operation = view.host.status.operation
    return operation is None or operation.type is not OperationType.PROVISION


def _out_of_date(view: View) -> Action | None:
    """A machine whose creation failed, whose size is not in the list, or that lacks a tag."""
    machine = view.machine
    seen = view.observation.get(Part.MACHINE)
    if machine is None or seen is None:
        return None
    if seen.state is PartState.FAILED and machine.power is MachinePower.UNKNOWN:
        return Do(Step(Verb.ENSURE, Part.MACHINE), OperationType.PROVISION)
    if machine.size not in view.host.spec.azure.sizes:
        return Do(Step(Verb.RESIZE, Part.MACHINE), OperationType.RESIZE)
    wanted = view.host.spec.azure.tags
    if any(machine.tags.get(name) != value for name, value in wanted.items()):
        return Do(Step(Verb.TAG, Part.MACHINE), OperationType.UPDATE)
    return None


def _power(view: View, now: datetime) -> Action:
    machine = view.machine
    if machine is None or machine.power is MachinePower.UNKNOWN:
        return Wait(None, "The cloud does not say which power state the machine is in.")
    match view.host.spec.power_state:
        case PowerState.RUNNING:
            return _running(view, machine, now)
        case PowerState.STOPPED:
            return _stopped(machine)
        case PowerState.DEALLOCATED:
            return _deallocated(machine)


def _running(view: View, machine: Machine, now: datetime) -> Action:
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
    later = [asked for asked, _ in pending if asked > now]
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


def _stopped(machine: Machine) -> Action:
    if machine.power is MachinePower.STOPPED:
        return Settled("The host is stopped; its hardware is kept and paid for.", Reason.STOPPED)
    if machine.power is MachinePower.RUNNING:
        return Do(Step(Verb.STOP, Part.MACHINE), OperationType.STOP)
    # Only a started machine can be stopped with its hardware kept.
    return Do(Step(Verb.START, Part.MACHINE), OperationType.START)


def _deallocated(machine: Machine) -> Action:
    if machine.power is MachinePower.DEALLOCATED:
        return Settled("The host is deallocated; its disk is kept.", Reason.DEALLOCATED)
    return Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE)
