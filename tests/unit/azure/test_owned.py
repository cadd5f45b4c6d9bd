"""Which items of ARM's list count as a controller's own."""

from datetime import UTC, datetime
from typing import Any

import pytest

from benchhost.azure.owned import to_owned
from benchhost.azure.tags import owner_tags, shared_tags
from benchhost.cloud import Owner, Part, PartState, Scope
from support.builders import OWNER

SCOPE = Scope("sub", "rg")
OURS, NETWORK = owner_tags(OWNER), shared_tags(OWNER)


def item(kind: str, name: str, tags: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    identity = f"/subscriptions/sub/resourceGroups/rg/providers/{kind}/{name}"
    return {"id": identity, "name": name, "type": kind, "tags": OURS if tags is None else tags, **more}


@pytest.mark.parametrize(
    ("listed", "part"),
    [
        (item("Microsoft.Compute/virtualMachines", "pg-1-1a2b3c4d"), Part.MACHINE),
        (item("microsoft.compute/virtualmachines", "PG-1"), Part.MACHINE),
        (item("Microsoft.Network/networkInterfaces", "pg-1-nic"), Part.INTERFACE),
        (item("Microsoft.Network/publicIPAddresses", "pg-1-ip"), Part.ADDRESS),
        (item("Microsoft.Network/networkInterfaces", "pg-1-nic-CFF6ed40"), Part.INTERFACE),
        (item("Microsoft.Network/publicIPAddresses", "pg-1-ip-cff6ed40"), Part.ADDRESS),
        (item("Microsoft.Compute/disks", "pg-1-os"), Part.DISK),
        (item("Microsoft.Compute/disks", "PG-1-OS"), Part.DISK),
        (item("Microsoft.Compute/disks", "pg-1-data-12"), Part.DATA_DISK),
        (item("Microsoft.Network/virtualNetworks", "bench-net", NETWORK), Part.NETWORK),
    ],
    ids=lambda value: value["id"].split("providers/")[1] if isinstance(value, dict) else str(value),
)
def test_what_a_controller_makes_is_owned(listed: dict[str, Any], part: Part) -> None:
    owned = to_owned(listed, SCOPE)
    assert owned is not None
    assert (owned.part, owned.resource_id) == (part, listed["id"])


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(item("Microsoft.Compute/snapshots", "pg-1-os"), id="snapshot-with-copied-tags"),
        pytest.param(item("Microsoft.Compute/disks", "pg-1-os-copy"), id="disk-that-somebody-copied-with-its-tags"),
        pytest.param(item("Microsoft.Compute/disks", "pg-1-os-cff6ed40"), id="disk-with-an-interface-s-suffix"),
        pytest.param(item("Microsoft.Network/networkInterfaces", "pg-1-nic-copy"), id="interface-with-another-suffix"),
        pytest.param(item("Microsoft.Compute/disks", "pg-1-data-old"), id="data-disk-without-a-number"),
        pytest.param(item("Microsoft.Network/networkInterfaces", "mine"), id="interface-of-another-name"),
        pytest.param(item("Microsoft.Compute/virtualMachines", "pg-1", {}), id="machine-without-tags"),
        pytest.param(item("Microsoft.Compute/virtualMachines", "pg-1", NETWORK), id="machine-with-a-network-s-tags"),
        pytest.param(item("Microsoft.Network/virtualNetworks", "bench-net", OURS), id="network-with-a-host-s-tags"),
        pytest.param(
            item("Microsoft.Compute/virtualMachines", "pg-1", {key: OURS[key] for key in list(OURS)[:3]}),
            id="machine-without-the-uid",
        ),
        pytest.param({}, id="nothing"),
    ],
)
def test_what_no_controller_makes_does_not_count(listed: dict[str, Any]) -> None:
    assert to_owned(listed, SCOPE) is None


@pytest.mark.parametrize(
    ("more", "created_at", "state"),
    [
        pytest.param(
            {"createdTime": "2026-03-01T12:00:00.1234567Z", "provisioningState": "Succeeded"},
            datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
            PartState.READY,
            id="finished",
        ),
        pytest.param({"provisioningState": "Deleting"}, None, PartState.DELETING, id="going-and-undated"),
        pytest.param({"createdTime": "yesterday"}, None, PartState.PENDING, id="unreadable-and-without-state"),
    ],
)
def test_age_and_state_are_read(more: dict[str, Any], created_at: datetime | None, state: PartState) -> None:
    owned = to_owned(item("Microsoft.Compute/virtualMachines", "pg-1", **more), SCOPE)
    assert owned is not None
    assert (owned.created_at, owned.state) == (created_at, state)
    assert owned.owner == Owner(OWNER.cluster, OWNER.namespace, OWNER.name, OWNER.uid)
