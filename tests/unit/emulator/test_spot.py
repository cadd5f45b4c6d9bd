from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.capacity import CapacityLimit
from benchhost.emulator.cloud.compute.eviction import NOTICE_SECONDS, SIMULATION_SECONDS
from benchhost.emulator.cloud.compute.machine import PowerState, Priority
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from unit.emulator.driver import Cloud


def spot_body(cloud: Cloud, interface: str = "nic", **properties: Any) -> dict[str, Any]:
    return cloud.machine_body(interface, priority="Spot", **properties)


@pytest.fixture
def machine(cloud: Cloud) -> VirtualMachine:
    return cloud.running_machine(spot_body(cloud))


def limit(cloud: Cloud, machines: int) -> CapacityLimit:
    found = CapacityLimit(location="eastus", scope="*", machines=machines, priority=Priority.SPOT)
    cloud.subscription.allocator.capacity.set(found)
    return found


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        pytest.param(
            {"evictionPolicy": "Delete"},
            "Eviction policy can be set only on Azure Spot Virtual Machines.",
            id="policy-of-a-regular-machine",
        ),
        pytest.param(
            {"priority": "Regular", "evictionPolicy": "Delete"},
            "Eviction policy can be set only on Azure Spot Virtual Machines.",
            id="policy-of-a-machine-that-says-it-is-regular",
        ),
        pytest.param(
            {"billingProfile": {"maxPrice": 1}},
            "Max price is supported only for Azure Spot Virtual Machines.",
            id="price-of-a-regular-machine",
        ),
        pytest.param({"priority": "Spot", "billingProfile": {"maxPrice": 0}}, "Invalid max price value.", id="zero"),
        pytest.param(
            {"priority": "Spot", "billingProfile": {"maxPrice": -2}}, "Invalid max price value.", id="minus-2"
        ),
        pytest.param({"priority": "Spot", "billingProfile": {"maxPrice": "1"}}, "Invalid max price value.", id="text"),
        pytest.param(
            {"priority": "Spot", "hardwareProfile": {"vmSize": "Standard_B2s"}},
            "not supported for this VM size Standard_B2s",
            id="burstable-size",
        ),
    ],
)
def test_bodies_that_cannot_be(cloud: Cloud, properties: dict[str, Any], message: str) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(cloud.machine_body(**properties))
    assert (refused.value.status, refused.value.code) == (400, "BadRequest")
    assert message in refused.value.message


@pytest.mark.parametrize("field", ["priority", "evictionPolicy"])
def test_words_that_do_not_exist(cloud: Cloud, field: str) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(spot_body(cloud) | {"properties": cloud.machine_body()["properties"] | {field: "Stop"}})
    assert (refused.value.code, refused.value.target) == ("InvalidParameter", field)


def test_a_spot_machine_is_deallocated_when_evicted_unless_it_says_otherwise(machine: VirtualMachine) -> None:
    assert machine.properties["evictionPolicy"] == "Deallocate"


