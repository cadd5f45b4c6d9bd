"""The admin API as the tests call it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator


async def administer(
    emulator: ArmEmulator, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
) -> tuple[int, Any]:
    """Return status and body."""
    connection = emulator.admin
    context = ssl.create_default_context(cafile=str(connection.ca_bundle))
    headers = {"Authorization": f"Bearer {connection.token if token is None else token}"}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), headers=headers) as session,
        session.request(method, f"{connection.endpoint}/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def arrange(emulator: ArmEmulator, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return the body of an answer that is expected to be 200."""
    status, answer = await administer(emulator, method, path, body)
    assert status == 200, answer
    return answer
