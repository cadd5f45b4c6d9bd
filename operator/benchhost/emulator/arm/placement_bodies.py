"""Bodies of what machines are placed by: groups, dedicated hosts, capacity reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.polling import timestamp
from benchhost.emulator.cloud.compute.placement_groups import GroupType
from benchhost.emulator.cloud.compute.reserved import slots_of
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchhost.emulator.cloud.compute.allocation import Allocator
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.compute.placement_groups import PlacementGroups
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource


def group_body(group: Resource, groups: PlacementGroups, allocator: Allocator, *, with_view: bool) -> Body:
    """Return a group with what it holds and who names it."""
    children = groups.children_of(group)
    users = [{"id": user} for user in group.used_by.values()]
    properties: Body = dict(group.properties)
    match groups.kind:
        case GroupType.PROXIMITY:
            properties |= {"virtualMachines": users, "availabilitySets": [], "virtualMachineScaleSets": []}
        case GroupType.HOSTS:
            properties["hosts"] = _references(children)
            if with_view:
                views = [{"name": child.id.name, **_host_view(child, allocator)} for child in children]
                properties["instanceView"] = {"hosts": views}
        case GroupType.RESERVATIONS:
            properties |= {"capacityReservations": _references(children), "virtualMachinesAssociated": users}
            if with_view:
                views = [{"name": child.id.name, **_reservation_view(child, allocator)} for child in children]
                properties["instanceView"] = {"capacityReservations": views}
    return _body(group, properties)


def host_body(host: Resource, allocator: Allocator, *, with_view: bool) -> Body:
    """Return a dedicated host with the machines on it."""
    properties = {
        **host.properties,
        "hostId": host.guid,
        "virtualMachines": _references(allocator.dedicated_hosts.machines_on(host)),
        **_times(host),
    }
    if with_view:
        properties["instanceView"] = _host_view(host, allocator)
    return _body(host, properties)


def reservation_body(reservation: Resource, allocator: Allocator, *, with_view: bool) -> Body:
    """Return a capacity reservation with the machines that name its group and match it."""
    properties = {
        **reservation.properties,
        "reservationId": reservation.guid,
        "virtualMachinesAssociated": _references(allocator.reservations.machines_of(reservation)),
        **_times(reservation),
    }
    if with_view:
        properties["instanceView"] = _reservation_view(reservation, allocator)
    return _body(reservation, properties)


def _body(resource: Resource, properties: Body) -> Body:
    return {
        "name": resource.id.name,
        "id": str(resource.id),
        "type": resource.id.kind,
        "location": resource.location,
        **({"tags": resource.tags} if resource.tags else {}),
        **resource.extras,
        "properties": properties,
    }


def _times(resource: Resource) -> Body:
    created = timestamp(resource.created_at)
    return {
        "provisioningTime": created,
        "provisioningState": str(resource.provisioning_state),
        "timeCreated": created,
    }


def _host_view(host: Resource, allocator: Allocator) -> Body:
    counts = allocator.dedicated_hosts.allocatable(host)
    return {
        "assetId": host.guid,
        "availableCapacity": {"allocatableVMs": [{"vmSize": size, "count": count} for size, count in counts]},
        "statuses": [
            _provisioning_status(host),
            {"code": "HealthState/available", "level": "Info", "displayStatus": "Host available"},
        ],
    }


def _reservation_view(reservation: Resource, allocator: Allocator) -> Body:
    machines = allocator.reservations.machines_in(reservation)
    return {
        "utilizationInfo": {
            "currentCapacity": slots_of(reservation),
            "virtualMachinesAllocated": _references(machines),
        },
        "statuses": [_provisioning_status(reservation)],
    }


def _provisioning_status(resource: Resource) -> Body:
    state = resource.provisioning_state
    words = "Provisioning succeeded" if state is ProvisioningState.SUCCEEDED else str(state)
    return {
        "code": f"ProvisioningState/{state.lower()}",
        "level": "Info",
        "displayStatus": words,
        "time": timestamp(resource.created_at),
    }


def _references(resources: Iterable[Resource | VirtualMachine]) -> list[Body]:
    return [{"id": str(resource.id)} for resource in resources]
