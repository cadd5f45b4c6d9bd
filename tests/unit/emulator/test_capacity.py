from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.capacity import CapacityFailure, CapacityLimit
from benchhost.emulator.cloud.compute.machine import PowerState, Priority
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.emulator.driver import Cloud

SIZE = "Standard_D2s_v5"


def limit(cloud: Cloud, machines: int, **fields: Any) -> None:
    values = {"location": "eastus", "scope": SIZE, **fields}
    cloud.subscription.allocator.capacity.set(CapacityLimit(machines=machines, **values))


@pytest.fixture
def prepared(cloud: Cloud) -> Cloud:
    cloud.network()
    cloud.interface()
    cloud.interface("nic2")
    return cloud


@pytest.mark.parametrize("scope", [SIZE, SIZE.lower(), "standardDSv5Family", "*"])
def test_a_size_that_is_withheld_is_refused_at_once(prepared: Cloud, scope: str) -> None:
    limit(prepared, 0, scope=scope)
    with pytest.raises(ArmError) as refused:
        prepared.put_machine()
    assert (refused.value.status, refused.value.code) == (409, "SkuNotAvailable")
    assert f"Capacity Restrictions: {SIZE}' is currently not available in location 'eastus'" in refused.value.message
    assert prepared.subscription.machines.find(prepared.machine_id()) is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"location": "westus2"}, id="another-region"),
        pytest.param({"scope": "Standard_D4s_v5"}, id="another-size"),
        pytest.param({"scope": "standardESv5Family"}, id="another-family"),
        pytest.param({"zone": "1"}, id="a-zone-for-a-machine-without-one"),
        pytest.param({"priority": Priority.SPOT}, id="spot-for-a-normal-machine"),
    ],
)
def test_a_limit_on_something_else_does_not_matter(prepared: Cloud, fields: dict[str, Any]) -> None:
    limit(prepared, 0, **fields)
    _, create = prepared.put_machine()
    prepared.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("failure", "zones", "code", "words"),
    [
        pytest.param(None, None, "AllocationFailed", "in this region", id="ran-out"),
        pytest.param(None, ["1"], "ZonalAllocationFailed", "in this zone", id="ran-out-in-a-zone"),
        pytest.param(
            CapacityFailure.OVERCONSTRAINED,
            None,
            "OverconstrainedAllocationRequest",
            "are:\n  - VM Size\n",
            id="overconstrained",
        ),
        pytest.param(
            CapacityFailure.OVERCONSTRAINED,
            ["1"],
            "OverconstrainedZonalAllocationRequest",
            "are:\n  - Availability Zone\n  - VM Size\n",
            id="overconstrained-in-a-zone",
        ),
    ],
)
def test_a_create_without_room_is_accepted_and_fails(
    prepared: Cloud, failure: CapacityFailure | None, zones: list[str] | None, code: str, words: str
) -> None:
    limit(prepared, 1, failure=failure)
    prepared.put_machine({**prepared.machine_body("nic2"), "zones": zones}, name="first")
    machine, create = prepared.put_machine({**prepared.machine_body(), "zones": zones})
    assert machine.provisioning_state is ProvisioningState.CREATING
    prepared.pass_time()
    assert create.status is OperationStatus.FAILED
    assert create.error is not None
    assert create.error.code == code
    assert words in create.error.message
    assert machine.provisioning_state is ProvisioningState.FAILED
    assert machine.placement is None
    interface = prepared.subscription.store.find(prepared.network_id("networkInterfaces", "nic"))
    assert interface is not None
    assert interface.first_user == str(machine.id)
    assert prepared.subscription.store.find(machine.os_disk["managedDisk"]["id"]) is not None


