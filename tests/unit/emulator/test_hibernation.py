"""Machines that hibernate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.arm.compute_bodies import instance_view
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from benchhost.emulator.cloud.operations import Operation
    from unit.emulator.driver import Cloud

ENABLED = {"hibernationEnabled": True}


def _running(cloud: Cloud, **properties: Any) -> VirtualMachine:
    cloud.network()
    cloud.interface()
    return cloud.running_machine(cloud.machine_body(additionalCapabilities=ENABLED, **properties))


def _hibernate(cloud: Cloud, machine: VirtualMachine) -> Operation:
    operation = cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now, hibernate=True)
    cloud.pass_time()
    return operation


def _codes(cloud: Cloud, machine: VirtualMachine) -> list[str]:
    return [status["code"] for status in instance_view(machine, None, cloud.now)["statuses"]]


def test_a_hibernated_machine_is_deallocated_with_a_third_status_and_starts_on_new_hardware(cloud: Cloud) -> None:
    machine = _running(cloud)
    assert machine.placement is not None
    before = machine.placement.host_id
    operation = cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now, hibernate=True)
    assert machine.power is PowerState.DEALLOCATING
    cloud.pass_time()
    assert operation.error is None
    assert machine.placement is None
    assert _codes(cloud, machine) == [
        "ProvisioningState/succeeded",
        "PowerState/deallocated",
        "HibernationState/Hibernated",
    ]
    cloud.act(machine, PowerAction.START)
    assert _codes(cloud, machine) == ["ProvisioningState/succeeded", "PowerState/running"]
    assert machine.placement is not None
    assert machine.placement.host_id != before


def test_a_plain_deallocate_of_a_hibernated_machine_gives_its_memory_up(cloud: Cloud) -> None:
    machine = _running(cloud)
    _hibernate(cloud, machine)
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert _codes(cloud, machine) == ["ProvisioningState/succeeded", "PowerState/deallocated"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        pytest.param(PowerAction.POWER_OFF, "requires the VM to be running", id="stopped"),
        pytest.param(PowerAction.DEALLOCATE, "requires the VM to be running", id="deallocated"),
    ],
)
def test_only_a_running_machine_hibernates(cloud: Cloud, action: PowerAction, words: str) -> None:
    machine = _running(cloud)
    cloud.act(machine, action)
    with pytest.raises(ArmError, match=words) as refused:
        _hibernate(cloud, machine)
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")


def test_a_machine_that_is_being_created_does_not_hibernate_and_is_not_cancelled(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine(cloud.machine_body(additionalCapabilities=ENABLED))
    with pytest.raises(ArmError, match="requires the VM to be running"):
        _hibernate(cloud, machine)
    assert create.is_running


def test_a_machine_without_hibernation_does_not_hibernate(cloud: Cloud) -> None:
    with pytest.raises(ArmError, match="does not have hibernation enabled"):
        _hibernate(cloud, cloud.running_machine())


def test_memory_must_fit_on_the_os_disk(cloud: Cloud) -> None:
    machine = _running(cloud, hardwareProfile={"vmSize": "Standard_D8s_v5"})
    with pytest.raises(ArmError, match="no room for the 32 GB"):
        _hibernate(cloud, machine)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        pytest.param({"hardwareProfile": {"vmSize": "Standard_D2s_v3"}}, "Standard_D2s_v3 does not", id="size"),
        pytest.param({"priority": "Spot"}, "Spot", id="spot"),
    ],
)
def test_hibernation_is_refused_with_what_excludes_it(cloud: Cloud, properties: dict[str, Any], words: str) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError, match=words):
        cloud.put_machine(cloud.machine_body(additionalCapabilities=ENABLED, **properties))


def test_hibernation_is_switched_on_only_while_deallocated_and_with_a_disk_that_supports_it(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    patch = {"properties": {"additionalCapabilities": ENABLED}}
    with pytest.raises(ArmError, match="since the VM is not deallocated"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    cloud.act(machine, PowerAction.DEALLOCATE)
    with pytest.raises(ArmError, match="supportsHibernation"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    disk = cloud.subscription.store.find(machine.os_disk["managedDisk"]["id"])
    assert disk is not None
    cloud.subscription.disks.patch(disk.id, {"properties": {"supportsHibernation": True}}, now=cloud.now)
    cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    cloud.pass_time()
    cloud.act(machine, PowerAction.START)
    assert _hibernate(cloud, machine).error is None


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}, id="resize"),
        pytest.param(
            {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 8}]}}, id="attach"
        ),
    ],
)
def test_a_hibernated_machine_is_not_changed(cloud: Cloud, properties: dict[str, Any]) -> None:
    machine = _running(cloud)
    _hibernate(cloud, machine)
    with pytest.raises(ArmError, match="since the VM is hibernated"):
        cloud.subscription.machines.patch(machine.id, {"properties": properties}, now=cloud.now)
    cloud.subscription.machines.patch(machine.id, {"tags": {"a": "b"}}, now=cloud.now)
    assert machine.tags == {"a": "b"}
