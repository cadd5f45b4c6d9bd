"""Decide the next step of a deletion: the machine, then what it leaves behind, each by name. Pure.

Called by ``decide`` for an object with a deletionTimestamp. It never touches what carries another owner's tags.
"""

from datetime import datetime

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.spec import DeletionPolicy
from benchhost.api.status import BenchHostStatus, OperationType
from benchhost.cloud.machine import Observation, Owner, Part, PartState
from benchhost.cloud.provider import Step, Verb
from benchhost.lifecycle.actions import Action, Do, Hold, Release, Wait
from benchhost.lifecycle.backoff import is_blocking


def never_reached_cloud(status: BenchHostStatus) -> bool:
    """Whether no request for this host can ever have been sent: the first one is recorded before it is made."""
    return status.operation is None and status.provider_id is None and not status.history


def decide_deletion(host: BenchHost, owner: Owner, observation: Observation, *, now: datetime) -> Action:
    """The next step towards nothing being left."""
    failure = host.status.failure
    if failure is not None and is_blocking(
        failure, generation=host.metadata.generation, now=now, operation=OperationType.DELETE
    ):
        return Hold(Reason.DELETION_BLOCKED, failure.message, wake_at=failure.next_attempt_at)
    if host.spec.paused:
        return Hold(Reason.PAUSED, "spec.paused is set: nothing is deleted in the cloud until it is unset.")
    retain = host.spec.deletion_policy is DeletionPolicy.RETAIN
    for part, lun in _in_order(observation):
        seen = observation.get(part, lun)
        if seen is None or seen.owner != owner:
            continue
        if seen.state is PartState.DELETING:
            return Wait(OperationType.DELETE, f"The cloud is deleting the {part}.")
        verb = Verb.RELEASE if retain else Verb.DELETE
        return Do(Step(verb, part, lun), OperationType.DELETE)
    return Release() if retain else _shared_network(owner, observation)


def _in_order(observation: Observation) -> list[tuple[Part, int | None]]:
    """Everything that belongs to one host alone: first what holds the rest."""
    disks = [(Part.DATA_DISK, lun) for lun in sorted(observation.data_disks)]
    return [(Part.MACHINE, None), (Part.INTERFACE, None), (Part.DISK, None), *disks, (Part.ADDRESS, None)]


def _shared_network(owner: Owner, observation: Observation) -> Action:
    """The network goes with the last host in it; one that we did not make, or that others use, stays."""
    seen = observation.get(Part.NETWORK)
    if seen is None or seen.owner is None or seen.owner.cluster != owner.cluster or seen.in_use:
        return Release()
    if seen.state is PartState.DELETING:
        return Wait(OperationType.DELETE, "The cloud is deleting the virtual network.")
    return Do(Step(Verb.DELETE, Part.NETWORK), OperationType.DELETE)
