from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.network.addresses import PublicAddressPool
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


def _private(interface: Any) -> str:
    return str(interface.properties["ipConfigurations"][0]["properties"]["privateIPAddress"])


def test_private_addresses_are_the_lowest_free_ones_after_azures_own(cloud: Cloud) -> None:
    cloud.network()
    first, second = cloud.interface("a"), cloud.interface("b")
    assert (_private(first), _private(second)) == ("10.0.0.4", "10.0.0.5")
    cloud.subscription.interfaces.delete(first.id, now=cloud.now)
    cloud.pass_time()
    assert _private(cloud.interface("c")) == "10.0.0.4"
    assert _private(cloud.interface("d")) == "10.0.0.6"


def test_an_interface_written_again_keeps_its_addresses(cloud: Cloud) -> None:
    cloud.network()
    address = cloud.address()
    cloud.interface("a")
    before = _private(cloud.interface("b"))
    again = cloud.interface("b", publicIPAddress={"id": str(address.id)}, privateIPAddress=before)
    assert _private(again) == before
    assert address.first_user == f"{again.id}/ipConfigurations/ipconfig"
    cloud.interface("b")
    assert address.first_user is None


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        pytest.param(
            {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.4"},
            "PrivateIPAddressInUse",
            id="address-of-another",
        ),
        pytest.param(
            {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.9.0.4"},
            "PrivateIPAddressNotInSubnet",
            id="address-from-elsewhere",
        ),
        pytest.param({"subnet": None}, "SubnetIsRequired", id="no-subnet"),
        pytest.param({"subnet": {"id": "/nowhere"}}, "InvalidResourceReference", id="subnet-that-is-not-there"),
        pytest.param({"publicIPAddress": {"id": "/nowhere"}}, "InvalidResourceReference", id="no-such-address"),
    ],
)
def test_an_interface_is_refused(cloud: Cloud, configuration: dict[str, Any], code: str) -> None:
    cloud.network()
    cloud.interface("a")
    with pytest.raises(ArmError) as refused:
        cloud.interface("b", **configuration)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert cloud.kinds() == ["networkInterfaces", "subnets", "virtualNetworks"]


def test_an_interface_in_another_region_than_its_network_is_refused(cloud: Cloud) -> None:
    cloud.network(location="westus2")
    with pytest.raises(ArmError, match="both resources are in the same region"):
        cloud.interface()


def test_a_full_subnet_has_no_room(cloud: Cloud) -> None:
    cloud.network(prefix="10.0.0.0/29")
    for name in ("a", "b", "c"):
        cloud.interface(name)
    with pytest.raises(ArmError) as refused:
        cloud.interface("d")
    assert refused.value.code == "SubnetIsFull"


def test_a_public_address_has_one_holder(cloud: Cloud) -> None:
    cloud.network()
    address = cloud.address()
    cloud.interface("a", publicIPAddress={"id": str(address.id).upper()})
    with pytest.raises(ArmError) as refused:
        cloud.interface("b", publicIPAddress={"id": str(address.id)})
    assert refused.value.code == "PublicIPAddressInUse"
    with pytest.raises(ArmError) as refused:
        cloud.subscription.addresses.delete(address.id, now=cloud.now)
    assert refused.value.code == "PublicIPAddressCannotBeDeleted"


def test_a_freed_public_address_is_given_again(cloud: Cloud) -> None:
    first, second = cloud.address("a"), cloud.address("b")
    freed = first.properties["ipAddress"]
    cloud.subscription.addresses.delete(first.id, now=cloud.now)
    cloud.pass_time()
    assert cloud.address("c").properties["ipAddress"] == freed
    assert second.properties["ipAddress"] != freed


def test_public_addresses_do_not_run_out_at_the_first_range() -> None:
    pool = PublicAddressPool()
    given = [pool.allocate() for _ in range(1000)]
    assert len(set(given)) == 1000
    assert given[0] == "203.0.113.1"
    assert given[254] == "198.51.100.1"


