"""Whose SSH host keys are known, and whether they have to be read. Pure.

Called by ``report`` for the record in status, by ``readiness`` for the condition, and by the controller, which lets the
serial console be read while they are awaited. Host keys belong to a disk: a machine keeps them for its life, unless its
disk is ephemeral and it has moved.
"""

from datetime import datetime

from benchhost.api.host import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.api.spec import PowerState
from benchhost.api.status import BenchHostStatus, SshHostKeys
from benchhost.cloud.machine import MachinePower


def next_host_keys(
    host: BenchHost, status: BenchHostStatus, *, vm_id: str, found: tuple[str, ...], now: datetime
) -> SshHostKeys | None:
    """The record after a look at the machine.

    Parameters
    ----------
    host
        The object with the last status.
    status
        The new status, as far as it tells of power, placement and answers.
    vm_id
        Of the machine that is seen now.
    found
        What the console showed to whoever waited for what the last status says; empty where nothing was found.
    now
        The moment of the look.
    """
    known = host.status.ssh_host_keys
    if not wants_host_keys(host):
        return None  # asked for again later, they are read anew
    if known is not None and known.vm_id != vm_id:
        known = None
    epoch = status.placement.epoch if status.placement is not None else 0
    if known is not None and known.epoch != epoch and host.spec.azure.os_disk.ephemeral:
        # The old keys stay on record so that they are not taken for the new ones: a console shows them for a while.
        known, found = known.model_copy(update={"epoch": epoch, "awaited_since": now}), ()
    if known is not None and known.awaited_since is None:
        return known
    if known is not None and found:
        return known.model_copy(update={"keys": list(found), "awaited_since": None})
    if status.reached_at is None:
        return known if known is not None and known.keys else None  # the time to wait begins with the answer
    return known or SshHostKeys(vm_id=vm_id, epoch=epoch, awaited_since=now)


def wants_host_keys(host: BenchHost) -> bool:
    """Whether somebody has asked for them."""
    return host.spec.readiness is not None and host.spec.readiness.host_keys


def known_host_keys(record: SshHostKeys | None) -> list[str]:
    """The keys of the machine on record; none while they are awaited."""
    return list(record.keys) if record is not None and record.awaited_since is None else []


def are_keys_awaited(host: BenchHost, status: BenchHostStatus) -> bool:
    """Whether the console is to be read now: the guest has answered, nothing is under way, and they are not known."""
    record = status.ssh_host_keys
    is_wanted = wants_host_keys(host) and host.spec.power_state is PowerState.RUNNING and not host.is_deleting
    runs = status.power_state == MachinePower.RUNNING and status.operation is None and status.reached_at is not None
    return is_wanted and runs and record is not None and record.awaited_since is not None


def wait_of(status: BenchHostStatus) -> str:
    """What changes whenever other keys are awaited than before."""
    record = status.ssh_host_keys
    if record is None or record.awaited_since is None:
        return ""
    return f"{record.vm_id}/{record.epoch}/{to_timestamp(record.awaited_since)}"
