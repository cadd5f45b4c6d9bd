"""Which hardware a host is on: a new epoch at each allocation, told from two observations. Pure.

The epoch must never stay the same across hardware; one too many does no harm.
"""

from datetime import datetime
from typing import Final

from benchhost.api.status import BenchHostStatus, Placement, PlacementReason
from benchhost.cloud.machine import Machine, MachinePower

_OFF_HARDWARE: Final = frozenset({MachinePower.DEALLOCATING, MachinePower.DEALLOCATED})


def next_placement(status: BenchHostStatus, machine: Machine | None, *, now: datetime) -> Placement | None:
    """The placement after this observation; the old one where nothing was allocated anew.

    Parameters
    ----------
    status
        The last status, with the power state, size and placement that were seen then.
    machine
        What is seen now. Without a machine the last epoch stays on record.
    now
        The moment of the observation; an allocation that it shows began no later.
    """
    if machine is None or machine.power is MachinePower.UNKNOWN:
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
        return PlacementReason.DELETED_OUT_OF_BAND
    was_off = status.power_state in _OFF_HARDWARE
    if was_off and machine.power not in _OFF_HARDWARE:
        asked = status.last_reallocate_time
        moved = asked is not None and placement.since is not None and asked > placement.since
        return PlacementReason.REALLOCATED if moved else PlacementReason.STARTED
    if not was_off and status.size is not None and status.size != machine.size:
        return PlacementReason.RESIZED
    return None
