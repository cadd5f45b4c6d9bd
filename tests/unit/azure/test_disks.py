"""Which disks are a host's. Bodies are cut from recordings of azure-cli; sizes and case are as ARM shows them."""

from typing import Any

import pytest
from azure.mgmt.compute.models import Disk, VirtualMachine

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.disks import HostDisks, attached_disks, disks_of, to_disk
from benchhost.azure.tags import owner_tags
from benchhost.cloud import AttachedDisk, HostRequest, ObservedPart, Owner, PartState
from support.builders import OWNER, azure_spec

COMPUTE = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute"
MACHINE_ID = f"{COMPUTE}/virtualMachines/db-1"
BOOT_ID = f"{COMPUTE}/disks/db-1-os"
DATA_ID = f"{COMPUTE}/disks/db-1-data-0"
STRANGER = Owner("cluster-2", "bench", "pg-1", "u")


def request(name: str | None = "db-1") -> HostRequest:
    spec = azure_spec() if name is None else azure_spec(name=name)
    return HostRequest(OWNER, BenchHostSpec.model_validate({"azure": spec}), "Standard_D2s_v5")


def disk(disk_id: str, owner: Owner | None = OWNER, **changes: Any) -> Disk:
    properties = {"provisioningState": "Succeeded", "diskSizeGB": 64}
    tags = owner_tags(owner) if owner is not None else {}
    return Disk({"id": disk_id, "location": "eastus", "tags": tags, "properties": properties} | changes)


def attached(lun: int, disk_id: str | None = DATA_ID, **changes: Any) -> dict[str, Any]:
    managed = {} if disk_id is None else {"managedDisk": {"id": disk_id}}
    return {"lun": lun, "createOption": "Empty", "caching": "ReadOnly", "diskSizeGB": 32, **managed} | changes


def machine(*disks: dict[str, Any], owner: Owner | None = OWNER, **properties: Any) -> VirtualMachine:
    storage = {"osDisk": {"name": "db-1-os", "managedDisk": {"id": BOOT_ID}}, "dataDisks": list(disks)}
    body = {"provisioningState": "Succeeded", "storageProfile": storage} | properties
    tags = owner_tags(owner) if owner is not None else {}
    return VirtualMachine({"id": MACHINE_ID, "location": "eastus", "tags": tags, "properties": body})


def part(disk_id: str, owner: Owner | None = OWNER, **changes: Any) -> ObservedPart:
    tags = owner_tags(owner) if owner is not None else {}
    return ObservedPart(disk_id, PartState.READY, owner, tags=tags, size_gib=64, **changes)


def test_this_hosts_machine_vouches_for_its_disks() -> None:
    expected = HostDisks(
        ObservedPart(BOOT_ID, PartState.READY, OWNER), {0: ObservedPart(DATA_ID, PartState.READY, OWNER, size_gib=32)}
    )
    assert disks_of(request(), machine(attached(0)), []) == expected


def test_what_the_disk_says_of_itself_counts_more() -> None:
    # The machine's body has the size of the disk's creation, and none while a spot machine is deallocated.
    own = machine(attached(0, DATA_ID.upper(), diskSizeGB=None))
    seen = disks_of(request(), own, [disk(BOOT_ID.lower()), disk(DATA_ID)])
    assert seen == HostDisks(part(BOOT_ID.lower()), {0: part(DATA_ID)})


