"""The body that creates a machine."""

import base64
import dataclasses
import json
from typing import Any

import pytest

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.machine_body import to_resize
from benchhost.azure.parameters import to_body
from benchhost.cloud import GuestSecrets, HostRequest, Part
from support.builders import OWNER, SSH_KEY, SUBSCRIPTION, azure_spec

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bench-rg/providers/Microsoft.Network"


def request(secrets: GuestSecrets | None = None, **azure: Any) -> HostRequest:
    spec = BenchHostSpec.model_validate({"azure": azure_spec(name="db-1", tags={"team": "db"}, **azure)})
    return HostRequest(OWNER, spec, "Standard_D4s_v5", secrets)


def test_a_machine_takes_its_disk_and_its_interface_along_when_it_goes() -> None:
    properties = to_body(request(), Part.MACHINE)["properties"]
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Delete"
    assert properties["storageProfile"]["osDisk"]["name"] == "db-1-os"
    assert properties["networkProfile"]["networkInterfaces"] == [
        {"id": f"{NETWORK}/networkInterfaces/db-1-nic", "properties": {"primary": True, "deleteOption": "Delete"}}
    ]


def test_nobody_logs_in_with_a_password() -> None:
    profile = to_body(request(), Part.MACHINE)["properties"]["osProfile"]
    assert profile["linuxConfiguration"]["disablePasswordAuthentication"] is True
    assert profile["linuxConfiguration"]["ssh"]["publicKeys"] == [
        {"path": "/home/bench/.ssh/authorized_keys", "keyData": SSH_KEY}
    ]
    assert "adminPassword" not in profile
    assert "customData" not in profile


def test_keys_and_data_of_secrets_go_into_the_machine() -> None:
    secrets = GuestSecrets(ssh_public_keys=("ssh-ed25519 AAAA one",), custom_data="#cloud-config\nä: 1\n".encode())
    profile = to_body(request(secrets), Part.MACHINE)["properties"]["osProfile"]
    assert [key["keyData"] for key in profile["linuxConfiguration"]["ssh"]["publicKeys"]] == ["ssh-ed25519 AAAA one"]
    assert base64.b64decode(profile["customData"]) == "#cloud-config\nä: 1\n".encode()


def test_the_size_is_the_requests_and_not_the_first_of_the_list() -> None:
    assert to_body(request(), Part.MACHINE)["properties"]["hardwareProfile"] == {"vmSize": "Standard_D4s_v5"}
    assert to_resize(request()) == {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}


def test_a_tag_of_the_user_cannot_pretend_to_be_the_owners() -> None:
    spec = azure_spec(tags={"benchhost-uid": "forged"})
    forged = HostRequest(OWNER, BenchHostSpec.model_validate({"azure": spec}), "Standard_D4s_v5")
    assert to_body(forged, Part.MACHINE)["tags"]["benchhost-uid"] == OWNER.uid


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        pytest.param({"id": "/subscriptions/x/images/y"}, {"id": "/subscriptions/x/images/y"}, id="by-its-id"),
        pytest.param(
            {"publisher": "p", "offer": "o", "sku": "s", "version": "v"},
            {"publisher": "p", "offer": "o", "sku": "s", "version": "v"},
            id="from-the-marketplace",
        ),
    ],
)
def test_an_image_is_named_as_the_spec_does(image: dict[str, str], reference: dict[str, str]) -> None:
    storage = to_body(request(image=image), Part.MACHINE)["properties"]["storageProfile"]
    assert storage["imageReference"] == reference


@pytest.mark.parametrize(("disk", "size"), [({}, None), ({"sizeGiB": 64}, 64)], ids=["images-own-size", "64-gib"])
def test_the_disks_size_is_sent_only_where_the_spec_has_one(disk: dict[str, int], size: int | None) -> None:
    os_disk = to_body(request(osDisk=disk), Part.MACHINE)["properties"]["storageProfile"]["osDisk"]
    assert os_disk.get("diskSizeGB") == size
    assert os_disk["managedDisk"] == {"storageAccountType": "Premium_LRS"}


def machine(zone: str | None = None, **azure: Any) -> dict[str, Any]:
    return to_body(dataclasses.replace(request(**azure), zone=zone), Part.MACHINE)


def test_a_machine_that_asks_for_nothing_special_says_nothing_of_it() -> None:
    body = machine()
    assert not {"zones", "identity"} & body.keys()
    special = {"priority", "billingProfile", "host", "proximityPlacementGroup", "capacityReservation"}
    assert not (special | {"evictionPolicy", "additionalCapabilities"}) & body["properties"].keys()
    assert body["properties"]["storageProfile"]["dataDisks"] == []


