"""Identities and locks over HTTP; the machines' part through the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.compute import models

from integration.emulator.driver import GROUP, Raw, Sdk, machine_body

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator

IDENTITY_VERSION = "2023-01-31"
LOCK_VERSION = "2016-09-01"


def _identity(raw: Raw, name: str = "") -> str:
    kind = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    return f"{raw.group}/{kind}{f'/{name}' if name else ''}?api-version={IDENTITY_VERSION}"


def _lock(scope: str, name: str = "keep") -> str:
    return f"{scope}/providers/Microsoft.Authorization/locks/{name}?api-version={LOCK_VERSION}"


async def test_the_life_of_an_identity(raw: Raw) -> None:
    status, _, made = await raw.send("PUT", _identity(raw, "one"), json={"location": "eastus", "tags": {"a": "b"}})
    assert status == 201
    assert made["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert set(made["properties"]) == {"tenantId", "principalId", "clientId"}
    assert (await raw.send("PUT", _identity(raw, "one"), json={"location": "eastus"}))[0] == 200
    status, _, patched = await raw.send("PATCH", _identity(raw, "one"), json={"tags": {"c": "d"}})
    assert (status, patched["tags"], patched["properties"]) == (200, {"c": "d"}, made["properties"])
    _, _, listed = await raw.send("GET", _identity(raw))
    assert listed["value"] == [patched]
    everywhere = _identity(raw).replace(f"/resourceGroups/{GROUP}", "")
    assert (await raw.send("GET", everywhere))[2]["value"] == [patched]
    assert (await raw.send("DELETE", _identity(raw, "one")))[0] == 200
    assert (await raw.send("DELETE", _identity(raw, "one")))[0] == 204
    assert (await raw.send("GET", _identity(raw, "one")))[0] == 404


async def test_an_identity_is_made_in_the_version_of_azure_cli(raw: Raw) -> None:
    path = _identity(raw, "one").replace(IDENTITY_VERSION, "2025-05-31-preview")
    assert (await raw.send("PUT", path, json={"location": "eastus"}))[0] == 201


async def _machine(sdk: Sdk, identity: Any = None) -> Any:
    body = machine_body(await sdk.interface(with_address=False))
    if identity is not None:
        body["identity"] = identity
    return await (await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)).result()


async def test_a_machine_gets_and_loses_identities(raw: Raw, sdk: Sdk) -> None:
    _, _, one = await raw.send("PUT", _identity(raw, "one"), json={"location": "eastus"})
    machine = await _machine(sdk, {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {one["id"]: {}}})
    assert machine.identity.principal_id
    assert machine.identity.user_assigned_identities[one["id"]].client_id == one["properties"]["clientId"]
    machines = sdk.compute.virtual_machines
    update = models.VirtualMachineUpdate(identity={"type": "None"})
    bare = await (await machines.begin_update(GROUP, "vm", update)).result()
    assert bare.identity is None
    missing = {"type": "UserAssigned", "userAssignedIdentities": {f"{one['id']}2": {}}}
    with pytest.raises(HttpResponseError) as refused:
        await machines.begin_update(GROUP, "vm", models.VirtualMachineUpdate(identity=missing))
    assert refused.value.error.code == "FailedIdentityOperation"


async def test_a_locked_machine_is_neither_deleted_nor_with_its_group(raw: Raw, sdk: Sdk) -> None:
    machine = await _machine(sdk)
    body = {"properties": {"level": "CanNotDelete", "notes": "in use"}}
    status, _, lock = await raw.send("PUT", _lock(machine.id), json=body)
    assert (status, lock["properties"]) == (201, body["properties"])
    assert (await raw.send("GET", _lock(machine.id)))[2] == lock
    listed = f"{raw.group}/providers/Microsoft.Authorization/locks?api-version={LOCK_VERSION}"
    assert (await raw.send("GET", listed))[2]["value"] == [lock]
    machines = sdk.compute.virtual_machines
    with pytest.raises(ResourceExistsError) as refused:
        await machines.begin_delete(GROUP, "vm")
    assert refused.value.error.code == "ScopeLocked"
    status, headers, answer = await raw.send("DELETE", f"{raw.group}?api-version=2024-11-01")
    assert (status, answer["error"]["code"]) == (409, "ScopeLocked")
    assert headers["x-ms-failure-cause"] == "gateway"
    await (await machines.begin_deallocate(GROUP, "vm")).result()
    assert (await raw.send("DELETE", _lock(machine.id)))[0] == 200
    await (await machines.begin_delete(GROUP, "vm")).result()


async def test_a_group_locked_for_reading_takes_no_writes_and_no_actions(
    raw: Raw, sdk: Sdk, emulator: ArmEmulator
) -> None:
    await _machine(sdk)
    await raw.send("PUT", _lock(raw.group), json={"properties": {"level": "ReadOnly"}})
    machines = sdk.compute.virtual_machines
    for attempt in (
        machines.begin_update(GROUP, "vm", {"tags": {"a": "b"}}),
        machines.begin_deallocate(GROUP, "vm"),
        sdk.network.virtual_networks.begin_delete(GROUP, "vnet"),
    ):
        with pytest.raises(ResourceExistsError) as refused:
            await attempt
        assert refused.value.error.code == "ScopeLocked"
    assert (await machines.get(GROUP, "vm")).tags == {"owner": "tests"}
    assert emulator.subscription.locks.remove(raw.group, "keep")


async def test_a_lock_needs_something_to_hold(raw: Raw) -> None:
    scope = f"{raw.group}/providers/Microsoft.Compute/virtualMachines/nobody"
    status, _, answer = await raw.send("PUT", _lock(scope), json={"properties": {"level": "ReadOnly"}})
    assert (status, answer["error"]["code"]) == (404, "ResourceNotFound")
    assert (await raw.send("GET", _lock(raw.group)))[0] == 404