def test_a_subnet_in_use_is_not_deleted_nor_is_its_network(cloud: Cloud) -> None:
    network = cloud.network()
    cloud.interface()
    for attempt in (
        lambda: cloud.subscription.networks.delete(network.id, now=cloud.now),
        lambda: cloud.subscription.networks.delete_subnet(network.id.child("subnets", "default"), now=cloud.now),
    ):
        with pytest.raises(ArmError) as refused:
            attempt()
        assert refused.value.code == "InUseSubnetCannotBeDeleted"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("192.168.0.0/24", "NetcfgInvalidSubnet"),
        ("10.0.1.0/99", "InvalidCIDRNotation"),
        (None, "InvalidRequestFormat"),
    ],
)
def test_a_subnet_is_refused(cloud: Cloud, prefix: str | None, code: str) -> None:
    network = cloud.network()
    body = {"properties": {"addressPrefix": prefix}}
    with pytest.raises(ArmError) as refused:
        cloud.subscription.networks.put_subnet(network.id.child("subnets", "two"), body, now=cloud.now)
    assert refused.value.code == code


def test_a_network_written_again_without_subnets_keeps_them(cloud: Cloud) -> None:
    network = cloud.network()
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    cloud.subscription.networks.put(network.id, body, now=cloud.now)
    assert len(cloud.subscription.networks.subnets_of(network)) == 1
    cloud.pass_time()
    body["properties"]["subnets"] = []  # type: ignore[index]
    cloud.subscription.networks.put(network.id, body, now=cloud.now)
    assert cloud.subscription.networks.subnets_of(network) == []


def test_the_prefix_of_a_subnet_in_use_is_fixed(cloud: Cloud) -> None:
    network = cloud.network()
    cloud.interface()
    body = {"properties": {"addressPrefix": "10.0.7.0/24"}}
    with pytest.raises(ArmError) as refused:
        cloud.subscription.networks.put_subnet(network.id.child("subnets", "default"), body, now=cloud.now)
    assert refused.value.code == "InUsePrefixCannotBeDeleted"


def test_nothing_is_built_upon_what_is_still_updating(cloud: Cloud) -> None:
    network = cloud.network()
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    cloud.subscription.networks.put(network.id, body, now=cloud.now)
    assert network.provisioning_state is ProvisioningState.UPDATING
    with pytest.raises(ArmError) as refused:
        cloud.interface()
    assert (refused.value.status, refused.value.code) == (429, "RetryableError")
    assert refused.value.details is not None
    assert refused.value.details[0].code == "ReferencedResourceNotProvisioned"
    with pytest.raises(ArmError) as refused:
        cloud.subscription.networks.put(network.id, body, now=cloud.now)
    assert (refused.value.status, refused.value.code) == (409, "AnotherOperationInProgress")
    cloud.pass_time()
    cloud.interface()


def test_a_security_group_in_use_is_not_deleted(cloud: Cloud) -> None:
    group_id = cloud.network_id("networkSecurityGroups", "nsg")
    cloud.subscription.security_groups.put(group_id, {"location": "eastus"}, now=cloud.now)
    cloud.pass_time()
    network = cloud.network()
    subnet_id = network.id.child("subnets", "default")
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": str(group_id)}}}
    cloud.subscription.networks.put_subnet(subnet_id, body, now=cloud.now)
    cloud.pass_time()
    with pytest.raises(ArmError) as refused:
        cloud.subscription.security_groups.delete(group_id, now=cloud.now)
    assert refused.value.code == "InUseNetworkSecurityGroupCannotBeDeleted"
    cloud.subscription.networks.delete(network.id, now=cloud.now)
    cloud.pass_time()
    cloud.subscription.security_groups.delete(group_id, now=cloud.now)
    cloud.pass_time()
    assert cloud.kinds() == []
