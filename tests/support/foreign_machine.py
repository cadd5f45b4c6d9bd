"""A machine that somebody made by hand: nothing about it is as BenchHost would have made it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchhost.azure.clients import AzureClients
from benchhost.azure.machine_body import to_machine
from benchhost.azure.parameters import to_body
from benchhost.cloud import HostRequest, Part

LUN: Final = 3
"""Of its data disk, which is called "precious"."""
_LOOKS: Final = 60


async def put_foreign_machine(
    clients: AzureClients,
    request: HostRequest,
    pause: Callable[[], Awaitable[None]],
    *,
    identities: tuple[str, ...] = (),
) -> None:
    """Make it under the request's name, without owner tags; ``pause`` is what passes between two looks."""
    azure = request.spec.azure
    network, compute = clients.network(azure.subscription_id), clients.compute(azure.subscription_id)
    writes: list[tuple[Any, str, dict[str, Any]]] = [
        (network.virtual_networks, "bench-net", {**to_body(request, Part.NETWORK), "tags": {}}),
        (network.public_ip_addresses, "theirs", {**to_body(request, Part.ADDRESS), "tags": {}}),
        (network.network_interfaces, "theirs", _interface(request)),
        (compute.virtual_machines, str(azure.name), _machine(request, identities)),
    ]
    for operations, name, body in writes:
        await operations.begin_create_or_update(azure.resource_group, name, body, polling=False)
        for _ in range(_LOOKS):
            if (await operations.get(azure.resource_group, name)).provisioning_state == "Succeeded":
                break
            await pause()
        else:
            raise AssertionError(f"{name} was not made")


def _id(request: HostRequest, kind: str) -> str:
    azure = request.spec.azure
    group = f"/subscriptions/{azure.subscription_id}/resourceGroups/{azure.resource_group}"
    return f"{group}/providers/Microsoft.Network/{kind}/theirs"


def _interface(request: HostRequest) -> dict[str, Any]:
    body = {**to_body(request, Part.INTERFACE), "tags": {}}
    primary = body["properties"]["ipConfigurations"][0]["properties"]
    primary["publicIPAddress"] = {"id": _id(request, "publicIPAddresses")}
    return body


def _machine(request: HostRequest, identities: tuple[str, ...]) -> dict[str, Any]:
    reference = {"id": _id(request, "networkInterfaces"), "properties": {"primary": True}}
    body = {**to_machine(request, {"networkInterfaces": [reference]}), "tags": {"team": "db"}}
    if identities:
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in identities}}
    body["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": False}}
    body["properties"]["storageProfile"] |= {
        "osDisk": {"createOption": "FromImage", "name": "theirs-os"},
        "dataDisks": [{"lun": LUN, "name": "precious", "createOption": "Empty", "diskSizeGB": 64}],
    }
    return body
