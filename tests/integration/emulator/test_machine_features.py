"""Interface configurations, disks, hibernation and boot diagnostics, as the SDK sees them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute import models

from integration.emulator.driver import GROUP, ManualClock, Raw, Sdk, machine_body, network_body, sdk_of

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator


async def _subnet(sdk: Sdk) -> str:
    poller = await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
    return str((await poller.result()).subnets[0].id)


def _configured(subnet: str) -> models.VirtualMachine:
    body = machine_body("")
    address = models.VirtualMachinePublicIPAddressConfiguration(
        name="address", tags={"of": "address"}, delete_option="Delete", sku=models.PublicIPAddressSku(name="Standard")
    )
    configuration = models.VirtualMachineNetworkInterfaceConfiguration(
        name="nic",
        tags={"of": "interface"},
        primary=True,
        delete_option="Delete",
        enable_accelerated_networking=True,
        ip_configurations=[
            models.VirtualMachineNetworkInterfaceIPConfiguration(
                name="ip", subnet=models.SubResource(id=subnet), public_ip_address_configuration=address
            )
        ],
    )
    body["properties"]["networkProfile"] = models.NetworkProfile(
        network_api_version="2022-11-01", network_interface_configurations=[configuration]
    )
    return models.VirtualMachine(body)


async def test_one_put_makes_machine_interface_and_address(sdk: Sdk, emulator: ArmEmulator) -> None:
    machines = sdk.compute.virtual_machines
    poller = await machines.begin_create_or_update(GROUP, "vm", _configured(await _subnet(sdk)))
    machine = await poller.result()
    assert machine.network_profile.network_interface_configurations is None
    (reference,) = machine.network_profile.network_interfaces
    assert (reference.primary, reference.delete_option) == (True, "Delete")
    interface = await sdk.network.network_interfaces.get(GROUP, reference.id.rpartition("/")[2])
    assert interface.name.startswith("nic-")
    assert interface.enable_accelerated_networking is True
    assert interface.virtual_machine.id == machine.id
    assert interface.tags["of"] == "interface"
    address_id = interface.ip_configurations[0].public_ip_address.id
    address = await sdk.network.public_ip_addresses.get(GROUP, address_id.rpartition("/")[2])
    assert address.ip_address == "203.0.113.1"
    assert address.tags == {"of": "address"}
    await (await machines.begin_delete(GROUP, "vm")).result()
    assert emulator.subscription.store.list_of_kind("Microsoft.Network/networkInterfaces") == []
    assert emulator.subscription.store.list_of_kind("Microsoft.Network/publicIPAddresses") == []


async def test_configurations_are_unknown_to_older_versions(raw: Raw, sdk: Sdk) -> None:
    body = _configured(await _subnet(sdk)).as_dict()
    for version, member in (("2020-12-01", "deleteOption"), ("2024-11-01", "tags")):
        status, _, answer = await raw.send("PUT", raw.machine(version=version), json=body)
        assert status == 400
        assert f"'{member}'" in answer["error"]["message"]


async def _machine(sdk: Sdk, name: str = "vm", **properties: Any) -> Any:
    body = machine_body(await sdk.interface(f"{name}-nic", with_address=False))
    body["properties"] |= properties
    return await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, body)).result()


async def test_a_data_disk_is_made_attached_elsewhere_and_grown(sdk: Sdk) -> None:
    machines, disks = sdk.compute.virtual_machines, sdk.compute.disks
    machine = await _machine(sdk)
    machine.storage_profile.data_disks = [
        models.DataDisk(lun=1, name="data", create_option="Empty", disk_size_gb=16, caching="ReadOnly")
    ]
    changed = await (await machines.begin_create_or_update(GROUP, "vm", machine)).result()
    (data,) = changed.storage_profile.data_disks
    disk = await disks.get(GROUP, "data")
    assert (disk.id, disk.disk_state, disk.managed_by) == (data.managed_disk.id, "Attached", machine.id)
    await (await disks.begin_update(GROUP, "data", models.DiskUpdate(disk_size_gb=32))).result()
    assert (await machines.get(GROUP, "vm")).storage_profile.data_disks[0].disk_size_gb == 32

    attached = [models.DataDisk(lun=0, create_option="Attach", managed_disk={"id": disk.id})]
    other = await _machine(sdk, "other")
    update = models.VirtualMachineUpdate(storage_profile=models.StorageProfile(data_disks=attached))
    with pytest.raises(ResourceExistsError) as refused:
        await machines.begin_update(GROUP, "other", update)
    assert refused.value.error.code == "ConflictingUserInput"
    changed.storage_profile.data_disks = []
    await (await machines.begin_create_or_update(GROUP, "vm", changed)).result()
    assert (await disks.get(GROUP, "data")).disk_state == "Unattached"
    await (await machines.begin_update(GROUP, "other", update)).result()
    await (await machines.begin_deallocate(GROUP, "other")).result()
    reserved = await disks.get(GROUP, "data")
    assert (reserved.disk_state, reserved.managed_by) == ("Reserved", other.id)
    with pytest.raises(ResourceExistsError):
        await disks.begin_delete(GROUP, "data")


async def test_too_many_disks_are_told_with_their_target(sdk: Sdk) -> None:
    disks = [{"lun": lun, "createOption": "Empty", "diskSizeGB": 8} for lun in range(5)]
    body = machine_body(await sdk.interface(with_address=False))
    body["properties"]["storageProfile"]["dataDisks"] = disks
    with pytest.raises(ResourceExistsError) as refused:
        await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)
    assert (refused.value.error.code, refused.value.error.target) == ("OperationNotAllowed", "dataDisks")


async def test_a_machine_hibernates_and_resumes(sdk: Sdk) -> None:
    machines = sdk.compute.virtual_machines
    machine = await _machine(sdk, additionalCapabilities={"hibernationEnabled": True})
    assert machine.additional_capabilities.hibernation_enabled is True
    await (await machines.begin_deallocate(GROUP, "vm", hibernate=True)).result()
    statuses = (await machines.instance_view(GROUP, "vm")).statuses
    assert [status.code for status in statuses][1:] == ["PowerState/deallocated", "HibernationState/Hibernated"]
    await (await machines.begin_start(GROUP, "vm")).result()
    statuses = (await machines.instance_view(GROUP, "vm")).statuses
    assert [status.code for status in statuses][1:] == ["PowerState/running"]
    await _machine(sdk, "other")
    with pytest.raises(ResourceExistsError) as refused:
        await machines.begin_deallocate(GROUP, "other", hibernate=True)
    assert refused.value.error.code == "OperationNotAllowed"


async def test_an_ephemeral_disk_has_no_resource_and_keeps_its_machine_on(sdk: Sdk) -> None:
    machines = sdk.compute.virtual_machines
    body = machine_body(await sdk.interface(with_address=False))
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_D2s_v3"
    disk = models.OSDisk(
        create_option="FromImage",
        caching="ReadOnly",
        diff_disk_settings=models.DiffDiskSettings(option="Local", placement="CacheDisk"),
    )
    body["properties"]["storageProfile"]["osDisk"] = disk.as_dict()
    machine = await (await machines.begin_create_or_update(GROUP, "vm", body)).result()
    with pytest.raises(ResourceNotFoundError):
        await sdk.compute.disks.get(GROUP, machine.storage_profile.os_disk.name)
    with pytest.raises(ResourceExistsError, match="ephemeral OS disk"):
        await machines.begin_deallocate(GROUP, "vm")


async def _read(address: str, emulator: ArmEmulator, **options: Any) -> tuple[int, Any, bytes]:
    context = ssl.create_default_context(cafile=str(emulator.connection.ca_bundle))
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.request(options.pop("method", "GET"), address, **options) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


DIAGNOSTICS = {"bootDiagnostics": {"enabled": True}}


async def test_the_console_is_read_without_a_token(sdk: Sdk, emulator: ArmEmulator) -> None:
    machines = sdk.compute.virtual_machines
    await _machine(sdk, diagnosticsProfile=DIAGNOSTICS)
    found = await machines.retrieve_boot_diagnostics_data(GROUP, "vm", sas_uri_expiration_time_in_minutes=5)
    status, headers, log = await _read(found.serial_console_log_blob_uri, emulator)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert log.decode().rstrip().endswith("vm login:")
    status, headers, picture = await _read(found.console_screenshot_blob_uri, emulator)
    assert (status, headers["Content-Type"], picture[:2]) == (200, "image/bmp", b"BM")
    await (await machines.begin_restart(GROUP, "vm")).result()
    _, _, longer = await _read(found.serial_console_log_blob_uri, emulator)
    assert longer.startswith(log)
    assert len(longer) > len(log)
    await (await machines.begin_delete(GROUP, "vm")).result()
    status, _, answer = await _read(found.serial_console_log_blob_uri, emulator)
    assert status == 404
    assert b"BlobNotFound" in answer


async def test_part_of_a_blob_can_be_read_and_nothing_written(sdk: Sdk, emulator: ArmEmulator) -> None:
    await _machine(sdk, diagnosticsProfile=DIAGNOSTICS)
    found = await sdk.compute.virtual_machines.retrieve_boot_diagnostics_data(GROUP, "vm")
    address = found.serial_console_log_blob_uri
    _, _, whole = await _read(address, emulator)
    status, headers, part = await _read(address, emulator, headers={"x-ms-range": "bytes=5-24"})
    assert (status, part) == (206, whole[5:25])
    assert headers["Content-Range"] == f"bytes 5-24/{len(whole)}"
    status, _, _ = await _read(address, emulator, headers={"Range": f"bytes={len(whole)}-"})
    assert status == 416
    status, headers, nothing = await _read(address, emulator, method="HEAD")
    assert (status, int(headers["Content-Length"]), nothing) == (200, len(whole), b"")
    status, _, _ = await _read(address, emulator, method="PUT", data=b"mine")
    assert status == 403


async def test_an_address_expires_and_cannot_be_forged(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with sdk_of(frozen.connection) as sdk:
        network = await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
        clock.advance(10)
        machine = _configured((await network.result()).subnets[0].id)
        machine.diagnostics_profile = models.DiagnosticsProfile(boot_diagnostics={"enabled": True})
        create = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", machine)
        clock.advance(100)
        await create.result()
        found = await sdk.compute.virtual_machines.retrieve_boot_diagnostics_data(
            GROUP, "vm", sas_uri_expiration_time_in_minutes=1
        )
        address = found.serial_console_log_blob_uri
        assert (await _read(address, frozen))[0] == 200
        status, _, answer = await _read(address.replace("sig=", "sig=A"), frozen)
        assert status == 403
        assert b"AuthenticationFailed" in answer
        clock.advance(60)
        status, _, answer = await _read(address, frozen)
        assert status == 403
        assert b"time frame" in answer


async def test_diagnostics_that_are_off_are_not_read(sdk: Sdk) -> None:
    await _machine(sdk)
    with pytest.raises(HttpResponseError) as refused:
        await sdk.compute.virtual_machines.retrieve_boot_diagnostics_data(GROUP, "vm")
    assert (refused.value.status_code, refused.value.error.code) == (409, "OperationNotAllowed")
