"""Management locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.locks import Locks

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud

SUBSCRIPTION = "/subscriptions/s"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"


@pytest.fixture
def locks() -> Locks:
    return Locks()


@pytest.mark.parametrize(
    ("locked", "level", "deletable", "writable"),
    [
        pytest.param(MACHINE, "CanNotDelete", False, True, id="machine-not-to-be-deleted"),
        pytest.param(GROUP, "CanNotDelete", False, True, id="its-group-not-to-be-deleted"),
        pytest.param(SUBSCRIPTION, "CanNotDelete", False, True, id="its-subscription-not-to-be-deleted"),
        pytest.param(GROUP.upper(), "ReadOnly", False, False, id="group-only-read-however-spelled"),
        pytest.param(f"{GROUP}2", "ReadOnly", True, True, id="another-group-whose-name-begins-alike"),
        pytest.param(f"{MACHINE}2", "ReadOnly", True, True, id="another-machine"),
    ],
)
def test_a_lock_holds_for_its_scope_and_below(
    locks: Locks, locked: str, level: str, deletable: bool, writable: bool
) -> None:
    locks.put(locked, "lock", {"level": level})
    for may, check in ((deletable, locks.require_deletable), (writable, locks.require_writable)):
        if may:
            check(MACHINE)
            continue
        with pytest.raises(ArmError, match="Please remove the lock") as refused:
            check(MACHINE)
        assert (refused.value.status, refused.value.code) == (409, "ScopeLocked")
        assert f"are locked: '{locked}'" in refused.value.message


def test_a_group_with_a_locked_resource_is_not_deleted_but_written(locks: Locks) -> None:
    locks.put(MACHINE, "lock", {"level": "ReadOnly"})
    locks.require_writable(GROUP)
    with pytest.raises(ArmError, match="cannot perform delete operation"):
        locks.require_deletable(GROUP)


def test_a_removed_lock_holds_nothing(locks: Locks) -> None:
    locks.put(GROUP, "lock", {"level": "ReadOnly"})
    assert locks.remove(GROUP, "LOCK")
    assert not locks.remove(GROUP, "lock")
    locks.require_deletable(MACHINE)


def test_a_lock_written_again_has_another_level(locks: Locks) -> None:
    _, is_new = locks.put(GROUP, "lock", {"level": "readonly"})
    assert is_new
    lock, is_new = locks.put(GROUP, "lock", {"level": "CanNotDelete", "notes": "kept"})
    assert (is_new, lock.notes) == (False, "kept")
    locks.require_writable(MACHINE)
    assert locks.list_at(MACHINE) == [lock]


def test_another_level_is_refused(locks: Locks) -> None:
    with pytest.raises(ArmError, match="'Soft' is not valid"):
        locks.put(GROUP, "lock", {"level": "Soft"})


@pytest.mark.parametrize(
    ("locked", "left"),
    [
        pytest.param("networkInterfaces/nic", ["networkInterfaces", "publicIPAddresses"], id="interface"),
        pytest.param("publicIPAddresses/pip", ["publicIPAddresses"], id="address"),
    ],
)
def test_what_is_locked_is_left_by_a_machine_that_goes(cloud: Cloud, locked: str, left: list[str]) -> None:
    cloud.network()
    address = cloud.address()
    cloud.interface(publicIPAddress={"id": str(address.id), "properties": {"deleteOption": "Delete"}})
    body = cloud.machine_body()
    body["properties"]["storageProfile"]["osDisk"]["deleteOption"] = "Delete"
    body["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    machine = cloud.running_machine(body)
    scope = str(cloud.network_id(*locked.split("/")))
    cloud.subscription.locks.put(scope, "keep", {"level": "CanNotDelete"})
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == [*left, "subnets", "virtualNetworks"]
