"""The life of disks by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.resources import ProvisioningState
from unit.emulator.disk_bodies import existing, make_disk, with_disks

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud


def _patch_disk(cloud: Cloud, disk: Resource, **changes: Any) -> None:
    body = {key: value for key, value in changes.items() if key == "sku"}
    body["properties"] = {key: value for key, value in changes.items() if key != "sku"}
    cloud.subscription.disks.patch(disk.id, body, now=cloud.now)
    cloud.pass_time()


def test_a_data_disk_grows_under_a_running_machine_but_not_past_four_tebibytes(cloud: Cloud) -> None:
    disk = make_disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(with_disks(cloud, existing(disk)))
    _patch_disk(cloud, disk, diskSizeGB=4095)
    assert machine.data_disks[0]["diskSizeGB"] == 4095
    with pytest.raises(ArmError, match="Cannot resize disk data while it is attached to running VM"):
        _patch_disk(cloud, disk, diskSizeGB=4096)
    with pytest.raises(ArmError, match="Cannot change the account type"):
        _patch_disk(cloud, disk, sku={"name": "StandardSSD_LRS"})
    cloud.act(machine, PowerAction.DEALLOCATE)
    _patch_disk(cloud, disk, diskSizeGB=4096, sku={"name": "StandardSSD_LRS"})
    assert machine.data_disks[0]["managedDisk"]["storageAccountType"] == "StandardSSD_LRS"
    assert disk.provisioning_state is ProvisioningState.SUCCEEDED


def test_an_os_disk_grows_only_while_its_machine_is_deallocated(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    disk = cloud.subscription.store.find(machine.os_disk["managedDisk"]["id"])
    assert disk is not None
    with pytest.raises(ArmError, match="while it is attached to running VM"):
        _patch_disk(cloud, disk, diskSizeGB=64)
    cloud.act(machine, PowerAction.DEALLOCATE)
    _patch_disk(cloud, disk, diskSizeGB=64)
    assert machine.os_disk["diskSizeGB"] == 64


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"diskSizeGB": 40000}, "InvalidParameter", id="too-large"),
        pytest.param({"diskSizeGB": 8}, "ResizeDiskError", id="smaller"),
        pytest.param({"sku": {"name": "Tape_LRS"}}, "InvalidAccountType", id="no-such-type"),
    ],
)
def test_a_disk_is_not_changed_so(cloud: Cloud, changes: dict[str, Any], code: str) -> None:
    disk = make_disk(cloud)
    with pytest.raises(ArmError) as refused:
        _patch_disk(cloud, disk, **changes)
    assert refused.value.code == code
    assert (disk.properties["diskSizeGB"], disk.extras["sku"]["name"]) == (64, "Premium_LRS")


def test_an_os_disk_smaller_than_its_image_is_refused(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    body["properties"]["storageProfile"]["osDisk"]["diskSizeGB"] = 20
    with pytest.raises(ArmError, match="smaller than the size 30GB") as refused:
        cloud.put_machine(body)
    assert refused.value.target == "osDisk.diskSizeGB"
