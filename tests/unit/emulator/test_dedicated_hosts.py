from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.placement_groups import GroupType
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.resources import ProvisioningState
from unit.emulator.placement_bodies import SIZE, make_group, make_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.emulator.driver import Cloud


def test_a_host_is_as_large_as_it_is(cloud: Cloud, start: Callable[..., Any]) -> None:
    make_group(cloud, GroupType.HOSTS)
    host = make_host(cloud)
    hosts = cloud.subscription.allocator.dedicated_hosts
    assert dict(hosts.allocatable(host))[SIZE] == 32
    big = {"hardwareProfile": {"vmSize": "Standard_D64s_v3"}, "host": {"id": str(host.id)}}
    machine, create = start(**big)
    assert create.status is OperationStatus.SUCCEEDED
    assert dict(hosts.allocatable(host))[SIZE] == 0
    second, full = start("second", **(big | {"hardwareProfile": {"vmSize": SIZE}}))
    assert full.error is not None
    assert full.error.code == "AllocationFailed"
    assert second.provisioning_state is ProvisioningState.FAILED
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert cloud.act(second, PowerAction.START).status is OperationStatus.SUCCEEDED


def test_machines_of_a_dedicated_host_share_one_hidden_host_with_nobody(
    cloud: Cloud, start: Callable[..., Any]
) -> None:
    make_group(cloud, GroupType.HOSTS)
    named = {"host": {"id": str(make_host(cloud).id)}}
    (one, _), (two, _) = start("one", **named), start("two", **named)
    others = [start(f"other{number}")[0] for number in range(20)]
    assert one.placement is not None
    assert two.placement is not None
    assert one.placement.host_id == two.placement.host_id
    assert all(other.placement.host_id != one.placement.host_id for other in others)


def test_a_host_group_places_by_itself_where_it_may(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.HOSTS, supportAutomaticPlacement=True)
    make_host(cloud, "small", "ESv3-Type1")
    host = make_host(cloud)
    machine, create = start(hostGroup={"id": str(group.id)})
    assert create.status is OperationStatus.SUCCEEDED
    assert cloud.subscription.allocator.dedicated_hosts.machines_on(host) == [machine]


@pytest.mark.parametrize(
    ("automatic", "size", "words"),
    [
        pytest.param(False, SIZE, "does not support automatic placement", id="not-automatic"),
        pytest.param(True, "Standard_D2s_v5", "is not offered by the Dedicated Host", id="another-series"),
    ],
)
def test_host_groups_that_do_not_fit(
    cloud: Cloud, start: Callable[..., Any], automatic: bool, size: str, words: str
) -> None:
    group = make_group(cloud, GroupType.HOSTS, supportAutomaticPlacement=automatic)
    make_host(cloud)
    with pytest.raises(ArmError, match=words):
        start(hostGroup={"id": str(group.id)}, hardwareProfile={"vmSize": size})


def test_a_host_with_machines_stays(cloud: Cloud, start: Callable[..., Any]) -> None:
    make_group(cloud, GroupType.HOSTS)
    host = make_host(cloud)
    machine, _ = start(host={"id": str(host.id)})
    hosts = cloud.subscription.allocator.dedicated_hosts
    with pytest.raises(ArmError, match="OperationNotAllowed"):
        hosts.delete(host.id, now=cloud.now)
    cloud.delete(machine)
    cloud.pass_time()
    assert hosts.delete(host.id, now=cloud.now) is not None
    cloud.pass_time()
    assert cloud.subscription.store.find(host.id) is None


@pytest.mark.parametrize("sku", ["DSv9-Type1", "DSv3", ""])
def test_host_types_that_there_are_not(cloud: Cloud, sku: str) -> None:
    make_group(cloud, GroupType.HOSTS)
    with pytest.raises(ArmError) as refused:
        make_host(cloud, sku=sku)
    assert (refused.value.code, refused.value.target) == ("InvalidParameter", "sku.name")


@pytest.mark.parametrize("count", [None, 0, 4])
def test_a_host_group_has_one_to_three_fault_domains(cloud: Cloud, count: int | None) -> None:
    with pytest.raises(ArmError) as refused:
        make_group(cloud, GroupType.HOSTS, platformFaultDomainCount=count)
    assert refused.value.target == "platformFaultDomainCount"
