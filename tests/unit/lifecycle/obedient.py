"""A cloud without time that does what it is told: an observation and a step give the next observation. Pure.

It is no stand-in for a cloud's promises (``FakeCloud`` is that): it shows whether decisions that are all obeyed ever
come to an end. What is moving stops, what is asked for is there, and what was failed is mended.
"""

from dataclasses import replace
from datetime import datetime

from benchhost.api import BenchHost
from benchhost.cloud import (
    AttachedDisk,
    Machine,
    MachinePower,
    Observation,
    ObservedPart,
    Owner,
    Part,
    PartState,
    Step,
    Verb,
)
from benchhost.lifecycle import choose
from support.builders import machine

_RESTS = {
    MachinePower.STARTING: MachinePower.RUNNING,
    MachinePower.STOPPING: MachinePower.STOPPED,
    MachinePower.DEALLOCATING: MachinePower.DEALLOCATED,
    MachinePower.UNKNOWN: MachinePower.RUNNING,
}
_POWER = {
    Verb.START: MachinePower.RUNNING,
    Verb.STOP: MachinePower.STOPPED,
    Verb.DEALLOCATE: MachinePower.DEALLOCATED,
    Verb.HIBERNATE: MachinePower.DEALLOCATED,
    Verb.RESTART: MachinePower.RUNNING,
}


def come_to_rest(seen: Observation) -> Observation:
    """Everything that was under way has ended well."""
    parts = {part: _settled(one) for part, one in seen.parts.items() if one.state is not PartState.DELETING}
    disks = {lun: _settled(one) for lun, one in seen.data_disks.items() if one.state is not PartState.DELETING}
    resting = seen.machine if Part.MACHINE in parts else None
    if resting is not None and (seen.parts[Part.MACHINE].state is PartState.PENDING or resting.power in _RESTS):
        resting = replace(resting, power=_RESTS.get(resting.power, resting.power))
    return replace(seen, parts=parts, machine=resting, data_disks=disks)


def _settled(one: ObservedPart) -> ObservedPart:
    return replace(one, state=PartState.READY) if one.state is PartState.PENDING else one


def obey(host: BenchHost, owner: Owner, seen: Observation, *, step: Step, now: datetime) -> Observation:
    """The world after a step that was carried out at once."""
    match step.verb:
        case Verb.ENSURE:
            return _made(host, owner, seen, step)
        case Verb.DELETE:
            return _without(seen, step)
        case Verb.RELEASE:
            return _with(seen, step, replace(_required(seen, step), owner=None))
        case _:
            assert seen.machine is not None
            return replace(
                _with(seen, step, replace(seen.parts[Part.MACHINE], state=PartState.READY, owner=owner)),
                machine=replace(_changed(host, seen.machine, step), changed_at=now),
            )


def _changed(host: BenchHost, before: Machine, step: Step) -> Machine:
    azure = host.spec.azure
    if step.verb is Verb.RESIZE:
        return replace(before, size=choose(host, before).size)
    if step.verb is Verb.TAG:
        return replace(before, tags={**before.tags, **azure.tags})
    if step.verb is Verb.UPDATE:
        disks = tuple(
            AttachedDisk(disk.lun, f"/subscriptions/s/{disk.lun}", disk.size_gib) for disk in azure.data_disks
        )
        return replace(before, data_disks=disks)
    return replace(before, power=_POWER[step.verb])


def _made(host: BenchHost, owner: Owner, seen: Observation, step: Step) -> Observation:
    shared = replace(owner, namespace="", name="", uid="")
    new = ObservedPart("/subscriptions/s/new", PartState.READY, shared if step.part is Part.NETWORK else owner)
    if step.part is Part.DATA_DISK and step.lun is not None:
        wanted = {disk.lun: disk.size_gib for disk in host.spec.azure.data_disks}
        return replace(seen, data_disks={**seen.data_disks, step.lun: replace(new, size_gib=wanted[step.lun])})
    made = _with(seen, step, new)
    if step.part is not Part.MACHINE:
        return made
    size = choose(host, None).size
    if seen.machine is not None:
        power = _RESTS.get(seen.machine.power, seen.machine.power)
        return replace(made, machine=replace(seen.machine, power=power))
    return replace(made, machine=machine(size=size, tags=dict(host.spec.azure.tags), vm_id="vm-new"))


def _with(seen: Observation, step: Step, one: ObservedPart) -> Observation:
    if step.part is Part.DATA_DISK and step.lun is not None:
        return replace(seen, data_disks={**seen.data_disks, step.lun: one})
    return seen.with_part(step.part, one)


def _without(seen: Observation, step: Step) -> Observation:
    if step.part is Part.DATA_DISK:
        return replace(seen, data_disks={lun: one for lun, one in seen.data_disks.items() if lun != step.lun})
    parts = {part: one for part, one in seen.parts.items() if part is not step.part}
    return replace(seen, parts=parts, machine=None if step.part is Part.MACHINE else seen.machine)


def _required(seen: Observation, step: Step) -> ObservedPart:
    one = seen.get(step.part, step.lun)
    assert one is not None
    return one
