"""The emulator's own API over HTTPS: its token, and that it is no part of Azure's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.emulator.admin_driver import administer

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator
    from integration.emulator.driver import Raw


@pytest.mark.parametrize("token", ["", "wrong", "é"])
async def test_only_the_admin_token_opens_it(emulator: ArmEmulator, token: str) -> None:
    status, body = await administer(emulator, "GET", "limits", token=token)
    assert status == 401
    assert "admin.json" in body["error"]


async def test_an_azure_token_does_not_open_it_and_the_admin_token_does_not_open_azure(
    emulator: ArmEmulator, raw: Raw
) -> None:
    azure_token = raw.headers["Authorization"].removeprefix("Bearer ")
    assert (await administer(emulator, "GET", "limits", token=azure_token))[0] == 401
    headers = {"Authorization": f"Bearer {emulator.admin.token}"}
    status, _, _ = await raw.send("GET", f"{raw.group}?api-version=2024-11-01", headers=headers)
    assert status == 401


async def test_unknown_paths_are_told_in_a_sentence(emulator: ArmEmulator) -> None:
    status, body = await administer(emulator, "GET", "nothing")
    assert status == 404
    assert body["error"].startswith("There is no 'nothing' in the admin API")


def test_the_token_is_in_no_repr(emulator: ArmEmulator) -> None:
    assert emulator.admin.token not in repr(emulator.admin)
