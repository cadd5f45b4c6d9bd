"""Which network interfaces a machine size bears: how many, and whether with accelerated networking.

Called by `attachments` when a machine is created or resized, and by the interfaces themselves when one that a
machine has is changed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.size_features import accelerated_sizes, features_of

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource

ACCELERATED = "enableAcceleratedNetworking"


def require_interface_count(name: str, size: str, count: int) -> None:
    """Refuse more network interfaces than a size takes.

    Raises
    ------
    ArmError
        ``NetworkInterfaceCountExceeded``; code and wording as in issues of Azure's own tools.
    """
    limit = features_of(size).max_interfaces
    if count > limit:
        raise errors.network_error(
            "NetworkInterfaceCountExceeded",
            f"The number of network interfaces for virtual machine {name} exceeds the maximum allowed for the virtual "
            f"machine size {size}. The number of network interfaces is {count} and the maximum allowed is {limit}.",
        )


def require_accelerated_if_asked(size: str, interface: Resource) -> None:
    """Refuse an interface with accelerated networking for a size without.

    Raises
    ------
    ArmError
        ``VMSizeIsNotPermittedToEnableAcceleratedNetworking``, as acs-engine#3600 and terraform-provider-azurerm#1383
        show it.
    """
    if not interface.properties.get(ACCELERATED) or features_of(size).has_accelerated_networking:
        return
    raise _not_permitted(size, interface)


def require_accelerated_changeable(interface: Resource, given: Body, owner: Resource | None) -> None:
    """Refuse to switch accelerated networking of an interface whose machine has hardware.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``. That the machine must be deallocated is documented (manage-accelerated-networking);
        code and wording are assumed.
    """
    before, after = bool(interface.properties.get(ACCELERATED)), bool(given.get(ACCELERATED))
    if before == after or not isinstance(owner, VirtualMachine):
        return
    if owner.is_allocated:
        raise errors.network_error(
            "OperationNotAllowed",
            f"Accelerated networking of network interface {interface.id} cannot be changed while virtual machine "
            f"{owner.id} is allocated. Deallocate the virtual machine first.",
            status=HTTPStatus.CONFLICT,
        )
    if after and not features_of(owner.size).has_accelerated_networking:
        raise _not_permitted(owner.size, interface)


def _not_permitted(size: str, interface: Resource) -> errors.ArmError:
    return errors.network_error(
        "VMSizeIsNotPermittedToEnableAcceleratedNetworking",
        f"Virtual Machine size {size} is not in the allowed list of VM sizes for accelerated networking to be enabled "
        f"on Network Interface {interface.id}. Allowed sizes: {', '.join(accelerated_sizes())}.",
    )
