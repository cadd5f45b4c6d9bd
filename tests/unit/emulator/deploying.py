"""Template deployments without a server: what writes their resources is the emulator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.arm.deployment_writer import DeploymentWriter
from benchhost.emulator.arm.polling import Polling, PollingSecrets, RetryHints
from benchhost.emulator.arm.rate_limits import LimitMode, RateLimits
from benchhost.emulator.arm.routes import arm_routes
from benchhost.emulator.arm.signed_blobs import BlobSignatures
from benchhost.emulator.cloud.identifiers import ResourceId
from benchhost.emulator.limits.buckets import Buckets
from benchhost.emulator.limits.policies import documented_limits

if TYPE_CHECKING:
    from benchhost.emulator.cloud.deployments.record import Deployment
    from benchhost.emulator.cloud.latency import LatencyModel
    from benchhost.emulator.cloud.subscription import Subscription
    from unit.emulator.driver import Cloud


def write_deployments(subscription: Subscription, latency: LatencyModel) -> None:
    """Let the deployments of a subscription reach its providers."""
    hints = RetryHints(latency.factor)
    limits = RateLimits(
        Buckets(documented_limits(), latency.factor), subscription.store, hints=hints, mode=LimitMode.OFF
    )
    polling = Polling(subscription.operations, hints, PollingSecrets.make())
    routes = arm_routes(subscription, polling, BlobSignatures(b"key"))
    subscription.deployments.write_with(DeploymentWriter(subscription, routes, limits, latency))


def deploy(cloud: Cloud, name: str, *, method: str = "Static") -> Deployment:
    """Begin to deploy a public address of the deployment's name, with its label out of a secret."""
    label = {"domainNameLabel": f"[concat(parameters('label'), '-{name}')]"}
    address = {
        "type": "Microsoft.Network/publicIPAddresses",
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "eastus",
        "properties": {"publicIPAllocationMethod": method, "dnsSettings": label},
    }
    template: dict[str, Any] = {
        "$schema": "s",
        "contentVersion": "1.0.0.0",
        "parameters": {"label": {"type": "securestring"}},
        "resources": [address],
        "outputs": {"host": {"type": "string", "value": f"[reference('{name}').dnsSettings.fqdn]"}},
    }
    properties = {"mode": "Incremental", "template": template, "parameters": {"label": {"value": "hidden"}}}
    deployment_id = ResourceId(cloud.subscription.id, "rg", "Microsoft.Resources", ("deployments",), (name,))
    deployment, _ = cloud.subscription.deployments.put(deployment_id, properties, principal="me", now=cloud.now)
    return deployment
