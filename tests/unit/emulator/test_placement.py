from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.placement_groups import GroupType
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.quotas import QuotaLimit
from unit.emulator.placement_bodies import SIZE, group_id, in_group, limit_regular, make_group, make_host, reserve

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.emulator.driver import Cloud


@pytest.mark.parametrize("kind", list(GroupType))
def test_a_group_that_somebody_names_stays(cloud: Cloud, start: Callable[..., Any], kind: GroupType) -> None:
    group = make_group(cloud, kind, **({"supportAutomaticPlacement": True} if kind is GroupType.HOSTS else {}))
    properties: dict[str, Any] = {"proximityPlacementGroup": {"id": str(group.id)}}
    if kind is GroupType.HOSTS:
        make_host(cloud)
        properties = {"hostGroup": {"id": str(group.id)}}
    if kind is GroupType.RESERVATIONS:
        reserve(cloud, 1)
        properties = in_group(group)
    machine, create = start(**properties)
    assert create.status is OperationStatus.SUCCEEDED
    groups = cloud.subscription.placement_groups[kind]
    with pytest.raises(ArmError) as refused:
        groups.delete(group.id)
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    cloud.delete(machine)
    cloud.pass_time()
    for child in groups.children_of(group):
        cloud.subscription.store.remove(child.id)
    assert groups.delete(group.id)
    assert not groups.delete(group.id)


@pytest.mark.parametrize("kind", [GroupType.HOSTS, GroupType.RESERVATIONS])
def test_a_group_with_something_in_it_stays(cloud: Cloud, kind: GroupType) -> None:
    group = make_group(cloud, kind)
    if kind is GroupType.HOSTS:
        make_host(cloud)
    else:
        reserve(cloud, 1)
    with pytest.raises(ArmError, match="does not contain any"):
        cloud.subscription.placement_groups[kind].delete(group.id)


@pytest.mark.parametrize(
    "name", ["proximityPlacementGroup", "host", "hostGroup", "capacityReservation"], ids=lambda name: f"missing-{name}"
)
def test_what_is_named_has_to_exist(cloud: Cloud, start: Callable[..., Any], name: str) -> None:
    reference: Any = {"id": f"{cloud.machine_id()}x"}
    value = {"capacityReservationGroup": reference} if name == "capacityReservation" else reference
    with pytest.raises(ArmError) as refused:
        start(**{name: value})
    assert (refused.value.status, refused.value.code) == (404, "NotFound")


@pytest.mark.parametrize(
    ("names", "priority"),
    [
        pytest.param(["host", "hostGroup"], None, id="host-and-host-group"),
        pytest.param(["host"], "Spot", id="spot-on-a-dedicated-host"),
        pytest.param(["capacityReservation"], "Spot", id="spot-in-a-reservation"),
        pytest.param(["capacityReservation", "hostGroup"], None, id="reservation-on-a-dedicated-host"),
        pytest.param(
            ["capacityReservation", "proximityPlacementGroup"], None, id="reservation-in-a-proximity-placement-group"
        ),
    ],
)
def test_what_cannot_be_combined(
    cloud: Cloud, start: Callable[..., Any], names: list[str], priority: str | None
) -> None:
    reference = {"id": str(cloud.machine_id())}
    properties: dict[str, Any] = {
        name: {"capacityReservationGroup": reference} if name == "capacityReservation" else reference for name in names
    }
    with pytest.raises(ArmError) as refused:
        start(**properties, **({"priority": priority} if priority else {}))
    assert (refused.value.status, refused.value.code) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("group_zones", "machine_zones", "fits"),
    [
        pytest.param(["1", "2"], ["2"], True, id="one-of-its-zones"),
        pytest.param(["1", "2"], ["3"], False, id="another-zone"),
        pytest.param(["1"], None, False, id="a-zonal-group-and-a-machine-without-zone"),
        pytest.param(None, ["1"], False, id="a-regional-group-and-a-zonal-machine"),
    ],
)
def test_a_reservation_group_and_its_machines_are_in_one_zone(
    cloud: Cloud, start: Callable[..., Any], group_zones: list[str] | None, machine_zones: list[str] | None, fits: bool
) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS, zones=group_zones)
    if fits:
        reserve(cloud, 1, zones=machine_zones)
        _, create = start(zones=machine_zones, **in_group(group))
        assert create.status is OperationStatus.SUCCEEDED
        return
    with pytest.raises(ArmError, match="which is in zone"):
        start(zones=machine_zones, **in_group(group))


def test_a_reserved_slot_is_there_when_the_region_is_full(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS)
    limit_regular(cloud, 1)
    reservation = reserve(cloud, 1)
    cloud.subscription.allocator.quotas.set(QuotaLimit(location="eastus", name="cores", limit=2))
    machine, create = start(**in_group(group))
    assert create.status is OperationStatus.SUCCEEDED
    assert cloud.subscription.allocator.reservations.machines_in(reservation) == [machine]
    assert cloud.subscription.allocator.quotas.usage_of("eastus", "cores") == 2
    with pytest.raises(ArmError, match="Total Regional Cores quota"):
        start("second", **in_group(group))
    cloud.subscription.allocator.quotas.limits.clear()
    _, beyond = start("third", **in_group(group))
    assert beyond.error is not None
    assert beyond.error.code == "AllocationFailed"


