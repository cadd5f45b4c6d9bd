from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.compute.machine import PowerState
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.state.cells import find_slots

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


def test_a_created_machine_runs_on_a_host_and_has_its_disk(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, operation = cloud.put_machine()

    assert machine.provisioning_state is ProvisioningState.CREATING
    assert "managedDisk" in machine.os_disk
    assert "id" not in machine.os_disk["managedDisk"]
    assert machine.placement is None

    cloud.pass_time()
    assert operation.status is OperationStatus.SUCCEEDED
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED
    assert machine.power is PowerState.RUNNING
    assert machine.placement is not None
    disk = cloud.subscription.store.find(machine.os_disk["managedDisk"]["id"])
    assert disk is not None
    assert disk.first_user == str(machine.id)


def test_an_operation_ends_when_its_time_has_come_and_not_before(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    _, operation = cloud.put_machine()
    cloud.pass_time(operation.due - cloud.now - 0.001)
    assert operation.is_running
    cloud.pass_time(0.001)
    assert operation.status is OperationStatus.SUCCEEDED
    assert operation.ended == operation.due


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param([PowerAction.POWER_OFF], PowerState.STOPPED, id="power-off-stops"),
        pytest.param([PowerAction.DEALLOCATE], PowerState.DEALLOCATED, id="deallocate-deallocates"),
        pytest.param([PowerAction.POWER_OFF, PowerAction.START], PowerState.RUNNING, id="stopped-machine-starts"),
        pytest.param([PowerAction.DEALLOCATE, PowerAction.START], PowerState.RUNNING, id="deallocated-machine-starts"),
        pytest.param(
            [PowerAction.POWER_OFF, PowerAction.DEALLOCATE],
            PowerState.DEALLOCATED,
            id="stopped-machine-deallocates",
        ),
        pytest.param(
            [PowerAction.DEALLOCATE, PowerAction.POWER_OFF],
            PowerState.DEALLOCATED,
            id="power-off-leaves-a-deallocated-machine-deallocated",
        ),
        pytest.param([PowerAction.RESTART], PowerState.RUNNING, id="restarted-machine-runs"),
        pytest.param([PowerAction.START], PowerState.RUNNING, id="starting-a-running-machine-changes-nothing"),
        pytest.param([PowerAction.REAPPLY], PowerState.RUNNING, id="reapply-leaves-power-alone"),
    ],
)
def test_power_actions(cloud: Cloud, actions: list[PowerAction], expected: PowerState) -> None:
    machine = cloud.running_machine()
    for action in actions:
        assert cloud.act(machine, action).status is OperationStatus.SUCCEEDED
    assert machine.power is expected
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED


@pytest.mark.parametrize(
    ("actions", "moves"),
    [
        pytest.param([PowerAction.RESTART], False, id="restart-keeps-the-host"),
        pytest.param([PowerAction.POWER_OFF, PowerAction.START], False, id="power-off-and-start-keep-the-host"),
        pytest.param([PowerAction.DEALLOCATE, PowerAction.START], True, id="deallocate-and-start-move"),
        pytest.param([PowerAction.REDEPLOY], True, id="redeploy-moves"),
    ],
)
def test_which_actions_move_a_machine_to_another_host(cloud: Cloud, actions: list[PowerAction], moves: bool) -> None:
    machine = cloud.running_machine()
    assert machine.placement is not None
    before = machine.placement.host_id
    for action in actions:
        cloud.act(machine, action)
    assert machine.placement is not None
    assert (machine.placement.host_id != before) is moves


def test_states_meanwhile_are_shown(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now)
    assert machine.power is PowerState.DEALLOCATING
    assert machine.provisioning_state is ProvisioningState.UPDATING
    cloud.pass_time()
    cloud.subscription.power.begin(machine, PowerAction.START, now=cloud.now)
    assert machine.power is PowerState.STARTING


@pytest.mark.parametrize("action", [PowerAction.DEALLOCATE, PowerAction.POWER_OFF])
def test_stopping_during_create_cancels_the_create(cloud: Cloud, action: PowerAction) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine()
    cloud.pass_time(1)
    stop = cloud.act(machine, action)
    assert create.status is OperationStatus.CANCELED
    assert create.error is not None
    assert create.error.code == "OperationPreempted"
    assert stop.status is OperationStatus.SUCCEEDED
    assert machine.power in (PowerState.DEALLOCATED, PowerState.STOPPED)
    assert "id" in machine.os_disk["managedDisk"]


