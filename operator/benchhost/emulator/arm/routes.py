"""Every request that ARM answers: the one place where a part of the emulated cloud joins it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.compute_routes import ComputeRoutes
from benchhost.emulator.arm.deployment_routes import DeploymentRoutes
from benchhost.emulator.arm.diagnostics_routes import DiagnosticsRoutes
from benchhost.emulator.arm.disk_routes import DiskRoutes
from benchhost.emulator.arm.extension_routes import ExtensionRoutes
from benchhost.emulator.arm.group_routes import GroupRoutes
from benchhost.emulator.arm.identity_routes import IdentityRoutes
from benchhost.emulator.arm.image_routes import ImageRoutes
from benchhost.emulator.arm.lock_routes import LockRoutes
from benchhost.emulator.arm.network_routes import NetworkRoutes
from benchhost.emulator.arm.placement_routes import PlacementRoutes
from benchhost.emulator.arm.security_rule_routes import SecurityRuleRoutes
from benchhost.emulator.arm.sku_routes import SkuRoutes

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.arm.polling import Polling
    from benchhost.emulator.arm.signed_blobs import BlobSignatures
    from benchhost.emulator.cloud.subscription import Subscription


def arm_routes(subscription: Subscription, polling: Polling, signatures: BlobSignatures) -> Routes:
    """Return all handlers, by method and shape of the path.

    Parameters
    ----------
    subscription
        What is asked about.
    polling
        Announces operations and answers polls.
    signatures
        Signs addresses of blobs.
    """
    return {
        **polling.routes(),
        **GroupRoutes(subscription, polling).routes(),
        **NetworkRoutes(subscription, polling).routes(),
        **SecurityRuleRoutes(subscription, polling).routes(),
        **ComputeRoutes(subscription, polling).routes(),
        **DiskRoutes(subscription, polling).routes(),
        **SkuRoutes(subscription).routes(),
        **ImageRoutes(subscription).routes(),
        **PlacementRoutes(subscription, polling).routes(),
        **IdentityRoutes(subscription).routes(),
        **LockRoutes(subscription).routes(),
        **ExtensionRoutes(subscription).routes(),
        **DeploymentRoutes(subscription, polling).routes(),
        **DiagnosticsRoutes(subscription, signatures).routes(),
    }
