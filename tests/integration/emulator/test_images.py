"""Marketplace images as the SDK looks them up, and a machine made of what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from integration.emulator.driver import GROUP, Raw, Sdk, machine_body

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator

UBUNTU = ("eastus", "Canonical", "ubuntu-24_04-lts", "server")


async def test_a_machine_is_made_of_an_image_that_was_looked_up(sdk: Sdk) -> None:
    images = sdk.compute.virtual_machine_images
    publishers = [item.name for item in await images.list_publishers("eastus")]
    assert "Canonical" in publishers
    assert [item.name for item in await images.list_offers("eastus", "Canonical")] == ["ubuntu-24_04-lts"]
    assert [item.name for item in await images.list_skus("eastus", "Canonical", "ubuntu-24_04-lts")] == ["server"]
    (newest,) = await images.list(*UBUNTU, top=1, orderby="name desc")
    image = await images.get(*UBUNTU, newest.name)
    assert image.os_disk_image.operating_system == "Linux"
    assert image.id == newest.id

    body = machine_body(await sdk.interface())
    body["properties"]["storageProfile"]["imageReference"]["version"] = newest.name
    await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()
    machine = await sdk.compute.virtual_machines.get(GROUP, "vm")
    assert machine.storage_profile.image_reference.exact_version == newest.name
    disk = await sdk.compute.disks.get(GROUP, machine.storage_profile.os_disk.name)
    assert disk.creation_data.image_reference.id == image.id


async def test_names_are_taken_in_any_case(sdk: Sdk) -> None:
    (found,) = await sdk.compute.virtual_machine_images.list("EastUS", "canonical", "Ubuntu-24_04-LTS", "Server")
    assert found.location == "eastus"


@pytest.mark.parametrize(
    ("publisher", "version"),
    [
        pytest.param("Contoso", "1.0.0", id="unknown-publisher"),
        pytest.param("Canonical", "latest", id="latest-is-no-version"),
    ],
)
async def test_what_is_not_there(sdk: Sdk, publisher: str, version: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refused:
        await sdk.compute.virtual_machine_images.get("eastus", publisher, "offer", "sku", version)
    assert refused.value.error is not None
    assert refused.value.error.code == "NotFound"


async def test_a_region_that_is_not_offered_has_no_images(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError) as refused:
        await sdk.compute.virtual_machine_images.list_publishers("atlantis")
    assert refused.value.error is not None
    assert refused.value.error.code == "LocationNotAvailableForResourceType"


async def test_lists_of_images_are_bare_arrays(raw: Raw, emulator: ArmEmulator) -> None:
    base = f"/subscriptions/{emulator.connection.subscription_id}/providers/Microsoft.Compute/locations/eastus"
    answer: Any
    status, _, answer = await raw.send("GET", f"{base}/publishers?api-version=2024-11-01")
    assert status == 200
    assert answer[0]["name"] == "AlmaLinux"
