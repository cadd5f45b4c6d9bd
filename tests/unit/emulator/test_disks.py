"""Data disks of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from unit.emulator.disk_bodies import existing, make_disk, with_disks

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from unit.emulator.driver import Cloud


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
        cloud.put_machine(with_disks(cloud, disk))
    assert (refused.value.code, refused.value.target) == (code, target)
    assert words in refused.value.message


def test_two_disks_at_one_lun_are_told_by_name(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError, match="A disk named 'one' already uses the same LUN: 0"):
        cloud.put_machine(with_disks(cloud, {**EMPTY, "name": "one"}, {**EMPTY, "name": "two"}))


def test_a_size_takes_only_so_many_disks_at_a_create_and_at_a_resize(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    disks = [{**EMPTY, "lun": lun} for lun in range(5)]
    with pytest.raises(ArmError, match="attached to a VM of this size is 4") as refused:
        cloud.put_machine(with_disks(cloud, *disks))
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    machine = cloud.running_machine(with_disks(cloud, *disks, size="Standard_D4s_v5"))
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
        cloud.put_machine(with_disks(cloud, premium, size="Standard_D2_v5"))
    assert refused.value.target == "dataDisk.managedDisk.storageAccountType"
    with pytest.raises(ArmError, match=words):
        cloud.put_machine(with_disks(cloud, existing(make_disk(cloud)), size="Standard_D2_v5"))
    machine = cloud.running_machine(with_disks(cloud, EMPTY, size="Standard_D2_v5"))
    assert machine.os_disk["managedDisk"]["storageAccountType"] == "Standard_LRS"
    assert machine.data_disks[0]["managedDisk"]["storageAccountType"] == "Standard_LRS"


def test_an_attached_disk_shows_its_name_size_and_type_in_the_machine(cloud: Cloud) -> None:
    disk = make_disk(cloud, sku="StandardSSD_LRS")
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(with_disks(cloud, existing(disk, caching="ReadOnly")))
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
    disk = make_disk(cloud)
    cloud.network()
    cloud.interface()
    cloud.interface("nic2")
    machine = cloud.running_machine(with_disks(cloud, existing(disk)))
    other = with_disks(cloud, existing(disk), nic="nic2")
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(other, name="other")
    assert refused.value.code == "ConflictingUserInput"
    _change_disks(cloud, machine, existing(disk, toBeDetached=True))
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(other, name="other")
    assert refused.value.code == "AttachDiskWhileBeingDetached"
    cloud.pass_time()
    second, _ = cloud.put_machine(other, name="other")
    assert disk.first_user == str(second.id)


def test_a_disk_that_is_attached_again_stays(cloud: Cloud) -> None:
    disk = make_disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(with_disks(cloud, existing(disk)))
    for disks in ([], [existing(disk)]):
        _change_disks(cloud, machine, *disks)
        cloud.pass_time()
    cloud.act(machine, PowerAction.RESTART)
    assert disk.first_user == str(machine.id)


def test_a_machine_deleted_while_it_detaches_lets_the_disk_go(cloud: Cloud) -> None:
    disk = make_disk(cloud)
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(with_disks(cloud, existing(disk, deleteOption="Delete")))
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
    disk = make_disk(cloud)
    machine = cloud.running_machine()
    with pytest.raises(ArmError):
        _change_disks(cloud, machine, existing(disk), {**existing(disk, 1), "managedDisk": {"id": "/disks/gone"}})
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
