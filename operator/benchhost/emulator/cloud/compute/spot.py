"""What makes a spot machine: its priority, eviction policy and price, and what Azure refuses about them.

Wording: ``error-codes-spot.md`` of Azure's compute documents. The keys of that page are not the codes on the wire:
recorded are ``BadRequest`` for a body that cannot be (cluster-api-provider-azure#2579) and ``OperationNotAllowed``
for a price that cannot be changed (quoted in terraform-provider-azurerm); the others follow these two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import find_size
from benchhost.emulator.cloud.compute.machine import Priority

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.errors import ArmError

NO_LIMIT = -1
"""The ``maxPrice`` of a machine that is never evicted for its price."""

USD_PER_CORE_HOUR = 0.01
"""The present price of spot capacity; assumption, the order of magnitude of Azure's price list for D sizes."""

_PRIORITIES = ("Regular", "Low", "Spot")
_POLICIES = ("Deallocate", "Delete")
_MORE = " For more information, see http://aka.ms/AzureSpot/errormessages"


def is_spot_size(size_name: str) -> bool:
    """Tell whether a size can be had as spot: all but the B series (doc: spot-vms)."""
    return not size_name.lower().startswith("standard_b")


def price_of(size_name: str) -> float:
    """Return what an hour of a size costs as spot, in US dollars."""
    size = find_size(size_name)
    return 0.0 if size is None else round(USD_PER_CORE_HOUR * size.cores, 5)


def complete_spot_properties(properties: Body) -> None:
    """Check and fill in what a new machine says about spot.

    Raises
    ------
    ArmError
        When it cannot be so.
    """
    priority, policy = properties.get("priority"), properties.get("evictionPolicy")
    price = (properties.get("billingProfile") or {}).get("maxPrice")
    _require_choice("priority", priority, _PRIORITIES)
    _require_choice("evictionPolicy", policy, _POLICIES)
    if priority in (None, Priority.REGULAR):
        if policy is not None:
            raise _impossible("Eviction policy can be set only on Azure Spot Virtual Machines.")
        if price is not None:
            raise _impossible("Max price is supported only for Azure Spot Virtual Machines.")
        return
    require_spot_size(properties["hardwareProfile"]["vmSize"])
    _require_price(price)
    properties.setdefault("evictionPolicy", "Deallocate")


def require_spot_size(size_name: str) -> None:
    """Refuse a size that cannot be had as spot.

    Raises
    ------
    ArmError
        ``BadRequest``.
    """
    if not is_spot_size(size_name):
        raise _impossible(f"Azure Spot Virtual Machine is not supported for this VM size {size_name}.")


def require_allowed_change(machine: VirtualMachine, given: Body) -> None:
    """Refuse another priority of a machine that has none, and another price of one that has hardware.

    Raises
    ------
    ArmError
        ``PropertyChangeNotAllowed``, ``OperationNotAllowed``, or ``BadRequest`` for a price that is none.
    """
    priority = given.get("priority")
    if priority in ("Low", "Spot") and machine.priority is Priority.REGULAR:
        raise errors.conflict(
            "PropertyChangeNotAllowed",
            f"The specified priority value '{priority}' cannot be applied to the Virtual Machine "
            f"'{machine.id.name}' since no priority was specified when the Virtual Machine was created." + _MORE,
            target="priority",
        )
    price = (given.get("billingProfile") or {}).get("maxPrice")
    if price is None or price == max_price_of(machine):
        return
    if machine.priority is Priority.REGULAR:
        raise _impossible("Max price is supported only for Azure Spot Virtual Machines.")
    _require_price(price)
    if machine.is_allocated:
        raise _refused(
            f"Max price change is not allowed when the VM '{machine.id.name}' is currently allocated. "
            "Please deallocate and try again."
        )


def require_affordable(machine: VirtualMachine, size_name: str) -> None:
    """Refuse to allocate a spot machine that would pay less than the present price.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``.
    """
    limit, price = max_price_of(machine), price_of(size_name)
    if machine.priority is Priority.REGULAR or limit == NO_LIMIT or limit >= price:
        return
    operation = "Create VM" if machine.power is None else "Start VM"
    raise _refused(
        f"Unable to perform operation '{operation}' since the provided max price '{limit} USD' is lower than the "
        f"current spot price '{price} USD' for Azure Spot Virtual Machine size '{size_name}'."
    )


def max_price_of(machine: VirtualMachine) -> float:
    """Return the most that a machine pays for an hour in US dollars, or `NO_LIMIT`."""
    price = (machine.properties.get("billingProfile") or {}).get("maxPrice")
    return NO_LIMIT if price is None else float(price)


def _require_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise errors.invalid_parameter(f"The value '{value}' of parameter '{name}' is invalid.", name)


def _require_price(price: Any) -> None:
    is_number = isinstance(price, int | float) and not isinstance(price, bool)
    if price is None or (is_number and (price == NO_LIMIT or price > 0)):
        return
    raise _impossible(
        "Invalid max price value. The only supported values for max price are -1 or a decimal greater than zero. "
        "Max price value of -1 indicates the Azure Spot Virtual Machine will not be evicted for price reasons."
    )


def _impossible(message: str) -> ArmError:
    return errors.bad_request("BadRequest", message + _MORE)


def _refused(message: str) -> ArmError:
    return errors.conflict("OperationNotAllowed", message + _MORE)
