"""Objects for tests, complete and valid unless a test asks for something else."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from benchhost.api import BenchHost, Placement, PlacementReason
from benchhost.api.names import API_VERSION, FINALIZER, KIND
from benchhost.cloud import Machine, MachinePower, Observation, ObservedPart, Owner, Part, PartState

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1)
UID = "5f0c2a4e-0000-4000-8000-000000000001"
OWNER = Owner(cluster="cluster-1", namespace="bench", name="pg-1", uid=UID)
SUBSCRIPTION = "00000000-0000-4000-8000-0000000000aa"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMcJ0yXrzLRkpFcbEGsPlCeyLDlkBDQOSqVZfJvC7zqR bench@example"


def azure_spec(**overrides: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "subscriptionId": SUBSCRIPTION,
        "resourceGroup": "bench-rg",
        "location": "eastus",
        "sizes": ["Standard_D2s_v5", "Standard_D4s_v5"],
        "image": {
            "publisher": "Canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "version": "latest",
        },
        "network": {"virtualNetwork": {"name": "bench-net", "create": True}, "publicAddress": "Static"},
        "admin": {"username": "bench", "sshPublicKeys": [SSH_KEY]},
    }
    return spec | overrides


def host_dict(
    *,
    spec: Mapping[str, Any] | None = None,
    azure: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": OWNER.name,
            "namespace": OWNER.namespace,
            "uid": UID,
            "generation": 1,
            "resourceVersion": "10",
            "creationTimestamp": EARLIER.isoformat(),
            "finalizers": [FINALIZER],
            **(metadata or {}),
        },
        "spec": {"azure": azure_spec(**(azure or {})), **(spec or {})},
        "status": dict(status or {}),
    }


def host(**parts: Any) -> BenchHost:
    return BenchHost.from_dict(host_dict(**parts))


def deleting(**parts: Any) -> BenchHost:
    metadata = {"deletionTimestamp": NOW.isoformat(), "generation": 2} | parts.pop("metadata", {})
    return host(metadata=metadata, **parts)


def placed(epoch: int = 1, since: datetime = EARLIER, vm_id: str = "vm-guid") -> dict[str, Any]:
    return Placement(epoch=epoch, since=since, vm_id=vm_id, reason=PlacementReason.CREATED).to_dict()


def machine(power: MachinePower = MachinePower.RUNNING, **overrides: Any) -> Machine:
    values: dict[str, Any] = {
        "provider_id": "azure:///subscriptions/s/resourceGroups/bench-rg/virtualMachines/pg-1",
        "vm_id": "vm-guid",
        "size": "Standard_D2s_v5",
        "power": power,
        "changed_at": EARLIER,
        "created_at": EARLIER,
    }
    return Machine(**(values | overrides))


def part(state: PartState = PartState.READY, owner: Owner | None = OWNER, *, in_use: bool = False) -> ObservedPart:
    return ObservedPart(resource_id="/subscriptions/s/x", state=state, owner=owner, in_use=in_use)


def shared_network(*, in_use: bool = False, cluster: str = OWNER.cluster) -> ObservedPart:
    return part(owner=Owner(cluster=cluster, namespace="", name="", uid=""), in_use=in_use)


def nothing() -> Observation:
    return Observation(parts={})


def everything(
    seen: Machine | None = None,
    *,
    state: PartState = PartState.READY,
    owner: Owner | None = OWNER,
) -> Observation:
    """A complete host whose machine is in this state."""
    return Observation(
        parts={
            Part.NETWORK: shared_network(in_use=True),
            Part.ADDRESS: part(),
            Part.INTERFACE: part(),
            Part.DISK: part(),
            Part.MACHINE: part(state, owner),
        },
        machine=seen or machine(),
    )
