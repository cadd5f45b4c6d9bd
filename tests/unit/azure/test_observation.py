"""What is read from ARM's resources. Bodies are cut from recordings of azure-cli and azure-service-operator."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.mgmt.compute.models import Disk, VirtualMachine
from azure.mgmt.network.models import NetworkInterface, PublicIPAddress, VirtualNetwork

from benchhost.api.spec import BenchHostSpec
from benchhost.api.status import Address, AddressType
from benchhost.azure.observation import to_addresses, to_machine, to_observation, to_part
from benchhost.azure.states import state_of
from benchhost.azure.tags import owner_tags, shared_tags
from benchhost.cloud import HostRequest, MachinePower, ObservedPart, Owner, Part, PartState
from support.builders import OWNER, azure_spec

ID = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/db-1"
DISK_ID = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/disks/db-1-os"
IDS = "/subscriptions/s/resourceGroups/Ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities"


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


def test_what_the_spec_can_change_is_read() -> None:
    identity = {"type": "UserAssigned", "userAssignedIdentities": {f"{IDS}/Blue": {"clientId": "c"}, f"{IDS}/RED": {}}}
    diagnostics = {"bootDiagnostics": {"enabled": False}}
    seen = to_machine(machine(identity=identity, properties={"diagnosticsProfile": diagnostics, "priority": "Spot"}))
    assert seen.identity_ids == {f"{IDS}/blue".lower(), f"{IDS}/red".lower()}
    assert seen.boot_diagnostics is False


def test_what_azure_does_not_tell_is_left_open() -> None:
    seen = to_machine(machine(SUCCEEDED, RUNNING))
    assert (seen.identity_ids, seen.boot_diagnostics, seen.zone) == (frozenset(), None, None)
    assert seen.data_disks == ()


def test_a_hibernated_machine_is_deallocated() -> None:
    statuses = (SUCCEEDED, {"code": "PowerState/deallocated"}, {"code": "HibernationState/Hibernated"})
    assert to_machine(machine(*statuses)).power is MachinePower.DEALLOCATED


def test_disks_are_shown_with_the_machine_and_by_themselves() -> None:
    disk = {"lun": 2, "managedDisk": {"id": DISK_ID.replace("-os", "-data-2")}, "caching": "None"}
    storage = {"osDisk": {"managedDisk": {"id": DISK_ID}}, "dataDisks": [disk]}
    own = machine(properties={"storageProfile": storage})
    seen = to_observation(request(), {Part.MACHINE: own, Part.INTERFACE: None}, [])
    assert seen.parts.keys() == {Part.MACHINE, Part.DISK}
    assert seen.machine is not None
    assert [disk.lun for disk in seen.machine.data_disks] == [2]
    assert seen.data_disks == {2: ObservedPart(DISK_ID.replace("-os", "-data-2"), PartState.READY, OWNER)}


def test_a_disk_has_the_size_that_it_says_itself() -> None:
    disk_id = DISK_ID.replace("-os", "-data-2")
    storage = {"dataDisks": [{"lun": 2, "managedDisk": {"id": disk_id}, "diskSizeGB": 32}]}
    disk = Disk({"id": disk_id, "location": "eastus", "properties": {"diskSizeGB": 64}})
    models = {Part.MACHINE: machine(properties={"storageProfile": storage})}
    for listed, size in (([disk], 64), ([], 32)):
        seen = to_observation(request(), models, listed).machine
        assert seen is not None
        assert [attached.size_gib for attached in seen.data_disks] == [size]


def test_without_a_machine_only_the_disks_themselves_are_shown() -> None:
    left = Disk({"id": DISK_ID, "location": "eastus", "tags": owner_tags(OWNER), "properties": {"diskSizeGB": 30}})
    seen = to_observation(request(), {Part.MACHINE: None, Part.INTERFACE: None}, [left])
    assert (seen.parts.keys(), seen.machine, seen.data_disks) == ({Part.DISK}, None, {})


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


@pytest.mark.parametrize(
    ("interface", "public", "names"),
    [
        pytest.param(
            {"dnsSettings": {"internalDomainNameSuffix": "x.internal.cloudapp.net"}, "virtualMachine": {"id": ID}},
            {},
            [(AddressType.INTERNAL_DNS, "db-1.x.internal.cloudapp.net")],
            id="the-machines-name-under-the-networks-suffix",
        ),
        pytest.param(
            {"dnsSettings": {"internalDomainNameSuffix": "x.net", "internalFqdn": "db.x.net"}},
            {},
            [(AddressType.INTERNAL_DNS, "db.x.net")],
            id="a-label-of-its-own",
        ),
        pytest.param({"dnsSettings": {"internalDomainNameSuffix": "x.net"}}, {}, [], id="a-suffix-without-a-machine"),
        pytest.param(
            {},
            {"dnsSettings": {"domainNameLabel": "db", "fqdn": "db.eastus.cloudapp.azure.com"}},
            [(AddressType.EXTERNAL_DNS, "db.eastus.cloudapp.azure.com")],
            id="the-public-name",
        ),
    ],
)
def test_names_are_told_where_azure_shows_them(
    interface: dict[str, Any], public: dict[str, Any], names: list[tuple[AddressType, str]]
) -> None:
    found = to_addresses({"properties": interface}, {"properties": public})
    assert [(address.type, address.address) for address in found] == names


def test_what_a_list_shows_reads_as_what_was_asked_for_alone() -> None:
    disk = {"lun": 1, "managedDisk": {"id": DISK_ID.replace("-os", "-data-1")}, "diskSizeGB": 32, "caching": "ReadOnly"}
    shown = machine(
        SUCCEEDED,
        RUNNING,
        zones=["2"],
        identity={"type": "UserAssigned", "userAssignedIdentities": {f"{IDS}/Blue": {}}},
        properties={
            "storageProfile": {"osDisk": {"managedDisk": {"id": DISK_ID}}, "dataDisks": [disk]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
            "priority": "Spot",
        },
    )
    listed = json.loads(json.dumps(shown, default=dict))
    assert type(listed) is dict
    assert to_observation(request(), {Part.MACHINE: listed}, []) == to_observation(request(), {Part.MACHINE: shown}, [])


@pytest.mark.parametrize(
    "body",
    [
        {"id": ID},
        {"id": ID, "properties": None, "tags": None, "zones": None, "identity": None},
        {"id": ID, "properties": {"storageProfile": None, "instanceView": {"statuses": None}, "hardwareProfile": []}},
        {"id": ID, "properties": {"storageProfile": {"osDisk": None, "dataDisks": [None]}, "networkProfile": {}}},
    ],
    ids=["nothing-but-its-id", "all-null", "parts-null-or-of-another-type", "lists-of-nothing"],
)
def test_a_machine_that_shows_next_to_nothing_is_read_all_the_same(body: dict[str, Any]) -> None:
    seen = to_observation(request(), {Part.MACHINE: body}, []).machine
    assert seen is not None
    assert (seen.power, seen.size, seen.data_disks, seen.zone) == (MachinePower.UNKNOWN, "", (), None)