@pytest.mark.parametrize(
    "recover",
    [
        pytest.param(lambda cloud, _: cloud.put_machine()[1], id="the-same-put"),
        pytest.param(lambda cloud, machine: cloud.act(machine, PowerAction.REAPPLY), id="reapply"),
        pytest.param(lambda cloud, machine: cloud.act(machine, PowerAction.START), id="start"),
    ],
)
def test_a_failed_create_recovers_once_there_is_room(prepared: Cloud, recover: Callable[..., Any]) -> None:
    limit(prepared, 0, failure=CapacityFailure.ALLOCATION_FAILED)
    machine, _ = prepared.put_machine()
    prepared.pass_time()
    limit(prepared, 1)
    operation = recover(prepared, machine)
    prepared.pass_time()
    assert operation.status is OperationStatus.SUCCEEDED
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED
    assert machine.power is PowerState.RUNNING
    assert machine.placement is not None


@pytest.mark.parametrize(
    "free",
    [
        pytest.param(lambda cloud, machine: cloud.act(machine, PowerAction.DEALLOCATE), id="deallocate"),
        pytest.param(lambda cloud, machine: cloud.delete(machine), id="delete"),
    ],
)
def test_capacity_comes_back(prepared: Cloud, free: Callable[..., Any]) -> None:
    limit(prepared, 1)
    machine, _ = prepared.put_machine()
    prepared.pass_time()
    free(prepared, machine)
    prepared.pass_time()
    _, create = prepared.put_machine(prepared.machine_body("nic2"), name="second")
    prepared.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


def test_a_stopped_machine_keeps_its_capacity(prepared: Cloud) -> None:
    limit(prepared, 1)
    machine, _ = prepared.put_machine()
    prepared.pass_time()
    prepared.act(machine, PowerAction.POWER_OFF)
    _, create = prepared.put_machine(prepared.machine_body("nic2"), name="second")
    prepared.pass_time()
    assert create.status is OperationStatus.FAILED


