"""Ephemeral OS disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.arm.version_gates import check_fields
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


def _body(cloud: Cloud, size: str = "Standard_D2s_v3", placement: str | None = None, **disk: Any) -> dict[str, Any]:
    body = cloud.machine_body()
    body["properties"]["hardwareProfile"]["vmSize"] = size
    settings = {"option": "Local", **({"placement": placement} if placement else {})}
    described = {"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": settings, **disk}
    body["properties"]["storageProfile"]["osDisk"] = described
    return body


@pytest.mark.parametrize(
    ("size", "placement", "gib", "room"),
    [
        pytest.param("Standard_D2s_v3", None, 50, None, id="cache-by-default"),
        pytest.param("Standard_D2s_v3", None, 51, "50 GB is not allowed .* DiffDiskPlacement is CacheDisk", id="cache"),
        pytest.param("Standard_D2s_v3", "ResourceDisk", 30, "16 GB .* ResourceDisk", id="small-resource-disk"),
        pytest.param("Standard_D2ads_v5", None, 75, None, id="resource-disk-without-cache"),
        pytest.param("Standard_D2ds_v6", None, 110, None, id="nvme-by-default"),
        pytest.param("Standard_D2ds_v6", "ResourceDisk", 30, "0 GB .* ResourceDisk", id="nvme-is-no-resource-disk"),
        pytest.param(
            "Standard_D2s_v5", None, 30, "0 GB is not allowed for VM size Standard_D2s_v5", id="no-local-disk"
        ),
    ],
)
def test_an_ephemeral_disk_must_fit(cloud: Cloud, size: str, placement: str | None, gib: int, room: str | None) -> None:
    cloud.network()
    cloud.interface()
    body = _body(cloud, size, placement, diskSizeGB=gib)
    if room is None:
        assert cloud.running_machine(body).size == size
        return
    with pytest.raises(ArmError, match=room) as refused:
        cloud.put_machine(body)
    assert (refused.value.status, refused.value.code) == (400, "NotSupported")


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        pytest.param({"caching": "ReadWrite"}, "only Readonly caching", id="written-cache"),
        pytest.param({"diffDiskSettings": {"option": "Remote"}}, "diffDiskSettings.option", id="odd-option"),
        pytest.param(
            {"diffDiskSettings": {"option": "Local", "placement": "Shelf"}},
            "diffDiskSettings.placement",
            id="odd-place",
        ),
        pytest.param({"createOption": "Attach", "managedDisk": {"id": "/x"}}, "only with createOption", id="attached"),
    ],
)
def test_an_ephemeral_disk_is_refused(cloud: Cloud, disk: dict[str, Any], words: str) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError, match=words):
        cloud.put_machine(_body(cloud, **disk))


def test_a_spot_machine_with_an_ephemeral_disk_can_only_be_deleted_at_eviction(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = _body(cloud)
    body["properties"]["priority"] = "Spot"
    with pytest.raises(ArmError, match="eviction policy 'Delete'"):
        cloud.put_machine(body)
    body["properties"]["evictionPolicy"] = "Delete"
    cloud.put_machine(body)


def test_no_managed_disk_is_behind_the_id_that_the_machine_shows(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_body(cloud))
    assert machine.os_disk["managedDisk"]["id"].endswith(f"/disks/{machine.os_disk['name']}")
    assert "disks" not in cloud.kinds()
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["networkInterfaces", "subnets", "virtualNetworks"]


@pytest.mark.parametrize("action", [PowerAction.POWER_OFF, PowerAction.DEALLOCATE])
def test_a_machine_with_an_ephemeral_disk_is_neither_stopped_nor_deallocated(cloud: Cloud, action: PowerAction) -> None:
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_body(cloud))
    with pytest.raises(
        ArmError, match=f"Operation '{action}' is not supported for VMs .* ephemeral OS disk"
    ) as refused:
        cloud.act(machine, action)
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    cloud.act(machine, PowerAction.RESTART)


def test_a_refused_stop_leaves_the_create_alone(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine(_body(cloud))
    with pytest.raises(ArmError, match="ephemeral OS disk"):
        cloud.act(machine, PowerAction.DEALLOCATE)
    cloud.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


def test_a_machine_with_an_ephemeral_disk_is_resized_only_to_where_the_disk_fits(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_body(cloud))
    for size, words in (("Standard_D2s_v5", "is not allowed for VM size Standard_D2s_v5"), ("Standard_D4s_v3", None)):
        patch = {"properties": {"hardwareProfile": {"vmSize": size}}}
        if words is None:
            cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
            continue
        with pytest.raises(ArmError, match=words):
            cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    assert machine.size == "Standard_D4s_v3"
    cloud.pass_time()
    patch = {"properties": {"storageProfile": {"osDisk": {"diskSizeGB": 40}}}}
    with pytest.raises(ArmError, match="Resizing the OS disk is not supported"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)


def test_nvme_placement_is_known_only_to_newer_versions(cloud: Cloud) -> None:
    body = _body(cloud, placement="NvmeDisk")
    check_fields(body, "2024-03-01")
    with pytest.raises(ArmError, match="placement"):
        check_fields(body, "2023-09-01")


def test_where_the_disk_is_is_shown_and_fixed(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_body(cloud))
    assert machine.os_disk["diffDiskSettings"] == {"option": "Local", "placement": "CacheDisk"}
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(_body(cloud, placement="ResourceDisk"))
    assert (refused.value.code, refused.value.target) == (
        "PropertyChangeNotAllowed",
        "osDisk.diffDiskSettings.placement",
    )


def test_a_managed_disk_does_not_become_ephemeral(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = _body(cloud)
    settings = body["properties"]["storageProfile"]["osDisk"].pop("diffDiskSettings")
    cloud.running_machine(body)
    body["properties"]["storageProfile"]["osDisk"]["diffDiskSettings"] = settings
    with pytest.raises(ArmError, match=r"osDisk\.diffDiskSettings\.option"):
        cloud.put_machine(body)
