"""The document that azure-cli, Terraform and PowerShell read before they know anything but ARM's address."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator


async def _discover(emulator: ArmEmulator, query: str, *, method: str = "GET") -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(emulator.connection.ca_bundle))
    url = f"{emulator.connection.endpoint}/metadata/endpoints{query}"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.request(method, url) as answer,
    ):
        return answer.status, await answer.json() if await answer.read() else None


async def test_a_cloud_tells_everything_that_a_login_needs_without_one(emulator: ArmEmulator) -> None:
    status, cloud = await _discover(emulator, "?api-version=2022-09-01")
    assert status == 200
    assert cloud["name"] == "AzureEmulator"
    assert cloud["resourceManager"] == emulator.connection.endpoint
    assert cloud["authentication"]["loginEndpoint"] == emulator.connection.authority
    assert cloud["authentication"]["audiences"] == [emulator.connection.audience]
    assert cloud["suffixes"] == {}


async def test_older_versions_tell_it_in_a_list(emulator: ArmEmulator) -> None:
    _, cloud = await _discover(emulator, "?api-version=2022-09-01")
    assert await _discover(emulator, "?api-version=2019-05-01") == (200, [cloud])


async def test_the_oldest_version_is_that_of_azure_stack(emulator: ArmEmulator) -> None:
    status, cloud = await _discover(emulator, "?api-version=2015-01-01")
    assert status == 200
    assert sorted(cloud) == ["authentication", "galleryEndpoint", "graphEndpoint", "portalEndpoint"]
    assert cloud["authentication"]["loginEndpoint"] == emulator.connection.authority


@pytest.mark.parametrize(
    ("query", "method", "status"),
    [
        pytest.param("", "GET", 400, id="a-version-is-needed"),
        pytest.param("?api-version=2022-09-01", "PUT", 405, id="it-can-only-be-read"),
    ],
)
async def test_what_is_refused(emulator: ArmEmulator, query: str, method: str, status: int) -> None:
    got, _ = await _discover(emulator, query, method=method)
    assert got == status
