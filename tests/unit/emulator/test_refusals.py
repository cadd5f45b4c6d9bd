"""What the subscription refuses, with Azure's codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.emulator.driver import Cloud


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of a machine's body; None removes."""

    def change(body: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for name in parents:
            body = body[name]
        if value is None:
            del body[last]
        else:
            body[last] = value

    return change


LINUX = "properties.osProfile.linuxConfiguration"
IMAGE = "properties.storageProfile.imageReference"
MISSING_NIC = [{"id": "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/x/y/z"}]


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        pytest.param(_set("location", None), 400, "LocationRequired", "location", id="no-location"),
        pytest.param(
            _set("location", "moon"), 400, "LocationNotAvailableForResourceType", "eastus,westus2", id="no-such-region"
        ),
        pytest.param(
            _set("properties.hardwareProfile.vmSize", "Standard_Z9"),
            400,
            "InvalidParameter",
            "The value Standard_Z9 provided for the VM size is not valid",
            id="no-such-size",
        ),
        pytest.param(
            _set("properties.hardwareProfile", None), 400, "InvalidParameter", "vmSize", id="no-hardware-profile"
        ),
        pytest.param(_set(f"{IMAGE}.sku", None), 400, "InvalidParameter", "imageReference.sku", id="half-an-image"),
        pytest.param(
            _set(f"{IMAGE}.publisher", "Nobody"), 404, "PlatformImageNotFound", "Nobody", id="unknown-publisher"
        ),
        pytest.param(_set(f"{LINUX}.ssh", None), 400, "InvalidParameter", "SSH", id="password-off-and-no-key"),
        pytest.param(
            _set(f"{LINUX}.ssh.publicKeys", [{"path": "/root/.ssh/authorized_keys", "keyData": "ssh-rsa AAAA"}]),
            400,
            "InvalidParameter",
            "/home/tester/.ssh/authorized_keys",
            id="key-in-another-folder",
        ),
        pytest.param(
            _set(f"{LINUX}.ssh.publicKeys", [{"path": "/home/tester/.ssh/authorized_keys", "keyData": "no key"}]),
            400,
            "InvalidParameter",
            "keyData",
            id="key-that-is-none",
        ),
        pytest.param(
            _set(f"{LINUX}.disablePasswordAuthentication", False),
            400,
            "InvalidParameter",
            "adminPassword",
            id="password-on-and-none-given",
        ),
        pytest.param(
            _set("properties.osProfile.adminUsername", "root"), 400, "InvalidParameter", "not allowed", id="root"
        ),
        pytest.param(
            _set("properties.osProfile.computerName", "under_score"),
            400,
            "InvalidParameter",
            "under_score",
            id="bad-computer-name",
        ),
        pytest.param(_set("properties.osProfile", None), 400, "InvalidParameter", "osProfile", id="no-os-profile"),
        pytest.param(
            _set("properties.networkProfile", None), 400, "InvalidParameter", "networkProfile", id="no-network"
        ),
        pytest.param(
            _set("properties.networkProfile.networkInterfaces", MISSING_NIC),
            400,
            "InvalidResourceReference",
            "was not found",
            id="no-such-interface",
        ),
        pytest.param(
            _set("properties.storageProfile.dataDisks", [{"lun": 0, "createOption": "Empty"}]),
            400,
            "InvalidParameter",
            "diskSizeGB",
            id="data-disk-without-size",
        ),
        pytest.param(
            _set(
                "properties.storageProfile.dataDisks",
                [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}] * 2,
            ),
            400,
            "InvalidParameter",
            "LUN",
            id="two-disks-at-one-lun",
        ),
        pytest.param(_set("tags", {"a": 1}), 400, "InvalidRequestContent", "tags", id="tag-that-is-no-string"),
        pytest.param(_set("tags", {str(n): "" for n in range(51)}), 400, "InvalidTagNumber", "51", id="too-many-tags"),
    ],
)
def test_a_create_is_refused(
    cloud: Cloud, change: Callable[[dict[str, Any]], None], status: int, code: str, words: str
) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    change(body)
    before = cloud.kinds()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert words in refused.value.message
    assert cloud.kinds() == before


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("properties.osProfile.computerName", "other", "osProfile.computerName"),
        ("properties.osProfile.adminUsername", "other", "osProfile.adminUsername"),
        ("properties.osProfile.customData", "bmV3", "osProfile.customData"),
        (f"{LINUX}.ssh.publicKeys", [], "linuxConfiguration.ssh.publicKeys"),
        (f"{IMAGE}.sku", "other", "imageReference"),
        ("properties.storageProfile.osDisk.name", "other", "osDisk.name"),
        ("properties.priority", "Spot", "priority"),
        ("zones", ["1"], "zones"),
    ],
)
def test_what_is_fixed_cannot_be_changed(cloud: Cloud, path: str, value: Any, named: str) -> None:
    cloud.running_machine()
    body = cloud.machine_body()
    _set(path, value)(body)
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert (refused.value.status, refused.value.code) == (409, "PropertyChangeNotAllowed")
    assert refused.value.target == named


