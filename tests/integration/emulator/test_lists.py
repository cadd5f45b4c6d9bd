"""Lists: what can be asked of them, pages, and what the emulator does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from integration.emulator.driver import (
    GROUP,
    GROUP_VERSION,
    ManualClock,
    Raw,
    Sdk,
    address_body,
    interface_body,
    machine_body,
    network_body,
    raw_of,
    sdk_of,
)

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator


async def _machine(sdk: Sdk, name: str = "vm", **properties: Any) -> Any:
    body = machine_body(await sdk.interface(f"{name}-nic"))
    body["properties"] |= properties
    return await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, body)).result()


async def test_the_states_of_a_subscription_are_joined_by_ids_in_any_case(sdk: Sdk) -> None:
    machine = await _machine(sdk)
    (status,) = [item async for item in sdk.compute.virtual_machines.list_all(status_only="true")]
    assert status.id != machine.id
    assert status.id.lower() == machine.id.lower()
    assert status.tags is None
    assert [state.code for state in status.instance_view.statuses][-1] == "PowerState/running"


async def test_lists_of_machines_take_no_other_filter_than_by_scale_set(sdk: Sdk) -> None:
    await _machine(sdk)
    machines = sdk.compute.virtual_machines
    for options in ({"filter": "name eq 'vm'"}, {"expand": "instanceView"}):
        with pytest.raises(HttpResponseError) as refused:
            [item async for item in machines.list(GROUP, **options)]
        assert (refused.value.status_code, refused.value.error.code) == (400, "InvalidParameter")
    scale_set = "'virtualMachineScaleSet/id' eq '/subscriptions/s/vmss'"
    assert [item async for item in machines.list(GROUP, filter=scale_set, expand="instanceView")] == []
    (listed,) = [item async for item in machines.list_by_location("eastus")]
    assert (listed.name, listed.instance_view) == ("vm", None)


async def test_every_kind_is_listed_in_its_group_and_everywhere(sdk: Sdk) -> None:
    await _machine(sdk)
    for here, everywhere in (
        (sdk.network.network_interfaces.list(GROUP), sdk.network.network_interfaces.list_all()),
        (sdk.network.public_ip_addresses.list(GROUP), sdk.network.public_ip_addresses.list_all()),
        (sdk.compute.disks.list_by_resource_group(GROUP), sdk.compute.disks.list()),
    ):
        names = [item.name async for item in here]
        assert len(names) == 1
        assert [item.name async for item in everywhere] == names


async def test_resources_are_filtered_and_come_in_pages(raw: Raw, sdk: Sdk) -> None:
    await _machine(sdk)
    base = f"{raw.group}/resources?api-version={GROUP_VERSION}"
    tagged = f"{base}&$filter=tagName eq 'owner' and tagValue eq 'tests'&$expand=createdTime,provisioningState"
    _, _, body = await raw.send("GET", tagged)
    assert {item["type"].rpartition("/")[2] for item in body["value"]} == {"virtualMachines", "disks"}
    assert {item["provisioningState"] for item in body["value"]} == {"Succeeded"}
    assert all(item["createdTime"] for item in body["value"])
    found, url, pages = [], f"{base}&$top=2", 0
    while url:
        _, _, body = await raw.send("GET", url)
        found += [item["name"] for item in body["value"]]
        url, pages = body.get("nextLink"), pages + 1
    assert pages == 3
    assert len(set(found)) == len(found) == 5
    status, _, body = await raw.send("GET", f"{base}&$filter=colour eq 'red'")
    assert (status, body["error"]["code"]) == (400, "InvalidFilterInQueryString")
    for wrong, code in (("$top=0", "InvalidTopParameter"), ("$skiptoken=!", "InvalidSkipToken")):
        status, _, body = await raw.send("GET", f"{base}&{wrong}")
        assert (status, body["error"]["code"]) == (400, code)


async def test_groups_are_filtered_by_tag(raw: Raw) -> None:
    root = raw.group.rpartition("/")[0].lower()
    path = f"{root}/tagged?api-version={GROUP_VERSION}"
    await raw.send("PUT", path, json={"location": "eastus", "tags": {"a": "b"}})
    _, _, body = await raw.send("GET", f"{root}?api-version={GROUP_VERSION}&$filter=tagName eq 'a' and tagValue eq 'b'")
    assert [group["name"] for group in body["value"]] == ["tagged"]


async def test_what_the_emulator_does_not_have_is_said_at_once(sdk: Sdk) -> None:
    await _machine(sdk)
    extensions = sdk.compute.virtual_machine_extensions
    assert (await extensions.list(GROUP, "vm")).value == []
    with pytest.raises(ResourceNotFoundError):
        await extensions.get(GROUP, "vm", "agent")
    with pytest.raises(ResourceExistsError) as refused:
        await extensions.begin_create_or_update(GROUP, "vm", "agent", {"location": "eastus"})
    assert refused.value.error.code == "NotSupported"
    assert "does not support 'extensions'" in refused.value.error.message
    with pytest.raises(ResourceExistsError) as refused:
        await sdk.compute.virtual_machines.begin_run_command(GROUP, "vm", {"commandId": "RunShellScript"})
    assert refused.value.error.target == "runCommand"
    with pytest.raises(ResourceExistsError) as refused:
        await _machine(sdk, "other", availabilitySet={"id": "/subscriptions/s/availabilitySets/a"})
    assert refused.value.error.target == "availabilitySet"


async def test_the_one_tenant_is_listed(raw: Raw, emulator: ArmEmulator) -> None:
    status, _, tenants = await raw.send("GET", "/tenants?api-version=2022-12-01")
    assert status == 200
    assert [tenant["tenantId"] for tenant in tenants["value"]] == [emulator.connection.tenant_id]


async def test_a_vanishing_group_takes_nothing_in_while_its_machines_go(
    frozen: ArmEmulator, clock: ManualClock
) -> None:
    async with sdk_of(frozen.connection) as sdk, raw_of(frozen.connection) as raw:
        network = await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
        clock.advance(10)
        subnet = (await network.result()).subnets[0].id
        poller = await sdk.network.network_interfaces.begin_create_or_update(GROUP, "nic", interface_body(subnet))
        body = machine_body((await poller.result()).id)
        await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)
        clock.advance(100)
        status, headers, _ = await raw.send("DELETE", f"{raw.group}?api-version={GROUP_VERSION}")
        assert status == 202
        assert (await sdk.compute.virtual_machines.get(GROUP, "vm")).provisioning_state == "Deleting"
        disk = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
        for attempt in (
            sdk.compute.disks.begin_create_or_update(GROUP, "data", disk),
            sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body),
            sdk.compute.virtual_machines.begin_start(GROUP, "vm"),
            sdk.network.network_interfaces.begin_create_or_update(GROUP, "nic2", interface_body(subnet)),
            sdk.network.public_ip_addresses.begin_create_or_update(GROUP, "ip", address_body()),
        ):
            with pytest.raises(ResourceExistsError) as refused:
                await attempt
            assert refused.value.error.code == "ResourceGroupBeingDeleted"
        clock.advance(100)
        assert (await raw.send("GET", headers["Location"]))[0] == 200
        assert (await raw.send("GET", f"{raw.group}?api-version={GROUP_VERSION}"))[0] == 404
        assert len(frozen.subscription.store) == 0
