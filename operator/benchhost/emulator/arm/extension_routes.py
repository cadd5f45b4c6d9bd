"""What virtual machines of Azure can and those of the emulator cannot: extensions and commands run in the guest.

No guest runs here, so that the answer to a write is an honest refusal at once instead of a status nobody can trust.
Reading is answered: there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.subscription import Subscription

_MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"
_CHILDREN = ("extensions", "runCommands")
_ACTIONS = (
    *("runCommand", "capture", "generalize", "reimage", "convertToManagedDisks", "performMaintenance"),
    *("assessPatches", "installPatches", "attachDetachDataDisks"),
)


class ExtensionRoutes:
    """Handlers of what the emulator does not have."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        routes: Routes = {}
        for kind in _CHILDREN:
            path = f"{_MACHINE}/{kind.lower()}"
            routes["GET", path] = self._list
            routes["GET", f"{path}/*"] = self._get(kind)
            for method in ("PUT", "PATCH"):
                routes[method, f"{path}/*"] = self._refuse(kind)
        for action in _ACTIONS:
            routes["POST", f"{_MACHINE}/{action.lower()}"] = self._refuse(action)
        return routes

    def _list(self, request: ArmRequest) -> ArmResponse:
        self._require_machine(request)
        return ArmResponse(body={"value": []})

    def _get(self, kind: str) -> Callable[[ArmRequest], ArmResponse]:
        def handle(request: ArmRequest) -> ArmResponse:
            self._require_machine(request)
            _, group, machine, name = request.path.names
            raise errors.resource_not_found(f"Microsoft.Compute/virtualMachines/{machine}/{kind}", name, group)

        return handle

    def _refuse(self, what: str) -> Callable[[ArmRequest], ArmResponse]:
        def handle(request: ArmRequest) -> ArmResponse:
            self._require_machine(request)
            raise errors.not_supported(f"'{what}' of virtual machines", target=what)

        return handle

    def _require_machine(self, request: ArmRequest) -> None:
        machine_id = request.resource_id("Microsoft.Compute", "virtualMachines")
        self._subscription.machines.get(machine_id, now=request.now)