def test_a_price_below_the_present_one_is_refused(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(spot_body(cloud, billingProfile={"maxPrice": 0.001}))
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    assert "'Create VM' since the provided max price '0.001 USD' is lower than the current" in refused.value.message


def test_the_price_can_be_changed_only_without_hardware(cloud: Cloud, machine: VirtualMachine) -> None:
    def patch(price: float) -> None:
        body = {"properties": {"billingProfile": {"maxPrice": price}}}
        cloud.subscription.machines.patch(machine.id, body, now=cloud.now)
        cloud.pass_time()

    patch(-1)
    with pytest.raises(ArmError, match="Max price change is not allowed when the VM 'vm' is currently allocated"):
        patch(5.0)
    cloud.act(machine, PowerAction.DEALLOCATE)
    patch(0.001)
    with pytest.raises(ArmError, match="'Start VM' since the provided max price"):
        cloud.act(machine, PowerAction.START)


def test_a_regular_machine_never_becomes_spot(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    with pytest.raises(ArmError, match="cannot be applied to the Virtual Machine 'vm' since no priority"):
        cloud.subscription.machines.patch(machine.id, {"properties": {"priority": "Spot"}}, now=cloud.now)


def test_spot_capacity_is_apart_and_its_lack_is_told_at_once(cloud: Cloud) -> None:
    limit(cloud, 0)
    machine = cloud.running_machine()
    assert machine.power is PowerState.RUNNING
    cloud.interface("nic2")
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(spot_body(cloud, "nic2"), name="spot")
    assert refused.value.code == "SkuNotAvailable"
    assert f"The requested tier for resource '{cloud.machine_id('spot')}'" in refused.value.message


def test_an_evicted_machine_cannot_start_without_spot_capacity(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.subscription.evictions.evict(machine, cloud.now)
    cloud.pass_time()
    limit(cloud, 0)
    with pytest.raises(ArmError, match="SkuNotAvailable"):
        cloud.act(machine, PowerAction.START)


def _evict(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.subscription.evictions.evict(machine, cloud.now)


def _simulate(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.subscription.evictions.simulate(machine, cloud.now)


def _take_capacity(cloud: Cloud, _: VirtualMachine) -> None:
    cloud.subscription.evictions.enforce(limit(cloud, 0), cloud.now)


@pytest.mark.parametrize("evict", [_evict, _simulate, _take_capacity])
def test_an_evicted_machine_looks_deallocated_and_nothing_else(
    cloud: Cloud, machine: VirtualMachine, evict: Callable[[Cloud, VirtualMachine], None]
) -> None:
    evict(cloud, machine)
    assert machine.power is PowerState.RUNNING
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED
    assert machine.eviction is not None
    cloud.pass_time(SIMULATION_SECONDS)
    assert machine.power is PowerState.DEALLOCATED
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED
    assert machine.placement is None
    assert machine.eviction is None
    assert machine.operation_id is None


def test_a_machine_is_warned_before_it_is_evicted(cloud: Cloud, machine: VirtualMachine) -> None:
    _evict(cloud, machine)
    assert machine.eviction is not None
    assert machine.eviction.due == cloud.now + NOTICE_SECONDS
    cloud.pass_time(NOTICE_SECONDS - 1)
    assert machine.power is PowerState.RUNNING
    cloud.pass_time(1)
    assert machine.power is PowerState.DEALLOCATED


def test_an_evicted_machine_starts_again_on_another_stay(cloud: Cloud, machine: VirtualMachine) -> None:
    _evict(cloud, machine)
    cloud.pass_time()
    assert cloud.act(machine, PowerAction.START).status is OperationStatus.SUCCEEDED
    assert len(machine.placements) == 2


def test_policy_delete_takes_the_machine_and_its_disks(cloud: Cloud) -> None:
    machine = cloud.running_machine(spot_body(cloud, evictionPolicy="Delete"))
    _evict(cloud, machine)
    cloud.pass_time(NOTICE_SECONDS)
    with pytest.raises(ArmError, match="NotFound"):
        cloud.subscription.machines.get(machine.id, now=cloud.now)
    assert cloud.kinds() == ["networkInterfaces", "subnets", "virtualNetworks"]


def test_policy_delete_takes_the_interface_where_it_says_so(cloud: Cloud) -> None:
    body = spot_body(cloud, evictionPolicy="Delete")
    body["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    _evict(cloud, cloud.running_machine(body))
    cloud.pass_time()
    assert cloud.kinds() == ["subnets", "virtualNetworks"]


def test_an_eviction_during_the_create_pushes_it_aside(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine(spot_body(cloud, evictionPolicy="Delete"))
    cloud.subscription.evictions.evict(machine, cloud.now, notice_seconds=1)
    cloud.pass_time(2)
    assert create.status is OperationStatus.CANCELED
    assert cloud.subscription.machines.find(machine.id) is None


def test_who_deallocates_in_time_is_not_evicted(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.subscription.evictions.evict(machine, cloud.now, notice_seconds=5000)
    cloud.act(machine, PowerAction.DEALLOCATE)
    cloud.act(machine, PowerAction.START)
    cloud.pass_time(10_000)
    assert machine.power is PowerState.RUNNING


def test_an_old_warning_does_not_evict_a_machine_that_has_a_new_one(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.subscription.evictions.evict(machine, cloud.now, notice_seconds=5_000)
    cloud.act(machine, PowerAction.DEALLOCATE)
    cloud.act(machine, PowerAction.START)
    cloud.subscription.evictions.evict(machine, cloud.now, notice_seconds=20_000)
    cloud.pass_time(10_000)
    assert machine.power is PowerState.RUNNING
    cloud.pass_time(10_000)
    assert machine.power is PowerState.DEALLOCATED


def test_a_spot_machine_cannot_become_a_size_without_spot(cloud: Cloud, machine: VirtualMachine) -> None:
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}}
    with pytest.raises(ArmError, match="not supported for this VM size Standard_B2s"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)


def test_a_smaller_limit_evicts_the_youngest(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.interface("nic2")
    younger, _ = cloud.put_machine(spot_body(cloud, "nic2"), name="younger")
    cloud.pass_time()
    leaving = cloud.subscription.evictions.enforce(limit(cloud, 1), cloud.now)
    assert leaving == [younger]
    assert cloud.subscription.evictions.enforce(limit(cloud, 1), cloud.now) == []
    cloud.pass_time()
    assert machine.power is PowerState.RUNNING
    assert younger.power is PowerState.DEALLOCATED


def test_only_spot_machines_with_hardware_can_be_evicted_by_request(cloud: Cloud, machine: VirtualMachine) -> None:
    cloud.act(machine, PowerAction.DEALLOCATE)
    with pytest.raises(ArmError, match="deallocated"):
        _simulate(cloud, machine)
    cloud.interface("nic2")
    regular, _ = cloud.put_machine(cloud.machine_body("nic2"), name="regular")
    cloud.pass_time()
    with pytest.raises(ArmError, match="not an Azure Spot Virtual Machine"):
        _simulate(cloud, regular)
