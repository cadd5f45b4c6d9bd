"""What an operation leaves behind that was accepted and then failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction, PowerState
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationKind, OperationStatus
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.operations import Operation
    from unit.emulator.driver import Cloud

FAILURE = ArmError(409, "AllocationFailed", "No capacity.")


def _fail(cloud: Cloud, *kinds: OperationKind) -> None:
    def verdict(operation: Operation, _now: float) -> ArmError | None:
        return FAILURE if operation.kind in kinds else None

    cloud.subscription.operations.judge_with(verdict)


@pytest.mark.parametrize(
    ("before", "action", "kind", "power"),
    [
        pytest.param(None, PowerAction.DEALLOCATE, OperationKind.DEALLOCATE, PowerState.RUNNING, id="deallocate"),
        pytest.param(None, PowerAction.POWER_OFF, OperationKind.POWER_OFF, PowerState.RUNNING, id="power-off"),
        pytest.param(None, PowerAction.RESTART, OperationKind.RESTART, PowerState.RUNNING, id="restart"),
        pytest.param(
            PowerAction.POWER_OFF, PowerAction.START, OperationKind.START_STOPPED, PowerState.STOPPED, id="start"
        ),
        pytest.param(
            PowerAction.DEALLOCATE, PowerAction.START, OperationKind.START_DEALLOCATED, PowerState.DEALLOCATED,
            id="start-of-a-deallocated-one",
        ),
    ],
)  # fmt: skip
def test_a_failed_power_action_leaves_the_machine_where_it_was(
    cloud: Cloud, before: PowerAction | None, action: PowerAction, kind: OperationKind, power: PowerState
) -> None:
    machine = cloud.running_machine()
    if before is not None:
        cloud.act(machine, before)
    _fail(cloud, kind)
    operation = cloud.act(machine, action)
    assert (operation.status, operation.error) == (OperationStatus.FAILED, FAILURE)
    assert (machine.power, machine.provisioning_state) == (power, ProvisioningState.FAILED)
    assert machine.failure is FAILURE


def test_a_machine_that_failed_to_hibernate_runs(cloud: Cloud) -> None:
    machine = cloud.running_machine(cloud.machine_body(additionalCapabilities={"hibernationEnabled": True}))
    _fail(cloud, OperationKind.HIBERNATE)
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now, hibernate=True)
    cloud.pass_time()
    assert (machine.power, machine.provisioning_state) == (PowerState.RUNNING, ProvisioningState.FAILED)
    assert not machine.is_hibernated
    assert machine.is_allocated


def test_an_eviction_does_not_fail_since_no_client_began_it(cloud: Cloud) -> None:
    machine = cloud.running_machine(cloud.machine_body(priority="Spot"))
    _fail(cloud, *OperationKind)
    cloud.subscription.evictions.evict(machine, cloud.now)
    cloud.pass_time()
    assert (machine.power, machine.provisioning_state) == (PowerState.DEALLOCATED, ProvisioningState.SUCCEEDED)


def test_a_mistake_of_the_emulator_s_own_ends_the_operation_and_stops_no_other(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    def mistake(_operation: Operation, _now: float) -> None:
        raise LookupError("a mistake")

    machine = cloud.running_machine()
    cloud.subscription.operations.on_completion(OperationKind.RESTART, mistake)
    restart = cloud.subscription.power.begin(machine, PowerAction.RESTART, now=cloud.now)
    cloud.interface("another")
    cloud.pass_time()
    assert restart.status is OperationStatus.FAILED
    assert restart.error is not None
    assert restart.error.code == "InternalExecutionError"
    assert (machine.power, machine.provisioning_state) == (PowerState.RUNNING, ProvisioningState.FAILED)
    assert "a mistake" in caplog.text
    assert cloud.act(machine, PowerAction.DEALLOCATE).status is OperationStatus.SUCCEEDED


def test_after_a_failure_the_same_action_succeeds(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    _fail(cloud, OperationKind.DEALLOCATE)
    cloud.act(machine, PowerAction.DEALLOCATE)
    _fail(cloud)
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert (machine.power, machine.provisioning_state) == (PowerState.DEALLOCATED, ProvisioningState.SUCCEEDED)


def test_a_machine_whose_deletion_failed_is_there_and_can_be_deleted_again(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    _fail(cloud, OperationKind.DELETE_MACHINE)
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.subscription.store.get(machine.id).provisioning_state is ProvisioningState.FAILED
    _fail(cloud)
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.subscription.store.find(machine.id) is None


def test_a_network_write_that_failed_shows_it(cloud: Cloud) -> None:
    _fail(cloud, OperationKind.WRITE_NETWORK)
    assert cloud.network().provisioning_state is ProvisioningState.FAILED


def test_a_group_whose_deletion_failed_is_kept_with_what_is_in_it(cloud: Cloud) -> None:
    cloud.running_machine()
    kinds = cloud.kinds()
    _fail(cloud, OperationKind.DELETE_GROUP)
    operation = cloud.subscription.delete_group("rg", cloud.now)
    cloud.pass_time()
    assert operation.status is OperationStatus.FAILED
    assert cloud.kinds() == kinds
    assert {resource.provisioning_state for resource in cloud.subscription.store} == {ProvisioningState.SUCCEEDED}
    assert cloud.subscription.groups.get_for_write("rg").name == "rg"
