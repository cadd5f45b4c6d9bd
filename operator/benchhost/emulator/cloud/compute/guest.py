"""What happened inside a machine as far as its serial console would tell: boots, resumes, shutdowns.

`lifecycle` notes what an operation has done; `serial_log` turns it into text. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.operations import Operation, OperationKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.errors import ArmError

BOOTING_FROM = 0.4
PROVISIONED_FROM = 0.85
"""At which part of a create the guest boots and has provisioned itself; assumption, the recordings only show
that such states exist."""

MAX_EVENTS = 100
"""How many events are kept; Azure overwrites the log when it exceeds 1 GB (doc: boot-diagnostics), far later."""

MAX_LINES = 200
"""How many lines of the guest's own are kept, for the same reason."""


class GuestEventKind(StrEnum):
    """What the guest did."""

    PROVISION = "provision"
    BOOT = "boot"
    RESUME = "resume"
    SHUTDOWN = "shutdown"
    HIBERNATE = "hibernate"


@dataclass(frozen=True, slots=True)
class GuestEvent:
    """One thing that the guest did.

    Parameters
    ----------
    kind
        What it was.
    began, ended
        Seconds since 1970.
    failure
        Code and message of the error that ended it, if one did.
    """

    kind: GuestEventKind
    began: float
    ended: float
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """What the guest itself has written to its serial console.

    Parameters
    ----------
    at
        Seconds since 1970.
    text
        A line, as it is.
    """

    at: float
    text: str


_BOOTING = frozenset(
    {
        OperationKind.CREATE_MACHINE,
        OperationKind.START_STOPPED,
        OperationKind.START_DEALLOCATED,
        OperationKind.RESTART,
        OperationKind.REDEPLOY,
        OperationKind.RESIZE_RUNNING_MACHINE,
    }
)
_REPROVISIONING = frozenset({OperationKind.REDEPLOY, OperationKind.RESIZE_RUNNING_MACHINE})
"""After these an ephemeral OS disk is made anew (doc: ephemeral-os-disks)."""

_GUEST_FAILURES = ("OSProvisioning", "VMStart", "VMAgent")
"""How codes of errors begin that come from a guest which did run."""


def event_of(machine: VirtualMachine, operation: Operation, *, failure: str | None = None) -> GuestEvent | None:
    """Return what an operation does to the guest, whether it is over or not; None for nothing."""
    kind = _kind_of(machine, operation.kind)
    if kind is None:
        return None
    whole = operation.due - operation.started
    is_boot = operation.kind in _BOOTING
    began = operation.started + (BOOTING_FROM * whole if is_boot else 0.0)
    return GuestEvent(kind, began=began, ended=operation.due, failure=failure)


def note_success(machine: VirtualMachine, operation: Operation) -> None:
    """Remember what an operation that has succeeded did to the guest."""
    event = event_of(machine, operation)
    _remember(machine, event)
    if event is not None and event.kind is GuestEventKind.PROVISION:
        machine.is_provisioned = True
        machine.provisionings += 1


def note_restart(machine: VirtualMachine, now: float) -> None:
    """Remember a boot that no operation was about: the guest has restarted itself."""
    _remember(machine, GuestEvent(GuestEventKind.BOOT, began=now, ended=now))


def note_shutdown(machine: VirtualMachine, now: float) -> None:
    """Remember that the guest has shut itself down."""
    _remember(machine, GuestEvent(GuestEventKind.SHUTDOWN, began=now, ended=now))


def note_lines(machine: VirtualMachine, lines: Iterable[str], at: float) -> None:
    """Remember what the guest itself has written to its console."""
    machine.console_lines += (ConsoleLine(at, line) for line in lines)
    del machine.console_lines[:-MAX_LINES]


def last_boot(machine: VirtualMachine) -> GuestEvent | None:
    """Return the boot that brought the guest up, None where it never was or has gone down since."""
    last = machine.guest_events[-1] if machine.guest_events else None
    is_boot = last is not None and last.kind not in (GuestEventKind.SHUTDOWN, GuestEventKind.HIBERNATE)
    return last if is_boot else None


def note_failure(machine: VirtualMachine, operation: Operation, error: ArmError) -> None:
    """Remember a guest that did not come up; an error before any guest ran is none of its."""
    if error.code.startswith(_GUEST_FAILURES):
        _remember(machine, event_of(machine, operation, failure=f"{error.code}: {error.message}"))


def _remember(machine: VirtualMachine, event: GuestEvent | None) -> None:
    if event is not None:
        machine.guest_events.append(event)
        del machine.guest_events[:-MAX_EVENTS]


def _kind_of(machine: VirtualMachine, kind: OperationKind) -> GuestEventKind | None:
    if kind in (OperationKind.POWER_OFF, OperationKind.DEALLOCATE):
        return GuestEventKind.SHUTDOWN if _is_up(machine) else None
    if kind is OperationKind.HIBERNATE:
        return GuestEventKind.HIBERNATE
    if kind not in _BOOTING:
        return None
    if machine.is_hibernated:
        return GuestEventKind.RESUME
    is_lost = kind in _REPROVISIONING and machine.has_ephemeral_disk
    return GuestEventKind.BOOT if machine.is_provisioned and not is_lost else GuestEventKind.PROVISION


def _is_up(machine: VirtualMachine) -> bool:
    return last_boot(machine) is not None
