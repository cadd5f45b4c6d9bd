from typing import Any

import pytest

from benchhost.api.azure import DataDisk
from benchhost.api.spec import BenchHostSpec
from benchhost.azure.parameters import to_body, to_growth
from benchhost.azure.tags import owner_tags
from benchhost.cloud import GuestSecrets, HostRequest, Part
from support.builders import OWNER, SUBSCRIPTION, azure_spec

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bench-rg/providers/Microsoft.Network"


def request(secrets: GuestSecrets | None = None, **azure: Any) -> HostRequest:
    spec = BenchHostSpec.model_validate({"azure": azure_spec(**{"name": "db-1", "tags": {"team": "db"}, **azure})})
    return HostRequest(OWNER, spec, "Standard_D4s_v5", secrets)


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


@pytest.mark.parametrize("part", [Part.ADDRESS, Part.INTERFACE, Part.MACHINE])
def test_a_hosts_own_resources_carry_the_users_and_the_owners_tags(part: Part) -> None:
    assert to_body(request(), part)["tags"] == {"team": "db", **owner_tags(OWNER)}


def test_a_shared_network_carries_no_hosts_tags() -> None:
    body = to_body(request(), Part.NETWORK)
    assert body["tags"] == {"benchhost-cluster": OWNER.cluster, "benchhost-shared": "true"}
    assert body["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert [subnet["name"] for subnet in body["properties"]["subnets"]] == ["default"]


@pytest.mark.parametrize("accelerated", [True, False])
def test_an_interface_is_accelerated_only_when_the_spec_says_so(accelerated: bool) -> None:
    network = {"virtualNetwork": {"name": "bench-net"}, "acceleratedNetworking": accelerated}
    properties = to_body(request(network=network), Part.INTERFACE)["properties"]
    assert properties["enableAcceleratedNetworking"] is accelerated


def test_a_disk_grows_and_keeps_everything_else() -> None:
    assert to_growth(DataDisk(lun=0, size_gib=128)) == {"properties": {"diskSizeGB": 128}}


def test_a_machine_of_a_computed_name_brings_its_interface_and_its_address_along() -> None:
    group = f"{NETWORK}/networkSecurityGroups/closed"
    network = {
        "virtualNetwork": {"name": "bench-net"},
        "publicAddress": "Static",
        "acceleratedNetworking": True,
        "securityGroupId": group,
    }
    tags = {"team": "db", **owner_tags(OWNER)}
    address = {
        "name": "pg-1-381e5009-ip",
        "tags": tags,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "deleteOption": "Delete",
            "publicIPAllocationMethod": "Static",
            "publicIPAddressVersion": "IPv4",
        },
    }
    primary = {
        "primary": True,
        "subnet": {"id": f"{NETWORK}/virtualNetworks/bench-net/subnets/default"},
        "publicIPAddressConfiguration": address,
    }
    assert to_body(request(name=None, network=network), Part.MACHINE)["properties"]["networkProfile"] == {
        "networkApiVersion": "2022-11-01",
        "networkInterfaceConfigurations": [
            {
                "name": "pg-1-381e5009-nic",
                "tags": tags,
                "properties": {
                    "primary": True,
                    "deleteOption": "Delete",
                    "ipConfigurations": [{"name": "primary", "properties": primary}],
                    "enableAcceleratedNetworking": True,
                    "networkSecurityGroup": {"id": group},
                },
            }
        ],
    }


def test_an_interface_that_is_brought_along_has_no_address_unless_asked() -> None:
    network = {"virtualNetwork": {"name": "bench-net"}}
    profile = to_body(request(name=None, network=network), Part.MACHINE)["properties"]["networkProfile"]
    (configuration,) = profile["networkInterfaceConfigurations"]
    (primary,) = configuration["properties"]["ipConfigurations"]
    assert primary["properties"].keys() == {"primary", "subnet"}
    assert "networkSecurityGroup" not in configuration["properties"]
