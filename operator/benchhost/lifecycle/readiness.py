"""Whether the guest has to be asked on its readiness port, and what is said of it. Pure.

Called by ``summary`` for the condition, and by the reconciler, which lets the port be tried while it is awaited.
"""

from datetime import datetime, timedelta

from benchhost.api.conditions import ConditionStatus, Reason
from benchhost.api.host import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.api.spec import PowerState
from benchhost.api.status import BenchHostStatus, OperationType
from benchhost.cloud.machine import MachinePower

_STARTS = (OperationType.PROVISION, OperationType.START, OperationType.RESTART, OperationType.REALLOCATE)


def is_awaited(host: BenchHost, status: BenchHostStatus) -> bool:
    """Whether the port is to be tried now: the host runs, nothing is under way, and it has not answered yet."""
    wanted = host.spec.readiness is not None and host.spec.power_state is PowerState.RUNNING and not host.is_deleting
    runs = status.power_state == MachinePower.RUNNING and status.operation is None
    return wanted and runs and status.reached_at is None and status.ssh_endpoint is not None


def overdue_at(host: BenchHost, status: BenchHostStatus) -> datetime | None:
    """When a host that has not answered counts as unreachable; None while nothing is awaited."""
    readiness, since = host.spec.readiness, _running_since(status)
    if readiness is None or since is None or not is_awaited(host, status):
        return None
    return since + timedelta(seconds=readiness.timeout_seconds)


def boot_of(status: BenchHostStatus) -> str:
    """What changes with every start of the guest, so that an answer from before does not count."""
    epoch = status.placement.epoch if status.placement else 0
    since = _running_since(status)
    return f"{epoch}/{to_timestamp(since) if since else ''}"


def reachable(host: BenchHost, status: BenchHostStatus, *, now: datetime) -> tuple[ConditionStatus, Reason, str] | None:
    """The Reachable condition; absent where nothing is awaited or the host is not to run."""
    readiness = host.spec.readiness
    if readiness is None or host.spec.power_state is not PowerState.RUNNING or host.is_deleting:
        return None
    port = readiness.tcp_port
    if status.reached_at is not None:
        return (
            ConditionStatus.TRUE,
            Reason.REACHABLE,
            f"Port {port} answered at {to_timestamp(status.reached_at.replace(microsecond=0))}.",
        )
    if status.power_state != MachinePower.RUNNING:
        return (ConditionStatus.FALSE, Reason.PENDING, "The host does not run.")
    if status.ssh_endpoint is None:
        return (ConditionStatus.FALSE, Reason.UNREACHABLE, "The host has no address.")
    due = overdue_at(host, status)
    where = f"Port {port} at {status.ssh_endpoint.host}"
    if due is not None and due <= now:
        return (
            ConditionStatus.FALSE,
            Reason.UNREACHABLE,
            _overdue(where, readiness.timeout_seconds),
        )
    return (ConditionStatus.FALSE, Reason.PENDING, f"{where} has not answered yet.")


def _overdue(where: str, seconds: int) -> str:
    return (
        f"{where} has not answered within {seconds} s of the host's start and is still tried; "
        "check the image, the network security group, and the way from the controller to the address."
    )


def _running_since(status: BenchHostStatus) -> datetime | None:
    """The end of the last start, by the cloud's clock; the epoch's beginning where history has none."""
    ends = [entry.end_time for entry in status.history if entry.type in _STARTS]
    if status.placement is not None and status.placement.since is not None:
        ends.append(status.placement.since)
    return max(ends, default=None)
