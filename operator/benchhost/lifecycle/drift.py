"""Rungs of the ladder for what of a machine does not agree with its spec, apart from its power state. Pure.

Called by ``decide``. What Azure fills in, drops, or writes in another case is no difference, and what an adopted
machine brought along stays.
"""

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.status import OperationType
from benchhost.cloud.machine import Machine, MachinePower, Observation, Owner, Part
from benchhost.cloud.provider import Step, Verb
from benchhost.cloud.tags import missing_tags, to_user_tags
from benchhost.lifecycle.actions import Action, Do
from benchhost.lifecycle.capacity import choose
from benchhost.lifecycle.view import View


def correction(view: View) -> Do | None:
    """The first step that brings the machine's model closer to the spec; None when they agree."""
    host, owner, observation, machine = view.host, view.owner, view.observation, view.machine
    if machine is None:
        return None
    if _model_differs(host, machine, owner, observation):
        return Do(Step(Verb.UPDATE, Part.MACHINE), OperationType.UPDATE)
    for lun in sorted(_too_small(host, machine, observation)):
        return Do(Step(Verb.ENSURE, Part.DATA_DISK, lun), OperationType.UPDATE)
    for lun in sorted(_left_over(host, machine, owner, observation)):
        return Do(Step(Verb.DELETE, Part.DATA_DISK, lun), OperationType.UPDATE)
    if missing_tags(machine.tags, to_user_tags(host.spec.azure.tags)):
        return Do(Step(Verb.TAG, Part.MACHINE), OperationType.UPDATE)
    return None


def _model_differs(host: BenchHost, machine: Machine, owner: Owner, observation: Observation) -> bool:
    return (
        _disks_differ(host, machine, owner, observation)
        or _identities_differ(host, machine)
        or machine.boot_diagnostics not in (None, host.spec.azure.boot_diagnostics)
    )


def _disks_differ(host: BenchHost, machine: Machine, owner: Owner, observation: Observation) -> bool:
    wanted = {disk.lun: disk for disk in host.spec.azure.data_disks}
    attached = {disk.lun: disk for disk in machine.data_disks}
    if wanted.keys() - attached.keys():
        return True
    own = {lun for lun, seen in observation.data_disks.items() if seen.owner == owner}
    if own & attached.keys() - wanted.keys():
        return True
    return any(attached[lun].caching not in (None, disk.caching) for lun, disk in wanted.items())


def _identities_differ(host: BenchHost, machine: Machine) -> bool:
    wanted = {identity.lower() for identity in host.spec.azure.identity_ids}
    if host.spec.adopt:
        return not wanted <= machine.identity_ids
    return wanted != machine.identity_ids


def _too_small(host: BenchHost, machine: Machine, observation: Observation) -> list[int]:
    """Disks that are known to be smaller than the spec says."""
    attached = {disk.lun: disk.size_gib for disk in machine.data_disks}
    found = []
    for disk in host.spec.azure.data_disks:
        seen = observation.data_disks.get(disk.lun)
        size = (seen.size_gib if seen is not None else None) or attached.get(disk.lun)
        if size is not None and size < disk.size_gib:
            found.append(disk.lun)
    return found


def _left_over(host: BenchHost, machine: Machine, owner: Owner, observation: Observation) -> list[int]:
    """Disks of ours that the spec does not name any more and that nothing holds."""
    kept = {disk.lun for disk in host.spec.azure.data_disks} | {disk.lun for disk in machine.data_disks}
    return [lun for lun, seen in observation.data_disks.items() if lun not in kept and seen.owner == owner]


def resized(view: View) -> Action | None:
    """A machine whose size is not in the list, or has no room; off its hardware first where Azure insists on it."""
    machine = view.machine
    if machine is None:
        return None
    turn = choose(view.host, machine)
    if turn.size.lower() == machine.size.lower():
        return None
    must_deallocate = view.failure is not None and view.failure.reason == Reason.DEALLOCATION_NEEDED
    if must_deallocate and machine.power in (MachinePower.RUNNING, MachinePower.STOPPED):
        return Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.RESIZE)
    return Do(Step(Verb.RESIZE, Part.MACHINE), OperationType.RESIZE)
