"""Boot diagnostics of virtual machines: where their blobs are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud.compute.boot_diagnostics import blob_of, check_minutes, container_of, require_diagnostics

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.signed_blobs import BlobSignatures
    from benchhost.emulator.cloud.subscription import Subscription

SECONDS_PER_MINUTE = 60

_MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"


class DiagnosticsRoutes:
    """Handlers of boot diagnostics.

    Parameters
    ----------
    subscription
        Whose machines.
    signatures
        Signs the addresses that are given out.
    """

    def __init__(self, subscription: Subscription, signatures: BlobSignatures) -> None:
        self._subscription = subscription
        self._signatures = signatures

    def routes(self) -> Routes:
        """Return the handlers."""
        return {("POST", f"{_MACHINE}/retrievebootdiagnosticsdata"): self._retrieve}

    def _retrieve(self, request: ArmRequest) -> ArmResponse:
        machine_id = request.resource_id("Microsoft.Compute", "virtualMachines")
        machine = self._subscription.machines.get(machine_id, now=request.now)
        minutes = check_minutes(request.query.get("sasuriexpirationtimeinminutes"))
        require_diagnostics(machine)
        expires = request.now + minutes * SECONDS_PER_MINUTE

        def address(kind: str) -> str:
            path = f"{container_of(machine)}/{blob_of(machine, kind)}"
            return self._signatures.address(request.base_url, path, expires=expires)

        return ArmResponse(
            body={
                "consoleScreenshotBlobUri": address("screenshot.bmp"),
                "serialConsoleLogBlobUri": address("serialconsole.log"),
            }
        )
