"""Decide what one pass does: from the spec and a fresh observation, never from what an earlier pass meant to do.

Called by the reconciler once a pass. Pure: no clock, no I/O, no state. The ladder goes from what must hold first to
what comes last, and each rung answers at once when it applies.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from benchhost.api.conditions import Reason, to_reason
from benchhost.api.host import BenchHost
from benchhost.api.spec import DeletionPolicy
from benchhost.api.status import FailureClass, OperationType
from benchhost.cloud.machine import MachinePower, Observation, Owner, Part, PartState
from benchhost.cloud.provider import Step, Verb
from benchhost.lifecycle.actions import Action, Do, Hold, Remove, Wait
from benchhost.lifecycle.backoff import is_blocking
from benchhost.lifecycle.build import missing, not_owned_message, unmade
from benchhost.lifecycle.circumstances import NOTHING_KNOWN, Circumstances
from benchhost.lifecycle.deletion import decide_deletion
from benchhost.lifecycle.desired import desired, next_end
from benchhost.lifecycle.drift import correction, resized
from benchhost.lifecycle.placement import OFF_HARDWARE
from benchhost.lifecycle.power import power, powered_down
from benchhost.lifecycle.view import View

_MOVING: Final = frozenset({MachinePower.STARTING, MachinePower.STOPPING, MachinePower.DEALLOCATING})


def decide(
    host: BenchHost,
    owner: Owner,
    observation: Observation,
    *,
    now: datetime,
    circumstances: Circumstances = NOTHING_KNOWN,
) -> Action:
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
    circumstances
        What is neither in the object nor in the cloud.
    """
    if host.is_deleting:
        return decide_deletion(host, owner, observation, now=now)
    view = View(host, owner, observation, desired(host, circumstances, now=now))
    action = (
        _paused(view)
        or _over(view)
        or _not_ours(view)
        or _in_motion(view)
        or missing(view)
        or powered_down(view)
        or unmade(view)
        or resized(view)
        or correction(view)
        or power(view, now, next_end(host, circumstances, now=now))
    )
    return _unless_too_early(view, _with_loss_on_record(view, action), now)


def _with_loss_on_record(view: View, action: Action) -> Action:
    """A start is asked for only when status says that the machine was off its hardware.

    Once it runs nothing else tells, and the epoch would stay the same across two pieces of hardware.
    """
    if not isinstance(action, Do) or action.step.verb is not Verb.START or view.machine is None:
        return action
    is_unknown = view.machine.power in OFF_HARDWARE and view.host.status.power_state not in OFF_HARDWARE
    return replace(action, write_ahead=True) if is_unknown else action


def _unless_too_early(view: View, action: Action, now: datetime) -> Action:
    """Nothing is started before the failure in its way says so."""
    failure = view.host.status.failure
    if failure is None or not isinstance(action, Do):
        return action
    generation = view.host.metadata.generation
    if not is_blocking(failure, generation=generation, now=now, operation=action.operation):
        return action
    stalled = failure.failure_class in (FailureClass.TERMINAL, FailureClass.ADMIN)
    return Hold(to_reason(failure.reason), failure.message, stalled, failure.next_attempt_at)


def _paused(view: View) -> Action | None:
    if not view.host.spec.paused:
        return None
    return Hold(Reason.PAUSED, "spec.paused is set: the host is observed, and nothing is changed.")


def _over(view: View) -> Action | None:
    if not view.wanted.remove or view.wanted.ended is None or _would_run_on(view):
        return None
    return Remove(view.wanted.ended, view.wanted.message)


def _would_run_on(view: View) -> bool:
    """Whether a machine that is kept would be paid for with nobody to see it: its hardware is given back first."""
    is_kept = view.host.spec.deletion_policy is DeletionPolicy.RETAIN
    seen, machine = view.observation.get(Part.MACHINE), view.machine
    is_ours = seen is not None and seen.owner == view.owner
    return is_kept and is_ours and machine is not None and machine.power is not MachinePower.DEALLOCATED


def _not_ours(view: View) -> Action | None:
    seen = view.observation.get(Part.MACHINE)
    if seen is None or seen.owner == view.owner:
        return None
    if seen.owner is None and view.host.spec.adopt:
        # From the tags on it is ours: a deletion has to know of it even if nobody hears of the answer.
        return Do(Step(Verb.TAG, Part.MACHINE), OperationType.UPDATE, write_ahead=True)
    return Hold(Reason.NOT_OWNED, not_owned_message(seen), stalled=True)


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