def test_a_machine_vouches_for_disks_that_azure_gave_no_tags() -> None:
    listed = [disk(BOOT_ID, None), disk(DATA_ID, None)]
    seen = disks_of(request(), machine(attached(0)), listed)
    assert seen.boot is not None
    assert (seen.boot.owner, seen.data[0].owner) == (OWNER, OWNER)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(None, id="no-machine"),
        pytest.param(machine(attached(0), owner=STRANGER), id="another-owners-machine"),
        pytest.param(machine(attached(0), owner=None), id="nobodys-machine"),
        pytest.param(machine(attached(0), provisioningState="Deleting"), id="a-machine-that-is-going"),
    ],
)
def test_no_other_machine_vouches_for_disks(seen: VirtualMachine | None) -> None:
    assert disks_of(request(), seen, []) == HostDisks()
    assert disks_of(request(), seen, [disk(BOOT_ID), disk(DATA_ID)]) == HostDisks(part(BOOT_ID), {0: part(DATA_ID)})


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param({"osDisk": {}}, id="a-disk-that-is-not-there-yet"),
        pytest.param(None, id="no-storage-at-all"),
        pytest.param({"osDisk": {"managedDisk": {"id": f"{BOOT_ID}-other"}}}, id="a-disk-of-another-name"),
    ],
)
def test_a_machine_vouches_for_nothing_that_it_does_not_show(storage: dict[str, Any] | None) -> None:
    assert disks_of(request(), machine(storageProfile=storage), []) == HostDisks()


def test_a_disk_that_was_detached_is_found_beside_those_that_are_attached() -> None:
    left = f"{COMPUTE}/disks/db-1-data-5"
    seen = disks_of(request(), machine(attached(0)), [disk(DATA_ID), disk(left)])
    assert seen.data == {0: part(DATA_ID), 5: part(left)}


def test_a_disk_counts_where_it_is_attached_and_not_where_its_name_says() -> None:
    assert disks_of(request(), machine(attached(9)), [disk(DATA_ID)]).data == {9: part(DATA_ID)}


@pytest.mark.parametrize("listed", [[], [disk(f"{COMPUTE}/disks/results", None)]], ids=["unlisted", "listed"])
def test_a_disk_that_somebody_attached_stays_theirs(listed: list[Disk]) -> None:
    seen = disks_of(request(), machine(attached(0, f"{COMPUTE}/disks/results")), listed)
    assert seen.data[0].owner is None


def test_disks_of_other_hosts_are_not_this_hosts() -> None:
    names = ["db-1", "db-10-os", "db-1-os-2", "db-1-data-", "db-1-data-x", "db-1-data-1-os", "db-2-data-0"]
    assert disks_of(request(), None, [disk(f"{COMPUTE}/disks/{name}") for name in names]) == HostDisks()


@pytest.mark.parametrize("name", ["os", "data-0"])
@pytest.mark.parametrize(
    ("tagged", "machine_name", "owner"),
    [
        pytest.param(OWNER, "db-1", OWNER, id="by-its-tags"),
        pytest.param(STRANGER, None, STRANGER, id="by-its-tags-against-its-name"),
        pytest.param(None, None, OWNER, id="by-a-name-that-holds-the-owners-digest"),
        pytest.param(None, "db-1", None, id="nobodys-under-a-name-that-anybody-can-choose"),
    ],
)
def test_whose_a_left_disk_is(name: str, tagged: Owner | None, machine_name: str | None, owner: Owner | None) -> None:
    computed = machine_name or "pg-1-381e5009"
    assert to_disk(disk(f"{COMPUTE}/disks/{computed}-{name}", tagged), request(machine_name)).owner == owner


@pytest.mark.parametrize(
    ("user", "in_use"),
    [
        pytest.param(None, False, id="loose"),
        pytest.param(MACHINE_ID.upper(), False, id="attached-to-this-hosts-machine"),
        pytest.param(f"{MACHINE_ID}-other", True, id="attached-to-another-machine"),
    ],
)
def test_a_disk_is_in_use_while_another_machine_has_it(user: str | None, in_use: bool) -> None:
    assert to_disk(disk(DATA_ID, managedBy=user), request()).in_use is in_use


def test_attached_disks_are_told_as_far_as_azure_shows_them() -> None:
    own = machine(attached(3, diskSizeGB=None, caching="none"), attached(1, None))
    assert attached_disks(own) == (
        AttachedDisk(lun=1, resource_id="", size_gib=32, caching="ReadOnly"),
        AttachedDisk(lun=3, resource_id=DATA_ID, size_gib=None, caching="None"),
    )
