"""Data disks of machines, and the life of disks by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud


def _disk(cloud: Cloud, name: str = "data", *, sku: str = "Premium_LRS", size: int = 64) -> Resource:
    body = {
        "location": "eastus",
        "sku": {"name": sku},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": size},
    }
    disk, _, _ = cloud.subscription.disks.put(cloud.machine_id().sibling("disks", name), body, now=cloud.now)
    cloud.pass_time()
    return disk


def _existing(disk: Resource, lun: int = 0, **more: Any) -> dict[str, Any]:
    return {"lun": lun, "createOption": "Attach", "managedDisk": {"id": str(disk.id)}, **more}


def _with_disks(
    cloud: Cloud, *disks: dict[str, Any], size: str = "Standard_D2s_v5", nic: str = "nic"
) -> dict[str, Any]:
    body = cloud.machine_body(nic)
    body["properties"]["hardwareProfile"]["vmSize"] = size
    body["properties"]["storageProfile"]["dataDisks"] = list(disks)
    return body


def _change_disks(cloud: Cloud, machine: VirtualMachine, *disks: dict[str, Any]) -> None:
    patch = {"properties": {"storageProfile": {"dataDisks": list(disks)}}}
    cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)


EMPTY = {"lun": 0, "createOption": "Empty", "diskSizeGB": 16}


@pytest.mark.parametrize(
    ("disk", "code", "target", "words"),
    [
        pytest.param({**EMPTY, "lun": 64}, "InvalidParameter", "dataDisk.lun", "between '0' and '63'", id="lun-64"),
        pytest.param({**EMPTY, "diskSizeGB": 0}, "InvalidParameter", "dataDisk.diskSizeGB", "'32767'", id="no-room"),
        pytest.param(
            {**EMPTY, "caching": "Sometimes"}, "InvalidParameter", "dataDisk.caching", "Sometimes", id="odd-caching"
        ),
        pytest.param(
            {**EMPTY, "diskSizeGB": 8192, "caching": "ReadOnly"},
            "InvalidParameter",
            "dataDisk.caching",
            "4 TiB",
            id="cached-and-huge",
        ),
        pytest.param(
            {**EMPTY, "managedDisk": {"storageAccountType": "Tape_LRS"}},
            "InvalidAccountType",
            "dataDisk.managedDisk.storageAccountType",
            "Tape_LRS",
            id="no-such-type",
        ),
        pytest.param(
            {"lun": 0, "createOption": "Attach"},
            "InvalidParameter",
            "dataDisk.managedDisk.id",
            "missing",
            id="attach-nothing",
        ),
        pytest.param(
            {"lun": 0, "createOption": "Attach", "managedDisk": {"id": "/nowhere/disks/gone"}},
            "NotFound",
            "dataDisk.managedDisk.id",
            "Disk gone is not found",
            id="attach-what-is-gone",
        ),
        pytest.param(
            {"lun": 0, "createOption": "Invent"}, "InvalidParameter", "dataDisk.createOption", "Invent", id="odd-option"
        ),
    ],
)
def test_a_data_disk_is_refused(cloud: Cloud, disk: dict[str, Any], code: str, target: str, words: str) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(_with_disks(cloud, disk))
    assert (refused.value.code, refused.value.target) == (code, target)
    assert words in refused.value.message


def test_two_disks_at_one_lun_are_told_by_name(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError, match="A disk named 'one' already uses the same LUN: 0"):
        cloud.put_machine(_with_disks(cloud, {**EMPTY, "name": "one"}, {**EMPTY, "name": "two"}))


def test_a_size_takes_only_so_many_disks_at_a_create_and_at_a_resize(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    disks = [{**EMPTY, "lun": lun} for lun in range(5)]
    with pytest.raises(ArmError, match="attached to a VM of this size is 4") as refused:
        cloud.put_machine(_with_disks(cloud, *disks))
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    machine = cloud.running_machine(_with_disks(cloud, *disks, size="Standard_D4s_v5"))
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}}}
    with pytest.raises(ArmError, match="of this size is 4"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    assert machine.size == "Standard_D4s_v5"


def test_premium_disks_need_a_size_with_premium_storage(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    premium = {**EMPTY, "managedDisk": {"storageAccountType": "Premium_LRS"}}
    words = "VM size Standard_D2_v5 does not support the storage account type Premium_LRS"
    with pytest.raises(ArmError, match=words) as refused:
        cloud.put_machine(_with_disks(cloud, premium, size="Standard_D2_v5"))
    assert refused.value.target == "dataDisk.managedDisk.storageAccountType"
    with pytest.raises(ArmError, match=words):
        cloud.put_machine(_with_disks(cloud, _existing(_disk(cloud)), size="Standard_D2_v5"))
    machine = cloud.running_machine(_with_disks(cloud, EMPTY, size="Standard_D2_v5"))
    assert machine.os_disk["managedDisk"]["storageAccountType"] == "Standard_LRS"
    assert machine.data_disks[0]["managedDisk"]["storageAccountType"] == "Standard_LRS"


def test_an_attached_disk_shows_its_name_size_and_type_in_the_machine(cloud: Cloud) -> None:
    disk = _disk(cloud, sku="StandardSSD_LRS")
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_with_disks(cloud, _existing(disk, caching="ReadOnly")))
    shown = machine.data_disks[0]
    assert (shown["name"], shown["diskSizeGB"], shown["caching"]) == ("data", 64, "ReadOnly")
    assert shown["managedDisk"]["storageAccountType"] == "StandardSSD_LRS"
    assert disk.first_user == str(machine.id)


@pytest.mark.parametrize("option", ["Detach", "Delete"])
def test_a_detached_disk_stays_whatever_its_delete_option(cloud: Cloud, option: str) -> None:
    machine = cloud.running_machine()
    _change_disks(cloud, machine, {**EMPTY, "name": "data", "deleteOption": option})
    cloud.pass_time()
    _change_disks(cloud, machine)
    cloud.pass_time()
    disk = cloud.subscription.store.find(machine.id.sibling("disks", "data"))
    assert disk is not None
    assert disk.first_user is None
    assert machine.data_disks == []


def test_a_disk_is_nobodys_only_when_its_detachment_has_ended(cloud: Cloud) -> None:
    disk = _disk(cloud)
    cloud.network()
    cloud.interface()
    cloud.interface("nic2")
    machine = cloud.running_machine(_with_disks(cloud, _existing(disk)))
    other = _with_disks(cloud, _existing(disk), nic="nic2")
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(other, name="other")
    assert refused.value.code == "ConflictingUserInput"
    _change_disks(cloud, machine, _existing(disk, toBeDetached=True))
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(other, name="other")
    assert refused.value.code == "AttachDiskWhileBeingDetached"
    cloud.pass_time()
    second, _ = cloud.put_machine(other, name="other")
    assert disk.first_user == str(second.id)


def test_a_disk_that_is_attached_again_stays(cloud: Cloud) -> None:
    disk = _disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_with_disks(cloud, _existing(disk)))
    for disks in ([], [_existing(disk)]):
        _change_disks(cloud, machine, *disks)
        cloud.pass_time()
    cloud.act(machine, PowerAction.RESTART)
    assert disk.first_user == str(machine.id)


def test_a_machine_deleted_while_it_detaches_lets_the_disk_go(cloud: Cloud) -> None:
    disk = _disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_with_disks(cloud, _existing(disk, deleteOption="Delete")))
    _change_disks(cloud, machine)
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.subscription.store.find(disk.id) is disk
    assert disk.first_user is None


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        pytest.param({"lun": 1}, "PropertyChangeNotAllowed", "dataDisk.lun", id="another-lun"),
        pytest.param({"name": "other"}, "PropertyChangeNotAllowed", "dataDisk.name", id="another-name"),
        pytest.param(
            {"managedDisk": {"id": "/subscriptions/s/resourceGroups/rg/providers/p/disks/d"}},
            "InvalidParameter",
            "A disk at LUN 0 already exists",
            id="another-disk-at-the-lun",
        ),
        pytest.param({"diskSizeGB": 8}, "ResizeDiskError", "smaller than the original", id="smaller"),
        pytest.param({"diskSizeGB": 32}, "ResizeDiskError", "when the Virtual Machine is deallocated", id="larger"),
    ],
)
def test_an_attached_disk_is_not_changed_so(cloud: Cloud, change: dict[str, Any], code: str, words: str) -> None:
    machine = cloud.running_machine()
    _change_disks(cloud, machine, EMPTY)
    cloud.pass_time()
    before = dict(machine.data_disks[0])
    with pytest.raises(ArmError, match=words) as refused:
        _change_disks(cloud, machine, {**machine.data_disks[0], **change})
    assert refused.value.code == code
    assert machine.data_disks == [before]


def test_a_refused_update_has_attached_nothing(cloud: Cloud) -> None:
    disk = _disk(cloud)
    machine = cloud.running_machine()
    with pytest.raises(ArmError):
        _change_disks(cloud, machine, _existing(disk), {**_existing(disk, 1), "managedDisk": {"id": "/disks/gone"}})
    assert disk.first_user is None


def test_a_deallocated_machine_grows_its_disks(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.act(machine, PowerAction.DEALLOCATE)
    patch = {"properties": {"storageProfile": {"osDisk": {"diskSizeGB": 128}}}}
    cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    disk = cloud.subscription.store.find(machine.os_disk["managedDisk"]["id"])
    assert disk is not None
    assert (disk.properties["diskSizeGB"], disk.properties["diskIOPSReadWrite"]) == (128, 500)
    assert machine.os_disk["diskSizeGB"] == 128


def _patch_disk(cloud: Cloud, disk: Resource, **changes: Any) -> None:
    body = {key: value for key, value in changes.items() if key == "sku"}
    body["properties"] = {key: value for key, value in changes.items() if key != "sku"}
    cloud.subscription.disks.patch(disk.id, body, now=cloud.now)
    cloud.pass_time()


def test_a_data_disk_grows_under_a_running_machine_but_not_past_four_tebibytes(cloud: Cloud) -> None:
    disk = _disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(_with_disks(cloud, _existing(disk)))
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
    disk = _disk(cloud)
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
