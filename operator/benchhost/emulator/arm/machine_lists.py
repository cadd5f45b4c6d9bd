"""Lists of virtual machines: which there are, what can be asked of them, and what an item shows.

Docstrings of azure-mgmt-compute 39: ``statusOnly`` is for the list of a whole subscription; ``$expand=instanceView``
needs a ``$filter``, and the only filter is by scale set, of which there are none here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchhost.emulator.arm.compute_bodies import listed_machine_body, status_only_body
from benchhost.emulator.arm.pages import list_page
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.machines import KIND

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmRequest, ArmResponse, Routes
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource
    from benchhost.emulator.cloud.subscription import Subscription

_SCALE_SET_FILTER = re.compile(r"'?virtualMachineScaleSet/id'?\s+eq\s+'[^']+'", re.IGNORECASE)
_COMPUTE = "subscriptions/*/providers/microsoft.compute"


class MachineLists:
    """Handlers of the lists of virtual machines."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        in_group = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines"
        return {
            ("GET", in_group): self._list_in_group,
            ("GET", f"{_COMPUTE}/virtualmachines"): self._list_all,
            ("GET", f"{_COMPUTE}/locations/*/virtualmachines"): self._list_in_location,
        }

    def _list_in_group(self, request: ArmRequest) -> ArmResponse:
        group = self._subscription.groups.get(request.path.names[1])
        return self._page(request, self._subscription.store.list_in_group(group.name, KIND))

    def _list_all(self, request: ArmRequest) -> ArmResponse:
        machines = self._subscription.store.list_of_kind(KIND)
        if request.query.get("statusonly", "").lower() == "true":
            return list_page(request, machines, lambda resource: self._status(request, resource))
        return self._page(request, machines)

    def _list_in_location(self, request: ArmRequest) -> ArmResponse:
        location = request.path.names[1].lower()
        machines = self._subscription.store.list_of_kind(KIND)
        return self._page(request, [machine for machine in machines if machine.location == location])

    def _page(self, request: ArmRequest, machines: list[Resource]) -> ArmResponse:
        text = request.query.get("$filter")
        if text and _SCALE_SET_FILTER.fullmatch(text.strip()) is None:
            raise _invalid("$filter")
        if request.query.get("$expand") and not text:
            raise _invalid("$expand")
        shown = [] if text else machines
        return list_page(request, shown, lambda resource: _listed(request, resource))

    def _status(self, request: ArmRequest, resource: Resource) -> Body:
        machine = _as_machine(resource)
        operation = self._subscription.operations.running_on(machine)
        return status_only_body(machine, operation, request.now)


def _listed(request: ArmRequest, resource: Resource) -> Body:
    return listed_machine_body(_as_machine(resource), request.api_version)


def _as_machine(resource: Resource) -> VirtualMachine:
    if not isinstance(resource, VirtualMachine):  # pragma: no cover - the type is part of the id
        raise TypeError(resource.id)
    return resource


def _invalid(name: str) -> errors.ArmError:
    return errors.invalid_parameter(f"The value of parameter {name} is invalid.", name)
