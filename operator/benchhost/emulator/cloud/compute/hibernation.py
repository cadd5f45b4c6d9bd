"""Hibernation: who may have it, when it may be switched, and what a hibernated machine cannot do.

Doc: ``hibernate-resume.md``. A hibernated machine is a deallocated one whose memory is kept on its OS disk; its
instance view has a third status. It starts on new hardware and goes on where it was; a plain deallocate gives the
memory up. The codes and wordings of the refusals are assumed, except where another source is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.ephemeral import is_ephemeral
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.compute.size_features import features_of

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body

_FROZEN = ("hardwareProfile", "storageProfile", "networkProfile")
MIB_PER_GIB = 1024


def is_hibernation_enabled(properties: Body) -> bool:
    """Tell whether a machine may hibernate."""
    return bool((properties.get("additionalCapabilities") or {}).get("hibernationEnabled"))


def check_hibernation(size: str, properties: Body) -> None:
    """Refuse hibernation together with what excludes it; a machine that does not want it is fine.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``.
    """
    if not is_hibernation_enabled(properties):
        return
    reason = _reason_against(size, properties)
    if reason is not None:
        raise _not_allowed(f"Hibernation cannot be enabled on the VM because {reason}.")


def require_switchable(machine: VirtualMachine, draft: Body) -> None:
    """Refuse to switch hibernation on a machine that has hardware; ``draft`` are the properties to come.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``; the sentence is one of ``error-messages.md``.
    """
    if is_hibernation_enabled(draft) == is_hibernation_enabled(machine.properties) or not machine.is_allocated:
        return
    raise _not_allowed(
        f"Operation 'Update VM' is not allowed on VM '{machine.id.name}' since the VM is not deallocated."
    )


def require_awake(machine: VirtualMachine, draft: Body) -> None:
    """Refuse another size, other disks or other interfaces for a hibernated machine.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``.
    """
    if machine.is_hibernated and any(draft[name] != machine.properties[name] for name in _FROZEN):
        raise _not_allowed(
            f"Operation 'Update VM' is not allowed on VM '{machine.id.name}' since the VM is hibernated. Start it, or "
            "deallocate it without hibernation, and try again."
        )


def require_hibernatable(machine: VirtualMachine) -> None:
    """Refuse to hibernate a machine that is not prepared for it, or not running.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``; the sentence about running is one of ``error-messages.md``.
    """
    if not is_hibernation_enabled(machine.properties):
        raise _not_allowed(
            "The Hibernate-Deallocate Operation cannot be performed on a VM that does not have hibernation enabled."
        )
    if machine.power is not PowerState.RUNNING:
        raise _not_allowed("The operation requires the VM to be running (or set to run).")
    memory_gib = MACHINE_SIZES[machine.size.lower()].memory_mib / MIB_PER_GIB
    if memory_gib >= (machine.os_disk.get("diskSizeGB") or 0):
        raise _not_allowed(
            "The Hibernate-Deallocate Operation cannot be performed because the OS disk has no room for the "
            f"{memory_gib:g} GB of memory."
        )


def _reason_against(size: str, properties: Body) -> str | None:
    if not features_of(size).can_hibernate:
        return f"the VM size {size} does not support it"
    if is_ephemeral(properties["storageProfile"]["osDisk"]):
        return "it uses an ephemeral OS disk"
    if properties.get("priority") in ("Spot", "Low"):
        return "it is an Azure Spot Virtual Machine"
    return None


def _not_allowed(message: str) -> errors.ArmError:
    return errors.conflict("OperationNotAllowed", message)
