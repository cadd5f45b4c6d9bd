from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.quotas import PUBLIC_ADDRESSES, UNLIMITED, QuotaLimit, quota_named

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


def limit(cloud: Cloud, name: str, number: int) -> None:
    cloud.subscription.allocator.quotas.set(QuotaLimit(location="eastus", name=name, limit=number))


@pytest.fixture
def prepared(cloud: Cloud) -> Cloud:
    cloud.running_machine()
    cloud.interface("nic2")
    return cloud


@pytest.mark.parametrize(
    ("name", "properties", "words"),
    [
        pytest.param("cores", {}, "approved Total Regional Cores quota", id="cores-of-the-region"),
        pytest.param("standardDSv5Family", {}, "approved standardDSv5Family Cores quota", id="cores-of-the-family"),
        pytest.param("lowPriorityCores", {"priority": "Spot"}, "approved LowPriorityCores quota", id="spot-cores"),
        pytest.param("virtualMachines", {}, "approved Virtual Machines quota", id="machines"),
    ],
)
def test_a_create_beyond_a_quota_is_refused_at_once(
    prepared: Cloud, name: str, properties: dict[str, Any], words: str
) -> None:
    limit(prepared, name, 1)
    with pytest.raises(ArmError) as refused:
        prepared.put_machine(prepared.machine_body("nic2", **properties), name="second")
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    assert words in refused.value.message
    assert prepared.subscription.machines.find(prepared.machine_id("second")) is None


def test_the_refusal_says_the_numbers(prepared: Cloud) -> None:
    limit(prepared, "cores", 3)
    with pytest.raises(ArmError) as refused:
        prepared.put_machine(prepared.machine_body("nic2"), name="second")
    assert (
        "Additional details - Deployment Model: Resource Manager, Location: eastus, Current Limit: 3, Current Usage: "
        "2, Additional Required: 2, (Minimum) New Limit Required: 4." in refused.value.message
    )


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        pytest.param("standardESv5Family", {}, id="another-family"),
        pytest.param("lowPriorityCores", {}, id="spot-cores-for-a-regular-machine"),
        pytest.param("cores", {"priority": "Spot"}, id="regional-cores-for-a-spot-machine"),
        pytest.param("standardDSv5Family", {"priority": "Spot"}, id="family-cores-for-a-spot-machine"),
    ],
)
def test_another_quota_does_not_matter(prepared: Cloud, name: str, properties: dict[str, Any]) -> None:
    limit(prepared, name, 0)
    _, create = prepared.put_machine(prepared.machine_body("nic2", **properties), name="second")
    prepared.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


def test_a_deallocated_machine_still_counts_and_a_deleted_one_does_not(prepared: Cloud) -> None:
    quotas = prepared.subscription.allocator.quotas
    machine = prepared.running_machine()
    prepared.act(machine, PowerAction.DEALLOCATE)
    assert quotas.usage_of("eastus", "cores") == 2
    prepared.delete(machine)
    prepared.pass_time()
    assert quotas.usage_of("eastus", "cores") == 0


def test_a_quota_that_was_lowered_stops_the_next_start(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    prepared.act(machine, PowerAction.DEALLOCATE)
    limit(prepared, "cores", 1)
    with pytest.raises(ArmError, match="Total Regional Cores quota"):
        prepared.act(machine, PowerAction.START)


def test_a_resize_needs_only_what_it_adds(prepared: Cloud) -> None:
    machine = prepared.running_machine()
    limit(prepared, "cores", 4)
    for size, fits in (("Standard_D4s_v5", True), ("Standard_D8s_v5", False), ("Standard_D2s_v5", True)):
        body = {"properties": {"hardwareProfile": {"vmSize": size}}}
        if fits:
            prepared.subscription.machines.patch(machine.id, body, now=prepared.now)
            prepared.pass_time()
            assert machine.size == size
            continue
        with pytest.raises(ArmError, match="Current Usage: 0, Additional Required: 8"):
            prepared.subscription.machines.patch(machine.id, body, now=prepared.now)


def test_public_addresses_have_a_limit_of_their_own(cloud: Cloud) -> None:
    limit(cloud, PUBLIC_ADDRESSES, 1)
    cloud.address("one")
    cloud.address("one")
    with pytest.raises(ArmError) as refused:
        cloud.address("two")
    assert (refused.value.status, refused.value.code) == (400, "PublicIPCountLimitReached")
    assert refused.value.message.startswith("Cannot create more than 1 public IP addresses")


def test_a_limit_is_replaced_and_lifted(cloud: Cloud) -> None:
    quotas = cloud.subscription.allocator.quotas
    assert quotas.limit_of("eastus", "cores") == UNLIMITED
    limit(cloud, "cores", 1)
    limit(cloud, "cores", 2)
    assert quotas.limit_of("eastus", "cores") == 2
    assert quotas.limit_of("westus2", "cores") == UNLIMITED
    quotas.remove("eastus", "cores")
    assert quotas.limit_of("eastus", "cores") == UNLIMITED


def test_quotas_are_found_in_any_spelling() -> None:
    assert quota_named("STANDARDdsv5family") == "standardDSv5Family"
    assert quota_named("publicipaddresses") == PUBLIC_ADDRESSES
    assert quota_named("gpus") is None
