"""Power actions on virtual machines: which are allowed when, and what each begins."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.ephemeral import require_stoppable
from benchhost.emulator.cloud.compute.guest import note_shutdown
from benchhost.emulator.cloud.compute.hibernation import require_hibernatable
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.context import touch
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.allocation import Allocator
    from benchhost.emulator.cloud.context import Context


class PowerAction(StrEnum):
    """The actions, by their last word in the URL."""

    START = "start"
    POWER_OFF = "powerOff"
    RESTART = "restart"
    DEALLOCATE = "deallocate"
    REDEPLOY = "redeploy"
    REAPPLY = "reapply"


PREEMPTING = frozenset({PowerAction.POWER_OFF, PowerAction.DEALLOCATE})
"""Actions that push a create aside instead of being refused."""

_NEED_HARDWARE = frozenset({OperationKind.CREATE_MACHINE, OperationKind.START_DEALLOCATED, OperationKind.REDEPLOY})
"""Operations that ask for hardware anew (doc: allocation-failure)."""

_STATE_MEANWHILE = {
    OperationKind.START_STOPPED: PowerState.STARTING,
    OperationKind.START_DEALLOCATED: PowerState.STARTING,
    OperationKind.RESTART: PowerState.STARTING,
    OperationKind.REDEPLOY: PowerState.STARTING,
    OperationKind.POWER_OFF: PowerState.STOPPING,
    OperationKind.DEALLOCATE: PowerState.DEALLOCATING,
    OperationKind.HIBERNATE: PowerState.DEALLOCATING,
}


class Power:
    """Begins power actions."""

    def __init__(self, context: Context, allocator: Allocator) -> None:
        self._context = context
        self._allocator = allocator

    def begin(self, machine: VirtualMachine, action: PowerAction, *, now: float, hibernate: bool = False) -> Operation:
        """Begin a power action; ``hibernate`` keeps the memory of a machine that is deallocated.

        Raises
        ------
        ArmError
            ``OperationNotAllowed`` while something else is under way, in the wrong power state, or for a machine
            that cannot be stopped or hibernated; ``SkuNotAvailable`` where there is no hardware.
        """
        hibernates = hibernate and action is PowerAction.DEALLOCATE
        if action in PREEMPTING:
            require_stoppable(machine, action)
        if hibernates:
            require_hibernatable(machine)
        self._make_way(machine, action, now)
        kind = OperationKind.HIBERNATE if hibernates else _operation_of(machine, action)
        if kind in _NEED_HARDWARE:
            self._allocator.require(machine)
            self._allocator.claim(machine)
        machine.power = _STATE_MEANWHILE.get(kind, machine.power)
        machine.power_changed_at = now
        machine.provisioning_state = ProvisioningState.UPDATING
        return self._context.operations.begin(kind, machine, now)

    def turned_off(self, machine: VirtualMachine, now: float) -> None:
        """Follow a guest that has shut itself down: the machine is Stopped, and keeps its hardware (doc: states)."""
        note_shutdown(machine, now)
        machine.power = PowerState.STOPPED
        machine.power_changed_at = now
        touch(self._context, machine)

    def _make_way(self, machine: VirtualMachine, action: PowerAction, now: float) -> None:
        if machine.provisioning_state is ProvisioningState.DELETING:
            raise errors.conflict(
                "OperationNotAllowed",
                f"Operation '{action}' is not allowed on VM '{machine.id.name}' since the VM is marked for "
                "deletion. You can only retry the Delete operation (or wait for an ongoing one to complete).",
            )
        running = self._context.operations.running_on(machine)
        if running is None:
            return
        if running.kind is OperationKind.CREATE_MACHINE and action in PREEMPTING:
            self._context.operations.preempt(machine, now)
            return
        raise errors.conflict(
            "OperationNotAllowed",
            f"Operation '{action}' is not allowed on VM '{machine.id.name}': an ongoing operation is changing "
            "power state of the virtual machine. Please try again later.",
        )


def _operation_of(machine: VirtualMachine, action: PowerAction) -> OperationKind:
    match action:
        case PowerAction.START:
            return _start_of(machine)
        case PowerAction.POWER_OFF:
            is_off = machine.power in (PowerState.STOPPED, PowerState.DEALLOCATED) or machine.claim is None
            return OperationKind.NO_CHANGE if is_off else OperationKind.POWER_OFF
        case PowerAction.DEALLOCATE:
            is_gone = machine.power is PowerState.DEALLOCATED and not machine.is_hibernated
            return OperationKind.NO_CHANGE if is_gone else OperationKind.DEALLOCATE
        case PowerAction.RESTART:
            _require_running(machine, action)
            return OperationKind.RESTART
        case PowerAction.REDEPLOY:
            return OperationKind.REDEPLOY if machine.is_allocated else OperationKind.NO_CHANGE
        case PowerAction.REAPPLY:
            return OperationKind.CREATE_MACHINE if machine.power is None else OperationKind.REAPPLY


def _start_of(machine: VirtualMachine) -> OperationKind:
    if machine.power is PowerState.RUNNING:
        return OperationKind.NO_CHANGE
    return OperationKind.START_STOPPED if machine.is_allocated else OperationKind.START_DEALLOCATED


def _require_running(machine: VirtualMachine, action: PowerAction) -> None:
    if machine.power is PowerState.RUNNING:
        return
    raise errors.conflict(
        "OperationNotAllowed",
        f"Operation '{action}' is not allowed on VM '{machine.id.name}' since the VM is not running "
        f"(it is {machine.power}). Start it first.",
    )
