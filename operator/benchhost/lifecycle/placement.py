"""Which hardware a host is on, and whether it was taken away: told from two observations. Pure.

The epoch must never stay the same across hardware; one too many does no harm.
"""

from datetime import datetime
from typing import Final

from benchhost.api.host import BenchHost
from benchhost.api.spec import PowerState
from benchhost.api.status import BenchHostStatus, OperationType, Placement, PlacementReason
from benchhost.cloud.machine import Machine, MachinePower, Observation, Part, PartState
from benchhost.lifecycle.circumstances import Circumstances
from benchhost.lifecycle.desired import desired

_ON_HARDWARE: Final = frozenset(
    {MachinePower.STARTING, MachinePower.RUNNING, MachinePower.STOPPING, MachinePower.STOPPED}
)
_GIVES_UP: Final = frozenset(
    {
        OperationType.HIBERNATE,
        OperationType.DEALLOCATE,
        OperationType.REALLOCATE,
        OperationType.RESIZE,
        OperationType.DELETE,
    }
)
"""Operations of ours that take a machine off its hardware."""
OFF_HARDWARE: Final = frozenset({MachinePower.DEALLOCATING, MachinePower.DEALLOCATED})
"""Whoever was seen like this gets hardware anew, whatever comes next."""


def next_placement(status: BenchHostStatus, observation: Observation, *, now: datetime) -> Placement | None:
    """The placement after this observation; the old one where nothing was allocated anew.

    Parameters
    ----------
    status
        The last status, with the power state, size and placement that were seen then.
    observation
        What is seen now. The last epoch stays on record without a machine, and while a new one is made: its creation
        may fail, and then it has never been placed.
    now
        The moment of the observation; an allocation that it shows began no later.
    """
    machine, seen = observation.machine, observation.get(Part.MACHINE)
    if machine is None or seen is None or machine.power is MachinePower.UNKNOWN:
        return status.placement
    is_known = status.placement is not None and status.placement.vm_id == machine.vm_id
    if not is_known and seen.state in (PartState.PENDING, PartState.DELETING):
        return status.placement
    reason = _why_new(status, machine)
    if reason is None:
        return status.placement
    epoch = status.placement.epoch if status.placement else 0
    return Placement(epoch=epoch + 1, since=now, vm_id=machine.vm_id, reason=reason)


def _why_new(status: BenchHostStatus, machine: Machine) -> PlacementReason | None:
    placement = status.placement
    if placement is None:
        return PlacementReason.CREATED
    if placement.vm_id != machine.vm_id:
        return PlacementReason.EVICTED if status.evicted_at else PlacementReason.DELETED_OUT_OF_BAND
    if machine.power in OFF_HARDWARE:
        return None
    if status.power_state in OFF_HARDWARE:
        if status.evicted_at:
            return PlacementReason.EVICTED
        asked = status.last_reallocate_time
        moved = asked is not None and placement.since is not None and asked > placement.since
        return PlacementReason.REALLOCATED if moved else PlacementReason.STARTED
    if status.size is not None and status.size.lower() != machine.size.lower():
        return PlacementReason.RESIZED
    return None


def next_eviction(
    host: BenchHost, machine: Machine | None, circumstances: Circumstances, *, now: datetime
) -> datetime | None:
    """When a spot host lost its capacity, as far as this observation shows; None once it runs.

    Azure's API does not say that it was an eviction, so it is one when a spot host that was on hardware is not any
    more, and nobody here has asked for that. Somebody's own deallocation looks the same.
    """
    status = host.status
    if machine is not None and machine.power is MachinePower.RUNNING:
        return None
    if status.evicted_at is not None or host.spec.azure.spot is None or host.is_deleting:
        return status.evicted_at
    is_off = machine is None or machine.power is MachinePower.DEALLOCATED
    asked_for = status.operation is not None and status.operation.type in _GIVES_UP
    wanted_off = desired(host, circumstances, now=now).power is PowerState.DEALLOCATED
    was_on = status.power_state in _ON_HARDWARE and status.placement is not None
    return now if is_off and was_on and not asked_for and not wanted_off else None
