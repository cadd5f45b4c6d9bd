"""What is read from ARM's resources. Bodies are cut from recordings of azure-cli and azure-service-operator."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.mgmt.compute.models import Disk, VirtualMachine
from azure.mgmt.network.models import NetworkInterface, PublicIPAddress, VirtualNetwork

from benchhost.api.spec import BenchHostSpec
from benchhost.api.status import Address, AddressType
from benchhost.azure.observation import disk_of, state_of, to_addresses, to_disk, to_machine, to_part
from benchhost.azure.tags import owner_tags, shared_tags
from benchhost.cloud import HostRequest, MachinePower, ObservedPart, Owner, PartState
from support.builders import OWNER, azure_spec

ID = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/db-1"
DISK_ID = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/disks/db-1-os"
STRANGER = Owner("cluster-2", "bench", "pg-1", "u")


def request(name: str | None = "db-1") -> HostRequest:
    spec = azure_spec() if name is None else azure_spec(name=name)
    return HostRequest(OWNER, BenchHostSpec.model_validate({"azure": spec}), "Standard_D2s_v5")


def machine(*statuses: dict[str, str], **changes: Any) -> VirtualMachine:
    properties = {
        "vmId": "guid",
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "provisioningState": "Succeeded",
        "timeCreated": "2026-03-01T11:59:00.1234567+00:00",
        "storageProfile": {"osDisk": {"name": "db-1-os", "managedDisk": {"id": DISK_ID}}},
        "instanceView": {"statuses": list(statuses)},
    } | changes.pop("properties", {})
    body = {"id": ID, "location": "eastus", "tags": {"team": "db", **owner_tags(OWNER)}, "properties": properties}
    return VirtualMachine(body | changes)


SUCCEEDED = {"code": "ProvisioningState/succeeded", "time": "2026-03-01T12:00:00.7654321+00:00"}
RUNNING = {"code": "PowerState/running"}


def test_a_running_machine_is_read_whole() -> None:
    seen = to_machine(machine(SUCCEEDED, RUNNING, zones=["2"]))
    assert seen.provider_id == f"azure://{ID}"
    assert (seen.vm_id, seen.size, seen.zone) == ("guid", "Standard_D2s_v5", "2")
    assert seen.power is MachinePower.RUNNING
    assert seen.changed_at == datetime(2026, 3, 1, 12, 0, 0, 765432, tzinfo=UTC)
    assert seen.created_at == datetime(2026, 3, 1, 11, 59, 0, 123456, tzinfo=UTC)
    assert seen.tags == {"team": "db"}
    assert (seen.failure_code, seen.failure_message) == (None, None)


@pytest.mark.parametrize(
    ("code", "power"),
    [
        ("PowerState/starting", MachinePower.STARTING),
        ("PowerState/running", MachinePower.RUNNING),
        ("PowerState/stopping", MachinePower.STOPPING),
        ("PowerState/stopped", MachinePower.STOPPED),
        ("PowerState/deallocating", MachinePower.DEALLOCATING),
        ("powerstate/Deallocated", MachinePower.DEALLOCATED),
        ("PowerState/creating", MachinePower.UNKNOWN),
        ("PowerState/", MachinePower.UNKNOWN),
        ("HibernationState/Hibernated", MachinePower.UNKNOWN),
    ],
)
def test_each_power_state_is_read(code: str, power: MachinePower) -> None:
    assert to_machine(machine(SUCCEEDED, {"code": code})).power is power


def test_a_failed_machine_tells_its_code() -> None:
    failed = {"code": "ProvisioningState/failed/AllocationFailed", "message": "No room."}
    seen = to_machine(machine(failed))
    assert (seen.power, seen.failure_code, seen.failure_message) == (
        MachinePower.UNKNOWN,
        "AllocationFailed",
        "No room.",
    )


def test_a_failed_machine_without_a_code_has_none() -> None:
    assert to_machine(machine({"code": "ProvisioningState/failed"})).failure_code is None


def test_the_state_proper_counts_and_not_what_stands_beside_it() -> None:
    creating = {"code": "ProvisioningState/creating"}
    complete = {"code": "ProvisioningState/creating/osProvisioningComplete", "time": "2026-03-01T12:00:00+00:00"}
    assert to_machine(machine(creating, complete)).changed_at is None


def test_a_machine_just_accepted_shows_little_and_is_read_all_the_same() -> None:
    body = {"id": ID, "location": "eastus", "properties": {"provisioningState": "Creating", "vmId": "guid"}}
    seen = to_machine(VirtualMachine(body))
    assert (seen.power, seen.size, seen.created_at, seen.zone) == (MachinePower.UNKNOWN, "", None, None)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Creating", PartState.PENDING),
        ("Updating", PartState.PENDING),
        ("Migrating", PartState.PENDING),
        ("Deleting", PartState.DELETING),
        ("Succeeded", PartState.READY),
        ("succeeded", PartState.READY),
        ("Failed", PartState.FAILED),
        ("Canceled", PartState.FAILED),
    ],
)
def test_each_provisioning_state_is_read(state: str, expected: PartState) -> None:
    assert state_of(machine(properties={"provisioningState": state})) is expected
    interface = NetworkInterface({"id": "x", "properties": {"provisioningState": state}})
    assert state_of(interface) is expected


def test_a_network_is_in_use_while_something_is_attached_to_it() -> None:
    def network(*subnets: dict[str, Any]) -> ObservedPart:
        properties = {"provisioningState": "Succeeded", "subnets": [{"properties": subnet} for subnet in subnets]}
        return to_part(VirtualNetwork({"id": "x", "tags": shared_tags(OWNER), "properties": properties}))

    assert not network().in_use
    assert not network({}, {"ipConfigurations": []}).in_use
    assert network({}, {"ipConfigurations": [{"id": "y"}]}).in_use
    assert network().owner == Owner(OWNER.cluster, "", "", "")


def test_this_hosts_machine_vouches_for_its_disk() -> None:
    assert disk_of(machine(), request()) == ObservedPart(DISK_ID, PartState.READY, OWNER)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(machine(tags=owner_tags(STRANGER)), id="another-owners-machine"),
        pytest.param(machine(tags={}), id="nobodys-machine"),
        pytest.param(machine(properties={"provisioningState": "Deleting"}), id="a-machine-that-is-going"),
        pytest.param(machine(properties={"storageProfile": {"osDisk": {}}}), id="a-disk-that-is-not-there-yet"),
        pytest.param(machine(properties={"storageProfile": None}), id="no-storage-at-all"),
        pytest.param(
            machine(properties={"storageProfile": {"osDisk": {"managedDisk": {"id": f"{DISK_ID}-other"}}}}),
            id="a-disk-of-another-name",
        ),
    ],
)
def test_no_other_machine_vouches_for_a_disk(seen: VirtualMachine) -> None:
    assert disk_of(seen, request()) is None


@pytest.mark.parametrize(
    ("tags", "name", "owner"),
    [
        pytest.param(owner_tags(OWNER), "db-1", OWNER, id="by-its-tags"),
        pytest.param(owner_tags(STRANGER), None, STRANGER, id="by-its-tags-against-its-name"),
        pytest.param({}, None, OWNER, id="by-a-name-that-holds-the-owners-digest"),
        pytest.param({}, "db-1", None, id="nobodys-under-a-name-that-anybody-can-choose"),
    ],
)
def test_whose_a_left_disk_is(tags: dict[str, str], name: str | None, owner: Owner | None) -> None:
    disk = Disk({"id": DISK_ID, "location": "eastus", "tags": tags, "properties": {"provisioningState": "Succeeded"}})
    assert to_disk(disk, request(name)).owner == owner


def test_addresses_are_shown_as_far_as_they_are_known() -> None:
    interface = NetworkInterface(
        {"id": "x", "properties": {"ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.4"}}, {}]}}
    )
    public = PublicIPAddress({"id": "x", "properties": {"ipAddress": "203.0.113.1"}})
    internal = Address(type=AddressType.INTERNAL_IP, address="10.0.0.4")
    external = Address(type=AddressType.EXTERNAL_IP, address="203.0.113.1")
    assert to_addresses(interface, public) == (internal, external)
    assert to_addresses(None, None) == ()
    assert to_addresses(None, PublicIPAddress({"id": "x", "properties": {}})) == ()
