"""User-assigned identities, and the identities of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud


def _identity(cloud: Cloud, name: str = "one", **tags: str) -> Resource:
    identity_id = cloud.machine_id().elsewhere("Microsoft.ManagedIdentity", "userAssignedIdentities", name)
    identity, _ = cloud.subscription.identities.put(identity_id, {"location": "eastus", "tags": tags}, now=cloud.now)
    return identity


def _user(*identities: Resource | str, kind: str = "UserAssigned") -> dict[str, Any]:
    return {"type": kind, "userAssignedIdentities": {str(getattr(one, "id", one)): {} for one in identities}}


def _machine(cloud: Cloud, identity: dict[str, Any] | None = None) -> VirtualMachine:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    if identity is not None:
        body["identity"] = identity
    return cloud.running_machine(body)


def _patch(cloud: Cloud, machine: VirtualMachine, identity: dict[str, Any] | None) -> Any:
    cloud.subscription.machines.patch(machine.id, {"identity": identity}, now=cloud.now)
    cloud.pass_time()
    return machine.extras.get("identity")


def test_an_identity_written_again_stays_the_same_principal(cloud: Cloud) -> None:
    first = dict(_identity(cloud).properties)
    again = _identity(cloud, a="b")
    assert again.properties == first
    assert again.tags == {"a": "b"}
    assert first["principalId"] != first["clientId"]
    assert first["tenantId"] == cloud.subscription.context.tenant_id


def test_a_machine_shows_the_principals_of_its_identities(cloud: Cloud) -> None:
    one = _identity(cloud)
    machine = _machine(cloud, _user(one, kind="SystemAssigned, UserAssigned"))
    identity = machine.extras["identity"]
    assert identity["type"] == "SystemAssigned, UserAssigned"
    assert identity["tenantId"] == cloud.subscription.context.tenant_id
    shown = identity["userAssignedIdentities"][str(one.id)]
    assert shown == {"principalId": one.properties["principalId"], "clientId": one.properties["clientId"]}


def test_a_patch_adds_and_a_null_removes(cloud: Cloud) -> None:
    one, two = _identity(cloud), _identity(cloud, "two")
    machine = _machine(cloud, _user(one))
    both = _patch(cloud, machine, _user(two))
    assert set(both["userAssignedIdentities"]) == {str(one.id), str(two.id)}
    removal = {"type": "UserAssigned", "userAssignedIdentities": {str(one.id).upper(): None}}
    assert set(_patch(cloud, machine, removal)["userAssignedIdentities"]) == {str(two.id)}
    assert _patch(cloud, machine, None)["type"] == "UserAssigned"
    assert _patch(cloud, machine, {"type": "None"}) is None


def test_a_put_replaces_what_it_does_not_name(cloud: Cloud) -> None:
    one, two = _identity(cloud), _identity(cloud, "two")
    machine = _machine(cloud, _user(one))
    body = cloud.machine_body()
    body["identity"] = _user(two)
    cloud.put_machine(body)
    assert set(machine.extras["identity"]["userAssignedIdentities"]) == {str(two.id)}


def test_a_system_assigned_identity_is_kept_by_writes_and_new_after_a_removal(cloud: Cloud) -> None:
    machine = _machine(cloud, {"type": "SystemAssigned"})
    first = machine.extras["identity"]["principalId"]
    assert _patch(cloud, machine, {"type": "SystemAssigned"})["principalId"] == first
    _patch(cloud, machine, {"type": "None"})
    assert _patch(cloud, machine, {"type": "SystemAssigned"})["principalId"] != first


def test_a_deleted_identity_is_still_named_by_its_machine(cloud: Cloud) -> None:
    one = _identity(cloud)
    machine = _machine(cloud, _user(one))
    assert cloud.subscription.identities.delete(one.id)
    assert not cloud.subscription.identities.delete(one.id)
    assert str(one.id) in _patch(cloud, machine, _user(one))["userAssignedIdentities"]
    body = cloud.machine_body()
    body["identity"] = dict(machine.extras["identity"])
    cloud.put_machine(body)
    assert str(one.id) in machine.extras["identity"]["userAssignedIdentities"]


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        pytest.param({"type": "Borrowed"}, "InvalidParameter", id="no-such-type"),
        pytest.param({}, "InvalidParameter", id="no-type"),
        pytest.param({"type": "None, SystemAssigned"}, "InvalidParameter", id="none-and-some"),
        pytest.param({"type": "UserAssigned"}, "InvalidParameter", id="user-without-identities"),
        pytest.param(_user("/x", kind="SystemAssigned"), "InvalidParameter", id="identities-without-user"),
        pytest.param(_user("/subscriptions/s/gone"), "FailedIdentityOperation", id="identity-that-is-gone"),
    ],
)
def test_an_identity_is_refused_and_nothing_made(cloud: Cloud, identity: dict[str, Any], code: str) -> None:
    with pytest.raises(ArmError) as refused:
        _machine(cloud, identity)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert cloud.kinds() == ["networkInterfaces", "subnets", "virtualNetworks"]


def test_a_refused_identity_changes_nothing(cloud: Cloud) -> None:
    machine = _machine(cloud, {"type": "SystemAssigned"})
    before = dict(machine.extras["identity"])
    with pytest.raises(ArmError, match="was not found"):
        _patch(cloud, machine, _user("/gone"))
    assert machine.extras["identity"] == before