def test_the_same_put_again_is_an_update_and_changes_nothing(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    guid, disk = machine.guid, dict(machine.os_disk)
    again, _ = cloud.put_machine()
    cloud.pass_time()
    assert again is machine
    assert (machine.guid, machine.os_disk) == (guid, disk)


def test_another_location_is_refused(cloud: Cloud) -> None:
    cloud.running_machine()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(cloud.machine_body() | {"location": "westus2"})
    assert refused.value.code == "InvalidResourceLocation"


@pytest.mark.parametrize("action", list(PowerAction))
def test_power_actions_wait_for_an_operation_under_way(cloud: Cloud, action: PowerAction) -> None:
    machine = cloud.running_machine()
    cloud.subscription.power.begin(machine, PowerAction.RESTART, now=cloud.now)
    with pytest.raises(ArmError) as refused:
        cloud.subscription.power.begin(machine, action, now=cloud.now)
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")


def test_an_update_waits_for_an_operation_under_way(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    cloud.put_machine()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine()
    assert (refused.value.status, refused.value.code) == (409, "Conflict")


def test_a_machine_marked_for_deletion_takes_no_more_orders(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.delete(machine)
    with pytest.raises(ArmError, match="marked for deletion"):
        cloud.subscription.power.begin(machine, PowerAction.START, now=cloud.now)
    with pytest.raises(ArmError, match="marked for deletion"):
        cloud.put_machine()


@pytest.mark.parametrize("stop", [PowerAction.POWER_OFF, PowerAction.DEALLOCATE])
def test_a_machine_that_is_off_cannot_be_restarted(cloud: Cloud, stop: PowerAction) -> None:
    machine = cloud.running_machine()
    cloud.act(machine, stop)
    with pytest.raises(ArmError) as refused:
        cloud.subscription.power.begin(machine, PowerAction.RESTART, now=cloud.now)
    assert refused.value.code == "OperationNotAllowed"


def test_an_interface_has_one_machine(cloud: Cloud) -> None:
    cloud.running_machine()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(name="second")
    assert (refused.value.status, refused.value.code) == (400, "NicInUse")
    with pytest.raises(ArmError) as refused:
        cloud.subscription.interfaces.delete(cloud.network_id("networkInterfaces", "nic"), now=cloud.now)
    assert refused.value.code == "NicInUse"


def test_a_disk_has_one_machine_and_goes_only_when_it_has_none(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    disk_id = machine.os_disk["managedDisk"]["id"]
    cloud.interface("nic2")
    body = cloud.machine_body("nic2")
    body["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk_id}}
    ]
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body, name="second")
    assert (refused.value.status, refused.value.code) == (409, "ConflictingUserInput")
    disk = cloud.subscription.store.find(disk_id)
    assert disk is not None
    with pytest.raises(ArmError, match="is attached to VM"):
        cloud.subscription.disks.delete(disk.id, now=cloud.now)
    cloud.delete(machine)
    cloud.pass_time()
    cloud.subscription.disks.delete(disk.id, now=cloud.now)
    cloud.pass_time()
    assert cloud.subscription.store.find(disk_id) is None


def test_a_leaked_disk_name_is_not_taken_over(cloud: Cloud) -> None:
    body = cloud.machine_body()
    body["properties"]["storageProfile"]["osDisk"]["name"] = "os"
    machine = cloud.running_machine(body)
    cloud.delete(machine)
    cloud.pass_time()
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert refused.value.code == "ConflictingUserInput"


def test_an_interface_can_only_be_changed_while_deallocated(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.interface("nic2")
    body = cloud.machine_body("nic2")
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert refused.value.code == "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported"
    cloud.act(machine, PowerAction.DEALLOCATE)
    cloud.put_machine(body)
    cloud.pass_time()
    first = cloud.subscription.store.find(cloud.network_id("networkInterfaces", "nic"))
    assert first is not None
    assert first.first_user is None


def test_nothing_is_created_in_a_missing_or_vanishing_group(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    elsewhere = type(cloud.machine_id())(
        cloud.subscription.id, "gone", "Microsoft.Compute", ("virtualMachines",), ("vm",)
    )
    with pytest.raises(ArmError) as refused:
        cloud.subscription.machines.put(elsewhere, cloud.machine_body(), now=cloud.now)
    assert refused.value.code == "ResourceGroupNotFound"
    cloud.subscription.delete_group("rg", cloud.now)
    with pytest.raises(ArmError) as refused:
        cloud.put_machine()
    assert refused.value.code == "ResourceGroupBeingDeleted"
    with pytest.raises(ArmError) as refused:
        cloud.subscription.groups.put("rg", "eastus", {})
    assert refused.value.code == "ResourceGroupBeingDeleted"
