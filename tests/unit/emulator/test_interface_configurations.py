"""Interfaces and addresses that one PUT of a machine makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.arm.compute_bodies import machine_body as shown
from benchhost.emulator.arm.version_gates import check_fields
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud

CONFIGURED = ["disks", "networkInterfaces", "publicIPAddresses", "subnets", "virtualNetworks", "virtualMachines"]


def _body(cloud: Cloud, *, option: str | None = "Delete", with_address: bool = True) -> dict[str, Any]:
    subnet = str(cloud.network_id("virtualNetworks", "vnet").child("subnets", "default"))
    ip_properties: dict[str, Any] = {"subnet": {"id": subnet}}
    if with_address:
        ip_properties["publicIPAddressConfiguration"] = {
            "name": "address",
            "tags": {"of": "address"},
            "properties": {"deleteOption": option} if option else {},
        }
    configuration: dict[str, Any] = {
        "name": "nic",
        "tags": {"of": "interface"},
        "properties": {"ipConfigurations": [{"name": "ip", "properties": ip_properties}]},
    }
    if option:
        configuration["properties"]["deleteOption"] = option
    return cloud.machine_body(
        networkProfile={"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [configuration]}
    )


def _only(cloud: Cloud, kind: str) -> Resource:
    (found,) = cloud.subscription.store.list_of_kind(f"Microsoft.Network/{kind}")
    return found


def _profile(machine: Any) -> Any:
    return shown(machine, "2024-11-01")["properties"]["networkProfile"]


def test_one_put_makes_interface_and_address_under_names_that_nobody_foretells(cloud: Cloud) -> None:
    cloud.network()
    machine, _ = cloud.put_machine(_body(cloud))
    interface, address = _only(cloud, "networkInterfaces"), _only(cloud, "publicIPAddresses")
    suffix = re.fullmatch(r"nic-([0-9a-f]{8})", interface.id.name)
    assert suffix is not None
    assert address.id.name == f"address-{suffix[1]}"
    assert interface.tags == {"of": "interface", "fastpathenabled": "True"}
    assert address.tags == {"of": "address"}
    assert address.extras["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address.properties["publicIPAllocationMethod"] == "Static"
    configuration = interface.properties["ipConfigurations"][0]
    assert configuration["name"] == "ip"
    assert configuration["properties"]["publicIPAddress"] == {
        "id": str(address.id),
        "properties": {"deleteOption": "Delete"},
    }
    assert interface.first_user == str(machine.id)


def test_the_machine_names_its_interface_only_once_the_create_has_ended(cloud: Cloud) -> None:
    cloud.network()
    machine, _ = cloud.put_machine(_body(cloud))
    assert _profile(machine) == {"networkInterfaces": []}
    cloud.pass_time()
    interface = _only(cloud, "networkInterfaces")
    reference = {"id": str(interface.id), "properties": {"primary": True, "deleteOption": "Delete"}}
    assert _profile(machine) == {"networkInterfaces": [reference]}


@pytest.mark.parametrize(
    ("option", "left"),
    [
        pytest.param("Delete", ["subnets", "virtualNetworks"], id="delete-takes-both-along"),
        pytest.param(
            None,
            ["disks", "networkInterfaces", "publicIPAddresses", "subnets", "virtualNetworks"],
            id="nothing-said-leaves-both",
        ),
    ],
)
def test_what_a_deleted_machine_leaves(cloud: Cloud, option: str | None, left: list[str]) -> None:
    cloud.network()
    body = _body(cloud, option=option)
    body["properties"]["storageProfile"]["osDisk"]["deleteOption"] = option
    machine, _ = cloud.put_machine(body)
    cloud.pass_time()
    assert cloud.kinds() == sorted(CONFIGURED)
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == left


def test_an_address_without_delete_option_outlives_its_interface(cloud: Cloud) -> None:
    cloud.network()
    body = _body(cloud)
    (configuration,) = body["properties"]["networkProfile"]["networkInterfaceConfigurations"]
    (ip_configuration,) = configuration["properties"]["ipConfigurations"]
    ip_configuration["properties"]["publicIPAddressConfiguration"]["properties"] = {}
    machine, _ = cloud.put_machine(body)
    cloud.pass_time()
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["disks", "publicIPAddresses", "subnets", "virtualNetworks"]


def test_a_create_that_is_cancelled_leaves_both_to_the_machines_deletion(cloud: Cloud) -> None:
    cloud.network()
    machine, create = cloud.put_machine(_body(cloud))
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert create.status is OperationStatus.CANCELED
    assert len(_profile(machine)["networkInterfaces"]) == 1
    cloud.delete(machine)
    cloud.pass_time()
    assert "networkInterfaces" not in cloud.kinds()


def test_a_create_that_fails_leaves_both_to_the_machines_deletion(cloud: Cloud) -> None:
    cloud.network()
    body = _body(cloud)
    body["properties"]["storageProfile"]["osDisk"]["name"] = "taken"
    machine, create = cloud.put_machine(body)
    disk = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
    cloud.subscription.disks.put(machine.id.sibling("disks", "taken"), disk, now=cloud.now)
    cloud.pass_time()
    assert create.status is OperationStatus.FAILED
    assert len(_profile(machine)["networkInterfaces"]) == 1
    assert {"networkInterfaces", "publicIPAddresses"} < set(cloud.kinds())
    cloud.delete(machine)
    cloud.pass_time()
    assert cloud.kinds() == ["disks", "subnets", "virtualNetworks"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_second_write_with_configurations_is_refused(cloud: Cloud, method: str) -> None:
    cloud.network()
    body = _body(cloud)
    machine, _ = cloud.put_machine(body)
    cloud.pass_time()
    with pytest.raises(ArmError) as refused:
        getattr(cloud.subscription.machines, method)(machine.id, body, now=cloud.now)
    assert (refused.value.code, refused.value.target) == (
        "InvalidParameter",
        "networkProfile.networkInterfaceConfigurations",
    )
    assert len(cloud.subscription.store.list_of_kind("Microsoft.Network/networkInterfaces")) == 1


def test_the_body_that_a_get_shows_can_be_put_back(cloud: Cloud) -> None:
    cloud.network()
    machine, _ = cloud.put_machine(_body(cloud))
    cloud.pass_time()
    again, operation = cloud.put_machine(shown(machine, "2024-11-01"))
    cloud.pass_time()
    assert again is machine
    assert operation.status is OperationStatus.SUCCEEDED


def _in(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(profile: dict[str, Any]) -> None:
        *parents, last = path
        here: Any = profile
        for name in parents:
            here = here[name]
        here[last] = value

    return change


CONFIGURATION = ("networkInterfaceConfigurations", 0)
IP = (*CONFIGURATION, "properties", "ipConfigurations", 0)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        pytest.param(_in("networkApiVersion", value=None), "InvalidParameter", "networkApiVersion", id="no-version"),
        pytest.param(_in("networkApiVersion", value="2019-01-01"), "InvalidParameter", "2019-01-01", id="old-version"),
        pytest.param(
            _in("networkInterfaces", value=[{"id": "/x"}]), "InvalidParameter", "cannot both be", id="beside-references"
        ),
        pytest.param(_in(*CONFIGURATION, "name", value=None), "InvalidParameter", "name", id="no-name"),
        pytest.param(
            _in(*CONFIGURATION, "properties", "ipConfigurations", value=[]),
            "InvalidParameter",
            "ipConfigurations",
            id="no-ip-configuration",
        ),
        pytest.param(
            _in(*CONFIGURATION, "properties", "deleteOption", value="Keep"), "InvalidParameter", "Keep", id="odd-option"
        ),
        pytest.param(_in(*IP, "name", value=""), "InvalidParameter", "name", id="ip-without-name"),
        pytest.param(_in(*IP, "properties", "subnet", value=None), "InvalidParameter", "subnet", id="no-subnet"),
        pytest.param(
            _in(*IP, "properties", "privateIPAddress", value="10.0.0.9"), "BadRequest", "privateIPAddress", id="static"
        ),
        pytest.param(
            _in(*IP, "properties", "subnet", "id", value="/nowhere"),
            "InvalidResourceReference",
            "/nowhere",
            id="no-such-subnet",
        ),
        pytest.param(
            _in(
                *IP,
                "properties",
                "publicIPAddressConfiguration",
                "properties",
                "publicIPAllocationMethod",
                value="Dynamic",
            ),
            "StandardSkuPublicIPAddressesMustBeStatic",
            "Static",
            id="dynamic-standard-address",
        ),
    ],
)
def test_refused_configurations_make_nothing(
    cloud: Cloud, change: Callable[[dict[str, Any]], None], code: str, words: str
) -> None:
    cloud.network()
    body = _body(cloud)
    change(body["properties"]["networkProfile"])
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert refused.value.code == code
    assert words in refused.value.message
    assert cloud.kinds() == ["subnets", "virtualNetworks"]


def test_an_accelerated_configuration_needs_a_size_that_has_it(cloud: Cloud) -> None:
    cloud.network()
    body = _body(cloud)
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    body["properties"]["networkProfile"]["networkInterfaceConfigurations"][0]["properties"][
        "enableAcceleratedNetworking"
    ] = True
    with pytest.raises(ArmError) as refused:
        cloud.put_machine(body)
    assert refused.value.code == "VMSizeIsNotPermittedToEnableAcceleratedNetworking"
    assert cloud.kinds() == ["subnets", "virtualNetworks"]


def test_two_configurations_need_one_primary_and_get_two_suffixes(cloud: Cloud) -> None:
    cloud.network()
    body = _body(cloud, with_address=False)
    profile = body["properties"]["networkProfile"]
    first = profile["networkInterfaceConfigurations"][0]
    profile["networkInterfaceConfigurations"] = [first, {**first, "name": "second"}]
    with pytest.raises(ArmError, match="one network interface set as the primary"):
        cloud.put_machine(body)
    first["properties"] = {**first["properties"], "primary": True}
    machine, _ = cloud.put_machine(body)
    cloud.pass_time()
    primaries = [reference["properties"]["primary"] for reference in _profile(machine)["networkInterfaces"]]
    assert primaries == [True, False]
    suffixes = {text.rpartition("-")[2] for text in machine.interface_ids}
    assert len(suffixes) == 2


@pytest.mark.parametrize(
    ("version", "field"),
    [
        pytest.param("2020-12-01", "networkApiVersion", id="before-configurations"),
        pytest.param("2024-11-01", "tags", id="before-their-tags"),
        pytest.param("2025-04-01", None, id="since-their-tags"),
    ],
)
def test_old_api_versions_do_not_know_configurations_or_their_tags(
    cloud: Cloud, version: str, field: str | None
) -> None:
    body = _body(cloud)
    if field is None:
        check_fields(body, version)
        return
    with pytest.raises(ArmError, match=f"Could not find member '{field}'"):
        check_fields(body, version)