def test_a_deallocated_machine_may_find_no_room_and_stays_deallocated(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    prepared.act(machine, PowerAction.DEALLOCATE)
    limit(prepared, 1)
    prepared.put_machine(prepared.machine_body("nic2"), name="other")
    start = prepared.act(machine, PowerAction.START)
    assert start.status is OperationStatus.FAILED
    assert machine.power is PowerState.DEALLOCATED
    assert machine.failure is not None
    assert machine.failure.code == "AllocationFailed"


def test_a_withheld_size_is_refused_at_start_and_leaves_the_machine_alone(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    prepared.act(machine, PowerAction.DEALLOCATE)
    limit(prepared, 0)
    with pytest.raises(ArmError, match="SkuNotAvailable"):
        prepared.act(machine, PowerAction.START)
    assert machine.power is PowerState.DEALLOCATED
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED


def test_a_redeploy_without_room_leaves_the_machine_where_it_was(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    before = machine.placement
    limit(prepared, 0, failure=CapacityFailure.ALLOCATION_FAILED)
    assert prepared.act(machine, PowerAction.REDEPLOY).status is OperationStatus.FAILED
    assert machine.placement is before
    assert machine.power is PowerState.RUNNING


def test_a_full_region_stops_a_resize_and_nothing_else_that_changes(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    limit(prepared, 0, scope="*", failure=CapacityFailure.ALLOCATION_FAILED)
    for body, status in (
        ({"tags": {"a": "b"}}, OperationStatus.SUCCEEDED),
        ({"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}, OperationStatus.FAILED),
    ):
        _, update = prepared.subscription.machines.patch(machine.id, body, now=prepared.now)
        prepared.pass_time()
        assert update.status is status
    assert machine.power is PowerState.RUNNING
    assert machine.is_allocated


def test_powering_off_a_create_that_was_denied_fails(prepared: Cloud) -> None:
    limit(prepared, 0, failure=CapacityFailure.ALLOCATION_FAILED)
    machine, create = prepared.put_machine()
    stop = prepared.act(machine, PowerAction.POWER_OFF)
    assert create.status is OperationStatus.CANCELED
    assert stop.status is OperationStatus.FAILED
    assert machine.placement is None


def test_deallocating_a_create_that_was_denied_succeeds(prepared: Cloud) -> None:
    limit(prepared, 0, failure=CapacityFailure.ALLOCATION_FAILED)
    machine, create = prepared.put_machine()
    assert prepared.act(machine, PowerAction.DEALLOCATE).status is OperationStatus.SUCCEEDED
    assert create.status is OperationStatus.CANCELED
    assert machine.power is PowerState.DEALLOCATED
    prepared.subscription.allocator.capacity.limits.clear()
    assert prepared.act(machine, PowerAction.START).status is OperationStatus.SUCCEEDED


def test_a_create_that_fails_for_another_reason_gives_its_capacity_back(prepared: Cloud) -> None:
    limit(prepared, 1)
    body = prepared.machine_body()
    body["properties"]["storageProfile"]["osDisk"]["name"] = "taken"
    _, create = prepared.put_machine(body)
    disk = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
    disk_id = prepared.machine_id().sibling("disks", "taken")
    prepared.subscription.disks.put(disk_id, disk, now=prepared.now)
    prepared.pass_time()
    assert create.status is OperationStatus.FAILED
    _, other = prepared.put_machine(prepared.machine_body("nic2"), name="other")
    prepared.pass_time()
    assert other.status is OperationStatus.SUCCEEDED


def test_the_interface_of_a_failed_create_is_kept_for_its_machine(prepared: Cloud) -> None:
    limit(prepared, 0)
    with pytest.raises(ArmError, match="SkuNotAvailable"):
        prepared.put_machine()
    prepared.subscription.allocator.capacity.limits.clear()
    prepared.pass_time(179)
    for attempt in (
        lambda: prepared.put_machine(name="another"),
        lambda: prepared.subscription.interfaces.delete(
            prepared.network_id("networkInterfaces", "nic"), now=prepared.now
        ),
    ):
        with pytest.raises(ArmError) as refused:
            attempt()
        assert (refused.value.status, refused.value.code) == (400, "NicReservedForAnotherVm")
        assert refused.value.message.endswith(f"Reserved VM: {prepared.machine_id()}")
    prepared.pass_time(1)
    _, create = prepared.put_machine(name="another")
    prepared.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


def test_a_refused_image_keeps_the_interface_too(prepared: Cloud) -> None:
    body = prepared.machine_body()
    body["properties"]["storageProfile"]["imageReference"]["publisher"] = "Nobody"
    with pytest.raises(ArmError, match="PlatformImageNotFound"):
        prepared.put_machine(body)
    with pytest.raises(ArmError, match="NicReservedForAnotherVm"):
        prepared.put_machine(name="another")


def test_an_interface_of_a_running_machine_is_not_kept_for_a_stranger(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    body = prepared.machine_body()
    body["properties"]["storageProfile"]["imageReference"]["publisher"] = "Nobody"
    with pytest.raises(ArmError, match="PlatformImageNotFound"):
        prepared.put_machine(body, name="stranger")
    prepared.delete(machine)
    prepared.pass_time(100)
    _, again = prepared.put_machine()
    prepared.pass_time()
    assert again.status is OperationStatus.SUCCEEDED


def test_the_machine_that_failed_may_use_its_own_interface_at_once(prepared: Cloud) -> None:
    limit(prepared, 0, failure=CapacityFailure.ALLOCATION_FAILED)
    machine, create = prepared.put_machine()
    prepared.pass_time(create.due - prepared.now)
    prepared.delete(machine)
    prepared.pass_time(100)
    prepared.subscription.allocator.capacity.limits.clear()
    with pytest.raises(ArmError, match="NicReservedForAnotherVm"):
        prepared.put_machine(name="another")
    _, again = prepared.put_machine()
    prepared.pass_time()
    assert again.status is OperationStatus.SUCCEEDED