def test_delete_during_create_cancels_the_create_and_leaves_no_machine(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine()
    cloud.pass_time(1)
    delete = cloud.delete(machine)
    assert create.status is OperationStatus.CANCELED
    assert machine.provisioning_state is ProvisioningState.DELETING
    cloud.pass_time()
    assert delete.status is OperationStatus.SUCCEEDED
    assert cloud.kinds() == ["networkInterfaces", "subnets", "virtualNetworks"]


def test_a_second_delete_joins_the_first(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    assert cloud.delete(machine) is cloud.delete(machine)


def test_by_default_a_deleted_machine_leaves_interface_disk_and_address(cloud: Cloud) -> None:
    cloud.network()
    address = cloud.address()
    cloud.interface(publicIPAddress={"id": str(address.id)})
    machine = cloud.running_machine()
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["disks", "networkInterfaces", "publicIPAddresses", "subnets", "virtualNetworks"]
    interface = cloud.subscription.store.find(cloud.network_id("networkInterfaces", "nic"))
    assert interface is not None
    assert interface.first_user is None


def test_delete_options_take_interface_disks_and_address_along(cloud: Cloud) -> None:
    cloud.network()
    address = cloud.address()
    reference = {"id": str(address.id), "properties": {"deleteOption": "Delete"}}
    cloud.interface(publicIPAddress=reference)
    body = cloud.machine_body()
    storage = body["properties"]["storageProfile"]
    storage["osDisk"]["deleteOption"] = "Delete"
    storage["dataDisks"] = [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 64, "deleteOption": "Delete"},
        {"lun": 1, "createOption": "Empty", "diskSizeGB": 64},
    ]
    body["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    machine = cloud.running_machine(body)
    assert cloud.kinds().count("disks") == 3
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["disks", "subnets", "virtualNetworks"]


def test_a_dynamic_address_goes_with_the_hardware_and_a_static_one_stays(cloud: Cloud) -> None:
    cloud.network()
    dynamic = cloud.address("dynamic", method="Dynamic", sku="Basic")
    assert "ipAddress" not in dynamic.properties
    cloud.interface(publicIPAddress={"id": str(dynamic.id)})
    machine = cloud.running_machine()
    assert dynamic.properties["ipAddress"] == "203.0.113.1"
    cloud.act(machine, PowerAction.POWER_OFF)
    assert "ipAddress" in dynamic.properties
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert "ipAddress" not in dynamic.properties


def test_resize_changes_the_size_and_grows_the_revision(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    before = machine.revision
    body = {"properties": {"hardwareProfile": {"vmSize": "standard_d4s_V5"}}, "tags": {"a": "b"}}
    cloud.subscription.machines.patch(machine.id, body, now=cloud.now)
    cloud.pass_time()
    assert machine.size == "Standard_D4s_v5"
    assert machine.tags == {"a": "b"}
    assert machine.power is PowerState.RUNNING
    assert machine.revision > before


def test_data_disks_are_attached_and_detached_by_an_update(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    disks = [{"lun": 3, "createOption": "Empty", "diskSizeGB": 16}]
    patch = {"properties": {"storageProfile": {"dataDisks": disks}}}
    cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    cloud.pass_time()
    disk = cloud.subscription.store.find(machine.data_disks[0]["managedDisk"]["id"])
    assert disk is not None
    assert disk.first_user == str(machine.id)
    cloud.subscription.machines.patch(machine.id, {"properties": {"storageProfile": {"dataDisks": []}}}, now=cloud.now)
    cloud.pass_time()
    assert disk.first_user is None
    assert machine.data_disks == []


def test_secrets_are_kept_out_of_the_properties(cloud: Cloud) -> None:
    body = cloud.machine_body()
    body["properties"]["osProfile"] |= {"adminPassword": "S3cret-pass!", "customData": "I2Nsb3VkLWNvbmZpZw=="}
    machine = cloud.running_machine(body)
    assert "S3cret" not in repr(machine)
    assert "I2Nsb3" not in repr(machine)
    assert machine.custom_data == "I2Nsb3VkLWNvbmZpZw=="


def test_a_create_whose_disk_name_was_taken_meanwhile_fails_visibly(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    body["properties"]["storageProfile"]["osDisk"]["name"] = "taken"
    machine, create = cloud.put_machine(body)
    disk_id = machine.id.sibling("disks", "taken")
    disk = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
    cloud.subscription.disks.put(disk_id, disk, now=cloud.now)
    cloud.pass_time()
    assert create.status is OperationStatus.FAILED
    assert machine.provisioning_state is ProvisioningState.FAILED
    assert machine.failure is not None
    assert machine.failure.code == "ConflictingUserInput"
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["disks", "networkInterfaces", "subnets", "virtualNetworks"]


def test_a_machine_just_deleted_gives_the_providers_404_and_later_the_front_doors(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    delete = cloud.delete(machine)
    cloud.pass_time(delete.due - cloud.now)
    for seconds, code in ((0.0, "NotFound"), (60.0, "ResourceNotFound")):
        with pytest.raises(ArmError) as refused:
            cloud.subscription.machines.get(machine.id, now=cloud.now + seconds)
        assert refused.value.code == code


def test_a_machine_that_is_made_again_at_once_is_seen(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    delete = cloud.delete(machine)
    cloud.pass_time(delete.due - cloud.now)
    machine, _ = cloud.put_machine()
    assert cloud.subscription.machines.get(machine.id, now=cloud.now) is machine


def test_deletions_are_not_remembered_for_ever(cloud: Cloud) -> None:
    cloud.network()
    for number in range(3):
        cloud.interface(f"nic-{number}")
        machine, _ = cloud.put_machine(cloud.machine_body(f"nic-{number}"), name=f"vm-{number}")
        cloud.pass_time()
        cloud.delete(machine)
        cloud.pass_time()
    (deletions,) = [slot for slot in find_slots({"machines": cloud.subscription.machines}) if "deleted" in slot.name]
    assert len(deletions.value) == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param({"Env": "a", "Owner": "b"}, {"Env": "a", "Owner": "b"}, id="names-keep-their-case"),
        pytest.param({"Env": "a", "env": "b"}, {"Env": "b"}, id="names-that-differ-in-case-are-one-tag"),
        pytest.param({"a": "B", "b": "B"}, {"a": "B", "b": "B"}, id="values-may-be-equal"),
    ],
)
def test_tags(cloud: Cloud, given: dict[str, str], kept: dict[str, str]) -> None:
    machine = cloud.running_machine({**cloud.machine_body("nic"), "tags": given})
    assert machine.tags == kept


def test_deleting_a_group_deletes_everything_in_it_and_cancels_what_is_under_way(cloud: Cloud) -> None:
    cloud.network()
    address = cloud.address()
    cloud.interface(publicIPAddress={"id": str(address.id)})
    _, create = cloud.put_machine()
    delete = cloud.subscription.delete_group("RG", cloud.now)
    assert create.status is OperationStatus.CANCELED
    assert cloud.subscription.delete_group("rg", cloud.now) is delete
    cloud.pass_time()
    assert delete.status is OperationStatus.SUCCEEDED
    assert cloud.kinds() == []
    assert cloud.subscription.groups.find("rg") is None


def test_a_group_whose_resources_are_used_elsewhere_is_not_deleted(cloud: Cloud) -> None:
    cloud.network()
    cloud.subscription.groups.put("other", "eastus", {})
    subnet = cloud.network_id("virtualNetworks", "vnet").child("subnets", "default")
    body = {
        "location": "eastus",
        "properties": {"ipConfigurations": [{"name": "i", "properties": {"subnet": {"id": str(subnet)}}}]},
    }
    other_id = type(subnet)(subnet.subscription, "other", "Microsoft.Network", ("networkInterfaces",), ("nic",))
    cloud.subscription.interfaces.put(other_id, body, now=cloud.now)
    operation = cloud.subscription.delete_group("rg", cloud.now)
    cloud.pass_time()
    assert operation.error is not None
    assert operation.error.code == "ResourceGroupDeletionBlocked"
    assert cloud.subscription.groups.get("rg").state is ProvisioningState.SUCCEEDED


def test_the_same_seed_gives_the_same_identifiers_and_durations(cloud: Cloud, another_cloud: Cloud) -> None:
    one, other = cloud.running_machine(), another_cloud.running_machine()
    assert one.guid == other.guid
    assert one.placement == other.placement
