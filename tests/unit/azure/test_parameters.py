import base64
from typing import Any

import pytest

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.parameters import to_body, to_resize
from benchhost.azure.tags import owner_tags
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


def test_an_interface_takes_its_address_along_when_it_goes() -> None:
    (configuration,) = to_body(request(), Part.INTERFACE)["properties"]["ipConfigurations"]
    assert configuration["properties"]["publicIPAddress"] == {
        "id": f"{NETWORK}/publicIPAddresses/db-1-ip",
        "properties": {"deleteOption": "Delete"},
    }


def test_an_interface_has_no_public_address_and_no_security_group_unless_asked() -> None:
    network = {"virtualNetwork": {"name": "bench-net"}}
    properties = to_body(request(network=network), Part.INTERFACE)["properties"]
    (configuration,) = properties["ipConfigurations"]
    assert "publicIPAddress" not in configuration["properties"]
    assert "networkSecurityGroup" not in properties


def test_an_interface_gets_the_security_group_that_the_spec_names() -> None:
    group = f"{NETWORK}/networkSecurityGroups/closed"
    network = {"virtualNetwork": {"name": "bench-net"}, "securityGroupId": group}
    assert to_body(request(network=network), Part.INTERFACE)["properties"]["networkSecurityGroup"] == {"id": group}


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


@pytest.mark.parametrize("part", [Part.ADDRESS, Part.INTERFACE, Part.MACHINE])
def test_a_hosts_own_resources_carry_the_users_and_the_owners_tags(part: Part) -> None:
    assert to_body(request(), part)["tags"] == {"team": "db", **owner_tags(OWNER)}


def test_a_shared_network_carries_no_hosts_tags() -> None:
    body = to_body(request(), Part.NETWORK)
    assert body["tags"] == {"benchhost-cluster": OWNER.cluster, "benchhost-shared": "true"}
    assert body["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert [subnet["name"] for subnet in body["properties"]["subnets"]] == ["default"]


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
