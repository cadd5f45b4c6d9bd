"""Whether the guest has to be asked on its readiness port, and what is said of it and of its host keys. Pure.

Called by ``summary`` for the condition, and by the reconciler, which lets the port be tried while it is awaited.
"""

from datetime import datetime, timedelta

from benchhost.api.conditions import ConditionStatus, Reason
from benchhost.api.host import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.api.spec import PowerState
from benchhost.api.status import BenchHostStatus, OperationType
from benchhost.cloud.machine import MachinePower
from benchhost.lifecycle.host_keys import are_keys_awaited, known_host_keys

Row = tuple[ConditionStatus, Reason, str]
"""Status, reason and message of a condition."""

_STARTS = (OperationType.PROVISION, OperationType.START, OperationType.RESTART, OperationType.REALLOCATE)


def is_awaited(host: BenchHost, status: BenchHostStatus) -> bool:
    """Whether the port is to be tried now: the host runs, nothing is under way, and it has not answered yet."""
    wanted = host.spec.readiness is not None and host.spec.power_state is PowerState.RUNNING and not host.is_deleting
    runs = status.power_state == MachinePower.RUNNING and status.operation is None
    return wanted and runs and status.reached_at is None and status.ssh_endpoint is not None


def overdue_at(host: BenchHost, status: BenchHostStatus) -> datetime | None:
    """When a host without an answer, or without its keys, counts as unreachable; None while nothing is awaited."""
    readiness, since = host.spec.readiness, _awaited_since(host, status)
    if readiness is None or since is None:
        return None
    return since + timedelta(seconds=readiness.timeout_seconds)


def port_of(host: BenchHost) -> int:
    """The readiness port: the one that the spec names for it, else the SSH port."""
    readiness = host.spec.readiness
    given = readiness.tcp_port if readiness is not None else None
    return given if given is not None else host.spec.azure.admin.ssh_port


def boot_of(status: BenchHostStatus) -> str:
    """What changes with every start of the guest, so that an answer from before does not count."""
    epoch = status.placement.epoch if status.placement else 0
    since = _running_since(status)
    return f"{epoch}/{to_timestamp(since) if since else ''}"


def reachable(host: BenchHost, status: BenchHostStatus, *, now: datetime) -> Row | None:
    """The Reachable condition; absent where nothing is awaited or the host is not to run."""
    readiness = host.spec.readiness
    if readiness is None or host.spec.power_state is not PowerState.RUNNING or host.is_deleting:
        return None
    if status.reached_at is not None:
        return _answered(host, status, status.reached_at, now=now)
    if status.power_state != MachinePower.RUNNING:
        return (ConditionStatus.FALSE, Reason.PENDING, "The host does not run.")
    if status.ssh_endpoint is None:
        return (ConditionStatus.FALSE, Reason.UNREACHABLE, "The host has no address.")
    where = f"Port {port_of(host)} at {status.ssh_endpoint.host}"
    if _is_overdue(host, status, now):
        return (ConditionStatus.FALSE, Reason.UNREACHABLE, _overdue(where, readiness.timeout_seconds))
    return (ConditionStatus.FALSE, Reason.PENDING, f"{where} has not answered yet.")


def _answered(host: BenchHost, status: BenchHostStatus, reached_at: datetime, *, now: datetime) -> Row:
    """What is said of a guest that has answered: whether its host keys are there, where they are asked for."""
    port, readiness = port_of(host), host.spec.readiness
    answered = f"Port {port} answered at {to_timestamp(reached_at.replace(microsecond=0))}."
    if readiness is None or not readiness.host_keys:
        return (ConditionStatus.TRUE, Reason.REACHABLE, answered)
    if known_host_keys(status.ssh_host_keys):
        told = f"{answered} The SSH host keys are known (status.sshEndpoint.hostKeys)."
        return (ConditionStatus.TRUE, Reason.REACHABLE, told)
    if _is_overdue(host, status, now):
        return (ConditionStatus.FALSE, Reason.UNREACHABLE, _keys_overdue(port, readiness.timeout_seconds))
    return (ConditionStatus.FALSE, Reason.PENDING, _keys_awaited(port))


def _overdue(where: str, seconds: int) -> str:
    return (
        f"{where} has not answered within {seconds} s of the host's start and is still tried; "
        "check the image, the network security group, and the way from the controller to the address."
    )


def _keys_awaited(port: int) -> str:
    return (
        f"Port {port} answers; the host's SSH keys are not on its serial console yet. "
        "cloud-init prints them there after every script of the first boot."
    )


def _keys_overdue(port: int, seconds: int) -> str:
    return (
        f"Port {port} answers, but the host's SSH keys were not found on its serial console within {seconds} s after "
        "that; it is still read every minute. Check that the image's cloud-init prints them (keys_to_console), "
        "that no script of the first boot still runs, and that the credentials may read boot diagnostics; "
        "or do without: set spec.readiness.hostKeys: false."
    )


def _is_overdue(host: BenchHost, status: BenchHostStatus, now: datetime) -> bool:
    due = overdue_at(host, status)
    return due is not None and due <= now


def _awaited_since(host: BenchHost, status: BenchHostStatus) -> datetime | None:
    """Since when an answer of the guest is awaited, or its keys; None while neither is."""
    if is_awaited(host, status):
        return _running_since(status)
    record = status.ssh_host_keys
    return record.awaited_since if record is not None and are_keys_awaited(host, status) else None


def _running_since(status: BenchHostStatus) -> datetime | None:
    """The end of the last start, by the cloud's clock; the epoch's beginning where history has none."""
    ends = [entry.end_time for entry in status.history if entry.type in _STARTS]
    if status.placement is not None and status.placement.since is not None:
        ends.append(status.placement.since)
    return max(ends, default=None)