def test_a_deallocated_machine_leaves_its_slot_to_others(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS)
    limit_regular(cloud, 1)
    reservation = reserve(cloud, 1)
    machine, _ = start(**in_group(group))
    cloud.act(machine, PowerAction.DEALLOCATE)
    reservations = cloud.subscription.allocator.reservations
    assert reservations.machines_in(reservation) == []
    assert reservations.machines_of(reservation) == [machine]
    _, other = start("other", **in_group(group))
    assert other.status is OperationStatus.SUCCEEDED


def test_a_reservation_takes_capacity_and_quota(cloud: Cloud, start: Callable[..., Any]) -> None:
    make_group(cloud, GroupType.RESERVATIONS)
    limit_regular(cloud, 2)
    with pytest.raises(ArmError, match="SkuNotAvailable"):
        reserve(cloud, 3)
    reserve(cloud, 2)
    _, create = start()
    assert create.status is OperationStatus.FAILED
    cloud.subscription.allocator.quotas.set(QuotaLimit(location="eastus", name="standardDSv3Family", limit=5))
    with pytest.raises(ArmError, match="Current Usage: 2, Additional Required: 6"):
        reserve(cloud, 3)


def test_a_reservation_is_changed_and_deleted(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS)
    reservation = reserve(cloud, 1)
    reservations = cloud.subscription.allocator.reservations
    reservations.patch(reservation.id, {"sku": {"capacity": 4}, "tags": {"a": "b"}}, now=cloud.now)
    cloud.pass_time()
    assert (reservation.extras["sku"]["capacity"], reservation.tags) == (4, {"a": "b"})
    with pytest.raises(ArmError, match="PropertyChangeNotAllowed"):
        reserve(cloud, 1, size="Standard_D4s_v3")
    machine, _ = start(**in_group(group))
    with pytest.raises(ArmError, match="OperationNotAllowed"):
        reservations.delete(reservation.id, now=cloud.now)
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert reservations.delete(reservation.id, now=cloud.now) is not None
    cloud.pass_time()
    assert cloud.subscription.store.find(reservation.id) is None
    assert reservations.delete(reservation.id, now=cloud.now) is None


@pytest.mark.parametrize(
    ("sku", "code"),
    [
        pytest.param({"name": "Standard_Z1", "capacity": 1}, "InvalidParameter", id="no-such-size"),
        pytest.param({"name": SIZE, "capacity": -1}, "InvalidParameter", id="less-than-none"),
        pytest.param({"name": SIZE}, "InvalidParameter", id="no-number"),
        pytest.param({"name": "Standard_HB120-16rs_v3", "capacity": 1}, "NotSupported", id="unsupported-size"),
    ],
)
def test_reservations_that_cannot_be(cloud: Cloud, sku: dict[str, Any], code: str) -> None:
    make_group(cloud, GroupType.RESERVATIONS)
    reservation_id = group_id(cloud, GroupType.RESERVATIONS).child("capacityReservations", "reserved")
    body = {"location": "eastus", "sku": sku}
    with pytest.raises(ArmError) as refused:
        cloud.subscription.allocator.reservations.put(reservation_id, body, now=cloud.now)
    assert refused.value.code == code


def test_a_group_without_a_reservation_for_the_size_is_refused(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS)
    with pytest.raises(ArmError, match=f"no Capacity Reservation for VM size {SIZE}"):
        start(**in_group(group))


def test_a_reservation_is_left_only_without_hardware(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS)
    reserve(cloud, 1)
    machine, _ = start(**in_group(group))
    patch = {"properties": {"capacityReservation": {"capacityReservationGroup": {"id": None}}}}
    with pytest.raises(ArmError, match="since the VM is not deallocated"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    cloud.act(machine, PowerAction.DEALLOCATE)
    cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)
    cloud.pass_time()
    assert group.used_by == {}
    assert "capacityReservation" not in machine.properties


def test_a_proximity_placement_group_is_in_one_zone(cloud: Cloud, start: Callable[..., Any]) -> None:
    group = make_group(cloud, GroupType.PROXIMITY)
    named = {"proximityPlacementGroup": {"id": str(group.id)}}
    start(zones=["1"], **named)
    _, same = start("same", zones=["1"], **named)
    assert same.status is OperationStatus.SUCCEEDED
    _, elsewhere = start("elsewhere", zones=["2"], **named)
    assert elsewhere.error is not None
    assert elsewhere.error.code == "OverconstrainedZonalAllocationRequest"
    assert "  - Proximity Placement Group\n" in elsewhere.error.message


def test_groups_keep_their_zones_and_change_their_tags(cloud: Cloud) -> None:
    group = make_group(cloud, GroupType.RESERVATIONS, zones=["1"])
    groups = cloud.subscription.placement_groups[GroupType.RESERVATIONS]
    groups.patch(group.id, {"tags": {"a": "b"}})
    assert group.tags == {"a": "b"}
    with pytest.raises(ArmError, match="PropertyChangeNotAllowed"):
        make_group(cloud, GroupType.RESERVATIONS, zones=["2"])
