"""Capacity, quotas, spot and placement through the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from benchhost.emulator.cloud.compute.capacity import CapacityFailure, CapacityLimit
from benchhost.emulator.cloud.quotas import QuotaLimit
from integration.emulator.driver import GROUP, Sdk, machine_body

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator

SIZE = "Standard_D2s_v5"


def limit(emulator: ArmEmulator, machines: int, *, zone: str | None = None) -> None:
    found = CapacityLimit(location="eastus", scope=SIZE, machines=machines, zone=zone)
    emulator.subscription.allocator.capacity.set(found)


async def test_a_withheld_size_is_refused_and_listed_as_restricted(emulator: ArmEmulator, sdk: Sdk) -> None:
    limit(emulator, 0)
    limit(emulator, 0, zone="3")
    with pytest.raises(ResourceExistsError) as refused:
        await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine_body(await sdk.interface()))
    assert refused.value.error is not None
    assert refused.value.error.code == "SkuNotAvailable"
    skus = {sku.name: sku async for sku in sdk.compute.resource_skus.list(filter="location eq 'eastus'")}
    found = skus[SIZE]
    assert {item.name: item.value for item in found.capabilities}["vCPUs"] == "2"
    assert found.location_info[0].zones == ["1", "2", "3"]
    assert [(item.type, item.reason_code) for item in found.restrictions] == [
        ("Location", "NotAvailableForSubscription"),
        ("Zone", "NotAvailableForSubscription"),
    ]
    assert found.restrictions[1].restriction_info.zones == ["3"]
    assert skus["Standard_D4s_v5"].restrictions == []


async def test_a_size_of_which_some_are_left_is_not_restricted(emulator: ArmEmulator, sdk: Sdk) -> None:
    failure = CapacityFailure.SKU_NOT_AVAILABLE
    left = CapacityLimit(location="eastus", scope=SIZE, machines=1, failure=failure)
    emulator.subscription.allocator.capacity.set(left)
    skus = {sku.name: sku async for sku in sdk.compute.resource_skus.list(filter="location eq 'eastus'")}
    assert skus[SIZE].restrictions == []


async def test_a_machine_that_finds_no_room_fails_and_says_why(emulator: ArmEmulator, sdk: Sdk) -> None:
    limit(emulator, 1)
    for name in ("first", "second"):
        body = machine_body(await sdk.interface(name, with_address=False))
        poller = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, body)
        if name == "first":
            await poller.result()
    with pytest.raises(HttpResponseError) as failed:
        await poller.result()
    assert failed.value.error is not None
    assert failed.value.error.code == "AllocationFailed"
    view = await sdk.compute.virtual_machines.instance_view(GROUP, "second")
    assert view.statuses[0].code == "ProvisioningState/failed/AllocationFailed"


async def test_usages_count_what_there_is_against_its_limit(emulator: ArmEmulator, sdk: Sdk) -> None:
    emulator.subscription.allocator.quotas.set(QuotaLimit(location="eastus", name="cores", limit=10))
    body = machine_body(await sdk.interface())
    await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()
    usages = {usage.name.value: usage async for usage in sdk.compute.usage.list("eastus")}
    assert (usages["cores"].current_value, usages["cores"].limit) == (2, 10)
    assert usages["standardDSv5Family"].current_value == 2
    assert usages["standardDSv5Family"].name.localized_value == "Standard DSv5 Family vCPUs"
    assert usages["lowPriorityCores"].current_value == 0
    network = {usage.name.value: usage async for usage in sdk.network.usages.list("eastus")}
    assert network["PublicIPAddresses"].current_value == 1
    assert network["NetworkInterfaces"].current_value == 1


async def test_sizes_are_those_of_the_hardware_until_it_is_given_back(sdk: Sdk) -> None:
    machines = sdk.compute.virtual_machines
    body = machine_body(await sdk.interface())
    await (await machines.begin_create_or_update(GROUP, "vm", body)).result()
    here = {size.name async for size in machines.list_available_sizes(GROUP, "vm")}
    assert {SIZE, "Standard_E8ds_v5"} <= here
    assert "Standard_F4s_v2" not in here
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_F4s_v2"}}}
    with pytest.raises(ResourceExistsError) as refused:
        await machines.begin_update(GROUP, "vm", patch)
    assert refused.value.error is not None
    assert refused.value.error.target == "vmSize"
    await (await machines.begin_deallocate(GROUP, "vm")).result()
    everywhere = {size.name async for size in machines.list_available_sizes(GROUP, "vm")}
    assert "Standard_F4s_v2" in everywhere
    assert everywhere == {size.name async for size in sdk.compute.virtual_machine_sizes.list("eastus")}
    assert (await (await machines.begin_update(GROUP, "vm", patch)).result()).hardware_profile.vm_size


async def test_a_simulated_eviction_deallocates_a_spot_machine(sdk: Sdk) -> None:
    body = machine_body(await sdk.interface())
    body["properties"] |= {"priority": "Spot", "billingProfile": {"maxPrice": -1}}
    machines = sdk.compute.virtual_machines
    created = await (await machines.begin_create_or_update(GROUP, "vm", body)).result()
    assert (created.priority, created.eviction_policy) == ("Spot", "Deallocate")
    await machines.simulate_eviction(GROUP, "vm")
    found = await machines.get(GROUP, "vm", expand="instanceView")
    assert found.provisioning_state == "Succeeded"
    assert found.instance_view.statuses[-1].code == "PowerState/deallocated"


async def test_a_capacity_reservation_shows_who_uses_it(sdk: Sdk) -> None:
    groups, reservations = sdk.compute.capacity_reservation_groups, sdk.compute.capacity_reservations
    group = await groups.create_or_update(GROUP, "crg", {"location": "eastus", "tags": {"a": "b"}})
    sku = {"location": "eastus", "sku": {"name": SIZE, "capacity": 2}}
    made = await (await reservations.begin_create_or_update(GROUP, "crg", "cr", sku)).result()
    assert (made.provisioning_state, made.sku.capacity) == ("Succeeded", 2)
    body = machine_body(await sdk.interface())
    body["properties"]["capacityReservation"] = {"capacityReservationGroup": {"id": group.id}}
    machine = await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()
    found = await groups.get(GROUP, "crg", expand="instanceView")
    assert [item.id for item in found.virtual_machines_associated] == [machine.id]
    usage = found.instance_view.capacity_reservations[0].utilization_info
    assert (usage.current_capacity, [item.id for item in usage.virtual_machines_allocated]) == (2, [machine.id])
    updated = await (await reservations.begin_update(GROUP, "crg", "cr", {"sku": {"capacity": 5}})).result()
    assert updated.sku.capacity == 5
    with pytest.raises(ResourceExistsError):
        await (await reservations.begin_delete(GROUP, "crg", "cr")).result()
    await (await sdk.compute.virtual_machines.begin_delete(GROUP, "vm")).result()
    await (await reservations.begin_delete(GROUP, "crg", "cr")).result()
    assert [item async for item in reservations.list_by_capacity_reservation_group(GROUP, "crg")] == []
    await (await groups.begin_delete(GROUP, "crg")).result()
    assert [item async for item in groups.list_by_subscription()] == []


async def test_a_dedicated_host_shows_what_still_fits(sdk: Sdk) -> None:
    groups, hosts = sdk.compute.dedicated_host_groups, sdk.compute.dedicated_hosts
    properties = {"platformFaultDomainCount": 1, "supportAutomaticPlacement": True}
    group = await groups.create_or_update(GROUP, "hg", {"location": "eastus", "properties": properties})
    host = await (
        await hosts.begin_create_or_update(GROUP, "hg", "h", {"location": "eastus", "sku": {"name": "DSv5-Type1"}})
    ).result()
    body = machine_body(await sdk.interface())
    body["properties"]["hostGroup"] = {"id": group.id}
    machine = await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()
    found = await hosts.get(GROUP, "hg", "h", expand="instanceView")
    assert [item.id for item in found.virtual_machines] == [machine.id]
    fits = {item.vm_size: item.count for item in found.instance_view.available_capacity.allocatable_v_ms}
    assert fits["Standard_D2s_v5"] == 47
    assert {name async for name in hosts.list_available_sizes(GROUP, "hg", "h")} == set(fits)
    view = await sdk.compute.virtual_machines.instance_view(GROUP, "vm")
    assert view.assigned_host == host.id
    listed = await groups.get(GROUP, "hg")
    assert [item.id for item in listed.hosts] == [host.id]


async def test_a_proximity_placement_group_lists_its_machines(sdk: Sdk) -> None:
    groups = sdk.compute.proximity_placement_groups
    group = await groups.create_or_update(GROUP, "ppg", {"location": "eastus"})
    assert group.proximity_placement_group_type == "Standard"
    body = machine_body(await sdk.interface())
    body["properties"]["proximityPlacementGroup"] = {"id": group.id}
    machine = await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()
    assert machine.proximity_placement_group.id == group.id
    found = await groups.get(GROUP, "ppg")
    assert [item.id for item in found.virtual_machines] == [machine.id]
    with pytest.raises(ResourceExistsError):
        await groups.delete(GROUP, "ppg")
    await (await sdk.compute.virtual_machines.begin_delete(GROUP, "vm")).result()
    await groups.update(GROUP, "ppg", {"tags": {"a": "b"}})
    assert [item.tags async for item in groups.list_by_resource_group(GROUP)] == [{"a": "b"}]
    await groups.delete(GROUP, "ppg")
    assert [item async for item in groups.list_by_subscription()] == []
