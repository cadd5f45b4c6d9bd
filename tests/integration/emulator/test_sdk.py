"""The asynchronous and the synchronous Azure SDK, as they come from the package index."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from benchhost.emulator.arm import pages
from integration.emulator.driver import (
    GROUP,
    ManualClock,
    Sdk,
    client_settings,
    interface_body,
    machine_body,
    network_body,
    sdk_of,
)

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator, EmulatorConnection


async def _codes(sdk: Sdk, name: str = "vm") -> list[str]:
    view = await sdk.compute.virtual_machines.instance_view(GROUP, name)
    return [status.code for status in view.statuses]


async def _create(sdk: Sdk, name: str = "vm") -> Any:
    interface = await sdk.interface(f"{name}-nic")
    poller = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, machine_body(interface))
    return await poller.result()


async def test_a_machine_comes_up_with_everything_azure_fills_in(sdk: Sdk) -> None:
    machine = await _create(sdk)
    assert machine.provisioning_state == "Succeeded"
    assert machine.vm_id
    assert machine.time_created is not None
    assert machine.etag == '"2"'
    assert machine.tags == {"owner": "tests"}
    disk = machine.storage_profile.os_disk
    assert disk.managed_disk.id.endswith(f"/disks/{disk.name}")
    assert machine.storage_profile.image_reference.exact_version.startswith("24.04.")
    assert machine.os_profile.custom_data is None
    assert await _codes(sdk) == ["ProvisioningState/succeeded", "PowerState/running"]
    address = await sdk.network.public_ip_addresses.get(GROUP, "vm-nic-ip")
    assert address.ip_address == "203.0.113.1"
    interface = await sdk.network.network_interfaces.get(GROUP, "vm-nic")
    assert interface.virtual_machine.id == machine.id
    assert interface.mac_address
    assert interface.primary is True
    assert interface.ip_configurations[0].private_ip_address == "10.1.0.4"


async def test_a_power_cycle(sdk: Sdk) -> None:
    await _create(sdk)
    machines = sdk.compute.virtual_machines
    for begin, expected in (
        (machines.begin_power_off, "stopped"),
        (machines.begin_start, "running"),
        (machines.begin_restart, "running"),
        (machines.begin_deallocate, "deallocated"),
        (machines.begin_start, "running"),
        (machines.begin_redeploy, "running"),
        (machines.begin_reapply, "running"),
    ):
        assert await (await begin(GROUP, "vm")).result() is None
        assert await _codes(sdk) == ["ProvisioningState/succeeded", f"PowerState/{expected}"]


async def test_resize_and_tags_by_patch_and_by_put(sdk: Sdk) -> None:
    machine = await _create(sdk)
    patch = {"tags": {"a": "b"}, "properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}
    changed = await (await sdk.compute.virtual_machines.begin_update(GROUP, "vm", patch)).result()
    assert changed.hardware_profile.vm_size == "Standard_D4s_v5"
    machine.hardware_profile.vm_size = "Standard_D8s_v5"
    poller = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine)
    put = await poller.result()
    assert put.hardware_profile.vm_size == "Standard_D8s_v5"
    assert put.vm_id == machine.vm_id


async def test_delete_takes_along_what_the_delete_options_name(sdk: Sdk, emulator: ArmEmulator) -> None:
    await _create(sdk)
    delete = await sdk.compute.virtual_machines.begin_delete(GROUP, "vm", force_deletion=True)
    assert await delete.result() is None
    left = sorted(resource.id.types[-1] for resource in emulator.subscription.store)
    assert left == ["subnets", "virtualNetworks"]
    again = await sdk.compute.virtual_machines.begin_delete(GROUP, "vm")
    assert again.status() == "Succeeded"
    with pytest.raises(ResourceNotFoundError):
        await sdk.compute.virtual_machines.get(GROUP, "vm")


async def test_network_resources_go_one_by_one(sdk: Sdk, emulator: ArmEmulator) -> None:
    await sdk.interface()
    with pytest.raises(HttpResponseError) as refused:
        await sdk.network.virtual_networks.begin_delete(GROUP, "vnet")
    assert refused.value.error.code == "InUseSubnetCannotBeDeleted"
    with pytest.raises(HttpResponseError) as refused:
        await sdk.network.public_ip_addresses.begin_delete(GROUP, "nic-ip")
    assert refused.value.error.code == "PublicIPAddressCannotBeDeleted"
    await (await sdk.network.network_interfaces.begin_delete(GROUP, "nic")).result()
    await (await sdk.network.public_ip_addresses.begin_delete(GROUP, "nic-ip")).result()
    await (await sdk.network.subnets.begin_delete(GROUP, "vnet", "default")).result()
    await (await sdk.network.virtual_networks.begin_delete(GROUP, "vnet")).result()
    assert len(emulator.subscription.store) == 0


async def test_subnets_and_security_groups_have_routes_of_their_own(sdk: Sdk) -> None:
    network = await (await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())).result()
    rule = {
        "name": "ssh",
        "properties": {
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": "22",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
            "access": "Allow",
            "priority": 100,
            "direction": "Inbound",
        },
    }
    group = await (
        await sdk.network.network_security_groups.begin_create_or_update(
            GROUP, "nsg", {"location": "eastus", "properties": {"securityRules": [rule]}}
        )
    ).result()
    assert group.security_rules[0].destination_port_range == "22"
    body = {"properties": {"addressPrefix": "10.1.1.0/24", "networkSecurityGroup": {"id": group.id}}}
    subnet = await (await sdk.network.subnets.begin_create_or_update(GROUP, "vnet", "two", body)).result()
    assert subnet.network_security_group.id == group.id
    names = [item.name async for item in sdk.network.subnets.list(GROUP, "vnet")]
    assert names == ["default", "two"]
    assert [item.name async for item in sdk.network.virtual_networks.list(GROUP)] == [network.name]


async def test_disks_by_themselves(sdk: Sdk) -> None:
    body = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
    disk = await (await sdk.compute.disks.begin_create_or_update(GROUP, "data", body)).result()
    assert (disk.disk_size_gb, disk.disk_state) == (8, "Unattached")
    assert [item.name async for item in sdk.compute.disks.list_by_resource_group(GROUP)] == ["data"]
    await (await sdk.compute.disks.begin_delete(GROUP, "data")).result()
    assert [item.name async for item in sdk.compute.disks.list()] == []


async def test_lists_follow_pages(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        await _create(sdk, name)
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    machines = sdk.compute.virtual_machines
    assert [machine.name async for machine in machines.list(GROUP)] == ["a", "b", "c"]
    states = {
        machine.name: [status.code for status in machine.instance_view.statuses]
        async for machine in machines.list_all(status_only="true")
    }
    assert list(states) == ["a", "b", "c"]
    assert set(map(tuple, states.values())) == {("ProvisioningState/succeeded", "PowerState/running")}


async def test_delete_during_create_preempts_it(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with sdk_of(frozen.connection) as sdk:
        interface = await _frozen_interface(sdk, clock)
        create = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine_body(interface))
        delete = await sdk.compute.virtual_machines.begin_delete(GROUP, "vm")
        meanwhile = await sdk.compute.virtual_machines.get(GROUP, "vm")
        assert meanwhile.provisioning_state == "Deleting"
        with pytest.raises(HttpResponseError) as canceled:
            await create.result()
        assert canceled.value.status_code == 200
        assert canceled.value.error.code == "OperationPreempted"
        clock.advance(100)
        assert await delete.result() is None


async def test_the_instance_view_tells_how_a_create_goes(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with sdk_of(frozen.connection) as sdk:
        interface = await _frozen_interface(sdk, clock)
        poller = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine_body(interface))
        operation = next(op for op in frozen.subscription.operations._by_id.values() if op.is_running)
        seconds = operation.due - operation.started
        assert await _codes(sdk) == ["ProvisioningState/creating"]
        clock.advance(0.5 * seconds)
        assert await _codes(sdk) == ["ProvisioningState/creating", "PowerState/starting"]
        clock.advance(0.4 * seconds)
        assert "ProvisioningState/creating/osProvisioningComplete" in await _codes(sdk)
        clock.advance(seconds)
        assert await _codes(sdk) == ["ProvisioningState/succeeded", "PowerState/running"]
        assert (await poller.result()).provisioning_state == "Succeeded"


async def test_power_actions_collide(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with sdk_of(frozen.connection) as sdk:
        interface = await _frozen_interface(sdk, clock)
        machines = sdk.compute.virtual_machines
        create = await machines.begin_create_or_update(GROUP, "vm", machine_body(interface))
        clock.advance(100)
        await create.result()
        restart = await machines.begin_restart(GROUP, "vm")
        with pytest.raises(ResourceExistsError) as refused:
            await machines.begin_power_off(GROUP, "vm")
        assert refused.value.status_code == 409
        assert refused.value.error.code == "OperationNotAllowed"
        clock.advance(100)
        await restart.result()


async def test_a_poller_is_resumed_from_its_token_in_another_client(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with sdk_of(frozen.connection) as sdk:
        interface = await _frozen_interface(sdk, clock)
        machines = sdk.compute.virtual_machines
        create = await machines.begin_create_or_update(GROUP, "vm", machine_body(interface))
        token = create.continuation_token()
    async with sdk_of(frozen.connection) as sdk:
        machines = sdk.compute.virtual_machines
        resumed = await machines.begin_create_or_update(GROUP, "vm", {}, continuation_token=token)
        assert resumed.status() == "InProgress"
        clock.advance(100)
        assert (await resumed.result()).name == "vm"


async def test_etags_guard_against_lost_updates(sdk: Sdk) -> None:
    machine = await _create(sdk)
    machines = sdk.compute.virtual_machines
    update = await machines.begin_create_or_update(
        GROUP, "vm", machine, etag=machine.etag, match_condition=MatchConditions.IfNotModified
    )
    await update.result()
    with pytest.raises(HttpResponseError) as refused:
        await machines.begin_create_or_update(
            GROUP, "vm", machine, etag=machine.etag, match_condition=MatchConditions.IfNotModified
        )
    assert refused.value.status_code == 412
    with pytest.raises(HttpResponseError) as refused:
        await machines.begin_create_or_update(GROUP, "vm", machine, match_condition=MatchConditions.IfMissing)
    assert refused.value.status_code == 412


async def _frozen_interface(sdk: Sdk, clock: ManualClock) -> str:
    """Make an interface in a cloud whose time stands still: each write is waited for by moving it."""
    network = await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
    clock.advance(10)
    subnet = (await network.result()).subnets[0].id
    nic = await sdk.network.network_interfaces.begin_create_or_update(GROUP, "nic", interface_body(subnet))
    return str((await nic.result()).id)


def _use_sync_clients(connection: EmulatorConnection) -> list[str]:
    settings = client_settings(connection)
    credential = ClientSecretCredential(
        connection.tenant_id,
        connection.client_id,
        connection.client_secret,
        authority=connection.authority,
        disable_instance_discovery=True,
        connection_verify=str(connection.ca_bundle),
        use_env_settings=False,
    )
    with (
        credential,
        ComputeManagementClient(credential, connection.subscription_id, **settings) as compute,
        NetworkManagementClient(credential, connection.subscription_id, **settings) as network,
    ):
        vnet = network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body()).result()
        nic = network.network_interfaces.begin_create_or_update(
            GROUP, "nic", interface_body(vnet.subnets[0].id)
        ).result()
        compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine_body(nic.id)).result()
        compute.virtual_machines.begin_deallocate(GROUP, "vm").result()
        view = compute.virtual_machines.get(GROUP, "vm", expand="instanceView").instance_view
        codes = [status.code for status in view.statuses]
        compute.virtual_machines.begin_delete(GROUP, "vm").result()
        return codes


async def test_the_synchronous_clients_work_alike(emulator: ArmEmulator) -> None:
    codes = await asyncio.to_thread(_use_sync_clients, emulator.connection)
    assert codes == ["ProvisioningState/succeeded", "PowerState/deallocated"]
    assert emulator.subscription.store.list_of_kind("Microsoft.Compute/virtualMachines") == []
