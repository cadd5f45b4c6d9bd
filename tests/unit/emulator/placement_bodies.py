"""What machines are placed by, as the tests make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.compute.capacity import CapacityLimit
from benchhost.emulator.cloud.compute.placement_groups import GroupType
from benchhost.emulator.cloud.identifiers import ResourceId

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud

SIZE = "Standard_D2s_v3"


def group_id(cloud: Cloud, kind: GroupType, name: str = "group") -> ResourceId:
    return cloud.machine_id().sibling(kind, name)


def make_group(cloud: Cloud, kind: GroupType, *, zones: list[str] | None = None, **properties: Any) -> Resource:
    if kind is GroupType.HOSTS:
        properties = {"platformFaultDomainCount": 1, **properties}
    body = {"location": "eastus", "zones": zones, "properties": properties}
    group, _ = cloud.subscription.placement_groups[kind].put(group_id(cloud, kind), body, now=cloud.now)
    return group


def make_host(cloud: Cloud, name: str = "host", sku: str = "DSv3-Type1") -> Resource:
    host_id = group_id(cloud, GroupType.HOSTS).child("hosts", name)
    body = {"location": "eastus", "sku": {"name": sku}, "properties": {"platformFaultDomain": 0}}
    host, _, _ = cloud.subscription.allocator.dedicated_hosts.put(host_id, body, now=cloud.now)
    cloud.pass_time()
    return host


def reserve(cloud: Cloud, number: int, *, size: str = SIZE, zones: list[str] | None = None) -> Resource:
    reservation_id = group_id(cloud, GroupType.RESERVATIONS).child("capacityReservations", "reserved")
    body = {"location": "eastus", "zones": zones, "sku": {"name": size, "capacity": number}}
    reservation, _, _ = cloud.subscription.allocator.reservations.put(reservation_id, body, now=cloud.now)
    cloud.pass_time()
    return reservation


def in_group(group: Resource) -> dict[str, Any]:
    return {"capacityReservation": {"capacityReservationGroup": {"id": str(group.id)}}}


def limit_regular(cloud: Cloud, machines: int) -> None:
    cloud.subscription.allocator.capacity.set(CapacityLimit(location="eastus", scope=SIZE, machines=machines))
