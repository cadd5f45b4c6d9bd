from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.catalog import find_size
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.identifiers import ResourceId
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.cloud.zones import require_zones, zones_of, zones_of_size

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud

NAME = ResourceId("s", "rg", "Microsoft.Compute", ("virtualMachines",), ("vm",))


def disk(cloud: Cloud, zones: list[str] | None, sku: str = "Premium_LRS") -> str:
    disk_id = cloud.machine_id().sibling("disks", "data")
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}
    body = {"location": "eastus", "zones": zones, "sku": {"name": sku}, "properties": properties}
    cloud.subscription.disks.put(disk_id, body, now=cloud.now)
    cloud.pass_time()
    return str(disk_id)


def with_disk(cloud: Cloud, disk_id: str, zones: list[str] | None) -> dict[str, Any]:
    body: dict[str, Any] = {**cloud.machine_body(), "zones": zones}
    attached = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk_id}}
    body["properties"]["storageProfile"]["dataDisks"] = [attached]
    return body


def test_which_locations_and_sizes_have_zones() -> None:
    assert zones_of("eastus") == ("1", "2", "3")
    assert zones_of("westus") == ()
    rare, plain = find_size("Standard_HB120-16rs_v3"), find_size("Standard_D2s_v5")
    assert rare is not None
    assert plain is not None
    assert zones_of_size(rare, "eastus") == ("1",)
    assert zones_of_size(plain, "eastus") == ("1", "2", "3")
    assert zones_of_size(rare, "westus") == ()


@pytest.mark.parametrize(
    ("location", "zones", "code"),
    [
        pytest.param("eastus", ["4"], "InvalidAvailabilityZone", id="unknown-zone"),
        pytest.param("westus", ["1"], "LocationNotSupportAvailabilityZones", id="location-without-zones"),
    ],
)
def test_zones_that_a_location_does_not_have(location: str, zones: list[str], code: str) -> None:
    with pytest.raises(ArmError) as refused:
        require_zones(NAME, location, zones)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert "'Microsoft.Compute/virtualMachines/vm'" in refused.value.message


@pytest.mark.parametrize("zones", [["9"], ["1", "2"]])
def test_a_machine_is_in_one_known_zone(cloud: Cloud, zones: list[str]) -> None:
    cloud.network()
    cloud.interface()
    with pytest.raises(ArmError, match="zone"):
        cloud.put_machine({**cloud.machine_body(), "zones": zones})


def test_a_disk_in_an_unknown_zone_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ArmError, match="InvalidAvailabilityZone"):
        disk(cloud, ["7"])


def test_a_size_that_the_zone_does_not_have(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body(hardwareProfile={"vmSize": "Standard_HB120-16rs_v3"})
    with pytest.raises(ArmError) as refused:
        cloud.put_machine({**body, "zones": ["2"]})
    assert (refused.value.status, refused.value.code) == (409, "SkuNotAvailable")
    assert "in location 'eastus' zones '2' for subscription" in refused.value.message
    _, create = cloud.put_machine({**body, "zones": ["1"]})
    cloud.pass_time()
    assert create.status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("disk_zones", "sku", "machine_zones", "fits"),
    [
        pytest.param(["1"], "Premium_LRS", ["1"], True, id="the-same-zone"),
        pytest.param(["1"], "Premium_LRS", ["2"], False, id="another-zone"),
        pytest.param(None, "Premium_LRS", ["2"], False, id="a-regional-disk-and-a-zonal-machine"),
        pytest.param(["1"], "Premium_LRS", None, False, id="a-zonal-disk-and-a-regional-machine"),
        pytest.param(None, "Premium_ZRS", ["2"], True, id="a-redundant-disk"),
        pytest.param(None, "Premium_LRS", None, True, id="no-zones-at-all"),
    ],
)
def test_disks_and_machines_meet_in_one_zone(
    cloud: Cloud, disk_zones: list[str] | None, sku: str, machine_zones: list[str] | None, fits: bool
) -> None:
    cloud.network()
    cloud.interface()
    body = with_disk(cloud, disk(cloud, disk_zones, sku), machine_zones)
    if fits:
        cloud.put_machine(body)
        return
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert (refused.value.status, refused.value.code) == (400, "BadRequest")
    assert "because it is not in the same zone as the VM. VM zone: '" in refused.value.message


@pytest.mark.parametrize(
    ("sku", "address_zones", "machine_zones", "words"),
    [
        pytest.param("Standard", ["1"], ["2"], "constraint 1.", id="another-zone"),
        pytest.param("Basic", None, ["2"], "constraint Regional.", id="a-basic-address"),
        pytest.param("Standard", ["1", "2", "3"], ["2"], None, id="every-zone"),
        pytest.param("Standard", None, ["2"], None, id="no-zone-serves-all"),
        pytest.param("Standard", ["1"], None, None, id="a-machine-without-zone"),
    ],
)
def test_addresses_and_machines_meet_in_one_zone(
    cloud: Cloud, sku: str, address_zones: list[str] | None, machine_zones: list[str] | None, words: str | None
) -> None:
    cloud.network()
    address = cloud.address(sku=sku)
    address.extras["zones"] = address_zones
    cloud.interface(publicIPAddress={"id": str(address.id)})
    body = {**cloud.machine_body(), "zones": machine_zones}
    if words is None:
        cloud.put_machine(body)
        return
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert refused.value.code == "ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint"
    assert words in refused.value.message