def test_a_machine_is_made_in_the_zone_that_was_chosen() -> None:
    assert machine(zone="3", zones=["1", "3"])["zones"] == ["3"]
    assert "zones" not in to_body(request(zones=["1"]), Part.ADDRESS)


def test_data_disks_are_made_empty_and_go_with_the_machine() -> None:
    disks = [
        {"lun": 0, "sizeGiB": 64},
        {"lun": 7, "sizeGiB": 128, "storageAccountType": "PremiumV2_LRS", "caching": "None"},
        {"lun": 1, "sizeGiB": 32, "caching": "ReadOnly"},
    ]
    made = machine(dataDisks=disks)["properties"]["storageProfile"]["dataDisks"]
    assert made[1] == {
        "lun": 7,
        "name": "db-1-data-7",
        "createOption": "Empty",
        "deleteOption": "Delete",
        "caching": "None",
        "diskSizeGB": 128,
        "managedDisk": {"storageAccountType": "PremiumV2_LRS"},
    }
    assert [(disk["lun"], disk["caching"]) for disk in made] == [(0, "None"), (7, "None"), (1, "ReadOnly")]


def test_a_machine_with_an_ultra_disk_is_made_able_to_have_one() -> None:
    disks = [{"lun": 0, "sizeGiB": 64, "storageAccountType": "UltraSSD_LRS"}]
    assert machine(dataDisks=disks)["properties"]["additionalCapabilities"] == {"ultraSSDEnabled": True}


def test_an_ephemeral_disk_is_on_the_machines_own_hardware() -> None:
    disk = machine(osDisk={"ephemeral": True, "sizeGiB": 64})["properties"]["storageProfile"]["osDisk"]
    assert disk == {
        "name": "db-1-os",
        "createOption": "FromImage",
        "deleteOption": "Delete",
        "caching": "ReadOnly",
        "diffDiskSettings": {"option": "Local"},
        "diskSizeGB": 64,
    }


@pytest.mark.parametrize(
    ("spot", "policy", "price"),
    [
        pytest.param({}, "Deallocate", -1, id="up-to-the-normal-price"),
        pytest.param({"maxPrice": "0.01234", "evictionPolicy": "Delete"}, "Delete", 0.01234, id="with-a-price"),
    ],
)
def test_spot_capacity_is_asked_for_with_its_price_as_a_number(spot: dict[str, str], policy: str, price: float) -> None:
    properties = machine(spot=spot)["properties"]
    assert (properties["priority"], properties["evictionPolicy"]) == ("Spot", policy)
    assert json.loads(json.dumps(properties["billingProfile"])) == {"maxPrice": price}


COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/place/providers/Microsoft.Compute"


@pytest.mark.parametrize(
    ("field", "arm_id", "expected"),
    [
        pytest.param(
            "proximityPlacementGroupId",
            f"{COMPUTE}/proximityPlacementGroups/near",
            {"proximityPlacementGroup": {"id": f"{COMPUTE}/proximityPlacementGroups/near"}},
            id="near-others",
        ),
        pytest.param(
            "dedicatedHostId",
            f"{COMPUTE}/hostGroups/g/hosts/h",
            {"host": {"id": f"{COMPUTE}/hostGroups/g/hosts/h"}},
            id="on-a-dedicated-host",
        ),
        pytest.param(
            "capacityReservationGroupId",
            f"{COMPUTE}/capacityReservationGroups/paid",
            {"capacityReservation": {"capacityReservationGroup": {"id": f"{COMPUTE}/capacityReservationGroups/paid"}}},
            id="in-reserved-capacity",
        ),
    ],
)
def test_a_machine_is_placed_as_the_spec_says(field: str, arm_id: str, expected: dict[str, Any]) -> None:
    properties = machine(placement={field: arm_id})["properties"]
    placement = {"proximityPlacementGroup", "host", "capacityReservation"}
    assert {name: properties[name] for name in placement & properties.keys()} == expected


def test_identities_are_assigned_at_creation() -> None:
    blue = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ids/providers/Microsoft.ManagedIdentity/x/blue"
    body = machine(identityIds=[blue])
    assert body["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {blue: {}}}


def test_a_machine_can_hibernate_only_when_the_spec_says_so() -> None:
    assert machine(hibernation=True)["properties"]["additionalCapabilities"] == {"hibernationEnabled": True}


@pytest.mark.parametrize("enabled", [True, False])
def test_the_console_is_recorded_unless_the_spec_says_no(enabled: bool) -> None:
    profile = machine(bootDiagnostics=enabled)["properties"]["diagnosticsProfile"]
    assert profile == {"bootDiagnostics": {"enabled": enabled}}
